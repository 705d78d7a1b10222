"""Promise: no failure shows a secret, wherever it came from: not the error, no traceback, no log, no warning."""

from __future__ import annotations

import asyncio
import json

import pytest

import credconf
from tests.contract.faces import OTHER_SCOPE, SCOPE
from tests.secrecy.canaries import CANARY, SECRET
from tests.secrecy.places import PROXIES
from tests.secrecy.reach import texts_of_records, walk
from tests.secrecy.renderings import renderings

ECHO = f"you sent client_secret={SECRET}, or a part of it:\n{SECRET[:11]}\n{SECRET[-9:]}"  # each in a sentence
FAULTS = {
    "refused": lambda entra: entra.refuses(7000215),
    "denied": lambda entra: entra.refuses(53003),
    "echoing": lambda entra: entra.answers(
        401, json.dumps({"error": "invalid_client", "error_description": ECHO, "trace_id": SECRET, "error_codes": [7]})
    ),
    "echoing as text": lambda entra: entra.answers(400, ECHO, "text/plain"),
    "echoing as the error": lambda entra: entra.answers(400, json.dumps({"error": SECRET, "correlation_id": ECHO})),
    "redirecting": lambda entra: entra.redirects(f"https://127.0.0.1:9/?secret={SECRET[:12]}"),
    "down": lambda entra: entra.goes_down(),
    "throttling": lambda entra: entra.throttles(retry_after=600),
    "malformed": lambda entra: entra.answers(200, b'{"access_token":'),
    "truncating": lambda entra: entra.truncates(),
    "dropping": lambda entra: entra.drops_connections(),
}
CALLS = {
    "no scope": ((), {}),
    "bad tenant": ((SCOPE,), {"tenant_id": "../x"}),
    "another tenant": ((SCOPE,), {"tenant_id": "another.example"}),
    "claims": ((SCOPE,), {"claims": "{", "enable_cae": True}),
}


def error_of(call, *arguments, **options):
    """The exception of a call. Its traceback begins here, so that no frame of a test is in it."""
    try:
        call(*arguments, **options)
    except BaseException as exc:  # noqa: BLE001 - interrupts are among what is tested
        return exc
    pytest.fail("it did not raise")


def assert_silent(canary, said):
    records, warned = said
    canary.assert_absent(texts_of_records(records.records))
    canary.assert_absent(walk([str(item.message) for item in warned], private=True, source="warning"))


EVERYWHERE = ("echoing", "echoing as text", "down")
THOROUGHLY = ("literal", "constructor", "private key: data", "proxy literal")
"""Places of which the others differ only before anything is asked."""


def test_no_failure_shows_what_the_credential_holds(planted, place, site, said):
    driven, canary = planted
    for name in FAULTS if place in THOROUGHLY else EVERYWHERE:
        FAULTS[name](site.entra)
        error = error_of(driven.get_token, SCOPE)
        assert isinstance(error, credconf.AuthenticationError), name
        canary.assert_absent(renderings(error))
        site.entra.recovers()
    for arguments, options in CALLS.values():
        error = error_of(driven.get_token, *arguments, **options)
        assert isinstance(error, ValueError | credconf.AuthenticationError)
        canary.assert_absent(renderings(error))
    assert_silent(canary, said)


def test_a_token_is_got_without_a_word_of_what_proves_the_right_to_it(planted, place, site, said):
    driven, canary = planted
    if place in PROXIES:
        pytest.skip("its proxy does not exist")
    assert driven.get_token(SCOPE).token
    assert driven.verify(OTHER_SCOPE).token
    (first, *_) = site.entra.requests
    proof = first.form.get("client_secret") or first.form["client_assertion"]
    assert proof == SECRET or first.proof == "certificate"
    assert_silent(canary, said)
    canary.assert_absent([("request", repr(first))])


