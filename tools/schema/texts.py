"""The texts that an editor shows for a setting: meaning, default, an example, and the variables that give it."""

from __future__ import annotations

import json
from textwrap import indent
from typing import TYPE_CHECKING, Any, Final

import yaml

from credconf.config.variables import PREFIX, Scheme
from credconf.kinds import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

_ID: Final = {"tenant_id": "72f988bf-86f1-41af-91ab-2d7cd011db47", "client_id": "11111111-1111-1111-1111-111111111111"}

FORMS: Final[dict[str, tuple[str, list[Any]]]] = {
    "default": ("The entry of `credentials` to use.", ["billing"]),
    "credentials": (
        "Credentials by name. An entry has the same settings as a file with only one credential.",
        [{"billing": {**_ID, "client_secret": {"file": "secrets/billing"}}}],
    ),
    "extends": (
        "The entry, or entries, whose settings this one inherits. A later one wins.",
        ["base", ["base", "proxied"]],
    ),
    "abstract": ("This entry contains settings for others to extend. It can't be used itself.", [True]),
    "allowed_tenants": ("Another name of `additionally_allowed_tenants`.", [["fabrikam.onmicrosoft.com"]]),
}
"""The keys that are not settings of a model, with their meaning and examples."""

_OTHER_WAYS: Final = {"default": "`CREDCONF_NAME` and `name=` have precedence."}


def _credential(number: int, proof: str, path: str) -> dict[str, Any]:
    """Return the body of a snippet, whose placeholders are numbered from `number`."""
    ids = {key: f"${{{number + index}:{value}}}" for index, (key, value) in enumerate(_ID.items())}
    return {**ids, proof: {"file": f"${{{number + len(ids)}:{path}}}"}}


SNIPPETS: Final = [
    {
        "label": "one credential with a client secret",
        "description": "A service principal whose secret is in a file.",
        "body": _credential(1, "client_secret", "/run/secrets/entra"),
    },
    {
        "label": "one credential with a certificate",
        "description": "A service principal whose certificate and private key are in a file.",
        "body": _credential(1, "client_certificate", "/run/secrets/entra.pem"),
    },
    {
        "label": "several credentials by name",
        "description": "An entry with common settings, and one that extends it.",
        "body": {
            "default": "${1:billing}",
            "credentials": {
                "base": {"abstract": True, "tenant_id": f"${{2:{_ID['tenant_id']}}}"},
                "${1:billing}": {
                    "extends": "base",
                    "client_id": f"${{3:{_ID['client_id']}}}",
                    "client_secret": {"file": "${4:secrets/billing}"},
                },
            },
        },
    },
]
"""Snippets for a new file."""

ENTRIES: Final = [
    {
        "label": "an entry with a client secret",
        "description": "A service principal whose secret is in a file.",
        "body": {"${1:billing}": _credential(2, "client_secret", "secrets/billing")},
    },
    {
        "label": "an entry with a certificate",
        "description": "A service principal whose certificate and private key are in a file.",
        "body": {"${1:billing}": _credential(2, "client_certificate", "secrets/billing.pem")},
    },
    {
        "label": "an entry with common settings",
        "description": "Other entries inherit its settings by `extends`; it can't be used itself.",
        "body": {"${1:base}": {"abstract": True, "tenant_id": f"${{2:{_ID['tenant_id']}}}"}},
    },
]
"""Snippets for a new entry of `credentials`."""


def markdown(path: str, description: str, examples: list[Any], default: Any = None) -> str:
    """Return the text of one setting.

    Args:
        path: the dotted path of the setting.
        description: one sentence or two.
        examples: examples, of which the first is shown.
        default: the default; `None` where there is none, or the description has it.
    """
    paragraphs = [description]
    if default is not None:
        paragraphs.append(f"Default: `{_flow(default)}`")
    if path in SETTINGS and SETTINGS[path].setting.choices:
        paragraphs.append("\n".join(f"- `{word}`: {about}" for word, about in SETTINGS[path].setting.choices.items()))
    if examples:
        paragraphs.append(f"```yaml\n{_written(path, examples[0])}```")
    paragraphs.append(_variables(path))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def values(examples: list[Any]) -> list[dict[str, Any]]:
    """Return snippets for the value of a setting: its examples, except references.

    An editor would insert `examples` without their quotes, and show them twice.
    """
    simple = [item for item in examples if "{" not in json.dumps(item)]
    return [{"label": _flow(item), "body": _body(item)} for item in simple]


def _body(value: Any) -> Any:
    if isinstance(value, list):
        return [f"${{{number}:{_flow(item)}}}" for number, item in enumerate(value, 1)]
    return f"${{1:{_flow(value)}}}" if isinstance(value, str) else value


def _written(path: str, example: Any) -> str:
    group, _, leaf = path.rpartition(".")
    written = f"{leaf}: {_flow(example)}\n"
    if any(isinstance(item, dict | list) for item in _inside(example)):
        below: str = yaml.safe_dump(example, default_flow_style=None, sort_keys=False, width=1000)
        written = f"{leaf}:\n{indent(below, '  ')}"
    return f"{group}:\n{indent(written, '  ')}" if group else written


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


def _variables(path: str) -> str:
    flat = _names(Scheme.of(None, None, prefixed=False), path)
    if not flat:
        return _OTHER_WAYS.get(path, "")
    named = _names(Scheme(f"{PREFIX}_<NAME>__"), path)
    return f"Variables: {', '.join(flat)}; of the entry NAME: {', '.join(named)}"


def _names(scheme: Scheme, path: str) -> list[str]:
    return [f"`{item.name}`" for item in scheme.variables() if item.field == path and item.form != "unusable"]
