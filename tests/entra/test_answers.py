"""Token answers of servers that write them oddly."""

from __future__ import annotations

import json

import pytest
from azure.core.credentials import AccessToken
from hypothesis import given, settings
from hypothesis import strategies as st

import credconf
from credconf.entra.answers import LONGEST_LIFE, normalised, parsed
from tests.entra.scripted import Scripted

FIELDS = {"tenant_id": "contoso.com", "client_id": "x", "client_secret": "the-canary-secret"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (3600, 3600),
        ("3600", 3600),
        (3599.9, 3599),
        (" 60 ", 60),
        (None, 0),
        (True, 0),
        (-5, 0),
        ("soon", 0),
        ([], 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (10**400, 0),
        (10**12, LONGEST_LIFE),
    ],
)
def test_a_life_is_a_whole_number_of_seconds_or_none(written, read):
    answer = normalised({"access_token": "t", "expires_in": written})
    assert answer is not None
    assert answer["expires_in"] == read
    assert type(answer["expires_in"]) is int


@pytest.mark.parametrize("written", ["1800", 1800, 1800.5])
def test_a_refresh_time_may_be_text(written):
    answer = normalised({"access_token": "t", "expires_in": 3600, "refresh_in": written})
    assert answer is not None
    assert answer["refresh_in"] == 1800


@pytest.mark.parametrize("written", ["soon", None, [], 3600, 4000, True])
def test_a_refresh_time_that_is_none_or_after_the_end_is_left_out(written):
    answer = normalised({"access_token": "t", "expires_in": 3600, "refresh_in": written})
    assert answer is not None
    assert "refresh_in" not in answer


@pytest.mark.parametrize(
    "payload", [None, [], "t", {}, {"access_token": ""}, {"access_token": None}, {"access_token": 7}]
)
def test_without_a_token_there_is_no_answer(payload):
    assert normalised(payload) is None


def test_a_body_of_nested_brackets_is_not_json():
    assert parsed("[" * 200_000) is None


@pytest.mark.parametrize("expires_in", [None, "soon", 0, -1])
def test_a_token_without_a_life_is_handed_on_and_not_kept(expires_in):
    body = {"access_token": "t", **({} if expires_in is None else {"expires_in": expires_in})}
    client = Scripted({"https": body})
    credential = credconf.build(FIELDS, http_client=client)
    assert credential.get_token("scope").token == "t"
    credential.get_token("scope")
    assert len(client.asked) == 2


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "pop", "DPoP"])
def test_the_type_of_a_token_is_told(token_type):
    client = Scripted({"https": {"access_token": "t", "expires_in": 60, "token_type": token_type}})
    assert credconf.build(FIELDS, http_client=client).get_token_info("scope").token_type == token_type


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = [
    "access_token",
    "expires_in",
    "refresh_in",
    "token_type",
    "ext_expires_in",
    "expires_on",
    "id_token",
    "refresh_token",
    "client_info",
    "foci",
    "scope",
    "error",
    "error_description",
    "error_codes",
    "suberror",
    "correlation_id",
]
answers = st.fixed_dictionaries({}, optional=dict.fromkeys(names, json_values))
tokens = st.fixed_dictionaries({"access_token": st.text(min_size=1)}, optional=dict.fromkeys(names[1:], json_values))


def outcome_of(client, **options):
    try:
        token = credconf.build(FIELDS, http_client=client).get_token("scope", **options)
    except credconf.AuthenticationError as exc:
        assert "the-canary-secret" not in str(exc)  # noqa: PT017 - either outcome is right
        assert exc.__context__ is None  # noqa: PT017 - as above
        return None
    assert type(token) is AccessToken
    assert type(token.expires_on) is int
    return token


@settings(max_examples=150, deadline=None)
@given(
    answers | tokens | json_values, st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 429, 500, 503])
)
def test_every_json_body_is_a_token_or_an_authentication_error(body, status):
    token = outcome_of(Scripted({"https": json.dumps(body)}, status))
    if status == 200 and isinstance(body, dict) and isinstance(body.get("access_token"), str) and body["access_token"]:
        assert token is not None
        assert token.token == body["access_token"]


@settings(max_examples=100, deadline=None)
@given(st.text() | st.sampled_from(["[" * 100_000, '{"access_token": "x"', "\x00", "\ud800", "NaN", "﻿{}"]))
def test_every_text_is_a_token_or_an_authentication_error(text):
    assert outcome_of(Scripted({"https": text})) is None


@settings(max_examples=60, deadline=None)
@given(st.text() | json_values.map(json.dumps), st.booleans())
def test_whatever_the_claims_say_the_outcome_is_a_token_or_an_authentication_error(claims, cae):
    outcome_of(Scripted(), claims=claims, enable_cae=cae)
