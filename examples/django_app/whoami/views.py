from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from .credentials import credential

SCOPE = "https://storage.azure.com/.default"


@require_GET
def whoami(_: HttpRequest) -> JsonResponse:
    token = credential().get_token(SCOPE)  # cached for about an hour
    body = {**credential().describe(), "expires_on": token.expires_on}
    return JsonResponse(body)