def test_a_closed_credential_shows_nothing(planted):
    driven, canary = planted
    driven.close()
    canary.assert_absent(renderings(error_of(driven.get_token, SCOPE)))
    canary.assert_absent([("repr", repr(driven.credential)), ("describe", repr(driven.credential.describe()))])


class Client:
    """An application's own HTTP client, which fails with all that it was given, or answers with it."""

    def __init__(self, outcome):
        self._outcome = outcome

    def get(self, url, **arguments):
        return self._outcome(url, arguments)

    def post(self, url, **arguments):
        return self._outcome(url, arguments)

    def close(self):
        pass


def raising(exception):
    def outcome(url, arguments):
        raise exception(f"{url} {arguments}")

    return outcome


def echoing(status, form):
    def outcome(_, arguments):
        return credconf.entra.http.Response(status, form(dict(arguments["data"])), {})

    return outcome


def text_of(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def described(text):
    return json.dumps({"error": "invalid_client", "error_description": text})


ECHOES = {
    "JSON": lambda data: described(json.dumps({name: text_of(value) for name, value in data.items()})),
    "repr": repr,
    "cut": lambda data: described(
        "\n".join(f"{text_of(value)[:20]}\n{text_of(value)[-20:]}" for value in data.values())
    ),
}
EXCEPTIONS = [OSError, KeyError, RecursionError, MemoryError, UnicodeError, asyncio.CancelledError, GeneratorExit]


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_an_exception_of_the_applications_client_shows_nothing(site, said, exception):
    driven = site.face.build(site.fields(), http_client=Client(raising(exception)))
    error = error_of(driven.get_token, SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
    CANARY.assert_absent(renderings(error))
    assert_silent(CANARY, said)


class Halt(BaseException):
    """An interrupt of the program: a time limit, a test runner's exit, a greenlet's end."""


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, Halt])
@pytest.mark.parametrize("where", ["client", "msal"])
def test_an_interrupt_shows_nothing(site, said, interrupt, where, monkeypatch):
    def stop(*_, **__):
        raise interrupt

    if where == "msal":
        import msal  # an interrupt comes at any moment: here, while msal's own frames hold the secret

        monkeypatch.setattr(msal.ConfidentialClientApplication, "acquire_token_for_client", stop)
    driven = site.face.build(site.fields(), http_client=Client(stop) if where == "client" else None)
    error = error_of(driven.get_token, SCOPE)
    assert isinstance(error, interrupt | credconf.AuthenticationError)
    CANARY.assert_absent(renderings(error))
    assert_silent(CANARY, said)


@pytest.mark.parametrize("form", ECHOES)
@pytest.mark.parametrize("proof", ["secret", "certificate"])
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_what_a_server_sends_back_of_the_request_is_not_shown(site, said, proof, form, status, tmp_path):
    from tests.certificates import make_certificate
    from tests.secrecy.canaries import Canary

    fields = site.fields()
    if proof == "certificate":
        make_certificate(tmp_path / "client.pem")
        fields = {**site.fields(client_secret=None), "client_certificate": {"file": str(tmp_path / "client.pem")}}
    sent = []

    def answer(url, arguments):
        sent.append(arguments["data"])
        return echoing(status, ECHOES[form])(url, arguments)

    error = error_of(site.face.build(fields, http_client=Client(answer)).get_token, SCOPE)
    canary = CANARY if proof == "secret" else Canary((text_of(sent[0]["client_assertion"]).rpartition(".")[2],))
    assert sent[0]["client_id"][:8] in str(error)
    canary.assert_absent(renderings(error))
    assert_silent(canary, said)


def test_an_error_that_is_raised_while_another_is_handled_does_not_hold_it(site):
    site.entra.refuses(53003)
    driven = site.face.build(site.fields())
    try:
        raise LookupError(SECRET)  # noqa: TRY301 - one is to be in the air
    except LookupError:
        error = error_of(driven.get_token, SCOPE)
    assert error.__cause__ is None
    CANARY.assert_absent([("failure", repr(error.failure)), ("text", str(error))])
