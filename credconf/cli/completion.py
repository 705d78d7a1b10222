"""Shell completion: the candidates for arguments, and `credconf completion`, which prints the script."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credconf.problems import Problem

_SHELLS: Final = ("bash", "zsh", "fish")


@click.command(epilog="Then start a new shell.")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the shell's completion script.

    It completes commands, options, files, and the names of the entries in them:

    \b
    bash:  credconf completion bash >> ~/.bashrc
    zsh:   credconf completion zsh >> ~/.zshrc
    fish:  credconf completion fish > ~/.config/fish/completions/credconf.fish
    """  # noqa: D301 - click's mark of lines that stay as they are
    program = "credconf"
    completer = get_completion_class(shell)
    assert completer is not None
    group = context.find_root().command
    # `ShellComplete.source`, because bash's own runs a bash to learn its version, and there may be none here.
    click.echo(ShellComplete.source(completer(group, {}, program, f"_{program.upper()}_COMPLETE")))


def files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    """File names, which the shell completes. `click.Path` is not used: it would also validate the file."""
    return [CompletionItem(incomplete, type="file")]


def words(choices: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """A completer for fixed words, which it compares without case."""

    def candidates(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
        return [word for word in choices if word.lower().startswith(incomplete.lower())]

    return candidates


def permissions_of_references() -> tuple[str, ...]:
    """The permissions that references need, for `--allow`."""
    from credconf.kinds import ALLOWABLE  # it imports pydantic, which `--help` does not need

    return tuple(sorted(ALLOWABLE))


def permissions(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The permissions that begin with the incomplete word."""
    return words(permissions_of_references())(context, parameter, incomplete)


def entry_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """The names of the entries that can be chosen, in the files that the command line names so far.

    A file that can't be read has no candidates: a shell can't display problems.
    """
    from credconf.config.reading.entries import read_entries
    from credconf.config.request import Request
    from credconf.ground.opaque import Hidden

    named = context.params.get("files") or context.params.get("paths") or None
    request = Request(named, None, None, env_file=False, environ=Hidden(os.environ), arguments=Hidden({}))
    problems: list[Problem] = []
    entries = read_entries(request.documents(problems), context.params.get("section"))
    return [name for name in entries.names if name.startswith(incomplete) and not entries.is_abstract(name)]
