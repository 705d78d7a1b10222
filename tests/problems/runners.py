"""What the runners of GitHub Actions and Azure Pipelines take for a command in a line of output.

Sources: `ActionCommand.TryParseV2` and `TryParse` of actions/runner, `Command.TryParse` and `WorkerCommandManager` of
microsoft/azure-pipelines-agent. A runner knows a set of names, which a workflow can extend by a name of its own (the
token of `stop-commands`), so any name counts here.
"""

from __future__ import annotations

import re


def commands(output: str) -> list[str]:
    """The lines of an output that one of the runners takes for a command."""
    return [line for line in _lines(output) if of_github(line) is not None or is_for_azure(line)]


def of_github(line: str) -> str | None:
    """The name of the command that GitHub's runner finds in a line."""
    trimmed = line.lstrip()
    end = trimmed.find("::", 2)
    if trimmed.startswith("::") and end >= 0:
        return trimmed[2:end].partition(" ")[0]
    found = re.search(r"##\[([^] ]*)", line)
    return found[1] if found is not None else None


def is_for_azure(line: str) -> bool:
    """Whether the agent of Azure Pipelines runs a line, or warns that it holds the keyword of a command."""
    return "##vso" in line


def _lines(output: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", output)  # as .NET's StreamReader.ReadLine does


PIECES = (
    *(
        "::stop-commands::x",
        "::add-mask::",
        "::set-output name=a::b",
        "##[group]",
        "##vso[task.complete result=Failed;]",
    ),
    *("::", ":", "#", "##", "[", "]", "vso[", "error ", "a", "\\", "%0A", " ", "\t", "\n", "\r", "\r\n"),
    *("\x0b", "\x1b[1m", "\x1c", "\x85", "\xa0", "\u2028", "\u3000", "\ufeff", "\u200b", "words that fill a line " * 3),
)
"""What hostile text is made of: commands, parts of them, white space of every kind, and enough to wrap a line."""
