"""Where a text is kept for one user of a machine: by msal-extensions in libsecret, Keychain or DPAPI, or in a file."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from credconf.ground.imports import importing, whole_packages
from credconf.ground.limits import shortage
from credconf.ground.workers import TooLong, Workers, bounded

from .private_file import LARGEST, PlainFile, is_ours
from .store import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

PATIENCE = 2.0
"""Seconds that a keyring may take: it may ask a person who is not there."""
_ALIAS = "credconf.stores._msal_extensions"


class NoEncryption(Exception):
    """The machine has nothing to encrypt with, or does not let us. Its text says what is missing."""


class Persistence:
    """One text, read and replaced as a whole.

    Args:
        path: of the file, or of the one that stands for it where the text is in a keyring.
        store: msal-extensions' object, or one that is used like it.
        missing: what it raises where there is no text.
        in_file: whether the text is in the file.
    """

    def __init__(self, path: str, store: Any, missing: type[Exception], *, in_file: bool) -> None:
        self.path = path
        self.in_file = in_file
        self.encrypted: bool = store.is_encrypted
        self._store = store
        self._missing = missing
        # A keyring is a conversation over D-Bus, which has no time-outs of its own.
        self._worker = None if in_file else Workers(1, "credconf-keyring")
        self._forked = False

    def load(self) -> str | None:
        """The text; `None` where there is none.

        Raises:
            Unavailable: it can't be read now.
            ValueError: what is there is no text of ours: one that another machine has encrypted, one that is too long,
                a file that another user can change, or no file at all.
        """
        return self._bounded(self._load)

    def _load(self) -> str | None:
        text: str | None = None
        reason: str | None = None
        try:
            if not self.in_file or is_ours(self.path):
                text = self._store.load()
            if text is None or len(text) <= LARGEST:
                return text
        except self._missing:
            return None
        except ValueError:  # that it is no UTF-8 is one, too
            pass
        except Exception as exc:  # noqa: BLE001 - each system has its own, and the text of some holds what was read
            reason = None if "Decryption" in type(exc).__name__ else _said(exc)
        del text  # a traceback with locals shows this frame
        if reason is None:
            raise ValueError
        message = f"it can't be read: {reason}"
        raise Unavailable(message)

    def save(self, text: str) -> None:
        """Replace the text, at once for those who read it. One process at a time does so.

        Raises:
            Unavailable: it can't be written now.
        """
        self._bounded(lambda: self._save(text))

    def _save(self, text: str) -> None:
        try:
            if self.in_file:
                self._replace(text)
            else:
                self._store.save(text)
        except Exception as exc:  # noqa: BLE001 - as above
            reason = _said(exc)
        else:
            return
        del text  # a traceback with locals shows this frame
        message = f"it can't be written: {reason}"
        raise Unavailable(message)

    def _replace(self, text: str) -> None:
        # A process that is killed in the middle of writing must leave no half of a file.
        new = self._store_at(f"{self.path}.new")
        new.save(text)
        os.replace(new.get_location(), self.path)

    def _store_at(self, path: str) -> Any:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # left behind by a process that was killed; it is born anew, for its owner alone
        return type(self._store)(path)

    def set_aside(self, text: str) -> str | None:
        """Put another text in the place of what can't be understood.

        Returns:
            Where that is kept; `None` where it is not, in a keyring.

        Raises:
            Unavailable: the file can't be renamed, or the text not be written.
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
        message = f"what is there can't be understood, nor set aside: {reason}"
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
        """In the child of a fork the connection to a keyring is the parent's."""
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
    """The machine's own encrypted storage.

    Raises:
        NoEncryption: there is none.
        Unavailable: that can't be known now.
    """

    def opened() -> Any:
        if sys.platform == "win32":
            return module.FilePersistenceWithDataProtection(path)
        if sys.platform == "darwin":
            return module.KeychainPersistence(path, "credconf", name)
        return _Libsecret(name)

    try:
        module = _msal_extensions("persistence")
        store = _answered(Workers(1, "credconf-keyring"), opened)
    except Exception as exc:  # noqa: BLE001 - ImportError, ValueError, GLib.Error, ...: there is no list of them
        lack = shortage(exc)
        reason = str(exc) if isinstance(exc, Unavailable) else _said(exc)
    else:
        return Persistence(path, store, module.PersistenceNotFound, in_file=sys.platform == "win32")
    if lack is not None:
        raise Unavailable(reason)
    raise NoEncryption(reason)


def plain(path: str) -> Persistence:
    """A plain file."""
    return Persistence(path, PlainFile(path), FileNotFoundError, in_file=True)


def _said(exc: Exception) -> str:
    """What an error of the system says; of others only their name, because their text may hold what was stored."""
    if lack := shortage(exc):
        return str(lack)
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    if isinstance(exc, ImportError):
        return "Python's package gi (PyGObject) or the library gir1.2-secret-1 is missing"
    return type(exc).__name__


class _Libsecret:
    """msal-extensions' agent for libsecret.

    Its `LibsecretPersistence` begins with a trial: it writes, reads and deletes an item that is the same for all
    programs, so that those that start together fail. Here the first look at what is kept is the trial.
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
    """A module of msal-extensions, without the package around it.

    The package's own `__init__` imports MSAL, and MSAL requests: 100 ms that a process which finds its token has no use
    for. The modules need neither. They get a package of our own around them, which looks into the same directory.
    """
    with importing, whole_packages():
        if _ALIAS not in sys.modules:
            spec = importlib.util.find_spec("msal_extensions")
            package = ModuleType(_ALIAS)
            package.__path__ = [] if spec is None else list(spec.submodule_search_locations or [])
            sys.modules[_ALIAS] = package
        return importlib.import_module(f"{_ALIAS}.{module}")
