"""`{ini: PATH#SECTION.OPTION}`: an option of another program's INI file, such as `~/.pgpass`' younger relatives."""

from __future__ import annotations

import configparser
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import StringConstraints

from credconf.problems import printable
from credconf.references.base import BaseReference, NotFound
from credconf.references.file import FileReference

if TYPE_CHECKING:
    from credconf.references.base import Reader, Stamp


class IniReference(BaseReference):
    """The value of an option.

    Attributes:
        ini: the path, the section and the option.
    """

    key: ClassVar = "ini"
    placeholder: ClassVar = "PATH#SECTION.OPTION"
    expected: ClassVar = "a path, `#`, a section, `.` and an option"
    meaning: ClassVar = "An option of an INI file that belongs to another program, where the application allows it."
    snippet: ClassVar = "${1:PATH}#${2:SECTION}.${3:OPTION}"
    also_called: ClassVar = frozenset({"cfg", "configparser"})
    allowed_by: ClassVar = "ini"

    ini: Annotated[str, StringConstraints(pattern=r"^[^#]+#[^#.]+\.[^#.]+$")]

    @property
    def label(self) -> str:
        """What messages call it."""
        return printable(self.ini)

    @property
    def names_file(self) -> str:
        """The INI file."""
        return self._file.file

    @property
    def _file(self) -> FileReference:
        return FileReference.of(self.ini.partition("#")[0])

    def read(self, reader: Reader) -> str | NotFound:
        """The text of the option."""
        text = self._file.read(reader)
        if isinstance(text, NotFound):
            return text
        section, _, option = self.ini.partition("#")[2].partition(".")
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text)
            return parser.get(section, option)
        except configparser.Error:
            pass  # its message quotes the line; what follows is made outside, so that no chain holds it
        return NotFound("missing-variable", f"{self.label} is not set", "write the option into the file")

    def stamp(self, reader: Reader) -> Stamp:
        """That of the file."""
        return self._file.stamp(reader)

    @classmethod
    def anchored(cls, value: Any, directory: str) -> Any:
        """With an absolute path."""
        if not isinstance(value, str):
            return value
        path, mark, rest = value.partition("#")
        return f"{FileReference.anchored(path, directory)}{mark}{rest}"

    @classmethod
    def elsewhere(cls, value: Any, file: str) -> str | None:
        """Why the INI file is."""
        return FileReference.elsewhere(value.partition("#")[0] if isinstance(value, str) else value, file)
