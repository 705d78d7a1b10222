"""What a shell offers where a command wants a file, or the name of an entry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import click

    from credconf.problems import Problem


def files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    """The shell's own names of files; `click.Path` would also judge the file, which is for us to do."""
    return [CompletionItem(incomplete, type="file")]


def words(choices: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Those of some words that begin with what is typed already, in any case."""

    def offered(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
        return [word for word in choices if word.lower().startswith(incomplete.lower())]

    return offered


def entry_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """The names of the entries, in the files that the command line names so far, which are not abstract.

    A file that can't be read offers nothing: a shell has no place for problems.
    """
    from credconf.config.reading.entries import read_entries
    from credconf.config.request import Request
    from credconf.ground.opaque import Hidden

    named = context.params.get("files") or context.params.get("paths") or None
    request = Request(named, None, None, env_file=False, environ=Hidden(os.environ), arguments=Hidden({}))
    problems: list[Problem] = []
    entries = read_entries(request.documents(problems), context.params.get("section"))
    return [name for name in entries.names if name.startswith(incomplete) and not entries.is_abstract(name)]
