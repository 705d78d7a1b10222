"""`credconf token`: one token, as an application would get it, and what it says."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

import credconf
from credconf.ground.records import field, record
from credconf.problems import as_dicts
from credconf.problems.printable import harmless, printable

from .acquiring import on_demand, scope_hint, told
from .claims import READABLE, claims_of, iso, life, readable, utc
from .options import Chosen, configuration_options
from .report import JSON, TEXT, format_option, show_json
from .terminal import say, say_problems, wrapped
from .waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from azure.core.credentials import AccessTokenInfo, TokenRequestOptions

Form = Literal["text", "json", "raw"]

_EXAMPLES = """\b
Examples:
  credconf token https://graph.microsoft.com/.default
  curl -H "Authorization: Bearer $(credconf token --raw SCOPE)" URL
"""
_WIDTH = 18


@record
class Acquired:
    """A token with what it was asked for.

    Attributes:
        info: the token and its times.
        who: as `describe()` shows the identity.
        scopes: that were asked for.
        resolved: the configuration.
        hints: about the scopes.
    """

    info: AccessTokenInfo = field(repr=False)
    who: Mapping[str, Any]
    scopes: Sequence[str]
    resolved: credconf.Resolved
    hints: Sequence[str]


@click.command(epilog=_EXAMPLES)
@click.argument("scopes", nargs=-1, required=True, metavar="SCOPE...")
@click.option("--tenant", metavar="TENANT", help="Another tenant that the configuration allows.")
@click.option("--raw", is_flag=True, help="Print the token and nothing else, for $(...). It is a secret.")
@format_option(TEXT, JSON)
@configuration_options
@click.pass_context
def token(
    context: click.Context, scopes: tuple[str, ...], tenant: str | None, form: Form, chosen: Chosen, *, raw: bool
) -> None:
    """Acquire one token, and show whose it is and what it says.

    The token itself is shown only with --raw. Its signature is not checked: only its audience can do that.
    """
    if raw and context.get_parameter_source("form") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--raw and --format exclude each other")
    how: Form = "raw" if raw else form
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


def _acquire(scopes: Sequence[str], tenant: str | None, resolved: credconf.Resolved, how: Form) -> Acquired:
    """The token; what is probably wrong is said first, because waiting for Entra may take long."""
    hints = [] if resolved.settings.oidc_authority else list(dict.fromkeys(filter(None, map(scope_hint, scopes))))
    if how != JSON:
        if resolved.warnings:
            say_problems(resolved.warnings, err=True)
        for hint in hints:
            say(wrapped(f"hint: {printable(hint)}"), err=True)
    options: TokenRequestOptions = {"tenant_id": tenant} if tenant is not None else {}
    asking = Waiting(f"asking {_host(resolved)}", shows=how == TEXT)
    try:
        with asking as waiting, on_demand(resolved, waiting) as credential:
            info, who = credential.get_token_info(*scopes, options=options), credential.describe()
    except credconf.ConfigError:
        raise
    except ValueError as error:  # a tenant that can't be one; the text does not quote it
        message = str(error)
    else:
        return Acquired(info, {**who, "tenant_id": tenant or who["tenant_id"]}, scopes, resolved, hints)
    raise click.UsageError(message)


def _host(resolved: credconf.Resolved) -> str:
    """Of the server; what a reference names is not read for that."""
    address = resolved.settings.oidc_authority or resolved.settings.authority
    return urlsplit(address).netloc if isinstance(address, str) else "the server"


def _show_problems(error: credconf.ConfigError, how: Form) -> None:
    if how == JSON:
        show_json({"ok": False, "problems": as_dicts(error.problems)})
    else:
        say_problems(error.problems, err=True)


def _show_failure(failure: credconf.errors.Failure, how: Form) -> None:
    if how == JSON:
        show_json({"ok": False, "error": _failure_json(failure)})
        return
    parts = told(failure)
    say(wrapped(printable(parts.summary), first="error: ", rest="  "), err=True)
    if parts.fix:
        say(wrapped(printable(parts.fix), first="  ", rest="  "), err=True)
    for line in parts.details:
        say(wrapped(printable(line), first="  ", rest="    "), err=True)


def _failure_json(failure: credconf.errors.Failure) -> dict[str, Any]:
    parts = told(failure)
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
        say("error: the token is a command for the runner of a CI job", err=True)
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
    show_json(shown)


def _show_text(acquired: Acquired) -> None:
    info, who = acquired.info, acquired.who
    entry = f", entry {who['name']}" if who["name"] else ""
    _row("client", f"{who['client_id']} ({who['kind']}{entry})")
    for label, name in (("tenant", "tenant_id"), ("authority", "authority"), ("server", "oidc_authority")):
        if who[name] is not None:
            _row(label, who[name])
    _row("scopes", " ".join(acquired.scopes))
    _row("valid until", f"{utc(info.expires_on) or info.expires_on}, {life(info.expires_on - time.time())}")
    _show_claims(claims_of(info.token), entra=who["oidc_authority"] is None)


def _show_claims(claims: Mapping[str, Any] | None, *, entra: bool) -> None:
    if claims is None:
        say("\nThe token is opaque: only the API that it is for can read it.")
        return
    say("\nWhat the token says (its signature is not checked):")
    shown = [claim for claim in READABLE if claim in claims]
    for claim in shown:
        _row(claim, readable(claim, claims[claim]), first="  ")
    if entra and "roles" not in claims and "scp" not in claims:
        _row("roles", "(none: no app role of this API was granted to the application)", first="  ")
    if others := len(claims) - len(shown):
        say(f"  and {others} more: --format json shows all")


def _row(label: str, text: str, first: str = "") -> None:
    say(wrapped(printable(text), first=first + label.ljust(_WIDTH - len(first)), rest=" " * _WIDTH))
