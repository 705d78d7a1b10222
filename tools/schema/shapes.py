"""The values of settings as JSON Schema (draft-07): text, references, numbers, booleans, choices.

pydantic's schema gives the type of a setting, and its `Format` the pattern. An editor infers YAML types where credconf
keeps the text as it is written, so text may also be a number (`012345`) or a boolean, and a number or a boolean may be
text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from credconf.kinds import SETTINGS
from credconf.references import REFERENCES
from credconf.settings.formats import of_pattern

from . import texts

if TYPE_CHECKING:
    from credconf.settings.declaration import Declared
    from credconf.settings.formats import Format

Json: TypeAlias = dict[str, Any]

_FLOAT = r"^\s*\+?(?:[0-9](?:_?[0-9])*(?:\.[0-9]*)?|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?\s*$"
_INTEGER = r"^\s*\+?[0-9](?:_?[0-9])*(?:\.0+)?\s*$"
_WORDS = ("true", "false", "yes", "no", "on", "off", "t", "f", "y", "n", "1", "0")
_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


_NOT_BLANK: Final = of_pattern(r"\s*\S[\s\S]*", "this is empty")
_NOT_EMPTY: Final = of_pattern(r"[\s\S]+", "this is empty")


def shape(of: Declared, own: Json) -> Json:
    """Return the schema of a setting's value.

    Args:
        of: the setting.
        own: pydantic's schema of it.
    """
    alternatives = [item for item in own.get("anyOf", [own]) if item.get("type") != "null"]
    choices = [
        str(word) for item in alternatives for word in item.get("enum", [item["const"]] if "const" in item else [])
    ]
    choices = choices or list(of.setting.choices)
    if choices:
        return {"type": "string", "enum": choices}
    types = {item.get("type") for item in alternatives}
    if types & {"number", "integer"}:
        return _number(own)
    if "boolean" in types:
        return boolean(_WORDS)
    if of.only_by_reference:
        return _only_a_reference(of.references)
    rule = of.format or _NOT_BLANK
    if of.is_list:
        return _list({**_item(of), **text(rule)})
    one = text(rule, of.references)
    if of.accepts is not None and of.accepts.several > 1:
        snippets = one.pop("defaultSnippets")
        several = {"type": "array", "items": dict(one), "minItems": 1, "maxItems": of.accepts.several}
        return {"if": {"type": "array"}, "then": several, "else": one, "defaultSnippets": snippets}
    return {"if": {"type": "null"}, "then": {"type": "null"}, "else": one} if of.setting.is_null else one


def _list(items: Json, example: str = "[first, second]", **bounds: int) -> Json:
    # `items` are one level lower, or an editor would offer them also before the list has begun.
    held = {"type": "array", "items": items, **bounds}
    return {"type": "array", "errorMessage": f"write a list: {example}", "if": {"type": "array"}, "then": held}


def _item(of: Declared) -> Json:
    examples = [item for example in of.setting.examples for item in example]
    about = of.setting.item
    return {"description": about, "markdownDescription": about, "defaultSnippets": texts.values(examples)}


def text(rule: Format, keys: tuple[str, ...] = ()) -> Json:
    """Accept text in a format, of whatever type an editor infers, or a reference with one of these keys."""
    message = f"write text, or {_written(keys)}" if keys else rule.message
    # Text never reaches the last `else`, which has the message for all other values.
    neither: Json = {"type": "string", "errorMessage": message}
    if rule.also:
        neither = {"if": {"anyOf": [{"type": name} for name in rule.also]}, "else": neither}
    wanted = {"type": "string", "pattern": _anchored(rule), "patternErrorMessage": rule.message}
    literal = {"if": {"type": "string"}, "then": wanted, "else": neither}
    if not keys:
        return literal
    return {"if": {"type": "object"}, "then": _reference(keys), "else": literal, "defaultSnippets": _snippets(keys)}


def _anchored(rule: Format) -> str:
    """Return the shortest pattern for the whole text."""
    if rule in (_NOT_BLANK, _NOT_EMPTY):
        return r"\S" if rule is _NOT_BLANK else r"[\s\S]"
    return f"^{rule.pattern}$"


def boolean(words: tuple[str, ...]) -> Json:
    """Accept a boolean, or one of the words in any case."""
    message = "write true or false"
    letters = ["".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in word) for word in words]
    pattern = f"^(?:{'|'.join(letters)})$"
    texts = {"type": "string", "pattern": pattern, "patternErrorMessage": message}
    other: Json = {"type": "boolean", "errorMessage": message}
    if "1" in words:
        other = {"if": {"type": "number"}, "then": {"enum": [0, 1], "errorMessage": message}, "else": other}
    return {"if": {"type": "string"}, "then": texts, "else": other}


def false(message: str) -> Json:
    """Accept only what means false."""
    words = ("false", "no", "off", "f", "n", "0")
    texts = {**boolean(words)["then"], "patternErrorMessage": message}
    return {"if": {"type": "string"}, "then": texts, "else": {"enum": [False, 0], "errorMessage": message}}


def _number(own: Json) -> Json:
    whole = own["type"] == "integer"
    message = "write a whole number" if whole else "write a number of seconds"
    bounds = {name: own[name] for name in _BOUNDS if name in own}
    return {
        "if": {"type": "string"},
        "then": {"type": "string", "pattern": _INTEGER if whole else _FLOAT, "patternErrorMessage": message},
        "else": {"type": own["type"], **bounds, "errorMessage": message},
    }


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
    """Format references for a message: `{env: NAME} or {file: PATH}`."""
    *others, last = (f"{{{key}: {REFERENCES[key].placeholder}}}" for key in keys)
    return f"{', '.join(others)} or {last}" if others else last


def _snippets(keys: tuple[str, ...]) -> list[Json]:
    return [
        {"label": key, "description": REFERENCES[key].meaning, "body": {key: REFERENCES[key].snippet}} for key in keys
    ]


def _reference(keys: tuple[str, ...]) -> Json:
    return {"$ref": f"#/definitions/{'_or_'.join(keys)}"}


def has(key: str, *values: str, path: str | None = None) -> Json:
    """Return the condition that a mapping holds a key (with one of these values).

    An editor shows the `path` of the setting, if that is not the key. The condition does not use `required`, from which
    some versions of yaml-language-server derive completions.
    """
    absent: Any = {"not": {"title": path or key, "enum": list(values)}} if values else False
    return {"type": "object", "not": {"type": "object", "properties": {key: absent}}}


def _one_of(keys: tuple[str, ...]) -> Json:
    """Accept a mapping with one of these keys. An editor offers no second key."""
    chosen = {**_holding(keys, f"write {_written(keys)}"), "minProperties": 1}
    for key in reversed(keys):
        chosen = {"if": has(key), "then": _holding((key,), "a reference has exactly one key"), "else": chosen}
    return {"title": _written(keys), **chosen}


def _holding(keys: tuple[str, ...], message: str) -> Json:
    properties = {key: {"$ref": f"#/definitions/after_{key}"} for key in keys}
    return {"type": "object", "properties": properties, "additionalProperties": False, "errorMessage": message}


def references() -> Json:
    """Return the definitions of references, and of the value after the key of each."""
    mappings = {
        "_or_".join(keys): _one_of(keys)
        for keys in dict.fromkeys(each.references for each in SETTINGS.values() if each.references)
    }
    return {**mappings, **{f"after_{key}": _after(key, model.model_json_schema()) for key, model in REFERENCES.items()}}


def _after(key: str, model: Json) -> Json:
    own = model["properties"][key]
    about_key = {"title": key, "description": REFERENCES[key].meaning, "markdownDescription": REFERENCES[key].meaning}
    if REFERENCES[key].is_mapping:
        return {**about_key, **_mapping_after(key, model["$defs"][own["$ref"].rpartition("/")[2]])}
    if own["type"] == "array":
        return {**about_key, **_list(text(_NOT_EMPTY), REFERENCES[key].placeholder, minItems=own["minItems"])}
    value = text(_of_reference(own["pattern"], key) if "pattern" in own else _NOT_EMPTY)
    # Equal to the snippet of the reference, so that an editor offers the key once.
    return {
        **about_key,
        **value,
        "defaultSnippets": [{"label": REFERENCES[key].placeholder, "body": REFERENCES[key].snippet}],
    }


def _mapping_after(key: str, model: Json) -> Json:
    """Accept the mapping after a key of a reference: of texts, as many as the model's own schema asks for."""
    reference = REFERENCES[key]
    held = {name: {**_about(field, name), **text(_NOT_BLANK)} for name, field in model["properties"].items()}
    bounds = {name: model[name] for name in ("minProperties", "maxProperties") if name in model}
    return {
        "type": "object",
        "properties": held,
        "additionalProperties": False,
        **bounds,
        "errorMessage": f"write a mapping: {reference.placeholder}",
        "defaultSnippets": [{"label": reference.placeholder, "body": reference.snippet}],
    }


def _about(field: Json, name: str) -> Json:
    return {"title": name, "description": field["description"], "markdownDescription": field["description"]}


def _of_reference(pattern: str, key: str) -> Format:
    message = f"what follows `{key}` is not {REFERENCES[key].expected}"
    return of_pattern(pattern.removeprefix("^").removesuffix("$"), message, ("boolean",))
