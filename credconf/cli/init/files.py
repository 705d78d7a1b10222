"""Which files `credconf init` writes, adds to, or leaves alone; and writing them whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from credconf.ground.records import record

from . import texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .answers import Answers

DOTENV_EXAMPLE = ".env.example"
GITIGNORE = ".gitignore"
BESIDE = frozenset({DOTENV_EXAMPLE, GITIGNORE, ".env", texts.SCHEMA})
"""The other files, and the one that git ignores: the configuration can't be called so."""

_COVERS_DOTENV = frozenset({".env", "**/.env", ".env*", ".env.*", "*.env"})


@record
class Change:
    """A file, and what becomes of it.

    Attributes:
        path: as the user would write it.
        content: the whole of it; `None` to leave it alone.
        done: what to say: `wrote`, `replaced`, `added to`, `kept`.
        note: why, or what.
    """

    path: str
    content: bytes | None
    done: str
    note: str = ""


def schema_beside(path: str) -> str:
    """Where the schema of a configuration stands: beside it, so that an editor finds it without a network."""
    return os.path.join(os.path.dirname(path), texts.SCHEMA)


def changes(answers: Answers, path: str, schema: str | None) -> list[Change]:
    """Everything to write, the configuration last: if it is there, all is."""
    found: list[Change] = []
    if schema is not None:
        found.append(_whole(schema_beside(path), schema, "the JSON Schema, for editors"))
    found += [_dotenv_example(answers), *_gitignore(answers, path)]
    text = texts.configuration(answers, texts.SCHEMA if schema is not None else None)
    return [*found, _whole(path, text, "who the application is")]


def _whole(path: str, text: str, note: str) -> Change:
    content = text.encode()
    if not os.path.lexists(path):
        return Change(path, content, "wrote", note)
    if _read(path) == content:
        return Change(path, None, "kept", "it is up to date")
    return Change(path, content, "replaced", note)


def _dotenv_example(answers: Answers) -> Change:
    text = texts.dotenv(answers)
    if not os.path.lexists(DOTENV_EXAMPLE):
        return Change(DOTENV_EXAMPLE, text.encode(), "wrote", "the variables to set")
    old = _read(DOTENV_EXAMPLE)
    known = old.decode("utf-8", "replace").replace("\r\n", "\n")
    if texts.variables(text) <= texts.variables(known):
        return Change(DOTENV_EXAMPLE, None, "kept", "it has the variables already")
    lines = texts.missing(text, known).splitlines()
    return Change(DOTENV_EXAMPLE, _appended(old, lines, blank=True), "added to", "the variables to set")


def _gitignore(answers: Answers, path: str) -> list[Change]:
    """In a git work tree only. What some `.gitignore` above names already is not named again."""
    root = _work_tree()
    if root is None:
        return []
    lines = [] if _covered(root) else [".env"]
    if secret := _secret_file(answers, path):
        lines.append(texts.ignored(secret))
    old = _read(GITIGNORE) if os.path.lexists(GITIGNORE) else None
    known = (old or b"").decode("utf-8", "replace").split("\n")
    lines = [line for line in lines if line not in {each.strip() for each in known}]
    if not lines:
        return [Change(GITIGNORE, None, "kept", "git ignores .env already")]
    done = "wrote" if old is None else "added to"
    return [Change(GITIGNORE, _appended(old or b"", lines, blank=False), done, " ".join(lines))]


def _secret_file(answers: Answers, path: str) -> str | None:
    """The file of the secret relative to here, if it lies below."""
    if answers.place.source == "env":
        return None
    place = os.path.join(os.path.dirname(path), answers.place.text)
    relative = os.path.relpath(place).replace(os.sep, "/")
    return None if relative.startswith("../") or os.path.isabs(answers.place.text) else relative


def _work_tree() -> Path | None:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)


def _covered(root: Path) -> bool:
    here = Path.cwd()
    for folder in (here, *here.parents):
        wanted = _COVERS_DOTENV | ({"/.env"} if folder == here else set[str]())
        with suppress(OSError):
            if any(line.strip() in wanted for line in _read(folder / GITIGNORE).decode("utf-8", "replace").split("\n")):
                return True
        if folder == root:
            break
    return False


def _appended(old: bytes, lines: Iterable[str], *, blank: bool) -> bytes:
    """The old content, untouched, with lines after it that end as its own do."""
    end = b"\r\n" if b"\r\n" in old else b"\n"
    gap = b"" if not old else (b"" if old.endswith(b"\n") else end) + (end if blank else b"")
    return old + gap + b"".join(line.encode() + end for line in lines)


def _read(path: str | Path) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def write(change: Change) -> None:
    """Write a file whole: nobody ever sees half of it, and a symbolic link keeps pointing at it.

    Raises:
        OSError: it can't be written.
    """
    if change.content is None:
        return
    target = os.path.realpath(change.path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".credconf-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(change.content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except BaseException:  # nothing is swallowed: whatever ends this, Ctrl-C too, must not leave a file behind
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _mode(target: str) -> int:
    """Of the file that is replaced, else what a new file usually has."""
    with suppress(OSError):
        return os.stat(target).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
