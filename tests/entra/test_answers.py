"""Token responses in unusual forms."""

from __future__ import annotations

import json
import math
import re
import sys

import pytest
from azure.core.credentials import AccessToken
from hypothesis import given, settings
from hypothesis import strategies as st

import credconf
from credconf.entra.messages import LONGEST_LIFE, LONGEST_TOKEN, Answer, Reply, parsed, token_in
from tests.diagonal import share
from tests.entra.scripted import Scripted

FIELDS = {"tenant_id": "contoso.com", "client_id": "x", "client_secret": "the-canary-secret"}


def reply_of(text):
    reply = Reply()
    reply.text = text
    reply.parse()
    return reply


def read_answer(**fields):
    answer = token_in(reply_of(json.dumps({"access_token": "t", **fields})))
    assert isinstance(answer, Answer)
    return answer


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (3600, 3600),
        ("3600", 3600),
        (3599.9, 3599),
        (" 60 ", 60),
        (-5, 0),
        (10**12, LONGEST_LIFE),
    ],
)
def test_a_lifetime_is_a_whole_number_of_seconds_or_none(written, read):
    answer = read_answer(expires_in=written)
    assert answer.lifetime == read
    assert type(answer.lifetime) is int


@pytest.mark.parametrize("written", ["1800", 1800, 1800.5])
def test_a_refresh_time_may_be_text(written):
    assert read_answer(expires_in=3600, refresh_in=written).refresh_in == 1800


@pytest.mark.parametrize("written", ["soon", None, [], 3600, 4000, True])
def test_an_invalid_or_late_refresh_time_is_ignored(written):
    assert read_answer(expires_in=3600, refresh_in=written).refresh_in is None


@pytest.mark.parametrize(
    "payload", [None, [], "t", {}, {"access_token": ""}, {"access_token": None}, {"access_token": 7}]
)
def test_without_a_token_there_is_no_answer(payload):
    assert token_in(reply_of(json.dumps(payload))) is None


@pytest.mark.parametrize(
    "token",
    [
        "a b",
        "a\r\nX-Admin: 1",
        "a\n",
        "\ta",
        "a\0",
        "a\x1b[2J",
        "a\x7f",
        "caf\xe9",
        "a\u2028",
        "\ud800",
        "a" * (LONGEST_TOKEN + 1),
    ],
)
def test_a_token_that_no_header_can_carry_is_a_failure(token):
    client = Scripted({"https": {"access_token": token, "expires_in": 3600}})
    with pytest.raises(credconf.AuthenticationError, match="no HTTP header can carry") as caught:
        credconf.build(FIELDS, http_client=client).get_token("scope")
    assert caught.value.error_code == "malformed"
    assert token[:20] not in str(caught.value)
    assert "the-canary-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "token_type", ["Bearer x", "Bearer\r\nX-Admin: 1", "Be\0arer", "\xe9", "B" * 65, 7, ["Bearer"], True]
)
def test_a_type_that_no_header_can_carry_is_a_failure(token_type):
    client = Scripted({"https": {"access_token": "t", "expires_in": 3600, "token_type": token_type}})
    with pytest.raises(credconf.AuthenticationError, match="the type of the token") as caught:
        credconf.build(FIELDS, http_client=client).get_token("scope")
    assert caught.value.error_code == "malformed"
    assert "the-canary-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "written", ["1_000", "\N{FULLWIDTH DIGIT ONE}0", "1e3", "infinity", "0x10", "9" * 21, "1" * 100_000]
)
def test_a_lifetime_that_only_python_reads_as_a_number_is_none(written):
    assert isinstance(token_in(reply_of(json.dumps({"access_token": "t", "expires_in": written}))), str)


def test_a_number_of_a_million_digits_is_read():
    sys.set_int_max_str_digits(0)  # as some applications do
    try:
        assert parsed("9" * 1_000_000) == math.inf
    finally:
        sys.set_int_max_str_digits(4300)
    assert parsed("9" * 20) == int("9" * 20)


@pytest.mark.parametrize("text", ["{} x", "{}{}", "[1,]", "", " ", "nan", "'a'", '{"a": 1', "\ufeff{}"])
def test_text_that_is_not_json_has_no_value(text):
    assert parsed(text) is None


def test_json_may_be_surrounded_by_space():
    assert parsed(' \t\r\n{"a": [1, 2.5, null]}\r\n ') == {"a": [1, 2.5, None]}


def test_a_body_of_nested_brackets_is_not_json():
    assert parsed("[" * 200_000) is None


@pytest.mark.parametrize(
    "answer",
    [{}, *({"expires_in": each} for each in (None, True, "soon", "", [], float("nan"), float("inf"), 10**400))],
    ids=repr,
)
def test_a_token_without_a_lifetime_is_a_failure(answer):
    client = Scripted({"https": {"access_token": "canary-of-a-token", **answer}})
    with pytest.raises(credconf.AuthenticationError, match="does not contain the token's lifetime") as caught:
        credconf.build(FIELDS, http_client=client).get_token("scope")
    assert caught.value.error_code == "malformed"
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("expires_in", [0, -1])
def test_a_token_without_any_time_left_is_returned_and_not_cached(expires_in):
    client = Scripted({"https": {"access_token": "t", "expires_in": expires_in}})
    credential = credconf.build(FIELDS, http_client=client)
    assert credential.get_token("scope").token == "t"
    credential.get_token("scope")
    assert len(client.asked) == 2


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "pop", "DPoP"])
def test_the_type_of_a_token_is_returned(token_type):
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
tokens = st.fixed_dictionaries(
    {"access_token": st.text(min_size=1) | st.text("abc.-_", min_size=1)},
    optional=dict.fromkeys(names[1:], json_values),
)


def is_a_lifetime(value):
    """Whether it is a number, or text that is one."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"[ \t]*-?[0-9]{1,20}(\.[0-9]{1,20})?[ \t]*", value))
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(float(value))


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


@settings(max_examples=share(150), deadline=None)
@given(
    answers | tokens | json_values, st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 429, 500, 503])
)
def test_every_json_body_is_a_token_or_an_authentication_error(body, status):
    token = outcome_of(Scripted({"https": json.dumps(body)}, status))
    usable = status == 200 and isinstance(body, dict) and fits_a_header(body.get("access_token"))
    if usable and is_a_type(body.get("token_type")):
        assert (token is None) == (not is_a_lifetime(body.get("expires_in")))
        assert token is None or token.token == body["access_token"]


def is_a_type(text):
    return not text or (isinstance(text, str) and bool(re.fullmatch("[A-Za-z]{1,64}", text)))


def fits_a_header(token):
    return isinstance(token, str) and bool(re.fullmatch("[!-~]+", token))


@settings(max_examples=share(100), deadline=None)
@given(st.text() | st.sampled_from(["[" * 100_000, '{"access_token": "x"', "\x00", "\ud800", "NaN", "﻿{}"]))
def test_every_text_is_a_token_or_an_authentication_error(text):
    assert outcome_of(Scripted({"https": text})) is None


@settings(max_examples=share(60), deadline=None)
@given(st.text() | json_values.map(json.dumps), st.booleans())
def test_any_claims_lead_to_a_token_or_an_authentication_error(claims, cae):
    outcome_of(Scripted(), claims=claims, enable_cae=cae)
