"""`credconf token`: acquires one token, as an application does, and shows its claims."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import click
import jwt
from click.core import ParameterSource

import credconf
from credconf.ground.records import field, record
from credconf.problems import as_dicts, printable
from credconf.problems.wording import harmless

from .acquisition import StatusLine, credential_on_demand, parts_of, scope_hint
from .options import Chosen, configuration_options
from .output import JSON, TEXT, echo, echo_json, echo_problems, format_option, iso, lifetime, utc, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azure.core.credentials import AccessTokenInfo, TokenRequestOptions

Format = Literal["text", "json", "raw"]

_EXAMPLES = """\b
Examples:
  credconf token https://graph.microsoft.com/.default
  curl -H "Authorization: Bearer $(credconf token --raw SCOPE)" URL
"""
_WIDTH = 18
_TIMES = frozenset({"exp", "nbf", "iat", "auth_time", "xms_tcdt"})
_READABLE = (
    *("aud", "iss", "tid", "appid", "azp", "app_displayname", "oid", "idtyp"),
    *("roles", "scp", "wids", "groups", "xms_cc"),
    *("iat", "nbf", "exp", "ver"),
)
"""The claims about identity, permissions and validity, in the order of the output."""


@record
class Acquired:
    """A token with its request.

    Attributes:
        info: the token and its times.
        who: the identity, as `describe()` shows it.
        scopes: the scopes of the request.
        resolved: the configuration.
        hints: advice about the scopes.
    """

    info: AccessTokenInfo = field(repr=False)
    who: Mapping[str, Any]
    scopes: Sequence[str]
    resolved: credconf.Resolved
    hints: Sequence[str]


@click.command(epilog=_EXAMPLES)
@click.argument("scopes", nargs=-1, required=True, metavar="SCOPE...")
@click.option("--tenant", metavar="TENANT", help="Request the token from another tenant that the configuration allows.")
@click.option("--raw", is_flag=True, help="Print only the token, for $(...). It is a secret.")
@format_option(TEXT, JSON)
@configuration_options
@click.pass_context
def token(
    context: click.Context, scopes: tuple[str, ...], tenant: str | None, form: Format, chosen: Chosen, *, raw: bool
) -> None:
    """Acquire one token, and show its identity and claims.

    credconf prints the token itself only with --raw. It does not check the signature: only the token's audience can.
    """
    if raw and context.get_parameter_source("form") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--raw and --format exclude each other")
    how: Format = "raw" if raw else form
    try:
        acquired = _acquire(scopes, tenant, credconf.load(**chosen), how)
    except credconf.ConfigError as error:
        _show_problems(error, how)
    except credconf.AuthenticationError as error:
        _show_failure(error.failure, how)
    else:
        {"raw": _show_raw, "json": _show_json, "text": _show_text}[how](acquired)
        return
    sys.exit(1)


def _acquire(scopes: Sequence[str], tenant: str | None, resolved: credconf.Resolved, how: Format) -> Acquired:
    """Acquire the token. Warnings are printed first, because Entra may take long to answer."""
    hints = (
        []
        if getattr(resolved.settings, "oidc_authority", None)
        else list(dict.fromkeys(filter(None, map(scope_hint, scopes))))
    )
    if how != JSON:
        if resolved.warnings:
            echo_problems(resolved.warnings, err=True)
        for hint in hints:
            echo(wrapped(f"hint: {printable(hint)}"), err=True)
    options: TokenRequestOptions = {"tenant_id": tenant} if tenant is not None else {}
    status = StatusLine(f"asking {_host(resolved)}", shows=how == TEXT)
    try:
        with status, credential_on_demand(resolved, status) as credential:
            info, who = credential.get_token_info(*scopes, options=options), credential.describe()
    except credconf.ConfigError:
        raise
    except ValueError as error:  # a tenant that is not valid; the text does not quote it
        message = str(error)
    else:
        return Acquired(info, {**who, "tenant_id": tenant or who["tenant_id"]}, scopes, resolved, hints)
    raise click.UsageError(message)


def _host(resolved: credconf.Resolved) -> str:
    """The host of the server. A reference is not read for it."""
    settings = resolved.settings
    address = getattr(settings, "oidc_authority", None) or getattr(settings, "authority", None)
    return urlsplit(address).netloc if isinstance(address, str) else "the server"


def _show_problems(error: credconf.ConfigError, how: Format) -> None:
    if how == JSON:
        echo_json({"ok": False, "problems": as_dicts(error.problems)})
    else:
        echo_problems(error.problems, err=True)


def _show_failure(failure: credconf.errors.Failure, how: Format) -> None:
    if how == JSON:
        echo_json({"ok": False, "error": _failure_json(failure)})
        return
    parts = parts_of(failure)
    echo(wrapped(printable(parts.summary), first="error: ", rest="  "), err=True)
    if parts.fix:
        echo(wrapped(printable(parts.fix), first="  ", rest="  "), err=True)
    for line in parts.details:
        echo(wrapped(printable(line), first="  ", rest="    "), err=True)


def _failure_json(failure: credconf.errors.Failure) -> dict[str, Any]:
    parts = parts_of(failure)
    return {
        "error": failure.error,
        "aadsts": [f"AADSTS{code}" for code in failure.codes],
        "message": parts.summary,
        "fix": parts.fix,
        "details": list(parts.details),
        "correlation_id": failure.correlation_id,
        "trace_id": failure.trace_id,
        "timestamp": failure.timestamp,
        "status_code": failure.status_code,
        "retry_after": failure.retry_after,
    }


def _show_raw(acquired: Acquired) -> None:
    text = acquired.info.token
    if harmless(text) != text:
        echo("error: the token is a command for the runner of a CI job", err=True)
        sys.exit(1)
    click.echo(text)


def _show_json(acquired: Acquired) -> None:
    info = acquired.info
    shown = {
        "ok": True,
        **acquired.who,
        "scopes": list(acquired.scopes),
        "token_type": info.token_type,
        "expires_on": info.expires_on,
        "expires_at": iso(info.expires_on),
        "refresh_on": info.refresh_on,
        "claims": claims_of(info.token),
        "signature_checked": False,
        "hints": list(acquired.hints),
        "problems": as_dicts(acquired.resolved.warnings),
    }
    echo_json(shown)


def _show_text(acquired: Acquired) -> None:
    info, who = acquired.info, acquired.who
    entry = f", entry {who['name']}" if who["name"] else ""
    _row("client", f"{who['client_id'] or 'no id'} ({who['kind']}{entry})")
    for label, name in (("tenant", "tenant_id"), ("authority", "authority"), ("server", "oidc_authority")):
        if who[name] is not None:
            _row(label, who[name])
    _row("scopes", " ".join(acquired.scopes))
    _row("valid until", f"{utc(info.expires_on) or info.expires_on}, {lifetime(info.expires_on - time.time())}")
    _show_claims(claims_of(info.token), entra=who["oidc_authority"] is None)


def _show_claims(claims: Mapping[str, Any] | None, *, entra: bool) -> None:
    if claims is None:
        echo("\nThe token is opaque: only its audience can read it.")
        return
    echo("\nThe token's claims (the signature is not checked):")
    shown = [claim for claim in _READABLE if claim in claims]
    for claim in shown:
        _row(claim, readable(claim, claims[claim]), first="  ")
    if entra and "roles" not in claims and "scp" not in claims:
        _row("roles", "(none: no app role of this API was granted to the application)", first="  ")
    if others := len(claims) - len(shown):
        echo(f"  and {others} more: --format json shows all")


def _row(label: str, text: str, first: str = "") -> None:
    echo(wrapped(printable(text), first=first + label.ljust(_WIDTH - len(first)), rest=" " * _WIDTH))


# Claims. Nothing here checks the signature: only the token's audience can.


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims, with the signature unchecked; `None` if the token is opaque to clients (encrypted, or no JWT)."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        # Python reads and writes NaN and Infinity, which are not JSON.
        return json.loads(json.dumps(claims), parse_constant=str)  # type: ignore[no-any-return]
    except (jwt.InvalidTokenError, ValueError, RecursionError, TypeError, AttributeError):
        return None  # the server may send any text as a token


def readable(claim: str, value: object) -> str:
    """A claim's value as text: times as UTC, lists without brackets, anything else as JSON."""
    if claim in _TIMES and isinstance(value, int | float):
        return utc(value) or str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "(none)"
    return json.dumps(value)
