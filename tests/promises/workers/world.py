"""What a program in a child process works with: tasks, credentials, and the fake Entra of the parent."""

from __future__ import annotations

import faulthandler
import importlib
import json
import logging
import os
import socket
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED = 3
"""The exit status of a child whose program failed an assertion. Any other one but 0 is an error of the test."""
SCOPE = "https://storage.azure.com/.default"
OTHER_SCOPE = "https://vault.azure.net/.default"
_PATIENCE = 30
_HANGS = 100


class Task:
    """A function that runs concurrently, and its outcome: a value or an exception."""

    def __init__(self, spawn: Callable[..., Any], function: Callable[[], Any]) -> None:
        self.ended = threading.Event()
        self._outcome: Any = None
        self.greenlet = spawn(self._run, function)

    def _run(self, function: Callable[[], Any]) -> None:
        try:
            self._outcome = function()
        except BaseException as exc:  # noqa: BLE001 - interrupts are what is tested
            self._outcome = exc
        finally:
            self.ended.set()

    def outcome(self) -> Any:
        assert self.ended.wait(_PATIENCE), "it hangs"
        return self._outcome


class Gevent:
    """Greenlets of gevent."""

    def __init__(self) -> None:
        import gevent

        self._hub = gevent.get_hub()
        self._spawn, self.Timeout, self.Exit = gevent.spawn, gevent.Timeout, gevent.GreenletExit

    def start(self, function: Callable[[], Any]) -> Task:
        return Task(self._spawn, function)

    def timeout(self) -> Any:
        """A running timeout of the calling greenlet."""
        return self.Timeout.start_new(_HANGS)

    def expire(self, task: Task, timeout: Any) -> None:
        """Let the timeout of a task expire now, exactly as its timer would."""
        self._hub.loop.run_callback(task.greenlet.throw, timeout)

    def kill(self, task: Task) -> None:
        task.greenlet.kill()


class Eventlet:
    """Greenlets of eventlet."""

    def __init__(self) -> None:
        import eventlet
        import eventlet.hubs
        import greenlet

        self._hub = eventlet.hubs.get_hub()
        self._spawn, self.Timeout, self.Exit = eventlet.spawn, eventlet.Timeout, greenlet.GreenletExit

    def start(self, function: Callable[[], Any]) -> Task:
        return Task(self._spawn, function)

    def timeout(self) -> Any:
        """A running timeout of the calling greenlet."""
        return self.Timeout(_HANGS)

    def expire(self, task: Task, timeout: Any) -> None:
        """Let the timeout of a task expire now, exactly as its timer would."""
        self._hub.schedule_call_global(0, task.greenlet.throw, timeout)

    def kill(self, task: Task) -> None:
        task.greenlet.kill()


class Threads:
    """Threads."""

    def start(self, function: Callable[[], Any]) -> Task:
        def spawn(run: Callable[..., Any], function: Callable[[], Any]) -> threading.Thread:
            thread = threading.Thread(target=run, args=(function,), daemon=True)
            thread.start()
            return thread

        return Task(spawn, function)


LIBRARIES: dict[str, Callable[[], Any]] = {"gevent": Gevent, "eventlet": Eventlet, "threads": Threads}


