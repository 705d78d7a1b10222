"""Mappings as JSON Schema: the keys that they accept, and the hints that an editor shows for other keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from credconf.config.variables import Scheme
from credconf.kinds import NESTED
from credconf.kinds.hints import hint_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .shapes import Json

Hints: TypeAlias = "dict[str, tuple[str, ...]]"
"""Keys by the hint that an editor shows for them."""

USER_KEYS: Final[Json] = {
    # An editor would insert it without its colon, and the modeline has the same effect.
    "properties": {"$schema": {"description": "The schema of this file, for editors.", "doNotSuggest": True}},
    "patternProperties": {"^x-": {"description": "Your own key: for anchors, or for any other use."}},
    "additionalProperties": False,
}


def of_a_mapping(message: str, schemas: list[Json]) -> Json:
    """Accept only a mapping; anything else is one error, even if several schemas reject it."""
    return {"type": "object", "errorMessage": message, "if": {"type": "object"}, "then": {"allOf": schemas}}


def refusing(keys: tuple[str, ...], message: str) -> Json:
    """Reject these keys, with a message."""
    return {"type": "object", "properties": dict.fromkeys(keys, False), "errorMessage": message}


def mapping(keys: tuple[str, ...], elsewhere: Hints | None = None) -> Json:
    """Accept a mapping with these keys and the user's own.

    Args:
        keys: the keys of settings.
        elsewhere: keys that belong elsewhere, by the hint for them.
    """
    refused = {message: others for message, others in (elsewhere or {}).items() if others}
    # They are listed only to get a better message than that they are unknown.
    named = {key: {"doNotSuggest": True} for others in refused.values() for key in others}
    held = {"type": "object", **USER_KEYS, "properties": {**referred(keys), **named, **USER_KEYS["properties"]}}
    rules = _refusals(refused)
    return {**held, "allOf": rules} if rules else held


def group(name: str, leaves: tuple[str, ...], hints: Hints, elsewhere: Hints | None = None) -> Json:
    """Accept the mapping of a group of settings.

    Args:
        name: the name of the group.
        leaves: the settings in it.
        hints: the keys that `hinting()` rejects.
        elsewhere: settings of the group that have no effect here, by the hint for them.
    """
    refused = {message: others for message, others in (elsewhere or {}).items() if others}
    unfit = {key for others in refused.values() for key in others}
    own: Json = {leaf: {"$ref": f"#/definitions/{name}.{leaf}"} for leaf in leaves if leaf not in unfit}
    own |= {leaf: {"doNotSuggest": True} for leaf in leaves if leaf in unfit}
    held = {"type": "object", **USER_KEYS, **past(hints), "properties": {**own, **USER_KEYS["properties"]}}
    return {**held, "allOf": _refusals(refused)} if refused else held


def _refusals(keys: Hints) -> list[Json]:
    """Return the rules that reject keys with their hints."""
    return [refusing(others, message) for message, others in keys.items()]


def _spelled(hints: Hints) -> str:
    return f"^(?:{'|'.join(key for keys in hints.values() for key in keys)})$"


def past(hints: Hints) -> Json:
    """Accept the user's own keys, and those that `hinting()` rejects with its own messages."""
    return {"patternProperties": {**USER_KEYS["patternProperties"], _spelled(hints): {}}}


def hinting(hints: Hints) -> Json:
    """Reject keys with their hints."""
    return {
        "type": "object",
        "if": {"patternProperties": {_spelled(hints): False}},
        "else": {"allOf": _refusals(hints)},
    }


def referred(keys: tuple[str, ...]) -> Json:
    """Return the properties for these keys, each of which has its own definition."""
    return {key: {"$ref": f"#/definitions/{key}"} for key in keys}


_WORDS: Final = (
    *("tenant", "client", "appId", "app_id", "applicationId", "application_id", "secret", "password"),
    *("certificate", "authority_host", "authorityHost", "environment", "issuer", "location"),
    *("scope", "scopes", "resource", "username", "subscription_id", "subscriptionId", "thumbprint"),
    *("client_secret_file", "client_secret_env", "client_certificate_file", "client_certificate_path"),
    *("retry_total", "connection_timeout", "read_timeout", "proxies", "verify", "connection_verify"),
)
"""Common keys of other tools: azure-identity, the Azure CLI, MSAL, Terraform, .NET.

They are listed, because a schema knows no similarity.
"""


def foreign_keys(known: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return keys of other tools, by the hint that `credconf check` gives for them.

    Args:
        known: the settings that the mapping may hold.
    """
    keys_by_hint: dict[str, list[str]] = {}
    for key in dict.fromkeys(_spellings(known)):
        if key not in known and (hint := hint_for(key, known)):
            keys_by_hint.setdefault(hint.text, []).append(key)
    return {hint: tuple(keys) for hint, keys in keys_by_hint.items()}


def _spellings(known: Collection[str]) -> Iterator[str]:
    leaves = [leaf for group, leaves in NESTED.items() if group in known for leaf in leaves]
    for name in (*known, *leaves):
        first, *others = name.split("_")
        rest = "".join(word.title() for word in others)
        yield from (name, first + rest, first.title() + rest, name.replace("_", "-"))
    names = (variable.name for variable in Scheme.of(None, None, prefixed=False).variables())
    yield from (name for name in names if name.startswith("AZURE_"))
    yield from _WORDS
