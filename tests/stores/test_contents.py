"""What one file of tokens contains: what is dropped from it, and how old a token is."""

from __future__ import annotations

import json

import pytest

from credconf.problems.failure import Failure
from credconf.stores.contents import MOST_FAILURES, Clocks, Contents
from credconf.stores.store import Entry, Stored
from tests.contract.faces import Clock

LARGEST = 64 * 1024


class Machine:
    def __init__(self):
        self.wall, self.monotonic = Clock(), Clock(1_000.0)
        self.clocks = Clocks(self.wall, self.monotonic)

    def wait(self, seconds):
        self.wall.advance(seconds)
        self.monotonic.advance(seconds)

    def again(self, contents):
        """What another process reads."""
        return Contents.parsed(contents.text(LARGEST), self.clocks)


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def contents(machine):
    return Contents(machine.clocks)


def entry(token="token", lifetime=3600.0):
    return Entry(token, "Bearer", lifetime, None, 0.0)


def failure(length=0):
    return Failure("x" * length, "error")


def document(contents, largest=LARGEST):
    return json.loads(contents.text(largest))


def test_what_is_written_is_read_again(machine, contents):
    contents.add("key", entry())
    contents.add_failure("other", failure(), 30)
    read = machine.again(contents)
    assert read.found("key").entry.token == "token"
    assert read.found("other").failure == failure()
    assert read.found("third") == Stored()


def test_what_has_expired_is_not_written(machine, contents):
    contents.add("short", entry(lifetime=60))
    contents.add_failure("failed", failure(), 30)
    machine.wait(61)
    contents.add("long", entry())
    assert list(document(contents)["tokens"]) == ["long"]
    assert document(contents)["failures"] == {}


def test_the_oldest_tokens_go_beyond_the_bound(contents):
    for number in range(5):
        contents.add(str(number), entry("x" * 1_000))
    contents.add("2", entry("again"))
    assert list(document(contents, 3_000)["tokens"]) == ["3", "4", "2"]


def test_what_has_expired_goes_before_what_is_old(machine, contents):
    contents.add("old", entry("x" * 1_000))
    contents.add("short", entry("x" * 1_000, lifetime=60))
    machine.wait(61)
    contents.add("new", entry("x" * 1_000))
    assert list(document(contents, 3_000)["tokens"]) == ["old", "new"]


def test_failures_push_no_token_out(contents):
    for number in range(3):
        contents.add(str(number), entry("x" * 15_000))
    for number in range(30):
        contents.add_failure(str(number + 10), failure(5_000), 30)
    written = document(contents)
    assert list(written["tokens"]) == ["0", "1", "2"]
    assert list(written["failures"])[-1] == "39"
    assert len(json.dumps(written)) <= LARGEST


def test_only_the_latest_failures_are_kept(contents):
    for number in range(MOST_FAILURES):
        contents.add_failure(str(number), failure(), 30)
    contents.add_failure("0", failure(), 30)
    contents.add_failure("new", failure(), 30)
    kept = list(document(contents)["failures"])
    assert len(kept) == MOST_FAILURES
    assert kept[0] == "2"
    assert kept[-2:] == ["0", "new"]


def test_a_token_beyond_the_bound_is_not_kept(contents):
    contents.add("key", entry("x" * LARGEST))
    assert document(contents)["tokens"] == {}


@pytest.mark.parametrize("hour", [-3600, 3600, -86400 * 365])
def test_setting_the_clock_makes_no_token_younger(machine, contents, hour):
    contents.add("key", entry(lifetime=600))
    read = machine.again(contents)
    machine.wall.advance(hour)
    machine.monotonic.advance(300)
    found = read.found("key").entry
    assert found is None or found.age >= 300


def test_a_restart_of_the_machine_is_survived(machine, contents):
    contents.add("key", entry(lifetime=600))
    read = machine.again(contents)
    machine.wall.advance(100)
    machine.monotonic.advance(to=5)
    assert read.found("key").entry.age == pytest.approx(100)


def test_after_a_restart_with_the_clock_set_back_nothing_is_believed(machine, contents):
    contents.add("key", entry(lifetime=600))
    read = machine.again(contents)
    machine.wall.advance(-3600)
    machine.monotonic.advance(to=5)
    assert read.found("key") == Stored()
