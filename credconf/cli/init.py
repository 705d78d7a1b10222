"""`credconf init`: writes a first configuration. It neither asks for a secret nor writes one."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from credconf.problems import printable

from .documentation import schema_text
from .options import words
from .output import echo, wrapped
from .scaffold import SCHEMA, SOURCES, Answers, configuration, dotenv_example, gitignore, proof, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credconf.problems import Problem

_CLOUDS: Final = ("public", "usgov", "china")
_EXAMPLE, _IGNORE, _DOTENV = ".env.example", ".gitignore", ".env"
_COVERS_DOTENV: Final = {_DOTENV, "**/.env", ".env*", "*.env"}
_PLACE: Final = "env:NAME, file:PATH or certificate:PATH"
_FIELDS: Final = {"--tenant-id": "tenant_id", "--client-id": "client_id", "--cloud": "cloud"}
_QUESTIONS: Final = {
    "--tenant-id": "Tenant (directory), a GUID or a domain",
    "--client-id": "Application (client) id",
    "--cloud": f"Cloud ({', '.join(_CLOUDS)})",
    "--secret-from": f"The place of the secret: {_PLACE}\nPlace",
}
_EXAMPLES: Final = """\b
Examples:
  credconf init
  credconf init --tenant-id contoso.onmicrosoft.com --client-id GUID --secret-from file:secrets/entra
