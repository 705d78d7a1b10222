"""Tokens in a directory, one sealed file for each: `token_cache: {kind: directory, path: …}`."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from credconf.problems import printable
from credconf.settings.declaration import Redirects, Setting
from credconf.settings.fields import Password, PlainText
from credconf.stores.file_locks import FileLock
from credconf.stores.private_file import private_directory
from credconf.stores.settings import StoreSettings
from credconf.stores.store import Stored, Unavailable, read, read_failure, written, written_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.problems.failure import Failure
    from credconf.stores.sealing import Keyring, Seal
    from credconf.stores.settings import Opening
    from credconf.stores.store import Entry, Store


class DirectoryStore:
    """The directory.

    Args:
        path: of the directory.
        keyring: seals what is kept there.
        clock: the wall clock, which the processes of one machine share.
    """

    patience = None

    def __init__(self, path: str, keyring: Keyring, clock: Callable[[], float]) -> None:
        self._path = path
        self._keyring = keyring
        self._clock = clock

    @property
    def label(self) -> str:
        """What logs call it."""
        return f"the directory {printable(self._path)}"

    def get(self, key: str) -> Stored:
        """The token that ends last, and the last failure."""
        seals = self._keyring.now()
        opened = [self._opened(seal, key, "token") for seal in seals.reading]
        entries = [entry for data in opened if (entry := read(data, self._age(data))) is not None]
        told = self._opened(seals.common, key, "told")
        failure = read_failure(told.get("failure"))
        age = self._age(told)
        known = failure is not None and age <= told["seconds"]
        entry = max(entries, key=lambda entry: entry.remaining, default=None)
        return Stored(entry, failure, age) if failure is not None and known else Stored(entry)

    def put(self, key: str, entry: Entry) -> None:
        """Keep a token; a failure that was left is over."""
        seals = self._keyring.now()
        self._write(seals.writing, key, "token", {**written(entry), "at": self._clock() - entry.age})
        with contextlib.suppress(OSError):
            os.unlink(self._file(seals.common, key, "told"))

    def put_failure(self, key: str, failure: Failure, seconds: float) -> None:
        """Leave a failure for those who wait."""
        data = {"failure": written_failure(failure), "seconds": seconds, "at": self._clock()}
        self._write(self._keyring.now().common, key, "told", data)

    def lock(self, key: str) -> FileLock | None:
        """The lock of a key."""
        private_directory(self._path)
        return FileLock.take(self._file(self._keyring.now().common, key, "lock"))

    def after_fork(self) -> None:
        """In the child of a fork the keyring's lock is free."""
        self._keyring.after_fork()

    def close(self) -> None:
        """Nothing is kept open."""

    def _file(self, seal: Seal, key: str, what: str) -> str:
        return os.path.join(self._path, f"{seal.name(key)}.{what}")

    def _age(self, data: dict[str, Any]) -> float:
        written_at: float = data.get("at", 0.0)
        return max(self._clock() - written_at, 0.0)

    def _opened(self, seal: Seal, key: str, what: str) -> dict[str, Any]:
        path = self._file(seal, key, what)
        try:
            with open(path, "rb") as file:
                return seal.open(file.read(), os.path.basename(path)) or {}
        except FileNotFoundError:
            return {}
        except OSError as exc:
            reason = exc.strerror
        raise Unavailable(f"{what} can't be read: {reason}")

    def _write(self, seal: Seal, key: str, what: str, data: dict[str, Any]) -> None:
        path = self._file(seal, key, what)
        private_directory(self._path)
        try:
            descriptor, new = tempfile.mkstemp(dir=self._path)  # with mode 0600
            with os.fdopen(descriptor, "wb") as file:
                file.write(seal.close(data, os.path.basename(path)))
            os.replace(new, path)
        except OSError as exc:
            reason = exc.strerror
        else:
            return
        raise Unavailable(f"{what} can't be written: {reason}")


class DirectorySettings(StoreSettings):
    """Tokens are also kept in a directory."""

    store: ClassVar = "directory"
    summary: ClassVar = "Also in a directory that processes share, encrypted."
    required: ClassVar = ("path",)
    repair: ClassVar = "Let the directory belong to the user that runs the application."

    path: Annotated[
        PlainText | None,
        Setting(
            "The directory.",
            ("/var/cache/billing",),
            also_called="folder",
            is_path=True,
            redirects=Redirects(keeps=True),
        ),
    ] = None
    seal_with: Annotated[
        Password | None,
        Setting(
            "What tokens are encrypted with; by default a key derived from the credential's secret.",
            ({"file": "/run/secrets/cache-key"},),
            secret=True,
            redirects=Redirects(keeps=True),
            sent_to="key",
        ),
    ] = None

    @classmethod
    def open(cls, opening: Opening) -> Store | None:
        """The directory of a configuration; nothing is written yet."""
        from credconf.stores.sealing import Keyring  # for those alone who use it

        cache = opening.settings
        assert isinstance(cache, DirectorySettings)
        assert cache.path is not None
        return DirectoryStore(cache.path, Keyring(cache.seal_with, opening), opening.clock)
