"""Intended differences from azure-identity. Each test shows both sides and the reason."""

from __future__ import annotations

import asyncio
import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError

import credconf
from credconf.azure_identity.keywords import ELSEWHERE
from tests.contract.faces import wait_until
from tests.parity.faces import OTHER_SCOPE, OTHER_TENANT, SCOPE, Face

TENANT, CLIENT, SECRET = "contoso.onmicrosoft.com", "11111111-1111-1111-1111-111111111111", "canary-of-a-secret"


def error_of(call, *arguments, **options):
    with pytest.raises(Exception) as caught:
        call(*arguments, **options)
    return caught.value


def test_the_first_token_costs_one_request(theirs_and_ours, entra):
    """A known endpoint needs no discovery; azure-identity's synchronous class makes one request for it."""
    theirs, ours = theirs_and_ours
    theirs.secret(entra).get_token(SCOPE)
    assert len(entra.requests) == (1 if theirs.is_async else 2)
    entra.forget_requests()
    ours.secret(entra).get_token(SCOPE)
    assert len(entra.requests) == 1


def test_a_wrong_secret_costs_one_request(theirs_and_ours, entra):
    """After a refusal, MSAL performs an instance discovery that is not needed."""
    theirs, ours = theirs_and_ours
    for face, requests in [(theirs, 1 if theirs.is_async else 2), (ours, 1)]:
        entra.forget_requests()
        error_of(face.secret(entra, client_secret="wrong-secret").get_token, SCOPE)
        assert len(entra.requests) >= requests if face is theirs else len(entra.requests) == requests


def test_a_token_with_less_than_five_minutes_outlives_the_server(theirs_and_ours, entra, clock):
    """A valid token is worth more than an error: azure-identity's synchronous class raises although it holds one."""
    theirs, ours = theirs_and_ours
    kept = {face: face.timed(entra, clock) for face in theirs_and_ours}
    tokens = {face: credential.get_token(SCOPE).token for face, credential in kept.items()}
    clock.advance(3600 - 60)
    entra.goes_down()
    assert kept[ours].get_token(SCOPE).token == tokens[ours]
    if theirs.is_async:
        assert kept[theirs].get_token(SCOPE).token == tokens[theirs]
    else:
        assert isinstance(error_of(kept[theirs].get_token, SCOPE), AzureError)


def test_a_due_token_is_refreshed_behind_the_caller(theirs_and_ours, entra, clock):
    """A caller with a valid token never waits for its replacement; azure-identity's callers do."""
    theirs, ours = theirs_and_ours
    kept = {face: face.timed(entra, clock) for face in theirs_and_ours}
    tokens = {face: credential.get_token(SCOPE).token for face, credential in kept.items()}
    clock.advance(3600 - 60)
    assert kept[theirs].get_token(SCOPE).token != tokens[theirs]
    entra.forget_requests()
    assert kept[ours].get_token(SCOPE).token == tokens[ours]
    wait_until(lambda: kept[ours].get_token(SCOPE).token != tokens[ours])
    assert entra.count() == 1


def test_fetching_one_token_does_not_delay_the_refresh_of_another(theirs_and_ours, entra, clock):
    """azure-identity backs off once per credential: fetching one scope suppresses the refresh of all others.

    It shows in the asynchronous class alone; in the synchronous one MSAL fetches, whatever the back-off says.
    """
    theirs, ours = theirs_and_ours
    kept = {face: face.timed(entra, clock) for face in theirs_and_ours}
    tokens = {face: credential.get_token(SCOPE).token for face, credential in kept.items()}
    clock.advance(3600 - 310)
    for credential in kept.values():
        credential.get_token(OTHER_SCOPE)
    clock.advance(20)  # now the first is due, and it is less than 30 s since the second was fetched
    assert (kept[theirs].get_token(SCOPE).token == tokens[theirs]) is theirs.is_async
    kept[ours].get_token(SCOPE)
    wait_until(lambda: kept[ours].get_token(SCOPE).token != tokens[ours])


def test_a_throttled_request_says_so(theirs_and_ours, entra):
    """429 with an empty body: azure-identity's synchronous class shows what its JSON parser thought of it."""
    theirs, ours = theirs_and_ours
    entra.throttles(body="")
    their_text = str(error_of(theirs.secret(entra).get_token, SCOPE))
    our_text = str(error_of(ours.secret(entra).get_token, SCOPE))
    assert "throttling" not in their_text
    assert "throttling (HTTP 429)" in our_text
    assert theirs.is_async or "Expecting value" in their_text


def test_an_unknown_tenant_keeps_entras_text(theirs_and_ours, entra):
    """MSAL's discovery says "unable to get authority configuration"; Entra's AADSTS90002 says what is wrong."""
    theirs, ours = theirs_and_ours
    their_text = str(error_of(theirs.secret(entra, tenant_id=OTHER_TENANT).get_token, SCOPE))
    our_text = str(error_of(ours.secret(entra, tenant_id=OTHER_TENANT).get_token, SCOPE))
    assert theirs.is_async or "AADSTS90002" not in their_text
    assert "AADSTS90002" in our_text
    assert "check tenant_id" in our_text


