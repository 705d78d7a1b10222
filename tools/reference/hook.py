"""What mkdocs alone can't do: a hook of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

from credconf import __version__
from tools.reference import beside_docs

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_FETCHED = re.compile(
    r"""<(?:script|img|iframe)[^>]* src="https?:|<link(?![^>]* rel="(?:canonical|next|prev)")[^>]* href="https?:"""
)
_PICTURE = re.compile(r'<p><img [^>]*src="[./]*/(images/\w+\.svg)"[^>]*></p>')
_CELL = re.compile(r"<(t[hd])[ >].*?</\1>", re.DOTALL)
_ITEM = re.compile(r"<li>.*?</li>", re.DOTALL)
_CODE = re.compile(r"(?<!</span>)<code>(?:[^<]|<wbr>)+</code>")
_LONG_CODE = re.compile(r"(?<!</span>)<code>[^<]{30,}</code>")
_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_BETWEEN_WORDS = re.compile(r"(?<=\w[._(=])(?=\w)|(?<=__)(?=[^\W_])|(?<=[a-z])(?=[A-Z])")
_ASKS_THE_FORGE = ' data-md-component="source"'
"""With it, the theme's script asks GitHub for the stars of the repository."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called by mkdocs first: the footer says of which version the pages are."""
    config.copyright = f"credconf {__version__}, under the MIT licence"
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs when it has found the files of the documentation: add those beside them."""
    for path, text in beside_docs.pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs' signature
    """Called by mkdocs with each page: a link to a file beside `docs/` leads to its page."""
    if page.file.generated_by is not None:
        return markdown
    return beside_docs.for_site(markdown, f"docs/{page.file.src_uri}", page.file.src_uri)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs' signature
    """Called by mkdocs with the content of each page.

    Long names break between their words, and options nowhere. A picture becomes part of the page, with its colours.
    """
    html = _PICTURE.sub(lambda image: (Path(config.docs_dir) / image[1]).read_text(encoding="utf-8"), html)
    html = _CELL.sub(lambda cell: _CODE.sub(_breakable, cell[0]), html)
    html = _ITEM.sub(lambda item: _LONG_CODE.sub(_breakable, item[0]), html)
    return _CODE.sub(_with_options, html)


def _breakable(code: re.Match[str]) -> str:
    """Code in a narrow place. In a table, GitHub needs a backslash before a `|`, which mkdocs would show."""
    return _BETWEEN_WORDS.sub("<wbr>", code[0].replace(r"\|", "|"))


def _with_options(code: re.Match[str]) -> str:
    return _OPTION.sub(r'<span class="option">\g<0></span>', code[0])


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - mkdocs' signature
    """Called by mkdocs with each finished page: it may link to other hosts, but it fetches nothing from them."""
    if fetched := _FETCHED.search(output):
        message = f"{page.file.src_uri} fetches something from another host: {fetched[0]}"
        raise PluginError(message)
    return output.replace(_ASKS_THE_FORGE, "")
