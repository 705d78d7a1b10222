"""The lines of a text, as the parser that gave the positions counts them."""

from __future__ import annotations

import re

_YAML = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_DOTENV = re.compile(r"\r\n|\n|\r")


def yaml_lines(text: str) -> list[str]:
    """The lines as YAML counts them."""
    return _YAML.split(text)


def dotenv_lines(text: str) -> list[str]:
    """The lines as python-dotenv counts them."""
    return _DOTENV.split(text)
