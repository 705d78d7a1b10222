"""`{file: PATH}`: the text of a small file, such as a mounted Kubernetes secret, read again when it has changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, StringConstraints

from credconf.ground.files import REFERENCE_LIMIT, Unreadable, decode, read_bytes
from credconf.ground.models import STRICT
from credconf.problems.printable import printable

from .base import NotFound

if TYPE_CHECKING:
    from .base import Stamp


class FileReference(BaseModel):
    """A value that stands in a file: regular, at most 64 KB, UTF-8; a BOM and one trailing newline are dropped.

    Attributes:
        file: the path. Relative to the file that names it, which the loader makes absolute.
    """

    model_config = STRICT

    file: Annotated[str, StringConstraints(min_length=1)]

    @property
    def label(self) -> str:
        """What messages call it."""
        return printable(self.file)


def read(reference: FileReference) -> str | NotFound:
    """The text of the file."""
    content = read_content(reference)
    text = content if isinstance(content, NotFound) else decode(content)
    if isinstance(text, NotFound):
        return text
    if isinstance(text, Unreadable):
        return NotFound(text.code, f"the file {reference.label} {text.reason}", "write the file as UTF-8 text")
    return text.removesuffix("\n").removesuffix("\r")


def read_content(reference: FileReference) -> bytes | NotFound:
    """The bytes of the file, for certificates."""
    content = read_bytes(reference.file, REFERENCE_LIMIT)
    if isinstance(content, Unreadable):
        usual = "create the file, or correct its path" if content.code == "missing-file" else "check what stands there"
        return NotFound(content.code, f"the file {reference.label} {content.reason}", content.hint or usual)
    return content


def stamp_of_file(reference: FileReference) -> Stamp:
    """What `stat` says of the file that the path leads to now.

    A link that was swapped (Kubernetes' `..data`) and a renamed file show as another inode, a file that was written in
    place as another time. Two writes within one tick of the file system's clock look like one: who was refused reads
    the file whatever its stamp.
    """
    try:
        found = os.stat(reference.file)
    except (OSError, ValueError):  # a path may hold a NUL
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
