"""Programs with threads, in which a signal handler raises in the main thread. Each asserts what must hold."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

from tests.frames import frames
from tests.promises.workers.world import SCOPE, assert_own, credential_at, crowd_of, tokens_of, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.promises.workers.world import Task, World

_AT_REST = 20
_PATIENCE = 3


class SoftTimeLimitExceeded(Exception):
    """Like the exception of Celery."""


class Alarm(BaseException):
    """An exception that no `except Exception` catches."""


KINDS: dict[str, Callable[[], BaseException]] = {
    "SoftTimeLimitExceeded": SoftTimeLimitExceeded,
    "TimeoutError": TimeoutError,
    "KeyboardInterrupt": KeyboardInterrupt,
    "Alarm": Alarm,
}


def leader_is_interrupted(world: World, kind: str, place: str) -> None:
    """A signal handler raises in the main thread, which is the leader, while another thread follows."""
    error = KINDS[kind]()

    def raise_it(*_: object) -> None:
        raise error

    signal.signal(signal.SIGALRM, raise_it)
    credential = credential_at(world, place)
    world.ask("hold")
    over = threading.Event()
    helper = world.tasks.start(lambda: _interrupt(world, credential, over))
    caught = _raised(credential)
    over.set()
    follower, ended = helper.outcome()
    assert_own(caught, error)
    assert not ended, follower.outcome()
    assert len(tokens_of([follower])) == 1


def _raised(credential: Any) -> BaseException | None:
    try:
        credential.get_token(SCOPE)
    except BaseException as exc:  # noqa: BLE001 - it is what is tested
        return exc
    return None


def _interrupt(world: World, credential: Any, over: threading.Event) -> tuple[Task, bool]:
    world.ask("arrived")
    [follower] = crowd_of(world, credential, 1)
    until(AtRest(follower))
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
    over.wait(_PATIENCE)  # the call ends at once, unless the exception was swallowed
    ended = follower.ended.is_set()
    world.ask("release")
    return follower, ended


class AtRest:
    """Whether a thread is blocked: it was at the same instruction at each of the last polls."""

    def __init__(self, task: Task) -> None:
        self._thread: threading.Thread = task.greenlet
        self._place: object = None
        self._seen = 0

    def __call__(self) -> bool:
        frame = frames().get(self._thread.ident or 0)
        place = None if frame is None else (id(frame), frame.f_lasti)
        self._seen = self._seen + 1 if place == self._place else 0
        self._place = place
        return self._seen >= _AT_REST
