"""The steps of `credconf doctor`: their execution in bounded time, and the output of their results."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

import click

from credconf.cli.acquisition import StatusLine
from credconf.cli.output import amount, echo, echo_problems, wrapped
from credconf.ground import workers
from credconf.ground.records import field, mutable_record, record
from credconf.ground.third_parties import despite_warnings
from credconf.problems import as_dicts, printable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    import credconf
    from credconf.cli.options import Chosen
    from credconf.entra.http import Response, TransportOptions
    from credconf.entra.request import Identity
    from credconf.problems import Problem
    from credconf.stores.store import Store

T = TypeVar("T")
Status = Literal["ok", "warning", "failed", "skipped"]

GRACE = 1.0
"""Seconds by which a step may exceed its limit, so that its own time-out reports what did not answer."""

_COLOURS: dict[Status, str] = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "bright_black"}
_INDENT = " " * 9


@record
class Result:
    """The result of a step.

    Attributes:
        status: `failed` if the application can't get its token, or soon can't.
        summary: one sentence.
        fix: what to do.
        details: more sentences.
        problems: the problems of the configuration.
    """

    status: Status
    summary: str
    fix: str | None = None
    details: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@record
class Target:
    """The configuration that is diagnosed, resolved as the application would resolve it.

    Attributes:
        resolved: the result of `load()`.
        identity: the readable values of the identity; some must not be printed.
        transport: how requests are sent.
        endpoint: `https://HOST[:PORT]` of the token request, or of the region's own host.
        redact: makes foreign text printable, and removes what must not be printed.
    """

    resolved: credconf.Resolved
    identity: Identity
    transport: TransportOptions
    endpoint: str
    redact: Callable[[str], str]

    @property
    def host(self) -> str:
        """The endpoint's host, redacted; the kind, if it does not ask Entra."""
        return self.redact(urlsplit(self.endpoint).netloc) or self.resolved.settings.kind

    def origin(self, path: str) -> str:
        """The origin of a setting, as text."""
        return str(self.resolved.origins[path])


@mutable_record
class Diagnosis:
    """The arguments of the command, and what the steps pass on to later ones.

    Attributes:
        chosen: the arguments that choose a configuration.
        scope: the scope to request a token for; `None` for a suitable one.
        shows: whether a status line is shown.
        status_line: the status line of the step that runs.
        target: known after the first step.
        store: the shared token cache, if there is one. The first step opens it, its own step closes it.
        tunnel: a connection through the proxy, open for the TLS step.
        answer: the server's answer, with any HTTP status.
        answered_at: the Unix time halfway between request and answer, by this machine's clock.
    """

    chosen: Chosen
    scope: str | None
    shows: bool = False
    status_line: StatusLine = field(default_factory=lambda: StatusLine("", shows=False), repr=False)
    target: Target | None = None
    store: Store | None = field(default=None, repr=False)
    tunnel: socket.socket | None = field(default=None, repr=False)
    answer: Response | None = None
    answered_at: float = 0.0

    def known_target(self) -> Target:
        """The target, for a step that runs after the first."""
        assert self.target is not None
        return self.target


@record
class Step:
    """One step.

    Attributes:
        name: for the output.
        activity: the text of the status line; `{host}` is replaced by the server's host.
        run: performs the step, within the seconds that it receives.
        seconds: the limit of its duration.
        needs: the steps that must not have failed.
        applies: whether the step concerns a configuration; `None` is one that could not be read.
    """

    name: str
    activity: str
    run: Callable[[Diagnosis, float], Result]
    seconds: float
    needs: tuple[str, ...] = ()
    applies: Callable[[Target | None], bool] = lambda _: True


@record
class Report:
    """A step with its result and its duration in seconds. A skipped step has a result, too."""

    step: Step
    result: Result
    seconds: float


def bounded(work: Callable[[], T], seconds: float) -> T | type[BaseException] | None:
    """Run work on its own thread, and abandon the thread if it takes too long.

    Returns:
        The return value; `None` after a time-out; for an exception its type, since its frames may hold a secret.
    """
    try:
        return workers.bounded(workers.Workers(1, "credconf-doctor", idle=0.0), work, seconds)
    except workers.TooLong:
        return None
    except Exception as exc:  # noqa: BLE001 - a bug of a step is a result
        return type(exc)


def run_step(step: Step, diagnosis: Diagnosis, seconds: float) -> Report:
    """Run a step within a number of seconds."""
    start = time.monotonic()
    limit = min(step.seconds, seconds)
    activity = step.activity.format(host=diagnosis.target and diagnosis.target.host)
    with StatusLine(activity, shows=diagnosis.shows) as diagnosis.status_line:
        result = bounded(lambda: despite_warnings(lambda: step.run(diagnosis, limit)), limit + GRACE)
    if result is None:
        result = Result("failed", f"no answer within {limit:.3g} s", "Check the network, or raise --timeout.")
    elif isinstance(result, type):
        result = Result("failed", f"the step failed with {result.__name__}, a bug in credconf", "Report it.")
    return Report(step, result, time.monotonic() - start)


# Output


def echo_step(report: Report) -> None:
    """Print one step: status, name, summary and duration; then the details, the problems, and what to do."""
    result = report.result
    duration = "" if result.status == "skipped" else f" ({_duration(report.seconds)})"
    head = wrapped(f"{report.step.name}: {printable(result.summary)}{duration}", first=_INDENT, rest=_INDENT)
    status = click.style(result.status, fg=_COLOURS[result.status], bold=result.status == "failed" or None)
    echo(status + head[len(result.status) :])
    for detail in result.details:
        echo(wrapped(printable(detail), first=_INDENT, rest=f"{_INDENT}  "))
    if result.problems:
        echo_problems(result.problems, indent=_INDENT)
    if result.fix:
        echo(wrapped(f"fix: {printable(result.fix)}", first=_INDENT, rest=f"{_INDENT}     "))


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def conclusion(reports: Sequence[Report]) -> str:
    """One line about all steps."""
    count = {status: sum(report.result.status == status for report in reports) for status in _COLOURS}
    if count["failed"]:
        failed = next(report for report in reports if report.result.status == "failed")
        skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
        return f"{count['failed']} failed{skipped}: fix {failed.step.name} first."
    if any(report.step.name == "token" and report.result.status == "skipped" for report in reports):
        return f"No step failed, but no token was requested{_with_warnings(count['warning'])}."
    return f"The token request works{_with_warnings(count['warning'])}."


def _with_warnings(number: int) -> str:
    return f" ({amount(number, 'warning')})" if number else ""


def as_data(reports: Sequence[Report]) -> dict[str, Any]:
    """The object for `--format json`, with times in seconds."""
    return {
        "ok": all(report.result.status != "failed" for report in reports),
        "steps": [
            {
                "step": report.step.name,
                "result": report.result.status,
                "seconds": round(report.seconds, 4),
                "summary": report.result.summary,
                "details": list(report.result.details),
                "fix": report.result.fix,
                "problems": as_dicts(report.result.problems),
            }
            for report in reports
        ],
    }
