"""Problems as a command shows them: text, JSON, or annotations for GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from credconf.ground.records import replace
from credconf.problems import as_dicts, as_github
from credconf.problems.printable import as_json

from .terminal import say_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credconf.problems import Problem

TEXT: Final = "text"
JSON: Final = "json"
GITHUB: Final = "github"


def format_option(*forms: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `--format` of a command, as its argument `form`; without it the first of the forms."""
    choice = click.Choice(forms)
    return click.option("--format", "form", type=choice, default=forms[0], show_default=True, help="What is printed.")


def strictly(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The same problems, with every warning an error."""
    return tuple(replace(problem, severity="error") for problem in problems)


def fails(problems: Sequence[Problem]) -> bool:
    """Whether there is an error among them; warnings alone are none."""
    return any(problem.severity == "error" for problem in problems)


def show(problems: Sequence[Problem], form: str) -> None:
    """Print problems in one of the forms; in JSON, also that there are none."""
    if form == JSON:
        show_json({"ok": not fails(problems), "problems": as_dicts(problems)})
    elif problems and form == GITHUB:
        click.echo(as_github(problems))
    elif problems:
        say_problems(problems)


def show_json(data: Any) -> None:
    """Print JSON."""
    click.echo(as_json(data))


def count(problems: Sequence[Problem]) -> str:
    """How many there are, in words: `2 errors and 1 warning`."""
    numbers = [(severity, sum(item.severity == severity for item in problems)) for severity in ("error", "warning")]
    return " and ".join(amount(number, severity) for severity, number in numbers if number)


def amount(number: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
