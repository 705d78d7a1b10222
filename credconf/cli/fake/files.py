"""The files that `credconf fake` writes, and removes at its end."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from credconf.cli.scaffold import scalar
from credconf.ground.records import record
from credconf.problems import printable
from credconf.testing.directory import new_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

MARK: Final = "# Written by `credconf fake`"
SECRET: Final = "credconf-fake-"  # noqa: S105 - a mark
"""How each secret begins that `credconf fake` makes up."""
_ADDRESS: Final = re.compile(r"https://127\.0\.0\.1:([0-9]+)")
_LONGEST: Final = 65_536


class CannotStartError(Exception):
    """A file can't be written, or the port can't be opened. The text says why, and shows no content."""


class OwnFiles:
    """The files of one run. At the end of the block it removes those that nothing has changed since."""

    def __init__(self) -> None:
        self._written: dict[str, bytes] = {}
        self._directories: list[str] = []

    def __enter__(self) -> Self:
        return self

    def write(self, path: str, content: bytes, instead: str = "create it yourself") -> None:
        """Write a new file that only its owner may read.

        Args:
            path: the file.
            content: what it holds.
            instead: what the user can do if that fails.

        Raises:
            CannotStartError: It exists, or the directory can't be written.
        """
        self.adopt(path, lambda: _write(path, content), instead)

    def write_secret(self, path: str, instead: str = "create it yourself, with any text") -> str:
        """Make up a secret, write it and return it; see `write`.

        Raises:
            CannotStartError: It can't be written.
        """
        secret = f"{SECRET}{new_secret()}"
        self.write(path, f"{secret}\n".encode(), instead)
        return secret

    def adopt(self, path: str, write: Callable[[], object], instead: str = "create it yourself") -> None:
        """Have a new file written, and remove it at the end; see `write`.

        Raises:
            CannotStartError: The file can't be written.
        """
        try:
            self._make_directory(os.path.dirname(os.path.abspath(path)))
            write()
            with open(path, "rb") as stream:
                self._written[path] = stream.read()
        except OSError as error:
            reason = error.strerror or type(error).__name__
        else:
            return
        raise CannotStartError(f"{printable(path)} can't be written: {reason}; {instead}")

    def lines(self) -> list[str]:
        """A line for each file, for people."""
        return [f"wrote  {printable(_short(path))}" for path in self._written]

    def _make_directory(self, path: str) -> None:
        if os.path.lexists(path) and not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.path.isdir(path):
            self._make_directory(os.path.dirname(path))
            os.mkdir(path, 0o700)
            self._directories.append(path)

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        for path, content in reversed(self._written.items()):
            with suppress(OSError):  # it was removed meanwhile
                if _content(path) == content:
                    os.unlink(path)
        for path in reversed(self._directories):
            with suppress(OSError):  # it holds other files
                os.rmdir(path)


def _short(path: str) -> str:
    """The path from the working directory, if it is shorter."""
    with suppress(ValueError, OSError):  # another drive of Windows, or no working directory
        return min(path, os.path.relpath(path), key=len)
    return path


def _write(path: str, data: bytes) -> None:
    # `O_EXCL`: another process may have written it, and a symbolic link would lead elsewhere.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def _content(path: str) -> bytes | None:
    """What a regular file holds, as far as it is of interest; `None` for anything else."""
    with suppress(OSError):
        if stat.S_ISREG(os.lstat(path).st_mode):
            with open(path, "rb") as stream:
                return stream.read(_LONGEST)
    return None


def remove_leftovers(paths: Sequence[str]) -> None:
    """Remove the layer of an earlier run that was killed, and the files beside it.

    Raises:
        CannotStartError: One of them has another author, or belongs to a fake that is running.
    """
    for path in paths:
        if not os.path.lexists(path):
            continue
        content = _content(path)
        if content is None or not content.startswith((MARK.encode(), SECRET.encode())):
            raise CannotStartError(
                f"{printable(path)} exists, and `credconf fake` did not write it: "
                "choose another path with --layer, or remove it"
            )
        address = _ADDRESS.search(content.decode(errors="replace"))
        if address is not None and _is_open(int(address[1])):
            raise CannotStartError(
                f"{printable(path)} belongs to a `credconf fake` that is running at {address[0]}: "
                "stop that one, or choose another path with --layer"
            )
    for path in paths:
        try:
            os.unlink(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise CannotStartError(f"{printable(path)} can't be replaced: {error.strerror}") from None


def _is_open(port: int) -> bool:
    with suppress(OSError, OverflowError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def beside(layer: str, suffix: str) -> str:
    """The path of another file that belongs to a layer."""
    return f"{os.path.splitext(layer)[0]}.{suffix}"


@record
class Destination:
    """Where a layer leads, and which files it completes.

    Attributes:
        authority: the URL of the fake.
        certificate: the file name of its certificate, in the directory of the layer.
        files: the files of the whole configuration, as `CREDCONF_FILE` names them.
    """

    authority: str
    certificate: str
    files: str


def layer_text(to: Destination, names: Sequence[str], section: str | None, identity: Sequence[str] = ()) -> bytes:
    """The layer.

    Args:
        to: where it leads.
        names: the entries that it leads there; none for the flat form.
        section: the mapping of the configuration inside an application's own YAML.
        identity: lines with more settings, for an application that has no configuration.
    """
    lines = [
        *identity,
        f"authority: {to.authority}",
        "disable_instance_discovery: true",
        "http:",
        f"  ca_bundle: {scalar(to.certificate)}",
    ]
    if names:
        lines = _nested("credentials", [line for name in names for line in _nested(name, lines)])
    for step in reversed(section.split(".") if section else []):
        lines = _nested(step, lines)
    return "\n".join([*_head(to), f"# CREDCONF_FILE={to.files}", *lines, ""]).encode()


def certificate_text(to: Destination, certificate: bytes) -> bytes:
    """The file of the certificate. Text before a certificate has no meaning."""
    return "\n".join([*_head(to), ""]).encode() + certificate


def _head(to: Destination) -> list[str]:
    return [f"{MARK}, which removes this file at its end.", f"# It leads to the fake Entra at {to.authority}:"]


def _nested(key: str, lines: Sequence[str]) -> list[str]:
    return [f"{scalar(key)}:", *(f"  {line}" for line in lines)]
