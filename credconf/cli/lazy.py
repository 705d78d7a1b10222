"""A group of commands that imports a command when it is run, and knows of the others what its help says."""

from __future__ import annotations

import os
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from credconf.problems import closest
from credconf.problems.printable import printable

from .streams import forgive_encodings, writing

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


class LazyGroup(click.Group):
    """Commands that have a module each, both of one name.

    Args:
        package: that holds the modules.
        commands_by_name: the commands with their short help, which is shown without importing them.
        **attributes: of the `click.Group`.
    """

    def __init__(self, *, package: str, commands_by_name: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._package = package
        self._short_help = commands_by_name

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, on streams that show what their encoding has no character for, and may be full or gone."""
        forgive_encodings()
        with writing():  # what click says of a wrong call
            return super().main(*args, **extra)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the arguments; the help is shown in between."""
        with _harmless_errors(), writing():  # not in `main()` alone: click ends a broken pipe by itself, with 1
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, where there is a working directory: without one Python 3.13 can't even import libraries."""
        if not _is_somewhere():
            raise click.ClickException("the working directory does not exist any more")
        with _harmless_errors(), writing():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names in the order in which they were given."""
        return list(self._short_help)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        if cmd_name not in self._short_help:
            return None
        command: click.Command = getattr(import_module(f".{cmd_name}", self._package), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of the help, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._short_help.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What a shell offers, without importing any command: our commands, then our options."""
        names = [name for name in self._short_help if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=self._short_help[name]) for name in names), *options]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; for an unknown one, an error that says what was probably meant."""
        name = args[0]
        if name not in self._short_help and not ctx.resilient_parsing and not name.startswith("-"):
            meant = closest(name, self._short_help, cutoff=0.6)
            hint = f"Did you mean {meant!r}?" if meant else f"There are: {', '.join(self._short_help)}."
            ctx.fail(f"No such command {name!r}. {hint}")
        return super().resolve_command(ctx, args)


_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""The exception that is the help; click 8.1 has none, and prints it."""


@contextmanager
def _harmless_errors() -> Generator[None]:
    """What click says of a wrong call quotes the arguments, which may be names of files that others chose.

    Raises:
        click.ClickException: the same, as a terminal and a CI runner may have it.
    """
    try:
        yield
    except _HELP:
        raise
    except click.ClickException as error:
        message = "\n".join(map(printable, error.format_message().split("\n")))
        harmless = click.UsageError(message, error.ctx) if isinstance(error, click.UsageError) else None
    else:
        return
    raise harmless or click.ClickException(message)


def _is_somewhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True
