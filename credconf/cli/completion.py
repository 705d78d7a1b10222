"""`credconf completion`: the script with which a shell completes commands, options, files and names of entries."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import ShellComplete, get_completion_class

_SHELLS: Final = ("bash", "zsh", "fish")


@click.command(epilog="Then start a new shell.")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what lets a shell complete commands and names.

    Commands, options, files, and the names of the entries in them:

    \b
    bash:  credconf completion bash >> ~/.bashrc
    zsh:   credconf completion zsh >> ~/.zshrc
    fish:  credconf completion fish > ~/.config/fish/completions/credconf.fish
    """  # noqa: D301 - click's mark of lines that stay as they are
    program = "credconf"
    completer = get_completion_class(shell)
    assert completer is not None
    group = context.find_root().command
    # `ShellComplete.source`, because bash's own asks a bash for its version, which need not be here.
    click.echo(ShellComplete.source(completer(group, {}, program, f"_{program.upper()}_COMPLETE")))
