"""Programs that run under gevent and eventlet. Each asserts what must hold."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tests.promises.workers.world import (
    OTHER_SCOPE,
    SCOPE,
    assert_own,
    credential_at,
    crowd_of,
    show,
    tokens_of,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.promises.workers.world import Task, World


def cold_crowd(world: World) -> None:
    """Fifty greenlets ask a credential whose cache is empty."""
    cold_crowd_of(world, world.credential())


def cold_crowd_of(world: World, credential: Any) -> None:
    world.ask("hold")
    crowd = crowd_of(world, credential, 50)
    world.ask("arrived")
    world.ask("release")
    assert len(tokens_of(crowd)) == 1
    assert world.ask("count") == 1


def outage(world: World) -> None:
    """The server goes down while a token is still valid."""
    clock = clock_of()
    credential = world.credential(clock=clock)
    token = credential.get_token_info(SCOPE)
    world.ask("goes_down")
    clock.advance(3500)  # due, and valid for 100 s
    crowd = [world.tasks.start(lambda: credential.get_token_info(SCOPE)) for _ in range(10)]
    assert [task.outcome() for task in crowd] == [token] * 10
    world.ask("comes_back")


def refresh(world: World) -> None:
    """Callers receive the old token while the new one is fetched."""
    world.ask("tokens", 3600, 1800)
    clock = clock_of()
    credential = world.credential(clock=clock)
    old = credential.get_token(SCOPE).token
    world.ask("hold")
    clock.advance(2000)
    assert {credential.get_token(SCOPE).token for _ in range(10)} == {old}
    world.ask("arrived")
    assert tokens_of(crowd_of(world, credential, 10)) == {old}
    world.ask("release")
    until(lambda: credential.get_token(SCOPE).token != old)
    assert world.ask("count") == 2


def leader_is_stopped(world: World, how: str, place: str) -> None:
    """The leader is timed out or killed; the followers get their token."""
    credential = credential_at(world, place)
    world.ask("hold")
    leader, stop = stoppable(world, how, credential)
    followers = crowd_of(world, credential, 5)
    world.ask("arrived")
    expected = stop()
    assert_own(leader.outcome(), expected)
    assert not any(task.ended.is_set() for task in followers), [task.outcome() for task in followers]
    world.ask("release")
    assert len(tokens_of(followers)) == 1


def follower_is_stopped(world: World, how: str) -> None:
    """A follower is timed out or killed; the leader and the other followers get their token."""
    credential = credential_at(world, "request")
    world.ask("hold")
    [leader] = crowd_of(world, credential, 1)
    world.ask("arrived")
    follower, stop = stoppable(world, how, credential)
    others = crowd_of(world, credential, 5)
    world.ask("count")  # a round trip, in which every task runs until it waits
    expected = stop()
    assert_own(follower.outcome(), expected)
    assert not leader.ended.is_set()
    assert not any(task.ended.is_set() for task in others)
    world.ask("release")
    assert len(tokens_of([leader, *others])) == 1
    assert world.ask("count") == 2  # one of them was for the other scope


def stoppable(world: World, how: str, credential: Any) -> tuple[Task, Callable[[], Any]]:
    """A task that asks for a token, and a function that stops it and returns the exception, or its type, to expect."""
    begun: list[BaseException] = []

    def ask() -> Any:
        timeout = world.tasks.timeout() if how == "timeout" else None
        begun.append(timeout)
        try:
            return credential.get_token(SCOPE)
        finally:
            if timeout is not None:
                timeout.cancel()

    task = world.tasks.start(ask)

    def stop() -> Any:
        if how == "kill":
            world.tasks.kill(task)
            return world.tasks.Exit
        world.tasks.expire(task, begun[0])
        return begun[0]

    return task, stop


def command(world: World, program: str, secret: str) -> None:
    """The secret is the output of a command."""
    cold_crowd_of(world, world.allowed({"command": [program, secret]}))


def from_file(world: World, secret: str) -> None:
    """The secret is the text of a file."""
    cold_crowd_of(world, world.credential(client_secret={"file": secret}))


def leader_is_stopped_in_a_command(world: World, how: str, program: str, pipe: str) -> None:
    """The leader is timed out or killed while it waits for the command that prints the secret."""
    credential = world.allowed({"command": [program, pipe]})
    leader, stop = stoppable(world, how, credential)
    followers = crowd_of(world, credential, 5)
    world.ask("begin_to_write", pipe)
    expected = stop()
    assert_own(leader.outcome(), expected)
    assert not any(task.ended.is_set() for task in followers), [task.outcome() for task in followers]
    world.ask("begin_to_write", pipe)  # the command that the next leader started
    world.ask("write")
    assert len(tokens_of(followers)) == 1


def shared_cache(world: World, fields: str) -> None:
    """Credentials of one process have a shared token cache."""
    cache = json.loads(fields)
    credentials = [world.credential(token_cache=cache) for _ in range(3)]
    world.ask("hold")
    crowd = [world.tasks.start(lambda each=each: each.get_token(SCOPE).token) for each in credentials * 10]
    world.ask("arrived")
    world.ask("release")
    assert len(tokens_of(crowd)) == 1
    assert world.ask("count") == 1
    assert world.credential(token_cache=cache).get_token(SCOPE).token in tokens_of(crowd)
    assert world.ask("count") == 1


def closed_meanwhile(world: World) -> None:
    """The credential is closed while greenlets wait for a token."""
    import credconf

    credential = world.warm()
    world.ask("hold")
    crowd = [world.tasks.start(lambda: credential.get_token(SCOPE)) for _ in range(5)]
    world.ask("arrived")
    credential.close()
    world.ask("release")
    for task in crowd:
        outcome = task.outcome()
        if isinstance(outcome, BaseException):
            assert isinstance(outcome, credconf.AuthenticationError | ValueError), outcome
            show(outcome)
    for scope in (SCOPE, OTHER_SCOPE):
        refused = world.tasks.start(lambda scope=scope: credential.get_token(scope)).outcome()
        assert isinstance(refused, ValueError), refused


def clock_of() -> Any:
    from tests.contract.faces import Clock

    return Clock()


def native_thread(world: World) -> None:
    """A thread of gevent's pool, which has an event loop of its own, asks for the same token as greenlets."""
    import gevent

    credential = world.warm()
    world.ask("hold")
    crowd = crowd_of(world, credential, 5)
    world.ask("arrived")
    native = gevent.get_hub().threadpool.spawn(lambda: credential.get_token(SCOPE).token)
    more = crowd_of(world, credential, 5)
    world.ask("release")
    assert tokens_of([*crowd, *more]) == {native.get(timeout=20)}


def shown(world: World) -> None:
    """Print the secret, which the parent must find."""
    sys.stdout.write(world.fields()["client_secret"])
