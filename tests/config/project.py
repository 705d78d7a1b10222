"""A directory with configuration files, and a walk through everything that an error holds."""

from __future__ import annotations

import json
import os
import pickle
import textwrap
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import pytest

import credconf
from credconf.problems import as_dicts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "11111111-1111-1111-1111-111111111111"
OTHER_CLIENT = "22222222-2222-2222-2222-222222222222"
CANARY = "c4n4ry~Must+Not.Appear"
ID = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\n"
COMPLETE = f"{ID}client_secret: {CANARY}\n"
AUTHORITY = "".join(Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----\n")[:2])
"""A certificate, as a bundle holds it."""
VARIABLES = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": CANARY}


class Project:
    """The working directory of a test, with an environment that is empty unless a test gives one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str | bytes, mode: int = 0o600) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(textwrap.dedent(text), encoding="utf-8", newline="")
        path.chmod(mode)
        return path

    def load(self, path: Any = None, **arguments: Any) -> credconf.Resolved:
        arguments.setdefault("environ", {})
        return credconf.load(path, **arguments)

    def flat(self, text: str, **arguments: Any) -> credconf.Resolved:
        """Load a file that is named, not found."""
        self.write("app.yaml", text)
        return self.load("app.yaml", **arguments)

    def refused(self, path: Any = None, **arguments: Any) -> credconf.ConfigError:
        """The error; whatever it is, the canary is nowhere in it."""
        arguments.setdefault("environ", {})
        with pytest.raises(credconf.ConfigError) as caught:
            credconf.load(path, **arguments)
        assert_nothing_shows(caught.value)
        return caught.value

    def refused_text(self, text: str | bytes, **arguments: Any) -> credconf.ConfigError:
        self.write("app.yaml", text)
        return self.refused("app.yaml", **arguments)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def codes(error: credconf.ConfigError) -> list[str]:
    return [problem.code for problem in error.problems if problem.severity == "error"]


def only(error: credconf.ConfigError) -> credconf.Problem:
    """The one error; warnings do not count."""
    errors = [problem for problem in error.problems if problem.severity == "error"]
    assert len(errors) == 1, str(error)
    return errors[0]


def warned(resolved: credconf.Resolved) -> list[str]:
    return [problem.code for problem in resolved.warnings]


def secret_of(resolved: credconf.Resolved) -> Any:
    assert isinstance(resolved.settings, credconf.ClientSecretSettings)
    secret = resolved.settings.client_secret
    return secret.get_secret_value() if hasattr(secret, "get_secret_value") else secret


def assert_nothing_shows(error: BaseException, canary: str = CANARY) -> None:
    """The canary is in nothing that the error says or holds, nor in a traceback with locals."""
    for shown in _everything(error):
        assert canary not in shown


def _everything(error: BaseException) -> Iterator[str]:
    yield str(error)
    yield repr(error)
    yield from _texts(error, set())
    if isinstance(error, credconf.ConfigError):
        yield json.dumps(as_dicts(error.problems), ensure_ascii=False)
        yield from _texts(pickle.loads(pickle.dumps(error)), set())  # noqa: S301 - our own
    traceback_of_ours = _ours(error.__traceback__)
    shown = traceback.TracebackException(type(error), error, traceback_of_ours, capture_locals=True)
    yield "".join(shown.format())


def _ours(frames: TracebackType | None) -> TracebackType | None:
    """The frames from the first one of credconf on: a test's own frame knows its canary."""
    home = os.path.dirname(os.path.abspath(credconf.__file__))
    while frames is not None and not frames.tb_frame.f_code.co_filename.startswith(home):
        frames = frames.tb_next
    return frames


def _texts(thing: Any, seen: set[int]) -> Iterator[str]:
    """Every text that can be reached from an object, chained exceptions and private attributes included."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, str | bytes):
        yield thing if isinstance(thing, str) else thing.decode(errors="replace")
        return
    if isinstance(thing, type) or callable(thing):
        return
    inner: list[Any] = []
    if isinstance(thing, BaseException):
        inner += [thing.args, thing.__cause__, thing.__context__, getattr(thing, "__notes__", None)]
    if isinstance(thing, dict):
        inner += [*thing, *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        inner += thing
    inner += [getattr(thing, name, None) for cls in type(thing).__mro__ for name in getattr(cls, "__slots__", ())]
    inner.append(getattr(thing, "__dict__", None))
    for item in inner:
        yield from _texts(item, seen)
