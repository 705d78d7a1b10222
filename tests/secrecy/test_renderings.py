"""The renderings that the tests of secrecy search show what programs print."""

from __future__ import annotations

import io
import os

import pytest
from rich.console import Console
from rich.traceback import Traceback

from tests.secrecy.canaries import CANARY, SECRET
from tests.secrecy.renderings import renderings


def failure(monkeypatch, local, note=""):
    """An error with a local variable in a frame that counts as one of ours."""
    monkeypatch.setattr("tests.secrecy.reach.HOME", os.path.dirname(__file__))

    def fail(held):
        raise LookupError("it failed")

    try:
        fail(local)
    except LookupError as exc:
        exc.__notes__ = [note]
        return exc


@pytest.mark.parametrize("held", [SECRET, [{"a": (SECRET,)}], b"x" + SECRET.encode()], ids=["text", "nested", "bytes"])
def test_every_printer_of_a_traceback_shows_a_secret_in_a_local_variable(monkeypatch, held):
    error = failure(monkeypatch, held)
    found = {source for source, text in renderings(error) if CANARY.found_in(text)}
    assert found >= {"traceback", "rich", "structlog", "pytest"}


def test_rich_prints_each_text_that_is_searched(monkeypatch):
    error = failure(monkeypatch, {"a key": [SECRET, 5]}, note="a note")
    file = io.StringIO()
    printed = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True, width=400)
    Console(file=file, width=400, color_system=None).print(printed)
    for text in ("LookupError", "it failed", "a note", repr({"a key": [SECRET, 5]})):
        assert text in file.getvalue()
        assert text in dict(renderings(error))["rich"]