def test_no_connection_is_the_same_error_in_both_styles(theirs_and_ours, entra):
    """azure-identity's asynchronous class raises `ServiceRequestError`, its synchronous one something else."""
    theirs, ours = theirs_and_ours
    entra.goes_down()
    assert isinstance(error_of(ours.secret(entra).get_token, SCOPE), ClientAuthenticationError)
    their_error = error_of(theirs.secret(entra).get_token, SCOPE)
    assert isinstance(their_error, ServiceRequestError if theirs.is_async else ClientAuthenticationError)


def test_an_html_page_of_a_gateway_is_a_clear_authentication_error(theirs_and_ours, entra):
    """azure-identity shows what its parser thought of it; ours says that something else answers there."""
    theirs, ours = theirs_and_ours
    entra.answers(200, "<html>Please sign in</html>", "text/html")
    error = error_of(ours.secret(entra).get_token, SCOPE)
    assert isinstance(error, ClientAuthenticationError)
    assert "not what a token service sends" in str(error)
    assert "not what a token service sends" not in str(error_of(theirs.secret(entra).get_token, SCOPE))


def test_a_misspelt_keyword_is_an_error(theirs_and_ours):
    """A keyword that is swallowed is a setting that never was; azure-identity swallows it."""
    theirs, ours = theirs_and_ours
    theirs.make(TENANT, CLIENT, SECRET, additionaly_allowed_tenants=["*"])
    with pytest.raises(TypeError, match=r"did you mean additionally_allowed_tenants=\?"):
        ours.make(TENANT, CLIENT, SECRET, additionaly_allowed_tenants=["*"])


@pytest.mark.parametrize("keyword", ["transport", "policies"])
def test_azure_core_parts_are_an_error_that_names_http_client(theirs_and_ours, keyword):
    """MSAL's interface is the way in, so an azure-core pipeline can't be one without being ignored in part."""
    _, ours = theirs_and_ours
    with pytest.raises(TypeError, match="http_client="):
        ours.make(TENANT, CLIENT, SECRET, **{keyword: object()})


@pytest.mark.parametrize(
    ("keyword", "instead"),
    [
        ("retry_connect", "retry_total="),
        ("retry_read", "retry_total="),
        ("retry_status", "retry_total="),
        ("retry_backoff_factor", "retry_total="),
        ("retry_backoff_max", "retry_total="),
        ("retry_mode", "retry_total="),
        ("per_call_policies", "http_client="),
        ("per_retry_policies", "http_client="),
        ("raw_response_hook", "http_client="),
        ("logging_body", "logging_enable="),
        ("permit_redirects", "remove it"),
        ("connection_cert", "http_client="),
        ("timeout", "read_timeout="),
    ],
)
def test_an_ordinary_keyword_of_azure_core_that_means_nothing_here_says_what_to_do_instead(
    theirs_and_ours, keyword, instead
):
    """What azure-identity heeds and we do not must not be swallowed."""
    theirs, ours = theirs_and_ours
    theirs.make(TENANT, CLIENT, SECRET, **{keyword: None})
    with pytest.raises(TypeError, match=rf"got {keyword}=: .*{instead}"):
        ours.make(TENANT, CLIENT, SECRET, **{keyword: None})


def test_the_page_about_migration_lists_each_of_them():
    page = (Path(__file__).parent.parent.parent / "docs/migration.md").read_text(encoding="utf-8")
    section = page.partition("\n## Rejected arguments\n")[2].partition("\n## ")[0]
    assert [name for name in ELSEWHERE if f"`{name}=`" not in section] == []


def test_an_unknown_keyword_of_a_request_is_ignored_in_both_styles(theirs_and_ours, entra):
    """azure-core's protocol has `**kwargs`; azure-identity's asynchronous class hands them to aiohttp, which raises."""
    theirs, ours = theirs_and_ours
    assert ours.secret(entra).get_token(SCOPE, made_up="x").token
    if theirs.is_async:
        assert isinstance(error_of(theirs.secret(entra).get_token, SCOPE, made_up="x"), TypeError)
    else:
        assert theirs.secret(entra).get_token(SCOPE, made_up="x").token


def test_an_empty_authority_variable_counts_as_unset(theirs_and_ours, monkeypatch):
    """An empty variable is how a deployment template says "none"; azure-identity takes it for the host."""
    theirs, ours = theirs_and_ours
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "")
    hosts: dict[str, list[str]] = {}
    for face in theirs_and_ours:
        called = hosts.setdefault(face.name, [])
        error_of(face.make(TENANT, CLIENT, SECRET, **face.deaf(called)).get_token, SCOPE)
    assert hosts[ours.name][0] == "login.microsoftonline.com"
    assert hosts[theirs.name][:1] != ["login.microsoftonline.com"]


