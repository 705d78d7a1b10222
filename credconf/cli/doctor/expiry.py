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


def expiry(case: Case, _: float) -> Finding:
    """Tell when each proof ends, as far as that is known. No program is run."""
    now = time.time()
    kind = type(case.known().resolved.settings)
    known = list(_known(case.known()))
    if not known:
        return Finding("ok", f"not known (write `{kind.ends_by}` to be told ahead)" if kind.ends_by else "not known")
    reached = [stage(expires_on, now) for _, expires_on in known]
    texts = [f"{name} {in_days(expires_on, now)}" for name, expires_on in known]
    if all(item is None for item in reached):
        return Finding("ok", texts[0], details=tuple(texts[1:]))
    fix = f"{kind.renewal} If that was done, correct the date." if OVER in reached and kind.ends_by else kind.renewal
    return Finding("warning", texts[0], fix, tuple(texts[1:]))


def _known(subject: Subject) -> Iterator[tuple[str, date]]:
    resolved = subject.resolved
    for path, found in resolved.settings.proofs(replace(resolved.reader, runs=False)):
        if isinstance(found, Proof) and found.expires_on is not None:
            yield path, found.expires_on
