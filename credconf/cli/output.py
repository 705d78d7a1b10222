"""The output of the commands: text for a terminal, problems in each format, streams that may fail."""

from __future__ import annotations

import codecs
import errno
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from credconf import problems as rendering  # its functions are imported on first use
from credconf.ground.records import replace
from credconf.problems.wording import as_json, harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from credconf.problems import Problem

TEXT: Final = "text"
JSON: Final = "json"
GITHUB: Final = "github"

READER_LEFT: Final = 141
"""The exit status if the reader of the output has gone: the status that shells report after SIGPIPE."""
LOST_OUTPUT: Final = 74
"""The exit status if the output can't be written: EX_IOERR of sysexits.h, distinct from every result of a command."""

_NARROWEST, _WIDEST = 60, 100
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_REPLACEMENTS: Final = {"…": "...", "→": "->", "├": "|", "│": "|", "└": "+", "─": "-", "✓": "ok", "✗": "failed"}
_LOST: Final = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
_HANDLER: Final = "credconf.replace"
_EXCERPT: Final = re.compile(r"(?:\x1b\[[0-9;]*m)* +\d+ \|")


# Text


def echo(text: str = "", *, err: bool = False) -> None:
    """Print text, with colours where they are wanted. No CI runner takes a line of it for a command.

    Args:
        text: the caller passes foreign parts through `printable()`: control characters could overwrite earlier lines.
        err: print to standard error.
    """
    click.echo(harmless(text), err=err, color=_coloured(err=err))


def _coloured(*, err: bool) -> bool:
    return rendering.wants_colour(sys.stderr if err else sys.stdout)


def wrapped(text: str, *, first: str = "", rest: str = "") -> str:
    """Wrap text to the width of the terminal. Long words and whole commands of `az` stay whole, to be copied.

    Args:
        text: without styles.
        first: the prefix of the first line, without styles.
        rest: the prefix of the other lines.
    """
    if text.lstrip().startswith("az "):
        return f"{first}{text}"
    width = max(_NARROWEST, min(shutil.get_terminal_size().columns - 1, _WIDEST))
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def amount(number: int, what: str) -> str:
    """A number with its noun: `1 file`, `2 files`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


# Times


def utc(timestamp: float) -> str | None:
    """A Unix time as UTC, for people; `None` if it is outside of the calendar."""
    moment = _moment(timestamp)
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def iso(timestamp: float) -> str | None:
    """A Unix time in ISO 8601; `None` if it is outside of the calendar."""
    moment = _moment(timestamp)
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _moment(timestamp: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def lifetime(seconds: float) -> str:
    """The remaining lifetime in words, such as `for 2 hours`."""
    if seconds <= 0:
        return "expired"
    for unit, name in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= 2 * unit:
            return f"for {seconds / unit:.0f} {name}"
    return f"for {seconds:.0f} seconds"


# Problems


def format_option(*formats: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `--format` of a command, as its argument `form`. The first format is the default."""
    choice = click.Choice(formats)
    return click.option(
        "--format", "form", type=choice, default=formats[0], show_default=True, help="The format of the output."
    )


def strictly(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the problems, with each warning as an error."""
    return tuple(replace(problem, severity="error") for problem in problems)


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether at least one problem is an error."""
    return any(problem.severity == "error" for problem in problems)


def echo_report(problems: Sequence[Problem], form: str, more: Mapping[str, Any] | None = None) -> None:
    """Print problems in a format. JSON is printed for an empty list, too.

    Args:
        problems: the problems, in the order of the output.
        form: the format.
        more: what else JSON holds.
    """
    if form == JSON:
        echo_json({"ok": not has_errors(problems), "problems": rendering.as_dicts(problems), **(more or {})})
    elif problems and form == GITHUB:
        click.echo(rendering.as_github(problems))
    elif problems:
        echo_problems(problems)


def echo_problems(problems: Iterable[Problem], *, err: bool = False, indent: str = "") -> None:
    """Print problems as text."""
    echo(textwrap.indent(rendering.as_text(problems, colour=_coloured(err=err)), indent), err=err)


def echo_json(data: Any) -> None:
    """Print JSON."""
    click.echo(as_json(data))


def count(problems: Sequence[Problem]) -> str:
    """The number of errors and warnings in words: `2 errors and 1 warning`."""
    numbers = [(severity, sum(item.severity == severity for item in problems)) for severity in ("error", "warning")]
    return " and ".join(amount(number, severity) for severity, number in numbers if number)


# Streams


def replace_unencodable() -> None:
    """Make standard output and standard error replace characters that their encoding lacks, instead of failing."""
    codecs.register_error(_HANDLER, _replacement)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a replaced stream may be any object
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)


@contextmanager
def writing() -> Generator[None]:
    """End the program if its output can't be written.

    Raises:
        SystemExit: with `READER_LEFT` and no message, or with `LOST_OUTPUT`.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno not in _LOST:  # it concerns a file or a socket
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
    """Empty the buffers of the streams: Python flushes them at exit, and would report the same error again."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:  # it was closed before the program started
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
    # The line below an excerpt holds carets.
    return "~" if letter == "…" else "?" * (1 + (unicodedata.east_asian_width(letter) in "WF"))


def _spelt_out(letter: str) -> str:
    return _REPLACEMENTS.get(letter) or letter.encode("ascii", "backslashreplace").decode()
