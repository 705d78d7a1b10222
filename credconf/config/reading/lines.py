"""Splits a text into lines in the same way as the parser that reports the positions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credconf.problems.problem import Origin

Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the pure Python parser does the same, nine times slower
_YAML = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_DOTENV = re.compile(r"\r\n|\n|\r")


def yaml_lines(text: str) -> list[str]:
    """Split a text into lines as YAML does."""
    return _YAML.split(text)


def dotenv_lines(text: str) -> list[str]:
    """Split a text into lines as python-dotenv does."""
    return _DOTENV.split(text)


class Lines:
    """The lines of the files of one configuration, which no `repr` shows. Each file is split once, on first use.

    Args:
        documents: the texts of the YAML files, by name.
        dotenv: the text of `.env`.
    """

    __slots__ = ("_documents", "_dotenv", "_split")

    def __init__(self, documents: Mapping[str, str], dotenv: str = "") -> None:
        self._documents = documents
        self._dotenv = dotenv
        self._split: dict[tuple[str, str | None], list[str]] = {}

    def at(self, origin: Origin) -> str:
        """Return the line to which an origin points; an empty string where it points to none."""
        key = (origin.place, origin.file)
        if key not in self._split:
            self._split[key] = self._lines_of(origin)
        lines, number = self._split[key], origin.line or 0
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def _lines_of(self, origin: Origin) -> list[str]:
        return (
            dotenv_lines(self._dotenv)
            if origin.place == "dotenv"
            else yaml_lines(self._documents.get(origin.file or "", ""))
        )
