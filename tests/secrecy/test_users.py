"""Promise: the token of a user, on whose behalf a credential acts, is as secret as the application's own proof."""

from __future__ import annotations

import base64
import json
import sys

import pytest

import credconf
from tests.contract.faces import SCOPE, Clock, engine_of
from tests.entra.scripted import Scripted
from tests.secrecy.canaries import CANARY, SECRET, Canary
from tests.secrecy.reach import stack, texts_of_records, walk
from tests.secrecy.renderings import renderings
from tests.secrecy.test_failures import assert_silent, error_of
from tests.secrecy.test_live_frames import of_token, watching
from tests.secrecy.test_surfaces import copied, printed

NOTE = "n0te~of.a_user-8&k'W"
READ = "https://graph.microsoft.com/User.Read"
CHALLENGE = {"error": "interaction_required", "error_description": "AADSTS50076: more is needed."}


@pytest.fixture
def sent(entra):
    """A user's token, and what must be found nowhere: its payload and signature, the note in it, the digest."""
    token = entra.user_token(note=NOTE)
    _, payload, signature = token.split(".")
    return token, Canary((NOTE, payload, signature))


@pytest.fixture
def acting(site, said, sent):
    credential = site.face.build(site.fields())
    yield credential.on_behalf_of(sent[0])
    credential.close()


def echo(token):
    """What a server may answer that quotes the token, whole and in parts."""
    _, payload, signature = token.split(".")
    text = f"assertion={token}\nor {payload[:40]}\nor {signature[-12:]}\nor {SECRET}"
    return json.dumps({"error": "invalid_grant", "error_description": text, "trace_id": signature, "error_codes": [7]})


