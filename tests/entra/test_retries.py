"""Decisions on retries, without a clock or a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credconf.entra.http import (
    LONGEST_WAIT,
    RETRIED_STATUSES,
    Response,
    TransportFailure,
    backoff,
    is_retryable,
    next_wait,
    retry_after,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ["retry-after", "retry-after-ms", "x-ms-retry-after-ms"]


def wait(outcome, *, failures=1, left=30.0, jitter=1.0):
    return next_wait(outcome, failures=failures, left=left, jitter=jitter, now=NOW.timestamp())


@pytest.mark.parametrize("status", sorted(RETRIED_STATUSES))
def test_a_transient_status_is_retried(status):
    assert is_retryable(Response(status, ""))


@pytest.mark.parametrize("status", [200, 201, 204, 301, 302, 400, 401, 403, 404, 413, 501, 505])
def test_any_other_status_is_an_answer(status):
    assert wait(Response(status, "", {"retry-after": "1"})) is None


def test_a_failure_has_a_flag_for_retries():
    assert wait(TransportFailure("reset", "dropped", retryable=True)) == 0.2
    assert wait(TransportFailure("tls", "expired")) is None


def test_the_wait_doubles_up_to_a_cap():
    assert [backoff(n, jitter=1.0) for n in range(1, 8)] == [0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_WAIT, LONGEST_WAIT]


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_jitter_halves_the_wait_at_most(failures, jitter):
    assert backoff(failures, 1.0) / 2 <= backoff(failures, jitter) <= backoff(failures, 1.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        ({"retry-after": "Thu, 01 Jan 2026 00:01:30 -0000"}, 90),
        ({"retry-after": format_datetime(NOW - timedelta(days=1), usegmt=True)}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after": "soon", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "1", "retry-after-ms": "250"}, 1),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_the_server_may_name_the_wait(headers, seconds):
    assert retry_after(headers, NOW.timestamp()) == seconds


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first text makes a table of characters
@given(st.dictionaries(st.sampled_from(NAMES), st.text() | st.text("0123456789:., +-JanFebGMT")))
@example({"retry-after": "9" * 5000})
@example({"retry-after": "Mon, 99 Foo 99999999999999999 99:99:99 +9999"})
@example({"retry-after": "Mon, 01 Jan 0001 00:00:00 +2359"})
@example({"retry-after": "٣"})
def test_no_header_raises_or_gives_a_negative_wait(headers):
    given_wait = retry_after(headers, NOW.timestamp())
    assert given_wait is None or given_wait >= 0


def test_the_wait_of_the_server_overrides_ours():
    assert wait(Response(429, "", {"retry-after": "7"})) == 7
    assert wait(Response(429, "", {"retry-after": "tomorrow"})) == 0.2


@pytest.mark.parametrize("left", [7.0, 3.0, 0.0, -1.0])
def test_a_wait_beyond_the_deadline_is_none(left):
    assert wait(Response(429, "", {"retry-after": "7"}), left=left) is None
