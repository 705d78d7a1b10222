"""`credconf schema`: the JSON Schema of configuration files, as it was published with this version."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of configuration files.

    It is draft-07. For an editor: credconf schema > credconf.schema.json, and as the first line of a file beside it
    `# yaml-language-server: $schema=credconf.schema.json`.
    """
    click.echo(schema_text(), nl=False)


def schema_text() -> str:
    """The schema as the wheel holds it, or the repository, where there is one copy."""
    package = files("credconf")
    installed = package / "credconf.schema.json"
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    return (Path(str(package)).parent / "schema" / "credconf.schema.json").read_text(encoding="utf-8")