FAULTS = {
    "refused": lambda entra, _: entra.refuses(50076, claims='{"access_token":{}}'),
    "echoing": lambda entra, token: entra.answers(400, echo(token)),
    "echoing as text": lambda entra, token: entra.answers(400, echo(token), "text/plain"),
    "a server's fault": lambda entra, token: entra.answers(500, echo(token)),
    "down": lambda entra, _: entra.goes_down(),
    "throttling": lambda entra, _: entra.throttles(retry_after=600),
    "malformed": lambda entra, token: entra.answers(200, f'{{"access_token": "{token}'),
    "dropping": lambda entra, _: entra.drops_connections(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_failure_shows_the_users_token(acting, site, sent, said, fault):
    token, canary = sent
    FAULTS[fault](site.entra, token)
    for call in (acting.get_token, acting.verify):
        error = error_of(call, READ)
        assert isinstance(error, credconf.AuthenticationError)
        canary.assert_absent(renderings(error))
        CANARY.assert_absent(renderings(error))
    assert_silent(canary, said)
    assert_silent(CANARY, said)


def test_a_token_for_a_user_is_got_without_a_word_of_the_users_own(acting, sent, said):
    assert acting.get_token(READ).token
    assert_silent(sent[1], said)
    assert_silent(CANARY, said)


def test_no_way_to_print_the_credential_shows_the_users_token(acting, sent):
    _, canary = sent
    acting.get_token(READ)
    canary.assert_absent(printed(acting.credential))
    canary.assert_absent(walk(acting.credential.describe(), private=True))
    canary.assert_absent(copied(acting.credential))


def test_the_cache_knows_the_user_by_a_digest_only(acting, sent):
    token, canary = sent
    acting.get_token(READ)
    engine = acting.credential._engine
    canary.assert_absent(walk(list(engine._user_cache.tokens), private=True))
    canary.assert_absent([("engine", repr(vars(engine)))])
    assert token not in repr(engine.request("get_token", (READ,), None, None, cae=False, user=acting.credential._user))


BAD = {
    "a whole header": lambda token: f"Bearer {token}",
    "cut": lambda token: token[:-30].rpartition(".")[0],
    "a line break": lambda token: f"{token}\n",
    "bytes": lambda token: token.encode(),
    "a list": lambda token: [token],
}


@pytest.mark.parametrize("bad", BAD)
def test_a_token_that_is_refused_at_once_is_not_shown(site, said, sent, bad):
    token, canary = sent
    credential = site.face.build(site.fields())
    error = error_of(credential.on_behalf_of, BAD[bad](token))
    assert isinstance(error, ValueError | TypeError)
    canary.assert_absent(renderings(error))
    credential.close()


@pytest.mark.parametrize("why", ["closed", "without a proof"])
def test_a_credential_that_can_not_act_for_a_user_does_not_show_the_token(site, said, sent, why):
    token, canary = sent
    credential = site.face.build(site.fields() if why == "closed" else {"kind": "managed_identity"})
    if why == "closed":
        credential.close()
    error = error_of(credential.on_behalf_of, token)
    assert isinstance(error, ValueError)
    canary.assert_absent(renderings(error))


UNSIGNED = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=") + ".e30."


def test_the_claims_of_a_refusal_that_quote_a_secret_are_left_out(acting, site, sent):
    token, canary = sent
    for quoted in (token, token.split(".")[2], SECRET, SECRET[:11], UNSIGNED):
        claims = json.dumps({"access_token": {"quoted": quoted}})
        site.entra.answers(400, json.dumps({**CHALLENGE, "claims": claims}))
        error = error_of(acting.verify, READ)
        assert error.aadsts == "AADSTS50076"
        assert error.claims is None
        canary.assert_absent(renderings(error))
        CANARY.assert_absent(renderings(error))
    harmless = '{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}'
    site.entra.answers(400, json.dumps({**CHALLENGE, "claims": harmless}))
    assert error_of(acting.verify, READ).claims == harmless


def test_a_token_that_is_held_for_a_user_is_in_no_later_failure(acting, site):
    held = acting.get_token(READ).token
    site.entra.answers(400, json.dumps({"error": "e", "error_description": f"no: {held[40:]}"}))
    Canary((held.rpartition(".")[2],)).assert_absent(renderings(error_of(acting.get_token, SCOPE)))


def test_the_users_token_is_in_no_frame_while_a_token_is_requested(entra):
    token = entra.user_token()
    credential = credconf.build(entra.config(client_secret=SECRET))
    acting = credential.on_behalf_of(token)
    with watching() as watch:
        got = acting.get_token(READ).token
    assert entra.requests[0].form["assertion"] == token
    assert entra.requests[0].form["client_secret"] == SECRET
    watch.assert_absent(of_token(token))
    watch.assert_absent(CANARY)
    watch.assert_absent(of_token(got))
    credential.close()


def test_the_log_of_a_refresh_that_fails_does_not_show_the_users_token(site, said, sent):
    token, canary = sent
    clock = Clock()
    credential = site.face.on(engine_of(site.fields(), clock=clock))
    acting = credential.on_behalf_of(token)
    got = acting.get_token(READ)
    site.entra.answers(400, echo(token))
    clock.advance(to=min(got.expires_on, clock() + 3500))
    error_of(acting.verify, READ)
    credential.close()
    canary.assert_absent(texts_of_records(said[0].records))


def test_an_applications_client_is_given_the_users_token_and_our_frames_do_not_keep_it(entra):
    token, frames = entra.user_token(), []

    class Client(Scripted):
        def post(self, url, **arguments):
            frames.append(sys._getframe(1))
            return super().post(url, **arguments)

    client = Client()
    built = credconf.build({"tenant_id": "t.com", "client_id": "c", "client_secret": SECRET}, http_client=client)
    assert built.on_behalf_of(token).get_token(READ).token == "a-token"
    assert client.sent[0]["data"]["assertion"] == token
    found = [text for frame in frames for text in stack(frame)]
    assert found
    of_token(token).assert_absent(found)
    CANARY.assert_absent(found)
