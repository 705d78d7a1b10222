"""`credconf check`: judge files before they are deployed, and with `--resolve` where they are."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from . import completing, report
from .options import configuration_options
from .terminal import say

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
@click.argument("paths", nargs=-1, metavar="[FILE]...", shell_complete=completing.files)
@click.option("--layers", is_flag=True, help="The FILEs are layers of one configuration, the lowest first.")
@click.option("--resolve", is_flag=True, help="Also judge as from_config() would here and now.")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@report.format_option(report.TEXT, report.JSON, report.GITHUB)
@configuration_options
def check(paths: tuple[str, ...], form: str, chosen: Chosen, *, layers: bool, resolve: bool, strict: bool) -> None:
    """Judge configuration files, without their secrets.

    Each FILE is judged by itself, with all its entries; `-` is standard input. Without FILE, it is what from_config()
    would read: the layers that CREDCONF_FILE names, or credconf.yaml. Nothing else is read: what the environment may
    supply is not missing, and what a reference names need not be here.

    With --resolve, also the environment, .env and what the references name are judged, as at the start of the
    application; FILEs are then layers, as with -f, and -n, --env-file, --no-env-file and --allow count.

    With `--format github`, annotations of a GitHub workflow are printed.

    Exit status: 0 where there is nothing but warnings, 1 with an error, 2 for a wrong call.
    """
    files = paths or chosen["path"] or ()
    _refuse(paths, chosen, resolve=resolve)
    groups = _groups(files, together=layers or resolve or bool(chosen["path"]))
    if not groups and not resolve:
        raise click.UsageError("there is no credconf.yaml here, and CREDCONF_FILE names none: name a FILE")
    problems = [problem for group in groups for problem in _judged(group, chosen["section"], named=bool(files))]
    if resolve:
        from credconf.config.reporting.ordering import in_order

        problems = _united(_resolved({**chosen, "path": files or None}), problems)
        problems = list(in_order(problems, [file for group in groups for file in group]))
    shown = report.strictly(problems) if strict else problems
    report.show(shown, form)
    if form == report.TEXT:
        _conclude(shown, groups)
    sys.exit(1 if report.fails(shown) else 0)


def _refuse(paths: Sequence[str], chosen: Chosen, *, resolve: bool) -> None:
    """Raise what is wrong with the call."""
    if paths and chosen["path"]:
        raise click.UsageError("name the files as arguments or with -f, not both")
    if not resolve and (chosen["name"] or chosen["allow"] or chosen["env_file"] is not True):
        raise click.UsageError("-n, --env-file, --no-env-file and --allow need --resolve")
    if resolve and _STANDARD_INPUT in paths:
        raise click.UsageError("--resolve reads files, not standard input")


def _groups(files: Sequence[str], *, together: bool) -> list[tuple[str, ...]]:
    """The files of each configuration that is judged; without any, what `from_config()` would read."""
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


def _judged(files: Sequence[str], section: str | None, *, named: bool) -> list[Problem]:
    from credconf.config.judging import judge

    problems: list[Problem] = []
    standard_input = tuple(files) == (_STANDARD_INPUT,) and named
    documents = _read(problems) if standard_input else _request(files if named else None).documents(problems)
    return [*problems, *judge(documents, section, whole=not problems)]


def _read(problems: list[Problem]) -> list[Document]:
    """The document that stands on standard input."""
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
        pass  # such as a stream that is open for writing only
    raise click.UsageError("standard input can't be read")


def _resolved(chosen: Chosen) -> tuple[Problem, ...]:
    """What `from_config()` would say here."""
    import credconf

    try:
        return credconf.load(**chosen).warnings
    except credconf.ConfigError as error:
        return error.problems


def _united(here: Sequence[Problem], anywhere: Sequence[Problem]) -> list[Problem]:
    """What is wrong here, and what is wrong anywhere with other entries than the chosen one; each once."""
    said = {_what(problem) for problem in here}
    return [*here, *(problem for problem in anywhere if _what(problem) not in said)]


def _what(problem: Problem) -> tuple[str, str, Origin | None]:
    # Where a value is inherited, the path is that of the entry that is judged; what it displaces is seen only here.
    return problem.code, problem.message, problem.origin and problem.origin.over(())


def _conclude(problems: Sequence[Problem], groups: Sequence[Sequence[str]]) -> None:
    files = report.amount(sum(map(len, groups)), "file") if groups else "no configuration file"
    if not report.fails(problems):
        found = report.count(problems)
        say(f"\nok: {files}, {found}" if found else f"ok: {files}")
        return
    say(f"\n{report.count(problems)}{' in' if groups else ','} {files}")
    if len(groups) > 1 and any(problem.code in _ELSEWHERE for problem in problems):
        say("Each file was judged by itself; with --layers they are one configuration.")
