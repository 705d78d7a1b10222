"""Adds the generated pages to the documentation: a hook of mkdocs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mkdocs.structure.files import File

from tools.reference import codes, commands, settings

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

PAGES = {
    "reference/settings.md": settings.page,
    "reference/problems.md": codes.problems,
    "reference/aadsts.md": codes.aadsts,
    "reference/command-line.md": commands.page,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs when it has found the files of the documentation."""
    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    return files
