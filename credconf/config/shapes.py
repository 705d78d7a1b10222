"""The values of settings as JSON Schema (draft-07): text, references, numbers, booleans, choices.

pydantic says which of them a setting takes; the patterns repeat, as far as a pattern can, the rules of
`entra/clouds.py`. An editor reads YAML with its types where our loader keeps the text as it is written, so text may
also be a number (`012345`) or a boolean, and a number or a boolean may be text.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from credconf.records import record

from .fields import REFERENCES

Json: TypeAlias = dict[str, Any]

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::0*[1-9][0-9]{{0,4}})?"
_HTTPS = r"[Hh][Tt][Tt][Pp][Ss]://"
_TENANT = r"(?!\.{1,2}$)[A-Za-z0-9.-]{1,256}"
_FLOAT = r"^\s*\+?(?:[0-9](?:_?[0-9])*(?:\.[0-9]*)?|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?\s*$"
_INTEGER = r"^\s*\+?[0-9](?:_?[0-9])*(?:\.0+)?\s*$"
_WORDS = ("true", "false", "yes", "no", "on", "off", "t", "f", "y", "n", "1", "0")
_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


@record
class Rule:
    """What a text must look like.

    Attributes:
        pattern: an ECMA 262 regular expression.
        message: what an editor says where it does not match.
        also: the other types that an editor may take such a text for.
    """

    pattern: str
    message: str
    also: tuple[str, ...] = ("number", "boolean")


ENTRY: Final = r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*"
NAME: Final = Rule(
    rf"^{ENTRY}$", "a name is lower-case letters and digits, joined by single `-` or `_`, such as my-app", ("boolean",)
)
_NOT_BLANK: Final = Rule(r"\S", "this is empty")
_ITEM: Final = Rule(
    rf"^(?:\*|{_TENANT})$", 'a tenant is a GUID or a domain name, and "*" stands for all of them', ("number", "boolean")
)
RULES: Final = {
    "tenant_id": Rule(rf"^{_TENANT}$", "a tenant is a GUID or a domain name: letters, digits, `.` and `-` only"),
    "authority": Rule(
        rf"^\s*(?:{_HTTPS})?{_HOST}[\s/]*$", "an authority is a host name or an https:// URL, without a path"
    ),
    "oidc_authority": Rule(
        rf"^\s*{_HTTPS}{_HOST}/+[^\s?#\\/][^\s?#\\]*[\s/]*$",
        "an OIDC authority is an https:// URL with a path, such as https://idp.example.com/oauth",
        (),
    ),
    "region": Rule(
        r"^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
        "a region is a name such as westus2, or tryautodetect",
        ("boolean",),
    ),
    "additionally_allowed_tenants": _ITEM,
    "allowed_tenants": _ITEM,
    "env_prefix": Rule(
        r"^[A-Za-z_][A-Za-z0-9_]*$", "a prefix is letters, digits and `_`, such as REPORTS_", ("boolean",)
    ),
    "http.proxy": Rule(
        r"^\s*(?:(?:[Hh][Tt][Tt][Pp][Ss]?|[Ss][Oo][Cc][Kk][Ss](?:4[Aa]?|5[Hh]?))://(?!/)|(?!\S*://))\S+\s*$",
        "a proxy is a URL such as http://proxy.example.com:8080",
    ),
}
"""By setting, or by setting of a group. For a list, the rule is that of its items."""

_VARIABLE_MESSAGE = "the name of a variable is letters, digits and `_`"
_NULLABLE = frozenset({"env_prefix"})  # null means something there: listen to no variable


def shape(path: str, own: Json) -> Json:
    """The schema of a setting's value.

    Args:
        path: of the setting, dotted.
        own: what pydantic says of it.
    """
    alternatives = [item for item in own.get("anyOf", [own]) if item.get("type") != "null"]
    choices = [
        str(word) for item in alternatives for word in item.get("enum", [item["const"]] if "const" in item else [])
    ]
    if choices:
        return {"type": "string", "enum": choices}
    types = {item.get("type") for item in alternatives}
    if types & {"number", "integer"}:
        return _number(own)
    if "boolean" in types:
        return boolean(_WORDS)
    keys = _references(alternatives)
    if "string" not in types and "array" not in types:
        return _only_a_reference(keys)
    rule = RULES.get(path, _NOT_BLANK)
    one = _text(rule, keys) if "string" in types else text(rule)
    if "array" not in types:
        return {"if": {"type": "null"}, "then": {"type": "null"}, "else": one} if path in _NULLABLE else one
    if "string" not in types:
        return {"type": "array", "items": one}
    snippets = one.pop("defaultSnippets")
    several = {"type": "array", "items": dict(one), "minItems": 1}
    return {"if": {"type": "array"}, "then": several, "else": one, "defaultSnippets": snippets}


def text(rule: Rule, *more: Json) -> Json:
    """Text that follows a rule, whatever else an editor may take it for, and what `more` allows."""
    wanted = {"type": "string", "pattern": rule.pattern, "patternErrorMessage": rule.message}
    # Text never comes to the `else`, but an editor makes its message, and what it offers for a value that is not there
    # yet, of all that stands in it.
    others = [{"type": name} for name in ("string", *rule.also)]
    return {"if": {"type": "string"}, "then": wanted, "else": {"anyOf": [*others, *more]}}


def boolean(words: tuple[str, ...]) -> Json:
    """A boolean, also as one of the words in any case."""
    letters = ["".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in word) for word in words]
    pattern = f"^(?:{'|'.join(letters)})$"
    texts = {"type": "string", "pattern": pattern, "patternErrorMessage": "write true or false"}
    other: Json = {"type": "boolean"}
    if "1" in words:
        other = {"if": {"type": "number"}, "then": {"type": "integer", "minimum": 0, "maximum": 1}, "else": other}
    return {"if": {"type": "string"}, "then": texts, "else": other}


def _number(own: Json) -> Json:
    whole = own["type"] == "integer"
    message = "write a whole number" if whole else "write a number of seconds"
    return {
        "if": {"type": "string"},
        "then": {"type": "string", "pattern": _INTEGER if whole else _FLOAT, "patternErrorMessage": message},
        "else": {"type": own["type"], **{name: own[name] for name in _BOUNDS if name in own}},
    }


def _references(alternatives: list[Json]) -> tuple[str, ...]:
    """The keys of the references among pydantic's alternatives; `CertificateBytes` is for programs."""
    models = {str(item.get("$ref", "")).rpartition("/")[2] for item in alternatives}
    return tuple(key for key, model in REFERENCES.items() if model.__name__ in models)


