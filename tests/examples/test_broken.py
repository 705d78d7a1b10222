"""Each code that a file can produce has a broken file, and the broken file says what it said when it was written."""

from __future__ import annotations

import re

import pytest

from credconf.problems.catalogue import CODES
from tests.examples.sessions import BROKEN, CANARY, SESSION, Session, folders, play

README = (BROKEN / "README.md").read_text(encoding="utf-8")
WITHOUT = dict(re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", README, re.MULTILINE))
BY_CODE = {folder.name: folder for folder in folders()}
# A program runs when a token is asked for, not when the configuration is judged; its failure is told in another form.
AT_A_TOKEN = {"command-failed"}


def test_every_code_has_a_broken_file_or_a_reason():
    assert not BY_CODE.keys() & WITHOUT.keys()
    assert BY_CODE.keys() | WITHOUT.keys() == set(CODES)


@pytest.mark.parametrize("code", BY_CODE)
def test_a_broken_file_says_what_is_written_beside_it(code):
    status, session = play(BY_CODE[code])
    assert str(session) == (BY_CODE[code] / SESSION).read_text(encoding="utf-8")
    assert CANARY not in session.said
    assert status == ("error" in session.said)


@pytest.mark.parametrize("code", BY_CODE)
def test_a_session_shows_the_code_of_its_folder(code):
    said = Session.read(BY_CODE[code]).said
    shown = rf'"error": "{code}"' if code in AT_A_TOKEN else rf"^(error|warning)\[{code}\]: "
    assert re.search(shown, said, re.MULTILINE)


def test_the_readme_tells_the_command_that_writes_the_sessions():
    assert ".venv/bin/python -m tests.examples.sessions\n" in README


@pytest.mark.parametrize("code", BY_CODE)
def test_most_of_a_broken_file_is_in_order(code):
    """There is no other error, so that the broken line is clear."""
    said = re.findall(r"^error\[([a-z0-9-]+)\]: ", Session.read(BY_CODE[code]).said, re.MULTILINE)
    assert set(said) <= {code}
