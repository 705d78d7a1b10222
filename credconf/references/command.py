"""`{command: [argv, ...]}`: the output of a program, if the application allows it.

A configuration file can't run programs by itself: write access to the YAML is not the right to run code. No shell is
used. The program may take ten seconds (or `http.total_timeout`, if that is less) and print 64 KB. Its standard error is
dropped, because it may contain a secret.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, StringConstraints

from credconf.ground.files import REFERENCE_LIMIT, Unreadable, decode
from credconf.problems import printable

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
        "A program and its arguments; the value is what it prints. It runs again when Entra rejects the secret, "
        'and only if the application passes `allow={"command"}`.'
    )
    snippet: ClassVar = ["$1"]
    also_called: ClassVar = frozenset({"cmd", "exec", "run", "shell", "program"})
    for_any_text: ClassVar = False
    allowed_by: ClassVar = "command"
    runs: ClassVar = True

    # Not in the `repr`, because arguments may hold secrets.
    command: Annotated[tuple[Annotated[str, StringConstraints(min_length=1)], ...], Field(min_length=1, repr=False)]

    @property
    def label(self) -> str:
        """Its name in messages: only the program, since arguments may hold secrets."""
        return f"the command {printable(self.name)}"

    @property
    def name(self) -> str:
        """The name of the program, without arguments."""
        return os.path.basename(self.command[0])

    def read(self, reader: Reader) -> str | NotFound:
        """Run the program; returns its output without the trailing newline."""
        from credconf.ground.programs import Failed, run  # only commands need it

        limit = TIME_LIMIT if reader.seconds is None else min(TIME_LIMIT, reader.seconds)
        output = run(self.command, reader.environ, limit, REFERENCE_LIMIT)
        if isinstance(output, Failed):
            return NotFound("command-failed", f"{self.label} {output.what}", output.hint)
        text = decode(output)
        if isinstance(text, Unreadable):
            return NotFound("command-failed", f"what {self.label} printed {text.reason}")
        return text.removesuffix("\n").removesuffix("\r")

    def stamp(self, reader: Reader) -> Stamp:  # noqa: ARG002 - the output is unknown before the program runs
        """Return a constant: the output counts as unchanged until a refusal makes credconf run the program again."""
        return ("command",)

    def prepare(self) -> None:
        """Import what runs programs."""
        importlib.import_module("credconf.ground.programs")

    def not_allowed(self) -> NotFound:
        """Return the failure of a program that must not run."""
        message = "`command` runs a program, which this application does not allow"
        hint = 'pass allow={"command"} to from_config(), or --allow command'
        return NotFound("not-allowed", message, hint)