def _text(rule: Rule, keys: tuple[str, ...]) -> Json:
    if not keys:
        return text(rule)
    literal = text(rule, _reference(keys))
    return {"if": {"type": "object"}, "then": _reference(keys), "else": literal, "defaultSnippets": _snippets(keys)}


def _only_a_reference(keys: tuple[str, ...]) -> Json:
    refused = {"type": "string", "pattern": "^(?!)", "patternErrorMessage": "this is always a reference: {file: PATH}"}
    written = {"if": {"type": "string"}, "then": refused, "else": _reference(keys)}
    return {**written, "defaultSnippets": _snippets(keys)}


def _snippets(keys: tuple[str, ...]) -> list[Json]:
    bodies: Json = {"env": "${1:NAME}", "file": "${1:PATH}", "command": ["${1:PROGRAM}", "${2:ARGUMENT}"]}
    return [{"label": f"a reference: {key}", "body": {key: bodies[key]}} for key in keys]


def _reference(keys: tuple[str, ...]) -> Json:
    return {"$ref": f"#/definitions/{'_or_'.join(keys)}"}


def _one_of(keys: tuple[str, ...]) -> Json:
    return {
        "type": "object",
        "properties": {key: {"$ref": f"#/definitions/after_{key}"} for key in keys},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def references() -> Json:
    """The definitions of references, and of what stands after the key of each."""
    every = tuple(REFERENCES)
    mappings = {"_or_".join(keys): _one_of(keys) for keys in (("file",), every[:2], every)}
    return {**mappings, **{f"after_{key}": _after(key, model.model_json_schema()) for key, model in REFERENCES.items()}}


def _after(key: str, model: Json) -> Json:
    own = model["properties"][key]
    said = {"description": str(model["description"]).partition("\n")[0]}
    if own["type"] == "array":
        return {**said, "type": "array", "items": text(_NOT_EMPTY), "minItems": own["minItems"]}
    return {**said, **text(Rule(own["pattern"], _VARIABLE_MESSAGE, ("boolean",)) if "pattern" in own else _NOT_EMPTY)}


_NOT_EMPTY: Final = Rule(r"[\s\S]", "this is empty")
