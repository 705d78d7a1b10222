"""The first step: the configuration, as `load()` sees it, and the host that it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import credconf
from credconf.assembly import identity_of, transport_of
from credconf.config.show import references_in
from credconf.entra.redaction import Redactor
from credconf.ground.records import replace
from credconf.settings import clouds, formats

from .steps import Finding, Subject
from .token_cache import opened

if TYPE_CHECKING:
    from credconf.entra.identity import Identity
    from credconf.problems import Problem

    from .steps import Case


def configuration(case: Case, _: float) -> Finding:
    """Load it, and read what it refers to."""
    try:
        case.subject = subject = _subject(credconf.load(**case.chosen))
        case.backend = opened(subject)
    except credconf.ConfigError as error:
        problems = tuple(_placed(problem, case.subject) for problem in error.problems)
    else:
        return _good(subject)
    count = sum(problem.severity == "error" for problem in problems)
    summary = f"it has {count} problems" if count > 1 else "it has a problem"
    return Finding("failed", summary, problems=problems)


def _subject(resolved: credconf.Resolved) -> Subject:
    identity = identity_of(resolved.settings, resolved.reader)
    transport = transport_of(resolved.settings, identity, resolved.surroundings.no_proxy)
    redact = Redactor(identity.passwords(), identity.concealed)
    return Subject(resolved, identity, transport, _endpoint(identity), redact)


def _placed(problem: Problem, subject: Subject | None) -> Problem:
    """What only this machine says of the token cache stands nowhere; who asked for that cache does."""
    if subject is None or problem.origin is not None:
        return problem
    return replace(problem, origin=subject.resolved.origins.get(f"{problem.path}.kind"))


def _endpoint(identity: Identity) -> str:
    parts = urlsplit(identity.oidc_authority or identity.authority or "")
    host, region = parts.netloc, identity.region
    if region and region not in formats.AUTODETECT and identity.oidc_authority is None and parts.hostname:
        host = clouds.regional_host(parts.hostname, region) + (f":{parts.port}" if parts.port else "")
    return f"https://{host}"


def _proof(subject: Subject) -> str:
    """What the secret or certificate is read from, and who says so."""
    settings = subject.resolved.settings
    origin = subject.origin(settings.proof)
    found = references_in(getattr(settings, settings.proof))
    texts = [f"{{{key}: {name}}}" for reference in found for key, name in reference.items()]
    return f"{', '.join(texts)} ({origin})" if texts else origin


def _good(subject: Subject) -> Finding:
    settings, identity = subject.resolved.settings, subject.identity
    tenant = f" of tenant {identity.shown('tenant_id')}" if identity.tenant_id else ""
    entry = f"entry {subject.resolved.name}, " if subject.resolved.name else ""
    place = "oidc_authority" if identity.oidc_authority else "authority"
    details = (
        f"{settings.proof}: {_proof(subject)}",
        f"{place}: {identity.shown(place)} ({subject.origin(place)})",
    )
    # The next step tells of these.
    warnings = tuple(item for item in subject.resolved.warnings if item.code not in {"expires-soon", "expired"})
    summary = f"{entry}client {identity.shown('client_id')}{tenant}"
    return Finding("warning" if warnings else "ok", summary, details=details, problems=warnings)
