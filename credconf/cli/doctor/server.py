"""What the server says: its discovery document, its clock, and at last a token."""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import credconf
from credconf.cli.acquiring import on_demand, scope_hint, told
from credconf.cli.claims import life, utc
from credconf.entra.http import TransportFailure
from credconf.entra.messages import parsed
from credconf.entra.sending import REMEDIES
from credconf.entra.transport import Transport
from credconf.ground.records import replace
from credconf.problems.aadsts import codes_in, explain
from credconf.settings import clouds
from credconf.stores import TokenCacheSettings

from .steps import Finding

if TYPE_CHECKING:
    from credconf.entra.http import Response
    from credconf.entra.identity import Identity

    from .steps import Case, Subject

_OK = 200
_SERVER_ERRORS = 500
_WARNING, _ERROR = 60.0, 300.0  # seconds; Entra refuses assertions that are five minutes off
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


def discovery(case: Case, seconds: float) -> Finding:
    """Ask for the OpenID document of the tenant."""
    subject = case.known()
    http = Transport(subject.transport)
    asked_at = time.time()
    try:
        answer = http.get(_document(subject.identity), deadline=time.monotonic() + seconds, attempts=1)
    except TransportFailure as exc:
        failure = exc
    else:
        case.answer, case.answered_at = answer, (asked_at + time.time()) / 2
        return _judged(answer, subject)
    finally:
        http.close()
    return Finding("failed", subject.redact(failure.message), REMEDIES.get(failure.reason))


def _document(identity: Identity) -> str:
    if identity.oidc_authority is not None:
        return f"{identity.oidc_authority}/.well-known/openid-configuration"
    version = "" if _is_adfs(identity) else "/v2.0"
    return f"{identity.authority}/{identity.tenant_id}{version}/.well-known/openid-configuration"


def _is_adfs(identity: Identity) -> bool:
    return (identity.tenant_id or "").lower() == clouds.ADFS


def _judged(answer: Response, subject: Subject) -> Finding:
    payload = parsed(answer.text)
    document = payload if isinstance(payload, dict) else {}
    if answer.status_code == _OK and isinstance(document.get("token_endpoint"), str):
        return _described(document, subject)
    said = str(document.get("error_description") or document.get("error") or "")
    code = next(iter(codes_in(said)), None)
    details = (f"The server said: {subject.redact(said)}",) if said else ()
    if code in _NO_SUCH_TENANT:
        tenant = subject.identity.shown("tenant_id")
        return Finding("failed", f"there is no tenant {tenant} here (AADSTS{code})", explain(code), details)
    status = f"HTTP status {answer.status_code}"
    if answer.status_code < 400:  # noqa: PLR2004 - the first status that is an error
        check = "Something else answers there, such as a portal to log in to: check `authority` and the proxy."
        return Finding("failed", f"the answer is not an OpenID document ({status})", check)
    fix = explain(code) if code else None
    if answer.status_code >= _SERVER_ERRORS:
        fix = fix or "Try again; if it lasts, look at the status page of Azure."
    if subject.identity.oidc_authority or _is_adfs(subject.identity):
        return Finding(
            "failed",
            f"there is no OpenID document ({status})",
            fix or "Check `authority` or `oidc_authority`.",
            details,
        )
    return Finding("warning", f"there is no OpenID document, which credconf can do without ({status})", fix, details)


def _described(document: dict[str, Any], subject: Subject) -> Finding:
    """The tenant exists; whether it lives where it is looked for."""
    identity = subject.identity
    who = f"tenant {identity.shown('tenant_id')} exists" if identity.tenant_id else "the server has an OpenID document"
    names = {"region": "tenant_region_scope", "sub-scope": "tenant_region_sub_scope", "cloud": "cloud_instance_name"}
    known = {label: document[name] for label, name in names.items() if isinstance(document.get(name), str)}
    details = (subject.redact(", ".join(f"{label} {text}" for label, text in known.items())),) if known else ()
    home, cloud = _CLOUDS.get(str(known.get("cloud"))), _cloud(identity)
    if home is not None and cloud is not None and home != cloud:
        fix = f"Set `cloud: {home}`, unless you reach into that tenant from here on purpose."
        return Finding("warning", f"{who}, but it lives in the cloud {home}, not in {cloud}", fix, details)
    return Finding("ok", who, details=details)


def _cloud(identity: Identity) -> str | None:
    """The cloud whose preset the authority is."""
    return next((cloud for cloud, preset in clouds.PRESETS.items() if preset == identity.authority), None)


def clock(case: Case, _: float) -> Finding:
    """Compare this machine's clock with the `Date` of the answer."""
    if case.answer is None:
        return Finding("skipped", "no answer came that tells the time")
    try:
        date = parsedate_to_datetime(case.answer.headers.get("date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return Finding("skipped", "the server's answer does not tell the time")
    theirs = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() + 0.5  # it has whole seconds
    off = case.answered_at - theirs
    if abs(off) < _WARNING:
        return Finding("ok", f"within {max(1.0, abs(off)):.0f} s of the server's")
    direction = "ahead of" if off > 0 else "behind"
    details = (f"this machine says {utc(case.answered_at)}, the server says {utc(theirs)}",)
    summary = f"this machine's clock is {abs(off):.0f} s {direction} the server's"
    fix = "Synchronise this machine's clock (NTP): tokens seem too old or too new, and certificates are refused."
    return Finding("failed" if abs(off) >= _ERROR else "warning", summary, fix, details)


def token(case: Case, seconds: float) -> Finding:
    """Ask for a token, as the application would."""
    subject = case.known()
    wanted = [case.scope, *subject.resolved.settings.prefetch, _graph(subject.identity)]
    scope = next(filter(None, wanted), None)
    if scope is None:
        return Finding("skipped", "nobody said for what: run `credconf doctor SCOPE`")
    try:
        with on_demand(_alone(subject.resolved), case.waiting) as credential:
            expires_on = credential.verify(scope, timeout=seconds).expires_on
    except credconf.ConfigError as error:
        return Finding("failed", "a reference can't be read any more", problems=error.problems)
    except credconf.AuthenticationError as error:
        parts = told(error.failure)
        about_scope = error.error_code in _ABOUT_SCOPES and not subject.identity.oidc_authority
        hint = scope_hint(scope) if about_scope else None
        details = (*parts.details, *([hint] if hint else []))
        return Finding("failed", parts.summary, parts.fix, details)
    return Finding("ok", f"for {scope}, valid {life(expires_on - time.time())}")


def _alone(resolved: credconf.Resolved) -> credconf.Resolved:
    """Without the token cache, which had a step of its own, and would log here that it can't be used."""
    settings = resolved.settings.model_copy(update={"token_cache": TokenCacheSettings()})
    return replace(resolved, settings=settings)


def _graph(identity: Identity) -> str | None:
    if identity.oidc_authority is not None or _is_adfs(identity):
        return None
    return _GRAPH[_cloud(identity) or "public"]
