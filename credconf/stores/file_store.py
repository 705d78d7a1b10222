"""The file of tokens for all processes of a user: `token_cache: {kind: file}`.

Reading takes no lock, because the file is replaced as a whole. Writing takes one for some milliseconds. A process that
requests a token holds the lock of its key; the file of that lock exists only meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from credconf.problems import printable
from credconf.problems.wording import as_yaml
from credconf.references import NotFound

from .encrypted_storage import NoEncryption, Persistence, encrypted, plain, try_encryption
from .file_locks import FileLock, Turns, is_left
from .private_file import empty, parsed, private_directory
from .store import Stored, Unavailable, read, read_failure, written, written_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.ground.log import Log
    from credconf.problems.failure import Failure

    from .settings import Opening
    from .store import Entry


LARGEST = 512 * 1024
"""Characters: about 250 tokens. Each refresh writes the file anew; more tokens are for Redis."""
MOST_FAILURES = 50
"""The number of failures in the file: the latest ones. They expire after half a minute."""


class FileStore:
    """The file.

    Args:
        directory: of the file and its locks; made when it is first needed, for its owner alone.
        name: of the cache.
        persistence: makes the storage, once.
        limit: how many tokens are kept at the most.
        clock: the wall clock.
        monotonic: a clock that all processes of the machine share, since its start.

    Raises:
        NoEncryption: no storage can be made on this machine.
    """

    patience = None

    def __init__(
        self,
        directory: str,
        name: str,
        persistence: Callable[[str], Persistence],
        limit: int,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        log: Log,
    ) -> None:
        self._directory = directory
        self._path = os.path.join(directory, f"{name}.json")
        self._limit = limit
        self._clock = clock
        self._monotonic = monotonic
        self._log = log
        self._new = persistence
        self._kept: Persistence | None = None
        self._turns = Turns(f"{self._path}.lock")
        with contextlib.suppress(Unavailable):  # the circuit breaker reports it, when the store is used
            self._opened()

    def _persistence(self) -> Persistence:
        """The storage, in a directory that is there.

        Raises:
            Unavailable: there can be no such directory, or no such storage any more.
        """
        if self._kept is None:
            try:
                return self._opened()
            except NoEncryption as exc:
                reason = str(exc)
            raise Unavailable(reason)
        private_directory(self._directory)
        return self._kept

    def _opened(self) -> Persistence:
        private_directory(self._directory)
        self._kept = kept = self._new(self._path)
        return kept

    @property
    def label(self) -> str:
        """See `Store`."""
        return f"the token cache {printable(self._path)}"

    def get(self, key: str) -> Stored:
        """See `Store`."""
        text = self._text()
        if text is None:
            return Stored()
        document = parsed(text)
        if document is None:
            with self._turns.mine():
                document = self._understood()
        return self._seen(document, key)

    def _seen(self, document: dict[str, Any], key: str) -> Stored:
        kept, failed = document["tokens"].get(key), document["failures"].get(key)
        age = self._age(kept)
        entry = None if age is None else read(kept, age)
        since = self._age(failed)
        failure = None if since is None or since > failed["seconds"] else read_failure(failed["failure"])
        return Stored(entry) if failure is None or since is None else Stored(entry, failure, since)

    def put(self, key: str, entry: Entry) -> None:
        """See `Store`."""
        stamp = {"at": self._clock() - entry.age, "up": self._monotonic() - entry.age}

        def change(document: dict[str, Any]) -> None:
            document["tokens"].pop(key, None)
            document["tokens"][key] = {**written(entry), **stamp}
            document["failures"].pop(key, None)

        self._update(change)

    def put_failure(self, key: str, failure: Failure, seconds: float) -> None:
        """See `Store`."""
        stamp = {"at": self._clock(), "up": self._monotonic(), "seconds": seconds}

        def change(document: dict[str, Any]) -> None:
            document["failures"].pop(key, None)
            document["failures"][key] = {"failure": written_failure(failure), **stamp}

        self._update(change)

    def lock(self, key: str) -> FileLock | None:
        """See `Store`."""
        self._persistence()
        # A key may be too long for the name of a file, and would reveal the identity in the directory.
        digest = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        path = f"{self._path}.{digest}.lock"
        lock = FileLock.take(path)
        if lock is not None or not is_left(path):
            return lock
        with self._turns.mine():  # two who find it so at once must not remove each other's
            if is_left(path):
                with contextlib.suppress(OSError):  # as on Windows, which removes no file that is open
                    os.unlink(path)
        return FileLock.take(path)

    def after_fork(self) -> None:
        """See `Store`."""
        self._turns.after_fork()
        if self._kept is not None:
            self._kept.after_fork()

    def close(self) -> None:
        """Nothing is kept open."""

    # The file

    def _update(self, change: Callable[[dict[str, Any]], None]) -> None:
        storage = self._persistence()
        with self._turns.mine():
            document = self._understood()
            change(document)
            storage.save(self._bounded(document))

    def _text(self) -> str | None:
        """Return the content of the file; "" if it is not text."""
        try:
            return self._persistence().load()
        except ValueError:
            return ""

    def _understood(self) -> dict[str, Any]:
        """Return the document of the file, or an empty one. The caller holds the lock."""
        text = self._text()
        document = empty() if text is None else parsed(text)
        if document is None:
            aside = self._persistence().set_aside(json.dumps(empty()))
            kept = f"it is kept as {printable(aside)}" if aside else "it is replaced"
            self._log.warning(
                "%s contains something other than tokens, or other users can change it: %s", self.label, kept
            )
        return document or empty()

    def _bounded(self, document: dict[str, Any]) -> str:
        """The text of a document, without what has expired, and without the oldest of what is beyond the bounds."""
        tokens, failures = document["tokens"], document["failures"]
        for key in [key for key, kept in tokens.items() if read(kept, self._age(kept) or 0.0) is None]:
            del tokens[key]
        for key, failed in list(failures.items()):
            age = self._age(failed)
            if age is None or age > failed["seconds"]:
                del failures[key]
        _drop(tokens, len(tokens) - self._limit)
        _drop(failures, len(failures) - MOST_FAILURES)
        text = json.dumps(document)
        while len(text) > LARGEST and (tokens or failures):
            oldest = failures or tokens  # a failure that is missed costs no more than a token that is
            _drop(oldest, len(oldest) // 8 + 1)
            text = json.dumps(document)
        return text

    def _age(self, kept: Any) -> float | None:
        """Seconds since something was written; `None` if neither clock shows it.

        The wall clock advances while the machine is off; the monotonic clock is unaffected when the clock is set. After
        a restart the age is too small, never too large.
        """
        if not isinstance(kept, dict):
            return None
        since = [self._clock() - kept["at"], self._monotonic() - kept["up"]]
        return max(since) if max(since) >= 0 else None


def _drop(kept: dict[str, Any], number: int) -> None:
    """Drop some of what has been there longest."""
    for key in list(kept)[: max(number, 0)]:
        del kept[key]


def directory_of(home: str | None) -> str:
    """Return the directory of the files, by the convention of the system.

    Args:
        home: of caches, where a variable names it (`XDG_CACHE_HOME`, `LOCALAPPDATA`).
    """
    usual = {"win32": "~/AppData/Local", "darwin": "~/Library/Caches"}.get(sys.platform, "~/.cache")
    return os.path.join(home or os.path.expanduser(usual), "credconf")


def opened(name: str, opening: Opening, *, allow_plain: bool, limit: int) -> FileStore:
    """The file of a name, in the directory of this user's caches.

    Args:
        name: of the cache.
        opening: what it is opened with.
        allow_plain: keep a plain file where the machine has nothing to encrypt it with.
        limit: how many tokens are kept.

    Raises:
        ConfigError: the machine has no encryption, and a plain file is not allowed.
    """
    directory = directory_of(opening.cache_home)

    def persistence(path: str) -> Persistence:
        try:
            return encrypted(path, name)
        except NoEncryption:
            if not allow_plain:
                raise
        return plain(path)

    try:
        clocks = {"clock": opening.clock, "monotonic": opening.monotonic}
        return FileStore(directory, name, persistence, limit, **clocks, log=opening.log)
    except NoEncryption as exc:
        reason = str(exc)
    from credconf.errors import ConfigError
    from credconf.problems import Problem

    lack = _unencrypted(reason)
    raise ConfigError([Problem(lack.code, lack.message, path="token_cache", hint=lack.hint)])


def no_encryption(name: str) -> NotFound | None:
    """Why tokens can't be encrypted on this machine; `None` if they can, or if this can't be determined now.

    Args:
        name: of the cache.
    """
    try:
        try_encryption(name)
    except NoEncryption as exc:
        return _unencrypted(str(exc))
    except Unavailable:
        pass
    return None


def _unencrypted(reason: str) -> NotFound:
    helps = ("token_cache.allow_unencrypted_storage", "true")
    message = f"tokens can't be encrypted on this machine: {reason}"
    hint = f"install what is missing, or allow a plain file: {as_yaml(*helps)}"
    return NotFound("no-encryption", message, hint, helps=helps)
