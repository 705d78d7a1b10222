"""How claims and times are read and shown. `test_token.py` tests the whole command."""

from __future__ import annotations

import pytest

from credconf.cli.output import iso, lifetime, utc
from credconf.cli.token import readable


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "expired"),
        (0, "expired"),
        (90, "for 90 seconds"),
        (600, "for 10 minutes"),
        (3600, "for 60 minutes"),
        (86399, "for 24 hours"),
        (3 * 86400, "for 3 days"),
    ],
)
def test_a_lifetime_uses_the_largest_unit_that_fits(seconds, words):
    assert lifetime(seconds) == words


def test_times_are_utc_and_those_of_no_calendar_are_none():
    assert (utc(0), iso(0)) == ("1970-01-01 00:00:00 UTC", "1970-01-01T00:00:00Z")
    for impossible in (1e30, float("nan"), float("inf"), -1e30):
        assert (utc(impossible), iso(impossible)) == (None, None)


@pytest.mark.parametrize(
    ("claim", "value", "text"),
    [
        ("exp", 0, "1970-01-01 00:00:00 UTC"),
        ("exp", 10**30, "1" + "0" * 30),
        ("ver", 1, "1"),
        ("roles", ["A", "B"], "A, B"),
        ("roles", [1], "[1]"),
        ("aud", {"a": None}, '{"a": null}'),
    ],
)
def test_a_claim_is_shown_as_what_it_means(claim, value, text):
    assert readable(claim, value) == text
