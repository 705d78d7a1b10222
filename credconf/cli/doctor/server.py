"""The steps that need the server: discovery, clock, token."""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import credconf
from credconf.cli.acquisition import credential_on_demand, parts_of, scope_hint
from credconf.cli.output import lifetime, utc
from credconf.entra.http import TransportFailure
from credconf.entra.messages import parsed
from credconf.entra.sending import REMEDIES
from credconf.entra.transport import Transport
from credconf.ground.records import replace
from credconf.problems.failure import advice_on, codes_in
from credconf.settings import clouds
from credconf.stores import TokenCacheSettings

from .steps import Result

if TYPE_CHECKING:
    from credconf.entra.http import Response
    from credconf.entra.request import Identity

    from .steps import Diagnosis, Target

_OK = 200
_SERVER_ERRORS = 500
_WARNING, _ERROR = 60.0, 300.0  # seconds; Entra refuses assertions whose time is five minutes off
_ABOUT_SCOPES = frozenset({"invalid_scope", "invalid_resource", "invalid_request", "invalid_target"})
_NO_SUCH_TENANT = frozenset({90002, 900021, 900023})
_CLOUDS = {
    "microsoftonline.com": "public",
    "microsoftonline.us": "usgov",
    "partner.microsoftonline.cn": "china",
    "microsoftonline.cn": "china",
}
_GRAPH = {
    "public": "https://graph.microsoft.com/.default",
    "usgov": "https://graph.microsoft.us/.default",
    "china": "https://microsoftgraph.chinacloudapi.cn/.default",
}


def discovery(diagnosis: Diagnosis, seconds: float) -> Result:
    """Request the OpenID document of the tenant."""
    target = diagnosis.known_target()
    http = Transport(target.transport)
    asked_at = time.time()
    try:
        answer = http.get(_document(target.identity), deadline=time.monotonic() + seconds, attempts=1)
    except TransportFailure as exc:
        failure = exc
    else:
        diagnosis.answer, diagnosis.answered_at = answer, (asked_at + time.time()) / 2
        return _evaluated(answer, target)
    finally:
        http.close()
    return Result("failed", target.redact(failure.message), failure.hint or REMEDIES.get(failure.reason))


def _document(identity: Identity) -> str:
    if identity.oidc_authority is not None:
        return f"{identity.oidc_authority}/.well-known/openid-configuration"
    version = "" if _is_adfs(identity) else "/v2.0"
    return f"{identity.authority}/{identity.tenant_id}{version}/.well-known/openid-configuration"


def _is_adfs(identity: Identity) -> bool:
    return (identity.tenant_id or "").lower() == clouds.ADFS


def _evaluated(answer: Response, target: Target) -> Result:
    payload = parsed(answer.text)
    document = payload if isinstance(payload, dict) else {}
    if answer.status_code == _OK and isinstance(document.get("token_endpoint"), str):
        return _described(document, target)
    message = str(document.get("error_description") or document.get("error") or "")
    code = next(iter(codes_in(message)), None)
    details = (f"The server's message: {target.redact(message)}",) if message else ()
    if code in _NO_SUCH_TENANT:
        tenant = target.identity.shown("tenant_id")
        return Result(
            "failed", f"tenant {tenant} does not exist on this server (AADSTS{code})", advice_on(code), details
        )
    status = f"HTTP status {answer.status_code}"
    if answer.status_code < 400:  # noqa: PLR2004 - the first status that is an error
        check = "Another server answers, such as a login portal: check `authority` and the proxy."
        return Result("failed", f"the answer is not an OpenID document ({status})", check)
    fix = advice_on(code) if code else None
    if answer.status_code >= _SERVER_ERRORS:
        fix = fix or "Try again; if it persists, check the status page of Azure."
    if target.identity.oidc_authority or _is_adfs(target.identity):
        return Result(
            "failed",
            f"there is no OpenID document ({status})",
            fix or "Check `authority` or `oidc_authority`.",
            details,
        )
    return Result("warning", f"there is no OpenID document, but credconf can work without it ({status})", fix, details)


