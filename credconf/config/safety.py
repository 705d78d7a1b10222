"""The rules that keep layered configuration safe: no mixed identity, no redirected secret.

(The third, no silent chain, has no code: one entry is one credential.)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from credconf.entra import clouds
from credconf.kinds import KINDS
from credconf.problems import Problem
from credconf.references import EnvReference, FileReference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from credconf.references import Reader

    from .layers import Layer
    from .origins import Value

_PROOFS = tuple(kind.proof for kind in KINDS.values())
_FALSE = frozenset({"false", "no", "off", "0", "f", "n"})


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
    other = next((value for _, value in claiming[1:] if _text(value.raw, reader) != _text(winner.raw, reader)), None)
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


def _text(raw: Any, reader: Reader) -> object:
    """A client id for comparison; one that can't be read equals only itself."""
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


def redirected_secret(merged: Mapping[str, Value], reader: Reader, found: Mapping[str, str]) -> Iterator[Problem]:
    """What was only found in the working directory may not decide where a secret from elsewhere is sent.

    Args:
        merged: the winning values.
        reader: for values that are references.
        found: the variables of a `.env` that was only found, too.
    """
    found = {name: text for name, text in found.items() if not reader.environ.get(name)}
    secrets = (*_PROOFS, "client_certificate_password")
    protected = next(
        (merged[field] for field in secrets if field in merged and _is_from_elsewhere(merged[field], found)), None
    )
    if protected is None:
        return
    for path, value in merged.items():
        if value.origin.found and _redirects(path, value, reader):
            whose = f"the secret from {protected.origin}"
            what = f"the tokens of {whose} are kept" if path.startswith("token_cache.") else f"{whose} is sent"
            message = f"`{path}`, from a file that was only found, would decide where {what}"
            file = value.origin.file
            how = f'name the file: from_config("{file}"), -f {file}, or CREDCONF_FILE={file}'
            if value.origin.place == "dotenv":
                how = f'name the file: from_config(env_file="{file}"), or --env-file {file}'
            yield Problem("redirected-secret", message, path=path, origin=value.origin, hint=how)


def _is_from_elsewhere(value: Value, found: Collection[str]) -> bool:
    """Whether a secret is not simply written in a found file, in a file beside it, or in a found variable."""
    if not value.origin.found:
        return True
    items = value.raw if isinstance(value.raw, list | tuple) else [value.raw]
    return any(
        not (isinstance(item, str) or _is_beside(item, value.origin.file) or _variable_of(item) in found)
        for item in items
    )


def _variable_of(raw: Any) -> object:
    name = raw.env if isinstance(raw, EnvReference) else raw.get("env") if isinstance(raw, Mapping) else None
    return name if isinstance(name, str) else None


def _is_beside(raw: Any, file: str | None) -> bool:
    path = raw.file if isinstance(raw, FileReference) else raw.get("file") if isinstance(raw, Mapping) else None
    if not isinstance(path, str) or file is None:
        return False
    if "\0" in path:
        return False  # it can't be read at all, which is another problem
    directory = os.path.dirname(os.path.realpath(file))
    return os.path.realpath(path).startswith(os.path.join(directory, ""))


def _redirects(path: str, value: Value, reader: Reader) -> bool:
    if path == "authority":
        return not _is_well_known(_text(value.raw, reader))
    if path == "tenant_id":
        return _text(value.raw, reader) == clouds.ADFS
    if path == "disable_instance_discovery":
        return not (value.raw is False or (isinstance(value.raw, str) and value.raw.lower() in _FALSE))
    return path in {"oidc_authority", "http.proxy", "http.ca_bundle", "token_cache.url", "token_cache.key"}


def _is_well_known(text: object) -> bool:
    try:
        return isinstance(text, str) and clouds.is_well_known(clouds.authority(text))
    except clouds.BadName:
        return True  # it can't be used at all, which is another problem
