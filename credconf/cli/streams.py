"""Streams whose encoding lacks a character, or that nothing can be written to, whatever the machine is."""

from __future__ import annotations

import codecs
import errno
import os
import re
import sys
import unicodedata
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Generator

READER_LEFT: Final = 141
"""The exit status where the reader of the output has gone: what a shell says of programs that SIGPIPE ends."""
LOST_OUTPUT: Final = 74
"""The exit status where the output can't be written: EX_IOERR of sysexits.h, and not one that judges something."""

_REPLACEMENTS: Final = {"…": "...", "→": "->", "├": "|", "│": "|", "└": "+", "─": "-", "✓": "ok", "✗": "failed"}
_LOST: Final = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
_HANDLER: Final = "credconf.replace"
_EXCERPT: Final = re.compile(r"(?:\x1b\[[0-9;]*m)* +\d+ \|")


def forgive_encodings() -> None:
    """Let standard output and standard error replace what their encoding can't show, instead of failing."""
    codecs.register_error(_HANDLER, _replacement)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a stream that somebody else put there may be anything
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)


@contextmanager
def writing() -> Generator[None]:
    """End the program where its output can't be written.

    Raises:
        SystemExit: with `READER_LEFT`, and nothing said, or with `LOST_OUTPUT`.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno not in _LOST:  # it is about a file, or a socket
            raise
        status = READER_LEFT if error.errno == errno.EPIPE else LOST_OUTPUT
        why = error.strerror or type(error).__name__
    else:
        return
    if status == LOST_OUTPUT:
        with suppress(OSError):
            click.echo(f"Error: the output can't be written: {why}", err=True)
    _discard_the_rest()
    sys.exit(status)


def _discard_the_rest() -> None:
    """Python writes what is left in the streams at its end, and would say that it can't."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:  # it was closed before the program began
            continue
        try:
            stream.flush()
        except OSError:
            with suppress(OSError), open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), stream.fileno())


def _replacement(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    line = error.object.rfind("\n", 0, error.start) + 1
    shown = _of_the_same_width if _EXCERPT.match(error.object, line) else _spelt_out
    return "".join(map(shown, text)), error.end


def _of_the_same_width(letter: str) -> str:
    # Carets stand below an excerpt.
    return "~" if letter == "…" else "?" * (1 + (unicodedata.east_asian_width(letter) in "WF"))


def _spelt_out(letter: str) -> str:
    return _REPLACEMENTS.get(letter) or letter.encode("ascii", "backslashreplace").decode()
