"""The lines of a text, as the parser that gave the positions counts them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .document import Document
    from .dotenv import Dotenv
    from .origins import Origin

_YAML = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_DOTENV = re.compile(r"\r\n|\n|\r")


def yaml_lines(text: str) -> list[str]:
    """The lines as YAML counts them."""
    return _YAML.split(text)


def dotenv_lines(text: str) -> list[str]:
    """The lines as python-dotenv counts them."""
    return _DOTENV.split(text)


class Lines:
    """The lines of the files of one configuration; each file is split once, if at all. They are in no `repr`."""

    __slots__ = ("_documents", "_dotenv", "_split")

    def __init__(self, documents: Sequence[Document], dotenv: Dotenv | None = None) -> None:
        self._documents = documents
        self._dotenv = dotenv
        self._split: dict[tuple[str, str | None], list[str]] = {}

    def at(self, origin: Origin) -> str:
        """The line that an origin points into; nothing where it points into none."""
        key = (origin.place, origin.file)
        if key not in self._split:
            self._split[key] = self._lines_of(origin)
        lines, number = self._split[key], origin.line or 0
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def _lines_of(self, origin: Origin) -> list[str]:
        if origin.place == "dotenv":
            return dotenv_lines(self._dotenv.text) if self._dotenv is not None else []
        return yaml_lines(next((each.text for each in self._documents if each.name == origin.file), ""))
