"""The step that looks at when the secret or the certificate ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from credconf.entra.proof import Proof
from credconf.ground.expiry import OVER, in_days, stage
from credconf.ground.records import replace

from .steps import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from .steps import Case, Subject

_RENEW = "Make a new one, and put its reference first: `client_secret` may be a list, newest first."


def expiry(case: Case, _: float) -> Finding:
    """Tell when each proof ends, as far as that is known. No program is run."""
    now = time.time()
    known = list(_known(case.known()))
    if not known:
        return Finding("ok", "not known (write `secret_expires_on` to be told ahead)")
    reached = [stage(expires_on, now) for _, expires_on in known]
    texts = [f"{name} {in_days(expires_on, now)}" for name, expires_on in known]
    if all(item is None for item in reached):
        return Finding("ok", texts[0], details=tuple(texts[1:]))
    fix = f"{_RENEW} If that was done, correct the date." if OVER in reached else _RENEW
    return Finding("warning", texts[0], fix, tuple(texts[1:]))


def _known(subject: Subject) -> Iterator[tuple[str, date]]:
    resolved = subject.resolved
    for path, found in resolved.settings.proofs(replace(resolved.reader, runs=False)):
        if isinstance(found, Proof) and found.expires_on is not None:
            yield path, found.expires_on
