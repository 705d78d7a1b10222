"""The stores that the contract runs on. Each opens the same storage any number of times."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credconf.ground.log import Log
from credconf.stores.encrypted_storage import plain
from credconf.stores.file_store import FileStore
from credconf.stores.sealing import Seal, Seals
from credconf.stores.store import Stored, Unavailable, read, read_failure, written, written_failure
from tests.contract.faces import Clock
from tests.toys.store import DirectoryStore

if TYPE_CHECKING:
    from credconf.stores.store import Store


@dataclass
class Storage:
    """The storage that several processes share, in this process, with a clock that the test moves."""

    clock: Clock = field(default_factory=Clock)
    monotonic: Clock = field(default_factory=lambda: Clock(1_000.0))

    def open(self) -> Store:
        raise NotImplementedError

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        self.monotonic.advance(seconds)


@dataclass
class InMemory(Storage):
    """The simplest store that keeps the contract; with faults."""

    entries: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, Any] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    guard: Any = field(default_factory=threading.Lock)
    calls: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    lease: float | None = None
    patience: float | None = None
    renewed: int = 0

    def open(self) -> _InMemoryStore:
        return _InMemoryStore(self)


class _InMemoryStore:
    label = "the token cache in memory"

    def __init__(self, storage: InMemory) -> None:
        self.storage = storage
        self.patience = storage.patience
        self.closed = False

    def _enter(self, name: str) -> Any:
        self.storage.calls.append(name)
        if name in self.storage.failing:
            message = "it is down"
            raise Unavailable(message)
        return self.storage.guard

    def get(self, key: str) -> Stored:
        with self._enter("get"):
            data, at = self.storage.entries.get(key, (None, 0.0))
            failure, since, seconds = self.storage.failures.get(key, (None, 0.0, -1.0))
            now = self.storage.monotonic()
            found = read_failure(failure) if now - since <= seconds else None
            return Stored(read(data, now - at), found, 0.0 if found is None else now - since)

    def put(self, key, entry):
        with self._enter("put"):
            self.storage.entries[key] = (written(entry), self.storage.monotonic() - entry.age)
            self.storage.failures.pop(key, None)

    def put_failure(self, key, failure, seconds):
        with self._enter("put_failure"):
            self.storage.failures[key] = (written_failure(failure), self.storage.monotonic(), seconds)

    def lock(self, key):
        with self._enter("lock"):
            if key in self.storage.held:
                return None
            lock = _Lock(self, key)
            self.storage.held[key] = lock.number
            return lock

    def after_fork(self):
        self.storage.guard = threading.Lock()

    def close(self):
        self.closed = True


class _Lock:
    _numbers = itertools.count()

    def __init__(self, store: _InMemoryStore, key: str) -> None:
        self.number = next(self._numbers)
        self._store = store
        self._key = key
        self.lease = store.storage.lease
        self.local = self.lease is None

    def renew(self) -> bool:
        with self._store._enter("renew"):
            self._store.storage.renewed += 1
            return self._store.storage.held.get(self._key) == self.number

    def release(self) -> None:
        with self._store._enter("release"):
            if self._store.storage.held.get(self._key) == self.number:
                del self._store.storage.held[self._key]

    def after_fork(self) -> None:
        self.number = -1


@dataclass
class PlainFile(Storage):
    """The files, as they are where nothing encrypts."""

    directory: Path | None = None

    @property
    def tokens(self) -> Path:
        """The directory of the cache."""
        assert self.directory is not None
        return self.directory / "test.tokens"

    def file(self, key: str) -> Path:
        """Where a key belongs."""
        store = self.open()
        return Path(store._part(key).path)

    def open(self) -> FileStore:
        return FileStore(
            str(self.directory),
            "test",
            plain,
            clock=self.clock,
            monotonic=self.monotonic,
            log=Log("client"),
        )


class Keys:
    """Replaces the keyring: one seal, as of a store with a key of its own."""

    def now(self) -> Seals:
        seal = Seal(b"key")
        return Seals(seal, seal, (seal,))

    def after_fork(self) -> None:
        pass


@dataclass
class ToyDirectory(Storage):
    """The toy that `tests/test_toys.py` takes through everything else."""

    directory: Path | None = None

    def open(self) -> DirectoryStore:
        return DirectoryStore(str(self.directory), Keys(), self.clock)


STORAGES = {
    "in memory": lambda directory: InMemory(),
    "plain file": lambda directory: PlainFile(directory=directory / "credconf"),
    "toy directory": lambda directory: ToyDirectory(directory=directory / "tokens"),
}
