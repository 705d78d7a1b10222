"""Reports misspelt variables, and those that the chosen entry does not read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from credconf.kinds import NESTED, SETTINGS
from credconf.kinds.hints import setting_called
from credconf.problems import Problem, closest, folded
from credconf.problems.wording import words_in

from .variables import PREFIX, SELECTORS, Scheme, variable_part

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from credconf.problems.problem import Origin

_FLAT = Scheme.of(None, None, prefixed=False)
_FIELDS = frozenset(variable.name.removeprefix(PREFIX) for variable in _FLAT.variables() if variable.ours)
_NOT_VARIABLES = frozenset({"ENV_PREFIX", "EXTENDS", "ABSTRACT", "DEFAULT", "CREDENTIALS"})
_OURS = frozenset({*SELECTORS, *(PREFIX + field for field in _FIELDS)})
_SELECTED: Final = {folded(name.removeprefix(PREFIX)): name for name in SELECTORS}
_GROUPS: Final = {folded(group): group for group in NESTED}
_COMPARISONS: Final = 20_000
"""The number of pairs of names that are compared for similarity, since there may be thousands of variables and of
entries. Names that differ only in `_` are looked up instead, without a limit."""
_LONGEST: Final = 200


def unknown_variables(
    environ: Mapping[str, str],
    origin_of: Callable[[str], Origin],
    schemes: Mapping[str | None, Scheme],
    chosen: str | None,
    prefixes: Collection[str] = (),
) -> list[Problem]:
    """Report variables under `CREDCONF_` that are misspelt (errors), or that the entry does not read (warnings).

    Other variables are ignored: Kubernetes sets `CREDCONF_PORT` for a service named credconf.

    Args:
        environ: the variables.
        origin_of: returns the place of a variable.
        schemes: the scheme of every entry by name; `None` is the flat form.
        chosen: the name of the chosen entry.
        prefixes: every `env_prefix` of the files; a variable that begins with one belongs to an entry.
    """
    other_prefixes = tuple(prefix for prefix in prefixes if prefix.startswith(PREFIX) and len(prefix) > len(PREFIX))
    names = [name for name in environ if name.upper().startswith(PREFIX) and environ[name] and name not in SELECTORS]
    if not names:
        return []
    known = _Known(schemes, chosen)
    found = [
        known.problem(name, origin_of(name))
        for name in names
        if not (other_prefixes and name.startswith(other_prefixes))
    ]
    return [problem for problem in found if problem is not None]


class _Known:
    """The known names, and how many comparisons for similarity are left."""

    def __init__(self, schemes: Mapping[str | None, Scheme], chosen: str | None) -> None:
        self._chosen = chosen
        self._scheme = schemes.get(chosen)
        self._parts = {variable_part(entry): entry for entry in schemes if entry is not None}
        self._folded = {folded(part): part for part in self._parts}
        self._left = _COMPARISONS

    def problem(self, name: str, origin: Origin) -> Problem | None:
        """Return what is wrong with a variable, or `None`."""
        rest = name[len(PREFIX) :]
        entry, separator, field = rest.removeprefix("_").partition("__")
        named = bool(separator) and name.startswith(f"{PREFIX}_") and entry in self._parts
        if name in _OURS or (named and field in _FIELDS):
            return self._unused(name, origin)
        if len(name) > _LONGEST:
            return None
        known = f"{PREFIX}_{entry}__" if named else self._prefix()
        unusable = _not_a_variable(name, field if named else rest, known, origin)
        if unusable is not None:
            return unusable
        meant = self._variable_of_entry(entry, field) if named else self._suggestion(rest)
        if meant is None or meant == name:
            return None
        message = f"{name} is not a variable that credconf knows"
        is_another = words_in(name) > words_in(meant) and folded(name).startswith(folded(meant))
        if is_another and folded(field if named else rest) not in _fields():
            # `CLIENT_SECRET_ID` is not a misspelt `CLIENT_SECRET`.
            hint = f"unset it: no setting has this name; the nearest one is {meant}"
            return Problem("unknown-variable", message, origin=origin, hint=hint)
        return Problem("unknown-variable", message, origin=origin, hint=f"did you mean {meant}?", meant=meant)

    def _prefix(self) -> str:
        """The prefix that the chosen entry reads, so that a suggestion works."""
        return (self._scheme.prefix if self._scheme is not None else None) or PREFIX

    def _variable_of_entry(self, entry: str, field: str) -> str:
        """Suggest a variable for `CREDCONF__<NAME>__<FIELD>` with a known entry and an unknown field."""
        meant = _fields().get(folded(field)) or _by_form(field) or self._closest(field, _fields().values(), 0.5)
        return f"{PREFIX}_{entry}__{meant or '<FIELD>'}"

    def _suggestion(self, rest: str) -> str | None:
        """Suggest a variable: by its letters alone, then by the words of other tools, then by similarity."""
        word = folded(rest)
        if word in _SELECTED:
            return _SELECTED[word]
        if word in _fields():
            return self._prefix() + _fields()[word]
        for entry, field in _divided(rest):
            if entry in self._folded:
                return f"{PREFIX}_{self._folded[entry]}__{field}"
        if rest.startswith("_") and "__" in rest[1:]:
            entry, _, field = rest[1:].partition("__")
            near = self._closest(entry, self._parts, 0.8)
            return f"{PREFIX}_{near}__{_fields().get(folded(field), field)}" if near and field else None
        near = _by_form(rest) or self._closest(rest, [*_fields().values(), *_SELECTED], 0.8)
        return None if near is None else _SELECTED.get(near) or self._prefix() + near

    def _closest(self, word: str, choices: Collection[str], cutoff: float) -> str | None:
        self._left -= len(choices)
        return closest(word, choices, cutoff=cutoff) if self._left >= 0 else None

    def _unused(self, name: str, origin: Origin) -> Problem | None:
        """Warn about a variable of the flat form if the chosen entry reads other variables."""
        scheme = self._scheme
        if self._chosen is None or name not in _OURS or scheme is None or scheme.prefix is None:
            return None
        own = scheme.prefix + _fields()[folded(name.removeprefix(PREFIX))]
        message = f"{name} is set, but `{self._chosen}` does not read it"
        return Problem("unheard-variable", message, severity="warning", origin=origin, hint=f"set {own} instead")


def _not_a_variable(name: str, field: str, prefix: str, origin: Origin) -> Problem | None:
    """Report a setting that no variable can give, or not in this form."""
    group = _GROUPS.get(folded(field))
    plain = field.removesuffix("_FILE")
    if field in _NOT_VARIABLES:
        message, hint = "no variable can give this setting", "write it in the file, or pass it as an argument"
    elif group is not None:
        first = f"{group}__{NESTED[group][0]}".upper()
        message, hint = (
            f"`{group}` is a mapping of settings",
            f"set a variable for each of them, such as {prefix}{first}",
        )
    elif plain != field and plain in _FIELDS and field not in _FIELDS:
        message, hint = "only text can be read from a file", f"set {name.removesuffix('_FILE')} to the value"
    else:
        return None
    return Problem("unknown-variable", f"{name}: {message}", origin=origin, hint=hint)


def _by_form(field: str) -> str | None:
    """Return the ending of the variable for the setting, and for its text or its file, that a misspelt one means."""
    from .similar_variables import meaning_of  # only misspelt variables need it

    meaning = meaning_of(PREFIX + field)
    found = _FLAT.suggestion(meaning.field, is_path=meaning.is_path, ours=True) if meaning is not None else None
    return found.removeprefix(PREFIX) if found is not None else None


@cache
def _fields() -> dict[str, str]:
    """Return the ending of each usable variable, by every word for its setting, in lower case and without `_`."""
    usable = [item for item in _FLAT.variables() if item.ours and item.form != "unusable"]
    found = {folded(item.name.removeprefix(PREFIX)): item.name.removeprefix(PREFIX) for item in usable}
    by_field: dict[str, str] = {}
    for item in usable:
        by_field.setdefault(item.field, item.name.removeprefix(PREFIX))
    for leaf in NESTED["http"]:  # not those of `token_cache`: KEY, NAME and URL are common words
        found.setdefault(folded(leaf), by_field[f"http.{leaf}"])
    names = set(found.values())
    for word, setting in setting_called().items():
        for group in ("", *NESTED):
            meant = by_field.get(f"{group}.{setting}" if group else setting)
            if meant is not None:
                found.setdefault(folded(group) + word, meant)
                if f"{meant}_FILE" in names:  # the notation of Docker images
                    found.setdefault(f"{folded(group)}{word}file", f"{meant}_FILE")
        if setting not in by_field and f"http.{setting}" in by_field:
            found.setdefault(word, by_field[f"http.{setting}"])
    for path, each in SETTINGS.items():
        if each.only_by_reference and path in by_field:
            found.setdefault(folded(path), by_field[path])
    return found


def _divided(rest: str) -> Iterator[tuple[str, str]]:
    """Yield each division into a folded name and a field after it, from the right, since fields are short."""
    longest = max(map(len, _fields()))
    end = len(rest)
    while (end := rest.rfind("_", 0, end)) > 0:
        word = folded(rest[end:])
        if len(word) > longest:
            return
        if word in _fields():
            yield folded(rest[:end]), _fields()[word]
