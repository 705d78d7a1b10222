"""Failures for responses without a token."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credconf.entra.redaction import DROPPED, Redactor
from credconf.entra.sending import RequestContext, refusal
from credconf.errors import AuthenticationError, Failure
from credconf.kinds import Identity
from credconf.problems import printable
from credconf.problems.failure import ADVICE
from credconf.tokens.azure_core import exception_of

SECRET = 'pa~ss "w+rd/ü&='


def identity(**changes):
    known = {
        "client_id": "the-client",
        "tenant_id": "the-tenant",
        "authority": "https://login.example.test:8443",
        "oidc_authority": None,
        "region": None,
    }
    hidden = changes.pop("hidden", frozenset())
    return Identity({**known, **changes}, hidden)


CONTEXT = RequestContext(identity(), "the-tenant", Redactor([SECRET]))


def failure_of(payload, status=400, headers=None, context=CONTEXT):
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return refusal(context, status, headers or {}, None if isinstance(payload, str) else payload, text)


def test_a_refusal_names_the_client_the_server_the_reason_and_a_remedy():
    failure = failure_of(
        {
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret provided. Trace ID: t",
            "error_codes": [7000215],
            "correlation_id": "c-1",
            "trace_id": "t-1",
            "timestamp": "2026-01-01 00:00:00Z",
        },
        401,
    )
    text = failure.message
    assert text.startswith("no token for client the-client of tenant the-tenant from login.example.test:8443: ")
    assert "AADSTS7000215 (invalid_client)" in text
    assert ADVICE[7000215] in text
    assert "Invalid client secret provided" in text
    assert "c-1" in text
    assert (failure.error, failure.codes, failure.status_code) == ("invalid_client", (7000215,), 401)
    assert (failure.correlation_id, failure.trace_id, failure.timestamp) == ("c-1", "t-1", "2026-01-01 00:00:00Z")
    assert failure.refused_proof


def test_the_codes_of_the_text_come_first_and_each_counts_once():
    payload = {"error": "x", "error_description": "AADSTS700016: no; AADSTS90002: no", "error_codes": [90002, 7, "8"]}
    assert failure_of(payload).codes == (700016, 90002, 7)


def test_invalid_and_excess_codes_are_ignored():
    payload = {"error": "x", "error_codes": [True, -1, 10**30, 1.5, *range(1, 1000)]}
    assert failure_of(payload).codes == tuple(range(1, 13))


def test_a_refusal_of_another_server_needs_no_code():
    failure = failure_of({"error": "invalid_scope"})
    assert "the server refused (invalid_scope)" in failure.message
    assert failure.codes == ()
    assert not failure.refused_proof


@pytest.mark.parametrize(
    "form", [SECRET, "pa~ss%20%22w%2Brd%2F%C3%BC%26%3D", "pa~ss+%22w%2Brd%2F%C3%BC%26%3D", json.dumps(SECRET)[1:-1]]
)
def test_no_form_of_a_secret_that_a_server_repeats_is_shown(form):
    failure = failure_of({"error": "e", "error_description": f"No. <<{form}>>", "correlation_id": form})
    assert form not in failure.message
    assert f"The server's message: No. {DROPPED}" in failure.message
    assert failure.correlation_id == DROPPED


def test_the_text_of_a_server_is_capped_and_printable():
    failure = failure_of({"error": "e", "error_description": "x\n\x1b[31m" + "y" * 5000})
    assert len(failure.message) < 1300
    assert "\x1b" not in failure.message
    assert "…" in failure.message


def test_a_page_of_html_is_not_quoted():
    failure = failure_of("<html>sign in</html>", 200)
    assert "html" not in failure.message
    assert failure.error == "malformed"
    assert "http.proxy" in failure.message


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, "throttled"), (500, "unavailable"), (503, "unavailable"), (302, "redirect"), (404, "malformed")],
)
def test_an_answer_without_an_error_is_named_by_its_status(status, error):
    failure = failure_of("", status)
    assert failure.error == error
    assert f"HTTP {status}" in failure.message
    assert failure.status_code == status


def test_the_requested_wait_is_data_and_in_the_message():
    failure = failure_of("", 429, {"retry-after": "17"})
    assert failure.retry_after == 17.0
    assert "it asked to wait 17 s" in failure.message


def test_the_requested_wait_is_in_the_message_beside_a_code():
    payload = {
        "error": "temporarily_unavailable",
        "error_description": "AADSTS90055: throttled",
        "error_codes": [90055],
    }
    message = failure_of(payload, 429, {"retry-after": "17"}).message
    assert "AADSTS90055 (temporarily_unavailable); it asked to wait 17 s" in message.splitlines()[0]
    assert "asked to wait" not in failure_of(payload, 429).message


@pytest.mark.parametrize("value", ["", "soon", "-1", "1e9999", "٣"])
def test_an_invalid_wait_is_none(value):
    assert failure_of("", 429, {"retry-after": value}).retry_after in {None, 3.0}


def test_a_wait_is_a_day_at_most():
    assert failure_of("", 429, {"retry-after": "9" * 40}).retry_after == 86400


@pytest.mark.parametrize("status", [400, 401, 404])
def test_other_statuses_request_no_wait(status):
    assert failure_of("", status, {"retry-after": "30"}).retry_after is None


def test_another_tenant_of_a_request_is_named():
    context = RequestContext(identity(), "fabrikam.com", Redactor([]))
    assert "of tenant fabrikam.com from" in failure_of({"error": "e"}, context=context).message


def test_an_id_from_a_file_is_not_shown():
    hidden = identity(hidden=frozenset({"tenant_id", "client_id", "authority"}))
    text = failure_of({"error": "e"}, context=RequestContext(hidden, "the-tenant", Redactor([]))).message
    for value in ("the-tenant", "the-client", "login.example.test"):
        assert value not in text


def test_an_oidc_server_is_named():
    context = RequestContext(
        identity(tenant_id=None, authority=None, oidc_authority="https://idp.test/oauth"), None, Redactor([])
    )
    assert failure_of({"error": "e"}, context=context).message.startswith(
        "no token for client the-client from idp.test: "
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
payloads = st.fixed_dictionaries(
    {},
    optional={
        name: json_values | st.just("AADSTS50001: x")
        for name in ("error", "error_description", "error_codes", "correlation_id", "trace_id", "timestamp")
    },
)


@given(payloads | json_values, st.integers(100, 599), st.dictionaries(st.just("retry-after"), st.text()))
def test_every_answer_is_a_failure_that_makes_an_exception(payload, status, headers):
    failure = refusal(CONTEXT, status, headers, payload, json.dumps(payload))
    assert isinstance(failure, Failure)
    assert isinstance(exception_of(failure), AuthenticationError)
    assert failure.status_code == status
    assert all(isinstance(code, int) for code in failure.codes)
    assert "the-client" in str(exception_of(failure))


@given(st.text(min_size=1).filter(str.strip), st.text(), st.text())
def test_the_redactor_removes_what_it_holds(secret, before, after):
    cleaned = Redactor([secret])(f"{before}{secret}{after}")
    assert (
        secret not in cleaned
        or secret in DROPPED
        or not secret.isprintable()
        or len(cleaned) > 1000
        or secret in printable(f"{before}{DROPPED}{after}")  # which spells out what can't be printed
    )


def test_a_redactor_without_secrets_removes_nothing():
    assert Redactor([""])("text") == "text"


def test_one_secret_inside_another_leaves_no_rest():
    assert Redactor(["abc", "abcdef"])("xabcdefx. abc. ab.") == f"{DROPPED} ab."
