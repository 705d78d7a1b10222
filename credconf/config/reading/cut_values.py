"""Finds values that may have been cut at ` #`, where YAML and `.env` begin a comment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credconf.problems import Problem

from .nodes import Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credconf.config.layers import Value
    from credconf.problems.problem import Origin

    from .nodes import Lines

# A single word directly after `#`. With a space after `#`, or with more words, it is a comment.
_CUT_OFF: Final = r"\s+#(?P<word>[^\s#]+)\s*"
# Comments that are often written this way: marks for linters and secret scanners.
_MARKS: Final = r"(?i)(todo|fixme|noqa|nosec|nosonar|nosemgrep|xxx|gitleaks|pragma|checkov|yamllint|trufflehog)\b.*"


def cut_values(path: str, value: Value, lines: Lines) -> Iterator[Problem]:
    """Yield a warning for a value, or an item of its list, that ends before ` #WORD`.

    Args:
        path: the path of the setting.
        value: its value.
        lines: the lines of the files.
    """
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
        if "#" not in line[end:] or not line.startswith(node.text, node.column - 1):
            continue
        match = re.fullmatch(_CUT_OFF, line[end:])
        if match is not None and not re.fullmatch(_MARKS, match["word"]):
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
        and not re.fullmatch(_MARKS, word)
    )


def _cut_off(path: str, origin: Origin) -> Problem:
    message = f"`{path}` ends before ` #`: the rest is a comment"
    return Problem(
        "cut-value", message, "warning", path, origin, "put quotes around the value if the rest is part of it"
    )
