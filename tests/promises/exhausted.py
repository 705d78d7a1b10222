"""A process that runs out of something, by the system's own limits, and gets it back.

`python -m tests.promises.exhausted CASE FACE` reads a configuration from its standard input, and writes what each step
came to as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import json
import logging
import os
import re
import resource
import sys
import threading
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

from credconf import load
from credconf.ground import causes as limits
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, Clock, engine_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LIBRARY = re.compile(r"/lib[\w+.-]*\.so(\.\d+)*$")
FACES = {"sync": SYNC, "async": ASYNC}


@contextlib.contextmanager
def no_descriptors(more: int = 0) -> Iterator[None]:
    """Within it no file can be opened, or so many and no more."""
    gc.collect()  # a socket that is collected later would give its descriptor back
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], 512), before[1]))
    for pause in (0, 0.05):  # another thread may just close one
        time.sleep(pause)
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
    for _ in range(more):
        os.close(taken.pop())
    try:
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextlib.contextmanager
def no_threads() -> Iterator[None]:
    """Within it no thread can be started: there is no room for its stack."""
    before, size = resource.getrlimit(resource.RLIMIT_AS), threading.stack_size(1024 * 1024 * 1024)
    with open("/proc/self/statm", encoding="ascii") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + 512 * 1024 * 1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        threading.stack_size(size)


@contextlib.contextmanager
def no_processes() -> Iterator[None]:
    """Within it no program can be started; root, whom no limit binds, is another user meanwhile."""
    before, user = resource.getrlimit(resource.RLIMIT_NPROC), os.geteuid()
    resource.setrlimit(resource.RLIMIT_NPROC, (0, before[1]))
    if user == 0:
        os.setresuid(54321, 54321, 0)
    try:
        yield
    finally:
        if user == 0:
            os.setresuid(0, 0, 0)
        resource.setrlimit(resource.RLIMIT_NPROC, before)


def outcome(step: Callable[[], Any]) -> str:
    """What a step came to: `ok`, or its error with all that hangs on it."""
    try:
        step()
    except Exception as exc:  # noqa: BLE001 - it is what the test is about
        chain = "".join(traceback.TracebackException.from_exception(exc, capture_locals=True).format())
        kinds = [kind.__name__ for kind in type(exc).__mro__]
        return json.dumps({"kinds": kinds, "text": str(exc), "all": chain})
    return "ok"


class Shared:
    """An event loop that is there before anything runs out, for both faces."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        found = function(*arguments, **options)
        return self.loop.run_until_complete(found) if asyncio.iscoroutine(found) else found


def opened() -> int:
    """The number of open descriptors, without those of libraries.

    The system's loader leaves a library open if no descriptor is left for the next one (seen on Debian's sid).
    """
    count = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the one of the directory itself
            count += not _LIBRARY.search(os.readlink(f"/proc/self/fd/{descriptor}"))
    return count


