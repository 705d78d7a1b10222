"""Text for terminals: nothing in it moves the cursor, and every encoding can show it.

Names of hosts and certificates, claims and the words of a server come from elsewhere: a control character in them could
overwrite what stands above, or hide it.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap

import click

_NARROWEST, _WIDEST = 60, 100
_PLAIN = str.maketrans({"…": "...", "→": "->", "“": '"', "”": '"'})


def escaped(text: str) -> str:
    """The text in one line, with every character that is not printable as a Python escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def say(text: str = "", *, err: bool = False) -> None:
    """Print text of ours, which may be styled and have several lines; styles are for terminals.

    Args:
        text: its foreign parts are `escaped()` already.
        err: to the standard error.
    """
    stream = sys.stderr if err else sys.stdout
    click.echo(_encodable(text, stream.encoding or "utf-8"), err=err, color=wants_colour(err=err))


def wants_colour(*, err: bool = False) -> bool:
    """Whether the stream is a terminal of somebody who has not asked for `NO_COLOR` (https://no-color.org)."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


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


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text