def test_an_authority_may_have_a_port_without_a_scheme(theirs_and_ours):
    """azure-identity takes `localhost:` for a scheme."""
    theirs, ours = theirs_and_ours
    with pytest.raises(ValueError):
        theirs.make(TENANT, CLIENT, SECRET, authority="localhost:8443")
    credential = ours.make(TENANT, CLIENT, SECRET, authority="localhost:8443")
    assert credential.credential.describe()["authority"] == "https://localhost:8443"


@pytest.mark.parametrize("tenant", ["../evil", "a/b", "a?b", "a b", ".."])
def test_a_tenant_of_a_request_is_checked_like_a_configured_one(theirs_and_ours, entra, tenant):
    """It becomes a part of the URL that the secret is sent to; azure-identity checks it in the constructor alone."""
    theirs, ours = theirs_and_ours
    credential = ours.secret(entra, additionally_allowed_tenants=["*"])
    with pytest.raises(ValueError, match="tenant"):
        credential.get_token(SCOPE, tenant_id=tenant)
    with pytest.raises(ValueError, match="tenant"):
        credential.get_token_info(SCOPE, options={"tenant_id": tenant})
    assert entra.requests == []
    error = error_of(theirs.secret(entra, additionally_allowed_tenants=["*"]).get_token, SCOPE, tenant_id=tenant)
    assert entra.requests or isinstance(error, ClientAuthenticationError)  # it went to the server, or tried to


def test_fifty_threads_make_one_request(entra):
    """One request per token, however many ask; azure-identity makes one for each thread."""
    counts = {}
    for name in ("theirs-sync", "ours-sync"):
        face = Face(name)
        entra.forget_requests()
        entra.is_slow(0.2)
        credential = face.secret(entra, retry_total=3)
        with ThreadPoolExecutor(50) as pool:
            tokens = set(pool.map(lambda _, held=credential: held.get_token(SCOPE).token, range(50)))
        counts[name] = entra.count()
        assert len(tokens) == 1 or name == "theirs-sync"
        face.finish()
    assert counts["ours-sync"] == 1
    assert counts["theirs-sync"] > 1


def test_two_hundred_coroutines_make_one_request(entra):
    """The same for coroutines."""
    counts = {}
    for name in ("theirs-async", "ours-async"):
        face = Face(name)
        entra.forget_requests()
        entra.is_slow(0.2)
        credential = face.secret(entra)

        async def all_of_them(held=credential.credential):
            return await asyncio.gather(*(held.get_token(SCOPE) for _ in range(200)))

        assert len(face.run(all_of_them())) == 200
        counts[name] = entra.count()
        face.finish()
    assert counts["ours-async"] == 1
    assert counts["theirs-async"] > 1


def test_a_pickle_holds_no_secret(theirs_and_ours):
    """Ours can't be pickled at all; azure-identity's synchronous class can, with the secret in it."""
    theirs, ours = theirs_and_ours
    credential = ours.make(TENANT, CLIENT, SECRET).credential
    error = error_of(pickle.dumps, credential)
    assert SECRET not in str(error)
    if not theirs.is_async:
        assert SECRET.encode() in pickle.dumps(theirs.make(TENANT, CLIENT, SECRET).credential)


def test_logs_hold_no_secret(theirs_and_ours, entra, caplog):
    """`logging_enable=True` prints the form in azure-identity; ours logs method, host, path, status and duration."""
    theirs, ours = theirs_and_ours
    caplog.set_level(logging.DEBUG)
    ours.secret(entra, logging_enable=True).get_token(SCOPE)
    assert "/oauth2/v2.0/token" in caplog.text
    assert entra.client_secret not in caplog.text
    caplog.clear()
    theirs.secret(entra, logging_enable=True).get_token(SCOPE)
    if not theirs.is_async:
        assert entra.client_secret in caplog.text


def test_a_cache_hit_logs_nothing(theirs_and_ours, entra, caplog):
    """azure-identity logs at INFO for each of thousands of cache hits."""
    theirs, ours = theirs_and_ours
    credentials = {face: face.secret(entra) for face in theirs_and_ours}
    for credential in credentials.values():
        credential.get_token(SCOPE)
    caplog.set_level(logging.INFO)
    caplog.clear()
    credentials[ours].get_token(SCOPE)
    assert caplog.records == []
    credentials[theirs].get_token(SCOPE)
    assert caplog.records != []


def test_a_closed_credential_says_so(theirs_and_ours, entra):
    """A token after the end of a block is a mistake of the program; azure-identity's synchronous class serves on."""
    _, ours = theirs_and_ours
    credential = ours.secret(entra)
    credential.get_token(SCOPE)
    credential.close()
    with pytest.raises(ValueError, match="closed"):
        credential.get_token(SCOPE)


def test_every_wrong_argument_is_named_at_once(theirs_and_ours):
    """One run of the program instead of one for each mistake."""
    theirs, ours = theirs_and_ours
    assert "tenant" not in str(error_of(theirs.make, "", "", ""))
    error = error_of(ours.make, "", "", "")
    assert isinstance(error, credconf.ConfigError)
    assert [problem.path for problem in error.problems] == ["client_id", "client_secret", "tenant_id"]
