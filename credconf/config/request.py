"""What somebody asks to be loaded, and the files that this means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from credconf.problems import Problem
from credconf.records import field, record, replace

from .document import Document, read_document
from .dotenv import Dotenv, read_dotenv
from .origins import Origin
from .surroundings import BUNDLES, NO_PROXIES, PROXIES
from .variables import SELECTORS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from os import PathLike

    from .variables import Environment, Hidden

DEFAULT_FILE = "credconf.yaml"
DEFAULT_DOTENV = ".env"


@record
class Request:
    """The arguments of `from_config()` and `load()`. Nothing in its `repr` is a value of a setting."""

    path: str | PathLike[str] | Sequence[str | PathLike[str]] | Literal[False] | None
    name: str | None
    section: str | None
    env_file: str | PathLike[str] | bool
    environ: Environment
    arguments: Hidden[Any]
    allow: Collection[str] = field(default=())

    def named_files(self) -> tuple[list[str], bool, str | None]:
        """The files, whether they were only found, and the variable that named them, if one did."""
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
        """The parsed files, the lowest layer first."""
        paths, found, variable = self.named_files()
        parsed: list[Document] = []
        for path in paths:
            document = read_document(path, found=found)
            if isinstance(document, Document):
                parsed.append(document)
                continue
            if document.code == "missing-file":
                hint = f"{variable} names it" if variable else "check the path, or leave the file out"
                if not path:
                    hint = "the path is empty: name a file, or leave it out"
                if path.startswith(("~", "$")):
                    hint += "; `~` and `$NAME` are not expanded here: write the whole path"
                document = replace(document, hint=hint)
            problems.append(document)
        return parsed

    def dotenv(self, problems: list[Problem]) -> Dotenv:
        """The `.env` file, which may not exist, or may be switched off."""
        if self.env_file is False:
            return Dotenv(DEFAULT_DOTENV, exists=False)
        if self.env_file is True:
            file = read_dotenv(DEFAULT_DOTENV, DEFAULT_DOTENV, found=True)
        else:
            name = os.fspath(self.env_file)
            file = read_dotenv(name, name, found=False)
        problems += file.problems
        problems += self._unheard(file)
        return file

    def _unheard(self, file: Dotenv) -> Iterator[Problem]:
        """Variables that count in the process environment alone, where they are not set."""
        for name in (*SELECTORS, *PROXIES, *BUNDLES, *NO_PROXIES):
            if not file.variables.get(name) or (name not in SELECTORS and self.environ.get(name)):
                continue
            setting = "http.proxy" if name in PROXIES else "http.ca_bundle" if name in BUNDLES else None
            message = f"{name} has no effect in {file.name}"
            hint = "set it in the process environment" + (f", or write `{setting}`" if setting else "")
            yield Problem("unheard-variable", message, "warning", None, file.origin(name), hint)

    def chosen(self) -> tuple[str, Origin] | None:
        """The entry that an argument or `CREDCONF_NAME` chooses."""
        if self.name is not None:
            return self.name, Origin("argument", "name")
        name = self.environ.get("CREDCONF_NAME")
        return (name, Origin("environment", "CREDCONF_NAME")) if name else None
