"""Checks the arguments of `from_config()` and `load()`, and reads the files that they name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from credconf.config.reading.document import read_document
from credconf.config.reading.nodes import Document
from credconf.ground.files import absolute
from credconf.ground.records import field, record, replace
from credconf.problems import Problem
from credconf.problems.problem import Origin
from credconf.references import Reader

from .dotenv import Dotenv, read_dotenv
from .layers import BUNDLES, NO_PROXIES, PROXIES
from .variables import SELECTORS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from os import PathLike

    from credconf.ground.opaque import Hidden

    from .variables import Environment


DEFAULT_FILE = "credconf.yaml"
DEFAULT_DOTENV = ".env"


@record
class Request:
    """The arguments of `from_config()` and `load()`. Its `repr` shows no value of a setting."""

    path: str | PathLike[str] | Sequence[str | PathLike[str]] | Literal[False] | None
    name: str | None = field(repr=False)
    section: str | None = field(repr=False)
    env_file: str | PathLike[str] | bool
    environ: Environment
    arguments: Hidden[Any]
    allow: Collection[str] = field(default=())

    def named_files(self) -> tuple[list[str], bool, str | None]:
        """Return the files, whether credconf discovered them, and the variable that names them, if one does."""
        if self.path is False:
            return [], False, None
        if self.path is not None:
            paths = [self.path] if isinstance(self.path, str | os.PathLike) else self.path
            return [os.fspath(path) for path in paths], False, None
        if self.environ.get("CREDCONF_FILE"):
            paths = self.environ["CREDCONF_FILE"].split(os.pathsep)
            return [path for path in paths if path], False, "CREDCONF_FILE"
        return ([DEFAULT_FILE] if os.path.lexists(DEFAULT_FILE) else []), True, None

    def documents(self, problems: list[Problem]) -> list[Document]:
        """Read and parse the files, the lowest layer first."""
        paths, discovered, variable = self.named_files()
        parsed: list[Document] = []
        for path in paths:
            document = read_document(path, discovered=discovered)
            if isinstance(document, Document):
                parsed.append(document)
                continue
            problems.append(_with_hint(document, path, variable))
        return parsed

    def dotenv(self, problems: list[Problem]) -> Dotenv:
        """Read the `.env` file, which may not exist, or may be switched off. Its own problems are not added here."""
        if self.env_file is False:
            return Dotenv(DEFAULT_DOTENV, exists=False)
        if self.env_file is True:
            file = read_dotenv(DEFAULT_DOTENV, DEFAULT_DOTENV, discovered=True)
        else:
            name = os.fspath(self.env_file)
            file = read_dotenv(name, name, discovered=False)
            file = replace(file, problems=tuple(_with_hint(problem, name, None) for problem in file.problems))
        problems += self._unused(file)
        return file

    def _unused(self, file: Dotenv) -> Iterator[Problem]:
        """Warn about variables of `.env` that have an effect only in the process environment, and are not set there."""
        for name in (*SELECTORS, *PROXIES, *BUNDLES, *NO_PROXIES):
            if not file.variables.get(name) or (name not in SELECTORS and self.environ.get(name)):
                continue
            setting = "http.proxy" if name in PROXIES else "http.ca_bundle" if name in BUNDLES else None
            message = f"{name} has no effect in {file.name}"
            hint = "set it in the process environment" + (f", or write `{setting}`" if setting else "")
            yield Problem("unheard-variable", message, "warning", None, file.origin(name), hint)

    def chosen(self) -> tuple[str, Origin] | None:
        """Return the entry that an argument or `CREDCONF_NAME` chooses, and the place of the choice."""
        if self.name is not None:
            return self.name, Origin("argument", "name")
        name = self.environ.get("CREDCONF_NAME")
        return (name, Origin("environment", "CREDCONF_NAME")) if name else None


@record
class Machine:
    """The values of a machine, in addition to the files of a configuration.

    Attributes:
        request: the arguments and the process environment.
        dotenv: the `.env` file.
    """

    request: Request
    dotenv: Dotenv

    @property
    def reader(self) -> Reader:
        """The reader of references on this machine."""
        path = absolute(self.dotenv.name) if self.dotenv.exists else None
        return Reader(self.request.environ, self.dotenv.variables, frozenset(self.request.allow), path)


_HINTS: Final = {
    "not-a-file": "name a file",
    "unreadable-file": "let the user of this process read it, or name another file",
    "file-too-large": "check the path",
    "not-utf8": "save it as UTF-8",
}


def _with_hint(problem: Problem, path: str, variable: str | None) -> Problem:
    """Add what to do about a named file that can't be read."""
    if problem.code == "missing-file":
        return replace(problem, hint=_of_missing_file(path, variable))
    return problem if problem.hint else replace(problem, hint=_HINTS.get(problem.code))


def _of_missing_file(path: str, variable: str | None) -> str:
    """Return what to do about a named file that does not exist."""
    if not path:
        return "the path is empty: name a file, or remove it"
    from credconf.settings.defects import defect_of  # only broken configurations need it

    from .working_directory import where

    hint = f"{variable} names it" if variable else "check the path, or leave the file out"
    if path.startswith(("~", "$")):
        hint += "; `~` and `$NAME` are not expanded: write the whole path"
    defect = defect_of(path, any_character=True)
    note = f"the path {defect.what}: {defect.fix}" if defect is not None else None
    return "\n".join(filter(None, [note, hint, where(path)]))


def misuse(request: Request) -> TypeError | frozenset[str]:
    """Return what is wrong with the arguments of `from_config()` or `load()`, without any value, or else `allow`."""
    wrong = _path(request.path) or _texts(request) or _env_file(request.env_file) or _environ(request.environ.mapping)
    return wrong or _allow(request.allow)


def _allow(allow: Any) -> TypeError | frozenset[str]:
    try:
        return frozenset([allow] if isinstance(allow, str) else allow)
    except TypeError:
        return TypeError(f"allow= is a set of words, not {_named(allow)}")


def _path(path: Any) -> TypeError | None:
    if path is None or path is False:
        return None
    if isinstance(path, str | os.PathLike):
        return None
    if isinstance(path, Mapping):
        return TypeError("path= is a path, not settings: pass these to build(), or as keyword arguments")
    if not isinstance(path, Sequence) or isinstance(path, bytes):
        return TypeError(f"path= is a path, a list of paths or False, not {_named(path)}")
    odd = [_named(item) for item in path if not isinstance(item, str | os.PathLike)]
    if odd:
        return TypeError(f"path= is a list of paths, one of which is {odd[0]}")
    return None


def _texts(request: Request) -> TypeError | None:
    texts: dict[str, Any] = {"name": request.name, "section": request.section}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            return TypeError(f"{name}= is text, not {_named(value)}")
    return None


def _env_file(env_file: Any) -> TypeError | None:
    if isinstance(env_file, bool | str | os.PathLike):
        return None
    return TypeError(f"env_file= is a path, True or False, not {_named(env_file)}")


def _environ(environ: Any) -> TypeError | None:
    if environ is os.environ:
        return None
    if not isinstance(environ, Mapping):
        return TypeError(f"environ= is a mapping of variables to texts, not {_named(environ)}")
    for name, value in environ.items():
        if not isinstance(name, str):
            return TypeError(f"environ= has a name that is not text but {_named(name)}")
        if not isinstance(value, str):
            return TypeError(f"environ= has a variable whose value is not text but {_named(value)}")
    return None


def _named(value: object) -> str:
    return "None" if value is None else type(value).__name__
