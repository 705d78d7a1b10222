"""`credconf explain` and `credconf schema`: the reference of the codes and of the settings."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from credconf.problems import closest
from credconf.problems import explain as explanation
from credconf.problems.catalogue import CODES
from credconf.problems.failure import ADVICE

from .options import words
from .output import echo

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH: Final = 80
_AADSTS: Final = re.compile(r"(?:aadsts)?([0-9]{4,9})", re.IGNORECASE)
_AADSTS_CODES: Final = {f"AADSTS{number}": advice for number, advice in sorted(ADVICE.items())}


@click.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...", shell_complete=words((*CODES, *_AADSTS_CODES)))
def explain(codes: tuple[str, ...]) -> None:
    """Explain the code of a problem, or one of Entra's (AADSTS...).

    The explanation has the meaning of the code, the usual causes, and what to do: `credconf explain unknown-key
    AADSTS7000215`. Without CODE, it lists all codes.
    """
    if not codes:
        _list("Problems of a configuration", ((code, about.title) for code, about in CODES.items()))
        _list("Refusals of Entra ID", _AADSTS_CODES.items())
        return
    found = [(code, explanation(code)) for code in codes]
    known = [text for _, text in found if text is not None]
    if known:
        echo("\n\n\n".join(known))
    unknown = [code for code, text in found if text is None]
    if unknown:
        raise click.UsageError("\n".join(map(_unknown, unknown)))


def _list(title: str, rows: Iterable[tuple[str, str]]) -> None:
    formatter = click.HelpFormatter(width=_WIDTH)
    with formatter.section(title):
        formatter.write_dl(list(rows))
    echo(formatter.getvalue())


def _unknown(code: str) -> str:
    number = _AADSTS.fullmatch(code.strip())
    if number is not None:
        address = f"https://login.microsoftonline.com/error?code={number[1]}"
        return f"credconf does not know AADSTS{number[1]}; Microsoft may explain it: {address}"
    meant = closest(code, (*CODES, *_AADSTS_CODES), cutoff=0.6)
    hint = f"did you mean {meant}?" if meant else "`credconf explain` lists all codes"
    return f"{code!r} is not a code; {hint}"


@click.command()
def schema() -> None:
    """Print the JSON Schema of configuration files.

    The schema is draft-07. For an editor: credconf schema > credconf.schema.json, and as the first line of a file
    beside it `# yaml-language-server: $schema=credconf.schema.json`.
    """
    click.echo(schema_text(), nl=False)


def schema_text() -> str:
    """The JSON Schema: a file of the wheel, or of the repository, which has one copy."""
    package = files("credconf")
    installed = package / "credconf.schema.json"
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    return (Path(str(package)).parent / "schema" / "credconf.schema.json").read_text(encoding="utf-8")
