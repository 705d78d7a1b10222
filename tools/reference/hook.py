"""Adds the generated pages to the documentation: a hook of mkdocs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

from tools.reference import codes, commands, settings

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

PAGES = {
    "reference/settings.md": settings.page,
    "reference/problems.md": codes.problems,
    "reference/aadsts.md": codes.aadsts,
    "reference/command-line.md": commands.page,
}

_FETCHED = re.compile(r"""<(?:script|img|iframe)[^>]* src="https?:|<link[^>]* href="https?:""")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs when it has found the files of the documentation."""
    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    return files


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - mkdocs' signature
    """Called by mkdocs with each finished page: it may link to other hosts, and fetches nothing from them."""
    if fetched := _FETCHED.search(output):
        message = f"{page.file.src_uri} fetches something from another host: {fetched[0]}"
        raise PluginError(message)
    return output
