"""The JSON Schema of a configuration file: generated from the declarations, written by `make schema`.

It says what `credconf check` says of one file, as far as a schema can. It cannot say

- what depends on another place: whether an entry exists, and is not abstract, that `default` or `extends` names
  (`unknown-name`, `unknown-parent`, `abstract`), a circle of them (`cycle`), two names that mean one variable
  (`bad-name`), two proofs or two authorities that come together only by `extends` or layers (`two-proofs`, `conflict`,
  `unknown-key`);
- what YAML says before a schema is asked: a key that stands twice, a file that is no YAML (`duplicate-key`, `bad-key`,
  `bad-yaml`), and a file with nothing in it (`empty-file`);
- bounds of a number that is written as text, or taken for text by a reader of YAML 1.1 (`1e400`), a port above 65535,
  a host longer than 253 characters, an IPv6 address or a proxy's URL that is none, a NUL character (`bad-value`);
- how a number was written: an editor reads `0x10` and `1e1` as numbers, where a whole number must have digits only.

And it is stricter in one thing: an editor cannot tell `null` or `~` from a value that was forgotten, so those are
refused where our reader takes them for text, in a `client_secret`, too. Neither says what is `missing`, because the
environment may supply it, nor gives the schema warnings. `tests/test_schema.py` holds the two together, and has an
example of each difference.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from credconf.kinds import ALIASES, FIELDS, KINDS, NESTED, SETTINGS
from credconf.settings.formats import ENTRY_NAME
from credconf.stores import OWN_SETTINGS

from . import mappings, shapes, texts
from .foreign_keys import foreign_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = shapes.Json

FILE: Final = Path(__file__).parent.parent.parent / "schema" / "credconf.schema.json"
"""Where the repository keeps it; the wheel holds it as `credconf/credconf.schema.json`."""

_EXCLUSIVE: Final = (
    ("cloud", "authority"),
    ("oidc_authority", "tenant_id"),
    ("oidc_authority", "cloud"),
    ("oidc_authority", "authority"),
)
_FOREIGN_KEYS: Final = foreign_keys((*FIELDS, *ALIASES))
_FORMS: Final = ("default", "credentials")
_CONTROLS: Final = ("extends", "abstract")
_IN_AN_ENTRY: Final = "this belongs in an entry of `credentials`"
_ABSTRACT_WORDS: Final = ("true", "false", "yes", "no", "on", "off")


def document() -> Json:
    """The whole schema, draft-07."""
    named = {"anyOf": [shapes.has("credentials"), shapes.has("default")]}
    forms: list[Json] = [
        {"if": named, "then": {"$ref": "#/definitions/named"}, "else": {"$ref": "#/definitions/flat"}},
        # Both forms begin in an empty file: an editor offers the keys of both there, and whole beginnings.
        {"if": _none_of((*FIELDS, *ALIASES, *_FORMS)), "then": {"$ref": "#/definitions/beginning"}},
    ]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "credconf",
        "description": "Credentials for Microsoft Entra ID: one, or several by name.",
        **mappings.of_a_mapping("a configuration is a mapping: one `key: value` on each line", forms),
        "definitions": {
            "named": mappings.mapping(_FORMS, {_IN_AN_ENTRY: (*FIELDS, *ALIASES)}),
            "beginning": {"type": "object", "properties": mappings.referred(_FORMS), "defaultSnippets": texts.SNIPPETS},
            **_forms("flat", (), {_IN_AN_ENTRY: _CONTROLS}),
            **_forms("entry", _CONTROLS, {"this belongs at the top of the file": _FORMS}),
            "exclusive": {"allOf": list(_exclusive())},
            "strangers": mappings.hinting(_FOREIGN_KEYS),
            **_fields(),
            **_keys(),
            **shapes.references(),
        },
    }


def _none_of(keys: tuple[str, ...]) -> Json:
    return {"not": {"anyOf": [shapes.has(key) for key in keys]}}


def _exclusive() -> Iterator[Json]:
    for one, other in _EXCLUSIVE:
        yield _without(one, other, f"`{one}` and `{other}` exclude each other: keep one of them")
    for alias, name in ALIASES.items():
        yield _without(alias, name, f"`{alias}` and `{name}` are the same setting: keep one of them")


def _without(one: str, other: str, message: str) -> Json:
    return {"if": shapes.has(one), "then": mappings.refusing((other,), message)}


def _forms(name: str, controls: tuple[str, ...], elsewhere: mappings.Hints) -> Json:
    """The settings of one credential: those of its kind, once something tells the kind."""
    forms = {name: _any_of_the_kinds(name)}
    every = (*controls, *FIELDS, *ALIASES)
    whole = mappings.mapping(every, elsewhere) | mappings.past(_FOREIGN_KEYS)
    forms[f"{name}.any"] = {**whole, "allOf": [*whole.get("allOf", ()), *_of_two_kinds()]}
    for kind, model in KINDS.items():
        keys = tuple(key for key in every if key in model.model_fields or key in controls or key in ALIASES)
        others = tuple(key for key in every if key not in keys)
        message = f"a credential of the kind `{kind}` has no such setting"
        forms[f"{name}.{kind}"] = mappings.mapping(keys, {**elsewhere, message: others}) | mappings.past(_FOREIGN_KEYS)
    return forms


def _of_two_kinds() -> Iterator[Json]:
    """Where no kind is told yet: settings that no kind has together."""
    for model, other in combinations(KINDS.values(), 2):
        others = tuple(key for key in other.model_fields if key not in model.model_fields and key != other.proof)
        for key in model.model_fields:
            if key not in other.model_fields and key != model.proof:
                yield {
                    "if": shapes.has(key),
                    "then": mappings.refusing(others, f"no kind of credential has this and `{key}`"),
                }


def _any_of_the_kinds(name: str) -> Json:
    """As `kinds.validation.infer()`: the kind that is named, or whose proof is there."""
    chosen: Json = {"$ref": f"#/definitions/{name}.any"}
    signs = [(shapes.has("kind", kind), kind) for kind in KINDS]
    signs += [(shapes.has(model.proof), kind) for kind, model in KINDS.items()]
    for sign, kind in reversed(signs):
        chosen = {"if": sign, "then": {"$ref": f"#/definitions/{name}.{kind}"}, "else": chosen}
    description = "One credential: who it is, and what proves it."
    rules = [{"$ref": "#/definitions/exclusive"}, {"$ref": "#/definitions/strangers"}, chosen]
    return {
        "title": "credential",
        "description": description,
        **mappings.of_a_mapping("a credential is a mapping of settings", rules),
    }


def _fields() -> Json:
    """A definition for each setting of the models."""
    found: Json = {}
    for model in KINDS.values():
        own = model.model_json_schema()
        for name, field in own["properties"].items():
            if name in found:
                continue
            if name == "kind":
                found[name] = _kind(field)
            elif name in NESTED:
                found |= _group(name, own["$defs"][field["$ref"].rpartition("/")[2]])
            else:
                found[name] = _field(name, field)
    for alias, name in ALIASES.items():
        about, examples = texts.FORMS[alias]
        # One name is enough to offer.
        found[alias] = {**found[name], **_said(alias, name, about, examples), "doNotSuggest": True}
    return found


def _kind(own: Json) -> Json:
    about = [(model.__doc__ or "").partition("\n")[0] for model in KINDS.values()]
    return {**_field("kind", {**own, "enum": list(KINDS), "default": None}), "markdownEnumDescriptions": about}


def _field(path: str, own: Json) -> Json:
    default = own.get("default")
    if isinstance(default, float) and default.is_integer():
        default = int(default)
    given: Json = {} if default in (None, []) else {"default": default}
    setting = SETTINGS[path].setting
    examples = list(setting.examples)
    shape = shapes.shape(SETTINGS[path], own)
    said = _said(path, path, setting.description, examples, given.get("default"))
    return {**said, **given, **shape, **_offered(path, shape, examples)}


def _said(title: str, path: str, description: str, examples: list[Any], default: Any = None) -> Json:
    text = texts.markdown(path, description, examples, default)
    return {"title": title, "description": description, "markdownDescription": text}


def _offered(path: str, shape: Json, examples: list[Any]) -> Json:
    """What an editor offers as the value."""
    if "enum" in shape:
        meanings = SETTINGS[path].setting.choices if path in SETTINGS else {}
        return {"markdownEnumDescriptions": [meanings[word] for word in shape["enum"]]} if meanings else {}
    values = [] if shape.get("type") == "array" else texts.values(examples)
    snippets = [*values, *shape.get("defaultSnippets", ())]
    return {"defaultSnippets": snippets} if snippets else {}


def _group(name: str, model: Json) -> Json:
    """The definitions of a group: itself, and each setting in it."""
    inner = {f"{name}.{leaf}": _field(f"{name}.{leaf}", field) for leaf, field in model["properties"].items()}
    setting = SETTINGS[name].setting
    said = _said(f"{name}: a mapping of settings", name, setting.description, list(setting.examples))
    leaves = tuple(model["properties"])
    hints = foreign_keys(leaves)
    whole = mappings.group(name, leaves, hints)
    if name == "token_cache":
        whole = _any_of_the_caches(name, leaves, hints)
    return {name: {**said, **mappings.hinting(hints), **whole}, **inner}


def _any_of_the_caches(name: str, leaves: tuple[str, ...], hints: mappings.Hints) -> Json:
    """As `TokenCacheSettings` does: the kind that is named, or whose settings are there."""
    chosen = mappings.group(name, leaves, hints)
    named: Json = {"properties": {"kind": False}}
    for kind, own in reversed(OWN_SETTINGS.items()):
        others = tuple(leaf for each, fields in OWN_SETTINGS.items() for leaf in fields if each != kind)
        message = f"a cache of the kind `{kind}` has no such setting"
        of_the_kind = mappings.group(name, leaves, hints, {message: others if own else ()})
        signs = [shapes.has("kind", kind, path=f"{name}.kind")]
        signs += [{"allOf": [named, {"anyOf": [shapes.has(leaf) for leaf in own]}]}] if own else []
        chosen = {"if": {"anyOf": signs}, "then": of_the_kind, "else": chosen}
    return chosen


def _keys() -> Json:
    """The keys of the forms."""
    name = shapes.text(ENTRY_NAME)
    values: dict[str, Json] = {
        "default": name,
        "extends": {"if": {"type": "array"}, "then": {"type": "array", "items": name}, "else": name},
        "abstract": shapes.boolean(_ABSTRACT_WORDS),
        "credentials": _entries(),
    }
    found: Json = {}
    for key, value in values.items():
        about, examples = texts.FORMS[key]
        found[key] = {**_said(key, key, about, examples), **_offered(key, value, examples), **value}
    return found


def _entries() -> Json:
    foreign = r"x-[\s\S]*|\$schema"
    names = {
        "type": "string",
        "pattern": f"^(?:{ENTRY_NAME.pattern}|{foreign})$",
        "patternErrorMessage": ENTRY_NAME.message,
        "doNotSuggest": True,  # a name is one's own: an editor would show the pattern
    }
    return {
        "title": "credentials: a mapping of entries",
        "type": "object",
        **mappings.FOREIGN,
        "additionalProperties": {"$ref": "#/definitions/entry"},
        "propertyNames": names,
        "defaultSnippets": texts.ENTRIES,
    }


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
