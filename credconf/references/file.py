"""`{file: PATH}`: the text of a small file, such as a mounted Kubernetes secret, read again when it has changed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, StringConstraints

from credconf.config.building import STRICT
from credconf.config.files import REFERENCE_LIMIT, Unreadable, decode, read_bytes
from credconf.problems.printable import printable

from .found import NotFound


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