def main(case: str, face_name: str, fields: dict[str, Any]) -> dict[str, Any]:
    log = io.StringIO()
    logging.basicConfig(stream=log, level=logging.DEBUG, format="%(name)s %(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    before = opened()
    shared, face = Shared(), FACES[face_name]
    names, _, what = case.partition(" without ")
    lack = LACKS[what]
    found = CASES[names](shared, face, fields, lack)
    shared.loop.close()
    for _ in range(200):  # a thread may still be closing its own
        more = opened() - before - len(limits._reserve)
        if not more:
            break
        time.sleep(0.05)
    return {**found, "log": log.getvalue(), "more": more}


def first(shared, face, fields, lack, then=lambda: None):
    credential = face.module.build(fields)
    then()
    with lack():
        during = outcome(lambda: shared.call(credential.get_token, SCOPE))
    after = outcome(lambda: shared.call(credential.get_token, SCOPE))
    shared.call(credential.close)
    return {"during": during, "after": after}


def later(shared, face, fields, lack):
    """With all that is to be imported there; what is kept of the first request may do for the second."""
    credential = face.module.build(fields)
    before = outcome(lambda: shared.call(credential.get_token, SCOPE))
    disconnect(credential)
    for thread in threading.enumerate():
        if thread.name == "credconf-import":  # it would give back the descriptors of what it imports
            thread.join()
    secret = fields.get("client_secret")
    if isinstance(secret, dict):
        os.utime(secret["file"], (1, 1))  # it is read again
    with lack():
        during = outcome(lambda: shared.call(credential.get_token, OTHER_SCOPE))
    after = outcome(lambda: shared.call(credential.get_token, OTHER_SCOPE))
    shared.call(credential.close)
    return {"before": before, "during": during, "after": after}


def disconnect(credential):
    """Close idle connections, as a server or a firewall does."""
    for pools in credential._engine._requester._clients._client._http._pools.values():
        for idle in pools._idle.values():
            while idle:
                idle.pop().close()


def verify(shared, face, fields, lack):
    credential = face.module.build(fields)
    with lack():
        during = outcome(lambda: shared.call(credential.verify, SCOPE))
    after = outcome(lambda: shared.call(credential.verify, SCOPE))
    shared.call(credential.close)
    return {"during": during, "after": after}


def prefetch(shared, face, fields, lack):
    shared.call(face.module.build(fields).close)  # a program imports what it needs to build one
    engine = engine_of({**fields, "prefetch": [SCOPE]})
    with lack():
        during = outcome(engine.prefetch)
    credential = face.module.Credential(engine)
    after = outcome(lambda: shared.call(credential.get_token, SCOPE))
    shared.call(credential.close)
    return {"during": during, "after": after}


def refresh(shared, face, fields, lack, attempts=3):
    clock = Clock()
    credential = face.module.Credential(engine_of(fields, clock=clock))
    old = shared.call(credential.get_token, SCOPE)
    disconnect(credential)
    ended = threading.Event()
    engine = credential._engine
    clock.advance(3500)
    with lack():
        during = outcome(lambda: check(shared.call(credential.get_token, SCOPE) is old))
        while len(engine._refreshes):
            ended.wait(0.01)
    again = outcome(lambda: check(shared.call(credential.get_token, SCOPE) is old))
    if again != "ok" and attempts:  # the refresh succeeded: on a busy machine, something came free meanwhile
        shared.call(credential.close)
        return refresh(shared, face, fields, lack, attempts - 1)
    clock.advance(60)
    shared.call(credential.get_token, SCOPE)
    while len(engine._refreshes):
        ended.wait(0.01)
    after = outcome(lambda: check(shared.call(credential.get_token, SCOPE) is not old))
    shared.call(credential.close)
    return {"during": during, "again": again, "after": after}


def check(holds: bool) -> None:
    assert holds


def close(shared, face, fields, lack):
    unused, credential = face.module.build(fields), face.module.build(fields)
    before = outcome(lambda: shared.call(credential.get_token, SCOPE))
    with lack():
        during = outcome(lambda: (shared.call(credential.close), shared.call(unused.close), credential.describe()))
    return {"before": before, "during": during}


def unimportable(shared, face, fields, lack):
    """Another thread takes the descriptor that is kept for the errors."""
    return first(shared, face, fields, lack, then=limits.use_reserve)


def command(shared, face, fields, lack):
    """The secret of a program; the process has asked for tokens before."""
    other = face.module.Credential(engine_of(fields.pop("other")))
    shared.call(other.get_token, SCOPE)
    shared.call(other.close)
    resolved = load(path=False, env_file=False, environ={}, allow={"command"}, **fields)
    credential = face.module.build(resolved)
    with lack():
        during = outcome(lambda: shared.call(credential.get_token, SCOPE))
    after = outcome(lambda: shared.call(credential.get_token, SCOPE))
    shared.call(credential.close)
    return {"during": during, "after": after}


def half_imported(shared, face, fields, lack):
    """Nothing is left from the import of some module on; one module of each package after the other."""
    shared.call(face.module.build(fields).close)  # the process still has one thread, and can be forked
    names = _in_child(partial(_stopped_at, shared, face, fields, contextlib.nullcontext, None))["imported"]
    last = {package: name for name in names if (package := name.rpartition(".")[0]).count(".") < 2}
    stopped = {name: partial(_stopped_at, shared, face, fields, lack, name) for name in last.values()}
    return {name: _in_child(work) for name, work in stopped.items()}


def _in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as file:
                json.dump(work(), file)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(child, 0)
    return json.loads(text)


def _stopped_at(shared, face, fields, lack, stop):
    credential, imported = face.module.build(fields), []
    with contextlib.ExitStack() as stack:

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "import" and stop not in imported:
                imported.append(arguments[0])
                if arguments[0] == stop:
                    stack.enter_context(lack())

        sys.addaudithook(hook)
        during = outcome(lambda: shared.call(credential.get_token, SCOPE))
        imported.append(stop)
    return {
        "imported": imported[:-1],
        "during": during,
        "after": outcome(lambda: shared.call(credential.get_token, SCOPE)),
    }


LACKS = {"descriptors": no_descriptors, "threads": no_threads, "processes": no_processes}
CASES = {
    "first": first,
    "later": later,
    "verify": verify,
    "prefetch": prefetch,
    "refresh": refresh,
    "close": close,
    "unimportable": unimportable,
    "command": command,
    "half imported": half_imported,
}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2], json.load(sys.stdin))))
