"""What the fake remembers, with many clients at once."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests


def form_of(entra):
    return {
        "grant_type": "client_credentials",
        "client_id": entra.client_id,
        "client_secret": entra.client_secret,
        "scope": "https://storage.azure.com/.default",
    }


@pytest.fixture
def ask_alone(entra):
    """Ask on a connection of one's own."""

    def ask_alone(_: object = None) -> int:
        with requests.Session() as session:
            session.trust_env = False
            url = f"{entra.authority}/{entra.tenant_id}/oauth2/v2.0/token"
            return session.post(url, data=form_of(entra), verify=entra.ca_bundle, timeout=60).status_code

    return ask_alone


def test_a_request_is_recorded_completely(ask, entra):
    entra.strict_scopes = False
    ask(scope="one two", headers={"X-Client-SKU": "test"})
    (request,) = entra.requests
    assert (request.kind, request.method, request.status) == ("token", "POST", 200)
    assert request.path == f"/{entra.tenant_id}/oauth2/v2.0/token"
    assert (request.tenant, request.client_id) == (entra.tenant_id, entra.client_id)
    assert (request.scopes, request.claims) == (("one", "two"), None)
    assert (request.proof, request.x5c) == ("secret", False)
    assert request.headers["x-client-sku"] == "test"
    assert request.form["client_secret"] == entra.client_secret
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.status = 500


def test_nothing_shows_a_secret(ask, entra):
    ask(headers={"Authorization": f"Basic {entra.client_secret}"})
    shown = repr([entra, entra.registration, entra.requests])
    assert entra.client_secret not in shown
    assert entra.client_id in shown


def test_two_hundred_requests_at_once_are_answered_and_counted(ask_alone, entra):
    gate = threading.Barrier(200, timeout=60)
    entra.before_token = lambda _: gate.wait() and None
    with ThreadPoolExecutor(200) as pool:
        statuses = list(pool.map(ask_alone, range(200)))
    assert statuses == [200] * 200
    assert entra.count() == len(entra.requests) == 200
    assert entra.concurrent == 200
    entra.before_token = None
    entra.forget_requests()
    assert (entra.count(), entra.requests, entra.concurrent) == (0, [], 0)
    assert ask_alone() == 200
    assert entra.concurrent == 1


def test_one_client_after_another_is_never_two_at_once(ask, entra):
    for _ in range(50):
        ask()
    assert entra.concurrent == 1


def test_counted_faults_hold_for_exactly_so_many_of_many_clients(ask_alone, entra):
    entra.throttles(times=13)
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(ask_alone, range(60)))
    assert statuses.count(429) == 13
    assert statuses.count(200) == 47


def test_the_hook_sees_the_request_in_the_log_before_it_is_answered(ask_alone, entra):
    seen, go_on = threading.Event(), threading.Event()

    def hook(request):
        assert request.kind == "token"
        seen.set()
        assert go_on.wait(20)

    entra.before_token = hook
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask_alone)
        assert seen.wait(20)
        assert entra.count() == 1
        assert not answer.done()
        go_on.set()
        assert answer.result(20) == 200


def test_a_failing_hook_becomes_a_500(ask, entra):
    def hook(_):
        raise KeyError("it")

    entra.before_token = hook
    answer = ask()
    assert (answer.status_code, answer.text) == (500, "before_token raised KeyError")
