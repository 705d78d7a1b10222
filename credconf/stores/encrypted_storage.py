"""Keeps a text for one user of a machine: by msal-extensions in libsecret, Keychain or DPAPI, or in a plain file."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from credconf.ground.causes import shortage
from credconf.ground.deferred import importing, whole_packages
from credconf.ground.third_parties import despite_warnings
from credconf.ground.workers import TooLong, Workers, bounded

from .private_file import LARGEST, PlainFile, is_ours
from .store import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

PATIENCE = 2.0
"""Seconds that a keyring may take: it may wait for a person to unlock it."""
_TRIES = 5
_PAUSE = 0.005  # seconds between them
_ALIAS = "credconf.stores._msal_extensions"


class NoEncryption(Exception):
    """The machine can't encrypt, or denies it. The text names what is missing."""


class Persistence:
    """One text, which is read and replaced as a whole.

    Args:
        path: the path of the file; a text in a keyring uses it for its lock.
        store: an object of msal-extensions, or one with the same methods.
        missing: the exception that it raises if there is no text.
        in_file: whether the text is in the file.
    """

    def __init__(self, path: str, store: Any, missing: type[Exception], *, in_file: bool) -> None:
        self.path = path
        self.in_file = in_file
        self.encrypted: bool = store.is_encrypted
        self._store = store
        self._missing = missing
        # A keyring is called over D-Bus, which has no time-outs of its own.
        self._worker = None if in_file else Workers(1, "credconf-keyring")
        self._forked = False

    def part(self, name: str) -> Persistence:
        """Return another text, in a file of that name in the same directory. A keyring has only one text.

        A keyring may rewrite all of its items when one changes, so more items would not make a change cheaper.
        """
        if not self.in_file:
            return self
        path = os.path.join(os.path.dirname(self.path), name)
        return Persistence(path, type(self._store)(path), self._missing, in_file=True)

    def load(self) -> str | None:
        """The text; `None` if there is none.

        Raises:
            Unavailable: it can't be read now.
            ValueError: the content is not credconf's: another machine has encrypted it, it is too long, another user
                can change the file, or it is not a regular file.
        """
        return self._bounded(self._load)

    def _load(self) -> str | None:
        text: str | None = None
        reason: str | None = None
        try:
            if not self.in_file or is_ours(self.path):
                text = despite_warnings(self._store.load)
            if text is None or len(text) <= LARGEST:
                return text
        except self._missing:
            return None
        except ValueError:  # includes `UnicodeDecodeError`
            pass
        except Exception as exc:  # noqa: BLE001 - each system has its own, and the text of some contains what was read
            reason = None if "Decryption" in type(exc).__name__ else _reason(exc)
        del text  # a traceback with locals shows this frame
        if reason is None:
            raise ValueError
        message = f"it can't be read: {reason}"
        raise Unavailable(message)

    def save(self, text: str) -> None:
        """Replace the text atomically. The caller lets one process at a time do so.

        Raises:
            Unavailable: it can't be written now.
        """
        self._bounded(lambda: self._save(text))

    def _save(self, text: str) -> None:
        put = self._replace if self.in_file else self._store.save
        try:
            despite_warnings(lambda: put(text))  # noqa: F821 - deleted below, after the call
        except Exception as exc:  # noqa: BLE001 - as above
            reason = _reason(exc)
        else:
            return
        del text  # a traceback with locals shows this frame
        message = f"it can't be written: {reason}"
        raise Unavailable(message)

    def _replace(self, text: str) -> None:
        # A process that is killed during the write must not leave half a file.
        new = self._store_at(f"{self.path}.new")
        new.save(text)
        for _ in range(_TRIES):
            with contextlib.suppress(PermissionError):  # Windows replaces no file that a process reads at the moment
                os.replace(new.get_location(), self.path)
                return
            time.sleep(_PAUSE)
        os.replace(new.get_location(), self.path)

    def _store_at(self, path: str) -> Any:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # left by a process that was killed; the new file is its owner's alone
        return type(self._store)(path)

    def set_aside(self, text: str) -> str | None:
        """Replace a content that is malformed.

        Returns:
            The path where the old content is kept; `None` in a keyring, which does not keep it.

        Raises:
            Unavailable: the file can't be renamed, or the text can't be written.
        """
        if not self.in_file:
            self.save(text)
            return None
        aside = f"{self.path}.broken"
        try:
            os.replace(self.path, aside)
        except OSError as exc:
            reason = exc.strerror
        else:
            return aside
        message = f"its content is malformed, and can't be set aside: {reason}"
        raise Unavailable(message)

    def _bounded(self, operation: Callable[[], _T]) -> _T:
        if self._worker is None:
            return operation()
        if self._forked:
            message = "the keyring can't be used in the child of a fork, which shares its connection"
            raise Unavailable(message)
        try:
            return _answered(self._worker, operation)
        except RuntimeError as exc:
            lack = shortage(exc)
            if lack is None:
                raise
        raise Unavailable(str(lack))

    def after_fork(self) -> None:
        """Stop using the keyring in the child of a fork: the connection belongs to the parent process."""
        self._forked = True
        if self._worker is not None:
            self._worker.after_fork()


