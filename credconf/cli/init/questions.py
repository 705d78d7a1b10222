"""From options, and on a terminal from whoever sits there, to answers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

import click

from . import answers
from .answers import Answers, BadAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

_QUESTIONS: Mapping[str, str] = {
    "--tenant-id": "Tenant (directory), a GUID or a domain",
    "--client-id": "Application (client) id",
    "--cloud": "Cloud (public, usgov, china)",
    "--secret-from": "The secret will be in env:NAME, file:PATH or certificate:PATH\nPlace",
}
_NEEDED = ("--tenant-id", "--client-id")


def collect(given: Mapping[str, str | None], name: str | None) -> Answers:
    """Everything that the files are written from.

    Args:
        given: the options that have a question, by their names; `None` for one that was left out.
        name: of the entry, for which there is no question.

    Raises:
        click.UsageError: an option can't be used, or is needed where nobody can be asked.
    """
    entry = None if name is None else _ruled(name, answers.entry, "--named: ")
    asks = sys.stdin.isatty()
    missing = [option for option in _NEEDED if given[option] is None]
    if missing and not asks:
        raise click.UsageError(f"{' and '.join(missing)} must be given: there is no terminal to ask on")

    def answer(option: str, rule: Callable[[str], T], default: str | None = None) -> T:
        text = given[option]
        if text is None and asks:
            said: T = click.prompt(_QUESTIONS[option], default=default, value_proc=lambda text: _ruled(text, rule))
            return said
        return _ruled(default or "" if text is None else text, rule, f"{option}: ")

    return Answers(
        tenant_id=answer("--tenant-id", answers.tenant),
        client_id=answer("--client-id", answers.client),
        cloud=answer("--cloud", answers.cloud, "public"),
        place=answer("--secret-from", answers.place, answers.usual_place(entry)),
        name=entry,
    )


def _ruled(text: str, rule: Callable[[str], T], where: str = "") -> T:
    try:
        return rule(text)
    except BadAnswer as exc:
        message = str(exc)
    raise click.UsageError(f"{where}{message}")
