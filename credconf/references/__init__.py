"""Values that stand elsewhere: one file for each way to find one.

A configuration holds a reference (`{env: NAME}`, `{file: PATH}`, `{command: [...]}`); a `Reader` finds the value when
it is needed. This is the only place, once the configuration was loaded, that reads files or variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.ground.records import field, record

from .base import NotFound, Stamp, fingerprint
from .command import CommandReference, run
from .env import EnvReference, look_up
from .file import FileReference, read, stamp_of_file

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Reference = EnvReference | FileReference | CommandReference

NOT_RUN = "(not run)"
"""What an allowed command stands for while it is only asked whether everything can be read."""

__all__ = [
    "CommandReference",
    "EnvReference",
    "FileReference",
    "NotFound",
    "Reader",
    "Reference",
    "Stamp",
    "fingerprint",
]


@record
class Reader:
    """Finds the values of references.

    Attributes:
        environ: the process environment; it is not copied, but a process's own variables rarely change.
        dotenv: the variables of `.env`, asked when the environment has none.
        allow: what the program allowed; `{"command"}` is needed for `{command:}`.
        dotenv_file: the path of `.env`, for another process.
        seconds: that a command may take, where that is less than the usual ten.
        pinned: the variables that only `.env` is asked for, where that was merely found: what was allowed because it
            came from there must not come from the environment later. `None` where `.env` was named.
        runs: whether commands are run. `load()` asks whether everything can be read, and runs nothing for that.
    """

    environ: Mapping[str, str] = field(repr=False)
    dotenv: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow: Collection[str] = ()
    dotenv_file: str | None = None
    seconds: float | None = None
    pinned: frozenset[str] | None = None
    runs: bool = True

    def text(self, reference: Reference) -> str | NotFound:
        """The text that a reference stands for, or why there is none. It is never empty or only white space."""
        if isinstance(reference, EnvReference):
            found = look_up(reference, self._environ_for(reference), self.dotenv)
        elif isinstance(reference, FileReference):
            found = read(reference)
        elif not self.runs and "command" in self.allow:
            return NOT_RUN
        else:
            found = run(reference, self.environ, allowed="command" in self.allow, seconds=self.seconds)
        if isinstance(found, str) and not found.strip():
            return NotFound(
                "empty", f"{reference.label} holds only white space" if found else f"{reference.label} is empty"
            )
        return found

    def stamp(self, reference: Reference) -> Stamp:
        """Something that is the same as long as the text is; `None` where only reading tells.

        Of a file it is what `stat` says. What a program would print is not known before it runs: its text counts as
        the same until somebody has a reason to ask again.
        """
        if isinstance(reference, FileReference):
            return stamp_of_file(reference)
        if isinstance(reference, CommandReference):
            return ("command",)
        found = look_up(reference, self._environ_for(reference), self.dotenv)
        return (fingerprint(found),) if isinstance(found, str) else None

    def _environ_for(self, reference: EnvReference) -> Mapping[str, str]:
        return {} if self.pinned is not None and reference.env in self.pinned else self.environ
