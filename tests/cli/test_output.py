"""Streams of every kind: encodings, readers that leave, disks that are full, and no input at all."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from credconf.cli.output import writing
from tests.cli.running import ROOT, program
from tests.config.project import CLIENT, COMPLETE, ID, TENANT

WHO = ("--tenant-id", TENANT, "--client-id", CLIENT)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_every_encoding_can_show_an_excerpt(project, encoding):
    project.write("a.yaml", f"{COMPLETE}clinet_id: x\n")
    result = program("check", "a.yaml", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert result.returncode == 1, result.stderr
    known = encoding in {"utf-8", "ascii"}  # click takes ASCII for a mistake, and writes UTF-8
    said = result.stdout.decode("utf-8" if known else encoding)
    assert f" 4 | clinet_id: {'…' if known else '~'}" in said
    assert result.stderr == b""


def test_carets_stand_below_what_they_mean_in_every_encoding(project):
    project.write("a.yaml", "http: {timeout: 5, ł漢: 6, retrys: 3}\n")
    carets = {}
    for encoding in ("utf-8", "cp437"):
        said = program("check", "a.yaml", PYTHONIOENCODING=encoding, PYTHONUTF8="0").stdout.decode(encoding)
        carets[encoding] = [line.partition("did")[0] for line in said.splitlines() if "^^^" in line]
    assert carets["cp437"] == carets["utf-8"] != []
    assert "{timeout: ~, ???: ~, retrys: ~}" in said


def test_outside_of_an_excerpt_what_is_missing_is_spelt_out():
    said = program("explain", "secret-in-file", PYTHONIOENCODING="cp437", PYTHONUTF8="0").stdout.decode("cp437")
    assert "client_secret: 9f3a..." in said


def test_a_file_whose_name_is_no_text_can_be_named(project):
    name = os.fsdecode(b"caf\xe9.yaml")
    try:
        project.write(name, "cloud: moon")
    except OSError:
        pytest.skip("the file system takes names of UTF-8 only")
    result = program("check", name)
    assert result.returncode == 1
    assert result.stderr == b""
    assert program("check", "--format", "json", name).returncode == 1


@pytest.mark.parametrize("arguments", [("schema",), ("explain",), ("show",), ("check", "--help"), ("nothing",)])
def test_a_closed_pipe_has_its_own_exit_status(project, arguments):
    command = [sys.executable, "-m", "credconf", *arguments]
    ours, theirs = os.pipe()
    os.close(ours)
    streams = {"stdout": theirs, "stderr": theirs if arguments == ("nothing",) else subprocess.PIPE}
    result = subprocess.run(command, **streams, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    os.close(theirs)
    assert (result.returncode, result.stderr or b"") == (141, b"")


def test_a_reader_that_leaves_in_the_middle_hears_nothing(project):
    command = [sys.executable, "-m", "credconf", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in {0, 141}  # all of it may have been in the pipe already


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [("schema",), ("check", "a.yaml"), ("show",), ("init", *WHO), ("--help",)])
def test_an_output_that_can_not_be_written_is_one_line(project, arguments):
    project.write("a.yaml", ID)
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "credconf", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert result.returncode == 74
    assert result.stderr == b"Error: the output can't be written: No space left on device\n"


def test_an_error_of_a_file_is_not_taken_for_one_of_the_output():
    with pytest.raises(PermissionError), writing():
        raise PermissionError(13, "Permission denied", "credconf.yaml")
    with pytest.raises(ConnectionRefusedError), writing():
        raise ConnectionRefusedError(111, "Connection refused")


@pytest.mark.skipif(os.name != "posix", reason="a shell that closes a stream")
@pytest.mark.parametrize("call", ["check -", "check -f -", "init"])
def test_without_a_standard_input_the_call_is_wrong(project, call):
    command = f'exec "{sys.executable}" -m credconf {call} <&-'
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, env=environ)
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)
    assert "standard input: it is closed" in result.stderr or "without a terminal" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="a shell that opens a stream")
def test_a_standard_input_that_can_not_be_read_is_a_wrong_call(project):
    command = f'exec "{sys.executable}" -m credconf check - 0>out'
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, env=environ)
    assert (result.returncode, result.stderr.splitlines()[-1]) == (2, "Error: standard input can't be read")


@pytest.mark.parametrize(("name", "coloured"), [("ANY", False), ("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colours_are_for_terminals(project, name, coloured):
    environ = {name: "1"}
    project.write("a.yaml", COMPLETE)
    assert (b"\x1b[" in program("check", "a.yaml", **environ).stdout) is coloured
    assert b"\x1b[" not in program("check", "--format", "json", "a.yaml", **environ).stdout
