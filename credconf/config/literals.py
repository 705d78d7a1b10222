"""Warnings about how a value is written: in another tool's notation, or cut where it holds ` #`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credconf.problems import Problem

from .lines import dotenv_lines, yaml_lines
from .nodes import Scalar, Sequence
from .variables import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Sequence as List

    from .document import Document
    from .dotenv import Dotenv
    from .origins import Origin, Value

_EXPANSION = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRETS: Final = ("client_secret", "client_certificate_password")
# One word that adheres to its `#`: what follows a space, or goes on as a sentence, is meant to be a comment.
_CUT_OFF = re.compile(r"\s+#(?P<word>[^\s#]+)\s*")
_CUT_OFF_IN_DOTENV = re.compile(r"\s*(?:export\s+)?[^=\s]+\s*=\s*(?!['\"])[^\r\n]*?" + _CUT_OFF.pattern)
# What people and tools do write so: marks for linters and for scanners of secrets.
_MARKS = re.compile(
    r"(?i)(todo|fixme|noqa|nosec|nosonar|nosemgrep|xxx|gitleaks|pragma|checkov|yamllint|trufflehog)\b.*"
)


def literal_warnings(
    values: Mapping[str, Value], documents: List[Document], dotenv: Dotenv | None = None
) -> Iterator[Problem]:
    """What is probably not meant as it is written.

    Args:
        values: by path: the merged ones, or those of one layer.
        documents: the files that they stand in.
        dotenv: the `.env` file.
    """
    for path, value in values.items():
        yield from _unexpanded(path, value)
    for path in _SECRETS:
        if path in values:
            yield from _cut(path, values[path], documents, dotenv)


def _unexpanded(path: str, value: Value) -> Iterator[Problem]:
    texts = value.raw if isinstance(value.raw, list | tuple) else (value.raw,)
    for index, text in enumerate(texts):
        if not isinstance(text, str) or not _EXPANSION.fullmatch(text):
            continue
        step: tuple[int, ...] = (index,) if isinstance(value.raw, list | tuple) else ()
        where = ".".join((path, *map(str, step)))
        message = f"`{where}` is written as `${{…}}`, and nothing is expanded: that is its whole value"
        may_refer = path in TEXTS and path != "client_certificate" and value.origin.place in {"file", "argument"}
        hint = "write {env: NAME} to read a variable" if may_refer else "write the value itself"
        yield Problem("not-expanded", message, "warning", where, value.place_of(step), hint)


def _cut(path: str, value: Value, documents: List[Document], dotenv: Dotenv | None) -> Iterator[Problem]:
    if value.origin.place == "dotenv" and dotenv is not None:
        line = _line(dotenv_lines(dotenv.text), value.origin)
        match = _CUT_OFF_IN_DOTENV.fullmatch(line)
        if match is not None and not _MARKS.fullmatch(match["word"]):
            yield _cut_off(path, value.origin)
        return
    items = list(enumerate(value.node.items)) if isinstance(value.node, Sequence) else [(None, value.node)]
    for index, node in items:
        if not isinstance(node, Scalar) or not node.plain:
            continue
        text = next((document.text for document in documents if document.name == value.origin.file), "")
        origin = value.origin.at(node.line, node.column)
        after = _line(yaml_lines(text), origin)[node.column - 1 :]
        match = _CUT_OFF.fullmatch(after.removeprefix(node.text)) if after.startswith(node.text) else None
        if match is not None and not _MARKS.fullmatch(match["word"]):
            yield _cut_off(path if index is None else f"{path}.{index}", origin)


def _line(lines: list[str], origin: Origin) -> str:
    number = origin.line or 0
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _cut_off(path: str, origin: Origin) -> Problem:
    message = f"`{path}` ends before ` #`: what follows is taken for a comment"
    return Problem("cut-value", message, "warning", path, origin, "put quotes around it if that is a part of the value")
