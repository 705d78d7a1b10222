"""The command line: a group of commands that imports a command when it runs. Its help needs no import."""

from __future__ import annotations

import os
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from credconf._version import __version__
from credconf.problems import closest, printable

from .output import replace_unencodable, writing

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


class LazyGroup(click.Group):
    """Commands whose modules are imported on first use.

    Args:
        package: the package of the modules.
        short_help: the short help of each command, by its name.
        modules: the module of a command, if it has another name than the command.
        **attributes: of the `click.Group`.
    """

    def __init__(
        self, *, package: str, short_help: Mapping[str, str], modules: Mapping[str, str], **attributes: Any
    ) -> None:
        super().__init__(**attributes)
        self._package = package
        self._short_help = short_help
        self._modules = modules

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run on streams that replace unencodable characters, and that may be full or closed."""
        replace_unencodable()
        with writing():  # click prints the message about a wrong call
            return super().main(*args, **extra)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the arguments, and print the help if they ask for it."""
        with _harmless_errors(), writing():  # not only in `main()`: click ends a broken pipe itself, with status 1
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. It needs no working directory, but some versions of Python need one to import libraries."""
        if not _can_import():
            raise click.ClickException("the working directory does not exist any more, and this Python needs one")
        with _harmless_errors(), writing():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names in the order of the help."""
        return list(self._short_help)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in self._short_help:
            return None
        command: click.Command = getattr(
            import_module(f".{self._modules.get(cmd_name, cmd_name)}", self._package), cmd_name
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._short_help.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The candidates for a shell, without importing any command: commands, then options."""
        names = [name for name in self._short_help if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=self._short_help[name]) for name in names), *options]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name. The error for an unknown one suggests a similar command."""
        name = args[0]
        if name not in self._short_help and not ctx.resilient_parsing and not name.startswith("-"):
            meant = closest(name, self._short_help, cutoff=0.6)
            hint = f"Did you mean {meant!r}?" if meant else f"There are: {', '.join(self._short_help)}."
            ctx.fail(f"No such command {name!r}. {hint}")
        return super().resolve_command(ctx, args)


_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""The exception that carries the help. click 8.1 prints the help instead."""


@contextmanager
def _harmless_errors() -> Generator[None]:
    """Escape click's messages about a wrong call: they quote arguments, which may be file names of any origin.

    Raises:
        click.ClickException: the same error, with nothing that a terminal or a CI runner interprets.
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


def _can_import() -> bool:
    """Whether imports work. In Python 3.13.0 with `-c`, an `AttributeError` of a module asks for the directory."""
    try:
        getattr(os, "no_such_attribute")  # noqa: B009 - the lookup is the test
    except AttributeError:
        return True
    except SystemError:
        return False
    return True


COMMANDS = {
    "check": "Validate configuration files, without their secrets.",
    "show": "Show every setting, its origin, and the values it overrides.",
    "explain": "Explain the code of a problem, or one of Entra's (AADSTS...).",
    "token": "Acquire one token, and show its identity and claims.",
    "doctor": "Repeat a token request step by step, and report what fails.",
    "init": "Write a first configuration.",
    "schema": "Print the JSON Schema of configuration files.",
    "demo": "Acquire tokens from a fake Entra on this machine.",
    "fake": "Run a fake Entra on this machine, for development.",
    "completion": "Print the shell's completion script.",
}
"""The commands in the order of the help, each with its short help."""

_MODULES = {"explain": "documentation", "schema": "documentation", "completion": "options"}
"""The modules of the commands that share one. Any other command has a module of its name."""


@click.group(
    cls=LazyGroup,
    package=__name__,
    short_help=COMMANDS,
    modules=_MODULES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="credconf")
def main() -> None:
    """Declarative credentials for Microsoft Entra ID: a file in, a token out."""
