"""The page of the command line, from click."""

from __future__ import annotations

import re
from inspect import cleandoc

import click

from credconf.cli import COMMANDS, main

_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
_HEAD = """\
# The command line

`credconf COMMAND --help` says what stands here; `python -m credconf` is the same program. No option takes a secret.

| exit status | |
| --- | --- |
| 0 | all is well, or there are warnings only |
| 1 | the configuration has an error, or there is no token |
| 2 | the command was called wrongly |
| 74 | the output can't be written, such as to a disk that is full |
| 141 | whoever read the output has gone, as before `head -1` in a pipe: shells say so of other programs, too |
"""


def page() -> str:
    """The page, as Markdown."""
    context = click.Context(main, info_name="credconf", **main.context_settings)
    rows = [f"| [`credconf {name}`](#{name}) | {about} |" for name, about in COMMANDS.items()]
    table = "\n".join(["| command | |", "| --- | --- |", *rows, ""])
    return "\n".join([_HEAD, table, *(_command(name, context) for name in COMMANDS)])


def _command(name: str, parent: click.Context) -> str:
    command = main.get_command(parent, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=parent)
    usage = f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```"
    records = [option.get_help_record(context) for option in command.get_params(context)]
    options = "\n".join(f"`{names}`\n:   {_marked(about)}\n" for names, about in filter(None, records) if about)
    return "\n\n".join([f"## `credconf {name}` {{#{name}}}", usage, _help(command), options])


def _help(command: click.Command) -> str:
    parts = [cleandoc(text) for text in (command.help or "", command.epilog or "") if text]
    blocks = [block for part in parts for block in part.split("\n\n")]
    return "\n\n".join(_block(block) for block in blocks)


def _block(text: str) -> str:
    """A paragraph; what click must not wrap is shown as it is."""
    lines = text.splitlines()
    if lines and lines[0].strip() == "\b":
        return "```text\n" + "\n".join(lines[1:]) + "\n```"
    return _marked(" ".join(line.strip() for line in lines))


def _marked(text: str) -> str:
    """Words for a terminal as Markdown: an option is code, so that it is neither broken nor a dash."""
    pieces = text.split("`")
    pieces[::2] = [_OPTION.sub(r"`\g<0>`{.option}", _escaped(piece)) for piece in pieces[::2]]
    pieces[1::2] = [f"`{code}`" for code in pieces[1::2]]
    return "".join(pieces)


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*_<>[]{}|#" else letter for letter in text)
