"""The rules that keep layered configuration safe: no mixed identity, and no redirected secret.

The third rule, no silent chain, needs no code: one entry is one credential.

The author of a discovered `credconf.yaml` or `.env` need not be trusted. Such a file may name an application and its
secret. It must not decide where a secret from elsewhere is sent, nor where the target of an id's reference is sent,
which may be any file or variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from credconf.kinds import PROOFS, SETTINGS
from credconf.problems import Problem
from credconf.references import REFERENCES, BaseReference, reference_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from credconf.problems.problem import Origin
    from credconf.references import Reader
    from credconf.settings.declaration import Redirects

    from .layers import Layer, Value


class _Values:
    """The merged values in the form that the rules of settings need."""

    def __init__(self, merged: Mapping[str, Value], reader: Reader) -> None:
        self._merged = merged
        self._reader = reader

    def __contains__(self, path: object) -> bool:
        return path in self._merged

    def text(self, path: str) -> object:
        return text_of(self._merged[path].raw, self._reader)


def text_of(raw: Any, reader: Reader) -> object:
    """Return a value, or the value of a reference, for comparison. An unreadable reference equals only itself."""
    reference = reference_in(raw)
    if reference is not None and reference.for_any_text:
        found = reader.text(reference)
        return found.strip().lower() if isinstance(found, str) else repr(reference)
    if isinstance(raw, SecretStr):
        raw = raw.get_secret_value()
    if isinstance(raw, str):
        return raw.strip().lower()
    return raw if isinstance(raw, bool) else repr(type(raw))


def mixed_identity(layers: Sequence[Layer], merged: Mapping[str, Value], reader: Reader) -> Iterator[Problem]:
    """Report a client id that would be used with the proof of another identity from a lower source.

    Args:
        layers: the layers, highest first.
        merged: the winning values.
        reader: reads client ids that are references.
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
    for field in PROOFS:
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
        f"which is below another `client_id` ({other.origin})"
    )
    hint = f"give `{field}` where the `client_id` is given, or remove one `client_id`"
    if winner.origin.place == "environment" and reader.environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        hint += (
            "\nAZURE_FEDERATED_TOKEN_FILE is set: a workload-identity webhook has probably injected the client id;"
            "\nuse a named entry, which does not read it, or set `env_prefix`"
        )
    return Problem("mixed-identity", message, path="client_id", origin=winner.origin, hint=hint)


def _is_whole(layers: Sequence[Layer], other: Value) -> bool:
    holder = next(layer for layer in layers if layer.values.get("client_id") is other)
    return any(field in holder.values for field in PROOFS)


def redirected_secret(merged: Mapping[str, Value], reader: Reader, from_dotenv: Mapping[str, str]) -> Iterator[Problem]:
    """Report settings of a discovered file that decide where a secret from elsewhere is sent.

    Args:
        merged: the winning values.
        reader: reads values that are references.
        from_dotenv: the variables that only a discovered `.env` gives.
    """
    values = _Values(merged, reader)
    for path, value in merged.items():
        redirects = SETTINGS[path].setting.redirects if path in SETTINGS else None
        variable = _variable_of(value.raw)
        answered = variable if variable in from_dotenv else None
        if redirects is None or not (value.origin.discovered or answered) or redirects.unless(values, path):
            continue
        what = _protected(path, redirects, merged, values, from_dotenv)
        if what is not None:
            kept = redirects.keeps and what.startswith("the secret")
            fate = f"the tokens of {what} are kept" if kept else f"{what} is sent"
            source = "in a discovered file" if value.origin.discovered else f"from {answered} of a discovered `.env`"
            message = f"`{path}` {source} must not decide where {fate}"
            hint = _how_to_name(value.origin, answered)
            yield Problem("redirected-secret", message, path=path, origin=value.origin, hint=hint)


def unnamed_source(merged: Mapping[str, Value]) -> Iterator[Problem]:
    """Report references that vouch for the machine to whom a discovered file names.

    Args:
        merged: the winning values.
    """
    for path, value in merged.items():
        reference = reference_in(value.raw)
        if reference is None or not reference.needs_named_file or not value.origin.discovered:
            continue
        message = f"`{reference.key}` in a discovered file would vouch for this machine wherever that file says"
        hint = _how_to_name(value.origin, None)
        yield Problem("redirected-secret", message, path=path, origin=value.origin, hint=hint)


def discovered_variables(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a discovered `.env` that are not set in the process environment."""
    return {name: text for name, text in variables.items() if text and not environ.get(name)}


def answered_by(from_dotenv: Collection[str], merged: Mapping[str, Value]) -> frozenset[str]:
    """Return the variables to which values refer and that a discovered `.env` gives."""
    names = {_variable_of(item) for value in merged.values() for item in _items(value.raw)}
    return frozenset(name for name in names if name is not None and name in from_dotenv)


def _how_to_name(origin: Origin, answered: str | None) -> str:
    if not origin.discovered:
        return f'name the file: from_config(env_file=".env"), --env-file .env; or set {answered} in the environment'
    if origin.place == "dotenv":
        return f'name the file: from_config(env_file="{origin.file}"), or --env-file {origin.file}'
    return f'name the file: from_config("{origin.file}"), -f {origin.file}, or CREDCONF_FILE={origin.file}'


def _protected(
    path: str, redirects: Redirects, merged: Mapping[str, Value], values: _Values, from_dotenv: Collection[str]
) -> str | None:
    """Describe what a setting would redirect or reveal although it comes from elsewhere; `None` for nothing."""
    elsewhere = {field: value for field, value in merged.items() if _is_from_elsewhere(value, from_dotenv)}
    proofs = [each for each in SETTINGS.values() if each.is_proof]
    sent = [each for each in SETTINGS.values() if each.setting.sent_to in redirects.decides and each.path != path]
    for each in proofs:
        if each.path in elsewhere:
            return f"the secret from {elsewhere[each.path].origin}"
    for each in sent:
        if not each.hidden and each.path in elsewhere and not isinstance(elsewhere[each.path].raw, str):
            return f"what `{each.path}` refers to ({elsewhere[each.path].origin})"
    for each in sent:
        if each.hidden and each.path in elsewhere and (each.is_key or "@" in str(values.text(each.path))):
            return f"the password in `{each.path}` from {elsewhere[each.path].origin}"
    return None


def _is_from_elsewhere(value: Value, from_dotenv: Collection[str]) -> bool:
    """Whether part of a value is not in a discovered file, a file beside it, or a discovered variable."""
    return not all(_is_discovered(item, value.origin, from_dotenv) for item in _items(value.raw))


def _is_discovered(item: Any, origin: Origin, from_dotenv: Collection[str]) -> bool:
    variable = _variable_of(item)
    if variable is not None:
        return variable in from_dotenv
    return origin.discovered and (isinstance(item, str) or _is_beside(item, origin.file))


def _items(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]


def _variable_of(raw: Any) -> str | None:
    reference = reference_in(raw)
    return reference.names_variable if reference is not None else None


def _is_beside(raw: Any, file: str | None) -> bool:
    """Whether a value belongs to the author of a discovered file, according to its reference."""
    if isinstance(raw, BaseReference):
        raw = {raw.key: getattr(raw, raw.key)}
    if file is None or not isinstance(raw, Mapping) or len(raw) != 1:
        return False
    (key, value), *_ = raw.items()
    return key in REFERENCES and REFERENCES[key].is_beside(value, file)
