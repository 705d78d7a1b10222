"""Mappings as JSON Schema: which keys they hold, and what an editor says of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from .shapes import Json

Hints: TypeAlias = "dict[str, tuple[str, ...]]"
"""Keys, by what an editor says of them."""

FOREIGN: Final[Json] = {
    # An editor would write it without its colon, and the modeline does the same.
    "properties": {"$schema": {"description": "The schema of this file, for editors.", "doNotSuggest": True}},
    "patternProperties": {"^x-": {"description": "Yours: for anchors, and whatever else you like."}},
    "additionalProperties": False,
}


def of_a_mapping(message: str, schemas: list[Json]) -> Json:
    """What a mapping must be; anything else is one fault, however many schemas would say so."""
    return {"type": "object", "errorMessage": message, "if": {"type": "object"}, "then": {"allOf": schemas}}


def refusing(keys: tuple[str, ...], message: str) -> Json:
    """A mapping that holds none of these keys, or else what an editor says of each."""
    return {"type": "object", "properties": dict.fromkeys(keys, False), "errorMessage": message}


def mapping(keys: tuple[str, ...], elsewhere: Hints | None = None) -> Json:
    """A mapping that holds these keys and foreign ones.

    Args:
        keys: of settings.
        elsewhere: keys that belong elsewhere, by what an editor says of them.
    """
    refused = {message: others for message, others in (elsewhere or {}).items() if others}
    # They are named here only for a better message than that they are unknown.
    named = {key: {"doNotSuggest": True} for others in refused.values() for key in others}
    held = {"type": "object", **FOREIGN, "properties": {**referred(keys), **named, **FOREIGN["properties"]}}
    rules = _refusals(refused)
    return {**held, "allOf": rules} if rules else held


def group(name: str, leaves: tuple[str, ...], hints: Hints, elsewhere: Hints | None = None) -> Json:
    """The mapping that a group of settings is.

    Args:
        name: of the group.
        leaves: the settings in it.
        hints: keys that `hinting()` refuses.
        elsewhere: settings of it that stand there to no use, by what an editor says of them.
    """
    refused = {message: others for message, others in (elsewhere or {}).items() if others}
    unfit = {key for others in refused.values() for key in others}
    own: Json = {leaf: {"$ref": f"#/definitions/{name}.{leaf}"} for leaf in leaves if leaf not in unfit}
    own |= {leaf: {"doNotSuggest": True} for leaf in leaves if leaf in unfit}
    held = {"type": "object", **FOREIGN, **past(hints), "properties": {**own, **FOREIGN["properties"]}}
    return {**held, "allOf": _refusals(refused)} if refused else held


def _refusals(keys: Hints) -> list[Json]:
    """The rules against keys, by what an editor says of them."""
    return [refusing(others, message) for message, others in keys.items()]


def _spelled(hints: Hints) -> str:
    return f"^(?:{'|'.join(key for keys in hints.values() for key in keys)})$"


def past(hints: Hints) -> Json:
    """The keys of a mapping that have no name here: foreign ones, and those that `hinting()` refuses in its words."""
    return {"patternProperties": {**FOREIGN["patternProperties"], _spelled(hints): {}}}


def hinting(hints: Hints) -> Json:
    """A mapping without these keys, or else what an editor says of them."""
    return {
        "type": "object",
        "if": {"patternProperties": {_spelled(hints): False}},
        "else": {"allOf": _refusals(hints)},
    }


def referred(keys: tuple[str, ...]) -> Json:
    """The properties of these keys: each is a definition of its own."""
    return {key: {"$ref": f"#/definitions/{key}"} for key in keys}
