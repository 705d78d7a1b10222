"""Removes the values from lines of files: everything but known keys and punctuation becomes `…`.

This module does not decide what is secret. It shows only the parts of a line that are known to be names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from credconf.config.layers import KNOWN
from credconf.config.variables import PREFIX, Scheme, documented
from credconf.ground.records import record
from credconf.kinds import NESTED
from credconf.problems.printable import shown_key
from credconf.references import REFERENCES

from .lines import Loader
from .nodes import MERGE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

BLANK = "…"
_DOTENV_LINE = re.compile(r"\s*(?P<export>(?:export\s+)?)(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*(?P<equals>=?)[ \t]*")
_KEY_OF_A_BROKEN_LINE = re.compile(
    r"""\s*(?P<dashes>(?:-\s+)*)(?P<key>'[a-z_]+'|"[a-z_]+"|[a-z_]+|<<)\s*(?P<colon>:)(?!\S)"""
)
_CERTAIN_KEYS = frozenset(
    {*KNOWN, *REFERENCES, *(leaf for leaves in NESTED.values() for leaf in leaves)}
    | {"default", "credentials", "extends", "abstract", MERGE}
)
_CERTAIN_VARIABLES = frozenset({*documented(), *(item.name for item in Scheme(PREFIX).variables())})
_OPENING = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_CLOSING = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_PUNCTUATION = (
    *_OPENING,
    *_CLOSING,
    yaml.FlowEntryToken,
    yaml.BlockEntryToken,
    yaml.KeyToken,
    yaml.ValueToken,
    yaml.DocumentStartToken,
)


@record
class Span:
    """A part of a line that may be shown. Columns count from 0.

    Attributes:
        start: the first column.
        end: the column after the last one.
        reach: the column where carets that begin at the span end: for a bracket, the end of the closing bracket;
            `None` for the end of the line.
    """

    start: int
    end: int
    reach: int | None


def spans_of_yaml(text: str, numbers: Collection[int]) -> dict[int, list[Span]]:
    """Find the keys and the punctuation in some lines of a valid YAML file.

    Args:
        text: the text of the whole file, which is valid YAML.
        numbers: the line numbers, from 1.
    """
    found: dict[int, list[Span]] = {number: [] for number in numbers}
    opened: list[
        tuple[int, int, int]
    ] = []  # for each open bracket: its line, the index of its span in `found`, its column
    for token, is_key in _tokens(text, max(numbers)):
        start, end = token.start_mark, token.end_mark
        line = found.get(start.line + 1)
        if isinstance(token, _OPENING):
            opened.append((start.line, len(line) if line is not None else 0, start.column))
        elif isinstance(token, _CLOSING) and opened:
            _reach(found, *opened.pop(), end)
        if line is None or start.line != end.line or start.column == end.column:
            continue
        if isinstance(token, _PUNCTUATION):
            single = isinstance(token, (yaml.FlowEntryToken, yaml.ValueToken, *_CLOSING))
            line.append(Span(start.column, end.column, end.column if single else None))
        elif is_key and _is_shown(token):
            line.append(Span(start.column, end.column, end.column))
    return found


def _reach(found: dict[int, list[Span]], line: int, index: int, column: int, end: Any) -> None:
    spans = found.get(line + 1)
    if spans is not None and end.line == line:
        spans[index] = Span(column, column + 1, end.column)


def _tokens(text: str, last: int) -> Iterator[tuple[Any, bool]]:
    """Yield the tokens up to a line, each with whether it is a key."""
    key = False
    for token in yaml.scan(text, Loader=Loader):
        if token.start_mark.line >= last:
            return
        yield token, key and isinstance(token, yaml.ScalarToken)
        # An anchor or a tag may precede the key itself.
        key = isinstance(token, yaml.KeyToken) or (key and isinstance(token, yaml.AnchorToken | yaml.TagToken))


def _is_shown(token: Any) -> bool:
    written = token.end_mark.column - token.start_mark.column
    unescaped = written == len(token.value) + (0 if token.plain else 2)
    return bool(unescaped and shown_key(token.value) == token.value)


def spans_of_broken_yaml(line: str) -> list[Span]:
    """Find what may be shown of a line of a broken YAML file: a setting's name at the start, or `---`."""
    if line.startswith("---") and not line[3:].strip():
        return [Span(0, 3, 3)]
    match = _KEY_OF_A_BROKEN_LINE.match(line)
    if match is None or match["key"].strip("'\"") not in _CERTAIN_KEYS:
        return []
    return [_span(match, name) for name in ("dashes", "key", "colon") if match[name]]


def spans_of_dotenv(line: str, variable: str | None) -> tuple[list[Span], int, int]:
    """Find the name and `=` in a line of `.env`, and the columns where the name and the value begin.

    Args:
        line: one line.
        variable: the variable that the line sets; `None` for a broken line, of which only a known variable is shown.
    """
    match = _DOTENV_LINE.match(line)
    if match is None or not (match["name"] == variable if variable else match["name"] in _CERTAIN_VARIABLES):
        column = len(line) - len(line.lstrip())
        return [], column, column
    spans = [_span(match, name) for name in ("export", "name", "equals") if match[name]]
    return spans, match.start("name"), match.end()


def _span(match: re.Match[str], name: str) -> Span:
    return Span(match.start(name), match.end(name), match.end(name))


@record
class Blanked:
    """A line without its values.

    Attributes:
        text: the remaining text.
        columns: for each column of the original line, and for the one after its end, the column in `text`.
    """

    text: str
    columns: tuple[int, ...]

    @classmethod
    def of(cls, line: str, spans: Iterable[Span]) -> Blanked:
        """Keep white space and the spans of a line, and replace each run of other text by one `…`."""
        shown = ""
        columns: list[int] = []
        position = 0
        for span in (*spans, Span(len(line), len(line), None)):
            gap = line[position : span.start]
            before = len(gap) - len(gap.lstrip())
            after = len(gap.rstrip())
            for index in range(len(gap)):
                columns.append(len(shown))
                if index < before or index >= after:
                    shown += " "
                elif index + 1 == after:
                    shown += BLANK
            columns += range(len(shown), len(shown) + span.end - span.start)
            shown += line[span.start : span.end].replace("\t", " ")
            position = span.end
        return cls(shown, (*columns, len(shown)))
