"""What only coroutines can do to a credential: cancel, and run on several loops."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.contract.faces import ASYNC, SCOPE

pytestmark = pytest.mark.parametrize("face", [ASYNC], ids=["async"], indirect=False)


@pytest.fixture
def held(case):
    """The next token request waits until it is let go; set when it has arrived."""
    arrived, go_on = threading.Event(), threading.Event()

    def hold(_):
        arrived.set()
        go_on.wait(20)

    case.entra.before_token = hold
    yield arrived, go_on
    go_on.set()


async def until(event):
    while not event.is_set():  # noqa: ASYNC110 - a thread sets it
        await asyncio.sleep(0.005)


def test_hundreds_of_coroutines_make_one_request(case):
    case.entra.is_slow(0.1)
    credential = case.build().credential

    async def all_of_them():
        return await asyncio.gather(*(credential.get_token(SCOPE) for _ in range(300)))

    assert len(set(asyncio.run(all_of_them()))) == 1
    assert case.entra.count() == 1


@pytest.mark.parametrize("victim", [0, 1], ids=["the first", "another"])
def test_one_cancelled_coroutine_cancels_nobody_else(case, held, victim):
    arrived, go_on = held
    credential = case.build().credential

    async def main():
        tasks = [asyncio.create_task(credential.get_token(SCOPE)) for _ in range(3)]
        await until(arrived)
        tasks[victim].cancel()
        await asyncio.sleep(0.02)
        go_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(main())
    assert isinstance(outcomes[victim], asyncio.CancelledError)
    assert len({outcome.token for index, outcome in enumerate(outcomes) if index != victim}) == 1
    assert case.entra.count() == 1


def test_if_all_are_cancelled_the_token_is_kept_all_the_same(case, held):
    arrived, go_on = held
    credential = case.build().credential

    async def main():
        task = asyncio.create_task(credential.get_token(SCOPE))
        await until(arrived)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        return await credential.get_token(SCOPE)

    assert asyncio.run(main()).token
    assert case.entra.count() == 1


def test_a_time_limit_of_the_caller_ends_only_his_wait(case, held):
    arrived, go_on = held
    credential = case.build().credential

    async def main():
        patient = asyncio.create_task(credential.get_token(SCOPE))
        await until(arrived)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(credential.get_token(SCOPE), 0.05)
        go_on.set()
        return await patient

    assert asyncio.run(main()).token


def test_two_event_loops_and_a_thread_share_one_request(case, held):
    from tests.contract.faces import SYNC

    arrived, go_on = held
    credential = case.from_config().credential
    plain = SYNC.from_config(**case.fields)
    tokens = []
    threads = [threading.Thread(target=lambda: tokens.append(asyncio.run(ask()))) for _ in range(2)]
    threads.append(threading.Thread(target=lambda: tokens.append(plain.get_token(SCOPE).token)))

    async def ask():
        return (await credential.get_token(SCOPE)).token

    for thread in threads:
        thread.start()
    assert arrived.wait(20)
    go_on.set()
    for thread in threads:
        thread.join(20)
    plain.close()
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    assert case.entra.count() == 1


def test_the_loop_runs_on_while_a_token_is_requested(case, held):
    arrived, go_on = held
    credential = case.build().credential

    async def main():
        task = asyncio.create_task(credential.get_token(SCOPE))
        await until(arrived)
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        return await task

    assert asyncio.run(main()).token


def test_the_pool_of_asyncio_stays_free(case, held):
    arrived, go_on = held
    credential = case.build().credential

    async def main():
        task = asyncio.create_task(credential.get_token(SCOPE))
        await until(arrived)
        assert asyncio.get_running_loop()._default_executor is None
        go_on.set()
        await task

    asyncio.run(main())


def test_a_loop_that_ends_early_leaves_no_exception_behind(case, held, recwarn):
    arrived, go_on = held
    credential = case.build().credential

    async def main():
        task = asyncio.create_task(credential.get_token(SCOPE))
        await until(arrived)
        return task

    asyncio.run(main())
    go_on.set()
    assert case.build().get_token(SCOPE).token
    assert [str(warning.message) for warning in recwarn] == []