"""


@click.command(epilog=_EXAMPLES)
@click.option("-f", "--file", "path", default="credconf.yaml", show_default=True, metavar="PATH", help="The new file.")
@click.option("--tenant-id", metavar="TENANT", help="The directory: a GUID or a domain name.")
@click.option("--client-id", metavar="GUID", help="The application (client) id.")
# No `click.Choice`: its error quotes the argument.
@click.option("--cloud", metavar=f"[{'|'.join(_CLOUDS)}]", shell_complete=words(_CLOUDS), help="The tenant's cloud.")
@click.option("--secret-from", metavar="PLACE", help=f"{_PLACE}; never the secret.")
@click.option("--named", "name", metavar="ENTRY", help="Write the named form, with this entry.")
@click.option("--schema/--no-schema", default=True, help="Write the JSON Schema beside the file, for editors.")
@click.option("--force", is_flag=True, help="Replace existing files.")
def init(path: str, name: str | None, *, schema: bool, force: bool, **options: str | None) -> None:
    """Write a first configuration.

    It comes with .env.example, the JSON Schema for editors, and in a git repository a line of .gitignore for .env. On a
    terminal, credconf asks for missing options. It neither asks for a secret nor writes one.
    """
    _check_path(path, force=force)
    given = {option: options[option.removeprefix("--").replace("-", "_")] for option in _QUESTIONS}
    answers = _answers(given, name)
    try:
        files = _files(answers, path, schema=schema)
        contents = {file: _read(file) for file in files}
    except OSError as exc:
        _fail(_unwritable(exc.filename or path, exc))
    for file in files.keys() - {_EXAMPLE, _IGNORE}:
        if contents[file] not in {None, files[file]} and not force:
            _fail(f"{printable(file)} exists and differs; use --force to replace it, or --no-schema")
    for file, text in files.items():
        if contents[file] != text:
            try:
                _write(file, text)
            except OSError as exc:  # its file name is the temporary file or a directory
                _fail(_unwritable(file, exc))
        action = "wrote" if contents[file] is None else "kept" if contents[file] == text else "changed"
        echo(f"{action:<7}  {printable(file)}")
    _echo_next_steps(answers, path)


def _fail(message: str) -> NoReturn:
    echo(f"error: {message}", err=True)
    sys.exit(1)


def _unwritable(path: str, error: OSError) -> str:
    return f"{printable(path)} can't be written: {error.strerror or type(error).__name__}"


def _check_path(path: str, *, force: bool) -> None:
    """Reject a path before any question."""
    if os.path.basename(path) in {"", SCHEMA, _EXAMPLE, _IGNORE, _DOTENV}:
        raise click.UsageError("-f is the path of the configuration, such as credconf.yaml")
    if os.path.isdir(path):
        _fail(f"{printable(path)} is a directory")
    if os.path.lexists(path) and not force:
        _fail(f"{printable(path)} exists; use --force to replace it")


def _answers(given: Mapping[str, str | None], name: str | None) -> Answers:
    """The options; on a terminal, it asks for the missing ones.

    Raises:
        click.UsageError: options are not valid, all in one message; or one is missing without a terminal.
    """
    interactive = sys.stdin is not None and sys.stdin.isatty()
    options = {**given, "--named": name}
    faults = [
        f"{option}: {fault}" for option, text in options.items() if text is not None and (fault := _fault(option, text))
    ]
    missing = [option for option in ("--tenant-id", "--client-id") if given[option] is None]
    if missing and not interactive:
        faults.append(f"without a terminal, {' and '.join(missing)} must be given")
    if faults:
        raise click.UsageError("\n".join(faults))
    prefix = "AZURE" if name is None else name.upper().replace("-", "_")
    defaults = {"--cloud": _CLOUDS[0], "--secret-from": f"env:{prefix}_CLIENT_SECRET"}
    values: dict[str, str] = {}
    for option, text in given.items():
        default = defaults.get(option)
        answer = text if text is not None or not interactive else _ask(option, default)
        values[option] = (default or "" if answer is None else answer).strip()
    source, _, place = values["--secret-from"].partition(":")
    tenant_id, client_id, cloud = (values[option] for option in _FIELDS)
    return Answers(tenant_id, client_id, cloud, source.strip(), place.strip(), name)


def _ask(option: str, default: str | None) -> str:
    """Ask until the answer is valid."""

    def valid(text: str) -> str:
        fault = _fault(option, text)
        if fault is not None:
            raise click.UsageError(fault)
        return text

    answer: str = click.prompt(_QUESTIONS[option], default=default, value_proc=valid)
    return answer


def _fault(option: str, text: str) -> str | None:
    """Return the defect of an answer, by the rules of `credconf check`. The message does not quote the answer."""
    text = text.strip()
    source, _, place = (part.strip() for part in text.partition(":"))
    if option == "--named":
        lines, fault = (
            f"credentials: {{{scalar(text)}: {{cloud: public}}}}",
            "lower-case letters and digits, joined by single `-` or `_`, such as my-app",
        )
        return fault if _problems(lines) else None
    if option != "--secret-from":
        lines = f"{_FIELDS[option]}: {scalar(text)}"
    elif source in SOURCES and place and place.isprintable():
        lines = proof(source, place)
    else:
        return f"write the place of the secret, not the secret: {_PLACE}"
    return next((problem.message for problem in _problems(lines)), None)


def _problems(text: str) -> tuple[Problem, ...]:
    """The problems of a configuration that consists of these lines."""
    from credconf.config.judging import judge
    from credconf.config.reading.document import document_of
    from credconf.config.reading.nodes import Document

    document = document_of(text, "answer")
    return judge([document]) if isinstance(document, Document) else (document,)


def _files(answers: Answers, path: str, *, schema: bool) -> dict[str, str]:
    """The text of each file. The configuration is last: if it exists, the others do."""
    files = {os.path.join(os.path.dirname(path), SCHEMA): schema_text()} if schema else {}
    files[_EXAMPLE] = dotenv_example(answers, _read(_EXAMPLE))
    folders = [Path.cwd(), *Path.cwd().parents]
    root = next((number for number, folder in enumerate(folders) if (folder / ".git").exists()), None)
    if root is not None:
        known = [set((_read(folder / _IGNORE) or "").splitlines()) for folder in folders[: root + 1]]
        covered = any(_COVERS_DOTENV & {line.strip() for line in lines} for lines in known)
        lines = [line for line in gitignore(answers, os.path.dirname(path), covered=covered) if line not in known[0]]
        old = _read(_IGNORE) or ""
        gap = "\n" if old and lines and not old.endswith("\n") else ""
        if old or lines:
            files[_IGNORE] = old + gap + "".join(f"{line}\n" for line in lines)
    files[path] = configuration(answers, schema=schema)
    return files


def _read(path: str | Path) -> str | None:
    """The text of a file, with its line ends and any bytes that are not UTF-8; `None` if there is none."""
    if not os.path.lexists(path):
        return None
    return Path(path).read_bytes().decode("utf-8", "surrogateescape")


def _write(path: str, text: str) -> None:
    """Write a file atomically. A symbolic link keeps its target, and a replaced file its mode.

    Raises:
        OSError: the file can't be written.
    """
    target = os.path.realpath(path)
    temporary = f"{target}.{os.getpid()}"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        with open(temporary, "xb") as stream:
            stream.write(text.encode("utf-8", "surrogateescape"))
            stream.flush()
            os.fsync(stream.fileno())
        if os.path.exists(target):
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:  # re-raised: after any exception, Ctrl-C included, the temporary file is removed
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _echo_next_steps(answers: Answers, path: str) -> None:
    usual = path == "credconf.yaml"
    if answers.source == "env":
        copy = "" if os.path.lexists(_DOTENV) else f"cp {_EXAMPLE} {_DOTENV}, and "
        first = f"{copy}write the secret's Value after {answers.place}= in {_DOTENV}"
    else:
        what = "secret" if answers.source == "file" else "certificate with its key"
        first = f"put the {what} into {os.path.join(os.path.dirname(path), answers.place)}"
    echo()
    echo(wrapped(f"{printable(first)}.", first="Next: ", rest="      "))
    echo(f"Then: credconf check{'' if usual else ' ' + printable(path)}")
    echo(f"      credconf doctor{'' if usual else ' -f ' + printable(path)}")
