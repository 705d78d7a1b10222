"""`credconf doctor`: repeats a token request step by step, and reports what fails.

The steps that need no network are here; those of the network and of the server have modules of their own.
"""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

import credconf
from credconf.assembly import identity_of, transport_of
from credconf.cli.options import Chosen, configuration_options
from credconf.cli.output import JSON, TEXT, echo, echo_json, format_option
from credconf.config.show import references_in
from credconf.entra.proof import OVER, Proof, in_days, stage
from credconf.entra.redaction import Redactor
from credconf.ground.records import replace
from credconf.references import NotFound
from credconf.settings import clouds, formats
from credconf.stores import STORES
from credconf.stores.store import Unavailable, key_of
from credconf.tokens.blueprint import Blueprint, opened_store
from credconf.tokens.requester import Requester

from .network import name_resolution, proxy, tls
from .server import clock, discovery, token
from .steps import Diagnosis, Report, Result, Step, Target, as_data, conclusion, echo_step, run_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from credconf.entra.request import Identity
    from credconf.problems import Problem
    from credconf.stores.store import Store


def configuration(diagnosis: Diagnosis, _: float) -> Result:
    """Load the configuration, read its references, and open its token cache."""
    try:
        diagnosis.target = target = _target(credconf.load(**diagnosis.chosen))
        diagnosis.store = _opened_store(target)
    except credconf.ConfigError as error:
        problems = tuple(_with_origin(problem, diagnosis.target) for problem in error.problems)
    else:
        return _usable(target)
    count = sum(problem.severity == "error" for problem in problems)
    summary = f"it has {count} problems" if count > 1 else "it has a problem"
    return Result("failed", summary, problems=problems)


def _target(resolved: credconf.Resolved) -> Target:
    identity = identity_of(resolved.settings, resolved.reader)
    transport = transport_of(resolved.settings, identity, resolved.surroundings.no_proxy)
    redact = Redactor(identity.passwords(), identity.concealed)
    return Target(resolved, identity, transport, _endpoint(identity), redact)


def _with_origin(problem: Problem, target: Target | None) -> Problem:
    """A problem of the token cache on this machine has no origin: it gets the origin of the setting."""
    if target is None or problem.origin is not None:
        return problem
    return replace(problem, origin=target.resolved.origins.get(f"{problem.path}.kind"))


def _endpoint(identity: Identity) -> str:
    parts = urlsplit(identity.oidc_authority or identity.authority or "")
    host, region = parts.netloc, identity.region
    if region and region not in formats.AUTODETECT and identity.oidc_authority is None and parts.hostname:
        host = clouds.regional_host(parts.hostname, region) + (f":{parts.port}" if parts.port else "")
    return f"https://{host}"


def _usable(target: Target) -> Result:
    settings, identity = target.resolved.settings, target.identity
    tenant = f" of tenant {identity.shown('tenant_id')}" if identity.tenant_id else ""
    entry = f"entry {target.resolved.name}, " if target.resolved.name else ""
    place = "oidc_authority" if identity.oidc_authority else "authority"
    details = [f"kind: {settings.kind} ({target.origin('kind')})"]
    if settings.proof is not None:
        details = [f"{settings.proof}: {_proof(target)}", f"{place}: {identity.shown(place)} ({target.origin(place)})"]
    # The expiry step reports these two.
    warnings = tuple(item for item in target.resolved.warnings if item.code not in {"expires-soon", "expired"})
    client = identity.shown("client_id")
    summary = f"{entry}client {client}{tenant}" if client else f"{entry}{settings.kind}{tenant}"
    return Result("warning" if warnings else "ok", summary, details=tuple(details), problems=warnings)


def asks_entra(target: Target | None) -> bool:
    """Whether Entra is asked for the token, and no service, proxy or program in its place."""
    if target is None:
        return True
    resolved = target.resolved
    in_place = resolved.settings.instead_of_entra(resolved.reader, target.transport)
    return resolved.settings.proof is not None and in_place is None


def has_expiry(target: Target | None) -> bool:
    """Whether the proof ends on a day that may be known."""
    return target is None or (asks_entra(target) and target.resolved.settings.inspected is None)


def inspects(what: str) -> Callable[[Target | None], bool]:
    """Return whether the kind of a configuration depends on something: an assertion, or an identity endpoint."""
    return lambda target: target is not None and target.resolved.settings.inspected == what


def inspection(diagnosis: Diagnosis, _: float) -> Result:
    """Look at what the token depends on besides Entra."""
    target = diagnosis.known_target()
    requester = Requester(_plan(target))
    try:
        found = requester.inspect()
    finally:
        requester.close()
    if isinstance(found, NotFound):
        return Result("failed", found.message, found.hint)
    return Result("ok", found.summary, details=found.details)


def _proof(target: Target) -> str:
    """The references of the proof, and their origin."""
    settings = target.resolved.settings
    origin = target.origin(settings.proof or "kind")
    found = references_in(getattr(settings, settings.proof or "", ()))
    texts = [f"{{{key}: {name}}}" for reference in found for key, name in reference.items()]
    return f"{', '.join(texts)} ({origin})" if texts else origin


