"""The values of settings as JSON Schema (draft-07): text, references, numbers, booleans, choices.

pydantic says which of them a setting takes; the patterns repeat, as far as a pattern can, the rules of
`entra/clouds.py`. An editor reads YAML with its types where our loader keeps the text as it is written, so text may
also be a number (`012345`) or a boolean, and a number or a boolean may be text.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from credconf.ground.records import record
from credconf.settings.fields import MOST_SECRETS, REFERENCES
from credconf.stores import token_cache as caches

from . import hover

Json: TypeAlias = dict[str, Any]

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::0*[1-9][0-9]{{0,4}})?"
_HTTPS = r"[Hh][Tt][Tt][Pp][Ss]://"
_TENANT = r"(?!\.{1,2}$)[A-Za-z0-9.-]{1,256}"
_LEAP = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    r"(?:(?!0000)[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|"
    rf"02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
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
    "secret_expires_on": Rule(rf"^\s*{_DAY}\s*$", "a date is year, month and day, such as 2027-01-31", ()),
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
    "token_cache.name": Rule(rf"^{caches.NAME}$", caches.A_NAME),
    "token_cache.url": Rule(rf"^\s*{caches.URL}\s*$", caches.A_URL, ()),
    "http.proxy": Rule(
        r"^\s*(?:(?:[Hh][Tt][Tt][Pp][Ss]?|[Ss][Oo][Cc][Kk][Ss](?:4[Aa]?|5[Hh]?))://(?!/)|(?!\S*://))\S+\s*$",
        "a proxy is a URL such as http://proxy.example.com:8080",
    ),
}
"""By setting, or by setting of a group. For a list, the rule is that of its items."""

_PLACEHOLDERS: Final = {"env": "NAME", "file": "PATH", "command": "[PROGRAM, ARGUMENT]"}
_BODIES: Final = {"env": "${1:NAME}", "file": "${1:PATH}", "command": ["$1"]}
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
    if "array" not in types:
        one = text(rule, keys)
        return {"if": {"type": "null"}, "then": {"type": "null"}, "else": one} if path in _NULLABLE else one
    if "string" not in types:
        return _list({**_item(path, own), **text(rule)})
    one = text(rule, keys)
    snippets = one.pop("defaultSnippets")
    several = {"type": "array", "items": dict(one), "minItems": 1, "maxItems": MOST_SECRETS}
    return {"if": {"type": "array"}, "then": several, "else": one, "defaultSnippets": snippets}


def _list(items: Json, example: str = "[first, second]", **bounds: int) -> Json:
    # `items` stand one level below: an editor would offer them also where the list itself is still to be written.
    held = {"type": "array", "items": items, **bounds}
    return {"type": "array", "errorMessage": f"write a list: {example}", "if": {"type": "array"}, "then": held}


def _item(path: str, own: Json) -> Json:
    examples = [item for example in own.get("examples", ()) for item in example]
    about = hover.ITEMS[path]
    return {"description": about, "markdownDescription": about, "defaultSnippets": hover.values(examples)}


def text(rule: Rule, keys: tuple[str, ...] = ()) -> Json:
    """Text that follows a rule, whatever else an editor may take it for, or a reference that has one of these keys."""
    message = f"write text, or {_written(keys)}" if keys else rule.message
    # Text never comes to the last `else`: it says what an editor should, of all that is neither.
    neither: Json = {"type": "string", "errorMessage": message}
    if rule.also:
        neither = {"if": {"anyOf": [{"type": name} for name in rule.also]}, "else": neither}
    wanted = {"type": "string", "pattern": rule.pattern, "patternErrorMessage": rule.message}
    literal = {"if": {"type": "string"}, "then": wanted, "else": neither}
    if not keys:
        return literal
    return {"if": {"type": "object"}, "then": _reference(keys), "else": literal, "defaultSnippets": _snippets(keys)}


def boolean(words: tuple[str, ...]) -> Json:
    """A boolean, also as one of the words in any case."""
    message = "write true or false"
    letters = ["".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in word) for word in words]
    pattern = f"^(?:{'|'.join(letters)})$"
    texts = {"type": "string", "pattern": pattern, "patternErrorMessage": message}
    other: Json = {"type": "boolean", "errorMessage": message}
    if "1" in words:
        other = {"if": {"type": "number"}, "then": {"enum": [0, 1], "errorMessage": message}, "else": other}
    return {"if": {"type": "string"}, "then": texts, "else": other}


def _number(own: Json) -> Json:
    whole = own["type"] == "integer"
    message = "write a whole number" if whole else "write a number of seconds"
    bounds = {name: own[name] for name in _BOUNDS if name in own}
    return {
        "if": {"type": "string"},
        "then": {"type": "string", "pattern": _INTEGER if whole else _FLOAT, "patternErrorMessage": message},
        "else": {"type": own["type"], **bounds, "errorMessage": message},
    }


def _references(alternatives: list[Json]) -> tuple[str, ...]:
    """The keys of the references among pydantic's alternatives; `CertificateBytes` is for programs."""
    models = {str(item.get("$ref", "")).rpartition("/")[2] for item in alternatives}
    return tuple(key for key, model in REFERENCES.items() if model.__name__ in models)


