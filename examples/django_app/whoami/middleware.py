import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

import credconf

logger = logging.getLogger(__name__)


class AzureUnavailable:
    """Answers with 503 when a view got no token."""

    def __init__(
        self,
        get_response: Callable[[HttpRequest], HttpResponse],
    ) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self,
        _: HttpRequest,
        error: Exception,
    ) -> HttpResponse | None:
        if not isinstance(error, credconf.AuthenticationError):
            return None
        logger.error("no token: %s", error)  # no secret is in it
        body = {
            "error": "Azure is not available",
            "correlation_id": error.correlation_id,
        }
        return JsonResponse(body, status=503)