def _answered(worker: Workers, operation: Callable[[], _T]) -> _T:
    try:
        return bounded(worker, operation, PATIENCE)
    except TooLong:
        pass
    message = "the keyring does not answer"
    raise Unavailable(message)


def encrypted(path: str, name: str) -> Persistence:
    """The encrypted storage of the machine.

    Raises:
        NoEncryption: there is none.
        Unavailable: this can't be determined now.
    """

    def opened() -> Any:
        if sys.platform == "win32":
            return module.FilePersistenceWithDataProtection(path)
        if sys.platform == "darwin":
            return module.KeychainPersistence(path, "credconf", name)
        return _Libsecret(name)

    try:
        module = despite_warnings(lambda: _msal_extensions("persistence"))
        store = _answered(Workers(1, "credconf-keyring"), lambda: despite_warnings(opened))
    except Exception as exc:  # noqa: BLE001 - ImportError, ValueError, GLib.Error and others
        lack = shortage(exc)
        reason = str(exc) if isinstance(exc, Unavailable) else _reason(exc)
    else:
        return Persistence(path, store, module.PersistenceNotFound, in_file=sys.platform == "win32")
    if lack is not None:
        raise Unavailable(reason)
    raise NoEncryption(reason)


def try_encryption(name: str) -> None:
    """Check that the machine has an encrypted storage, without making a file.

    Raises:
        NoEncryption: there is none.
        Unavailable: this can't be determined now.
    """
    if sys.platform not in {"win32", "darwin"}:  # these always have one, and make a directory for it
        encrypted("", name)


def plain(path: str) -> Persistence:
    """A plain file."""
    return Persistence(path, PlainFile(path), FileNotFoundError, in_file=True)


def _reason(exc: Exception) -> str:
    """The text of a system error; only the name of any other, whose text may contain what was stored."""
    if lack := shortage(exc):
        return str(lack)
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    if isinstance(exc, ImportError):
        return "Python's package gi (PyGObject) or the library gir1.2-secret-1 is missing"
    return type(exc).__name__


class _Libsecret:
    """msal-extensions' agent for libsecret.

    `LibsecretPersistence` begins with a trial: it writes, reads and deletes an item that all programs share. Programs
    that start together fail. Here the first read is the trial.
    """

    is_encrypted = True

    def __init__(self, name: str) -> None:
        agent = _msal_extensions("libsecret").LibSecretAgent
        self._agent = agent("credconf", {"name": name}, label=f"credconf: {name}")
        self._agent.load()

    def load(self) -> str | None:
        text: str | None = self._agent.load()
        return text

    def save(self, text: str) -> None:
        if not self._agent.save(text):
            raise OSError(0, "the keyring has refused it")


def _msal_extensions(module: str) -> Any:
    """A module of msal-extensions, without its package.

    The `__init__` of the package imports MSAL, which imports requests: 100 ms, of no use to a process that finds its
    token. The modules need neither. They get another package around them, with the same directory.
    """
    with importing, whole_packages():
        if _ALIAS not in sys.modules:
            spec = importlib.util.find_spec("msal_extensions")
            package = ModuleType(_ALIAS)
            package.__path__ = [] if spec is None else list(spec.submodule_search_locations or [])
            sys.modules[_ALIAS] = package
        return importlib.import_module(f"{_ALIAS}.{module}")
