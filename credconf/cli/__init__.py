"""The command line. A command's module is imported when the command is run."""

from __future__ import annotations

import click

from credconf._version import __version__

from .lazy import LazyGroup

COMMANDS = {
    "check": "Judge configuration files, without their secrets.",
    "show": "Show every setting, where it came from, and what it displaced.",
    "explain": "Explain the code of a problem, or one of Entra's (AADSTS...).",
    "token": "Acquire one token, and show whose it is and what it says.",
    "doctor": "Find out, step by step, why there is no token.",
    "init": "Write a configuration to begin with.",
    "schema": "Print the JSON Schema of configuration files.",
    "demo": "Run the main job against a fake Entra on this machine.",
    "completion": "Print what lets a shell complete commands and names.",
}
"""The commands in the order of the help, with what it says of them. Each is in the module of its name."""


@click.group(
    cls=LazyGroup, package=__name__, commands_by_name=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="credconf")
def main() -> None:
    """Declarative credentials for Microsoft Entra ID: a file in, a token out."""
