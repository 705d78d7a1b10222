"""`{file: PATH}`: small, regular, UTF-8; one trailing newline goes."""

from __future__ import annotations

import os

import pytest

from credconf.references import FileReference, NotFound, Reader
from tests.config.project import CANARY, ID, only

READER = Reader({})


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b"secret\n\n", "secret\n"),
        (b"two\nlines\n", "two\nlines"),
        (b" secret \n", " secret "),
        (b"\xef\xbb\xbfsecret\n", "secret"),
        ("sécret".encode(), "sécret"),
        (b"$HOME ${HOME}", "$HOME ${HOME}"),
        (b"0" * 65536, "0" * 65536),
    ],
)
def test_a_file_loses_its_mark_and_one_newline(tmp_path, content, read):
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert READER.text(FileReference(file=str(path))) == read


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"0" * 65537, "file-too-large"),
        (b"\xff\xfe\x00", "not-utf8"),
        (CANARY.encode() + b"\xff", "not-utf8"),
        (b"", "empty"),
        (b"\n", "empty"),
        (b" \t\r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
    ],
)
def test_what_can_not_be_a_secret_is_refused_where_it_is_named(project, content, code):
    project.write("secret", content)
    problem = only(project.refused_text(f"{ID}client_secret: {{file: secret}}\n"))
    assert (problem.code, problem.file, problem.line, problem.path) == (code, "app.yaml", 3, "client_secret")
    assert str(project.path / "secret") in problem.message


def test_a_missing_file_and_a_directory_are_refused(project):
    text = f"{ID}client_secret: {{file: secret}}\n"
    assert only(project.refused_text(text)).code == "missing-file"
    (project.path / "secret").mkdir()
    assert only(project.refused_text(text)).code == "not-a-file"
    assert only(project.refused_text(text.replace("secret}", "app.yaml/x}"))).code == "missing-file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_does_not_hang(project):
    os.mkfifo(project.path / "secret")
    assert only(project.refused_text(f"{ID}client_secret: {{file: secret}}\n")).code == "not-a-file"


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no devices here")
def test_a_device_is_not_read():
    found = READER.text(FileReference(file="/dev/zero"))
    assert isinstance(found, NotFound)
    assert found.code == "not-a-file"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(project):
    project.write("secret", CANARY, mode=0)
    assert only(project.refused_text(f"{ID}client_secret: {{file: secret}}\n")).code == "unreadable-file"


@pytest.mark.parametrize("path", ['"a\\0b"', "'" + "x" * 5000 + "'", '"\\n"'])
def test_a_strange_path_is_only_not_there(project, path):
    error = project.refused_text(f"{ID}client_secret: {{file: {path}}}\n")
    assert only(error).code in {"missing-file", "unreadable-file"}


def test_a_file_is_looked_at_again_each_time(project):
    project.write("secret", "old\n")
    resolved = project.flat(f"{ID}client_secret: {{file: secret}}\n")
    project.write("secret", "new\n")
    assert resolved.reader.text(resolved.settings.client_secret) == "new"


def test_a_swapped_link_is_followed(project):
    project.write("one/secret", "old")
    project.write("two/secret", "new")
    link = project.path / "..data"
    link.symlink_to("one")
    resolved = project.flat(f"{ID}client_secret: {{file: ..data/secret}}\n")
    assert resolved.reader.text(resolved.settings.client_secret) == "old"
    link.unlink()
    link.symlink_to("two")
    assert resolved.reader.text(resolved.settings.client_secret) == "new"


def test_no_file_stays_open(tmp_path):
    path = tmp_path / "secret"
    for content in (b"x", b"\xff", b"0" * 70000, b""):
        path.write_bytes(content)
        before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        READER.text(FileReference(file=str(path)))
        READER.text(FileReference(file=str(tmp_path)))
        assert (len(os.listdir("/proc/self/fd")) if before else 0) == before
