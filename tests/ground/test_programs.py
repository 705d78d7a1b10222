"""Running a program in another directory, and keeping its standard error. See also `tests/references/test_command`."""

from __future__ import annotations

import os
import sys

from credconf.ground.programs import Failed, run

LIMIT = 1000


def program(text, seconds=20.0, limit=LIMIT, **options):
    return run((sys.executable, "-I", "-c", text), os.environ, seconds, limit, **options)


def test_it_runs_in_the_given_directory(tmp_path):
    text = "import os; print(os.getcwd(), end='')"
    assert program(text, directory=str(tmp_path)) == os.fsencode(os.path.realpath(tmp_path))
    assert program(text) == os.fsencode(os.getcwd())


def test_a_directory_that_does_not_exist_is_told(tmp_path):
    found = program("pass", directory=str(tmp_path / "none"))
    assert isinstance(found, Failed)
    assert found.reason == "start"


def test_a_failure_keeps_the_standard_error_where_that_is_asked_for():
    text = "import sys; sys.stderr.write('why'); sys.exit(3)"
    found = program(text, keep_errors=True)
    assert isinstance(found, Failed)
    assert (found.reason, found.status, found.errors) == ("status", 3, b"why")
    assert "why" not in repr(found)
    without = program(text)
    assert isinstance(without, Failed)
    assert without.errors == b""


def test_a_long_standard_error_is_cut_and_blocks_nothing():
    text = "import sys; sys.stderr.write('e' * 1_000_000); print('out', end='', flush=True); sys.exit(int(sys.argv[1]))"
    command = (sys.executable, "-I", "-c", text)
    assert run((*command, "0"), os.environ, 20.0, LIMIT, keep_errors=True) == b"out"
    found = run((*command, "3"), os.environ, 20.0, LIMIT, keep_errors=True)
    assert isinstance(found, Failed)
    assert found.errors == b"e" * LIMIT


def test_what_was_written_before_the_time_limit_is_kept():
    text = "import sys, time; sys.stderr.write('waiting'); sys.stderr.flush(); time.sleep(60)"
    found = program(text, 3.0, keep_errors=True)
    assert isinstance(found, Failed)
    assert (found.reason, found.status, found.errors) == ("time", None, b"waiting")


def test_too_much_output_ends_it():
    found = program("print('o' * 100_000, flush=True); import time; time.sleep(60)", keep_errors=True)
    assert isinstance(found, Failed)
    assert found.reason == "size"


def test_no_descriptor_is_left_open():
    before = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0
    for text in ("pass", "raise SystemExit(1)"):
        program(text, keep_errors=True)
    assert before == (len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0)
