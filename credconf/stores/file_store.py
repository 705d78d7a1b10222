"""The files of tokens for all processes of a user: `token_cache: {kind: file}`.

The tokens are spread over the files of a directory, by their keys: a new token rewrites the one file that it belongs
to. A keyring holds all of them in one item instead.

Reading takes no lock, because a file is replaced as a whole. Writing takes one for a millisecond. A process that
requests a token holds the lock of its key; the file of that lock exists only meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Final

from credconf.problems import printable
from credconf.problems.wording import as_yaml
from credconf.references import NotFound

from .contents import Clocks, Contents
from .encrypted_storage import NoEncryption, Persistence, encrypted, plain, try_encryption
from .file_locks import FileLock, Turns, is_left
from .private_file import private_directory
from .store import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.ground.log import Log
    from credconf.problems.failure import Failure

    from .settings import Opening
    from .store import Entry, Stored


FILES: Final = 1024
"""The number of files. Most of 1,000 tokens then have a file of their own."""
LARGEST_FILE: Final = 64 * 1024
"""Characters: about 30 tokens. 10,000 tokens have room, although they are spread unevenly."""
LARGEST_ITEM: Final = 512 * 1024
"""Characters in a keyring: about 250 tokens. Each new token rewrites the item, over D-Bus."""
UNUSED: Final = 2 * 86400.0
"""Seconds without a write after which a file is removed. No token of Entra is valid for more than 28 hours."""
_TIDYING: Final = 3600.0  # seconds between two searches for such files
_FILE: Final = re.compile(r"[0-9a-f]{3}\.json")
_PASSING: Final = re.compile(r"[0-9a-f]{32}\.lock|[0-9a-f]{3}\.json\.new")


class FileStore:
    """The token cache in files.

    Args:
        home: the directory of all caches. It and the cache's own directory are private to their owner.
        name: of the cache.
        persistence: makes the storage, once.
        clock: the wall clock.
        monotonic: a clock that all processes of the machine share, since its start.

    Raises:
        NoEncryption: no storage can be made on this machine.
    """

    patience = None

    def __init__(
        self,
        home: str,
        name: str,
        persistence: Callable[[str], Persistence],
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        log: Log,
    ) -> None:
        self._home = home
        self._directory = os.path.join(home, f"{name}.tokens")
        self._clocks = Clocks(clock, monotonic)
        self._log = log
        self._new = persistence
        self._kept: Persistence | None = None
        self._turns = Turns(os.path.join(self._directory, "lock"))
        self._tidy_from = -math.inf
        with contextlib.suppress(Unavailable):  # the circuit breaker reports it, when the store is used
            self._opened()

    def _storage(self) -> Persistence:
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
        private_directory(self._directory, within=self._home)
        return self._kept

    def _opened(self) -> Persistence:
        private_directory(self._directory, within=self._home)
        self._kept = kept = self._new(os.path.join(self._directory, "tokens"))
        return kept

    def _part(self, key: str) -> Persistence:
        """Return the storage of a key: one of the files, or the keyring."""
        return self._storage().part(f"{number_of(key):03x}.json")

    @property
    def label(self) -> str:
        """See `Store`."""
        return f"the token cache {printable(self._directory)}"

    def get(self, key: str) -> Stored:
        """See `Store`."""
        part = self._part(key)
        contents = self._contents(part)
        if contents is None:
            with self._turns.mine():
                contents = self._understood(part)
        return contents.found(key)

    def put(self, key: str, entry: Entry) -> None:
        """See `Store`."""
        self._update(key, lambda contents: contents.add(key, entry))

    def put_failure(self, key: str, failure: Failure, seconds: float) -> None:
        """See `Store`."""
        self._update(key, lambda contents: contents.add_failure(key, failure, seconds))

    def lock(self, key: str) -> FileLock | None:
        """See `Store`."""
        self._storage()
        # A key may be too long for the name of a file, and would reveal the identity in the directory.
        path = os.path.join(self._directory, f"{_digest(key)}.lock")
        lock = FileLock.take(path)
        if lock is not None or not is_left(path):
            return lock
        with self._turns.mine():  # two who find it so at once must not remove each other's
            if is_left(path):
                _remove(path)
        return FileLock.take(path)

    def after_fork(self) -> None:
        """See `Store`."""
        self._turns.after_fork()
        if self._kept is not None:
            self._kept.after_fork()

    def close(self) -> None:
        """Nothing is kept open."""

    # The files

    def _update(self, key: str, change: Callable[[Contents], None]) -> None:
        part = self._part(key)
        with self._turns.mine():
            contents = self._understood(part)
            change(contents)
            part.save(contents.text(LARGEST_FILE if part.in_file else LARGEST_ITEM))
            self._tidy()

    def _contents(self, part: Persistence) -> Contents | None:
        """Return the contents of a file; `None` if they are not in credconf's format.

        Raises:
            Unavailable: it can't be read now.
        """
        try:
            text = part.load()
        except ValueError:
            return None
        return Contents(self._clocks) if text is None else Contents.parsed(text, self._clocks)

    def _understood(self, part: Persistence) -> Contents:
        """Return the contents of a file, or empty contents. The caller holds the lock."""
        contents = self._contents(part)
        if contents is None:
            contents = Contents(self._clocks)
            aside = part.set_aside(contents.text(LARGEST_ITEM))
            kept = f"it is kept as {printable(aside)}" if aside else "it is replaced"
            self._log.warning(
                "%s contains something other than tokens, or other users can change it: %s", self.label, kept
            )
        return contents

    def _tidy(self) -> None:
        """Remove unused files, at most once an hour. The caller holds the lock."""
        now = self._clocks.monotonic()
        if now < self._tidy_from:
            return
        self._tidy_from = now + _TIDYING
        with contextlib.suppress(OSError), os.scandir(self._directory) as found:
            for each in found:
                if _is_needless(each):
                    _remove(each.path)


def _is_needless(found: os.DirEntry[str]) -> bool:
    """Return whether a file is unused, by its name and age. The caller holds the lock."""
    if _PASSING.fullmatch(found.name):
        return is_left(found.path)  # a process was killed
    return _FILE.fullmatch(found.name) is not None and _is_unused(found.path)


def _is_unused(path: str) -> bool:
    try:
        return time.time() - os.lstat(path).st_mtime > UNUSED
    except OSError:
        return False


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):  # as on Windows, which removes no file that is open
        os.unlink(path)


def number_of(key: str) -> int:
    """Return the number of the file for a key."""
    return int(_digest(key), 16) % FILES


def _digest(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def directory_of(home: str | None) -> str:
    """Return the directory of the caches, by the convention of the system.

    Args:
        home: of caches, where a variable names it (`XDG_CACHE_HOME`, `LOCALAPPDATA`).
    """
    usual = {"win32": "~/AppData/Local", "darwin": "~/Library/Caches"}.get(sys.platform, "~/.cache")
    return os.path.join(home or os.path.expanduser(usual), "credconf")


def opened(name: str, opening: Opening, *, allow_plain: bool) -> FileStore:
    """The files of a name, in the directory of this user's caches.

    Args:
        name: of the cache.
        opening: what it is opened with.
        allow_plain: keep a plain file where the machine has nothing to encrypt it with.

    Raises:
        ConfigError: the machine has no encryption, and a plain file is not allowed.
    """
    home = directory_of(opening.cache_home)

    def persistence(path: str) -> Persistence:
        try:
            return encrypted(path, name)
        except NoEncryption:
            if not allow_plain:
                raise
        return plain(path)

    try:
        clocks = {"clock": opening.clock, "monotonic": opening.monotonic}
        return FileStore(home, name, persistence, **clocks, log=opening.log)
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
