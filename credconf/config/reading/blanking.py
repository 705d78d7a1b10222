"""Lines of files without their values: what is not certainly a key or punctuation becomes `…`.

Nothing here decides what is secret. It is the other way round: a line is shown as far as it is known to hold names.
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
    """A part of a line that may be shown; columns count from 0.

    Attributes:
        start: its first column.
        end: the column behind it.
        reach: where carets end that begin with it: a bracket's reach is its partner's, a dash's the end of the line.
    """

    start: int
    end: int
    reach: int | None


def spans_of_yaml(text: str, numbers: Collection[int]) -> dict[int, list[Span]]:
    """What may be shown of some lines of a file that is valid YAML: its keys and its punctuation.

    Args:
        text: of the whole file, which was parsed already.
        numbers: of the lines, from 1.
    """
    found: dict[int, list[Span]] = {number: [] for number in numbers}
    opened: list[tuple[int, int, int]] = []  # of each open bracket: line, and where its span will stand in `found`
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
    """The tokens up to a line, each with whether it is a key."""
    key = False
    for token in yaml.scan(text, Loader=Loader):
        if token.start_mark.line >= last:
            return
        yield token, key and isinstance(token, yaml.ScalarToken)
        # An anchor or a tag may stand before the key itself.
        key = isinstance(token, yaml.KeyToken) or (key and isinstance(token, yaml.AnchorToken | yaml.TagToken))


def _is_shown(token: Any) -> bool:
    written = token.end_mark.column - token.start_mark.column
    as_it_is = written == len(token.value) + (0 if token.plain else 2)  # without escapes
    return bool(as_it_is and shown_key(token.value) == token.value)


def spans_of_broken_yaml(line: str) -> list[Span]:
    """What may be shown of a line of a file that is no valid YAML: a setting's name at its beginning, or `---`."""
    if line.startswith("---") and not line[3:].strip():
        return [Span(0, 3, 3)]
    match = _KEY_OF_A_BROKEN_LINE.match(line)
    if match is None or match["key"].strip("'\"") not in _CERTAIN_KEYS:
        return []
    return [_span(match, name) for name in ("dashes", "key", "colon") if match[name]]


def spans_of_dotenv(line: str, variable: str | None) -> tuple[list[Span], int, int]:
    """What may be shown of a line of `.env`, the name and `=`, and the columns where the name and the value begin.

    Args:
        line: one line.
        variable: that the line sets; `None` for a line that can't be read, where only a name of ours is certain.
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
        text: what is left.
        columns: for each column of the file's line, and for the one behind it, the column in `text`.
    """

    text: str
    columns: tuple[int, ...]

    @classmethod
    def of(cls, line: str, spans: Iterable[Span]) -> Blanked:
        """A line of which only white space and the spans are left; each run of anything else is one `…`."""
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
