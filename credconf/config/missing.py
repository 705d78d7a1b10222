"""Explains what is missing: which settings, how to give them, what is nearly given, and where credconf looked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credconf.ground.records import record, replace
from credconf.kinds import KINDS, PROOFS, SETTINGS
from credconf.problems import Problem, printable
from credconf.problems.problem import joined
from credconf.problems.wording import as_yaml

from .similar_variables import empty_variables, similar_variables
from .variables import PREFIX, Scheme, documented, variable_part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from credconf.config.reading.inheritance import Entries
    from credconf.problems.problem import Origin
    from credconf.references import NotFound

    from .dotenv import Dotenv
    from .request import Request

_BROKEN: Final = frozenset({"unknown-parent", "cycle", "empty", "wrong-type"})
"""The problems of `extends`."""
_OF_AN_ENTRY: Final = re.compile(rf"{PREFIX}_[A-Z][A-Z0-9_]*?__")
_AZURE_LOGIN: Final = "AZURE_CREDENTIALS"
_MOST: Final = 4
"""The number of similar variables that a message names."""


@record
class Missing:
    """Explains the missing settings of one credential.

    Attributes:
        request: the arguments and the process environment.
        dotenv: the `.env` file.
        entries: the entries of the files.
        scheme: the variables that the credential reads.
        lineage: the entry and what it extends; `None` is the flat form.
        kind: the kind of the credential, if it is given.
    """

    request: Request
    dotenv: Dotenv
    entries: Entries
    scheme: Scheme
    lineage: tuple[str | None, ...]
    kind: str | None = None

    def explained(self, problem: Problem) -> Problem:
        """Add the ways to give a missing setting to its problem."""
        name, path = self._name, problem.path or ""
        of = f"` of `{name}` is not set" if name else "` is not set"
        part = self.entries.parts[name][0] if name in self.entries.parts else None
        ways = [f"add {_example(path)}"] if part else []
        variables = self._variables(path)
        ways += [f"set {variables}"] if variables else []
        hint = ", or ".join(ways) or f"pass {path}="
        lines = [hint, *self.nearly_given(self._wanted(path))]
        return replace(
            problem,
            message=problem.message.replace("` is not set", of, 1),
            origin=part.origin if part else None,
            hint="\n".join(lines),
        )

    def nothing_given(self, problems: Iterable[Problem]) -> Problem:
        """Return one problem instead of those of each missing setting, where no source gives any setting.

        Args:
            problems: the explained problems.
        """
        paths = {problem.path or "": problem for problem in problems}
        order = sorted(paths, key=lambda path: path in PROOFS)
        *names, last = (self.scheme.suggestion(path) or path for path in order)
        near = [line for problem in paths.values() for line in (problem.hint or "").split("\n")[1:]]
        hint = f"set {', '.join(names)} and {last}"
        if self.request.named_files()[1]:  # a file in the working directory would be read
            hint = f"`credconf init` writes a configuration; or {hint}"
        message = "nothing is configured: no argument, variable or file gives a setting of a credential"
        return Problem("missing", message, hint="\n".join([hint, *dict.fromkeys(near)]))

    def _variables(self, path: str) -> str | None:
        """Return the variables that give a setting; for a secret, also the one that names its file."""
        usual = self.scheme.suggestion(path)
        named = self.scheme.suggestion(path, is_path=True)
        if named in {None, usual} or not SETTINGS[path].setting.secret:
            return usual
        return f"{usual} or {named}"

    def _wanted(self, path: str) -> Collection[str]:
        """Return the settings that would help: for a proof, those of every kind that may be meant."""
        if path not in PROOFS:
            return {path, "oidc_authority"} if path == "tenant_id" else {path}
        kinds = [model for name, model in KINDS.items() if model.proof and self.kind in {None, name}]
        return {field for model in kinds for field in model.model_fields if SETTINGS[field].is_proof}

    def nearly_given(self, fields: Collection[str]) -> Iterator[str]:
        """Yield a line for each variable that nearly gives one of some settings.

        Args:
            fields: the paths of the settings.
        """
        if self.scheme.prefix is None:
            return
        sources = {"": self.request.environ, self.dotenv.name: self.dotenv.variables}
        yield from empty_variables(fields, self.scheme, sources)
        lines = [line for place, environ in sources.items() for line in self._near(fields, environ, place)]
        yield from list(dict.fromkeys(lines))[:_MOST]

    def hint_of(self, failure: NotFound, path: str, origin: Origin | None, given: Collection[str]) -> str | None:
        """Return what to do about a value that can't be used on this machine.

        Args:
            failure: why.
            path: the path of the setting.
            origin: the place of its value.
            given: the paths of the settings that are given.
        """
        hint = failure.hint or ""
        if failure.helps is not None:
            hint = hint.replace(as_yaml(*failure.helps), _as_given(*failure.helps, origin, self.scheme))
        openers = _openers(path) if failure.code == "bad-certificate" else ()
        lines = [hint, *self.nearly_given({each for each in openers if each not in given})]
        return "\n".join(filter(None, lines)) or None

    def _near(self, fields: Collection[str], environ: Mapping[str, str], place: str) -> Iterator[str]:
        where = f" in {printable(place)}" if place else ""
        for name, variable, value in similar_variables(fields, self.scheme, environ, ours=self._ignores_ours):
            shown = f"{printable(name)} is set{where}"
            if self.scheme.azure and not value:
                yield f"{shown}; did you mean {variable}?"
            else:
                yield f"{shown}, but {self._reader} does not read it: set {variable} {value or 'instead'}"
        yield from self._of_azure_login(environ, where)
        yield from self._of_other_entries(fields, environ, where)

    def _of_azure_login(self, environ: Mapping[str, str], where: str) -> Iterator[str]:
        """Yield a line for the JSON of `az ad sp create-for-rbac`, which the GitHub action azure/login takes."""
        if environ.get(_AZURE_LOGIN):
            told = f"{_AZURE_LOGIN} is set{where}, but {self._reader} does not read its JSON"
            yield f"{told}: set a variable to each value"

    @property
    def _name(self) -> str | None:
        """The name of the entry; `None` for the flat form."""
        return self.lineage[0] if self.lineage else None

    @property
    def _ignores_ours(self) -> bool:
        """Whether the flat form has an `env_prefix`, so that it does not read `CREDCONF_` variables."""
        return self._name is None and not self.scheme.azure

    @property
    def _reader(self) -> str:
        name = self._name
        return f"`{name}`" if name else "credconf" if self.scheme.azure else f"`env_prefix: {self.scheme.prefix}`"

    def _of_other_entries(self, fields: Collection[str], environ: Mapping[str, str], where: str) -> Iterator[str]:
        """Yield a line for each variable that another entry reads."""
        usual = Scheme(PREFIX).variables()
        ends = {each.name.removeprefix(PREFIX): each for each in usual if each.field in fields}
        entries: Mapping[str | None, str] | None = None
        for name in environ:
            end = next((end for end in ends if name.endswith(end)), None)
            if end is None or name in documented() or not environ[name] or ends[end].form == "unusable":
                continue
            prefix = name.removesuffix(end)
            entries = self._prefixes() if entries is None else entries
            if prefix == self.scheme.prefix or (prefix not in entries and not _OF_AN_ENTRY.fullmatch(prefix)):
                continue
            own = self.scheme.suggestion(ends[end].field, is_path=ends[end].form == "file")
            yield f"{name} is set{where}, but {self._other_reader(prefix, entries, own)}"

    def _other_reader(self, prefix: str, entries: Mapping[str | None, str], own: str | None) -> str:
        """Describe who reads a variable of another prefix, and what to do."""
        ways = [f"set {own}"] if own else []
        other = entries.get(prefix)
        if other is None:
            part = prefix.removeprefix(f"{PREFIX}_").removesuffix("__")
            name = next((name for name in self.entries.names if variable_part(name) == part), None)
            why = f"`{name}` has an `env_prefix`" if name else f"no file has an entry `{part.lower()}`"
            return f"{why}, so that nothing reads it: {', or '.join(ways)}"
        if not self.entries.is_abstract(other):
            ways.insert(0, f'choose that with -n {other} or name="{other}"')
        return f"only the entry `{other}` reads it: {', or '.join(ways)}"

    def _prefixes(self) -> Mapping[str | None, str]:
        """Return the other entries by the prefixes of the variables that they read."""
        found: dict[str | None, str] = {}
        for name in self.entries.names:
            parts = (part for entry in self.entries.lineage(name) for part in self.entries.parts[entry])
            given = [part.layer.values["env_prefix"].raw for part in parts if "env_prefix" in part.layer.values]
            found.setdefault(Scheme.of(name, given[0] if given else None, prefixed=bool(given)).prefix, name)
        return found

    def is_explained(self, problem: Problem, others: Iterable[Problem]) -> bool:
        """Whether another error explains a missing setting: an unknown parent, or a misspelt key or variable.

        Args:
            problem: the problem of the missing setting.
            others: the problems that are reported already.
        """
        path = problem.path or ""
        wanted = {path}
        if self.kind is None and path in PROOFS:
            wanted = {*PROOFS}
        if "tenant_id" in wanted:
            wanted.add("oidc_authority")
        return any(self._breaks_extends(item) or not wanted.isdisjoint(self._suggested(item)) for item in others)

    def _breaks_extends(self, item: Problem) -> bool:
        section = self.request.section or ""
        extends = {f"credentials.{name}.extends" for name in self.lineage}
        here = item.path in extends or item.path in {joined(section, path) for path in extends}
        return (here and item.code in _BROKEN) or (item.code == "unknown-key" and item.meant == "credentials")

    def _suggested(self, item: Problem) -> Iterable[str]:
        """Return the settings of this credential that an unknown key or variable probably means."""
        if item.meant is None:
            return ()
        if item.code == "unknown-variable":
            return (variable.field for variable in self.scheme.variables() if variable.name == item.meant)
        section = self.request.section or ""
        entries = [joined(section, f"credentials.{name}") if name else section for name in self.lineage]
        is_ours = any(not entry or f"{item.path}.".startswith(f"{entry}.") for entry in entries)
        is_argument = item.origin is not None and item.origin.place == "argument"
        return (item.meant,) if is_ours or is_argument else ()


def _openers(proof: str) -> Iterator[str]:
    """Yield the settings that may open a proof, such as the password of a certificate."""
    for model in KINDS.values():
        if model.proof == proof:
            yield from (name for name in model.model_fields if SETTINGS[name].is_proof and name != proof)


def _as_given(path: str, value: str, origin: Origin | None, scheme: Scheme) -> str:
    """Return a setting in the notation of the source of another one, or in one that works there."""
    group, _, leaf = path.rpartition(".")
    variable = scheme.suggestion(path)
    if origin is not None and origin.place == "argument":
        return f'{group}={{"{leaf}": {value.capitalize()}}}'
    # What a discovered file may not decide, the environment may.
    by_variable = origin is not None and (origin.place != "file" or origin.discovered)
    return f"{variable}={value}" if variable and by_variable else as_yaml(path, value)


def _example(path: str) -> str:
    """Return a missing setting as it is written in a file."""
    if path in PROOFS:
        return f"`{path}: {{file: PATH}}`"
    return as_yaml(path) if "." in path else f"`{path}`"
