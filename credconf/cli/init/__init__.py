"""`credconf init`: a configuration to begin with. There is no question for a secret, and no option."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

import click

from credconf.cli import completing
from credconf.cli.terminal import say, wrapped
from credconf.problems.printable import printable

if TYPE_CHECKING:
    from .answers import Answers
    from .files import Change

_CLOUDS: Final = ("public", "usgov", "china")
_EXAMPLES = """\b
Examples:
  credconf init
  credconf init --tenant-id contoso.onmicrosoft.com --client-id GUID --secret-from file:secrets/entra
"""


@click.command(epilog=_EXAMPLES)
@click.option("-f", "--file", "path", default="credconf.yaml", show_default=True, metavar="PATH", help="What to write.")
@click.option("--tenant-id", metavar="TENANT", help="The directory: a GUID or a domain name.")
@click.option("--client-id", metavar="GUID", help="The application (client) id.")
@click.option(
    "--cloud",
    # no click.Choice: it would quote what was given
    metavar=f"[{'|'.join(_CLOUDS)}]",
    shell_complete=completing.words(_CLOUDS),
    help="Where the tenant lives.",
)
@click.option("--secret-from", metavar="PLACE", help="env:NAME, file:PATH or certificate:PATH; never the secret.")
@click.option("--named", "name", metavar="ENTRY", help="Write the named form, with this entry.")
@click.option("--schema/--no-schema", default=True, help="Write the JSON Schema beside it, for editors.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(  # noqa: PLR0917 - click's options
    path: str,
    tenant_id: str | None,
    client_id: str | None,
    cloud: str | None,
    secret_from: str | None,
    name: str | None,
    *,
    schema: bool,
    force: bool,
) -> None:
    """Write a configuration to begin with.

    Beside it .env.example, the JSON Schema for editors, and in a git repository a line of .gitignore for .env. Asks on
    a terminal for what no option says. A secret is neither asked for nor written.
    """
    from .files import changes
    from .questions import collect

    _check(path, force=force)
    given = {"--tenant-id": tenant_id, "--client-id": client_id, "--cloud": cloud, "--secret-from": secret_from}
    answers = collect(given, name)
    try:
        planned = changes(answers, path, _schema() if schema else None)
    except OSError as exc:
        _fail(_unwritable(exc.filename or path, exc))
    _refuse_replacing(planned, force=force)
    _write(planned)
    _show_next(answers, path)


def _schema() -> str:
    from credconf.cli.schema import schema_text

    return schema_text()


def _check(path: str, *, force: bool) -> None:
    """Before any question is asked."""
    from .files import BESIDE

    if not os.path.basename(path) or os.path.basename(path) in BESIDE:
        raise click.UsageError("-f names the configuration, such as credconf.yaml")
    if os.path.isdir(path):
        _fail(f"{printable(path)} is a directory")
    if os.path.lexists(path) and not force:
        _fail(f"{printable(path)} is there already; --force replaces it")


def _refuse_replacing(planned: list[Change], *, force: bool) -> None:
    for change in planned:
        if change.done == "replaced" and not force:
            _fail(
                f"{printable(change.path)} is there already, and differs; --force replaces it, --no-schema does without"
            )


def _fail(message: str) -> NoReturn:
    say(f"error: {message}", err=True)
    sys.exit(1)


def _write(planned: list[Change]) -> None:
    from .files import write

    width = max(len(printable(change.path)) for change in planned)
    for change in planned:
        try:
            write(change)
        except OSError as exc:  # it names the temporary file, or a directory
            _fail(_unwritable(change.path, exc))
        say(f"{change.done:<8}  {printable(change.path):<{width}}  {printable(change.note)}")


def _unwritable(path: str, error: OSError) -> str:
    return f"{printable(path)} can't be written: {error.strerror or type(error).__name__}"


def _show_next(answers: Answers, path: str) -> None:
    place, usual = answers.place, path == "credconf.yaml"
    if place.source == "env":
        copy = "" if os.path.lexists(".env") else "cp .env.example .env, and "
        first = f"{copy}write the secret's Value after {place.text}= in .env"
    else:
        what = "secret" if place.source == "file" else "certificate with its key"
        first = f"put the {what} into {os.path.join(os.path.dirname(path), place.text)}"
    say()
    say(wrapped(f"{printable(first)}.", first="Next: ", rest="      "))
    say(f"Then: credconf check{'' if usual else ' ' + printable(path)}")
    say(f"      credconf doctor{'' if usual else ' -f ' + printable(path)}")
