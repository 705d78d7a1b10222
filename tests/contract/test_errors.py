"""What every kind of credential does, through both faces: errors, and what they never show."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import pickle
import threading
import traceback

import pytest
from azure.core.exceptions import ClientAuthenticationError

import credconf
from credconf.engine import Engine
from tests.contract.conftest import CANARY
from tests.contract.faces import OTHER_SCOPE, SCOPE, Driven, plan
from tests.secrecy.reach import HOME


def error_of(call, *arguments, **options):
    """The exception of a call. Its traceback begins here, so that no frame of a test is in it."""
    try:
        call(*arguments, **options)
    except BaseException as exc:  # noqa: BLE001 - interrupts are among what is tested
        return exc
    pytest.fail("it did not raise")


def everything_in(error):
    """All that a crash reporter could take from an exception, its locals included."""
    texts = []
    todo, seen = [error], set()
    while todo:
        exc = todo.pop()
        if exc is None or id(exc) in seen:
            continue
        seen.add(id(exc))
        texts += [str(exc), repr(exc), repr(exc.args), repr(vars(exc))]
        texts += traceback.TracebackException.from_exception(exc, capture_locals=True).format()
        todo += [exc.__cause__, exc.__context__]
        todo += [value for value in vars(exc).values() if isinstance(value, BaseException)]
    with contextlib.suppress(TypeError, AttributeError, pickle.PicklingError):  # not one of ours
        texts.append(pickle.dumps(error).decode("latin-1"))
    return "\n".join(texts)


def assert_clean(text, case):
    for secret in case.secrets:
        assert secret not in text
    assert "client_assertion=" not in text


def test_a_wrong_proof_is_refused_with_code_explanation_and_correlation_id(case):
    case.wrong()
    error = error_of(case.build().get_token, SCOPE)
    code = {"client_secret": 7000215, "client_certificate": 700027, "client_assertion": 700213}[case.kind]
    assert isinstance(error, credconf.AuthenticationError)
    assert isinstance(error, ClientAuthenticationError)
    assert not isinstance(error, credconf.CredentialUnavailableError)
    assert error.aadsts == f"AADSTS{code}"
    assert error.failure.codes[0] == code
    assert error.error_code == "invalid_client"
    assert error.status_code == 401
    assert error.correlation_id
    assert error.correlation_id in str(error)
    assert case.registration.client_id in str(error)
    assert case.entra.tenant_id in str(error)
    fix = {"client_secret": "app registration", "client_certificate": "upload it to the registration"}
    assert fix.get(case.kind, "az ad app federated-credential create") in str(error)
    assert len(case.entra.requests) == 1


def test_a_proof_that_cannot_be_read_any_more_is_unavailable(case):
    credential = case.build()
    credential.get_token(SCOPE)
    case.proof.unlink()
    assert credential.get_token(SCOPE)
    error = error_of(credential.get_token, OTHER_SCOPE)
    assert isinstance(error, credconf.CredentialUnavailableError)
    assert str(case.proof) in str(error)
    assert case.entra.count() == 1


def test_a_proof_that_comes_back_is_read_again(case):
    credential = case.build()
    content = case.proof.read_bytes()
    case.proof.unlink()
    error_of(credential.get_token, SCOPE)
    case.proof.write_bytes(content)
    assert credential.get_token(SCOPE).token


@pytest.mark.parametrize(
    "content", [b"", b"   \n", b"\xff\xfe\x00", b"x" * 70_000], ids=["empty", "blank", "binary", "big"]
)
def test_a_proof_that_is_not_usable_any_more_is_unavailable(case, content):
    credential = case.build()
    case.proof.write_bytes(content)
    error = error_of(credential.get_token, SCOPE)
    assert isinstance(error, credconf.CredentialUnavailableError)
    assert str(case.proof) in str(error)
    assert case.entra.count() == 0


def test_a_missing_proof_is_an_error_of_the_configuration(case):
    case.proof.unlink()
    for make in (case.build, case.from_config):
        error = error_of(make)
        assert isinstance(error, credconf.ConfigError)
        assert str(case.proof) in str(error)


def deleted(case, _):
    case.proof.unlink()


def overwritten(case, _):
    case.wrong()


def echoing(case, _):
    said = f"the secret {CANARY} and {case.secrets[-1]} are wrong"
    case.entra.answers(400, json.dumps({"error": "invalid_client", "error_description": said, "trace_id": CANARY}))


def echoing_in_another_form(case, _):
    case.entra.answers(502, f"oops: client_secret={CANARY.replace('~', '%7E')}&x={CANARY}", "text/plain")


def echoing_as_the_error(case, _):
    case.entra.answers(400, json.dumps({"error": CANARY, "error_description": None, "correlation_id": CANARY}))


FAULTS = {
    "deleted": deleted,
    "overwritten": overwritten,
    "refused": lambda case, _: case.entra.refuses(53003),
    "echoing": echoing,
    "echoing in another form": echoing_in_another_form,
    "echoing as the error": echoing_as_the_error,
    "down": lambda case, _: case.entra.goes_down(),
    "slow": lambda case, _: case.entra.is_slow(5),
    "throttling": lambda case, _: case.entra.throttles(),
    "unavailable": lambda case, _: case.entra.is_unavailable(body=""),
    "truncating": lambda case, _: case.entra.truncates(),
    "dropping": lambda case, _: case.entra.drops_connections(),
    "redirecting": lambda case, _: case.entra.redirects(f"https://example.com/?secret={CANARY}"),
    "empty": lambda case, _: case.entra.answers(200, b""),
    "malformed": lambda case, _: case.entra.answers(200, b'{"access_token":'),
    "html": lambda case, _: case.entra.answers(200, f"<html>{CANARY}</html>", "text/html"),
    "closed": lambda _, credential: credential.close(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_failure_shows_a_secret(case, fault, caplog):
    caplog.set_level(logging.DEBUG)
    credential = case.build(http={**case.fields["http"], "retries": 1, "total_timeout": 2, "timeout": 1})
    FAULTS[fault](case, credential)
    error = error_of(credential.get_token, SCOPE)
    assert isinstance(error, ValueError if fault == "closed" else credconf.AuthenticationError)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert_clean(everything_in(error), case)
    assert_clean(caplog.text, case)
    assert_clean(repr([record.args for record in caplog.records]), case)


@pytest.mark.parametrize(
    "options", [{"tenant_id": "../evil"}, {"tenant_id": "not.allowed"}, {"claims": "{", "enable_cae": True}]
)
def test_no_bad_call_shows_a_secret(case, options):
    assert_clean(everything_in(error_of(case.build().get_token, SCOPE, **options)), case)
    assert_clean(everything_in(error_of(case.build().get_token)), case)


def test_an_error_has_no_context_although_another_is_being_handled(case):
    case.entra.refuses(53003)
    credential = case.build()
    try:
        raise LookupError(CANARY)  # noqa: TRY301 - one is to be in the air
    except LookupError:
        error = error_of(credential.get_token, SCOPE)
    assert error.inner_exception is None or CANARY not in repr(error.failure)


class Exploding:
    """An application's own client, whose exceptions hold the request."""

    def __init__(self, make):
        self._make = make

    def get(self, url, **arguments):
        raise self._make(f"GET {url} {arguments}")

    def post(self, url, **arguments):
        raise self._make(f"POST {url} {arguments}")

    def close(self):
        pass


