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
_RULES: Mapping[str, Callable[[str], object]] = {
    "--tenant-id": answers.tenant,
    "--client-id": answers.client,
    "--cloud": answers.cloud,
    "--secret-from": answers.place,
    "--named": answers.entry,
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
    asks = sys.stdin is not None and sys.stdin.isatty()
    _refuse({**given, "--named": name}, asks=asks)

    def answer(option: str, rule: Callable[[str], T], default: str | None = None) -> T:
        text = given[option]
        if text is None and asks:
            said: T = click.prompt(_QUESTIONS[option], default=default, value_proc=lambda text: _ruled(text, rule))
            return said
        return _ruled(default or "" if text is None else text, rule)

    return Answers(
        tenant_id=answer("--tenant-id", answers.tenant),
        client_id=answer("--client-id", answers.client),
        cloud=answer("--cloud", answers.cloud, "public"),
        place=answer("--secret-from", answers.place, answers.usual_place(name)),
        name=name,
    )


def _refuse(given: Mapping[str, str | None], *, asks: bool) -> None:
    """Raise all that is wrong with the options, before any question is asked."""
    wrong = [f"{option}: {fault}" for option, text in given.items() if (fault := _fault(option, text))]
    missing = [option for option in _NEEDED if given[option] is None]
    if missing and not asks:
        wrong.append(f"{' and '.join(missing)} must be given: there is no terminal to ask on")
    if wrong:
        raise click.UsageError("\n".join(wrong))


def _fault(option: str, text: str | None) -> str | None:
    try:
        if text is not None:
            _RULES[option](text)
    except BadAnswer as exc:
        return str(exc)
    return None


def _ruled(text: str, rule: Callable[[str], T]) -> T:
    try:
        return rule(text)
    except BadAnswer as exc:
        message = str(exc)
    raise click.UsageError(message)
