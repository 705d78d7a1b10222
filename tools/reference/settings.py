"""The page of the settings, from their declarations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml

from credconf.config.variables import PREFIX, SELECTORS, Scheme
from credconf.kinds import ALIASES, KINDS, NESTED, PROOFS, SETTINGS
from credconf.references import REFERENCES
from tools.schema.texts import FORMS

from .markdown import fenced, items, table

if TYPE_CHECKING:
    from credconf.settings.declaration import Topic

Json: TypeAlias = Mapping[str, Any]
Field: TypeAlias = tuple[Json, tuple[str, ...]]
"""What pydantic says of a setting, and the kinds that have it."""

_HEAD: Final = """\
# Settings

## The three that everyone needs

An application that proves itself with a client secret needs three settings:

```yaml title="credconf.yaml"
tenant_id: 72f988bf-86f1-41af-91ab-2d7cd011db47
client_id: 11111111-1111-1111-1111-111111111111
client_secret:
  file: secrets/entra
```
"""
_INSTEAD: Final = """\
Instead of `client_secret`, an application can prove itself with [`client_certificate`](#client_certificate) or
[`client_assertion`](#client_assertion). [`kind`](#kind) names what needs no proof: a managed identity, or the Azure
CLI. Every other setting is optional.

## How to give a setting

The names are those of azure-identity's keyword arguments. A setting can be a key in a file, a variable, or a keyword
argument of `from_config()`; [Precedence](../explanation/precedence.md) explains which one counts.

- Where a type below lists `{env: NAME}` or `{file: PATH}`, the value can be such a reference instead of text.
- Every setting that has a variable can also be set as `CREDCONF_<SETTING>`, which wins over its `AZURE_` variable.
- An [entry](#credentials) of a file reads `CREDCONF__<NAME>__<SETTING>` and no others. `<NAME>` is its name in
  capitals, with `_` for `-`: `CREDCONF__MY_APP__CLIENT_ID`.
- With `env_prefix: REPORTS_`, the variable is `REPORTS_CLIENT_ID`.
- A list in a variable is split at `;` or `,`.
- A variable that ends in `_FILE` holds the path of a file with the value.

## Overview

The last column shows the variables that azure-identity or another Azure SDK documents, where there are any. The section
of each setting lists all of its variables.
"""
_TOPICS: Final[dict[Topic, tuple[str, str]]] = {
    "identity": ("Identity", "Who requests a token, and for which tenants."),
    "proof": ("Proof", "What convinces Entra ID that the application is who it claims to be."),
    "where": ("Where", "The server that receives the token requests."),
    "http": ("HTTP", "How the server is reached: keys of the mapping `http`."),
    "token cache": ("Token cache", "Where tokens are kept, and which of them are requested early."),
    "file": (
        "File structure",
        "Keys that arrange a file. A key that begins with `x-` is yours, for anchors and notes.",
    ),
}
_SELECTING: Final = """\
## Variables that select

They are read from the process environment only, never from `.env`.
"""
_SELECTORS: Final = {
    "CREDCONF_FILE": "The files to read, as layers, separated by `:` (on Windows by `;`).",
    "CREDCONF_NAME": "The entry to use. `name=` wins over it; it wins over `default`.",
}
_COLUMNS: Final = ("setting", "meaning", "default", "variables")
_BOUNDS: Final = {
    "exclusiveMinimum": "more than",
    "minimum": "at least",
    "exclusiveMaximum": "less than",
    "maximum": "at most",
}


def page() -> str:
    """The page, as Markdown."""
    fields = dict(_fields())
    first = table(_COLUMNS, [_row(path, fields[path]) for path in ("tenant_id", "client_id", PROOFS[0])])
    parts = [_HEAD, first + "\n", _INSTEAD]
    by_topic = {topic: [path for path in fields if _topic(path) == topic] for topic in _TOPICS}
    for topic, paths_of in by_topic.items():
        rows = [_row(path, fields[path]) for path in paths_of]
        rows += [(_linked(key), about, "none", "none") for key, (about, _) in FORMS.items()] if topic == "file" else []
        parts.append(f"**{_TOPICS[topic][0]}**\n\n{table(_COLUMNS, rows)}\n")
    for topic, paths_of in by_topic.items():
        parts.append("## {}\n\n{}\n".format(*_TOPICS[topic]))
        parts += [_section(path, fields[path]) for path in paths_of]
    parts += [_form(key) for key in FORMS]  # the last topic is theirs
    parts += [_SELECTING, items((f"`{name}`", _SELECTORS[name]) for name in SELECTORS)]
    return "\n".join(parts) + "\n"


def paths() -> list[str]:
    """Every setting, dotted."""
    return list(dict(_fields()))


def _topic(path: str) -> Topic:
    return SETTINGS[path.partition(".")[0]].setting.topic


def _fields() -> Iterator[tuple[str, Field]]:
    """Each setting: its path, what pydantic says of it, and the kinds that have it."""
    schemas = {kind: model.model_json_schema() for kind, model in KINDS.items()}
    names = dict.fromkeys(name for schema in schemas.values() for name in schema["properties"])
    for name in names:
        having = tuple(kind for kind, schema in schemas.items() if name in schema["properties"])
        own = schemas[having[0]]
        field = {**own["properties"][name], "required": name in own.get("required", ())}
        if name not in NESTED:
            yield name, (_of_every_kind(field) if name == "kind" else field, having)
            continue
        group = own["$defs"][field["$ref"].rpartition("/")[2]]
        for leaf, inner in group["properties"].items():
            yield f"{name}.{leaf}", (inner, having)


def _of_every_kind(field: Json) -> Json:
    """`kind` is a constant in each model; which one it is follows from the others."""
    return {**field, "enum": list(KINDS), "default": None}


def _row(path: str, field: Field) -> tuple[str, str, str, str]:
    flat = Scheme.of(None, None, prefixed=False)
    documented = SETTINGS[path].setting.environment
    own = flat.suggestion(path, ours=True)
    variables = documented or ((own,) if own else ())
    text = ", ".join(f"`{name}`" for name in variables)
    return _linked(path), SETTINGS[path].setting.description, _default(path, field[0]), text or "none"


def _linked(path: str) -> str:
    return f"[`{path}`](#{path.replace('.', '')})"


def _section(path: str, field: Field) -> str:
    own, kinds = field
    setting = SETTINGS[path].setting
    described = items(
        [
            ("Type", type_of(path, own)),
            ("Default", _default(path, own)),
            ("Values", "; ".join(f"`{word}`: {about.rstrip('.')}" for word, about in setting.choices.items())),
            ("Kinds", "all" if len(kinds) == len(KINDS) else ", ".join(f"`{kind}`" for kind in kinds)),
            ("Also called", ", ".join(f"`{alias}`" for alias, name in ALIASES.items() if name == path)),
            ("Variables", _named(path, Scheme.of(None, None, prefixed=False))),
            ("Variables of an entry", _named(path, Scheme(f"{PREFIX}_<NAME>__"))),
        ]
    )
    examples = [_yaml(path, example) for example in setting.examples]
    return "\n\n".join([f"### `{path}`", setting.description, described, *examples]) + "\n"


def type_of(path: str, field: Json) -> str:
    """What a setting takes, in words.

    Args:
        path: of the setting.
        field: what pydantic's JSON Schema says of it.
    """
    alternatives = [item for item in field.get("anyOf", [field]) if item.get("type") != "null"]
    choices = [word for item in alternatives for word in item.get("enum", [item["const"]] if "const" in item else [])]
    of = SETTINGS[path]
    if choices := choices or list(of.setting.choices):
        *others, last = (f"`{word}`" for word in choices)
        return f"{', '.join(others)} or {last}" if others else last
    plain = {item.get("type") for item in alternatives}
    words = [] if of.only_by_reference else [word for name, word in _words(field).items() if name in plain]
    words += [f"`{{{key}: {REFERENCES[key].placeholder}}}`" for key in of.references]
    several = of.accepts is not None and of.accepts.several > 1
    return ", ".join([*words, *(["a list of these"] if several else [])])


def _words(field: Json) -> dict[str, str]:
    bounds = " and ".join(f"{word} {field[bound]:g}" for bound, word in _BOUNDS.items() if bound in field)
    words = {"string": "text", "integer": f"whole number, {bounds}", "number": f"number, {bounds}"}
    alone = not any(item.get("type") == "string" for item in field.get("anyOf", ()))
    return {**words, "boolean": "`true` or `false`", **({"array": "a list of texts"} if alone else {})}


def _default(path: str, field: Json) -> str:
    if SETTINGS[path].setting.otherwise:
        return SETTINGS[path].setting.otherwise
    if field.get("required"):
        return "required" if path not in PROOFS else "required, unless another proof is given"
    default = field.get("default")
    return "none" if default in (None, []) else f"`{_flow(default)}`"


def _named(path: str, scheme: Scheme) -> str:
    names = [item.name for item in scheme.variables() if item.field == path and item.form != "unusable"]
    return ", ".join(f"`{name}`" for name in names)


def _yaml(path: str, example: Any) -> str:
    group, _, leaf = path.rpartition(".")
    line = f"{leaf}: {_flow(example)}"
    return fenced(f"{group}: {{{line}}}" if group else line, "yaml")


def _flow(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


def _form(key: str) -> str:
    about, examples = FORMS[key]
    written = yaml.safe_dump({key: examples[0]}, default_flow_style=None, sort_keys=False, width=1000)
    return f"### `{key}`\n\n{about}\n\n{fenced(written, 'yaml')}\n"
