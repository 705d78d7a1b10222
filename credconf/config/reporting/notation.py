"""Warnings about the notation of a value: that of another tool, or one cut at ` #`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from credconf.config.reading.nodes import Scalar, Sequence
from credconf.kinds import SETTINGS
from credconf.problems import Problem
from credconf.references import reference_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from credconf.config.layers import Value
    from credconf.config.reading.lines import Lines
    from credconf.problems.problem import Origin

# Without braces, only in capitals, because a secret may begin with `$`.
_EXPANSION = re.compile(r"\$(?:\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Z][A-Z0-9_]+)")
_IN_A_PATH = re.compile(r"\$(?:\{[A-Za-z_]|[A-Za-z_][A-Za-z0-9_]*$)|%[A-Za-z_][A-Za-z0-9_]*%$")
# A single word directly after `#`. With a space after `#`, or with more words, it is a comment.
_CUT_OFF = re.compile(r"\s+#(?P<word>[^\s#]+)\s*")
# Comments that are often written this way: marks for linters and secret scanners.
_MARKS = re.compile(
    r"(?i)(todo|fixme|noqa|nosec|nosonar|nosemgrep|xxx|gitleaks|pragma|checkov|yamllint|trufflehog)\b.*"
)


def notation_warnings(values: Mapping[str, Value], lines: Lines) -> Iterator[Problem]:
    """Yield a warning for each value that probably means something else than its notation.

    Args:
        values: the values by path, merged or of one layer.
        lines: the lines of the files that hold them.
    """
    for path, value in values.items():
        yield from _unexpanded(path, value)
        yield from _unexpanded_paths(path, value)
    for path, each in SETTINGS.items():
        if each.setting.secret and path in values:
            yield from _cut(path, values[path], lines)


def _unexpanded(path: str, value: Value) -> Iterator[Problem]:
    texts = value.raw if isinstance(value.raw, list | tuple) else (value.raw,)
    for index, text in enumerate(texts):
        if not isinstance(text, str) or not _EXPANSION.fullmatch(text):
            continue
        step: tuple[int, ...] = (index,) if isinstance(value.raw, list | tuple) else ()
        where = ".".join((path, *map(str, step)))
        written = "${…}" if text.startswith("${") else "$…"
        message = f"`{where}` is `{written}`: credconf expands nothing, so that text is the value"
        may_refer = (
            path in SETTINGS and "env" in SETTINGS[path].references and value.origin.place in {"file", "argument"}
        )
        hint = "write {env: NAME} to read a variable" if may_refer else "write the value itself"
        yield Problem("not-expanded", message, "warning", where, value.place_of(step), hint)


def _unexpanded_paths(path: str, value: Value) -> Iterator[Problem]:
    """Warn about `~/secret` and `$HOME/secret`, which a shell would expand and credconf does not."""
    several = isinstance(value.raw, list | tuple)
    for index, item in enumerate(value.raw if several else (value.raw,)):
        reference = reference_in(item)
        name = (
            reference.names_file
            if reference is not None
            else item
            if path in SETTINGS and SETTINGS[path].setting.is_path
            else None
        )
        if not isinstance(name, str) or not _is_for_a_shell(name):
            continue
        step: tuple[int, ...] = (index,) if several else ()
        where = ".".join((path, *map(str, step)))
        message = f"the path of `{where}` uses a shell's notation: credconf expands nothing"
        yield Problem("not-expanded", message, "warning", where, value.place_of(step), "write the whole path")


def _is_for_a_shell(path: str) -> bool:
    parts = re.split(r"[/\\]", path)
    return "~" in parts or any(_IN_A_PATH.match(part) for part in parts)


def _cut(path: str, value: Value, lines: Lines) -> Iterator[Problem]:
    if value.origin.place == "dotenv":
        if _is_cut_in_dotenv(lines.at(value.origin)):
            yield _cut_off(path, value.origin)
        return
    items = list(enumerate(value.node.items)) if isinstance(value.node, Sequence) else [(None, value.node)]
    for index, node in items:
        if not isinstance(node, Scalar) or not node.plain:
            continue
        origin = value.origin.at(node.line, node.column)
        line, end = lines.at(origin), node.column - 1 + len(node.text)
        match = _CUT_OFF.fullmatch(line, end) if line.startswith(node.text, node.column - 1) else None
        if match is not None and not _MARKS.fullmatch(match["word"]):
            yield _cut_off(path if index is None else f"{path}.{index}", origin)


def _is_cut_in_dotenv(line: str) -> bool:
    """Whether a value is cut, without a regular expression, which would take quadratic time for a line of blanks."""
    written = line.partition("=")[2].lstrip()
    before, _, after = line.partition("=")[2].rpartition("#")
    word = after.rstrip()
    return (
        not written.startswith(("'", '"'))
        and before[-1:].isspace()
        and bool(word)
        and not any(character.isspace() for character in word)
        and not _MARKS.fullmatch(word)
    )


def _cut_off(path: str, origin: Origin) -> Problem:
    message = f"`{path}` ends before ` #`: the rest is a comment"
    return Problem(
        "cut-value", message, "warning", path, origin, "put quotes around the value if the rest is part of it"
    )
