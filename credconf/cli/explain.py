"""`credconf explain`: what a code means, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from credconf.problems import closest
from credconf.problems import explain as explanation
from credconf.problems.aadsts import EXPLAINED
from credconf.problems.catalogue import CODES

from . import completing
from .terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH: Final = 80
_ENTRAS: Final = re.compile(r"(?:aadsts)?([0-9]{4,9})", re.IGNORECASE)
_OF_ENTRA: Final = {f"AADSTS{number}": said for number, said in sorted(EXPLAINED.items())}


@click.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...", shell_complete=completing.words((*CODES, *_OF_ENTRA)))
def explain(codes: tuple[str, ...]) -> None:
    """Explain the code of a problem, or one of Entra's (AADSTS...).

    It says what the code means, the usual causes, and what to do: `credconf explain unknown-key AADSTS7000215`. Without
    CODE, all codes are listed.
    """
    if not codes:
        _list("Problems of a configuration", ((code, about.title) for code, about in CODES.items()))
        _list("Refusals of Entra ID", _OF_ENTRA.items())
        return
    found = [(code, explanation(code)) for code in codes]
    known = [text for _, text in found if text is not None]
    if known:
        say("\n\n\n".join(known))
    unknown = [code for code, text in found if text is None]
    if unknown:
        raise click.UsageError("\n".join(map(_unknown, unknown)))


def _list(title: str, rows: Iterable[tuple[str, str]]) -> None:
    formatter = click.HelpFormatter(width=_WIDTH)
    with formatter.section(title):
        formatter.write_dl(list(rows))
    say(formatter.getvalue())


def _unknown(code: str) -> str:
    entras = _ENTRAS.fullmatch(code.strip())
    if entras is not None:
        address = f"https://login.microsoftonline.com/error?code={entras[1]}"
        return f"AADSTS{entras[1]} is not known here; Microsoft may explain it: {address}"
    meant = closest(code, (*CODES, *_OF_ENTRA), cutoff=0.6)
    hint = f"did you mean {meant}?" if meant else "`credconf explain` lists all codes"
    return f"{code!r} is not a code; {hint}"
