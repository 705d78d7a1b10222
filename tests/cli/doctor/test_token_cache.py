"""Where tokens are shared: what would keep processes from it, and that nothing is left there."""

from __future__ import annotations

import os
import sys

import pytest

from tests.cli.doctor.reports import Report

plain_file = pytest.mark.skipif(sys.platform == "win32", reason="Windows encrypts every file")


@pytest.fixture
def cache_home(tmp_path, monkeypatch):
    home = tmp_path / "caches"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setenv("CREDCONF_TOKEN_CACHE__KIND", "file")
    monkeypatch.setenv("CREDCONF_TOKEN_CACHE__NAME", "doctor")
    monkeypatch.setenv("CREDCONF_TOKEN_CACHE__ALLOW_UNENCRYPTED_STORAGE", "true")
    monkeypatch.setitem(sys.modules, "gi", None)  # no libsecret
    return home


def test_without_one_it_is_memory(entra):
    assert Report()["token cache"]["summary"] == "in the memory of each process"


@plain_file
def test_a_file_that_can_be_used_is_named_and_stays_as_it_is(entra, cache_home):
    report = Report()
    path = cache_home / "credconf" / "doctor.tokens"
    assert report["token cache"]["summary"] == f"the token cache {path} can be read and written"
    assert (report.status, os.listdir(path)) == (0, [])


@plain_file
def test_a_machine_without_encryption_ends_the_first_step_as_from_config_would(entra, cache_home, monkeypatch):
    monkeypatch.delenv("CREDCONF_TOKEN_CACHE__ALLOW_UNENCRYPTED_STORAGE")
    (problem,) = Report().ends_at("configuration")["problems"]
    assert (problem["code"], problem["origin"]) == ("no-encryption", "$CREDCONF_TOKEN_CACHE__KIND")


@plain_file
def test_a_directory_that_can_not_be_used_is_a_warning_with_a_fix(entra, cache_home):
    cache_home.write_text("no directory")
    report = Report()
    found = report["token cache"]
    assert (report.status, found["result"], report["token"]["result"]) == (0, "warning", "ok")
    assert "can't be used: the directory" in found["summary"]
    assert "XDG_CACHE_HOME" in found["fix"]


def test_a_redis_that_is_not_there_is_a_warning_with_a_fix_and_no_line_of_the_log(entra, monkeypatch, caplog):
    pytest.importorskip("redis")
    monkeypatch.setenv("CREDCONF_TOKEN_CACHE__URL", "redis://127.0.0.1:1/0")
    report = Report()
    found = report["token cache"]
    assert (report.status, found["result"], report["token"]["result"]) == (0, "warning", "ok")
    assert found["summary"] == "the Redis at 127.0.0.1:1 can't be used: there is no connection to it"
    assert found["fix"].startswith("Check `token_cache.url`")
    assert "can't be used" not in caplog.text
    assert report.text.endswith("\nThe token request works (1 warning).\n")


def test_a_redis_that_is_there_is_left_as_it_was(entra, monkeypatch, redis_url, redis_server):
    monkeypatch.setenv("CREDCONF_TOKEN_CACHE__URL", redis_url)
    assert Report()["token cache"]["summary"].endswith(" can be read and written")
    with redis_server.client() as client:
        assert client.keys() == []
