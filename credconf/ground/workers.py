"""Daemon threads: started when needed, ended when idle. They never delay the end of the process.

asyncio's default pool belongs to the application, and the interpreter joins the standard library's pools when it ends.
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
"""Seconds without work after which a thread ends by default."""


class Workers:
    """A pool of daemon threads that runs tasks in order.

    Args:
        limit: the number of threads at most.
        name: the name of each thread.
        idle: the seconds without work after which a thread ends.

    Attributes:
        threads: the threads that run.
    """

    def __init__(self, limit: int, name: str, idle: float = IDLE) -> None:
        self._limit = limit
        self._name = name
        self._patience = idle
        self.after_fork()

    def after_fork(self) -> None:
        """Forget the threads and tasks of the parent process, in the child of a fork."""
        self._tasks: deque[Callable[[], object]] = deque()  # tasks that no thread has taken yet
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()  # each item wakes one idle thread
        self._lock = threading.RLock()  # a signal handler of its holder may need a token
        self.threads: list[threading.Thread] = []
        self._idle = 0

    def submit(self, task: Callable[[], object]) -> None:
        """Run a task soon. The task must handle its own exceptions.

        Raises:
            RuntimeError: no thread runs and none can be started (`limits.shortage` recognises it).
        """
        with self._lock:
            if len(self._tasks) >= self._idle:
                self._start()
            self._calls.put(None)  # before the task: an interrupt in between wakes a thread for nothing
            self._tasks.append(task)

    def _start(self) -> None:
        """Start one more thread, unless the limit is reached or the system has no more."""
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
            except BaseException:  # noqa: BLE001 - the thread stays: other tasks need it if no thread can be started
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
            finally:
                del task  # an idle thread must keep nothing alive


class TooLong(Exception):
    """An operation has not ended in time. It continues, and no caller waits for it."""


def bounded(workers: Workers, operation: Callable[[], _T], seconds: float) -> _T:
    """Run an operation that may hang on another thread, and return its result.

    The look-up of a name can't be interrupted, nor can opening a file on a dead network drive or a call over D-Bus. The
    thread of an operation that takes too long is left behind.

    Args:
        workers: runs the operation. `Workers(1, NAME, idle=0.0)` is one thread for this call.
        operation: what to do. An exception that it raises is raised here.
        seconds: the time that it may take.

    Raises:
        TooLong: it takes longer.
        RuntimeError: see `Workers.submit`.
    """
    outcome: Future[_T] = Future()

    def work() -> None:
        try:
            outcome.set_result(operation())
        except BaseException as exc:  # noqa: BLE001 - raised in the caller
            outcome.set_exception(exc)

    workers.submit(work)
    try:
        return outcome.result(seconds)
    except TooLate:
        if outcome.done():  # the operation itself raised it
            raise
    raise TooLong


AT_END = 1.0
"""Seconds that the end of the process waits for tasks, so that the next process finds a stored token."""
_THREADS = 64  # as many as request tokens at once
_IDLE = 2.0  # seconds


class BackgroundTasks:
    """Runs tasks after the caller's result is ready. The caller waits a bounded time for them.

    Args:
        patience: the seconds that a caller waits; `None` to run tasks, which never take long, on the caller's thread.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience = patience
        self._workers = Workers(_THREADS, "credconf-background", idle=_IDLE)

    def run(self, work: Callable[[], object]) -> None:
        """Run a task, which raises no `Exception`."""
        if self._patience is None:
            work()
            return
        done = threading.Event()

        def tracked() -> None:
            try:
                work()
            finally:
                done.set()
                _under_way.discard(done)

        _under_way.add(done)
        try:
            with contextlib.suppress(TooLong):
                bounded(self._workers, tracked, self._patience)
        except RuntimeError:  # no thread can be started
            tracked()

    def after_fork(self) -> None:
        """Forget the tasks of the parent process, in the child of a fork."""
        self._workers.after_fork()
        _under_way.clear()


_under_way: set[threading.Event] = set()


def _wait() -> None:
    for done in list(_under_way):
        if not done.wait(AT_END):
            return  # do not wait for further tasks if one hangs


atexit.register(_wait)
