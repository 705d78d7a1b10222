"""The page of the command line, from click."""

from __future__ import annotations

from inspect import cleandoc
from typing import Final

import click

from credconf.cli import COMMANDS, main

from .markdown import fenced, marked, table

_HEAD: Final = """\
# The command line

`credconf COMMAND --help` prints the same text; `python -m credconf` is the same program. No option takes a secret.
"""
_STATUSES: Final = (
    ("0", "no error; there may be warnings"),
    ("1", "the configuration has an error, or there is no token"),
    ("2", "the command line is wrong"),
    ("74", "the output can't be written, for example because the disk is full"),
    ("141", "the reader of the output has closed it, such as `head -1` in a pipe; as with other programs"),
)


def page() -> str:
    """The page, as Markdown."""
    context = click.Context(main, info_name="credconf", **main.context_settings)
    commands = table(
        ("command", "purpose"), [(f"[`credconf {name}`](#credconf-{name})", COMMANDS[name]) for name in COMMANDS]
    )
    statuses = f"## Exit status\n\n{table(('status', 'meaning'), _STATUSES)}\n"
    return "\n".join([_HEAD, commands + "\n", *(_command(name, context) for name in COMMANDS), statuses])


def _command(name: str, parent: click.Context) -> str:
    command = main.get_command(parent, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=parent)
    usage = fenced(f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}", "text")
    records = [option.get_help_record(context) for option in command.get_params(context)]
    options = [(f"`{names}`", marked(about)) for names, about in filter(None, records) if about]
    return "\n\n".join([f"## credconf {name}", usage, _help(command), table(("option", "meaning"), options)]) + "\n"


def _help(command: click.Command) -> str:
    parts = [cleandoc(text) for text in (command.help or "", command.epilog or "") if text]
    blocks = [block for part in parts for block in part.split("\n\n")]
    return "\n\n".join(_block(block) for block in blocks)


def _block(text: str) -> str:
    """A paragraph; what click must not wrap is shown as it is."""
    lines = text.splitlines()
    if lines and lines[0].strip() == "\b":
        return fenced("\n".join(lines[1:]), "text")
    return marked(" ".join(line.strip() for line in lines))
