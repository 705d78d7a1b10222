"""Every way to fail, over real connections."""

from __future__ import annotations

import time

import pytest
import requests


def test_a_server_that_is_down_refuses_connections_and_comes_back_on_its_port(ask, entra):
    port = entra.port
    assert ask().ok  # leaves a connection open, which must not survive
    for _ in range(3):
        entra.goes_down()
        entra.goes_down()
        with pytest.raises(requests.ConnectionError, match="refused"):
            ask()
        entra.comes_back()
        entra.comes_back()
        assert entra.port == port
        assert ask().ok
    assert entra.count() == 4


def test_going_down_breaks_a_request_in_progress(ask, entra):
    entra.before_token = lambda _: entra.goes_down()
    with pytest.raises(requests.ConnectionError):
        ask()
    entra.before_token = None
    entra.recovers()
    assert ask().ok


def test_a_slow_server_answers_in_the_end(ask, entra):
    entra.is_slow(0.3, times=1)
    began = time.monotonic()
    assert ask().ok
    assert time.monotonic() - began >= 0.3
    entra.is_slow(60)
    with pytest.raises(requests.ReadTimeout):
        ask(timeout=0.2)
    entra.recovers()
    assert ask().ok


@pytest.mark.parametrize(("fault", "status", "code"), [("throttles", 429, 90055), ("is_unavailable", 503, 90033)])
def test_a_busy_server_sends_retry_after(ask, entra, fault, status, code):
    busy = getattr(entra, fault)
    busy(retry_after=7, times=1)
    busy(retry_after="Fri, 31 Dec 1999 23:59:59 GMT", times=1)
    busy(times=1)
    busy(retry_after=1, body="", times=1)
    answers = [ask() for _ in range(5)]
    assert [answer.status_code for answer in answers] == [status] * 4 + [200]
    expected = ["7", "Fri, 31 Dec 1999 23:59:59 GMT", None, "1"]
    assert [answer.headers.get("Retry-After") for answer in answers[:4]] == expected
    assert answers[0].json()["error_codes"] == [code]
    assert answers[3].content == b""


@pytest.mark.parametrize("body", [b"", b"{", b"<html>gateway</html>", b"null", "töken"])
def test_any_body_can_be_answered(ask, entra, body):
    entra.answers(body=body, content_type="text/html", headers={"X-Proxy": "yes"}, times=1)
    answer = ask()
    assert answer.status_code == 200
    assert answer.content == (body.encode() if isinstance(body, str) else body)
    assert (answer.headers["Content-Type"], answer.headers["X-Proxy"]) == ("text/html", "yes")
    assert ask().ok


def test_any_status_can_be_answered(ask, entra):
    entra.answers(599, b"odd", times=1)
    assert ask().status_code == 599
    assert entra.requests[0].status == 599


def test_a_truncated_answer_ends_early(ask, entra):
    entra.truncates(times=1)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        ask()
    assert ask().ok
    assert entra.count() == 2


def test_a_dropped_connection_is_in_the_log_without_a_status(ask, entra):
    entra.drops_connections(times=1)
    with pytest.raises(requests.ConnectionError):
        ask()
    assert ask().ok
    assert [request.status for request in entra.requests] == [0, 200]


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirection_names_its_location(ask, entra, status):
    entra.redirects("https://evil.example/token", times=1, status=status)
    answer = ask()
    assert (answer.status_code, answer.headers["Location"]) == (status, "https://evil.example/token")


def test_a_dripping_body_arrives_whole(ask, entra):
    entra.answers(body=b"0123456789", times=1)
    entra.drips(0.02, times=1)
    began = time.monotonic()
    assert ask().content == b"0123456789"
    assert time.monotonic() - began >= 0.2


def test_a_dripping_body_ends_when_the_server_stops(ask, entra):
    entra.drips(30)
    with pytest.raises(requests.ConnectionError):
        ask(timeout=0.3)
    began = time.monotonic()
    entra.stop()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (7000222, 401, "invalid_client"),
        (90002, 400, "invalid_request"),
        (53003, 400, "invalid_grant"),
        (424242, 400, "invalid_grant"),
    ],
)
def test_a_refusal_can_be_ordered_by_its_code(ask, entra, code, status, error):
    entra.refuses(code, times=1)
    answer = ask()
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert f"AADSTS{code}: " in body["error_description"]
    assert entra.client_secret not in answer.text
    assert ask().ok


def test_counted_faults_are_used_up_in_order_before_the_standing_one(ask, entra):
    entra.answers(500)
    entra.is_unavailable(times=2)
    entra.throttles(times=1)
    assert [ask().status_code for _ in range(5)] == [503, 503, 429, 500, 500]
    entra.answers(502)
    assert ask().status_code == 502
    entra.recovers()
    assert ask().ok


def test_a_wait_and_an_answer_combine(ask, entra):
    entra.is_slow(0.2)
    entra.throttles(times=1)
    began = time.monotonic()
    assert ask().status_code == 429
    assert time.monotonic() - began >= 0.2


def test_a_fault_applies_to_token_requests_by_default(ask, entra, session):
    def discover() -> int:
        url = f"{entra.authority}/{entra.tenant_id}/v2.0/.well-known/openid-configuration"
        return session.get(url, timeout=20).status_code

    entra.throttles()
    assert (ask().status_code, discover()) == (429, 200)
    entra.recovers()
    entra.throttles(on="discovery")
    assert (ask().status_code, discover()) == (200, 429)
    entra.recovers()
    entra.throttles(on="all", times=2)
    assert (ask().status_code, discover(), ask().status_code) == (429, 429, 200)


def test_a_fault_for_no_request_is_a_mistake(entra):
    with pytest.raises(ValueError, match="times"):
        entra.throttles(times=0)
    with pytest.raises(ValueError, match="on"):
        entra.throttles(on="tokens")
