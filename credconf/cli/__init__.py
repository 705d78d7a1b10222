"""The command line. Each command's module is imported when the command runs."""

from __future__ import annotations

import click

from credconf._version import __version__

from .lazy import LazyGroup

COMMANDS = {
    "check": "Validate configuration files, without their secrets.",
    "show": "Show every setting, its origin, and the values it overrides.",
    "explain": "Explain the code of a problem, or one of Entra's (AADSTS...).",
    "token": "Acquire one token, and show its identity and claims.",
    "doctor": "Repeat a token request step by step, and report what fails.",
    "init": "Write a first configuration.",
    "schema": "Print the JSON Schema of configuration files.",
    "demo": "Acquire tokens from a fake Entra on this machine.",
    "completion": "Print the shell's completion script.",
}
"""The commands in the order of the help, each with its short help."""

_MODULES = {"explain": "documentation", "schema": "documentation"}
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
