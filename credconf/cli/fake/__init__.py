"""`credconf fake`: runs a fake Entra in the foreground, and writes the layer that leads an application to it."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import click

from credconf.cli.options import files, several_entries
from credconf.cli.output import echo, echo_problems

if TYPE_CHECKING:
    from credconf.cli.options import Chosen

_EXAMPLES: Final = """\b
Examples:
  credconf fake
  credconf fake -f credconf.yaml -n billing --port 8400
"""


@click.command(epilog=_EXAMPLES)
@click.option("--port", type=click.IntRange(1, 65535), metavar="PORT", help="The port on 127.0.0.1; else a free one.")
@click.option(
    "--layer",
    default="fake.yaml",
    show_default=True,
    metavar="PATH",
    shell_complete=files,
    help="The layer to write; the certificate goes beside it.",
)
@click.option("--tenant-id", metavar="TENANT", help="Read no configuration; serve this directory.")
@click.option("--client-id", metavar="GUID", help="Read no configuration; serve this application.")
@several_entries
def fake(
    port: int | None,
    layer: str,
    tenant_id: str | None,
    client_id: str | None,
    chosen: Chosen,
    *,
    names: tuple[str, ...],
) -> None:
    """Run a fake Entra on this machine, for development.

    It knows the tenants, clients, secrets and certificates of the configuration: those of each entry, or of the entries
    of -n. It creates a file that a secret or certificate refers to, if there is none. Without a configuration, it makes
    up an application.

    credconf writes a layer that leads an application to the fake, and prints how to use it. Ctrl-C or SIGTERM ends the
    command. It then removes the files that it wrote, except those that have changed. It never changes any other file.

    Exit status: 0 if it was stopped, 1 if it could not start, 2 for a wrong call.
    """
    if (tenant_id or client_id) and (chosen["path"] or names):
        message = "--tenant-id and --client-id are for a fake without a configuration; leave out -f and -n"
        raise click.UsageError(message)
    if os.path.splitext(layer)[1] not in {".yaml", ".yml"}:
        raise click.UsageError("--layer is the path of a YAML file, such as fake.yaml")
    from credconf.errors import ConfigError

    from .files import CannotStartError
    from .signals import StopSignals
    from .start import Wanted, start

    wanted = Wanted(port, layer, tenant_id, client_id, chosen, names)
    with StopSignals() as signals, ExitStack() as stack:
        try:
            text = start(wanted, stack)
        except CannotStartError as error:
            echo(f"error: {error}", err=True)
            sys.exit(1)
        except ConfigError as error:
            echo_problems(error.problems, err=True)
            sys.exit(1)
        echo(text)
        signals.wait()
    echo("stopped")
