"""Files beside a copy of the schema, as in an editor."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.integration.language_server import Diagnostic

if TYPE_CHECKING:
    from tests.integration.language_server import LanguageServer

SCHEMA = Path(__file__).parents[2] / "schema/credconf.schema.json"
MODELINE = "# yaml-language-server: $schema=../credconf.schema.json\n"
CURSOR = "‸"
_PLACE = re.compile(r"\$\{\d+:((?:[^}\\]|\\.)*)\}|\$\d+")


class Editor:
    """An editor whose files lie in a directory, one level below the schema.

    Args:
        server: the language server that it asks.
        directory: where the files are put.
    """

    def __init__(self, server: LanguageServer, directory: Path) -> None:
        self.server = server
        self._directory = directory
        self._numbers = itertools.count(1)
        self._opened: dict[str, str] = {}
        shutil.copyfile(SCHEMA, directory / SCHEMA.name)
        (directory / "files").mkdir()

    def open(self, text: str) -> str:
        """The URI of a file with a modeline and this text. A text is opened once."""
        if text not in self._opened:
            path = self._directory / "files" / f"{next(self._numbers)}.yaml"
            path.write_text(MODELINE + text, encoding="utf-8")
            self._opened[text] = self.server.open(path)
        return self._opened[text]

    def open_file(self, path: Path) -> list[Diagnostic]:
        """What is wrong in a file as it is."""
        return self.server.diagnostics(self.server.open(path))

    def diagnostics(self, text: str) -> list[Diagnostic]:
        """What is wrong in a text; its lines count from 1, without the modeline."""
        found = self.server.diagnostics(self.open(text))
        return [Diagnostic(item.line - 1, item.start, item.end, item.message) for item in found]

    def offers(self, text: str) -> dict[str, dict[str, Any]]:
        """What can be chosen where the cursor stands in a text, by its label."""
        before, plain = _split(text)
        items = self.server.completion(self.open(plain), *_position(before))
        labels = [item["label"] for item in items]
        assert len(labels) == len(set(labels)), f"offered twice: {labels}"
        return dict(zip(labels, items, strict=True))

    def hover(self, text: str) -> str:
        """The Markdown that is shown for what the cursor stands in."""
        before, plain = _split(text)
        return self.server.hover(self.open(plain), *_position(before))


def chosen(text: str, item: dict[str, Any]) -> str:
    """The text after an offer was taken where the cursor stands, and nothing typed over what it proposes."""
    _, plain = _split(text)
    edit = item["textEdit"]
    start, end = edit["range"]["start"], edit["range"]["end"]
    lines = plain.split("\n")
    line = lines[start["line"] - 1]  # the modeline is above
    assert start["line"] == end["line"]
    filled = _PLACE.sub(lambda match: match[1] or "", edit["newText"])
    depth = len(line) - len(line.lstrip(" "))  # an editor indents the other lines like the first
    filled = filled.replace("\n", "\n" + " " * depth)
    lines[start["line"] - 1] = line[: start["character"]] + filled + line[end["character"] :]
    return "\n".join(lines)


def _split(text: str) -> tuple[str, str]:
    before, cursor, after = text.partition(CURSOR)
    assert cursor
    return before, before + after


def _position(before: str) -> tuple[int, int]:
    """The line, below the modeline, and the column; both count from 0."""
    return before.count("\n") + 1, len(before) - before.rfind("\n") - 1
