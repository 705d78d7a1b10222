"""The second of the rules that keep layered configuration safe: what was only found redirects no secret.

Nobody named a `credconf.yaml` or `.env` that lay in the working directory, so its author need not be anybody whom the
operator trusts. He may say who the application is, with a secret of his own. He may not have something from elsewhere
sent to a place of his choice: neither a secret, nor what an id refers to, which may be any file or variable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from credconf.kinds import KINDS
from credconf.problems import Problem
from credconf.references import EnvReference, FileReference
from credconf.settings import clouds

from .safety import text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from credconf.problems.problem import Origin
    from credconf.references import Reader

    from .layers import Value

_PROOFS: Final = (*(kind.proof for kind in KINDS.values()), "client_certificate_password")
_FALSE: Final = frozenset({"false", "no", "off", "0", "f", "n"})
_SWITCHES: Final = frozenset({"disable_instance_discovery", "token_cache.allow_unencrypted_storage"})
_ALWAYS: Final = frozenset({"oidc_authority", "http.proxy", "http.ca_bundle", "token_cache.url", "token_cache.key"})
_DEEPEST: Final = 2  # a directory, and a file in it

_IDS: Final = ("client_id", "tenant_id", "region")
_REFERRED: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("authority", "oidc_authority", "tenant_id", "disable_instance_discovery", "region"), _IDS),
    "http.proxy": (*_IDS, "authority", "oidc_authority"),
    "http.ca_bundle": _IDS,
}
"""Beside the proofs: the fields whose text is shown to whom a setting chooses. What they refer to may be any secret; a
proxy is told the host, too."""
_PASSWORDS: Final[dict[str, tuple[str, ...]]] = {
    "http.ca_bundle": ("http.proxy", "token_cache.url", "token_cache.key"),
    "token_cache.url": ("token_cache.key",),
}
"""Likewise, the fields that may hold a password: certificates decide who passes for a proxy, or for a Redis."""


def redirected_secret(merged: Mapping[str, Value], reader: Reader, found: Mapping[str, str]) -> Iterator[Problem]:
    """What was only found in the working directory may not decide where a secret from elsewhere is sent.

    Args:
        merged: the winning values.
        reader: for values that are references.
        found: the variables that only a `.env` gives that was found, too.
    """
    for path, value in merged.items():
        variable = _variable_of(value.raw)
        answered = variable if variable in found else None
        if not (value.origin.found or answered) or not _redirects(path, value, merged, reader):
            continue
        what = _protected(path, merged, reader, found)
        if what is not None:
            kept = path.startswith("token_cache.")
            fate = f"the tokens of {what} are kept" if kept and what.startswith("the secret") else f"{what} is sent"
            giver = "from a file" if value.origin.found else f"which {answered} gives in a `.env`"
            message = f"`{path}`, {giver} that was only found, would decide where {fate}"
            hint = _how_to_name(value.origin, answered)
            yield Problem("redirected-secret", message, path=path, origin=value.origin, hint=hint)


def found_variables(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Those of a found `.env` that the process environment does not give."""
    return {name: text for name, text in variables.items() if text and not environ.get(name)}


def answered_by(found: Collection[str], merged: Mapping[str, Value]) -> frozenset[str]:
    """The variables that values refer to, and that a found `.env` gives."""
    names = {_variable_of(item) for value in merged.values() for item in _items(value.raw)}
    return frozenset(name for name in names if name is not None and name in found)


def _how_to_name(origin: Origin, answered: str | None) -> str:
    if not origin.found:
        return f'name the file: from_config(env_file=".env"), --env-file .env; or set {answered} in the environment'
    if origin.place == "dotenv":
        return f'name the file: from_config(env_file="{origin.file}"), or --env-file {origin.file}'
    return f'name the file: from_config("{origin.file}"), -f {origin.file}, or CREDCONF_FILE={origin.file}'


def _redirects(path: str, value: Value, merged: Mapping[str, Value], reader: Reader) -> bool:
    if path == "authority":
        return not _is_well_known(text_of(value.raw, reader))
    if path == "tenant_id":
        return text_of(value.raw, reader) == clouds.ADFS
    if path == "region":  # it is put in front of the host, which may be a whole domain's
        return "authority" in merged and not _is_well_known(text_of(merged["authority"].raw, reader))
    if path in _SWITCHES:
        return not (value.raw is False or (isinstance(value.raw, str) and value.raw.lower() in _FALSE))
    return path in _ALWAYS


def _is_well_known(text: object) -> bool:
    try:
        return isinstance(text, str) and clouds.is_well_known(clouds.authority(text))
    except clouds.BadName:
        return True  # it can't be used at all, which is another problem


def _protected(path: str, merged: Mapping[str, Value], reader: Reader, found: Collection[str]) -> str | None:
    """What a setting would send somewhere, or let somebody read, that does not come from where the setting does."""
    elsewhere = {field: value for field, value in merged.items() if _is_from_elsewhere(value, found)}
    for field in _PROOFS:
        if field in elsewhere:
            return f"the secret from {elsewhere[field].origin}"
    for field in _REFERRED.get(path, ()):
        if field in elsewhere and field != path and not isinstance(elsewhere[field].raw, str):
            return f"what `{field}` refers to ({elsewhere[field].origin})"
    for field in _PASSWORDS.get(path, ()):
        if field in elsewhere and (field == "token_cache.key" or _has_password(elsewhere[field].raw, reader)):
            return f"the password in `{field}` from {elsewhere[field].origin}"
    return None


def _has_password(raw: Any, reader: Reader) -> bool:
    return "@" in str(text_of(raw.get_secret_value() if isinstance(raw, SecretStr) else raw, reader))


def _is_from_elsewhere(value: Value, found: Collection[str]) -> bool:
    """Whether not all of a value is written in a found file, in a file beside it, or in a found variable."""
    return not all(_is_found(item, value.origin, found) for item in _items(value.raw))


def _is_found(item: Any, origin: Origin, found: Collection[str]) -> bool:
    variable = _variable_of(item)
    if variable is not None:
        return variable in found
    return origin.found and (isinstance(item, str) or _is_beside(item, origin.file))


def _items(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]


def _variable_of(raw: Any) -> str | None:
    name = raw.env if isinstance(raw, EnvReference) else raw.get("env") if isinstance(raw, Mapping) else None
    return name if isinstance(name, str) else None


def _is_beside(raw: Any, file: str | None) -> bool:
    """Whether a file lies where a found one does, or in a directory there, and nothing of its path is hidden.

    Whoever has put a file into the home directory, or into one above it, has not thereby put all the others there.
    """
    path = raw.file if isinstance(raw, FileReference) else raw.get("file") if isinstance(raw, Mapping) else None
    if not isinstance(path, str) or file is None:
        return False
    if "\0" in path:
        return False  # it can't be read at all, which is another problem
    directory = os.path.dirname(os.path.realpath(file))
    home = os.path.realpath(os.path.expanduser("~"))
    if directory == os.path.dirname(directory) or f"{home}{os.sep}".startswith(f"{directory}{os.sep}"):
        return False
    inside = os.path.realpath(path).removeprefix(f"{directory}{os.sep}")
    steps = inside.split(os.sep)
    return not os.path.isabs(inside) and len(steps) <= _DEEPEST and not any(step.startswith(".") for step in steps)
