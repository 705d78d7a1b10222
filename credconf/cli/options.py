"""The options that choose a configuration, the candidates for shell completion, and `credconf completion`."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, Final, TypedDict

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credconf.config.request import Request
    from credconf.problems import Problem


class Chosen(TypedDict):
    """Keyword arguments of `credconf.load()` and `credconf.from_config()`.

    Attributes:
        path: the files of `-f`, the lowest layer first; `None` without `-f`.
        name: the entry.
        section: the dotted path inside an application's own YAML.
        env_file: a path, or whether to read the `.env` of the working directory.
        allow: what the configuration may do besides reading.
    """

    path: tuple[str, ...] | None
    name: str | None
    section: str | None
    env_file: str | bool
    allow: frozenset[str]


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


def _allowed(_: click.Context, __: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """Check the permissions.

    Raises:
        click.BadParameter: no reference needs this permission.
    """
    known = permissions_of_references() if words else ()
    if not set(words) <= set(known):
        raise click.BadParameter(f"allowed values: {', '.join(known)}")
    return words


_NAME = click.option("-n", "--name", metavar="ENTRY", shell_complete=entry_names, help="The entry to use.")
_NAMES = click.option(
    "-n",
    "--name",
    "names",
    multiple=True,
    metavar="ENTRY",
    shell_complete=entry_names,
    help="An entry to resolve, instead of all; repeat it for others.",
)
_OPTIONS = (
    click.option(
        "-f",
        "--file",
        "files",
        multiple=True,
        metavar="PATH",
        shell_complete=files,
        help="A YAML file; repeat it for layers.",
    ),
    click.option("--section", metavar="DOTTED.PATH", help="The mapping inside an application's own YAML."),
    click.option(
        "--env-file",
        metavar="PATH",
        shell_complete=files,
        help="Read this file instead of the working directory's .env.",
    ),
    click.option("--no-env-file", is_flag=True, help="Read no .env."),
    click.option(
        "--allow",
        multiple=True,
        metavar="WORD",
        callback=_allowed,
        shell_complete=permissions,
        help="Allow more than reading: `command` lets {command: [...]} references run programs.",
    ),
)


def configuration_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `-f`, `-n`, `--section`, `--env-file`, `--no-env-file` and `--allow` to a command.

    The command receives them as one keyword argument, `chosen`, for `credconf.load(**chosen)`: see `Chosen`.
    """

    @functools.wraps(command)
    def choosing(*args: Any, **options: Any) -> Any:
        return command(*args, chosen=_chosen(options), **options)

    return functools.reduce(lambda function, option: option(function), reversed((_NAME, *_OPTIONS)), choosing)


def several_entries(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same options to a command that takes several entries, as its argument `names`."""

    @functools.wraps(command)
    def choosing(*args: Any, names: tuple[str, ...], **options: Any) -> Any:
        options["name"] = None
        return command(*args, names=tuple(dict.fromkeys(names)), chosen=_chosen(options), **options)

    return functools.reduce(lambda function, option: option(function), reversed((_NAMES, *_OPTIONS)), choosing)


def _chosen(options: dict[str, Any]) -> Chosen:
    """Remove these options from those of a command.

    Raises:
        click.UsageError: two options exclude each other.
    """
    files, env_file, without = (options.pop(name) for name in ("files", "env_file", "no_env_file"))
    if env_file is not None and without:
        message = "--env-file and --no-env-file exclude each other"
        raise click.UsageError(message)
    return Chosen(
        path=files or None,
        name=options.pop("name"),
        section=options.pop("section"),
        env_file=not without if env_file is None else env_file,
        allow=frozenset(options.pop("allow")),
    )


def request_of(chosen: Chosen) -> Request:
    """The request for the configuration that the options choose, with the variables of this process."""
    from credconf.config.request import Request
    from credconf.ground.opaque import Hidden

    return Request(**chosen, environ=Hidden(os.environ), arguments=Hidden({}))


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
