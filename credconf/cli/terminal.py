"""Text for people at a terminal: styled where they want it, in lines that fit."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

from credconf.problems import as_text, wants_colour
from credconf.problems.printable import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credconf.problems import Problem

_NARROWEST, _WIDEST = 60, 100


def say(text: str = "", *, err: bool = False) -> None:
    """Print text that no CI runner takes for a command, without its styles where colours are not wanted.

    Args:
        text: what of it is not ours is `printable()`: a control character could overwrite the lines above.
        err: to the standard error.
    """
    click.echo(harmless(text), err=err, color=_coloured(err=err))


def say_problems(problems: Iterable[Problem], *, err: bool = False, indent: str = "") -> None:
    """Print problems of a configuration as `check` shows them."""
    say(textwrap.indent(as_text(problems, colour=_coloured(err=err)), indent), err=err)


def _coloured(*, err: bool) -> bool:
    return wants_colour(sys.stderr if err else sys.stdout)


def wrapped(text: str, *, first: str = "", rest: str = "") -> str:
    """The text in lines that fit the terminal; long words stay whole, so that they can be copied.

    Args:
        text: without styles.
        first: what its first line begins with; without styles, too.
        rest: what the other lines begin with.
    """
    width = max(_NARROWEST, min(shutil.get_terminal_size().columns - 1, _WIDEST))
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