def _described(document: dict[str, Any], target: Target) -> Result:
    """The result for a tenant that exists, with a warning if its home is another cloud."""
    identity = target.identity
    who = f"tenant {identity.shown('tenant_id')} exists" if identity.tenant_id else "the server has an OpenID document"
    names = {"region": "tenant_region_scope", "sub-scope": "tenant_region_sub_scope", "cloud": "cloud_instance_name"}
    known = {label: document[name] for label, name in names.items() if isinstance(document.get(name), str)}
    details = (target.redact(", ".join(f"{label} {text}" for label, text in known.items())),) if known else ()
    home, cloud = _CLOUDS.get(str(known.get("cloud"))), _cloud(identity)
    if home is not None and cloud is not None and home != cloud:
        fix = f"Set `cloud: {home}`, unless the cross-cloud access is intended."
        return Result("warning", f"{who}, but its home is the cloud {home}, not {cloud}", fix, details)
    return Result("ok", who, details=details)


def _cloud(identity: Identity) -> str | None:
    """The cloud that presets this authority."""
    return next((cloud for cloud, preset in clouds.PRESETS.items() if preset == identity.authority), None)


def clock(diagnosis: Diagnosis, _: float) -> Result:
    """Compare this machine's clock with the `Date` header of the answer."""
    if diagnosis.answer is None:
        return Result("skipped", "there is no answer with a date")
    try:
        date = parsedate_to_datetime(diagnosis.answer.headers.get("date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return Result("skipped", "the server's answer has no date")
    theirs = (
        date if date.tzinfo else date.replace(tzinfo=UTC)
    ).timestamp() + 0.5  # whole seconds: the mean error is half of one
    off = diagnosis.answered_at - theirs
    if abs(off) < _WARNING:
        return Result("ok", f"within {max(1.0, abs(off)):.0f} s of the server's")
    direction = "ahead of" if off > 0 else "behind"
    details = (f"this machine: {utc(diagnosis.answered_at)}, the server: {utc(theirs)}",)
    summary = f"this machine's clock is {abs(off):.0f} s {direction} the server's"
    fix = "Synchronise this machine's clock (NTP): with a wrong clock, tokens and certificates are refused."
    return Result("failed" if abs(off) >= _ERROR else "warning", summary, fix, details)


def token(diagnosis: Diagnosis, seconds: float) -> Result:
    """Request a token as the application does."""
    target = diagnosis.known_target()
    wanted = [diagnosis.scope, *target.resolved.settings.prefetch, _graph(target.identity)]
    scope = next(filter(None, wanted), None)
    if scope is None:
        return Result("skipped", "no scope is known: run `credconf doctor SCOPE`")
    try:
        with credential_on_demand(_unshared(target.resolved), diagnosis.status_line) as credential:
            expires_on = credential.verify(scope, timeout=seconds).expires_on
    except credconf.ConfigError as error:
        return Result("failed", "a reference can't be read any more", problems=error.problems)
    except credconf.AuthenticationError as error:
        parts = parts_of(error.failure)
        about_scope = error.error_code in _ABOUT_SCOPES and not target.identity.oidc_authority
        hint = scope_hint(scope) if about_scope else None
        details = (*parts.details, *([hint] if hint else []))
        return Result("failed", parts.summary, parts.fix, details)
    return Result("ok", f"for {scope}, valid {lifetime(expires_on - time.time())}")


def _unshared(resolved: credconf.Resolved) -> credconf.Resolved:
    """The configuration without its token cache: it has its own step, and would log here if it can't be used."""
    settings = resolved.settings.model_copy(update={"token_cache": TokenCacheSettings()})
    return replace(resolved, settings=settings)


def _graph(identity: Identity) -> str | None:
    if identity.oidc_authority is not None or _is_adfs(identity):
        return None
    return _GRAPH[_cloud(identity) or "public"]
