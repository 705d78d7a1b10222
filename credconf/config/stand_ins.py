"""Valid values in place of missing and invalid ones, so that the rules can be applied to all other settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from credconf.kinds import KINDS, NESTED, SETTINGS, Invalid, Kind, validate
from credconf.kinds.validation import fitting_kinds, kind_of, present_proofs
from credconf.settings.declaration import stand_in
from credconf.stores import STORES, store_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from credconf.problems import Problem

_ID: Final = "00000000-0000-0000-0000-000000000000"


def setting_of(path: str) -> str:
    """Return the path without the index of an item."""
    return path if path in SETTINGS else path.rpartition(".")[0]


def others(fields: Mapping[str, Any], problems: Iterable[Problem]) -> tuple[Kind | None, set[str]]:
    """Return settings with replacements for the invalid ones, and the paths of the others.

    The settings are `None` if the rest can't be used.
    """
    usable = {
        name: dict(value) if name in NESTED and isinstance(value, dict) else value for name, value in fields.items()
    }
    for problem in problems:
        name, _, leaf = (problem.path or "").partition(".")
        if isinstance(usable.get(name), dict) and name in NESTED and leaf:
            usable[name].pop(leaf, None)
        else:
            usable.pop(name, None)
    settings = validate({**usable, **stand_ins(usable)})
    given = {*usable, *(f"{name}.{leaf}" for name in NESTED for leaf in usable.get(name, ()))}
    return (None if isinstance(settings, Invalid) else settings), given


def stand_ins(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return valid values for missing settings, so that the others can be checked."""
    kind = kind_of(fields)
    if kind is None and not present_proofs(fields):
        # Where no proof is given, use a kind that has all of the settings.
        kind = next(iter(fitting_kinds(fields)), next(iter(KINDS)))
    model = KINDS[kind] if kind is not None else None
    found: dict[str, Any] = {}
    client = model.model_fields.get("client_id") if model is not None else None
    if "client_id" not in fields and (model is None or (client is not None and client.is_required())):
        found["client_id"] = _ID
    if fields.keys().isdisjoint({"tenant_id", "oidc_authority"}) and (
        model is None or "oidc_authority" in model.model_fields
    ):
        found["tenant_id"] = _ID
    if model is not None and model.proof is None and "kind" not in fields:
        found["kind"] = kind
    if model is not None and (model.proof in fields or not present_proofs(fields)):
        required = (name for name, info in model.model_fields.items() if info.is_required())
        found |= {name: stand_in(SETTINGS[name]) for name in required if name not in {*fields, *found}}
    cache = fields.get("token_cache")
    store = store_of(cache) if isinstance(cache, dict) else None
    if store is not None and isinstance(cache, dict):
        absent = [name for name in STORES[store].required if name not in cache]
        found["token_cache"] = {**cache, **{name: stand_in(SETTINGS[f"token_cache.{name}"]) for name in absent}}
    return found
