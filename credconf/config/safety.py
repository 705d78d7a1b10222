"""The first of three rules that keep layered configuration safe: no mixed identity.

The second, no redirected secret, is `redirection`. The third, no silent chain, has no code: one entry is one
credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from credconf.kinds import KINDS
from credconf.problems import Problem
from credconf.references import EnvReference, FileReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from credconf.references import Reader

    from .layers import Layer, Value

_PROOFS = tuple(kind.proof for kind in KINDS.values())


def mixed_identity(layers: Sequence[Layer], merged: Mapping[str, Value], reader: Reader) -> Iterator[Problem]:
    """A source's own client id must not be paired with the secret of another identity below it.

    Args:
        layers: highest first.
        merged: the winning values.
        reader: for client ids that are references.
    """
    claiming = [
        (number, layer.values["client_id"]) for number, layer in enumerate(layers) if "client_id" in layer.values
    ]
    if not claiming:
        return
    top, winner = claiming[0]
    other = next(
        (value for _, value in claiming[1:] if text_of(value.raw, reader) != text_of(winner.raw, reader)), None
    )
    if other is None:
        return
    for field in _PROOFS:
        if field not in merged:
            continue
        giver = next(number for number, layer in enumerate(layers) if field in layer.values)
        if giver > top:
            yield _mixed(field, winner, other, merged[field], reader)
        elif winner.origin.place != "file" and other.origin.place == "file" and _is_whole(layers, other):
            message = f"the identity in {other.origin} is replaced as a whole by {winner.origin}"
            yield Problem("identity-replaced", message, severity="warning", path="client_id", origin=winner.origin)


def _mixed(field: str, winner: Value, other: Value, proof: Value, reader: Reader) -> Problem:
    message = (
        f"`client_id` from {winner.origin} would be used with the `{field}` from {proof.origin}, "
        f"which stands below another `client_id` ({other.origin})"
    )
    hint = f"give `{field}` where the `client_id` is given, or remove one `client_id`"
    if winner.origin.place == "environment" and reader.environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        hint += (
            "\nAZURE_FEDERATED_TOKEN_FILE is set: a workload-identity webhook has probably injected the client id;"
            "\nuse a named entry, which does not listen to it, or set `env_prefix`"
        )
    return Problem("mixed-identity", message, path="client_id", origin=winner.origin, hint=hint)


def _is_whole(layers: Sequence[Layer], other: Value) -> bool:
    holder = next(layer for layer in layers if layer.values.get("client_id") is other)
    return any(field in holder.values for field in _PROOFS)


def text_of(raw: Any, reader: Reader) -> object:
    """What was written, or what it refers to, for comparison; a reference that can't be read equals only itself."""
    reference = raw if isinstance(raw, EnvReference | FileReference) else None
    if isinstance(raw, Mapping) and len(raw) == 1:
        (key, name), *_ = raw.items()
        if isinstance(name, str) and name:
            reference = FileReference.model_construct(file=name) if key == "file" else reference
            reference = EnvReference.model_construct(env=name) if key == "env" else reference
    if reference is not None:
        found = reader.text(reference)
        return found.strip().lower() if isinstance(found, str) else repr(reference)
    return raw.strip().lower() if isinstance(raw, str) else repr(type(raw))
