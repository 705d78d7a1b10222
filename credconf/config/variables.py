"""The variables that a credential reads, the settings that they give, and the `.env` file that may hold them.

Under `AZURE_`, which belongs to others, these are the names that azure-identity, its sister SDKs and azure-core
document; under `CREDCONF_`, every field. A `.env` file is parsed with python-dotenv's parser, which keeps line numbers;
nothing in it is expanded, and no line is dropped silently.
"""

from __future__ import annotations

import io
import os
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dotenv.parser import parse_stream

from credconf.ground.files import CONFIGURATION_LIMIT, Unreadable, read_text
from credconf.ground.opaque import Hidden
from credconf.ground.records import field, record, replace
from credconf.kinds import LEAVES, SETTINGS
from credconf.problems import Problem, printable
from credconf.problems.problem import Origin
from credconf.settings.formats import ENV_PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from os import PathLike

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


_POWERSHELL = re.compile(r"(?i)^\$(?:env:)?")
_DOTENV_LINE = re.compile(r"\r\n|\n|\r")
MAX_LINES = 20_000
MAX_BLANKS = 500
_BLANKS = re.compile(rf"[^\S\r\n]{{{MAX_BLANKS + 1}}}")
"""python-dotenv looks for a comment after each blank of a run, which takes time quadratic in its length."""


def dotenv_lines(text: str) -> list[str]:
    """Split a text into lines as python-dotenv does."""
    return _DOTENV_LINE.split(text)


@record
class Dotenv:
    """The variables of one `.env` file.

    Attributes:
        name: the path, as it was given.
        variables: by name.
        lines: the line of each variable.
        first: the first line of each variable that is set twice.
        bare: the line of each name without `=`.
        problems: broken lines, or why the file could not be read.
        exists: whether there is such a file.
        discovered: whether credconf found it in the working directory by itself.
        text: the text of the file, for the excerpts of problems.
    """

    name: str
    variables: Environment = field(default_factory=lambda: Hidden[str]({}))
    lines: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    bare: dict[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    exists: bool = True
    discovered: bool = False
    text: str = field(default="", repr=False)

    def origin(self, variable: str) -> Origin:
        """Return the place of a variable."""
        return Origin(
            "dotenv", name=variable, file=self.name, line=self.lines.get(variable), discovered=self.discovered
        )

    def twice(self, names: Iterable[str]) -> Iterator[Problem]:
        """Warn about each variable that is set twice, but not about the variables of other programs.

        Args:
            names: the variables that the configuration uses.
        """
        for name in names:
            if name in self.first:
                message = f"{name} is set twice (first on line {self.first[name]}): the last one counts"
                yield Problem("duplicate-key", message, "warning", None, self.origin(name), "remove one of the two")

    def unread(self, names: Collection[str], environ: Mapping[str, str]) -> Iterator[Problem]:
        """Warn about each line that is meant to set a variable and does not: without `=`, or in another notation.

        Args:
            names: the variables that the configuration could use.
            environ: the process environment; a variable that is set there needs no line here.
        """
        # A variable under `CREDCONF_` that resembles one is reported as an error elsewhere.
        others = {name: line for name, line in self.lines.items() if not name.upper().startswith(PREFIX)}
        lines = {**self.bare, **{name: line for name, line in others.items() if name not in names}}
        for written, line in lines.items():
            name = _POWERSHELL.sub("", written).upper()
            if name not in names or self.variables.get(name) or environ.get(name):
                continue
            reason = "there is no `=` after it" if written in self.bare else f"the line sets `{printable(written)}`"
            origin = replace(self.origin(written), line=line)
            hint = f"write {name}=VALUE"
            yield Problem("unheard-variable", f"{name} is not set: {reason}", "warning", None, origin, hint)


def read_dotenv(path: str | PathLike[str], name: str, *, discovered: bool) -> Dotenv:
    """Read a `.env` file. A discovered one need not exist."""
    text = read_text(path, CONFIGURATION_LIMIT)
    if not isinstance(text, Unreadable):
        return parse_dotenv(text, name, discovered=discovered)
    # A virtual environment may be called `.env`. In a directory that can't be searched there may be none.
    if discovered and (text.code == "missing-file" or os.path.isdir(path) or _is_out_of_reach(path)):
        return Dotenv(name, exists=False, discovered=True)
    origin = Origin("dotenv", file=name, line=text.line, column=text.column, discovered=discovered)
    return Dotenv(name, problems=(Problem(text.code, f"the file {text.reason}", origin=origin),), discovered=discovered)


def _is_out_of_reach(path: str | PathLike[str]) -> bool:
    try:
        os.stat(path)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def parse_dotenv(text: str, name: str, *, discovered: bool) -> Dotenv:
    """Parse a text in the format of python-dotenv. If a variable is set twice, the last line wins."""
    complex_ = _too_complex(text, name, discovered=discovered)
    if complex_ is not None:
        return Dotenv(name, problems=(complex_,), discovered=discovered)
    variables: dict[str, str] = {}
    lines: dict[str, int] = {}
    first: dict[str, int] = {}
    bare: dict[str, int] = {}
    problems: list[Problem] = []
    for binding in parse_stream(io.StringIO(text)):
        # A binding includes the blank lines before it.
        line = binding.original.line + _leading_lines(binding.original.string)
        if binding.error:
            origin = Origin("dotenv", file=name, line=line, column=1, discovered=discovered)
            hint = "write NAME=VALUE, with quotes around a value that holds quotes or spaces"
            problems.append(Problem("bad-dotenv", "this line can't be read", origin=origin, hint=hint))
        elif binding.key is not None and binding.value is not None:
            variables[binding.key] = binding.value
            if binding.key in lines:
                first.setdefault(binding.key, lines[binding.key])
            lines[binding.key] = line
        elif binding.key is not None:
            bare[binding.key] = line
    return Dotenv(name, Hidden(variables), lines, first, bare, tuple(problems), discovered=discovered, text=text)


def _too_complex(text: str, name: str, *, discovered: bool) -> Problem | None:
    """Return a problem if python-dotenv would take minutes to parse the text."""
    lines = dotenv_lines(text)
    blanks = _BLANKS.search(text)
    if len(lines) > MAX_LINES:
        message, line = f"the file holds more than {MAX_LINES:,} lines", MAX_LINES + 1
    elif blanks is not None:
        message, line = f"more than {MAX_BLANKS} blanks are in a row", len(dotenv_lines(text[: blanks.start()]))
    else:
        return None
    origin = Origin("dotenv", file=name, line=line, column=1, discovered=discovered)
    return Problem("too-complex", message, origin=origin, hint="keep other things in another file")


def _leading_lines(original: str) -> int:
    return len(dotenv_lines(original[: len(original) - len(original.lstrip())])) - 1
