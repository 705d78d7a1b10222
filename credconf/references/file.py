"""`{file: PATH}`: the text of a small file, such as a mounted Kubernetes secret, read again when it changes."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import StringConstraints

from credconf.ground.files import REFERENCE_LIMIT, Unreadable, absolute, decode, read_bytes
from credconf.problems import printable
from credconf.problems.wording import is_like_a_secret

from .base import BaseReference, NotFound

if TYPE_CHECKING:
    from .base import Reader, Stamp

_DEEPEST = 2  # a directory, and a file in it
_VERSION = re.compile(r"\.\.(?:data|[0-9]{4}(?:_[0-9]{2}){5}\.[0-9]+)")
"""A file of a volume is a link into `..data`, which is a link to `..2026_11_29_08_40_55.123`."""


class FileReference(BaseReference):
    """The text of a file: regular, at most 64 KB, UTF-8; a BOM and one trailing newline are dropped.

    Attributes:
        file: the path. The loader makes it absolute; it is relative to the file that holds the reference.
    """

    key: ClassVar = "file"
    placeholder: ClassVar = "PATH"
    expected: ClassVar = "a path"
    meaning: ClassVar = (
        "The path of a file that holds the value; a relative one is relative to this file. A secret is read again "
        "when the file changes, without a restart. At most 64 KB, UTF-8; a BOM and one trailing newline are "
        "dropped."
    )
    snippet: ClassVar = "${1:PATH}"
    also_called: ClassVar = frozenset(
        {"path", "filename", "file_path", "filepath", "from_file", "secret_file", "mount"}
    )
    gives_bytes: ClassVar = True

    file: Annotated[str, StringConstraints(min_length=1)]

    @property
    def label(self) -> str:
        """Its name in messages."""
        return printable(self.name)

    @property
    def name(self) -> str:
        """The path; without its last part where that may be a pasted secret, and there is no such file."""
        directory, name = os.path.split(self.file)
        return os.path.join(directory, "…") if is_like_a_secret(name) and not os.path.lexists(self.file) else self.file

    @property
    def names_file(self) -> str:
        """The file."""
        return self.file

    def read(self, reader: Reader) -> str | NotFound:
        """Return the text of the file."""
        content = self.read_bytes(reader)
        text = content if isinstance(content, NotFound) else decode(content)
        if isinstance(text, NotFound):
            return text
        if isinstance(text, Unreadable):
            return NotFound(text.code, f"the file {self.label} {text.reason}", "write the file as UTF-8 text")
        return text.removesuffix("\n").removesuffix("\r")

    def read_bytes(self, reader: Reader) -> bytes | NotFound:  # noqa: ARG002 - a file is the same for every reader
        """Return the bytes of the file, for certificates."""
        content = read_bytes(self.file, REFERENCE_LIMIT)
        if isinstance(content, Unreadable):
            missing = content.code == "missing-file"
            usual = "create the file, or correct its path" if missing else "check the path"
            if self.name != self.file:
                usual = "if this is the value itself, give it without `file:` or `_FILE`"
            return NotFound(content.code, f"the file {self.label} {content.reason}", content.hint or usual)
        return content

    def stamp(self, reader: Reader) -> Stamp:  # noqa: ARG002 - see above
        """Return the `stat` of the file to which the path leads now.

        A swapped link (Kubernetes' `..data`) or a renamed file changes the inode; a write in place changes the time.
        Two writes within one tick of the file system's clock look like one, so after a refusal the file is read
        regardless of its stamp.
        """
        try:
            found = os.stat(self.file)
        except (OSError, ValueError):  # a path may hold a NUL character
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    @classmethod
    def anchored(cls, value: Any, directory: str) -> Any:
        """Return an absolute path."""
        if not isinstance(value, str | os.PathLike) or not os.fspath(value):
            return value
        return absolute(os.path.join(directory, value))

    @classmethod
    def elsewhere(cls, value: Any, file: str) -> str | None:
        """Return why a file is neither in the directory of another one nor directly below it, with no hidden part.

        In the home directory and above it, a file has no files beside it: they may have other authors. The links of a
        volume of Kubernetes count as their targets.
        """
        if not isinstance(value, str) or "\0" in value:  # such a path can't be read, which is another problem
            return "its path is not valid"
        directory = _unversioned(os.path.dirname(os.path.realpath(file)))
        home = os.path.realpath(os.path.expanduser("~"))
        if directory == os.path.dirname(directory) or f"{home}{os.sep}".startswith(f"{directory}{os.sep}"):
            return f"{printable(directory)} is the home directory or above it, where files may have other authors"
        real = _unversioned(os.path.realpath(value))
        shown = printable(value if real == absolute(value) else f"{value} leads to {real}, which")
        inside = real.removeprefix(f"{directory}{os.sep}")
        steps = inside.split(os.sep)
        hidden = next((step for step in steps if step.startswith(".")), None)
        beside = f"{printable(directory)}, the directory of {printable(os.path.basename(file))}"
        if os.path.isabs(inside):
            return f"{shown} is outside {beside}"
        if hidden is not None:
            place = (
                "is a hidden file of" if hidden == steps[-1] else f"is in the hidden directory {printable(hidden)} of"
            )
            return f"{shown} {place} {beside}"
        return f"{shown} is two or more directories below {beside}" if len(steps) > _DEEPEST else None


def is_in_volume(path: str) -> bool:
    """Whether a file is in a volume of Kubernetes, according to its links."""
    return any(map(_VERSION.fullmatch, os.path.realpath(path).split(os.sep)))


def _unversioned(path: str) -> str:
    """Return a path without the directories that Kubernetes swaps when a volume changes."""
    return os.sep.join(step for step in path.split(os.sep) if not _VERSION.fullmatch(step)) or os.sep
