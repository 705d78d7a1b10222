"""A token from Entra, by MSAL. The only importer of msal, itself imported when a token is first needed.

MSAL speaks the protocol; what it would do beside that is answered here: it is given an HTTP client that knows the
endpoints it would discover, and caches that keep nothing.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import msal

from credconf.limits import shortage
from credconf.records import field, record

from .answers import normalised, parsed
from .discovery import Directory
from .redaction import Redactor
from .refusals import Asked, refusal
from .sending import Sender, Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from credconf.kinds import Identity, Proof
    from credconf.tokens.failure import Failure
    from credconf.tokens.request import TokenRequest

    from .http import HttpClient, Response

_OK = 200
API_CAPABILITIES = ["CP1"]
"""What a client that handles claims challenges tells Entra (Continuous Access Evaluation)."""


@record
class Answer:
    """A token as Entra gave it; times are seconds from when it was asked for."""

    token: str = field(repr=False)
    token_type: str
    lifetime: float
    refresh_in: float | None


class _NoTokens:
    """A token cache that keeps nothing: ours does, and MSAL's searches all of its tokens for each."""

    CredentialType = msal.TokenCache.CredentialType

    def search(self, *_: object, **__: object) -> Iterator[dict[str, Any]]:
        return iter(())

    def add(self, *_: object, **__: object) -> None:
        """Nothing is kept."""

    def remove_rt(self, *_: object) -> None:
        """There is nothing to remove."""

    def update_rt(self, *_: object) -> None:
        """There is nothing to update."""


class _NoAnswers(dict[str, Any]):
    """An HTTP cache that keeps nothing: MSAL would replay a refusal to a secret that has been replaced since."""

    def __setitem__(self, key: str, value: object) -> None:
        """Nothing is kept."""


class _Wire:
    """MSAL's `http_client` for one token request: discovery is answered, the token request is sent."""

    def __init__(self, directory: Directory, sender: Sender, asked: Asked) -> None:
        self._directory = directory
        self._sender = sender
        self._asked = asked
        self.answer: dict[str, Any] = {}

    def get(self, url: str, *, params: dict[str, Any] | None = None, **_: object) -> Response:
        return self._directory.answer(url, params, self._sender, self._asked)

    def post(self, url: str, *, params: Any = None, data: Any = None, headers: Any = None, **_: object) -> Response:
        self._asked.redact.add(data)
        address = self._directory.regional(url, self._sender, self._asked)
        response, payload = self._sender.post(address, params=params, data=data, headers=headers, asked=self._asked)
        clean = normalised(payload) if response.status_code == _OK else None
        if clean is None:
            failure = refusal(self._asked, response.status_code, response.headers, payload, response.text)
            raise Stop(failure)
        self.answer = clean
        return type(response)(200, json.dumps(clean), {})

    def close(self) -> None:
        """The connections belong to the engine."""


class EntraClient:
    """Requests tokens for one identity.

    Args:
        identity: who asks, and whom.
        http: sends the requests.
        bounded: `http` takes a `deadline` (ours does; a client of the application's has its own ideas).
        total_timeout: seconds for one token, discovery and retries included.
        monotonic: the clock of deadlines.
        instance_discovery: ask Microsoft about an authority that is not well known.
        machine_region: what `REGION_NAME` says, for `tryautodetect`.
    """

    def __init__(
        self,
        identity: Identity,
        http: HttpClient,
        *,
        bounded: bool,
        total_timeout: float,
        monotonic: Callable[[], float],
        instance_discovery: bool,
        machine_region: str | None = None,
    ) -> None:
        self._identity = identity
        self._http = http
        self._bounded = bounded
        self._total_timeout = total_timeout
        self._monotonic = monotonic
        self._instance_discovery = instance_discovery
        self._directory = Directory(identity, monotonic, machine_region=machine_region)

    def deadline(self, timeout: float | None = None) -> float:
        """When a request that begins now must have ended, on the monotonic clock."""
        return self._monotonic() + min(self._total_timeout, timeout or self._total_timeout)

    def token(
        self,
        proof: Proof,
        request: TokenRequest,
        deadline: float,
        *,
        retries: bool = True,
        held: Callable[[], Iterable[str]] = tuple,
        tokens: Callable[[], Iterable[str]] = tuple,
    ) -> Answer | Failure:
        """Ask for one token with one proof. A failure is returned, so that no frame of a traceback holds the secret.

        Args:
            proof: a secret or certificate.
            request: what is asked for.
            deadline: on the monotonic clock.
            retries: whether a failed attempt may be repeated.
            held: what else no failure may show, and is asked for only then.
            tokens: likewise, those that are held.
        """
        redact = Redactor(proof.secrets, self._identity.concealed(), partial(self._held, held), tokens)
        asked, claims = Asked(self._identity, request.tenant, redact), request.claims
        sender = Sender(self._http, deadline if self._bounded else None, retries=retries)
        wire = _Wire(self._directory, sender, asked)
        try:
            app = self._application(proof, request.tenant, wire, cae=request.cae)
            result = app.acquire_token_for_client(list(request.scopes), claims_challenge=claims)
        except Stop as exc:
            return exc.failure
        except Exception as exc:  # noqa: BLE001 - MSAL's own errors may quote what they were given: their type must do
            if lack := shortage(exc):
                return asked.failure(lack.what, "resources", do=lack.advice)
            do = "The claims of the request are not JSON." if claims and parsed(claims) is None else None
            return asked.failure(f"MSAL failed with {type(exc).__name__}", "unexpected", do=do)
        else:
            # The life is read from the answer: MSAL turns `refresh_in` into a time by a clock of its own.
            refresh_in = wire.answer.get("refresh_in")
            return Answer(result["access_token"], wire.answer["token_type"], wire.answer["expires_in"], refresh_in)

    def _held(self, others: Callable[[], Iterable[str]]) -> Iterator[str]:
        yield from self._identity.passwords()
        yield from others()

    def _application(self, proof: Proof, tenant: str | None, wire: _Wire, *, cae: bool) -> Any:
        """A new one for each request: it costs a tenth of a millisecond, and nothing stays behind for each tenant."""
        place: dict[str, Any] = {"oidc_authority": self._identity.oidc_authority}
        if tenant is not None:
            place = {"authority": f"{self._identity.authority}/{tenant}"}
            place["instance_discovery"] = None if self._instance_discovery else False
        return msal.ConfidentialClientApplication(
            self._identity.client_id,
            client_credential=_in_one_line(proof.credential),
            client_capabilities=API_CAPABILITIES if cae else None,
            token_cache=_NoTokens(),
            http_cache=_NoAnswers(),
            http_client=wire,
            azure_region=False,  # MSAL would ask the metadata address of the machine, and loses the port
            **place,
        )

    def after_fork(self) -> None:
        """In the child of a fork nobody discovers anything."""
        self._directory.after_fork()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _in_one_line(credential: str | dict[str, Any]) -> str | dict[str, Any]:
    """A certificate's chain without line breaks, which MSAL would put into the header `x5c` (RFC 7515 has none)."""
    if isinstance(credential, str) or "public_certificate" not in credential:
        return credential
    return {**credential, "public_certificate": credential["public_certificate"].replace("\n", "")}