@pytest.mark.parametrize(
    "exception",
    [OSError, ValueError, KeyError, StopIteration, RecursionError, MemoryError, asyncio.CancelledError, GeneratorExit],
)
def test_an_exception_of_the_applications_client_is_reduced_to_its_name(case, exception):
    error = error_of(case.build(http_client=Exploding(exception)).get_token, SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
    assert exception.__name__ in str(error)
    assert_clean(everything_in(error), case)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_passes_through_without_a_secret(case, interrupt):
    if case.face.is_async:
        pytest.skip("an interrupt meets the main thread, where no request of the asynchronous face runs")
    error = error_of(case.build(http_client=Exploding(lambda _: interrupt())).get_token, SCOPE)
    assert type(error) is interrupt
    assert_clean(everything_in(error), case)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_on_a_thread_of_ours_is_an_error_of_those_who_wait(case, interrupt):
    if not case.face.is_async:
        pytest.skip("the synchronous face requests on the caller's own thread")
    credential = case.build(http_client=Exploding(lambda _: interrupt()))
    for _ in range(3):
        error = error_of(credential.get_token, SCOPE)
        assert isinstance(error, credconf.AuthenticationError)
        assert interrupt.__name__ in str(error)
        assert_clean(everything_in(error), case)


def test_a_follower_of_an_interrupted_leader_gets_a_token(case):
    waiting, interrupted = threading.Event(), threading.Event()

    class Interrupted(Exploding):
        def post(self, url, **arguments):
            if interrupted.is_set():
                return sender.post(url, **arguments)
            waiting.set()
            interrupted.wait(20)
            raise KeyboardInterrupt

    from tests.contract.clients import Recorder

    sender = Recorder(case.entra)
    engine = Engine(plan(case.fields, Interrupted(None)))
    leader, follower = Driven(credconf.Credential(engine)), case.face.on(engine)
    outcomes = {}

    def lead():
        outcomes["leader"] = error_of(leader.get_token, SCOPE)

    def follow():
        outcomes["follower"] = follower.get_token(SCOPE)

    threads = [threading.Thread(target=lead), threading.Thread(target=follow)]
    threads[0].start()
    assert waiting.wait(20)
    threads[1].start()
    interrupted.set()
    for thread in threads:
        thread.join(20)
    assert isinstance(outcomes["leader"], KeyboardInterrupt)
    assert outcomes["follower"].token
    sender.close()


# Of secrets alone


@pytest.fixture
def several(face, entra, tmp_path):
    """A credential with the secrets `new` and `old`, in files."""
    for name in ("new", "old"):
        (tmp_path / name).write_text(f"{name}~{CANARY}")
    registration = entra.register(secrets=[f"old~{CANARY}"])
    fields = entra.config(client_id=registration.client_id, client_secret=None, http={"retries": 0})
    fields["client_secret"] = [{"file": str(tmp_path / name)} for name in ("new", "old")]
    credential = face.build(fields)
    yield credential, registration, tmp_path
    credential.close()


def sent(entra):
    return [request.form["client_secret"].partition("~")[0] for request in entra.requests]


def test_a_refused_secret_of_a_list_leads_to_the_next(several, entra):
    credential, _, _ = several
    assert credential.get_token(SCOPE).token
    assert sent(entra) == ["new", "old"]


def test_a_secret_of_a_list_that_cannot_be_read_leads_to_the_next(several, entra):
    credential, _, directory = several
    (directory / "new").unlink()
    assert credential.get_token(SCOPE).token
    assert sent(entra) == ["old"]


def test_an_accepted_secret_of_a_list_ends_it(several, entra):
    credential, registration, _ = several
    registration.add_secret(f"new~{CANARY}")
    assert credential.get_token(SCOPE).token
    assert sent(entra) == ["new"]


@pytest.mark.parametrize("code", [53003, 70011, 90033, 700016])
def test_any_other_refusal_ends_a_list(several, entra, code):
    credential, _, _ = several
    entra.refuses(code)
    error = error_of(credential.get_token, SCOPE)
    assert error.aadsts == f"AADSTS{code}"
    assert sent(entra) == ["new"]


@pytest.mark.parametrize("fault", ["throttles", "is_unavailable", "drops_connections", "truncates"])
def test_no_trouble_of_the_network_moves_along_a_list(several, entra, fault):
    credential, _, _ = several
    getattr(entra, fault)()
    error_of(credential.get_token, SCOPE)
    assert sent(entra) == ["new"]


def test_if_all_secrets_of_a_list_are_refused_the_last_refusal_is_told(several, entra):
    credential, registration, _ = several
    registration.expire_secret(f"old~{CANARY}")
    error = error_of(credential.get_token, SCOPE)
    assert error.aadsts == "AADSTS7000222"
    assert CANARY not in everything_in(error)
    assert sent(entra) == ["new", "old"]


def test_if_no_secret_of_a_list_can_be_read_the_credential_is_unavailable(several, entra):
    credential, _, directory = several
    for name in ("new", "old"):
        (directory / name).unlink()
    error = error_of(credential.get_token, SCOPE)
    assert isinstance(error, credconf.CredentialUnavailableError)
    assert entra.requests == []


# The constructors


BAD = {
    "tenant": (("../evil", "client", CANARY), {}),
    "empty": (("", "", CANARY), {}),
    "authority": (("tenant", "client", CANARY), {"authority": f"http://{CANARY}"}),
    "authority with a password": (("tenant", "client", CANARY), {"authority": f"https://u:{CANARY}@h"}),
    "proxy": (("tenant", "client", CANARY), {"proxies": {"https": f"http://u:{CANARY}@h"}, "retry_total": "x"}),
    "bundle": (("tenant", "client", CANARY), {"connection_verify": "/nowhere"}),
    "misspelt": (("tenant", "client", CANARY), {"retry_totl": 3}),
    "transport": (("tenant", "client", CANARY), {"transport": 3}),
    "types": ((7, ["client"], {"x": CANARY}), {"additionally_allowed_tenants": 3}),
    "tenants": (("tenant", "client", CANARY), {"additionally_allowed_tenants": [CANARY + "/"]}),
    "persistence": (("tenant", "client", CANARY), {"cache_persistence_options": 1}),
    "time-out": (("tenant", "client", CANARY), {"connection_timeout": "soon"}),
    "proxies": (("tenant", "client", CANARY), {"proxies": f"http://{CANARY}@h"}),
    "client": (("tenant", "client", CANARY), {"http_client": 5}),
    "user agent": (("tenant", "client", CANARY), {"user_agent": 7}),
}


@pytest.mark.parametrize("bad", BAD)
def test_no_constructor_that_raises_shows_the_secret(face, bad):
    arguments, options = BAD[bad]
    cls = face.module.ClientSecretCredential

    def construct():
        return error_of(lambda: cls(*arguments, **options))

    error = construct()
    assert isinstance(error, (ValueError, TypeError))
    text = str(error) + repr(error) + repr(error.args) + repr(vars(error))
    assert CANARY not in text
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in traceback.walk_tb(error.__traceback__) if frame[0].f_code.co_filename.startswith(HOME)]
    assert ours
    assert frames
    for frame, _ in ours:
        assert CANARY not in repr(frame.f_locals)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("scopes", "options", "said"),
    [
        ((None,), {}, "text, not NoneType"),
        ((5,), {}, "text, not int"),
        (([SCOPE],), {}, "text, not list"),
        ((SCOPE, [OTHER_SCOPE]), {}, "text, not list"),
        ((SCOPE,), {"tenant_id": 5}, "tenant_id= as text, not int"),
        ((SCOPE,), {"claims": {"a": 1}}, "claims= as text, not dict"),
    ],
)
def test_what_is_no_text_is_a_type_error_and_sends_nothing(case, scopes, options, said):
    credential = case.build()
    error = error_of(credential.get_token, *scopes, **options)
    assert isinstance(error, TypeError)
    assert said in str(error)
    if not options:
        assert said in str(error_of(credential.get_token_info, *scopes))
    assert case.entra.requests == []
