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
from credconf.settings import clouds, formats

from .layers import EXCLUSIVE

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

    @property
    def environ(self) -> Mapping[str, str]:
        return self._reader.environ

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
            hint = "use a named entry, which reads no AZURE_ variable, if this is not intended"
            yield Problem("identity-replaced", message, "warning", "client_id", winner.origin, hint)


def _mixed(field: str, winner: Value, other: Value, proof: Value, reader: Reader) -> Problem:
    message = (
        f"`client_id` from {winner.origin} would be used with the `{field}` from {proof.origin}, "
        f"which is below another `client_id` ({other.origin})"
    )
    hint = f"set `{field}` in the same source as the `client_id`, or remove one `client_id`"
    if winner.origin.place == "environment" and reader.environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        hint += (
            "\nAZURE_FEDERATED_TOKEN_FILE is set: a workload-identity webhook has probably injected the client id;"
            "\nuse a named entry, which does not read it, or set `env_prefix`"
        )
    return Problem("mixed-identity", message, path="client_id", origin=winner.origin, hint=hint)


def _is_whole(layers: Sequence[Layer], other: Value) -> bool:
    holder = next(layer for layer in layers if layer.values.get("client_id") is other)
    return any(field in holder.values for field in PROOFS)


def displaced_host(layers: Sequence[Layer], merged: Mapping[str, Value], path: str) -> Iterator[Problem]:
    """Warn if an `authority` or `cloud` displaces another host, and the author of neither may know that.

    That is so if they are in sources of different trust, or if another file than the one with the proof decides where
    the proof is sent. A layer, or an entry that extends another, is there to displace what is below.

    Args:
        layers: the layers, highest first.
        merged: the winning values.
        path: the path of `authority` in the whole configuration.
    """
    winner = next((merged[name] for name in EXCLUSIVE[::-1] if name in merged), None)
    host = None if winner is None else _host("authority" if "authority" in merged else "cloud", winner.raw)
    if winner is None or host is None or not winner.origin.displaced or clouds.is_loopback(host):
        return  # an invalid host displaces none; it is another problem
    proofs = {merged[field].origin.file for field in PROOFS if field in merged}
    for name, value in ((name, layer.values.get(name)) for layer in layers for name in EXCLUSIVE[::-1]):
        if value is None or value.origin.over(()) not in winner.origin.displaced or _host(name, value.raw) == host:
            continue
        lower, upper = value.origin, winner.origin
        sends = lower.file is not None and lower.file in proofs and lower.file != upper.file
        if sends or (lower.place, lower.discovered) != (upper.place, upper.discovered):
            message = f"the host of {upper} displaces that of {lower}"
            fate = f", and receives the secret that {lower.file} gives" if sends else ""
            hint = "remove one of them if this is not intended"
            yield Problem("authority-displaced", message + fate, "warning", path, upper, hint)
            return


def _host(name: str, raw: object) -> str | None:
    if not isinstance(raw, str):
        return None
    if name == "cloud":
        return clouds.PRESETS.get(raw)
    try:
        return formats.authority(raw)
    except formats.FormatError:
        return None


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
        protected = _protected(path, redirects, merged, values, from_dotenv)
        if protected is not None:
            what, why = protected
            kept = redirects.keeps and what.startswith("the secret")
            fate = f"the tokens of {what} are kept" if kept else f"{what} is sent"
            source = "in a discovered file" if value.origin.discovered else f"from {answered} of a discovered `.env`"
            message = f"`{path}` {source} must not decide where {fate}: {why}"
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
        message = (
            f"`{reference.key}` in a discovered file would vouch for this machine to any tenant that the file names"
        )
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
) -> tuple[str, str] | None:
    """Describe what a setting would redirect or reveal, and why that counts as from elsewhere; `None` for nothing."""
    reasons = {field: _why_elsewhere(value, from_dotenv, values.environ) for field, value in merged.items()}
    elsewhere = {field: (merged[field], why) for field, why in reasons.items() if why is not None}
    proofs = [each for each in SETTINGS.values() if each.is_proof]
    sent = [each for each in SETTINGS.values() if each.setting.sent_to in redirects.decides and each.path != path]
    for each in proofs:
        if each.path in elsewhere:
            value, why = elsewhere[each.path]
            return f"the secret from {value.origin}", why
    for each in sent:
        if not each.hidden and each.path in elsewhere and not isinstance(elsewhere[each.path][0].raw, str):
            value, why = elsewhere[each.path]
            return f"what `{each.path}` refers to ({value.origin})", why
    for each in sent:
        if each.hidden and each.path in elsewhere and (each.is_key or "@" in str(values.text(each.path))):
            value, why = elsewhere[each.path]
            return f"the password in `{each.path}` from {value.origin}", why
    return None


def _why_elsewhere(value: Value, from_dotenv: Collection[str], environ: Mapping[str, str]) -> str | None:
    """Return why part of a value is not in a discovered file, a file beside it, or a discovered variable."""
    reasons = (_why(item, value.origin, from_dotenv, environ) for item in _items(value.raw))
    return next((why for why in reasons if why is not None), None)


def _why(item: Any, origin: Origin, from_dotenv: Collection[str], environ: Mapping[str, str]) -> str | None:
    variable = _variable_of(item)
    if variable is not None:
        named = "the process environment" if environ.get(variable) else "another source than the discovered file"
        return None if variable in from_dotenv else f"{variable} comes from {named}"
    if origin.discovered:
        return None if isinstance(item, str) else _why_not_beside(item, origin.file)
    what = "it" if isinstance(item, str | SecretStr) else "the reference"
    if origin.place == "argument":
        return f"{what} is an argument of the program"
    if origin.place == "environment":
        return f"{what} comes from the process environment"
    return f"{what} is in {origin.file}, a file that was named"


def _items(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]


def _variable_of(raw: Any) -> str | None:
    reference = reference_in(raw)
    return reference.names_variable if reference is not None else None


def _why_not_beside(raw: Any, file: str | None) -> str | None:
    """Return why a value may not be of the author of a discovered file, according to its reference."""
    if isinstance(raw, BaseReference):
        raw = {raw.key: getattr(raw, raw.key)}
    if file is None or not isinstance(raw, Mapping) or len(raw) != 1:
        return "it is not a valid reference"
    (key, value), *_ = raw.items()
    return REFERENCES[key].elsewhere(value, file) if key in REFERENCES else "it is not a valid reference"
