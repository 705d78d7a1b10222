"""What the commands that ask Entra share: a credential that asks only when told, and what a failure says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import credconf
from credconf.ground.records import record, replace
from credconf.problems.aadsts import explain

from .waiting import telling

if TYPE_CHECKING:
    from credconf.errors import Failure

    from .waiting import Waiting

_DEFAULT = "/.default"


def on_demand(resolved: credconf.Resolved, waiting: Waiting) -> credconf.Credential:
    """A credential that fetches nothing in advance, and shares no token with another one.

    Args:
        resolved: the configuration.
        waiting: shows the commands that the configuration runs.

    Raises:
        ConfigError: a reference can't be read any more.
    """
    settings = resolved.settings.model_copy(update={"prefetch": ()})
    return credconf.build(replace(resolved, settings=settings, reader=telling(resolved.reader, waiting)))


@record
class Told:
    """A failure in parts.

    Attributes:
        summary: what happened, to whom.
        fix: what to do, if that is known.
        details: the server's own words, identifiers for support.
    """

    summary: str
    fix: str | None
    details: tuple[str, ...]


def told(failure: Failure) -> Told:
    """The parts of a failure's message: the first line, what its AADSTS code or sort asks for, and the rest."""
    summary, *rest = failure.message.splitlines()
    known = explain(failure.codes[0]) if failure.codes else None
    if known is None and rest and not rest[0].startswith(("The server said: ", "Correlation id: ")):
        known = rest[0]
    return Told(summary, known, tuple(line for line in rest if line != known))


def scope_hint(scope: str) -> str | None:
    """What to ask for instead of a scope that no service principal gets from Entra; `None` where it may be right."""
    if scope.endswith(_DEFAULT):
        return None
    try:
        parts = urlsplit(scope)
    except ValueError:
        parts = urlsplit("")
    resource = f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else "RESOURCE"
    return f"a service principal asks for all that it was granted: {resource}{_DEFAULT}"
