"""What every kind of credential does, through both faces: its life, its description, and who shares it."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import credconf
from tests.contract.clients import Recorder
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, Driven


def shown(text, case):
    return [secret for secret in case.secrets if secret in text]


def test_repr_and_str_show_who_it_is_and_no_secret(case):
    credential = case.build().credential
    for text in (repr(credential), str(credential), f"{credential}"):
        assert case.registration.client_id in text
        assert case.entra.tenant_id in text
        assert not shown(text, case)


def test_describe_says_which_identity_it_is(case):
    credential = case.build()
    description = credential.credential.describe()
    assert description == {
        "kind": case.kind,
        "name": None,
        "tenant_id": case.entra.tenant_id,
        "client_id": case.registration.client_id,
        "authority": case.entra.authority,
        "oidc_authority": None,
        "region": None,
        "cloud": None,
        "proof": None,
    }
    credential.get_token(SCOPE)
    proved = f"{case.kind} ({case.proof})"
    assert credential.credential.describe() == {**description, "proof": proved}
    credential.close()
    assert credential.credential.describe() == {**description, "proof": proved}


def test_describe_hides_what_a_file_held(case, tmp_path):
    path = tmp_path / "client_id"
    path.write_text(case.registration.client_id)
    credential = case.build(client_id={"file": str(path)})
    assert credential.get_token(SCOPE).token
    assert case.registration.client_id not in repr(credential.credential.describe())


def test_no_attribute_within_reach_shows_a_secret(case):
    credential = case.build()
    credential.get_token(SCOPE)
    engine = credential.credential._engine
    plan, requester = engine.blueprint, engine._requester
    for thing in (engine, plan, plan.settings, plan.identity, requester, requester._clients._client):
        assert not shown(repr(thing), case)
    assert not shown(repr(vars(credential.credential)), case)


def test_a_pickle_holds_no_secret_and_finds_it_again(case):
    credential = case.build()
    credential.get_token(SCOPE)
    if case.kind == "client_certificate":  # its password stands in the configuration itself
        with pytest.raises(TypeError) as caught:
            pickle.dumps(credential.credential)
        assert not shown(str(caught.value), case)
        return
    pickled = pickle.dumps(credential.credential)
    assert not shown(pickled.decode("latin-1"), case)
    twin = Driven(pickle.loads(pickled))  # noqa: S301 - our own
    assert twin.get_token(SCOPE).token
    twin.close()


def test_with_a_client_of_the_applications_it_can_not_be_pickled(case):
    credential = case.build(http_client=Recorder(case.entra))
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(credential.credential)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_shares_tokens_and_lives_on_its_own(case, copied):
    credential = case.build()
    token = credential.get_token(SCOPE)
    twin = Driven(copied(credential.credential))
    credential.close()
    assert twin.get_token(SCOPE) is token
    assert twin.credential.describe()["client_id"] == case.registration.client_id
    twin.close()


def test_after_close_a_call_is_a_value_error(case):
    credential = case.build()
    credential.get_token(SCOPE)
    credential.close()
    credential.close()
    for method in (credential.get_token, credential.get_token_info, credential.verify):
        with pytest.raises(ValueError, match="closed"):
            method(SCOPE)


def test_the_last_of_those_who_share_an_engine_closes_it(case):
    client = Recorder(case.entra)
    first, second = (face.from_config(**case.fields, http_client=client) for face in (SYNC, ASYNC))
    token = first.get_token(SCOPE)
    first.close()
    first.close()
    assert second.get_token(SCOPE) is token
    assert client.closed == 0
    second.close()
    assert client.closed == 1
    third = case.from_config(http_client=client)
    with pytest.raises(Exception, match="closed"):
        third.get_token(SCOPE)


def test_an_unused_credential_closes_the_applications_client_too(case):
    client = Recorder(case.entra)
    case.build(http_client=client).close()
    assert client.closed == 1


def test_after_the_last_close_the_next_one_begins_anew(case):
    first = case.from_config()
    token = first.get_token(SCOPE)
    first.close()
    assert case.from_config().get_token(SCOPE) != token


def test_a_block_gives_the_credential_and_closes_it(case):
    credential = case.build().credential

    async def block():
        async with credential as inside:
            assert inside is credential
            await inside.get_token(SCOPE)

    if case.face.is_async:
        asyncio.run(block())
    else:
        with credential as inside:
            assert inside is credential
            inside.get_token(SCOPE)
    assert credential._engine is None


def test_a_closed_credential_can_not_be_entered(case):
    credential = case.build()
    credential.close()

    def enter():
        if case.face.is_async:
            asyncio.run(credential.credential.__aenter__())
        else:
            credential.credential.__enter__()

    with pytest.raises(ValueError, match="closed"):
        enter()


def test_many_threads_make_one_request(case):
    case.entra.is_slow(0.1)
    credential = case.build()
    with ThreadPoolExecutor(24) as pool:
        tokens = set(pool.map(lambda _: credential.get_token(SCOPE).token, range(48)))
    assert len(tokens) == 1
    assert case.entra.count() == 1


def test_a_failure_reaches_each_of_many_threads_as_an_error_of_its_own(case):
    case.entra.is_slow(0.1)
    case.entra.refuses(53003)
    credential = case.build()
    start = threading.Barrier(8)

    def ask(_):
        start.wait()
        with pytest.raises(Exception, match="AADSTS53003") as caught:
            credential.get_token(SCOPE)
        return id(caught.value), caught.value

    with ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(ask, range(8)))
    assert len({identity for identity, _ in errors}) == 8
    assert case.entra.count() < 8


def test_different_tokens_are_requested_side_by_side(case):
    together = threading.Barrier(2)
    case.entra.before_token = lambda _: together.wait(10)
    credential = case.build()
    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(lambda scope: credential.get_token(scope).token, [SCOPE, OTHER_SCOPE]))) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_gets_a_token(case):
    credential = case.build()
    credential.get_token(SCOPE)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if credential.get_token(OTHER_SCOPE).token and credential.get_token(SCOPE).token else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert credential.get_token(OTHER_SCOPE).token
    assert case.entra.count() == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_in_the_middle_of_a_request_leaves_the_child_free(case):
    arrived, go_on = threading.Event(), threading.Event()

    def hold(_):
        if not arrived.is_set():
            arrived.set()
            go_on.wait(20)

    case.entra.before_token = hold
    credential = case.build()
    thread = threading.Thread(target=credential.get_token, args=(SCOPE,))
    thread.start()
    assert arrived.wait(20)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if credential.get_token(SCOPE).token else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    go_on.set()
    thread.join(20)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_relative_file_stays_the_same_when_the_working_directory_changes(entra, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("secret").write_text(entra.client_secret)
    references = [{"file": "secret"}, [{"file": "secret"}]]
    credentials = [credconf.build(entra.config(client_secret=reference)) for reference in references]
    tmp_path.joinpath("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    for credential in credentials:
        with credential:
            assert credential.get_token(SCOPE).token


def test_relative_certificates_stay_the_same_when_the_working_directory_changes(entra, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("ca.pem").write_text(Path(entra.ca_bundle).read_text())
    tmp_path.joinpath("elsewhere").mkdir()
    with credconf.build(entra.config(http={"ca_bundle": "ca.pem"})) as credential:
        monkeypatch.chdir("elsewhere")
        assert credential.get_token(SCOPE).token
