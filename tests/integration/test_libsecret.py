"""Tokens in a real libsecret: GNOME's keyring in a private D-Bus session, without a desktop."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credconf.testing import FakeEntra

if TYPE_CHECKING:
    from collections.abc import Iterator

SCOPE = "https://storage.azure.com/.default"
DEBIANS = Path("/usr/lib/python3/dist-packages/gi")  # PyGObject comes with the system; building it needs a compiler
CHECK = "import gi; gi.require_version('Secret', '1'); from gi.repository import Secret"
SESSION = 'printf secret | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null && exec "$@"'

PROGRAM = """
import json, logging, sys
import credconf
logging.basicConfig(level="WARNING", stream=sys.stderr)
with credconf.build(json.loads(sys.argv[1])) as credential:
    said = json.dumps([credential.get_token(sys.argv[2]).token, "msal" in sys.modules])
    sys.stdout.write(said + "\\n")  # at once: several processes write to one pipe, unbuffered where the machine says so
"""
# Several processes have to be in one session: this one starts them.
MANY = """
import subprocess, sys
started = [subprocess.Popen([sys.executable, *sys.argv[2:]]) for _ in range(int(sys.argv[1]))]
sys.exit(max(each.wait() for each in started))
"""
FOREIGN = """
import sys
from credconf.stores.encrypted_storage import encrypted
encrypted(sys.argv[1], "test").save("something else")
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A directory with PyGObject in it, for the interpreter of these tests; empty where it has its own."""
    for program in ("dbus-run-session", "gnome-keyring-daemon"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: gnome-keyring, dbus)")
    directory = tmp_path_factory.mktemp("packages")
    for attempt in (None, DEBIANS):
        if attempt is not None and attempt.is_dir():
            (directory / "gi").symlink_to(attempt)
        environ = {**os.environ, "PYTHONPATH": str(directory)}
        done = subprocess.run([sys.executable, "-c", CHECK], env=environ, capture_output=True, check=False)
        if not done.returncode:
            return str(directory)
    pytest.skip("this interpreter has no PyGObject with libsecret (Debian: python3-gi, gir1.2-secret-1)")


class Session:
    """Runs programs with a keyring that is theirs alone."""

    def __init__(self, packages: str, home: Path) -> None:
        self.home = home
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DBUS_", "DISPLAY"))},
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "caches"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_RUNTIME_DIR": str(home),
            "PYTHONPATH": packages,
        }

    def run(self, *program: str) -> subprocess.CompletedProcess[str]:
        command = ["dbus-run-session", "--", "sh", "-c", SESSION, "sh", sys.executable, *program]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
        return done

    @property
    def files(self) -> bytes:
        """All that is kept on the disk."""
        return b"".join(path.read_bytes() for path in self.home.rglob("*") if path.is_file())


@pytest.fixture
def session(packages: str, tmp_path: Path) -> Session:
    tmp_path.chmod(0o700)
    return Session(packages, tmp_path)


@pytest.fixture
def entra() -> Iterator[FakeEntra]:
    with FakeEntra() as fake:
        yield fake


def fields(entra: FakeEntra, **cache: Any) -> str:
    return json.dumps(entra.config(token_cache={"kind": "file", "name": "test", **cache}))


def said(done: subprocess.CompletedProcess[str]) -> list[Any]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_later_process_finds_the_token_in_the_keyring_and_nowhere_else(session: Session, entra: FakeEntra) -> None:
    [[token, imported]] = said(session.run("-c", PROGRAM, fields(entra), SCOPE))
    assert imported
    assert token.encode() not in session.files
    [[found, imported]] = said(session.run("-c", PROGRAM, fields(entra), SCOPE))
    assert found == token
    assert not imported
    assert entra.count() == 1


def test_processes_that_start_together_ask_once(session: Session, entra: FakeEntra) -> None:
    outcomes = said(session.run("-c", MANY, "5", "-c", PROGRAM, fields(entra), SCOPE))
    assert len(outcomes) == 5
    assert len({token for token, _ in outcomes}) == 1
    assert entra.count() == 1


def test_where_there_is_a_keyring_no_plain_file_is_kept_even_if_it_is_allowed(
    session: Session, entra: FakeEntra
) -> None:
    [[token, _]] = said(session.run("-c", PROGRAM, fields(entra, allow_unencrypted_storage=True), SCOPE))
    assert token.encode() not in session.files


def test_what_is_none_of_ours_is_replaced_with_a_warning(session: Session, entra: FakeEntra) -> None:
    path = session.home / "caches" / "credconf" / "test.json"
    path.parent.mkdir(parents=True, mode=0o700)
    session.run("-c", FOREIGN, str(path))
    first = session.run("-c", PROGRAM, fields(entra), SCOPE)
    assert "it is replaced" in first.stderr
    second = session.run("-c", PROGRAM, fields(entra), SCOPE)
    assert "token cache" not in second.stderr
    assert said(second)[0][0] == said(first)[0][0]
    assert entra.count() == 1


def test_without_a_keyring_there_is_an_error_and_no_file(session: Session, entra: FakeEntra) -> None:
    command = [sys.executable, "-c", PROGRAM, fields(entra), SCOPE]
    environ = {**session.environ, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "error[no-encryption]" in done.stderr
    assert entra.client_secret not in done.stderr.partition("ConfigError")[2]
    assert entra.count() == 0
