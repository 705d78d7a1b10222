"""Variables that are nearly ours: the misspelt, and those that the chosen entry does not listen to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.problems import Problem, closest

from .variables import AZURE, PREFIX, SELECTORS, Scheme, variable_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .origins import Origin

_FLAT = Scheme.of(None, None, prefixed=False)
_FIELDS = frozenset(variable.name.removeprefix(PREFIX) for variable in _FLAT.variables() if variable.ours)
MAX_COMPARED = 100
"""Variables of entries that are compared with the names of all others: each with each takes hours in large files."""
_NOT_VARIABLES = frozenset({"ENV_PREFIX", "EXTENDS", "ABSTRACT", "DEFAULT", "CREDENTIALS"})
_OURS = frozenset({*SELECTORS, *(PREFIX + field for field in _FIELDS)})


def strangers(
    environ: Mapping[str, str],
    origin_of: Callable[[str], Origin],
    schemes: Mapping[str | None, Scheme],
    chosen: str | None,
) -> list[Problem]:
    """Variables under `CREDCONF_` that are nearly ours (errors), or ours but not listened to (warnings).

    What resembles nothing of ours is left alone: Kubernetes sets `CREDCONF_PORT` for a service named credconf.

    Args:
        environ: the variables.
        origin_of: where one of them stands.
        schemes: of every entry of the files by name; `None` is the flat form.
        chosen: the entry that was chosen.
    """
    found: list[Problem] = []
    parts = {variable_part(entry): entry for entry in schemes if entry is not None}
    compared = 0
    for name in environ:
        if not name.upper().startswith(PREFIX) or not environ[name] or name in SELECTORS:
            continue
        compared += name.startswith(f"{PREFIX}_")
        alike = parts if compared <= MAX_COMPARED else {}
        problem = misspelt(name, parts, alike, origin_of(name)) or unheard(name, schemes, chosen, origin_of(name))
        if problem is not None:
            found.append(problem)
    return found


def misspelt(name: str, parts: Mapping[str, str], alike: Iterable[str], origin: Origin) -> Problem | None:
    """The problem of a variable that resembles one of ours.

    Args:
        name: of the variable.
        parts: how the entries stand in variables.
        alike: those of them that it may nearly name.
        origin: where it stands.
    """
    if name.startswith(f"{PREFIX}_"):
        meant = _meant_of_entry(name, parts, alike)
    elif name.removeprefix(PREFIX) in _NOT_VARIABLES:
        hint = "write it in the file, or pass it as an argument"
        return Problem("unknown-variable", f"{name}: this can't be given by a variable", origin=origin, hint=hint)
    elif name.removesuffix("_FILE").removeprefix(PREFIX) in _FIELDS and name not in _OURS:
        hint = f"set {name.removesuffix('_FILE')} to the value"
        return Problem("unknown-variable", f"{name}: only text can stand in a file", origin=origin, hint=hint)
    else:
        rest = name.upper().removeprefix(PREFIX)
        meant = None if name in _OURS else closest(rest, {name.removeprefix(PREFIX) for name in _OURS}, cutoff=0.8)
        meant = PREFIX + meant if meant else None
    if meant is None or meant == name:
        return None
    hint = f"did you mean {meant}?"
    return Problem("unknown-variable", f"{name} is not a variable that credconf knows", origin=origin, hint=hint)


def _meant_of_entry(name: str, parts: Mapping[str, str], alike: Iterable[str]) -> str | None:
    """`CREDCONF__<NAME>__<FIELD>` with an unknown field of a known entry, or with a name that is nearly one."""
    entry, _, field = name.removeprefix(f"{PREFIX}_").partition("__")
    if entry in parts:
        if field in _FIELDS:
            return None
        return f"{PREFIX}_{entry}__{closest(field, _FIELDS, cutoff=0.5) or '<FIELD>'}"
    near = closest(entry, alike, cutoff=0.8)
    return f"{PREFIX}_{near}__{field}" if near and field else None


def unheard(name: str, schemes: Mapping[str | None, Scheme], chosen: str | None, origin: Origin) -> Problem | None:
    """A warning for a variable of the flat form where a named entry, which listens to others, was chosen."""
    scheme = schemes.get(chosen)
    if chosen is None or name not in _OURS or scheme is None or scheme.prefix is None:
        return None
    listened = f"{scheme.prefix}{name.removeprefix(PREFIX)}"
    message = f"{name} is set, but `{chosen}` does not listen to it"
    return Problem("unheard-variable", message, severity="warning", origin=origin, hint=f"set {listened} instead")


def azure_near(expected: str, environ: Mapping[str, str]) -> str | None:
    """A variable under `AZURE_` that was probably meant to be `expected`: a hint only, the namespace is not ours."""
    if expected not in AZURE or environ.get(expected):
        return None
    others = [name for name in environ if name.startswith("AZURE_") and name not in AZURE and environ[name]]
    return closest(expected, others, cutoff=0.8)
