"""What a step finds, what the steps learn from each other, and time that is bounded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

from credconf.cli.waiting import Waiting
from credconf.ground import workers
from credconf.ground.records import field, mutable_record, record

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    import credconf
    from credconf.cli.options import Chosen
    from credconf.entra.http import Response, TransportOptions
    from credconf.entra.identity import Identity
    from credconf.problems import Problem
    from credconf.stores.store import Store

T = TypeVar("T")
Result = Literal["ok", "warning", "failed", "skipped"]

GRACE = 0.25
"""Seconds by which a step may overrun, so that what waits inside it says itself what it waited for."""


@record
class Finding:
    """What a step found.

    Attributes:
        result: `failed` is for what keeps the application from its token, or will soon.
        summary: one sentence.
        fix: what to do.
        details: sentences more.
        problems: of the configuration.
    """

    result: Result
    summary: str
    fix: str | None = None
    details: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@record
class Subject:
    """The configuration under examination, as the application would use it.

    Attributes:
        resolved: what `load()` gave.
        identity: its texts; some may not be shown.
        transport: how requests are sent.
        endpoint: `https://HOST[:PORT]` that the token request goes to, a region's own host included.
        redact: makes a foreign text printable, without what may not be shown.
    """

    resolved: credconf.Resolved
    identity: Identity
    transport: TransportOptions
    endpoint: str
    redact: Callable[[str], str]

    @property
    def host(self) -> str:
        """Of the endpoint, as it may be shown."""
        return self.redact(urlsplit(self.endpoint).netloc)

    def origin(self, path: str) -> str:
        """Where a setting came from."""
        return str(self.resolved.origins[path])


@mutable_record
class Case:
    """What is asked, and what later steps need of earlier ones.

    Attributes:
        chosen: which configuration.
        scope: to ask a token for; `None` for one that suits.
        shows: whether it is shown what is waited for.
        waiting: shows it, while a step is taken.
        subject: known after the first step.
        backend: where tokens are shared, if they are; opened in the first step, closed in its own.
        tunnel: through a proxy, open for the TLS of the next step.
        answer: of the server, whatever its status.
        answered_at: between question and answer, by this machine's clock, in seconds of Unix time.
    """

    chosen: Chosen
    scope: str | None
    shows: bool = False
    waiting: Waiting = field(default_factory=lambda: Waiting("", shows=False), repr=False)
    subject: Subject | None = None
    backend: Store | None = field(default=None, repr=False)
    tunnel: socket.socket | None = field(default=None, repr=False)
    answer: Response | None = None
    answered_at: float = 0.0

    def known(self) -> Subject:
        """The configuration, in a step that needs it."""
        assert self.subject is not None
        return self.subject


@record
class Step:
    """One step.

    Attributes:
        name: for people.
        doing: what is waited for; `{host}` is the server's.
        examine: does it, within a number of seconds that it is told.
        seconds: at most.
        needs: the steps without which it can't work.
    """

    name: str
    doing: str
    examine: Callable[[Case, float], Finding]
    seconds: float
    needs: tuple[str, ...] = ()


@record
class Done:
    """A step that was taken, or skipped."""

    step: Step
    finding: Finding
    seconds: float


def bounded(work: Callable[[], T], seconds: float) -> T | type[BaseException] | None:
    """The outcome of work on its own thread, which is left behind if it takes too long.

    Returns:
        The outcome; `None` if there is none in time; the type of an exception, since its frames may hold a secret.
    """
    try:
        return workers.bounded(workers.Workers(1, "credconf-doctor", idle=0.0), work, seconds)
    except workers.TooLong:
        return None
    except Exception as exc:  # noqa: BLE001 - a bug of a step is a finding
        return type(exc)


def take(step: Step, case: Case, seconds: float) -> Done:
    """Take a step within a number of seconds."""
    start = time.monotonic()
    limit = min(step.seconds, seconds)
    with Waiting(step.doing.format(host=case.subject and case.subject.host), shows=case.shows) as case.waiting:
        found = bounded(lambda: step.examine(case, limit), limit + GRACE)
    if found is None:
        found = Finding(
            "failed", f"there was no answer within {limit:.3g} s", "Look at the network, or raise --timeout."
        )
    elif isinstance(found, type):
        found = Finding("failed", f"the doctor failed with {found.__name__}, which is a bug in credconf", "Report it.")
    return Done(step, found, time.monotonic() - start)
