"""Validates fields as a model of the right kind, or returns problems that hold no value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from credconf.ground.deferred import complete
from credconf.ground.records import record
from credconf.problems import Problem, closest, shown_key

from .application import with_authority
from .registry import ALIASES, FIELDS, KINDS, NESTED, PROOFS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from pydantic_core import ErrorDetails

    from .registry import Kind


@record
class Invalid:
    """All problems of a mapping of fields.

    Attributes:
        problems: the problems; their `path` is relative to the mapping, and they have no `origin` yet.
    """

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return "; ".join(f"{item.message} ({item.hint})" if item.hint else item.message for item in self.problems)


def validate_as(data: object) -> Kind | Invalid:
    """Infer the kind, and validate the fields with its model."""
    if not isinstance(data, Mapping):
        return Invalid((Problem("wrong-type", "a credential is a mapping of settings"),))
    fields = {str(key): value for key, value in data.items() if value is not None and not is_user_key(str(key))}
    problems: list[Problem] = []
    for alias, name in ALIASES.items():
        if alias in fields and name in fields:
            problems.append(
                Problem("conflict", f"`{alias}` and `{name}` are the same setting", path=alias, hint="keep one of them")
            )
        if alias in fields:
            fields.setdefault(name, fields.pop(alias))
            fields.pop(alias, None)
    return _validated(fields, infer(fields, problems), problems)


def is_user_key(key: str) -> bool:
    """Whether a key belongs to the user, who may give it any value: `x-…` and `$schema`."""
    return key.startswith("x-") or key == "$schema"


def present_proofs(fields: Container[str]) -> list[str]:
    """Return the proofs that are given."""
    return [proof for proof in PROOFS if proof in fields]


def kind_of(fields: Mapping[str, Any]) -> str | None:
    """Return the kind that is named, else the kind of the only proof that is given, else `None`."""
    named = fields.get("kind")
    if isinstance(named, str) and named in KINDS:
        return named
    present = [name for name, model in KINDS.items() if model.proof is not None and model.proof in fields]
    return present[0] if len(present) == 1 else None


def kind_of_class(name: str) -> str | None:
    """Return the kind of a class of azure-identity, as `AZURE_TOKEN_CREDENTIALS` names it, or the name itself.

    `EnvironmentCredential` is `None`: it is any kind whose proof the environment gives.
    """
    word = name.strip().lower()
    if word == "environmentcredential":
        return None
    return next((kind for kind, model in KINDS.items() if model.azure_identity.lower() == word), name)


def infer(fields: Mapping[str, Any], problems: list[Problem]) -> type[Kind] | None:
    """Return the model of the named kind, or of the given proof; otherwise add a problem and return `None`."""
    present = present_proofs(fields)
    if len(present) > 1:
        names = " and ".join(f"`{proof}`" for proof in present)
        message = f"{names} are set: one credential has one proof"
        problems.append(Problem("two-proofs", message, path=present[-1], hint="keep one of them"))
        return None
    named = fields.get("kind")
    if named is None and not present:
        fitting = fitting_kinds(fields)
        if fitting and all(KINDS[kind].proof is None for kind in fitting):
            message = f"`kind` is not set, and these are settings of `kind: {fitting[0]}`"
            problems.append(Problem("missing", message, path="kind"))
            return None
        first, *others = PROOFS
        nor = " or ".join(f"`{proof}`" for proof in others)
        problems.append(Problem("missing", f"`{first}` is not set, nor is {nor}", path=first))
        return None
    if named is not None and not (isinstance(named, str) and named in KINDS):
        problems.append(_unknown_kind(named))
        fields = {name: value for name, value in fields.items() if name != "kind"}
    kind = kind_of(fields)
    return KINDS[kind] if kind is not None else None


_CHAINS: Final = frozenset({"dev", "prod", "default", "chained"})
"""Words for a chain, beside the classes: the first two are azure-identity's own, in AZURE_TOKEN_CREDENTIALS."""


def _unknown_kind(named: object) -> Problem:
    word = named.strip().lower() if isinstance(named, str) else ""
    called = {
        word: name
        for name, model in KINDS.items()
        for word in (*model.also_called.split(), model.azure_identity.lower())
    }
    meant = called.get(word) or closest(word, KINDS)
    choices = f"choose one of {', '.join(KINDS)}"
    if word in _CHAINS:
        message = "`kind` names a chain of credentials, which credconf does not have"
        return Problem("unknown-kind", message, path="kind", hint=choices)
    from credconf.problems.azure_identity_names import credential_called  # only broken configurations need it

    instead = None if meant else credential_called(word)
    if instead is not None:
        message = "`kind` is a credential of azure-identity that credconf does not have"
        return Problem("unknown-kind", message, path="kind", hint=f"{instead}; or {choices}")
    hint = f"did you mean `{meant}`?" if meant else choices
    return Problem("unknown-kind", "`kind` is not a kind of credential", path="kind", hint=hint)


def fitting_kinds(fields: Iterable[str]) -> list[str]:
    """Return the kinds that have all of some settings. Names that no kind has are ignored."""
    names = {ALIASES.get(name, name) for name in fields} & {*FIELDS}
    return [name for name, model in KINDS.items() if names <= model.model_fields.keys()]


