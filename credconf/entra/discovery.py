"""Where tokens are requested: what MSAL would discover, answered without asking wherever it is known."""

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

    from .identity import Identity
    from .sending import Asked

_DOCUMENT_LIFE = 3600.0
_NO_ANSWER = {*REMEDIES, "network"}
_OK = 200
_PLAIN_ORIGIN = re.compile(r"https://[A-Za-z0-9._:\[\]-]+(?:/|$)", re.IGNORECASE)
_METADATA = "http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01"


class Directory:
    """The endpoints of one identity's authority.

    Args:
        identity: whose authority.
        monotonic: the clock of what is remembered.
        machine_region: what `REGION_NAME` says, for `tryautodetect`.
    """

    def __init__(
        self, identity: Identity, monotonic: Callable[[], float], *, machine_region: str | None = None
    ) -> None:
        self._identity = identity
        self._monotonic = monotonic
        self._machine_region = machine_region
        self._vouched = False
        self._region: str | None = None
        self._region_known = False
        self._documents: dict[str, tuple[float, dict[str, Any]]] = {}
        self._flights: Flights[dict[str, Any] | Failure] = Flights()

    def after_fork(self) -> None:
        """In the child of a fork nobody discovers anything."""
        self._flights.after_fork()

    def answer(self, url: str, params: dict[str, Any] | None, sender: Sender, asked: Asked) -> Response:
        """What MSAL's GET request is answered.

        Raises:
            Stop: the authority is not one, or could not be asked.
        """
        if urlsplit(url).path.endswith("/common/discovery/instance"):
            # Version 1.1 asks for the aliases of a host, which matter to caches; ours has none.
            if (params or {}).get("api-version") != "1.1":
                self._vouch(url, params, sender, asked)
            base = f"{self._identity.authority}/{asked.tenant}/v2.0"
            return _json({"tenant_discovery_endpoint": f"{base}/.well-known/openid-configuration", "metadata": []})
        if asked.tenant is None or asked.tenant.lower() == clouds.ADFS:
            return _json(self._document(url, sender, asked))
        return _json(_endpoints(f"{self._identity.authority}/{asked.tenant}"))

    def _vouch(self, url: str, params: dict[str, Any] | None, sender: Sender, asked: Asked) -> None:
        if self._vouched:
            return

        def ask() -> dict[str, Any]:
            response, payload = sender.get(url, asked, params=params)
            if isinstance(payload, dict) and payload.get("tenant_discovery_endpoint"):
                self._vouched = True
                return payload
            if isinstance(payload, dict) and payload.get("error") == "invalid_instance":
                what = "the authority is not one that Microsoft knows (invalid_instance)"
                do = "If you trust it, set `disable_instance_discovery: true`; else check `authority`."
                raise Stop(asked.failure(what, "invalid_instance", do=do, status_code=response.status_code))
            raise Stop(_not_found(asked, response, payload, "instance discovery"))

        self._once("vouch", ask)

    def _document(self, url: str, sender: Sender, asked: Asked) -> dict[str, Any]:
        known = self._documents.get(url)
        if known is not None and self._monotonic() < known[0]:
            return known[1]

        def ask() -> dict[str, Any]:
            response, payload = sender.get(url, asked)
            if (
                response.status_code != _OK
                or not isinstance(payload, dict)
                or not isinstance(payload.get("token_endpoint"), str)
            ):
                raise Stop(_not_found(asked, response, payload, "the discovery document"))
            if _origin_of(payload["token_endpoint"]) not in {_origin_of(url)} - {None}:
                what = "the discovery document names a token endpoint on another host"
                do = "A secret goes only to the configured authority: check `oidc_authority`."
                raise Stop(asked.failure(what, "foreign_endpoint", do=do))
            document = _endpoints(url)
            document |= {name: payload[name] for name in document if isinstance(payload.get(name), str)}
            self._documents[url] = (self._monotonic() + _DOCUMENT_LIFE, document)
            return document

        return self._once(url, ask)

    def _once(self, key: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """One request however many tokens wait for it.

        A follower makes an attempt of its own where there was no answer: the leader may have had less time than it
        has, and no retries.
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

    def regional(self, url: str, sender: Sender, asked: Asked) -> str:
        """The token endpoint's URL at the regional host, if a region is configured; a port stays."""
        region = self._identity.region
        if region is None or asked.tenant is None:
            return url
        if region in formats.AUTODETECT:
            region = self._detected(sender, asked)
        parts = urlsplit(url)
        if region is None or parts.hostname is None:
            return url
        host = clouds.regional_host(parts.hostname, region)
        return parts._replace(netloc=host if parts.port is None else f"{host}:{parts.port}").geturl()

    def _detected(self, sender: Sender, asked: Asked) -> str | None:
        """The region of this machine; `None`, for good, where nothing tells it within a second."""
        if self._region_known:
            return self._region
        location: object = self._machine_region
        if location is None:
            try:
                _, payload = sender.get(_METADATA, asked, headers={"Metadata": "true"}, **sender.hurried())
                location = payload.get("location") if isinstance(payload, dict) else None
            except Stop:
                location = None  # not an Azure machine: the global endpoint serves as well
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
    """Scheme, host and port; `None` where two readers of the URL might not agree on them."""
    # `https://evil.example\\@host/` is on `host` for urllib, and on `evil.example` for urllib3.
    if not url.isascii() or not url.isprintable() or not _PLAIN_ORIGIN.match(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", 443 if port is None else port


def _not_found(asked: Asked, response: Response, payload: object, what: str) -> Failure:
    failure = refusal(asked, response.status_code, response.headers, payload, "")
    return failure if response.status_code != _OK else asked.failure(f"{what} is not usable", "discovery")
