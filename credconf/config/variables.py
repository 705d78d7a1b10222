"""The variables that a credential reads, and the settings that they give.

Under `AZURE_`, which belongs to others, these are the names that azure-identity, its sister SDKs and azure-core
document; under `CREDCONF_`, every field.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from credconf.ground.opaque import Hidden
from credconf.ground.records import record
from credconf.kinds import LEAVES, SETTINGS
from credconf.problems import Problem
from credconf.settings.formats import ENV_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credconf.problems.problem import Origin
    from credconf.settings.declaration import Declared


SELECTORS = ("CREDCONF_FILE", "CREDCONF_NAME")
PREFIX = "CREDCONF_"
Form = Literal["literal", "file", "list", "word", "unusable"]
"""The ways to read a variable's text. A `word` is another tool's name for a value; `unusable` is always an error."""

Environment: TypeAlias = Hidden[str]
"""Variables by name."""


@record
class Variable:
    """One variable: the field that it gives, and how its text is read."""

    name: str
    field: str
    form: Form
    ours: bool


@record
class Scheme:
    """The variables that one credential reads.

    Attributes:
        prefix: the text before the name of the field; `None` to read no variable.
        azure: whether it also reads the documented `AZURE_` names.
    """

    prefix: str | None
    azure: bool = False

    @classmethod
    def of(cls, entry: str | None, env_prefix: str | None, *, prefixed: bool) -> Scheme:
        """Return the scheme of the flat form (`entry` is `None`), of a named entry, or of an `env_prefix`."""
        if prefixed:
            return cls(env_prefix)
        if entry is None:
            return cls(PREFIX, azure=True)
        return cls(f"{PREFIX}_{variable_part(entry)}__")

    def variables(self) -> tuple[Variable, ...]:
        """Return every variable, `CREDCONF_` before `AZURE_`, in order of precedence."""
        own = _with_prefix(self.prefix) if self.prefix is not None else ()
        return (*own, *documented().values()) if self.azure else own

    def suggestion(self, field: str, *, is_path: bool | None = None, ours: bool = False) -> str | None:
        """Return the variable that a message should name for a field.

        Args:
            field: the path of the setting.
            is_path: whether the variable names a file with the value; `None` where both will do.
            ours: whether only the variables with the prefix count.
        """
        fitting = [variable for variable in self.variables() if variable.field == field and variable.form != "unusable"]
        if is_path is not None:
            fitting = [variable for variable in fitting if (variable.form == "file") == is_path]
        if ours:
            fitting = [variable for variable in fitting if variable.ours]
        documented = [variable for variable in fitting if not variable.ours]
        return (documented or fitting)[0].name if fitting else None


@cache
def documented() -> dict[str, Variable]:
    """Return the documented `AZURE_` variables by name."""
    found: dict[str, Variable] = {}
    for path, each in SETTINGS.items():
        for name in each.setting.environment:
            form: Form = "list" if each.is_list else "word" if each.setting.words or path == "kind" else "literal"
            if name.endswith("_FILE") or each.only_by_reference:
                form = "file"
            found[name] = Variable(name, path, form, ours=False)
    return found


@lru_cache(maxsize=64)
def _with_prefix(prefix: str) -> tuple[Variable, ...]:
    """Return the variables of one prefix: one for each name of a setting, and `_FILE` if a file may hold its text."""
    settings = [SETTINGS[path] for path in LEAVES if SETTINGS[path].setting.variable]
    return tuple(variable for each in settings for variable in _ours(each, prefix))


def _ours(of: Declared, prefix: str) -> Iterator[Variable]:
    alias = of.setting.alias
    for name in (of.path,) if alias is None else (of.path, alias):
        variable = f"{prefix}{name.upper().replace('.', '__')}"
        form: Form = "unusable" if of.only_by_reference else "list" if of.is_list else "literal"
        yield Variable(variable, of.path, form, ours=True)
        if "file" in of.references:
            yield Variable(f"{variable}_FILE", of.path, "file", ours=True)


def variable_part(entry: str) -> str:
    """Return an entry's name in the form that variables use: `my-app` is `MY_APP`."""
    return entry.upper().replace("-", "_")


def split_list(text: str) -> list[str]:
    """Split a list in a variable at `;` or `,`."""
    return [item.strip() for item in text.replace(";", ",").split(",") if item.strip()]


def is_prefix(raw: Any) -> bool:
    """Whether a raw value is a valid `env_prefix`; `None` reads no variable."""
    return raw is None or (isinstance(raw, str) and bool(re.fullmatch(ENV_PREFIX.pattern, raw)))


def bad_prefix(raw: Any, origin: Origin, path: str) -> Problem | None:
    """Report an `env_prefix` with which no variable can begin. The model reports one that is empty or not text."""
    if is_prefix(raw) or not isinstance(raw, str) or not raw.strip():
        return None
    message = "`env_prefix` must be the beginning of a variable's name, or null"
    hint = "write letters, digits and `_`, such as REPORTS_"
    return Problem("bad-value", message, path=path, origin=origin, hint=hint)