def expiry(diagnosis: Diagnosis, _: float) -> Result:
    """Report the known expiry dates of the proofs. It runs no program."""
    now = time.time()
    kind = type(diagnosis.known_target().resolved.settings)
    known = list(_expiry_dates(diagnosis.known_target()))
    if not known:
        return Result("ok", f"unknown (set `{kind.ends_by}` to get warnings before)" if kind.ends_by else "unknown")
    reached = [stage(expires_on, now) for _, expires_on in known]
    texts = [f"{name} {in_days(expires_on, now)}" for name, expires_on in known]
    if all(item is None for item in reached):
        return Result("ok", texts[0], details=tuple(texts[1:]))
    fix = kind.renewal
    if OVER in reached and kind.ends_by:
        fix += " If you have done that, correct the date."
    return Result("warning", texts[0], fix, tuple(texts[1:]))


def _expiry_dates(target: Target) -> Iterator[tuple[str, date]]:
    resolved = target.resolved
    for path, found in resolved.settings.proofs(replace(resolved.reader, runs=False)):
        if isinstance(found, Proof) and found.expires_on is not None:
            yield path, found.expires_on


def _opened_store(target: Target) -> Store | None:
    """The shared token cache, opened as `from_config()` opens it; `None` without one.

    Raises:
        ConfigError: it can't be used on this machine.
    """
    plan = _plan(target)
    return opened_store(plan, Requester(plan))


def _plan(target: Target) -> Blueprint:
    resolved = target.resolved
    around = resolved.surroundings
    return Blueprint(resolved.settings, target.identity, resolved.reader, target.transport, surroundings=around)


def token_cache(diagnosis: Diagnosis, _: float) -> Result:
    """Read from the shared token cache, and take and release a lock, which writes to it. No entry remains."""
    store, target = diagnosis.store, diagnosis.known_target()
    if store is None:
        return Result("ok", "in the memory of each process")
    identity = target.identity
    place = identity.oidc_authority or identity.authority or ""
    key = key_of(place, identity.tenant_id, identity.client_id, ("credconf doctor",), cae=False)
    try:
        store.get(key)
        lock = store.lock(key)
        if lock is not None:
            lock.release()
    except Unavailable as exc:
        reason = str(exc)
    else:
        return Result("ok", f"{store.label} can be read and written")
    finally:
        store.close()
    fix = STORES[target.resolved.settings.token_cache.kind].repair
    details = ("Without it, each process requests its own tokens.",)
    return Result("warning", target.redact(f"{store.label} can't be used: {reason}"), fix, details)


_PATH = ("configuration", "name resolution", "proxy", "TLS")
STEPS = (
    Step("configuration", "reading the configuration", configuration, 30.0),
    Step("expiry", "reading the expiry dates", expiry, 5.0, _PATH[:1], has_expiry),
    Step("assertion", "reading the assertion", inspection, 30.0, _PATH[:1], inspects("assertion")),
    Step(
        "identity endpoint", "asking the identity endpoint", inspection, 30.0, _PATH[:1], inspects("identity endpoint")
    ),
    Step("token cache", "testing the token cache", token_cache, 10.0, _PATH[:1]),
    Step("name resolution", "resolving the name for {host}", name_resolution, 5.0, _PATH[:1], asks_entra),
    Step("proxy", "connecting to {host} through the proxy", proxy, 10.0, _PATH[:2], asks_entra),
    Step("TLS", "connecting to {host}", tls, 10.0, _PATH[:3], asks_entra),
    Step("discovery", "asking {host} about the tenant", discovery, 10.0, _PATH, asks_entra),
    Step("clock", "comparing the clocks", clock, 1.0, _PATH, asks_entra),
    Step("token", "asking {host} for a token", token, 30.0, (*_PATH, "assertion", "identity endpoint", "discovery")),
)
"""The steps, in order."""


def diagnose(diagnosis: Diagnosis, timeout: float) -> Iterator[Report]:
    """Run each step, within `timeout` seconds in total. A step whose prerequisite failed is skipped."""
    end = time.monotonic() + timeout
    failed: set[str] = set()
    for step in STEPS:
        if not step.applies(diagnosis.target):
            continue
        left = end - time.monotonic()
        cause = next((name for name in step.needs if name in failed), None)
        if cause is not None:
            yield Report(step, Result("skipped", f"it depends on a failed step: {cause}"), 0.0)
        elif left <= 0:
            yield Report(step, Result("skipped", f"the {timeout:g} s of --timeout are used up"), 0.0)
        else:
            report = run_step(step, diagnosis, left)
            if report.result.status == "failed":
                failed.add(step.name)
            yield report


def _finite(_: click.Context, __: click.Parameter, seconds: float) -> float:
    if not math.isfinite(seconds):  # click's range accepts NaN
        raise click.BadParameter("it must be a number of seconds")
    return seconds


@click.command()
@click.argument("scope", required=False)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=3600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    callback=_finite,
    help="The limit for all steps together.",
)
@format_option(TEXT, JSON)
@configuration_options
def doctor(scope: str | None, timeout: float, form: str, chosen: Chosen) -> None:
    """Repeat a token request step by step, and report what fails.

    The steps: configuration, expiry, assertion, identity endpoint, token cache, name resolution, proxy, TLS, discovery,
    clock, token. Steps that do not concern the kind of credential are left out. The last step requests a token for
    SCOPE; without SCOPE, for the first scope of `prefetch`, else for the Microsoft Graph of the
    cloud. credconf prints no secret and no token.

    Exit status: 1 if a step failed.
    """
    reports = []
    for report in diagnose(Diagnosis(chosen, scope, shows=form == TEXT), timeout):
        reports.append(report)
        if form == TEXT:
            echo_step(report)
    if form == JSON:
        echo_json(as_data(reports))
    else:
        echo(f"\n{conclusion(reports)}")
    sys.exit(int(any(report.result.status == "failed" for report in reports)))
