"""Finds the variables that are set and probably meant for a setting that is missing.

What a name means follows from the declarations: the names of the settings, those of the documented variables, and those
of other tools. A name that ends in `_FILE` or `_PATH` holds a path, so that only a variable for a path is suggested.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from credconf.ground.records import record
from credconf.kinds import LEAVES, SETTINGS
from credconf.kinds.hints import VARIABLE_PREFIXES
from credconf.problems import closest, folded, misspelt, printable

from .variables import PREFIX, documented

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .variables import Scheme

_PATHS: Final = ("FILE", "PATH", "FILENAME", "FILEPATH")
_SHORT: Final = 4
"""A prefix of no more letters may be another one with each letter that differs."""
_LONGEST: Final = 100
_MOST: Final = 5_000
"""The number of variables that are compared."""


@record
class Meaning:
    """The probable content of a variable.

    Attributes:
        field: the path of the setting.
        is_path: whether it holds the path of a file with the value.
    """

    field: str
    is_path: bool


def empty_variables(fields: Collection[str], scheme: Scheme, sources: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield a sentence for each variable of a setting that is set, but empty.

    Args:
        fields: the paths of the settings.
        scheme: the variables that the credential reads.
        sources: the variables by the name of their file; the process environment by an empty name.
    """
    for variable in scheme.variables():
        for place, environ in sources.items():
            if variable.field in fields and environ.get(variable.name) == "":
                yield f"{variable.name} is set{f' in {printable(place)}' if place else ''}, but empty"


def similar_variables(
    fields: Collection[str], scheme: Scheme, environ: Mapping[str, str], *, ours: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield each variable that is set and not read, but probably meant for one of the settings.

    Args:
        fields: the paths of the settings.
        scheme: the variables that the credential reads.
        environ: the variables that are set.
        ours: whether those under `CREDCONF_` count, too; most of them are problems of their own.

    Yields:
        Its name, the variable to set instead, and what to set that to, if it is something else.
    """
    read = {variable.name for variable in scheme.variables()}
    prefixes = tuple(prefix for prefix in (*VARIABLE_PREFIXES, (scheme.prefix or "").rstrip("_").upper()) if prefix)
    for name in list(environ)[:_MOST]:
        if name in read or not environ[name] or _is_a_users(name, environ):
            continue
        if name.upper().startswith(PREFIX) and not ours:
            continue
        meaning = meaning_of(name, prefixes)
        if meaning is None or meaning.field not in fields:
            continue
        same = scheme.suggestion(meaning.field, is_path=meaning.is_path)
        other = scheme.suggestion(meaning.field, is_path=not meaning.is_path)
        if same is not None:
            yield name, same, ""
        elif other is not None:
            yield name, other, "to the value itself" if meaning.is_path else "to the path of its file"


@lru_cache(maxsize=10_000)
def meaning_of(name: str, prefixes: tuple[str, ...] = VARIABLE_PREFIXES) -> Meaning | None:
    """Return what a variable probably holds.

    Args:
        name: its name, in any case.
        prefixes: the beginnings of variables that are probably for this purpose, in upper case and without `_`. Without
            one of them, only the exact name of a setting counts: `CLIENT_SECRET`.
    """
    if len(name) > _LONGEST:
        return None
    first, _, rest = name.upper().partition("_")
    prefix = next((prefix for prefix in prefixes if name.upper().startswith(f"{prefix}_")), None)
    if prefix is None and rest and len(first) > _SHORT and closest(first, prefixes, cutoff=0.75):
        prefix = first
    words = [word for word in name.upper().removeprefix(prefix or "").split("_") if word]
    is_path = False
    while len(words) > 1 and closest(words[-1], _PATHS, cutoff=0.75):
        words.pop()
        is_path = True
    stem = "_".join(words)
    known = {**_others_names(), **_own_names()} if prefix else _own_names()
    word = folded(stem)
    for suffix in (*_PATHS, "") if not is_path else ("",):
        field = known.get(word.removesuffix(suffix.lower()))
        if field is not None:
            return Meaning(field, is_path or (bool(suffix) and word.endswith(suffix.lower())))
    names = {_stem(each).removeprefix("AZURE_"): each for each in documented()}
    near = misspelt(stem, [*(path.upper().replace(".", "_") for path in LEAVES), *names]) if prefix else None
    return None if near is None else Meaning(_own_names()[folded(near)], is_path)


def _is_a_users(name: str, environ: Mapping[str, str]) -> bool:
    """Whether a variable is the password of a user, whose name is beside it."""
    stem = name.upper().removesuffix("PASSWORD")
    return stem != name.upper() and any(other.upper() == f"{stem}USERNAME" for other in environ)


@cache
def _own_names() -> dict[str, str]:
    """Return the settings by their own names and by those of their documented variables, folded."""
    found = {folded(path.replace(".", "_")): path for path in LEAVES}
    for path in LEAVES:
        setting = SETTINGS[path].setting
        if setting.alias is not None:
            found[folded(setting.alias)] = path
        for name in setting.environment:
            found.setdefault(folded(_stem(name).removeprefix("AZURE_")), path)
    return found


@cache
def _others_names() -> dict[str, str]:
    """Return the settings of an entry by the names that other tools use, folded."""
    return {word: path for path in LEAVES if "." not in path for word in SETTINGS[path].setting.also_called.split()}


def _stem(name: str) -> str:
    return name.removesuffix("_FILE").removesuffix("_PATH")
