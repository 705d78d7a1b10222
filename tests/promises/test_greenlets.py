"""The promises hold under gevent and eventlet, which patch the standard library in workers of gunicorn and Celery."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil

import pytest

from tests.secrecy.canaries import SECRET

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed")
    for name in ("gevent", "eventlet")
]
CAT = shutil.which("cat")
LIBRARIES = ["gevent", "eventlet"]


@pytest.fixture(params=LIBRARIES)
def library(request):
    return request.param


def test_fifty_greenlets_make_one_request(children, library):
    children.run(library, "greenlets:cold_crowd")


def test_a_valid_token_survives_an_outage(children, library):
    children.run(library, "greenlets:outage")


def test_a_token_that_is_due_is_refreshed_in_the_background(children, library):
    children.run(library, "greenlets:refresh")


PLACES = ["request", "client", "discovery", "verify"]


@pytest.mark.parametrize("how", ["timeout", "kill"])
@pytest.mark.parametrize("place", PLACES)
def test_stopping_the_leader_ends_only_its_own_call(children, library, how, place):
    children.run(library, "greenlets:leader_is_stopped", how, place)


@pytest.mark.parametrize("how", ["timeout", "kill"])
def test_stopping_a_follower_ends_only_its_own_call(children, library, how):
    children.run(library, "greenlets:follower_is_stopped", how)


def test_a_secret_comes_from_a_command(children, library, tmp_path):
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    children.run(library, "greenlets:command", CAT, str(secret))


def test_a_secret_comes_from_a_file(children, library, tmp_path):
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    children.run(library, "greenlets:from_file", str(secret))


@pytest.mark.parametrize("how", ["timeout", "kill"])
def test_stopping_the_leader_while_a_command_runs_ends_only_its_own_call(children, library, how, tmp_path):
    os.mkfifo(tmp_path / "secret", mode=0o600)
    children.run(library, "greenlets:leader_is_stopped_in_a_command", how, CAT, str(tmp_path / "secret"))


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_credentials_share_a_token_cache(children, library, kind, request):
    cache = {"kind": "file", "allow_unencrypted_storage": True}
    if kind == "redis":
        cache = {"url": request.getfixturevalue("redis_url")}
    children.run(library, "greenlets:shared_cache", json.dumps(cache))


def test_a_native_thread_of_gevent_shares_the_token_of_the_greenlets(children):
    children.run("gevent", "greenlets:native_thread")


def test_a_secret_in_the_output_of_a_child_fails_its_test(children):
    with pytest.raises(AssertionError, match="output"):
        children.run("threads", "greenlets:shown")


def test_a_credential_is_closed_while_greenlets_wait(children, library):
    children.run(library, "greenlets:closed_meanwhile")
