"""Generates the JSON Schema of a configuration file from the declarations of the settings (`make schema`).

The schema finds the same errors in one file as `credconf check`, as far as a schema can. It cannot find

- errors that depend on another place: `default` or `extends` with the name of an entry that does not exist or is
  abstract (`unknown-name`, `unknown-parent`, `abstract`), a circle (`cycle`), two names with the same variables
  (`bad-name`), two proofs or authorities that come together only by `extends` or layers (`two-proofs`, `conflict`,
  `unknown-key`);
- errors of YAML itself: a duplicate key, a file that is not YAML (`duplicate-key`, `bad-key`, `bad-yaml`), and an empty
  file (`empty-file`);
- a number out of bounds that is written as text, or that YAML 1.1 reads as text (`1e400`), a port above 65535, a host
  longer than 253 characters, an invalid IPv6 address or proxy URL, a NUL character (`bad-value`);
- the notation of a number: an editor reads `0x10` and `1e1` as numbers, but a whole number must have only digits.

In one case it is stricter: for an editor, `null` and `~` are the same as no value, so the schema rejects them where
credconf reads them as text, also in `client_secret`. Neither reports `missing` settings, because the environment may
supply them, and the schema has no warnings. `tests/test_schema.py` tests that both agree, with an example of each
difference.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from credconf.kinds import ALIASES, FIELDS, KINDS, NESTED, PROOFS, SETTINGS, Kind
from credconf.settings.formats import ENTRY_NAME
from credconf.stores import OWN_SETTINGS, STORES

from . import mappings, shapes, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = shapes.Json

FILE: Final = Path(__file__).parent.parent.parent / "schema" / "credconf.schema.json"
"""The file in the repository; in the wheel it is `credconf/credconf.schema.json`."""

_EXCLUSIVE: Final = (
    ("cloud", "authority"),
    ("oidc_authority", "tenant_id"),
    ("oidc_authority", "cloud"),
    ("oidc_authority", "authority"),
    *(pair for kind in KINDS.values() for pair in combinations(kind.exclusive, 2)),
)
_FOREIGN_KEYS: Final = mappings.foreign_keys((*FIELDS, *ALIASES))
_FORMS: Final = ("default", "credentials")
_CONTROLS: Final = ("extends", "abstract")
_IN_AN_ENTRY: Final = "this belongs in an entry of `credentials`"
_ABSTRACT_WORDS: Final = ("true", "false", "yes", "no", "on", "off")


def document() -> Json:
    """Return the whole schema (draft-07)."""
    named = {"anyOf": [shapes.has("credentials"), shapes.has("default")]}
    forms: list[Json] = [
        {"if": named, "then": {"$ref": "#/definitions/named"}, "else": {"$ref": "#/definitions/flat"}},
        # In an empty file, an editor offers the keys of both forms, and snippets of whole configurations.
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
            "foreign_keys": mappings.hinting(_FOREIGN_KEYS),
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
    """Return the definitions of one credential: for each kind, and for a credential whose kind is unknown."""
    forms = {name: _any_of_the_kinds(name)}
    every = (*controls, *FIELDS, *ALIASES)
    whole = mappings.mapping(every, elsewhere) | mappings.past(_FOREIGN_KEYS)
    forms[f"{name}.any"] = {**whole, "allOf": [*whole.get("allOf", ()), *_of_two_kinds(), *_of_kinds_in_memory()]}
    for kind, model in KINDS.items():
        keys = tuple(key for key in every if key in controls or _has(model, key))
        others = tuple(key for key in every if key not in keys)
        message = f"a credential of the kind `{kind}` has no such setting"
        form = mappings.mapping(keys, {**elsewhere, message: others}) | mappings.past(_FOREIGN_KEYS)
        if model.proof is None:
            form = {**form, "allOf": [*form.get("allOf", ()), _in_memory()]}
        forms[f"{name}.{kind}"] = form
    return forms


def _in_memory() -> Json:
    """Return the rule that a kind without a proof keeps its tokens in memory: it has nothing to encrypt them with."""
    message = "this kind of credential keeps its tokens in memory only"
    others = tuple(leaf for leaves in OWN_SETTINGS.values() for leaf in leaves)
    memory = {"type": "string", "enum": ["memory"], "errorMessage": message}
    named: Json = {"type": "object", "properties": {"kind": memory}}
    rule = {"if": shapes.has("kind"), "then": named, "else": mappings.refusing(others, message)}
    return {"type": "object", "properties": {"token_cache": {"if": {"type": "object"}, "then": rule}}}


def _of_two_kinds() -> Iterator[Json]:
    """Yield rules against settings that no kind has together, for a credential whose kind is unknown."""
    names = [name for name in (*FIELDS, *ALIASES) if name not in PROOFS]
    for position, name in enumerate(names):
        later = names[position + 1 :]
        others = tuple(other for other in later if not any(_has(kind, name, other) for kind in KINDS.values()))
        if others:
            message = f"no kind of credential has this and `{name}`"
            yield {"if": shapes.has(name), "then": mappings.refusing(others, message)}


def _of_kinds_in_memory() -> Iterator[Json]:
    """Yield the rule above for each setting that only kinds without a proof have."""
    for name in FIELDS:
        if all(kind.proof is None for kind in KINDS.values() if _has(kind, name)):
            yield {"if": shapes.has(name), "then": _in_memory()}


def _has(model: type[Kind], *names: str) -> bool:
    return all(ALIASES.get(name, name) in model.model_fields for name in names)


def _any_of_the_kinds(name: str) -> Json:
    """Choose the kind as `kinds.validation.infer()` does: the one that is named, or whose proof is given."""
    chosen: Json = {"$ref": f"#/definitions/{name}.any"}
    signs = [(shapes.has("kind", kind), kind) for kind in KINDS]
    signs += [(shapes.has(model.proof), kind) for kind, model in KINDS.items() if model.proof is not None]
    for sign, kind in reversed(signs):
        chosen = {"if": sign, "then": {"$ref": f"#/definitions/{name}.{kind}"}, "else": chosen}
    description = "One credential: an identity and its proof."
    rules = [{"$ref": "#/definitions/exclusive"}, {"$ref": "#/definitions/foreign_keys"}, chosen]
    return {
        "title": "credential",
        "description": description,
        **mappings.of_a_mapping("a credential is a mapping of settings", rules),
    }


def _fields() -> Json:
    """Return a definition for each setting of the models."""
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
        # An editor offers only the main name.
        found[alias] = {**found[name], **_described(alias, name, about, examples), "doNotSuggest": True}
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
    text_of = _described(path, path, setting.description, examples, given.get("default"))
    return {**text_of, **given, **shape, **_offered(path, shape, examples)}


def _described(title: str, path: str, description: str, examples: list[Any], default: Any = None) -> Json:
    text = texts.markdown(path, description, examples, default)
    return {"title": title, "description": description, "markdownDescription": text}


def _offered(path: str, shape: Json, examples: list[Any]) -> Json:
    """Return what an editor offers as the value."""
    if "enum" in shape:
        meanings = SETTINGS[path].setting.choices if path in SETTINGS else {}
        return {"markdownEnumDescriptions": [meanings[word] for word in shape["enum"]]} if meanings else {}
    values = [] if shape.get("type") == "array" else texts.values(examples)
    snippets = [*values, *shape.get("defaultSnippets", ())]
    return {"defaultSnippets": snippets} if snippets else {}


def _group(name: str, model: Json) -> Json:
    """Return the definitions of a group and of each setting in it."""
    inner = {f"{name}.{leaf}": _field(f"{name}.{leaf}", field) for leaf, field in model["properties"].items()}
    setting = SETTINGS[name].setting
    text_of = _described(f"{name}: a mapping of settings", name, setting.description, list(setting.examples))
    leaves = tuple(model["properties"])
    hints = mappings.foreign_keys(leaves)
    whole = mappings.group(name, leaves, hints)
    if name == "token_cache":
        whole = _any_of_the_caches(name, leaves, hints)
    return {name: {**text_of, **mappings.hinting(hints), **whole}, **inner}


def _any_of_the_caches(name: str, leaves: tuple[str, ...], hints: mappings.Hints) -> Json:
    """Choose the kind of store as `TokenCacheSettings` does: the one that is named, or whose settings are given."""
    chosen = mappings.group(name, leaves, hints)
    named: Json = {"properties": {"kind": False}}
    for kind, own in reversed(OWN_SETTINGS.items()):
        others = tuple(leaf for each, fields in OWN_SETTINGS.items() for leaf in fields if each != kind)
        message = f"a cache of the kind `{kind}` has no such setting"
        of_the_kind = mappings.group(name, leaves, hints, {message: others if own else ()})
        if rules := [_false_beside(one, other) for one, other in STORES[kind].false_beside.items()]:
            of_the_kind = {**of_the_kind, "allOf": [*of_the_kind.get("allOf", ()), *rules]}
        signs = [shapes.has("kind", kind, path=f"{name}.kind")]
        signs += [{"allOf": [named, {"anyOf": [shapes.has(leaf) for leaf in own]}]}] if own else []
        chosen = {"if": {"anyOf": signs}, "then": of_the_kind, "else": chosen}
    return chosen


def _false_beside(one: str, other: str) -> Json:
    rule = shapes.false(f"`{other}` and `{one}` exclude each other: keep one of them")
    return {"if": shapes.has(one), "then": {"type": "object", "properties": {other: rule}}}


def _keys() -> Json:
    """Return the definitions of the keys that are not settings, such as `default`."""
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
        found[key] = {**_described(key, key, about, examples), **_offered(key, value, examples), **value}
    return found


def _entries() -> Json:
    foreign = r"x-[\s\S]*|\$schema"
    names = {
        "type": "string",
        "pattern": f"^(?:{ENTRY_NAME.pattern}|{foreign})$",
        "patternErrorMessage": ENTRY_NAME.message,
        "doNotSuggest": True,  # an editor would offer the pattern as a name
    }
    return {
        "title": "credentials: a mapping of entries",
        "type": "object",
        **mappings.USER_KEYS,
        "additionalProperties": {"$ref": "#/definitions/entry"},
        "propertyNames": names,
        "defaultSnippets": texts.ENTRIES,
    }


def text() -> str:
    """Return the text of the schema file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