class World:
    """The means of a program.

    Attributes:
        tasks: starts, kills and times out tasks.
    """

    def __init__(self, tasks: Any, port: int, path: str) -> None:
        self.tasks = tasks
        self._port = port
        self._path = path

    def ask(self, what: str, *arguments: Any) -> Any:
        """Send a command to the parent (see `control.Commands`). Other tasks run until it is done."""
        with socket.create_connection(("127.0.0.1", self._port)) as connection, connection.makefile("rwb") as stream:
            stream.write(json.dumps([what, *arguments]).encode() + b"\n")
            stream.flush()
            answer = stream.readline()
        assert answer, f"the parent could not {what}"
        return json.loads(answer)

    def fields(self, **changes: Any) -> dict[str, Any]:
        with open(self._path, encoding="utf-8") as file:
            return {**json.load(file), **changes}

    def credential(self, http_client: Any = None, clock: Any = None, **changes: Any) -> Any:
        """A credential from the configuration of the parent, with an injected clock if one is given."""
        import credconf
        from tests.contract.faces import engine_of

        changed = {} if clock is None else {"clock": clock, "monotonic": clock}
        return credconf.Credential(engine_of(self.fields(**changes), http_client, **changed))

    def allowed(self, secret: dict[str, Any]) -> Any:
        """A credential whose secret is a `{command: …}`, which the program allows."""
        import credconf

        fields = self.fields(client_secret=secret)
        return credconf.from_config(path=False, env_file=False, environ={}, allow={"command"}, **fields)

    def warm(self, http_client: Any = None, clock: Any = None, **changes: Any) -> Any:
        """The same, after it fetched a token for another scope: every lazy import is done."""
        credential = self.credential(http_client, clock, **changes)
        assert credential.get_token(OTHER_SCOPE).token
        return credential


def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition that another task brings about."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def show(error: BaseException) -> None:
    """Print every rendering of an exception. The parent searches the output for the canary."""
    from tests.secrecy.renderings import renderings

    for source, text in renderings(error):
        sys.stdout.write(f"{source}: {text}\n")


def crowd_of(world: World, credential: Any, number: int) -> list[Task]:
    """Start a number of tasks that ask for the same token."""
    return [world.tasks.start(lambda: credential.get_token(SCOPE).token) for _ in range(number)]


def tokens_of(tasks: list[Task]) -> set[str]:
    outcomes = {task.outcome() for task in tasks}
    assert all(isinstance(outcome, str) for outcome in outcomes), outcomes
    return outcomes


def assert_own(outcome: Any, expected: Any) -> None:
    """Assert that an exception arrives as it was raised, with no frame of the code that handles secrets."""
    if isinstance(expected, type):
        assert type(outcome) is expected, outcome
    else:
        assert outcome is expected, outcome
    assert outcome.__cause__ is None
    assert outcome.__context__ is None
    show(outcome)
    files = {os.path.dirname(frame.filename) for frame in traceback.extract_tb(outcome.__traceback__)}
    assert files.isdisjoint(inner_folders()), files


def inner_folders() -> set[str]:
    """The folders of the modules whose frames may hold the secret."""
    packages = ("credconf.entra", "credconf.references", "msal", "requests", "urllib3", "urllib3.util", "http")
    return {os.path.dirname(importlib.import_module(name).__file__ or "") for name in packages}


def credential_at(world: World, place: str) -> Any:
    """A credential whose next request is held in this place."""
    if place == "client":
        import requests

        client = requests.Session()
        client.verify = world.fields()["http"]["ca_bundle"]
        return world.warm(client)
    if place == "discovery":
        redirect_login_host(world)
        return world.credential(disable_instance_discovery=False)
    if place == "verify":
        return _Verified(world.warm())
    return world.warm()


class _Verified:
    """A credential that bypasses its cache: each call is `verify`."""

    def __init__(self, credential: Any) -> None:
        self._credential = credential

    def get_token(self, scope: str) -> Any:
        return self._credential.verify(scope)


def redirect_login_host(world: World) -> None:
    """Resolve the host that answers instance discovery to the fake Entra."""
    from urllib.parse import urlsplit

    from benchmarks.sides import send_login_to

    port = urlsplit(world.fields()["authority"]).port
    assert port is not None
    send_login_to(port)


def run(library: str, port: str, path: str, program: str, *arguments: str) -> None:
    """Run `MODULE:FUNCTION` with a `World` and the arguments."""
    faulthandler.dump_traceback_later(_HANGS, exit=True)
    logging.basicConfig(level=logging.DEBUG)
    module, _, function = program.partition(":")
    work = getattr(importlib.import_module(f"tests.promises.workers.{module}"), function)
    try:
        work(World(LIBRARIES[library](), int(port), path), *arguments)
    except AssertionError:
        traceback.print_exc()
        sys.exit(FAILED)
    sys.stdout.write("done\n")
