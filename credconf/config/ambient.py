"""Variables that stand where others look, too: which of them count, and which were not meant for us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credconf.kinds import KINDS
from credconf.problems import Problem
from credconf.references import EnvReference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .layers import Layer
    from .origins import Value

_PROOFS: Final = frozenset(model.proof for model in KINDS.values())
_OF_WORKLOAD_IDENTITY: Final = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")


def heard(layer: Layer, merged: Mapping[str, Value], environ: Mapping[str, str]) -> list[str]:
    """The variables of `.env` that count: those that are listened to, and those that a reference names.

    Args:
        layer: of `.env`.
        merged: the winning values.
        environ: of the process, which is asked first for what a reference names.
    """
    items = [item for value in merged.values() for item in (value.raw if isinstance(value.raw, list) else [value.raw])]
    named = [item["env"] for item in items if isinstance(item, dict) and isinstance(item.get("env"), str)]
    named += [item.env for item in items if isinstance(item, EnvReference)]
    listened = [origin.name for value in layer.values.values() for origin in value.origin.flat() if origin.name]
    return list(dict.fromkeys([*listened, *(name for name in named if not environ.get(name))]))


def of_another_kind(merged: Mapping[str, Value]) -> dict[str, Problem]:
    """Options of another kind that only an `AZURE_` variable gives, by path, with a warning about each.

    azure-identity goes by the secret and leaves the options of a certificate alone; so do we. A second proof is
    another matter: which of the two was meant, nobody can tell.

    Args:
        merged: the winning values.
    """
    named = merged["kind"].raw if "kind" in merged else None
    present = [name for name, model in KINDS.items() if model.proof in merged]
    kind = named if isinstance(named, str) and named in KINDS else present[0] if len(present) == 1 else None
    found: dict[str, Problem] = {}
    for path, value in merged.items() if kind is not None else ():
        origin = value.origin
        ambient = origin.place in {"environment", "dotenv"} and (origin.name or "").startswith("AZURE_")
        if not ambient or origin.displaced or path in _PROOFS or path.split(".")[0] in KINDS[str(kind)].model_fields:
            continue
        message = f"{origin.name} is set, and has no effect on a credential of `kind: {kind}`"
        found[path] = Problem("unheard-variable", message, "warning", path, origin, "unset it if it is not needed")
    return found


def workload_identity(path: str, environ: Mapping[str, str]) -> str:
    """A line for the hint of a missing proof, where a webhook has prepared another way to sign in; else nothing."""
    if path not in _PROOFS or not all(environ.get(name) for name in _OF_WORKLOAD_IDENTITY):
        return ""
    return (
        "\nAZURE_FEDERATED_TOKEN_FILE is set: workload identity is not supported yet, which azure-identity's"
        "\nWorkloadIdentityCredential is for; here, give a secret or a certificate"
    )
