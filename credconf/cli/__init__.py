"""The command line. A command's module is imported when the command is run."""

from __future__ import annotations

import sys

import click

from credconf._version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="credconf")
def main() -> None:
    """Declarative credentials for Microsoft Entra ID: a file in, a token out."""


@main.command()
def demo() -> None:
    """Run the main job against a fake Entra on this machine: no account, no network, nothing left behind."""
    from .demo import run

    sys.exit(run(click.echo))
