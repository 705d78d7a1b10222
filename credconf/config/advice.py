"""Warnings about a valid configuration that is probably wrong."""

from __future__ import annotations

import os
import re
import shlex
import stat
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from credconf.entra.proof import OVER, stage, within
from credconf.kinds.readable import value_at
from credconf.problems import Problem, printable
from credconf.references import BaseReference
from credconf.references.file import is_in_volume
from credconf.settings import clouds
from credconf.settings.declaration import declared

from .layers import place_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from credconf.kinds import Identity, Kind, Proof
    from credconf.references import Reader

    from .layers import Value


_GUID_DIGITS: Final = 32
_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def advice(
    settings: Kind, identity: Identity, proofs: Mapping[str, Proof], merged: Mapping[str, Value], reader: Reader
) -> Iterator[Problem]:
    """Yield the warnings about a valid configuration.

    Args:
        settings: the validated model.
        identity: the texts of the identity, as far as they are known.
        proofs: the proofs that could be read, by path.
        merged: the winning values, for their origins.
        reader: its `known` is false where no files of a machine may be read.
    """
    yield from _about_secrets(settings, proofs, merged)
    yield from _about_expiry(settings, proofs, merged)
    if reader.known:
        yield from _about_files(settings, merged)
    if identity.authority is None:
        return
    if clouds.is_loopback(identity.authority):
        return  # a test against a local server
    if not clouds.is_well_known(identity.authority):
        message = "`authority` is not a host that Microsoft is known to operate"
        yield _warning(
            "unknown-authority", message, "authority", merged, "check its spelling, or ignore this for a private cloud"
        )
    elif identity.client_id and not _GUID.fullmatch(identity.client_id):
        message = "`client_id` is not a GUID, but client ids of Entra ID are GUIDs"
        yield _warning("client-id-no-guid", message, "client_id", merged, _guid_hint(identity.client_id))


def _guid_hint(text: str) -> str:
    """Return what to do with a text that should be a GUID. A count of digits shows nothing of it."""
    digits = text.replace("-", "")
    if re.fullmatch(r"[0-9a-fA-F]{24,40}", digits) and len(digits) != _GUID_DIGITS:
        lack = "was cut off" if len(digits) < _GUID_DIGITS else "holds too many"
        return f"it {lack}: it has {len(digits)} digits, a GUID has {_GUID_DIGITS}; copy it again"
    return "copy the application (client) id"


def _warning(code: str, message: str, path: str, merged: Mapping[str, Value], hint: str) -> Problem:
    return Problem(code, message, severity="warning", path=path, origin=place_in(merged, path), hint=hint)


def _about_secrets(settings: Kind, proofs: Mapping[str, Proof], merged: Mapping[str, Value]) -> Iterator[Problem]:
    held = [path for path, item in _secrets(settings) if isinstance(item, SecretStr)]
    for path in held:
        origin = place_in(merged, path)
        if origin is not None and origin.place == "file":
            message = "a secret is written in the file"
            yield _warning("secret-in-file", message, path, merged, "use {file: PATH} or {env: NAME}")
    for path, proof in proofs.items():
        if proof.signer is not None:
            continue
        secret = proof.credential
        if _GUID.fullmatch(secret.strip()):
            message, hint = (
                f"`{path}` is a GUID: probably the secret's id, not its value",
                "copy the column Value in the portal",
            )
            yield _warning("secret-is-guid", message, path, merged, hint)


def _about_expiry(settings: Kind, proofs: Mapping[str, Proof], merged: Mapping[str, Value]) -> Iterator[Problem]:
    """Warn about expiry without naming the date, because no problem shows a value."""
    today = datetime.now(UTC).date()
    for path, proof in proofs.items():
        if proof.begins_on is not None and proof.begins_on > today:
            message = f"`{path}`: the certificate is not valid yet"
            yield _warning("not-valid-yet", message, path, merged, "wait, use another one, or set this machine's clock")
    noted: date | None = getattr(settings, "secret_expires_on", None)
    if noted is None:
        found = {path: proof.expires_on for path, proof in proofs.items()}
        what, hint = "the certificate", "create a new one"
    else:
        found = {"secret_expires_on": noted}
        what, hint = "by this date, the secret", "create a new one, and correct the date"
    for path, expires_on in found.items():
        reached = None if expires_on is None else stage(expires_on, time.time())
        if reached == OVER:
            yield _warning("expired", f"`{path}`: {what} has expired", path, merged, hint)
        elif reached is not None:
            yield _warning("expires-soon", f"`{path}`: {what} {within(reached)}", path, merged, hint)


def _about_files(settings: Kind, merged: Mapping[str, Value]) -> Iterator[Problem]:
    if os.name != "posix":
        return
    mounts: set[str] = set()
    for path, item in _secrets(settings):
        file = item.names_file if isinstance(item, BaseReference) else None
        if file is None or not _others_can_read(file):
            continue
        message = f"the file {printable(file)} can be read by every user of this machine"
        hint = f"chmod o-r {printable(shlex.quote(file))}"
        if _is_mounted(file):
            hint = (
                "the mount can't be changed from here: set `defaultMode: 0440` of the volume (Kubernetes, with "
                "`fsGroup`), or `mode: 0440` of the secret (Docker)"
            )
            if os.path.dirname(file) in mounts:
                continue  # one warning for each mount is enough
            mounts.add(os.path.dirname(file))
        yield _warning("readable-by-others", message, path, merged, hint)


def _secrets(settings: Kind) -> Iterator[tuple[str, object]]:
    """Yield the secrets of the settings and the references to secrets, by path."""
    for each in declared(type(settings)):
        value = value_at(settings, each.path) if each.setting.secret else None
        if isinstance(value, tuple):
            yield from ((f"{each.path}.{index}", item) for index, item in enumerate(value))
        elif value is not None and not (
            isinstance(value, SecretStr) and each.accepts_url and "@" not in value.get_secret_value()
        ):
            yield each.path, value


def _is_mounted(path: str) -> bool:
    """Whether a file is in a mount that its user can't change: a volume of Kubernetes, or a read-only one."""
    try:
        return is_in_volume(path) or bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:  # it is gone by now
        return False


def _others_can_read(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & stat.S_IROTH)
    except (OSError, ValueError):  # a path may hold a NUL character
        return False
