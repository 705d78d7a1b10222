"""Which places were searched for a configuration, and which files near them are not read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from credconf.ground.files import absolute
from credconf.ground.records import record, replace

from .request import DEFAULT_DOTENV, DEFAULT_FILE
from .working_directory import in_parent, no_working_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credconf.problems import Problem
    from credconf.problems.problem import Place

    from .request import Request

_SWITCHED_OFF: Final = "switched off"
_OTHER_SPELLING: Final = f"{os.path.splitext(DEFAULT_FILE)[0]}.yml"


@record
class Source:
    """A source of values, for messages and `credconf show`.

    Attributes:
        name: its name in messages; for a file, the path as it was given.
        exists: whether it exists.
        note: why it is read, or that it is switched off.
        place: what it is, as an `Origin` names it. An argument and the environment always exist.
    """

    name: str
    exists: bool = True
    note: str | None = None
    place: Place = "file"

    @property
    def is_of_the_process(self) -> bool:
        """Whether it belongs to the process, and always exists."""
        return self.place in {"argument", "environment"}

    def __str__(self) -> str:
        if self.note == _SWITCHED_OFF:
            return f"{self.name} ({self.note})"
        if self.is_of_the_process:
            return self.name
        if self.exists:
            return absolute(self.name)
        state = "a directory" if os.path.isdir(self.name) else "no such file"
        return f"{absolute(self.name)} ({state})"


_OF_THE_PROCESS: Final = (Source("arguments", place="argument"), Source("environment", place="environment"))
_EVERYWHERE: Final = frozenset({"argument", "environment", "dotenv", "file"})
_SEARCHED: Final[dict[str, frozenset[str]]] = {
    "missing": _EVERYWHERE,
    "missing-variable": frozenset({"environment", "dotenv"}),
    **dict.fromkeys(("unknown-name", "missing-section"), frozenset({"file"})),
}
"""The places that are searched for what is missing, by the code of the problem."""


def sources_of(request: Request) -> tuple[Source, ...]:
    """Return the arguments, the environment, `.env`, and the files, the lowest layer first."""
    return (*_OF_THE_PROCESS, _dotenv(request), *_files_of(request))


def _dotenv(request: Request) -> Source:
    if isinstance(request.env_file, bool):
        # A directory may be called `.env`: the virtual environment.
        exists = os.path.isfile(DEFAULT_DOTENV)
        return Source(DEFAULT_DOTENV, exists, None if request.env_file else _SWITCHED_OFF, "dotenv")
    name = os.fspath(request.env_file)
    return Source(name, os.path.exists(name), place="dotenv")


def _files_of(request: Request) -> Iterator[Source]:
    """Yield the files that hold entries, the lowest layer first."""
    paths, discovered, variable = request.named_files()
    note = "discovered" if discovered else f"named by {variable}" if variable else None
    for path in paths:
        yield Source(path, os.path.exists(path), note)
    if not paths:
        off = request.path is False
        yield Source(DEFAULT_FILE, os.path.lexists(DEFAULT_FILE), _SWITCHED_OFF if off else None)


def with_places(problems: Iterable[Problem], request: Request) -> Iterator[Problem]:
    """Yield the problems; those of something missing with what was searched.

    The first problem that a file would mend also names the files that are probably meant, but not read.
    """
    lines = {"file": [*_other_files(request)], "dotenv": [*_other_dotenv(request)]}
    for problem in problems:
        searched = _SEARCHED.get(problem.code)
        is_elsewhere = problem.code == "missing-variable" and not problem.looked_in  # a variable that `.env` can't give
        if searched is None or problem.severity != "error" or is_elsewhere:
            yield problem
            continue
        more = [line for place in searched for line in lines.get(place, ())]
        for place in searched:
            lines.pop(place, None)
        sources = sources_of(request)
        looked_in = [str(source) for source in sources if source.place in searched]
        yield replace(problem, hint="\n".join([*filter(None, [problem.hint]), *more]), looked_in=tuple(looked_in))


def _other_files(request: Request) -> Iterator[str]:
    """Yield a sentence for a file that is probably meant, but not read."""
    paths, discovered, _ = request.named_files()
    if request.path is None and request.environ.get("CREDCONF_FILE") == "":
        yield "CREDCONF_FILE is set, but empty"
    if discovered and not paths:
        yield from no_working_directory()
        yield from _other_file()


def _other_dotenv(request: Request) -> Iterator[str]:
    if request.env_file is True and not os.path.isfile(DEFAULT_DOTENV):
        found = in_parent(DEFAULT_DOTENV)
        if found is not None:
            hint = f"--env-file {found}, or from_config(env_file={_quoted(found)})"
            yield f"{found} is in a parent directory, which is not searched; to read it: {hint}"


def _other_file() -> Iterator[str]:
    if os.path.isfile(_OTHER_SPELLING):
        yield f"{_OTHER_SPELLING} is here but not read: rename it to {DEFAULT_FILE}, or name it"
        return
    found = in_parent(DEFAULT_FILE) or in_parent(_OTHER_SPELLING)
    if found is not None:
        hint = f"CREDCONF_FILE={found}, -f {found}, or from_config({_quoted(found)})"
        yield f"{found} is in a parent directory, which is not searched; to read it: {hint}"


def _quoted(path: str) -> str:
    return f'"{path}"'
