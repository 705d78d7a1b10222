"""`credconf check`: validates files before deployment, and with `--resolve` on the machine that uses them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from .options import files, request_of, several_entries
from .output import GITHUB, JSON, TEXT, amount, count, echo, echo_report, format_option, has_errors, strictly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credconf.config.reading.nodes import Document
    from credconf.config.request import Request
    from credconf.problems import Problem
    from credconf.problems.problem import Origin

    from .options import Chosen

_STANDARD_INPUT: Final = "-"
_MOST_NAMES: Final = 20
"""The number of entries that the last line lists. JSON contains all."""
_ELSEWHERE: Final = {"unknown-parent", "unknown-name"}


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE]...", shell_complete=files)
@click.option("--layers", is_flag=True, help="The FILEs are layers of one configuration, the lowest first.")
@click.option("--resolve", is_flag=True, help="Also resolve the configuration as from_config() would here and now.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@format_option(TEXT, JSON, GITHUB)
@several_entries
def check(
    paths: tuple[str, ...],
    form: str,
    chosen: Chosen,
    *,
    names: tuple[str, ...],
    layers: bool,
    resolve: bool,
    strict: bool,
) -> None:
    """Validate configuration files, without their secrets.

    Each FILE is validated on its own, with all its entries; `-` is standard input. Without FILE, credconf validates
    what from_config() would read: the layers that CREDCONF_FILE names, or credconf.yaml. It reads nothing else: a
    setting that the environment may supply is not missing, and the target of a reference need not exist here.

    With --resolve, it also validates the environment, .env and the targets of references, as at the start of the
    application: for each entry that is not abstract, or for those of -n. FILEs are then layers, as with -f, and -n,
    --env-file, --no-env-file and --allow apply.

    With `--format github`, it prints annotations of a GitHub workflow.

    Exit status: 0 without errors, 1 with an error, 2 for a wrong call.
    """
    chosen_files = paths or chosen["path"] or ()
    _refuse(paths, chosen, names, resolve=resolve)
    groups = _groups(chosen_files, together=layers or resolve or bool(chosen["path"]))
    if not groups and not resolve:
        raise click.UsageError(_nothing_to_read())
    problems = [
        problem for group in groups for problem in _validated(group, chosen["section"], named=bool(chosen_files))
    ]
    entries: list[str] = []
    if resolve:
        from credconf.config.reporting import in_order

        here, entries = _resolved({**chosen, "path": chosen_files or None}, names)
        problems = list(in_order(_merged([*here, *problems]), [file for group in groups for file in group]))
    shown = strictly(problems) if strict else problems
    echo_report(shown, form, {"entries": entries} if resolve else {})
    if form == TEXT:
        _conclude(shown, groups, entries)
    sys.exit(1 if has_errors(shown) else 0)


def _nothing_to_read() -> str:
    from credconf.config.request import DEFAULT_FILE
    from credconf.config.working_directory import in_parent
    from credconf.ground.files import absolute

    here = absolute(".")
    where = here if os.path.isabs(here) else "the working directory, which does not exist any more"
    what = f"there is no credconf.yaml in {where}, and CREDCONF_FILE names no file"
    found = in_parent(DEFAULT_FILE)
    what += f" ({found} is in a parent directory, which is not searched)" if found else ""
    return f"{what}: name a FILE, or use --resolve, which also checks the environment and .env"


def _refuse(paths: Sequence[str], chosen: Chosen, names: Sequence[str], *, resolve: bool) -> None:
    """Raise a usage error for arguments that exclude each other."""
    if paths and chosen["path"]:
        raise click.UsageError("name the files as arguments or with -f, not both")
    if not resolve and (names or chosen["allow"] or chosen["env_file"] is not True):
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


def _resolved(chosen: Chosen, names: Sequence[str]) -> tuple[list[Problem], list[str]]:
    """The problems that `from_config()` would report here, for each entry, and the entries that were resolved."""
    from credconf.config.resolution import Resolved, resolve_each

    outcomes = resolve_each(request_of(chosen), names)
    found = [item.warnings if isinstance(item, Resolved) else item.problems for item in outcomes]
    return [problem for problems in found for problem in problems], [item.name for item in outcomes if item.name]


def _merged(problems: Sequence[Problem]) -> list[Problem]:
    """Each problem once: those of this machine, then those that an entry has on any machine."""
    unique: dict[object, Problem] = {}
    for problem in problems:
        unique.setdefault(_key(problem), problem)
    return list(unique.values())


def _key(problem: Problem) -> tuple[str, str, Origin | None]:
    # The path of an inherited value differs by entry. Only a resolved value knows what it displaces. A variable that no
    # chosen entry reads has a message for each.
    message = "" if problem.code == "unheard-variable" else problem.message
    return problem.code, message, problem.origin and problem.origin.over(())


def _conclude(problems: Sequence[Problem], groups: Sequence[Sequence[str]], entries: Sequence[str]) -> None:
    files = amount(sum(map(len, groups)), "file") if groups else "no configuration file"
    if entries:
        names = ", ".join(entries[:_MOST_NAMES])
        more = f", and {len(entries) - _MOST_NAMES:,} more" if len(entries) > _MOST_NAMES else ""
        files += f" ({'entry' if len(entries) == 1 else 'entries'} {names}{more})"
    if not has_errors(problems):
        found = count(problems)
        echo(f"\nok: {files}, {found}" if found else f"ok: {files}")
        return
    echo(f"\n{count(problems)}{' in' if groups else ','} {files}")
    if len(groups) > 1 and any(problem.code in _ELSEWHERE for problem in problems):
        echo("Each file was validated on its own; with --layers they are one configuration.")
