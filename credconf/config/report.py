"""Problems as they are reported: each once, in the order of the files, with the lines that they point at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checks import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from credconf.problems import Problem

    from .document import Document
    from .dotenv import Dotenv


def reported(
    problems: Iterable[Problem], files: Sequence[str], documents: Sequence[Document], dotenv: Dotenv | None = None
) -> tuple[Problem, ...]:
    """Every problem once, in the order of the files and lines, with excerpts.

    Args:
        problems: as they were found.
        files: the names of all files, the unreadable too, in the order that they were named in.
        documents: those that could be parsed.
        dotenv: the `.env` file.
    """
    found = in_order(problems, files)
    if not found:
        return ()
    from .excerpts import with_excerpts  # a configuration without problems needs none

    return with_excerpts(found, documents, dotenv)
