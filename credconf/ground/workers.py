"""Threads of credconf: started on need, gone when idle, and never in the way of the process's end.

asyncio's default pool is the application's, and the standard library's pools are joined when the interpreter ends.
"""

from __future__ import annotations

import atexit
import contextlib
import queue
import sys
import threading
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


_T = TypeVar("_T")

IDLE = 20.0


class Workers:
    """At most `limit` daemon threads, which take tasks in their order.

    Args:
        limit: of threads.
        name: of each thread.
        idle: seconds after which a thread without work goes.
    """

    def __init__(self, limit: int, name: str, idle: float = IDLE) -> None:
        self._limit = limit
        self._name = name
        self._patience = idle
        self.after_fork()

    def after_fork(self) -> None:
        """In the child of a fork there are no threads, and nothing waits."""
        self._tasks: deque[Callable[[], object]] = deque()  # those that no thread has taken yet
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()  # one wakes one idle thread
        self._lock = threading.Lock()
        self.threads: list[threading.Thread] = []
        self._idle = 0

    def submit(self, task: Callable[[], object]) -> None:
        """Run a task soon. It must handle its own exceptions.

        Raises:
            RuntimeError: no thread runs, and none can be started (`limits.shortage` recognises it).
        """
        with self._lock:
            if len(self._tasks) >= self._idle:
                self._start()
            self._calls.put(None)  # before the task: an interrupt in between wakes a thread for nothing
            self._tasks.append(task)

    def _start(self) -> None:
        """One more thread, unless there are as many as there may be, or the system has no more."""
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        if len(self.threads) >= self._limit:
            return
        thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self.threads.append(thread)  # before it is started: an interrupt may come in between
        try:
            thread.start()
        except RuntimeError:
            self.threads.remove(thread)
            if not self.threads:
                raise

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            with contextlib.suppress(queue.Empty):
                self._calls.get(timeout=self._patience)
            with self._lock:
                self._idle -= 1
                if not self._tasks:
                    self.threads.remove(threading.current_thread())
                    return
                task = self._tasks.popleft()
            try:
                task()
            except BaseException:  # noqa: BLE001 - the thread goes on: where none can be started, others wait for it
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
            finally:
                del task  # an idle thread keeps nothing alive


class TooLong(Exception):
    """Something has not ended in its time; it goes on, and nobody waits for it."""


def bounded(workers: Workers, operation: Callable[[], _T], seconds: float) -> _T:
    """The result of an operation that may hang, done on a thread of ours.

    Raises:
        TooLong: it takes more than some seconds.
        RuntimeError: as `Workers.submit`.
    """
    outcome: Future[_T] = Future()

    def work() -> None:
        try:
            outcome.set_result(operation())
        except BaseException as exc:  # noqa: BLE001 - raised for whoever waits
            outcome.set_exception(exc)

    workers.submit(work)
    try:
        return outcome.result(seconds)
    except TooLate:
        if outcome.done():  # it was the operation's own, and is thrown as that
            raise
    raise TooLong


AT_END = 1.0
"""Seconds that the end of the process waits for what is under way: the next process finds a token that is stored."""
_AT_ONCE = 64  # as many as ask at once
_RESTS = 2.0  # seconds


class BackgroundTasks:
    """Does things that should be done at once, and may take longer.

    Args:
        patience: seconds that a caller waits for them; `None`: until they are done, because they never take long.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience = patience
        self._workers = Workers(_AT_ONCE, "credconf-after", idle=_RESTS)

    def do(self, work: Callable[[], object]) -> None:
        """Do something, which raises no `Exception`."""
        if self._patience is None:
            work()
            return
        done = threading.Event()

        def accompanied() -> None:
            try:
                work()
            finally:
                done.set()
                _under_way.discard(done)

        _under_way.add(done)
        try:
            with contextlib.suppress(TooLong):
                bounded(self._workers, accompanied, self._patience)
        except RuntimeError:  # no thread can be started
            accompanied()

    def after_fork(self) -> None:
        """In the child of a fork nothing is under way."""
        self._workers.after_fork()
        _under_way.clear()


_under_way: set[threading.Event] = set()


def _wait() -> None:
    for done in list(_under_way):
        if not done.wait(AT_END):
            return  # one that hangs is enough to wait for


atexit.register(_wait)
