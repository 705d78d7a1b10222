"""Requests tokens from Entra with MSAL. This is the only module that imports MSAL; it is imported for the first token.

MSAL builds the request without the secret. It gets a placeholder, an HTTP client that answers discovery, and caches
that keep nothing. When it is about to send the request, the HTTP client raises an exception that carries the request
out of MSAL. So no frame of MSAL remains when the placeholder is replaced and the request is sent.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import msal

from credconf.ground.causes import is_foreign, shortage
from credconf.ground.third_parties import despite_warnings
from credconf.problems.failure import Failure

from .discovery import Discovery
from .messages import Answer, Form, parsed, token_in
from .redaction import Redactor
from .sending import RequestContext, Sender, Stop, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .http import HttpClient, Response
    from .proof import Proof
    from .request import Identity, TokenRequest

_OK = 200
API_CAPABILITIES = ["CP1"]
"""The capability to handle claims challenges (Continuous Access Evaluation)."""
_PLACEHOLDERS: dict[str, Any] = {
    "client_secret": "placeholder",
    "client_assertion": {"client_assertion": lambda: "placeholder"},
}
_MALFORMED = (
    "Check `{}` and `http.proxy`: something else may answer there, or a server that is not set up as it should."
)


class _NoTokens:
    """A token cache that keeps nothing: credconf caches tokens, and MSAL's cache scans all its tokens for each one."""

    CredentialType = msal.TokenCache.CredentialType

    def search(self, *_: object, **__: object) -> Iterator[dict[str, Any]]:
        return iter(())

    def add(self, *_: object, **__: object) -> None:
        """Keep nothing."""

    def remove_rt(self, *_: object) -> None:
        """Remove nothing."""

    def update_rt(self, *_: object) -> None:
        """Update nothing."""


class _NoAnswers(dict[str, Any]):
    """An HTTP cache that keeps nothing: MSAL would repeat a cached refusal after the secret has been replaced."""

    def __setitem__(self, key: str, value: object) -> None:
        """Keep nothing."""


class _Built(Exception):
    """Carries a request out of MSAL."""

    def __init__(self, url: str, params: Any, fields: dict[str, Any], headers: Any) -> None:
        super().__init__()
        self.url, self.params, self.fields, self.headers = url, params, fields, headers


class _Builder:
    """MSAL's `http_client` for one token request: it answers discovery and captures the token request."""

    def __init__(self, discovery: Discovery, sender: Sender, context: RequestContext) -> None:
        self._discovery = discovery
        self._sender = sender
        self._context = context

    def get(self, url: str, *, params: dict[str, Any] | None = None, **_: object) -> Response:
        return self._discovery.answer(url, params, self._sender, self._context)

    def post(self, url: str, *, params: Any = None, data: Any = None, headers: Any = None, **_: object) -> Response:
        raise _Built(url, params, data, headers)

    def close(self) -> None:
        """Close nothing: the connections belong to the engine."""


class EntraClient:
    """Requests tokens for one identity.

    Args:
        identity: The client, its tenant and its authority.
        http: Sends the requests.
        bounded: Whether `http` takes a `deadline`, as our transport does and an application's client does not.
        total_timeout: Seconds for one token, with discovery and retries.
        monotonic: The clock of deadlines.
        instance_discovery: Whether to ask Microsoft about an authority that is not well known.
        machine_region: The value of `REGION_NAME`, for `tryautodetect`.
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
        self._discovery = Discovery(identity, monotonic, machine_region=machine_region)

    def deadline(self, timeout: float | None = None) -> float:
        """Return the time on the monotonic clock at which a request that starts now must have ended."""
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
        """Request one token with one proof.

        Args:
            proof: A secret or certificate.
            request: The scopes, tenant and claims.
            deadline: The time on the monotonic clock at which the request ends.
            retries: Whether a failed attempt may be repeated.
            held: Returns further secrets that no failure may show. It is called only for a failure.
            tokens: Returns the tokens that no failure may show. It is called only for a failure.

        Returns:
            The token, or the failure: it is not raised, so no frame of a traceback holds the secret.
        """
        redact = Redactor((), self._identity.concealed, partial(self._held, proof, held), tokens)
        context = RequestContext(
            self._identity, request.tenant, redact, proof.claims, str(uuid.uuid4()), request.user is not None
        )
        sender = Sender(self._http, deadline if self._bounded else None, retries=retries)
        try:
            built = self._build(proof.parameter, request, sender, context)
            return built if isinstance(built, Failure) else self._send(built, proof, request, sender, context)
        except Stop as exc:
            return exc.failure

    def _build(
        self, parameter: str, request: TokenRequest, sender: Sender, context: RequestContext
    ) -> _Built | Failure:
        """Build the request as MSAL would send it, with a placeholder for the proof."""

        def ask() -> None:
            builder = _Builder(self._discovery, sender, context)
            app = self._application(parameter, request.tenant, builder, cae=request.cae)
            if request.user is None:
                app.acquire_token_for_client(list(request.scopes), claims_challenge=request.claims)
            else:
                app.acquire_token_on_behalf_of("placeholder", list(request.scopes), claims_challenge=request.claims)

        try:
            despite_warnings(ask)
        except _Built as built:
            return built.with_traceback(None)
        except Stop:
            raise
        except Exception as exc:  # only its type is shown: errors of MSAL may quote their input
            if is_foreign(exc):
                raise
            if lack := shortage(exc):
                return context.failure(lack.what, "resources", do=lack.advice)
            do = (
                "The claims of the request are not JSON." if request.claims and parsed(request.claims) is None else None
            )
            return context.failure(f"MSAL failed with {type(exc).__name__}", "unexpected", do=do)
        return context.failure("MSAL sent no request", "unexpected")

    def _send(
        self, built: _Built, proof: Proof, request: TokenRequest, sender: Sender, context: RequestContext
    ) -> Answer | Failure:
        """Send the request with the proof and the user's token in place of the placeholders."""
        address = self._discovery.regional(built.url, sender, context)
        opaque = proof.for_request(built.url, self._identity.client_id)
        context.redact.add(opaque)
        form = Form(built.fields, proof.parameter, opaque)
        if request.user is not None:
            context.redact.add(request.user.assertion)
            form.act_for(request.user.assertion)
        reply = sender.post(address, context, params=built.params, form=form, headers=built.headers)
        found = token_in(reply) if reply.status == _OK else None
        if found is None:
            return refusal(context, reply.status, reply.headers, reply.payload, reply.text)
        if isinstance(found, str):
            return context.failure(found, "malformed", do=self._malformed(), status_code=_OK)
        return found

    def _malformed(self) -> str:
        return _MALFORMED.format("oidc_authority" if self._identity.oidc_authority else "authority")

    def _held(self, proof: Proof, others: Callable[[], Iterable[str]]) -> Iterator[str]:
        yield from proof.secrets
        yield from self._identity.passwords()
        yield from others()

    def _application(self, parameter: str, tenant: str | None, builder: _Builder, *, cae: bool) -> Any:
        """Make an application for one request: this takes 0.1 ms, and keeps no state for each tenant."""
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
            exclude_scopes=["offline_access"],  # a user's token is requested again, and never refreshed
            azure_region=False,  # MSAL would query the instance metadata service, and drop the authority's port
            **place,
        )

    def after_fork(self) -> None:
        """Forget the discovery requests of the parent process, in the child of a fork."""
        self._discovery.after_fork()
