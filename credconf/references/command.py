"""`{command: [argv, ...]}`: the output of a program, if the application allowed it.

A configuration file can't run programs by itself: write access to the YAML is not the right to run code. There is no
shell. The program has ten seconds (`http.total_timeout`, where that is less) and 64 KB. Its standard error is dropped,
as it may contain a secret.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, StringConstraints

from credconf.ground.files import REFERENCE_LIMIT, Unreadable, decode
from credconf.problems.printable import printable

from .base import BaseReference, NotFound

if TYPE_CHECKING:
    from .base import Reader, Stamp

TIME_LIMIT = 10.0


class CommandReference(BaseReference):
    """The output of a program.

    Attributes:
        command: the program and its arguments; no shell reads them.
    """

    key: ClassVar = "command"
    placeholder: ClassVar = "[PROGRAM, ARGUMENT]"
    expected: ClassVar = "a list of a program and its arguments"
    meaning: ClassVar = (
        "A program and its arguments; the value is what it prints. It runs again when the secret was refused, "
        'and only where the application said `allow={"command"}`.'
    )
    snippet: ClassVar = ["$1"]
    also_called: ClassVar = frozenset({"cmd", "exec", "run", "shell", "program"})
    for_any_text: ClassVar = False
    allowed_by: ClassVar = "command"
    runs: ClassVar = True

    # Out of sight: its arguments may hold what should not be shown.
    command: Annotated[tuple[Annotated[str, StringConstraints(min_length=1)], ...], Field(min_length=1, repr=False)]

    @property
    def label(self) -> str:
        """What messages call it: the program alone, since arguments may hold what should not be shown."""
        return f"the command {printable(self.name)}"

    @property
    def name(self) -> str:
        """The program alone."""
        return os.path.basename(self.command[0])

    def read(self, reader: Reader) -> str | NotFound:
        """The program's output without its trailing newline."""
        from credconf.ground.programs import Failed, run  # for those alone who run one

        limit = TIME_LIMIT if reader.seconds is None else min(TIME_LIMIT, reader.seconds)
        output = run(self.command, reader.environ, limit, REFERENCE_LIMIT)
        if isinstance(output, Failed):
            return NotFound("command-failed", f"{self.label} {output.what}", output.hint)
        text = decode(output)
        if isinstance(text, Unreadable):
            return NotFound("command-failed", f"what {self.label} printed {text.reason}")
        return text.removesuffix("\n").removesuffix("\r")

    def stamp(self, reader: Reader) -> Stamp:  # noqa: ARG002 - what the program would print is not known before it runs
        """Its text counts as the same until there is a reason to ask again."""
        return ("command",)

    def prepare(self) -> None:
        """Import what runs programs."""
        importlib.import_module("credconf.ground.programs")

    def not_allowed(self) -> NotFound:
        """Why it does not run."""
        message = "`command` runs a program, which this application did not allow"
        hint = 'pass allow={"command"} to from_config(), or --allow command'
        return NotFound("not-allowed", message, hint)
