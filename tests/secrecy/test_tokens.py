"""Promise: tokens are secrets, too. (azure-core's own `AccessToken` shows what it holds; that is documented.)"""

from __future__ import annotations

import json
import time

import pytest

import credconf
from tests.contract.faces import OTHER_SCOPE, SCOPE, Clock, engine_of
from tests.secrecy.canaries import Canary
from tests.secrecy.reach import texts_of_records, walk
from tests.secrecy.renderings import renderings
from tests.secrecy.test_failures import error_of
from tests.secrecy.test_surfaces import copied, printed

TOKEN = "t0k3n~Of.Nobody_At-All/x7Q=="
JWT = "eyJhbGciOiJub25lIn0" + ".eyJvaWQiOiI3MmY5ODhiZiJ9" + ".c2lnbmF0dXJlLW9mLW5vYm9keQ"
CANARY = Canary((TOKEN, JWT[9:]))


@pytest.fixture
def driven(site, said):
    site.entra.tokens(access_token=TOKEN)
    driven = site.face.build(site.fields())
    assert driven.get_token(SCOPE).token == TOKEN
    yield driven
    driven.close()


def test_no_way_to_print_a_credential_shows_its_tokens(driven, said):
    CANARY.assert_absent(printed(driven.credential))
    CANARY.assert_absent([("vars", repr({k: v for k, v in vars(driven.credential).items() if k != "_tokens"}))])
    CANARY.assert_absent([("tokens", repr(driven.credential._tokens))])
    CANARY.assert_absent(walk(driven.credential.describe(), private=True))


def test_no_copy_takes_a_token_with_it(driven):
    CANARY.assert_absent(copied(driven.credential))


@pytest.mark.parametrize("fault", ["refuses", "goes_down", "truncates"])
def test_no_failure_shows_a_token_that_is_held(driven, site, said, fault):
    getattr(site.entra, fault)(*((53003,) if fault == "refuses" else ()))
    error = error_of(driven.get_token, OTHER_SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
    CANARY.assert_absent(renderings(error))
    CANARY.assert_absent(texts_of_records(said[0].records))


def test_the_log_of_a_token_and_of_its_refresh_does_not_show_it(site, said):
    clock = Clock()
    site.entra.tokens(access_token=TOKEN)
    driven = site.face.on(engine_of(site.fields(), clock=clock))
    token = driven.get_token(SCOPE)
    site.entra.goes_down()
    clock.advance(to=token.expires_on - 60)
    assert driven.get_token(SCOPE).token == TOKEN
    driven.close()
    latest = time.monotonic() + 30
    while not [record for record in said[0].records if record.name == "credconf"]:  # a thread of the engine's logs it
        assert time.monotonic() < latest
        time.sleep(0.01)
    CANARY.assert_absent(texts_of_records(said[0].records))


ANSWERS = {
    "cut": (200, f'{{"access_token": "{JWT}", "expires_in'),
    "cut in the token": (200, f'{{"access_token":"{JWT[:40]}'),
    "opaque and cut": (200, f'{{"access_token": "{TOKEN}", '),
    "a form": (200, f"token_type=Bearer&access_token={TOKEN}&expires_in=3600"),
    "an error beside a token": (
        400,
        json.dumps({"error": "e", "error_description": f"no: {JWT}", "access_token": TOKEN}),
    ),
    "no error beside a token": (403, json.dumps({"access_token": TOKEN, "refresh_token": JWT})),
    "a server's fault": (500, f'log: {{"id_token":"{TOKEN}"}} Authorization: Bearer {JWT}'),
    "a token that is a list": (200, json.dumps({"access_token": [JWT]})),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_can_not_be_used_is_not_quoted_with_its_token(site, said, answer):
    status, body = ANSWERS[answer]
    site.entra.answers(status, body)
    error = error_of(site.face.build(site.fields()).get_token, SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
    CANARY.assert_absent(renderings(error))
    CANARY.assert_absent(texts_of_records(said[0].records))
