"""What holds for threads holds for greenlets of gevent and eventlet, as gunicorn's and Celery's workers run them."""

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


def test_a_valid_token_outlives_an_outage(children, library):
    children.run(library, "greenlets:outage")


def test_a_token_that_is_due_is_refreshed_behind_the_callers(children, library):
    children.run(library, "greenlets:refresh")


PLACES = ["request", "client", "discovery", "verify"]
STOPPED = [
    *[("gevent", how, place) for how in ("timeout", "kill") for place in PLACES],
    *[("eventlet", how, place) for how, place in zip(("timeout", "kill") * 2, PLACES, strict=True)],
]


@pytest.mark.xfail(raises=AssertionError, strict=True, reason="what stops a greenlet becomes a failure of all")
@pytest.mark.parametrize(("under", "how", "place"), STOPPED)
def test_a_greenlet_that_asks_for_all_and_is_stopped_ends_alone(children, under, how, place):
    children.run(under, "greenlets:leader_is_stopped", how, place)


@pytest.mark.parametrize("how", ["timeout", "kill"])
def test_a_greenlet_that_waits_and_is_stopped_ends_alone(children, library, how):
    children.run(library, "greenlets:follower_is_stopped", how)


def test_a_command_prints_the_secret(children, library, tmp_path):
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    children.run(library, "greenlets:command", CAT, str(secret))


@pytest.mark.parametrize("how", ["timeout", "kill"])
def test_a_greenlet_that_is_stopped_while_a_command_runs_ends_alone(children, library, how, tmp_path):
    os.mkfifo(tmp_path / "secret", mode=0o600)
    children.run(library, "greenlets:leader_is_stopped_in_a_command", how, CAT, str(tmp_path / "secret"))


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_credentials_share_their_tokens(children, library, kind, request):
    cache = {"kind": "file", "allow_unencrypted_storage": True}
    if kind == "redis":
        cache = {"url": request.getfixturevalue("redis_url")}
    children.run(library, "greenlets:shared_cache", json.dumps(cache))


def test_a_native_thread_of_gevent_has_the_token_of_the_greenlets(children):
    children.run("gevent", "greenlets:native_thread")


def test_a_secret_that_is_shown_is_found(children):
    with pytest.raises(AssertionError, match="output"):
        children.run("threads", "greenlets:shown")


def test_a_credential_is_closed_while_greenlets_wait(children, library):
    children.run(library, "greenlets:closed_meanwhile")
