"""The options that choose a configuration, as the arguments of `load()` and `from_config()`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypedDict

import click

from .completion import entry_names, files, permissions, permissions_of_references

if TYPE_CHECKING:
    from collections.abc import Callable


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


def _allowed(_: click.Context, __: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """Check the permissions.

    Raises:
        click.BadParameter: no reference needs this permission.
    """
    known = permissions_of_references() if words else ()
    if not set(words) <= set(known):
        raise click.BadParameter(f"allowed values: {', '.join(known)}")
    return words


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
    click.option("-n", "--name", metavar="ENTRY", shell_complete=entry_names, help="The entry to use."),
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

    return functools.reduce(lambda function, option: option(function), reversed(_OPTIONS), choosing)


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