def _only_a_reference(keys: tuple[str, ...]) -> Json:
    message = f"this is always a reference: {_written(keys)}"
    refused = {"type": "string", "pattern": "^(?!)", "patternErrorMessage": message}
    return {
        "if": {"type": "string"},
        "then": refused,
        "else": {
            "if": {"type": "object"},
            "then": _reference(keys),
            "else": {"type": "object", "errorMessage": message},
        },
        "defaultSnippets": _snippets(keys),
    }


def _written(keys: tuple[str, ...]) -> str:
    """The references as a person writes them: `{env: NAME} or {file: PATH}`."""
    *others, last = (f"{{{key}: {_PLACEHOLDERS[key]}}}" for key in keys)
    return f"{', '.join(others)} or {last}" if others else last


def _snippets(keys: tuple[str, ...]) -> list[Json]:
    return [{"label": key, "description": hover.REFERENCES[key], "body": {key: _BODIES[key]}} for key in keys]


def _reference(keys: tuple[str, ...]) -> Json:
    return {"$ref": f"#/definitions/{'_or_'.join(keys)}"}


def has(key: str, *values: str, path: str | None = None) -> Json:
    """A condition: the mapping holds a key (with one of these values).

    An editor shows the `path` of the setting, where that is not the key. Without `required`, of which
    some versions of yaml-language-server make something to offer.
    """
    absent: Any = {"not": {"title": path or key, "enum": list(values)}} if values else False
    return {"type": "object", "not": {"type": "object", "properties": {key: absent}}}


def _one_of(keys: tuple[str, ...]) -> Json:
    """A mapping with one of these keys. Once one stands there, an editor offers no other."""
    chosen = {**_holding(keys, f"write {_written(keys)}"), "minProperties": 1}
    for key in reversed(keys):
        chosen = {"if": has(key), "then": _holding((key,), "a reference has exactly one key"), "else": chosen}
    return {"title": _written(keys), **chosen}


def _holding(keys: tuple[str, ...], message: str) -> Json:
    properties = {key: {"$ref": f"#/definitions/after_{key}"} for key in keys}
    return {"type": "object", "properties": properties, "additionalProperties": False, "errorMessage": message}


def references() -> Json:
    """The definitions of references, and of what stands after the key of each."""
    every = tuple(REFERENCES)
    mappings = {"_or_".join(keys): _one_of(keys) for keys in (("file",), every[:2], every)}
    return {**mappings, **{f"after_{key}": _after(key, model.model_json_schema()) for key, model in REFERENCES.items()}}


def _after(key: str, model: Json) -> Json:
    own = model["properties"][key]
    said = {"title": key, "description": hover.REFERENCES[key], "markdownDescription": hover.REFERENCES[key]}
    if own["type"] == "array":
        return {**said, **_list(text(_NOT_EMPTY), _PLACEHOLDERS[key], minItems=own["minItems"])}
    value = text(Rule(own["pattern"], _VARIABLE_MESSAGE, ("boolean",)) if "pattern" in own else _NOT_EMPTY)
    # It says the same as the snippet of the reference: an editor then offers the key once.
    return {**said, **value, "defaultSnippets": [{"label": _PLACEHOLDERS[key], "body": _BODIES[key]}]}


_NOT_EMPTY: Final = Rule(r"[\s\S]", "this is empty")
