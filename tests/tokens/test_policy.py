from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from credconf.tokens.policy import EARLY, JITTER, LONG_LIFE, LONGEST_WAIT, SPACING, due_among_many, due_at, wait_after

times = st.floats(0, 4e9)
lives = st.floats(0, 4e8)
parts = st.floats(0, 1)


@pytest.mark.parametrize(
    ("life", "refresh_in", "expected"),
    [
        (3600, None, 3300),
        (3599, None, 3299),
        (7199, None, 6899),
        (7200, None, 3600),
        (86400, None, 43200),
        (500, None, 250),
        (40, None, 30),
        (20, None, 20),
        (0, None, 0),
        (86400, 43200, 43200),
        (3600, 1800, 1800),
        (3600, 0, 30),
        (3600, -5, 30),
        (3600, 3500, 3500),
    ],
)
def test_a_token_is_due_when_the_design_says(life, refresh_in, expected):
    received = 1_000_000.0
    assert (
        due_at(received, received + life, None if refresh_in is None else received + refresh_in) == received + expected
    )


@given(times, lives, st.none() | lives, parts)
def test_a_token_is_due_within_its_life(received, life, refresh_in, jitter):
    expires = received + life
    refresh_on = None if refresh_in is None else received + refresh_in
    due = due_at(received, expires, refresh_on, jitter)
    assert received <= due <= expires


@given(times, lives, st.none() | lives, parts)
def test_no_token_is_due_before_the_spacing_has_passed(received, life, refresh_in, jitter):
    refresh_on = None if refresh_in is None else received + refresh_in
    due = due_at(received, received + life, refresh_on, jitter)
    assert due >= min(received + SPACING, received + life)


@given(times, lives)
def test_without_the_servers_word_no_token_is_due_before_half_its_life(received, life):
    due = due_at(received, received + life, None)
    assert due >= received + (received + life - received) / 2 or math.isclose(due, received + life / 2)


@given(times, st.floats(SPACING * 2, LONG_LIFE - 1))
def test_a_shorter_token_is_due_five_minutes_before_its_end_at_the_earliest(received, life):
    assert due_at(received, received + life, None) >= received + life - EARLY


@given(times, lives, st.none() | lives, parts, parts)
def test_chance_makes_a_token_due_later_but_not_much(received, life, refresh_in, less, more):
    assume(less <= more)
    refresh_on = None if refresh_in is None else received + refresh_in
    due = [due_at(received, received + life, refresh_on, jitter) for jitter in (0.0, less, more)]
    assert due == sorted(due)
    assert due[2] - due[0] <= JITTER + 1e-3


@given(st.integers(1, 10_000), st.none() | st.floats(0, 1e9), parts)
def test_a_failed_refresh_waits_between_the_spacing_and_ten_minutes_and_a_bit(failures, asked, jitter):
    wait = wait_after(failures, asked, jitter)
    assert SPACING <= wait <= LONGEST_WAIT * 1.25


@given(st.integers(1, 100), st.none() | st.floats(0, 1e9))
def test_each_failure_waits_no_less_than_the_one_before(failures, asked):
    assert wait_after(failures + 1, asked) >= wait_after(failures, asked)


def test_the_waits_double_up_to_ten_minutes():
    assert [wait_after(failures, None) for failures in range(1, 8)] == [30, 60, 120, 240, 480, 600, 600]


@pytest.mark.parametrize(("asked", "expected"), [(None, 30), (0, 30), (10, 30), (100, 100), (10_000, 600)])
def test_what_the_server_asks_for_is_waited_but_not_without_end(asked, expected):
    assert wait_after(1, asked) == expected


@given(
    life=st.floats(60, 90_000),
    part=st.floats(0, 1),
    jitters=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_among_many_a_token_is_replaced_around_its_time_and_before_its_end(life, part, jitters):
    due = SPACING + part * (life - SPACING)
    first, second = (due_among_many(1000, 1000 + due, 1000 + life, jitter) for jitter in jitters)
    assert 1000 + min(SPACING, due) - 1e-6 <= first <= second <= 1000 + life + 1e-6
    assert due_among_many(1000, 1000 + due, 1000 + life, 0.0) <= 1000 + due + 1e-6


def test_among_many_a_token_of_an_hour_is_replaced_within_eight_minutes():
    assert due_among_many(0, 3300, 3600, 0.0) == pytest.approx(2970)
    assert due_among_many(0, 3300, 3600, 1.0) == pytest.approx(3450)
