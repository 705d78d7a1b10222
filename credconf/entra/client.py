"""A token from Entra, by MSAL. The only importer of msal, itself imported when a token is first needed.

MSAL builds the request and knows no secret. It is given a placeholder, an HTTP client that knows the endpoints it would
discover, and caches that keep nothing. What it is about to send is taken from it, so that no frame of MSAL is left when
the placeholder is replaced and the request is sent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msal

from credconf.ground.interrupts import is_foreign
from credconf.ground.limits import shortage
from credconf.problems.failure import Failure

from .discovery import Directory
from .messages import Answer, Form, parsed, token_in
from .redaction import Redactor
from .sending import Asked, Sender, Stop, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .http import HttpClient, Response
    from .identity import Identity
    from .proof import Proof
    from .request import TokenRequest

_OK = 200
API_CAPABILITIES = ["CP1"]
"""What a client that handles claims challenges tells Entra (Continuous Access Evaluation)."""
_PLACEHOLDERS: dict[str, Any] = {
    "client_secret": "placeholder",
    "client_assertion": {"client_assertion": lambda: "placeholder"},
}
_MALFORMED = "Check `authority` and `http.proxy`: something else may answer there."


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


class _Built(Exception):
    """Carries a request out of MSAL."""

    def __init__(self, url: str, params: Any, fields: dict[str, Any], headers: Any) -> None:
        super().__init__()
        self.url, self.params, self.fields, self.headers = url, params, fields, headers


class _Builder:
    """MSAL's `http_client` for one token request: discovery is answered, the token request is taken."""

    def __init__(self, directory: Directory, sender: Sender, asked: Asked) -> None:
        self._directory = directory
        self._sender = sender
        self._asked = asked

    def get(self, url: str, *, params: dict[str, Any] | None = None, **_: object) -> Response:
        return self._directory.answer(url, params, self._sender, self._asked)

    def post(self, url: str, *, params: Any = None, data: Any = None, headers: Any = None, **_: object) -> Response:
        raise _Built(url, params, data, headers)

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
        redact = Redactor((), self._identity.concealed, partial(self._held, proof, held), tokens)
        asked = Asked(self._identity, request.tenant, redact)
        sender = Sender(self._http, deadline if self._bounded else None, retries=retries)
        try:
            built = self._build(proof.parameter, request, sender, asked)
            return built if isinstance(built, Failure) else self._send(built, proof, sender, asked)
        except Stop as exc:
            return exc.failure

    def _build(self, parameter: str, request: TokenRequest, sender: Sender, asked: Asked) -> _Built | Failure:
        """The request, as MSAL would send it, with a placeholder for the proof."""
        try:
            app = self._application(
                parameter, request.tenant, _Builder(self._directory, sender, asked), cae=request.cae
            )
            app.acquire_token_for_client(list(request.scopes), claims_challenge=request.claims)
        except _Built as built:
            return built.with_traceback(None)
        except Stop:
            raise
        except Exception as exc:  # MSAL's own errors may quote what they were given: their type must do
            if is_foreign(exc):
                raise
            if lack := shortage(exc):
                return asked.failure(lack.what, "resources", do=lack.advice)
            do = (
                "The claims of the request are not JSON." if request.claims and parsed(request.claims) is None else None
            )
            return asked.failure(f"MSAL failed with {type(exc).__name__}", "unexpected", do=do)
        return asked.failure("MSAL sent no request", "unexpected")

    def _send(self, built: _Built, proof: Proof, sender: Sender, asked: Asked) -> Answer | Failure:
        """The answer to the request, with the proof in place of the placeholder."""
        address = self._directory.regional(built.url, sender, asked)
        opaque = proof.for_request(built.url, self._identity.client_id)
        asked.redact.add(opaque)
        form = Form(built.fields, proof.parameter, opaque)
        reply = sender.post(address, asked, params=built.params, form=form, headers=built.headers)
        found = token_in(reply) if reply.status == _OK else None
        if found is None:
            return refusal(asked, reply.status, reply.headers, reply.payload, reply.text)
        if isinstance(found, str):
            return asked.failure(found, "malformed", do=_MALFORMED, status_code=_OK)
        return found

    def _held(self, proof: Proof, others: Callable[[], Iterable[str]]) -> Iterator[str]:
        yield from proof.secrets
        yield from self._identity.passwords()
        yield from others()

    def _application(self, parameter: str, tenant: str | None, builder: _Builder, *, cae: bool) -> Any:
        """A new one for each request: it costs a tenth of a millisecond, and nothing stays behind for each tenant."""
        place: dict[str, Any] = {"oidc_authority": self._identity.oidc_authority}
        if tenant is not None:
            place = {"authority": f"{self._identity.authority}/{tenant}"}
            place["instance_discovery"] = None if self._instance_discovery else False
        return msal.ConfidentialClientApplication(
            self._identity.client_id,
            client_credential=_PLACEHOLDERS[parameter],
            client_capabilities=API_CAPABILITIES if cae else None,
            token_cache=_NoTokens(),
            http_cache=_NoAnswers(),
            http_client=builder,
            azure_region=False,  # MSAL would ask the metadata address of the machine, and loses the port
            **place,
        )

    def after_fork(self) -> None:
        """In the child of a fork nobody discovers anything."""
        self._directory.after_fork()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
