"""What the doctor found, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from credconf.cli.terminal import say, say_problems, wrapped
from credconf.problems import as_dicts
from credconf.problems.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .steps import Done

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "bright_black"}
_INDENT = " " * 9


def show(done: Done) -> None:
    """Print one step: its result, name, summary and time; then the details, the problems, and what to do."""
    finding = done.finding
    took = "" if finding.result == "skipped" else f" ({_duration(done.seconds)})"
    head = wrapped(f"{done.step.name}: {printable(finding.summary)}{took}", first=_INDENT, rest=_INDENT)
    result = click.style(finding.result, fg=_COLOURS[finding.result], bold=finding.result == "failed" or None)
    say(result + head[len(finding.result) :])
    for detail in finding.details:
        say(wrapped(printable(detail), first=_INDENT, rest=f"{_INDENT}  "))
    if finding.problems:
        say_problems(finding.problems, indent=_INDENT)
    if finding.fix:
        say(wrapped(f"fix: {printable(finding.fix)}", first=_INDENT, rest=f"{_INDENT}     "))


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def verdict(results: Sequence[Done]) -> str:
    """One line about all steps."""
    count = {name: sum(done.finding.result == name for done in results) for name in _COLOURS}
    if count["failed"]:
        failed = next(done for done in results if done.finding.result == "failed")
        skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
        return f"{count['failed']} failed{skipped}: begin with {failed.step.name}."
    if count["warning"]:
        return f"It works; {count['warning']} {'warning' if count['warning'] == 1 else 'warnings'}."
    unproved = next((done for done in results if done.step.name == "token" and done.finding.result == "skipped"), None)
    return "Nothing is wrong as far as was looked." if unproved else "All is well."


def as_data(results: Sequence[Done]) -> dict[str, Any]:
    """Everything, for `--format json`; times in seconds."""
    return {
        "ok": all(done.finding.result != "failed" for done in results),
        "steps": [
            {
                "step": done.step.name,
                "result": done.finding.result,
                "seconds": round(done.seconds, 4),
                "summary": done.finding.summary,
                "details": list(done.finding.details),
                "fix": done.finding.fix,
                "problems": as_dicts(done.finding.problems),
            }
            for done in results
        ],
    }
