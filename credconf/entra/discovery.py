"""Finds the token endpoint: it answers MSAL's discovery without a request wherever the endpoints are known."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credconf.ground.flight import Flights
from credconf.problems.failure import Failure
from credconf.settings import clouds, formats

from .http import Response
from .sending import REMEDIES, Sender, Stop, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from .request import Identity
    from .sending import RequestContext

_DOCUMENT_LIFE = 3600.0
_NO_ANSWER = {*REMEDIES, "network"}
_OK = 200
_PLAIN_ORIGIN = re.compile(r"https://[A-Za-z0-9._:\[\]-]+(?:/|$)", re.IGNORECASE)
_METADATA = "http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01"


class Discovery:
    """The endpoints of one identity's authority.

    Args:
        identity: The identity.
        monotonic: The clock for the age of discovery documents.
        machine_region: The value of `REGION_NAME`, for `tryautodetect`.
    """

    def __init__(
        self, identity: Identity, monotonic: Callable[[], float], *, machine_region: str | None = None
    ) -> None:
        self._identity = identity
        self._monotonic = monotonic
        self._machine_region = machine_region
        self._validated = False
        self._region: str | None = None
        self._region_known = False
        self._documents: dict[str, tuple[float, dict[str, Any]]] = {}
        self._flights: Flights[dict[str, Any] | Failure] = Flights()

    def after_fork(self) -> None:
        """Forget the discovery requests of the parent process, in the child of a fork."""
        self._flights.after_fork()

    def answer(self, url: str, params: dict[str, Any] | None, sender: Sender, context: RequestContext) -> Response:
        """Return the response to a GET request of MSAL.

        Raises:
            Stop: The authority is not valid, or gives no response.
        """
        if urlsplit(url).path.endswith("/common/discovery/instance"):
            # Version 1.1 requests the aliases of a host, which only MSAL's token cache needs.
            if (params or {}).get("api-version") != "1.1":
                self._validate(url, params, sender, context)
            base = f"{self._identity.authority}/{context.tenant}/v2.0"
            return _json({"tenant_discovery_endpoint": f"{base}/.well-known/openid-configuration", "metadata": []})
        if context.tenant is None or context.tenant.lower() == clouds.ADFS:
            return _json(self._document(url, sender, context))
        return _json(_endpoints(f"{self._identity.authority}/{context.tenant}"))

    def _validate(self, url: str, params: dict[str, Any] | None, sender: Sender, context: RequestContext) -> None:
        if self._validated:
            return

        def ask() -> dict[str, Any]:
            response, payload = sender.get(url, context, params=params)
            if isinstance(payload, dict) and payload.get("tenant_discovery_endpoint"):
                self._validated = True
                return payload
            if isinstance(payload, dict) and payload.get("error") == "invalid_instance":
                what = "Microsoft does not know the authority (invalid_instance)"
                do = "Check `authority`. If you trust it, set `disable_instance_discovery: true`."
                raise Stop(context.failure(what, "invalid_instance", do=do, status_code=response.status_code))
            raise Stop(_not_found(context, response, payload, "instance discovery"))

        self._once("instance", ask)

    def _document(self, url: str, sender: Sender, context: RequestContext) -> dict[str, Any]:
        known = self._documents.get(url)
        if known is not None and self._monotonic() < known[0]:
            return known[1]

        def ask() -> dict[str, Any]:
            response, payload = sender.get(url, context)
            if (
                response.status_code != _OK
                or not isinstance(payload, dict)
                or not isinstance(payload.get("token_endpoint"), str)
            ):
                raise Stop(_not_found(context, response, payload, "the discovery document"))
            if _origin_of(payload["token_endpoint"]) not in {_origin_of(url)} - {None}:
                what = "the discovery document names a token endpoint on another host"
                do = "A secret goes only to the configured authority: check `oidc_authority`."
                raise Stop(context.failure(what, "foreign_endpoint", do=do))
            document = _endpoints(url)
            document |= {name: payload[name] for name in document if isinstance(payload.get(name), str)}
            self._documents[url] = (self._monotonic() + _DOCUMENT_LIFE, document)
            return document

        return self._once(url, ask)

    def _once(self, key: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Make one request for all callers that need its outcome at the same time.

        If the leader got no response, a follower makes an attempt of its own: it may have more time than the leader,
        and retries.
        """

        def outcome_of() -> dict[str, Any] | Failure:
            try:
                return ask()
            except Stop as exc:
                return exc.failure

        waited = False

        def is_poor(outcome: dict[str, Any] | Failure) -> bool:
            nonlocal waited
            is_first, waited = not waited, True
            return is_first and isinstance(outcome, Failure) and outcome.error in _NO_ANSWER

        outcome = self._flights.run(key, outcome_of, is_poor=is_poor)
        if isinstance(outcome, dict):
            return outcome
        raise Stop(outcome)

    def regional(self, url: str, sender: Sender, context: RequestContext) -> str:
        """Return the URL of the token endpoint on the regional host, if a region is configured. It keeps a port."""
        region = self._identity.region
        if region is None or context.tenant is None:
            return url
        if region in formats.AUTODETECT:
            region = self._detected(sender, context)
        parts = urlsplit(url)
        if region is None or parts.hostname is None:
            return url
        host = clouds.regional_host(parts.hostname, region)
        return parts._replace(netloc=host if parts.port is None else f"{host}:{parts.port}").geturl()

    def _detected(self, sender: Sender, context: RequestContext) -> str | None:
        """Return the region of this machine; `None`, from then on, if nothing reports it within a second."""
        if self._region_known:
            return self._region
        location: object = self._machine_region
        if location is None:
            try:
                _, payload = sender.get(_METADATA, context, headers={"Metadata": "true"}, **sender.hurried())
                location = payload.get("location") if isinstance(payload, dict) else None
            except Stop:
                location = None  # not a machine of Azure: the global endpoint serves it, too
        try:
            self._region = formats.region(location) if isinstance(location, str) and location else None
        except formats.FormatError:
            self._region = None
        self._region_known = True
        return self._region


def _endpoints(base: str) -> dict[str, Any]:
    names = ("authorization_endpoint", "device_authorization_endpoint", "token_endpoint")
    paths = ("authorize", "devicecode", "token")
    return {
        "issuer": f"{base}/v2.0",
        **{name: f"{base}/oauth2/v2.0/{path}" for name, path in zip(names, paths, strict=True)},
    }


def _json(document: dict[str, Any]) -> Response:
    return Response(_OK, json.dumps(document), {})


def _origin_of(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; `None` if two parsers of URLs may disagree on them."""
    # `https://evil.example\\@host/` is on `host` for urllib, and on `evil.example` for urllib3.
    if not url.isascii() or not url.isprintable() or not _PLAIN_ORIGIN.match(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", 443 if port is None else port


def _not_found(context: RequestContext, response: Response, payload: object, what: str) -> Failure:
    failure = refusal(context, response.status_code, response.headers, payload, "")
    return failure if response.status_code != _OK else context.failure(f"{what} is not usable", "discovery")
