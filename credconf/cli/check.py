"""`credconf check`: validates files before deployment, and with `--resolve` on the machine that uses them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from .options import configuration_options, files
from .output import GITHUB, JSON, TEXT, amount, count, echo, echo_report, format_option, has_errors, strictly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credconf.config.reading.nodes import Document
    from credconf.config.request import Request
    from credconf.problems import Problem
    from credconf.problems.problem import Origin

    from .options import Chosen

_STANDARD_INPUT: Final = "-"
_ELSEWHERE: Final = {"unknown-parent", "unknown-name"}


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE]...", shell_complete=files)
@click.option("--layers", is_flag=True, help="The FILEs are layers of one configuration, the lowest first.")
@click.option("--resolve", is_flag=True, help="Also resolve the configuration as from_config() would here and now.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@format_option(TEXT, JSON, GITHUB)
@configuration_options
def check(paths: tuple[str, ...], form: str, chosen: Chosen, *, layers: bool, resolve: bool, strict: bool) -> None:
    """Validate configuration files, without their secrets.

    Each FILE is validated on its own, with all its entries; `-` is standard input. Without FILE, credconf validates
    what from_config() would read: the layers that CREDCONF_FILE names, or credconf.yaml. It reads nothing else: a
    setting that the environment may supply is not missing, and the target of a reference need not exist here.

    With --resolve, it also validates the environment, .env and the targets of references, as at the start of the
    application. FILEs are then layers, as with -f, and -n, --env-file, --no-env-file and --allow apply.

    With `--format github`, it prints annotations of a GitHub workflow.

    Exit status: 0 without errors, 1 with an error, 2 for a wrong call.
    """
    chosen_files = paths or chosen["path"] or ()
    _refuse(paths, chosen, resolve=resolve)
    groups = _groups(chosen_files, together=layers or resolve or bool(chosen["path"]))
    if not groups and not resolve:
        raise click.UsageError("no credconf.yaml in this directory, and CREDCONF_FILE names no file: name a FILE")
    problems = [
        problem for group in groups for problem in _validated(group, chosen["section"], named=bool(chosen_files))
    ]
    if resolve:
        from credconf.config.reporting import in_order

        problems = _merged(_resolved({**chosen, "path": chosen_files or None}), problems)
        problems = list(in_order(problems, [file for group in groups for file in group]))
    shown = strictly(problems) if strict else problems
    echo_report(shown, form)
    if form == TEXT:
        _conclude(shown, groups)
    sys.exit(1 if has_errors(shown) else 0)


def _refuse(paths: Sequence[str], chosen: Chosen, *, resolve: bool) -> None:
    """Raise a usage error for arguments that exclude each other."""
    if paths and chosen["path"]:
        raise click.UsageError("name the files as arguments or with -f, not both")
    if not resolve and (chosen["name"] or chosen["allow"] or chosen["env_file"] is not True):
        raise click.UsageError("-n, --env-file, --no-env-file and --allow need --resolve")
    if resolve and _STANDARD_INPUT in paths:
        raise click.UsageError("--resolve reads files, not standard input")


def _groups(files: Sequence[str], *, together: bool) -> list[tuple[str, ...]]:
    """The files of each configuration to validate; without arguments, what `from_config()` would read."""
    if not files:
        found = tuple(_request(None).named_files()[0])
        return [found] if found else []
    if not together:
        return [(file,) for file in dict.fromkeys(files)]
    if _STANDARD_INPUT in files and len(files) > 1:
        raise click.UsageError("standard input can't be a layer")
    return [tuple(files)]


def _request(files: Sequence[str] | None) -> Request:
    from credconf.config.request import Request
    from credconf.ground.opaque import Hidden

    return Request(files, None, None, env_file=False, environ=Hidden(os.environ), arguments=Hidden({}))


def _validated(files: Sequence[str], section: str | None, *, named: bool) -> list[Problem]:
    from credconf.config.judging import judge

    problems: list[Problem] = []
    standard_input = tuple(files) == (_STANDARD_INPUT,) and named
    documents = _read(problems) if standard_input else _request(files if named else None).documents(problems)
    return [*problems, *judge(documents, section, whole=not problems)]


def _read(problems: list[Problem]) -> list[Document]:
    """The document on standard input."""
    from credconf.config.reading.document import document_of
    from credconf.config.reading.nodes import Document
    from credconf.ground.files import CONFIGURATION_LIMIT, decode, too_large

    content = _standard_input(CONFIGURATION_LIMIT + 1)
    whole = len(content) <= CONFIGURATION_LIMIT
    document = document_of(decode(content) if whole else too_large(CONFIGURATION_LIMIT), "<stdin>")
    if isinstance(document, Document):
        return [document]
    problems.append(document)
    return []


def _standard_input(size: int) -> bytes:
    if sys.stdin is None:
        raise click.UsageError("there is no standard input: it is closed")
    try:
        return sys.stdin.buffer.read(size)
    except OSError:
        pass  # such as a stream that is open only for writing
    raise click.UsageError("standard input can't be read")


def _resolved(chosen: Chosen) -> tuple[Problem, ...]:
    """The problems that `from_config()` would report here."""
    import credconf

    try:
        return credconf.load(**chosen).warnings
    except credconf.ConfigError as error:
        return error.problems


def _merged(here: Sequence[Problem], anywhere: Sequence[Problem]) -> list[Problem]:
    """The problems of this machine, and those that other entries have on any machine; each once."""
    known = {_key(problem) for problem in here}
    return [*here, *(problem for problem in anywhere if _key(problem) not in known)]


def _key(problem: Problem) -> tuple[str, str, Origin | None]:
    # The path of an inherited value differs by entry. Only a resolved value knows what it displaces.
    return problem.code, problem.message, problem.origin and problem.origin.over(())


def _conclude(problems: Sequence[Problem], groups: Sequence[Sequence[str]]) -> None:
    files = amount(sum(map(len, groups)), "file") if groups else "no configuration file"
    if not has_errors(problems):
        found = count(problems)
        echo(f"\nok: {files}, {found}" if found else f"ok: {files}")
        return
    echo(f"\n{count(problems)}{' in' if groups else ','} {files}")
    if len(groups) > 1 and any(problem.code in _ELSEWHERE for problem in problems):
        echo("Each file was validated on its own; with --layers they are one configuration.")