def _validated(fields: dict[str, Any], model: type[Kind] | None, problems: list[Problem]) -> Kind | Invalid:
    # If the kind is unknown, the first kind with these settings validates them.
    judge = model or KINDS[next(iter(fitting_kinds(fields)), next(iter(KINDS)))]
    for name in [name for name in fields if name not in judge.model_fields]:
        if name not in FIELDS:
            problems.append(unknown_key(name, {*FIELDS, *ALIASES}, shown_key(name)))
        elif model is not None:
            message = f"`{name}` is not a setting of `kind: {judge.model_fields['kind'].default}`"
            problems.append(Problem("unknown-key", message, path=name, hint="remove it, or change the kind"))
        del fields[name]
    # What an unknown kind lacks is not known.
    is_known = model is not None or "kind" not in fields
    needs_tenant = is_known and "oidc_authority" in judge.model_fields
    if needs_tenant and fields.get("tenant_id") is None and fields.get("oidc_authority") is None:
        problems.append(Problem("missing", "`tenant_id` is not set", path="tenant_id"))
    result = _model(fields, judge, problems, ignored=None if model else {"kind", *PROOFS})
    if not is_known:
        problems = [problem for problem in problems if problem.code != "missing"]
    return Invalid(tuple(problems)) if problems or result is None else result


def unknown_key(
    name: str,
    known: set[str] | frozenset[str],
    path: str,
    otherwise: str = "remove it; keys that begin with `x-` are yours",
) -> Problem:
    """Return the problem of a key that is not a setting, with a suggestion, or else with what to do."""
    from .hints import Hint, hint_for  # only broken configurations need it

    hint = hint_for(name, known) or Hint(otherwise)
    # A letter of another alphabet, or one without width, looks the same as the right one.
    text = hint.text if name.isascii() or hint.meant is None else f"{hint.text}; it holds a letter that is not ASCII"
    message = f"`{shown_key(name)}` is not a setting"
    return Problem("unknown-key", message, path=path, hint=text, meant=hint.meant)


def _model(fields: dict[str, Any], judge: type[Kind], problems: list[Problem], ignored: set[str] | None) -> Kind | None:
    try:
        if "authority" in judge.model_fields:
            with_authority(fields)
    except PydanticCustomError as exc:
        context = exc.context or {}
        path = str(context.get("step"))
        problems.append(Problem(exc.type, str(context.get("text")), path=path, hint=context.get("hint")))
        fields = {name: value for name, value in fields.items() if name != path}
    try:
        return complete(judge).model_validate(fields)
    except ValidationError as exc:
        details = exc.errors(include_url=False, include_input=False)
    reported = {problem.path for problem in problems}
    for problem in (problem for detail in details for problem in _problems(detail, fields)):
        first = (problem.path or "").split(".")[0]
        if (
            problem.path not in reported
            and first not in (ignored or ())
            and not (problem.code == "missing" and first in reported)
        ):
            problems.append(problem)
            reported.add(problem.path)
    return None


def _problems(detail: ErrorDetails, fields: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the problem of a field, and those of other items in it."""
    yield _problem(detail, fields)
    for other in detail.get("ctx", {}).get("others", ()):
        yield _problem({**detail, "type": other["code"], "ctx": other}, fields)


def _problem(detail: ErrorDetails, fields: Mapping[str, Any]) -> Problem:
    context = detail.get("ctx", {})
    steps = [step for step in detail["loc"] if isinstance(step, int) or step.isidentifier()]
    if context.get("step") is not None:
        steps.append(context["step"])
    # In `loc`, pydantic also names the member of a union; only the steps of the path are kept.
    path = ".".join(str(step) for step in steps)
    name = next((str(step) for step in reversed(steps) if isinstance(step, str)), "this")
    if "text" in context:
        text = str(context["text"])
        message = text if text.startswith("`") else f"`{path}`: {text}"
        return Problem(detail["type"], message, path=path, hint=context.get("hint"))
    if detail["type"] == "missing":
        return Problem("missing", f"`{path}` is not set", path=path)
    if detail["type"] == "extra_forbidden":
        return unknown_key(name, frozenset(NESTED.get(str(detail["loc"][0]), ())), path)
    message = f"`{path}`: {_EXPLAINED.get(detail['type'], _expected(detail))}"
    hint = _choice_hint(path, fields) or _null_hint(path, fields)
    if path in NESTED and hint is None:
        from .hints import shape_of_group  # only broken configurations need it

        hint = shape_of_group(path, fields.get(path))
    return Problem("bad-value", message, path=path, hint=hint)


def _null_hint(path: str, fields: Mapping[str, Any]) -> str | None:
    """Explain a `null` that was meant to unset the value of a lower layer. Here it is text."""
    group, _, leaf = path.rpartition(".")
    holder = fields.get(group) if group else fields
    written = holder.get(leaf) if isinstance(holder, Mapping) else None
    unset = isinstance(written, str) and written in {"", "~", "null", "Null", "NULL"}
    return "YAML's null does not unset a setting: remove it, or write another value" if unset else None


def _choice_hint(path: str, fields: Mapping[str, Any]) -> str | None:
    """Suggest one of the setting's values, which shows nothing of what was written."""
    setting = SETTINGS[path].setting if path in SETTINGS else None
    written = fields.get(path)
    if setting is None or not setting.choices or not isinstance(written, str):
        return None
    meant = setting.words.get(written.strip().lower()) or closest(written, setting.choices, cutoff=0.6)
    return f"did you mean `{meant}`?" if meant else None


_EXPLAINED = {
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "float_parsing": "write a number of seconds",
    "float_type": "write a number of seconds",
    "finite_number": "write a number of seconds",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "model_type": "this must be a mapping of settings",
    "model_attributes_type": "this must be a mapping of settings",
    "dict_type": "this must be a mapping of settings",
}


def _expected(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if "expected" in context:  # the values that are allowed, not the one that was written
        return f"write one of {str(context['expected']).replace(chr(39), '`')}"
    for bound, words in (("gt", "more than"), ("ge", "at least"), ("lt", "less than"), ("le", "at most")):
        if bound in context:
            return f"write a number that is {words} {str(context[bound]).removesuffix('.0')}"
    return "this is not a usable value"
