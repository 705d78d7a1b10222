"""The page of the settings, from the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import yaml

from credconf.config.variables import PREFIX, SELECTORS, Scheme
from credconf.kinds import ALIASES, KINDS, NESTED, SETTINGS
from credconf.references import REFERENCES
from tools.schema.texts import FORMS

Json: TypeAlias = Mapping[str, Any]

_HEAD: Final = """\
# Settings

The names are those of azure-identity's keyword arguments. Every setting may stand in a file, in a variable,
or be a keyword argument of `from_config()`; [precedence](../explanation/precedence.md) says which one counts.
A variable of a named entry has the entry's name in capitals, with `_` for `-`: `CREDCONF__MY_APP__CLIENT_ID`.
With `env_prefix: REPORTS_` it is `REPORTS_CLIENT_ID`. A list in a variable splits at `;` or `,`. A variable
that ends in `_FILE` holds the path of a file with the value.
"""
_FORMS: Final = """\
## Keys of the forms

These keys are no settings of a credential. A key that begins with `x-` is yours, for anchors and notes;
`$schema` is allowed.
"""
_SELECTORS: Final = {
    "CREDCONF_FILE": "The files that are read, as layers; between them a `:`, on Windows a `;`.",
    "CREDCONF_NAME": "The entry that is used. `name=` wins over it; it wins over `default`.",
}
_DEFAULTS: Final = {
    "kind": "the one whose secret or certificate is there",
    "tenant_id": "none: it is needed, unless `oidc_authority` is given",
    "cloud": "`public`, unless `authority` or `oidc_authority` is given",
    "authority": "that of `cloud`, unless `oidc_authority` is given",
    "token_cache.kind": "the one whose settings are there, else `memory`",
}
"""Of what depends on other settings, which pydantic can't know."""
_BOUNDS: Final = {
    "exclusiveMinimum": "more than",
    "minimum": "at least",
    "exclusiveMaximum": "less than",
    "maximum": "at most",
}


def page() -> str:
    """The page, as Markdown."""
    fields = dict(_fields())
    sections = [_section(path, field, kinds) for path, (field, kinds) in fields.items()]
    selectors = "\n".join(f"`{name}`\n:   {_SELECTORS[name]}\n" for name in SELECTORS)
    return "\n".join(
        [
            _HEAD,
            _overview(fields),
            *sections,
            _FORMS,
            *(_form(key) for key in FORMS),
            "## Variables that choose\n\nBoth are read from the environment of the process only, never from `.env`.\n",
            selectors,
        ]
    )


def paths() -> list[str]:
    """Every setting, dotted."""
    return list(dict(_fields()))


def _fields() -> Iterator[tuple[str, tuple[Json, tuple[str, ...]]]]:
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


def _overview(fields: Mapping[str, tuple[Json, tuple[str, ...]]]) -> str:
    rows = [f"| [{_breakable(path)}](#{path}) | {SETTINGS[path].setting.description} |" for path in fields]
    return "\n".join(["| setting | meaning |", "| --- | --- |", *rows, ""])


def _breakable(path: str) -> str:
    """A name that a narrow column breaks between its words."""
    return f"<code>{path.replace('.', '.<wbr>').replace('_', '_<wbr>')}</code>"


def _section(path: str, field: Json, kinds: tuple[str, ...]) -> str:
    told = {
        "Type": type_of(path, field),
        "Default": _DEFAULTS.get(path) or _default(field),
        "Values": "; ".join(f"`{word}`: {about}" for word, about in SETTINGS[path].setting.choices.items()),
        "Kinds": "all" if len(kinds) == len(KINDS) else ", ".join(f"`{kind}`" for kind in kinds),
        "Also called": ", ".join(f"`{alias}`" for alias, name in ALIASES.items() if name == path),
        "Variables": _named(path, Scheme.of(None, None, prefixed=False)),
        "Variables of the entry NAME": _named(path, Scheme(f"{PREFIX}_<NAME>__")),
    }
    terms = "\n".join(f"{term}\n:   {text}\n" for term, text in told.items() if text)
    examples = "\n\n".join(_yaml(path, example) for example in SETTINGS[path].setting.examples)
    return f"## `{path}` {{#{path}}}\n\n{SETTINGS[path].setting.description}\n\n{terms}\n{examples}\n"


def type_of(path: str, field: Json) -> str:
    """What a setting takes, in words.

    Args:
        path: of the setting.
        field: what pydantic's JSON Schema says of it.
    """
    alternatives = [item for item in field.get("anyOf", [field]) if item.get("type") != "null"]
    choices = [word for item in alternatives for word in item.get("enum", [item["const"]] if "const" in item else [])]
    if choices:
        return " or ".join(
            [", ".join(f"`{word}`" for word in choices[:-1])] * (len(choices) > 1) + [f"`{choices[-1]}`"]
        )
    of = SETTINGS[path]
    if of.setting.choices:
        *others, last = (f"`{word}`" for word in of.setting.choices)
        return f"{', '.join(others)} or {last}"
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


def _default(field: Json) -> str:
    if field.get("required"):
        return "none: it is needed"
    default = field.get("default")
    return "none" if default in (None, []) else f"`{_flow(default)}`"


def _named(path: str, scheme: Scheme) -> str:
    names = [item.name for item in scheme.variables() if item.field == path and item.form != "unusable"]
    return ", ".join(f"`{name}`" for name in names)


def _yaml(path: str, example: Any) -> str:
    group, _, leaf = path.rpartition(".")
    line = f"{leaf}: {_flow(example)}"
    return f"```yaml\n{f'{group}: {{{line}}}' if group else line}\n```"


def _flow(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


def _form(key: str) -> str:
    about, examples = FORMS[key]
    written = yaml.safe_dump({key: examples[0]}, default_flow_style=None, sort_keys=False, width=1000)
    return f"### `{key}` {{#{key}}}\n\n{about}\n\n```yaml\n{written}```\n"
