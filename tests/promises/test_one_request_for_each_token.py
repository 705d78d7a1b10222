"""However many threads, coroutines and event loops ask for one token, one request is made; others never wait."""

from __future__ import annotations

import asyncio
import logging
import traceback

import pytest

import credconf
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, engine_of, wait_until
from tests.promises.answering import FIELDS, Gate, InProcess, Threads, close, granted, settled

CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'


@pytest.fixture
def entra(fake_entra):
    fake_entra.allow_any_tenant()
    return fake_entra


@pytest.fixture
def engine(entra):
    engine = engine_of(entra.config(additionally_allowed_tenants=["*"]))
    yield engine
    close(engine)


@pytest.fixture
def plain(engine):
    return SYNC.on(engine).credential


@pytest.fixture
def coroutines(engine):
    return ASYNC.on(engine).credential


async def until(event):
    assert await asyncio.to_thread(event.wait, 20)


def test_two_hundred_threads_make_one_request(entra, plain):
    with Gate() as entra.before_token:
        threads = Threads(*[lambda: plain.get_token(SCOPE).token] * 200)
        wait_until(lambda: threads.waiting() == 199)
    assert len(set(threads.joined())) == 1
    assert entra.count() == 1
    assert len(entra.requests) == 1


def test_a_thousand_coroutines_make_one_request(entra, coroutines):
    async def main():
        with Gate() as entra.before_token:
            tasks = [asyncio.create_task(coroutines.get_token(SCOPE)) for _ in range(1000)]
            await until(entra.before_token.arrived)
        return await asyncio.gather(*tasks)

    assert len({token.token for token in asyncio.run(main())}) == 1
    assert len(entra.requests) == 1


def test_coroutines_of_several_event_loops_make_one_request(entra, coroutines):
    async def loop():
        return {token.token for token in await asyncio.gather(*(coroutines.get_token(SCOPE) for _ in range(50)))}

    with Gate() as entra.before_token:
        threads = Threads(*[lambda: asyncio.run(loop())] * 12)
        assert entra.before_token.arrived.wait(20)
    assert len(set.union(*threads.joined())) == 1
    assert len(entra.requests) == 1


def test_threads_and_coroutines_together_make_one_request(entra):
    plain, coroutines = (face.from_config(**entra.config()).credential for face in (SYNC, ASYNC))

    async def loop():
        return {token.token for token in await asyncio.gather(*(coroutines.get_token(SCOPE) for _ in range(50)))}

    with Gate() as entra.before_token:
        threads = Threads(*[lambda: {plain.get_token(SCOPE).token}] * 60, *[lambda: asyncio.run(loop())] * 6)
        assert entra.before_token.arrived.wait(20)
        wait_until(lambda: threads.waiting() >= 59)
    assert len(set.union(*threads.joined())) == 1
    assert len(entra.requests) == 1
    asyncio.run(coroutines.close())
    plain.close()


@pytest.mark.parametrize("face", [SYNC, ASYNC], ids=["threads", "coroutines"])
@pytest.mark.parametrize(
    ("scope", "options", "is_held"),
    [
        (OTHER_SCOPE, {}, lambda request: request.scopes == (OTHER_SCOPE,)),
        (SCOPE, {"tenant_id": "other.example"}, lambda request: request.tenant == "other.example"),
        (SCOPE, {"enable_cae": True}, lambda request: "xms_cc" in (request.claims or "")),
        (SCOPE, {"claims": CLAIMS}, lambda request: "nbf" in (request.claims or "")),
    ],
    ids=["scope", "tenant", "CAE", "claims"],
)
def test_tokens_that_differ_never_wait_for_each_other(entra, engine, face, scope, options, is_held):
    with Gate(is_held) as entra.before_token:
        held = Threads(lambda: face.on(engine).get_token(scope, **options).token)
        assert entra.before_token.arrived.wait(20)
        token = face.on(engine).get_token(SCOPE).token
        assert held.outcomes == [None]
    assert held.joined() != [token]
    assert entra.count() == 2


def test_a_failure_reaches_every_waiting_thread_as_an_exception_of_its_own(entra, plain):
    entra.answers(501, times=1)
    with Gate() as entra.before_token:
        threads = Threads(*[lambda: plain.get_token(SCOPE)] * 50)
        wait_until(lambda: threads.waiting() == 49)
    assert_own(threads.joined(), 50)
    assert entra.count() == 1
    assert plain.get_token(SCOPE).token  # it is not remembered
    assert entra.count() == 2


def test_a_failure_reaches_every_waiting_coroutine_as_an_exception_of_its_own(entra, coroutines):
    entra.answers(501, times=1)

    async def main():
        with Gate() as entra.before_token:
            tasks = [asyncio.create_task(coroutines.get_token(SCOPE)) for _ in range(100)]
            await until(entra.before_token.arrived)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        return outcomes, await coroutines.get_token(SCOPE)

    outcomes, token = asyncio.run(main())
    assert_own(outcomes, 100)
    assert token.token
    assert entra.count() == 2


def assert_own(errors, number):
    assert {type(error) for error in errors} == {credconf.AuthenticationError}
    assert {error.status_code for error in errors} == {501}
    assert len({id(error) for error in errors}) == number
    assert len({id(error.__traceback__) for error in errors}) == number
    assert len({len(traceback.extract_tb(error.__traceback__)) for error in errors}) == 1
    assert all(error.__context__ is None and error.__cause__ is None for error in errors)


def test_cancelling_coroutines_cancels_neither_threads_nor_other_coroutines(entra, plain, coroutines):
    async def main():
        with Gate() as entra.before_token:
            tasks = [asyncio.create_task(coroutines.get_token(SCOPE)) for _ in range(30)]
            await until(entra.before_token.arrived)  # so the first of the tasks leads
            thread = Threads(lambda: plain.get_token(SCOPE))
            for task in tasks[::2]:
                task.cancel()
            await asyncio.sleep(0.01)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        return outcomes, await asyncio.to_thread(thread.joined)

    outcomes, [token] = asyncio.run(main())
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes[::2])
    assert set(outcomes[1::2]) == {token}
    assert entra.count() == 1


def test_a_loop_that_is_closed_while_its_callers_wait_leaves_no_trace(entra, engine, coroutines, plain, caplog):
    async def main():
        task = asyncio.create_task(coroutines.get_token(SCOPE))
        await until(entra.before_token.arrived)
        return task.done()

    with Gate() as entra.before_token:
        assert not asyncio.run(main())
    assert plain.get_token(SCOPE).token
    assert settled(engine)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert entra.count() == 1


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_when_the_fetching_thread_is_interrupted_a_follower_takes_over(interrupt):
    gate = Gate(lambda asked: len(client.asked) == 1)

    def answer(asked):
        gate(asked)
        if len(client.asked) == 1:
            raise interrupt
        return granted("the-token")

    client = InProcess(answer)
    engine = engine_of(FIELDS, client)
    with gate:
        leader = Threads(lambda: SYNC.on(engine).get_token(SCOPE))
        assert gate.arrived.wait(20)
        threads = Threads(*[lambda: SYNC.on(engine).get_token(SCOPE).token] * 20)
        loops = Threads(*[lambda: ASYNC.on(engine).get_token(SCOPE).token] * 3)
        wait_until(lambda: threads.waiting() == 20)
    assert [type(outcome) for outcome in leader.joined()] == [interrupt]
    assert {*threads.joined(), *loops.joined()} == {"the-token"}
    assert len(client.asked) == 2
