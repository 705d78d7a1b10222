"""Merges the layers of files, and records which values the winning ones displaced.

`pydantic_sources.merge_layers()` merges all layers with pydantic-settings. `merge_file_layers()` merges the layers of
files alone without importing pydantic-settings, because the import takes longer than checking a file. A test shows that
both give the same result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from credconf.problems import Problem
from credconf.problems.problem import Origin
from credconf.settings.declaration import declared

from .layers import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from credconf.kinds import Kind

    from .layers import Layer

EXCLUSIVE: Final = ("cloud", "authority")
"""Two settings with one meaning: one of them in a layer displaces both in the layers below it."""


def merge_file_layers(layers: Sequence[Layer]) -> dict[str, Value]:
    """Return the winning value of each dotted path, for layers that come from files.

    Args:
        layers: the layers, highest first.
    """
    merged: dict[str, Value] = {}
    for layer in layers:
        decided = any(name in merged for name in EXCLUSIVE)
        for path, value in layer.values.items():
            if path not in merged and not (decided and path in EXCLUSIVE):
                merged[path] = value
    return {path: with_displaced(path, value, layers) for path, value in merged.items()}


def with_displaced(path: str, value: Value, layers: Sequence[Layer]) -> Value:
    """Return the winning value of a path; its origin holds the origins that it displaced."""
    names = EXCLUSIVE if path in EXCLUSIVE else (path,)
    giving = [layer.values[name] for layer in layers for name in names if name in layer.values]
    below = giving[next((index for index, other in enumerate(giving) if other.origin == value.origin), 0) + 1 :]
    lower: tuple[Origin, ...] = tuple(origin for other in below for origin in other.origin.flat())
    # In one environment, a `CREDCONF_` variable may have displaced an `AZURE_` one already.
    displaced = (*value.origin.displaced, *lower)
    return Value(value.raw, value.origin.over(displaced), value.key, value.node)


def tree(merged: Mapping[str, Value]) -> dict[str, Any]:
    """Return the raw values, with groups as dictionaries, as a model validates them."""
    fields: dict[str, Any] = {}
    for path, value in merged.items():
        group, _, leaf = path.rpartition(".")
        (fields.setdefault(group, {}) if group else fields)[leaf] = value.raw
    return fields


def place_in(merged: Mapping[str, Value], path: str) -> Origin | None:
    """Return the place of the item at `path`, as exactly as is known; for a group, the place of its first setting."""
    steps = path.split(".")
    for length in range(len(steps), 0, -1):
        value = merged.get(".".join(steps[:length]))
        if value is not None:
            rest: tuple[str | int, ...] = tuple(int(step) if step.isdigit() else step for step in steps[length:])
            return value.place_of(rest)
    group = next((value for name, value in merged.items() if name.startswith(f"{path}.")), None)
    return group.origin if group else None


def origins_of(settings: Kind, merged: Mapping[str, Value]) -> dict[str, Origin]:
    """Return the origin of every setting, including presets and defaults."""
    default = Origin("default")
    origins: dict[str, Origin] = {}
    for each in declared(type(settings)):
        if not each.is_group:
            origins[each.path] = merged[each.path].origin if each.path in merged else default
    cloud = getattr(settings, "cloud", None)
    if "authority" not in merged and cloud is not None:
        origins["authority"] = Origin("preset", cloud, displaced=origins["cloud"].displaced)
    return origins


def exclusive(layer: Layer, path: str) -> Problem | None:
    """Report `cloud` beside `authority` in one source.

    Args:
        layer: the layer of the source.
        path: the path of `authority`, for the problem.
    """
    if not ("cloud" in layer.values and "authority" in layer.values):
        return None
    cloud, authority = layer.values["cloud"], layer.values["authority"]
    message = f"`cloud` ({cloud.origin}) and `authority` exclude each other"
    return Problem("conflict", message, path=path, origin=authority.origin, hint="keep one of them")
