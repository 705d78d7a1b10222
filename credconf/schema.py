"""The JSON Schema of a configuration file, for editors: generated from the models, written by `make schema`.

It says what `credconf check` says of one file, as far as a schema can. It cannot say

- what depends on another place: whether an entry exists, and is not abstract, that `default` or `extends` names
  (`unknown-name`, `unknown-parent`, `abstract`), a circle of them (`cycle`), two names that mean one variable
  (`bad-name`), two proofs or two authorities that come together only by `extends` or layers (`two-proofs`, `conflict`,
  `unknown-key`);
- what YAML says before a schema is asked: a key that stands twice, a file that is no YAML (`duplicate-key`, `bad-key`,
  `bad-yaml`), and a file with nothing in it (`empty-file`);
- bounds of a number that is written as text, a port above 65535, a host longer than 253 characters, an IPv6 address or
  a proxy's URL that is none, a NUL character (`bad-value`);
- how a number was written: an editor reads `0x10` and `1e1` as numbers, where a whole number must have digits only.

And it is stricter in one thing: an editor cannot tell `null` or `~` from a value that was forgotten, so those are
refused where our reader takes them for text. Neither says what is `missing`, because the environment may supply it, nor
gives the schema warnings. `tests/test_schema.py` holds the two together, and has an example of each difference.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from credconf.config import hover, shapes
from credconf.kinds import ALIASES, FIELDS, KINDS, NESTED

Json = shapes.Json

FILE: Final = Path(__file__).parent.parent / "schema" / "credconf.schema.json"
"""Where the repository keeps it; the wheel holds it as `credconf/credconf.schema.json`."""

_FOREIGN: Final[Json] = {
    "properties": {"$schema": {"description": "The schema of this file, for editors."}},
    "patternProperties": {"^x-": {"description": "Yours: for anchors, and whatever else you like."}},
    "additionalProperties": False,
}
_EXCLUSIVE: Final = (
    *ALIASES.items(),
    ("cloud", "authority"),
    ("oidc_authority", "tenant_id"),
    ("oidc_authority", "cloud"),
    ("oidc_authority", "authority"),
)
_FORMS: Final = ("default", "credentials")
_ABSTRACT_WORDS: Final = ("true", "false", "yes", "no", "on", "off")


def document() -> Json:
    """The whole schema, draft-07."""
    named = {"anyOf": [_has("credentials"), _has("default")]}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "credconf",
        "description": "Credentials for Microsoft Entra ID: one, or several by name.",
        "type": "object",
        "allOf": [
            {"if": named, "then": {"$ref": "#/definitions/named"}, "else": {"$ref": "#/definitions/flat"}},
            # Both forms begin in an empty file: an editor offers the keys of both there, and whole beginnings.
            {"if": _none_of((*FIELDS, *ALIASES, *_FORMS)), "then": {"$ref": "#/definitions/beginning"}},
        ],
        "definitions": {
            "named": _mapping(_FORMS),
            "beginning": {"type": "object", "properties": _referred(_FORMS), "defaultSnippets": hover.SNIPPETS},
            **_forms("flat", ()),
            **_forms("entry", ("extends", "abstract")),
            "exclusive": {"allOf": [_without(one, other) for one, other in _EXCLUSIVE]},
            **_fields(),
            **_keys(),
            **shapes.references(),
        },
    }


def _none_of(keys: tuple[str, ...]) -> Json:
    return {"not": {"anyOf": [_has(key) for key in keys]}}


def _has(key: str, *values: str) -> Json:
    wanted: Any = {"enum": list(values)} if values else True
    return {"type": "object", "properties": {key: wanted}, "required": [key]}


def _without(one: str, other: str) -> Json:
    return {"if": _has(one), "then": {"type": "object", "properties": {other: False}}}


def _mapping(keys: tuple[str, ...]) -> Json:
    """A mapping that holds these keys and foreign ones."""
    return {"type": "object", **_FOREIGN, "properties": {**_referred(keys), **_FOREIGN["properties"]}}


def _referred(keys: tuple[str, ...]) -> Json:
    return {key: {"$ref": f"#/definitions/{key}"} for key in keys}


def _forms(name: str, controls: tuple[str, ...]) -> Json:
    """The settings of one credential: those of its kind, once something tells the kind."""
    forms = {name: _any_of_the_kinds(name)}
    every = (*controls, *FIELDS, *ALIASES)
    forms[f"{name}.any"] = _mapping(every)
    for kind, model in KINDS.items():
        keys = tuple(key for key in every if key in model.model_fields or key in controls or key in ALIASES)
        forms[f"{name}.{kind}"] = _mapping(keys)
    return forms


def _any_of_the_kinds(name: str) -> Json:
    """As `kinds.validation.infer()`: the kind that is named, or whose proof is there."""
    chosen: Json = {"$ref": f"#/definitions/{name}.any"}
    signs = [(_has("kind", kind), kind) for kind in KINDS] + [
        (_has(model.proof), kind) for kind, model in KINDS.items()
    ]
    for sign, kind in reversed(signs):
        chosen = {"if": sign, "then": {"$ref": f"#/definitions/{name}.{kind}"}, "else": chosen}
    description = "One credential: who it is, and what proves it."
    return {"type": "object", "description": description, "allOf": [{"$ref": "#/definitions/exclusive"}, chosen]}


def _fields() -> Json:
    """A definition for each setting of the models."""
    found: Json = {}
    for model in KINDS.values():
        own = model.model_json_schema()
        for name, field in own["properties"].items():
            if name in found:
                continue
            if name == "kind":
                found[name] = _field(name, {**field, "enum": list(KINDS), "default": None})
            elif name in NESTED:
                found[name] = _group(name, own["$defs"][field["$ref"].rpartition("/")[2]], field)
            else:
                found[name] = _field(name, field)
    for alias, name in ALIASES.items():
        about, examples = hover.FORMS[alias]
        found[alias] = {**found[name], **_said(name, about, examples)}
    return found


def _field(path: str, own: Json) -> Json:
    default = own.get("default")
    if isinstance(default, float) and default.is_integer():
        default = int(default)
    given: Json = {} if default in (None, []) else {"default": default}
    said = _said(path, own["description"], own.get("examples", []), given.get("default"))
    return {**said, **given, **shapes.shape(path, own)}


def _said(path: str, description: str, examples: list[Any], default: Any = None) -> Json:
    said = {"description": description, "markdownDescription": hover.markdown(path, description, examples, default)}
    # An editor offers `examples` as completions, which it does well for text only.
    simple = [item for item in examples if "{" not in json.dumps(item)]
    return {**said, "examples": simple} if simple else said


def _group(name: str, model: Json, own: Json) -> Json:
    inner = {leaf: _field(f"{name}.{leaf}", field) for leaf, field in model["properties"].items()}
    said = _said(name, {**model, **own}["description"], own.get("examples", []))
    return {**said, "type": "object", **_FOREIGN, "properties": {**inner, **_FOREIGN["properties"]}}


def _keys() -> Json:
    """The keys of the forms."""
    name = shapes.text(shapes.NAME)
    foreign = r"x-[\s\S]*|\$schema"
    values: dict[str, Json] = {
        "default": name,
        "extends": {"if": {"type": "array"}, "then": {"type": "array", "items": name}, "else": name},
        "abstract": shapes.boolean(_ABSTRACT_WORDS),
        "credentials": {
            "type": "object",
            **_FOREIGN,
            "additionalProperties": {"$ref": "#/definitions/entry"},
            "propertyNames": {
                "type": "string",
                "pattern": f"^(?:{shapes.ENTRY}|{foreign})$",
                "patternErrorMessage": shapes.NAME.message,
            },
        },
    }
    return {key: {**_said(key, *hover.FORMS[key]), **value} for key, value in values.items()}


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the file of the repository."""
    FILE.write_text(text(), encoding="utf-8", newline="\n")
    sys.stdout.write(f"wrote {FILE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
