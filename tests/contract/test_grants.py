"""The contract of kinds that have their own way to a token, in both faces: what holds for those with a proof, too."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo

import credconf
from credconf.assembly import blueprint_of
from credconf.engine import Engine
from credconf.ground.records import replace
from credconf.kinds import validate
from credconf.references import Reader
from credconf.testing import FakeAppService, FakeAzureCli, FakeImds
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, Clock, Driven, Face, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 24 * 3600
HOUR = 3600


@dataclass
class Grant:
    """One kind through one face, with the fake that gives its tokens."""

    face: Face
    fields: dict[str, Any]
    allow: frozenset[str]
    fake: Any

    def from_config(self, face: Face | None = None, **changes: Any) -> Driven:
        given = {**self.fields, **changes}
        return (face or self.face).from_config(environ=dict(os.environ), allow=self.allow, **given)

    def timed(self, clock: Clock) -> Driven:
        plan = blueprint_of(validate(self.fields), Reader(os.environ, allow=self.allow), None)
        assert not isinstance(plan, list), plan
        return self.face.on(Engine(replace(plan, clock=clock, random=lambda: 0.0, sleep=lambda _: None)))


def _fakes() -> dict[str, Any]:
    posix = () if sys.platform == "win32" else (("azure_cli", FakeAzureCli),)
    return dict((("managed_identity-imds", FakeImds), ("managed_identity-app_service", FakeAppService), *posix))


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def face(request) -> Face:
    return request.param


@pytest.fixture(params=_fakes())
def grant(request, face, monkeypatch) -> Iterator[Grant]:
    kind = request.param.partition("-")[0]
    with _fakes()[request.param]() as fake:
        fake.apply(monkeypatch)
        yield Grant(face, {"kind": kind}, frozenset({kind} & {"azure_cli"}), fake)


def test_both_methods_give_the_same_token_by_azure_cores_types(grant):
    credential = grant.from_config()
    token, info = credential.get_token(SCOPE), credential.get_token_info(SCOPE)
    assert (type(token), type(info)) == (AccessToken, AccessTokenInfo)
    assert token.token == info.token
    assert token.expires_on == info.expires_on > time.time()
    assert info.token_type == "Bearer"
    assert grant.fake.count() == 1
    credential.close()


def test_many_threads_and_coroutines_without_a_token_make_one_request(grant):
    grant.fake.is_slow(0.1, times=1)
    credential = grant.from_config()
    if grant.face.is_async:

        async def crowd():
            return await asyncio.gather(*(credential.credential.get_token(SCOPE) for _ in range(50)))

        tokens = asyncio.run(crowd())
    else:
        with ThreadPoolExecutor(50) as pool:
            tokens = list(pool.map(lambda _: credential.get_token(SCOPE), range(50)))
    assert len({token.token for token in tokens}) == 1
    assert grant.fake.count() == 1
    credential.close()


def test_scopes_are_kept_apart(grant):
    credential = grant.from_config()
    assert credential.get_token(SCOPE).token != credential.get_token(OTHER_SCOPE).token
    assert grant.fake.count() == 2
    credential.close()


def test_a_due_token_is_refreshed_behind_the_caller(grant):
    clock = Clock()
    grant.fake.tokens(expires_in=DAY)
    credential = grant.timed(clock)
    first = credential.get_token(SCOPE).token
    clock.advance(DAY / 2 + 60)
    assert credential.get_token(SCOPE).token == first
    wait_until(lambda: grant.fake.count() == 2)
    wait_until(lambda: credential.get_token(SCOPE).token != first)
    credential.close()


def test_a_valid_token_survives_a_failing_refresh_and_an_expired_one_does_not(grant):
    clock = Clock()
    grant.fake.tokens(expires_in=DAY)
    credential = grant.timed(clock)
    first = credential.get_token(SCOPE).token
    _break(grant.fake)
    clock.advance(DAY - HOUR)
    assert credential.get_token(SCOPE).token == first
    clock.advance(2 * HOUR)
    with pytest.raises(credconf.AuthenticationError):
        credential.get_token(SCOPE)
    credential.close()


def test_the_first_call_after_an_outage_succeeds(grant):
    credential = grant.from_config(http={"retries": 0})
    _break(grant.fake)
    with pytest.raises(credconf.AuthenticationError):
        credential.get_token(SCOPE)
    grant.fake.recovers()
    assert credential.get_token(SCOPE).token
    credential.close()


def test_both_faces_of_one_configuration_share_tokens(grant):
    one, other = grant.from_config(SYNC), grant.from_config(ASYNC)
    assert one.get_token(SCOPE).token == other.get_token(SCOPE).token
    assert grant.fake.count() == 1
    one.close()
    other.close()


def test_a_closed_credential_is_a_value_error(grant):
    credential = grant.from_config()
    credential.get_token(SCOPE)
    credential.close()
    with pytest.raises(ValueError, match="closed"):
        credential.get_token(SCOPE)


@pytest.mark.parametrize("scopes", [(), ("",), (SCOPE, OTHER_SCOPE)])
def test_what_is_not_one_scope_is_an_error_without_a_request(grant, scopes):
    credential = grant.from_config()
    if scopes == ("",) and grant.fields["kind"] == "managed_identity":
        pytest.skip("the endpoint judges an empty resource")
    with pytest.raises((ValueError, credconf.AuthenticationError)):
        credential.get_token(*scopes)
    assert grant.fake.count() == 0
    credential.close()


def test_a_copy_shares_tokens(grant):
    credential = grant.from_config()
    credential.get_token(SCOPE)
    twin = Driven(copy.deepcopy(credential.credential))
    assert twin.get_token(SCOPE).token == credential.get_token(SCOPE).token
    assert grant.fake.count() == 1
    twin.close()
    credential.close()


def test_another_process_makes_the_same_credential_from_a_pickle(grant):
    credential = grant.from_config()
    twin = Driven(pickle.loads(pickle.dumps(credential.credential)))  # noqa: S301 - our own
    assert twin.get_token(SCOPE).token
    twin.close()
    credential.close()


def test_verify_asks_although_a_token_is_kept(grant):
    credential = grant.from_config()
    credential.get_token(SCOPE)
    assert credential.verify(SCOPE).token
    assert grant.fake.count() == 2
    credential.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_the_child_of_a_fork_gets_tokens_of_its_own(grant):
    if grant.face.is_async:
        pytest.skip("an event loop does not survive a fork")
    credential = grant.from_config()
    credential.get_token(SCOPE)
    child = os.fork()
    if child == 0:  # pragma: no cover - coverage does not follow
        os._exit(0 if credential.get_token(OTHER_SCOPE).token and credential.get_token(SCOPE).token else 1)
    status = _status_within(child, 20)
    assert status == 0
    credential.close()


def test_no_failure_and_no_repr_shows_a_token(grant, caplog):
    credential = grant.from_config(http={"retries": 0})
    token = credential.get_token(SCOPE).token
    grant.fake.recovers()
    if isinstance(grant.fake, FakeAzureCli):
        grant.fake.answers(stdout=f'{{"accessToken": "{token}"}}', stderr=f"ERROR: {token}", exit_code=1)
    else:
        grant.fake.answers(400, f'{{"error": "x", "error_description": "bad {token}"}}')
    with pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token(OTHER_SCOPE)
    shown = (
        f"{caught.value} {caught.value!r} {credential.credential!r} {credential.credential.describe()} {caplog.text}"
    )
    assert token not in shown
    assert token.rpartition(".")[2][:20] not in shown
    credential.close()


def _break(fake: Any) -> None:
    if isinstance(fake, FakeAzureCli):
        fake.is_signed_out()
    else:
        fake.answers(500, "{}")


def _status_within(child: int, seconds: float) -> int:
    found: list[int] = []
    waiting = threading.Thread(target=lambda: found.append(os.waitpid(child, 0)[1]), daemon=True)
    waiting.start()
    waiting.join(seconds)
    assert found, "the child hangs"
    return found[0]
