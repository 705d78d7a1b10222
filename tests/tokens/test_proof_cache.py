"""Each way to a proof is read when it may have changed; a program runs once for all who need its output."""

from __future__ import annotations

import threading

import pytest

from credconf.entra.proof import Candidate, Proof, Sealed
from credconf.references import EnvReference, FileReference, NotFound, Reader
from credconf.tokens.proof_cache import ProofCache
from tests.promises.answering import Threads

CANARY = "canary~of-a.secret_42"


class Program:
    """A candidate whose reading can be held up, and is counted."""

    def __init__(self):
        self.runs = 0
        self.free, self.running = threading.Event(), threading.Event()
        self.free.set()
        self.candidate = Candidate("client_secret", "vault", self.read, lambda _: ("command",), runs=True)

    def read(self, _):
        self.runs += 1
        self.running.set()
        assert self.free.wait(20)
        text = f"{CANARY} {self.runs}"
        return Proof(text, (text,), "vault")


@pytest.fixture
def program():
    return Program()


@pytest.fixture
def cache():
    return ProofCache(Reader({}), lambda: 0.0)


def credential_of(reading):
    assert isinstance(reading.outcome, Sealed)
    return reading.outcome.open().credential


def test_many_threads_run_a_program_once(program, cache):
    program.free.clear()
    threads = Threads(*[lambda: cache.now(program.candidate)[0]] * 20)
    assert program.running.wait(20)
    program.free.set()
    assert {credential_of(reading) for reading in threads.joined()} == {f"{CANARY} 1"}


def test_those_who_were_refused_run_it_again_once(program, cache):
    refused, _ = cache.now(program.candidate)
    threads = Threads(*[lambda: cache.again(program.candidate, refused)] * 20)
    assert {credential_of(reading) for reading in threads.joined()} == {f"{CANARY} 2"}
    assert cache.now(program.candidate) == (cache.again(program.candidate, refused), True)
    assert program.runs == 2


def test_the_child_of_a_fork_does_not_wait_for_the_parents_program(program, cache):
    program.free.clear()
    threads = Threads(lambda: cache.now(program.candidate))
    assert program.running.wait(20)
    cache.after_fork()  # as in the child, where that thread does not go on
    child = Program()
    assert credential_of(cache.now(child.candidate)[0]) == f"{CANARY} 1"
    program.free.set()
    threads.joined()


def test_an_interrupted_program_is_run_by_the_next_who_waits(program, cache):
    program.free.clear()
    interrupts = [KeyboardInterrupt()]
    read = program.read

    def interrupted(reader):
        proof = read(reader)
        if interrupts:
            raise interrupts.pop()
        return proof

    candidate = Candidate("client_secret", "vault", interrupted, lambda _: ("command",), runs=True)
    threads = Threads(*[lambda: cache.now(candidate)[0]] * 5)
    assert program.running.wait(20)
    program.free.set()
    outcomes = threads.joined()
    assert sum(isinstance(outcome, KeyboardInterrupt) for outcome in outcomes) == 1
    assert sum(not isinstance(outcome, KeyboardInterrupt) for outcome in outcomes) == 4
    assert program.runs == 2


def test_nothing_of_a_reading_shows_what_was_read(program, cache):
    reading, _ = cache.now(program.candidate)
    assert CANARY not in f"{reading!r} {cache._kept!r} {vars(cache)!r}"


# Stamps


def test_a_file_has_another_stamp_after_each_kind_of_change(tmp_path):
    path = tmp_path / "secret"
    reader, reference = Reader({}), FileReference(file=str(path))
    stamps = [reader.stamp(reference)]
    assert stamps == [None]
    path.write_text("one")
    stamps.append(reader.stamp(reference))
    assert reader.stamp(reference) == stamps[-1]
    path.write_text("three")
    stamps.append(reader.stamp(reference))
    (tmp_path / "other").write_text("three")
    (tmp_path / "other").replace(path)
    stamps.append(reader.stamp(reference))
    assert len(set(stamps)) == len(stamps)


def test_a_path_that_is_none_has_no_stamp():
    assert Reader({}).stamp(FileReference(file="a\0b")) is None


def test_the_stamp_of_a_variable_tells_texts_apart_and_shows_none():
    environ = {"NAME": CANARY}
    reader, reference = Reader(environ), EnvReference(env="NAME")
    first = reader.stamp(reference)
    assert reader.stamp(reference) == first
    assert CANARY not in repr(first)
    environ["NAME"] += "x"
    assert reader.stamp(reference) not in {first, None}
    del environ["NAME"]
    assert reader.stamp(reference) is None
    assert isinstance(reader.text(reference), NotFound)
