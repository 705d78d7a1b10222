"""Warnings about a valid configuration that is probably wrong, and about the notation of its values."""

from __future__ import annotations

import os
import re
import stat
import time
from typing import TYPE_CHECKING

from pydantic import SecretStr

from credconf.config.reading.nodes import Scalar, Sequence
from credconf.entra.proof import OVER, stage, within
from credconf.kinds import SETTINGS
from credconf.kinds.readable import value_at
from credconf.problems import Problem
from credconf.references import BaseReference, reference_in
from credconf.settings import clouds
from credconf.settings.declaration import declared

from .layers import place_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from credconf.config.reading.nodes import Lines
    from credconf.kinds import Identity, Kind, Proof
    from credconf.problems.problem import Origin
    from credconf.references import Reader

    from .layers import Value


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
        yield _warning("client-id-no-guid", message, "client_id", merged, "copy the application (client) id")


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
        if secret != secret.strip():
            message = f"`{path}` begins or ends with white space"
            yield _warning("surrounding-space", message, path, merged, "remove it if it is not part of the secret")
        elif len(secret) > 1 and secret[0] == secret[-1] and secret[0] in "'\"":
            message = f"`{path}` has quotes around it that are part of the value"
            yield _warning("surrounding-quotes", message, path, merged, "remove the quotes")
        if len(secret.strip().splitlines()) > 1:
            message = f"`{path}` holds a line break"
            yield _warning("inner-line-break", message, path, merged, "keep the secret alone, in one line")


def _about_expiry(settings: Kind, proofs: Mapping[str, Proof], merged: Mapping[str, Value]) -> Iterator[Problem]:
    """Warn about expiry without naming the date, because no problem shows a value."""
    noted: date | None = getattr(settings, "secret_expires_on", None)
    if noted is None:
        found = {path: proof.expires_on for path, proof in proofs.items()}
        what, hint = "the certificate", "make a new one"
    else:
        found = {"secret_expires_on": noted}
        what, hint = "by this date, the secret", "make a new one, and correct the date"
    for path, expires_on in found.items():
        reached = None if expires_on is None else stage(expires_on, time.time())
        if reached == OVER:
            yield _warning("expired", f"`{path}`: {what} has expired", path, merged, hint)
        elif reached is not None:
            yield _warning("expires-soon", f"`{path}`: {what} {within(reached)}", path, merged, hint)


def _about_files(settings: Kind, merged: Mapping[str, Value]) -> Iterator[Problem]:
    if os.name != "posix":
        return
    for path, item in _secrets(settings):
        file = item.names_file if isinstance(item, BaseReference) else None
        if file is not None and _others_can_read(file):
            message = f"the file {file} can be read by every user of this machine"
            yield _warning("readable-by-others", message, path, merged, "chmod o-r")


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


def _others_can_read(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & stat.S_IROTH)
    except (OSError, ValueError):  # a path may hold a NUL character
        return False


# Without braces, only in capitals, because a secret may begin with `$`.
_EXPANSION = re.compile(r"\$(?:\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Z][A-Z0-9_]+)")
_IN_A_PATH = re.compile(r"\$(?:\{[A-Za-z_]|[A-Za-z_][A-Za-z0-9_]*$)|%[A-Za-z_][A-Za-z0-9_]*%$")
# A single word directly after `#`. With a space after `#`, or with more words, it is a comment.
_CUT_OFF = re.compile(r"\s+#(?P<word>[^\s#]+)\s*")
# Comments that are often written this way: marks for linters and secret scanners.
_MARKS = re.compile(
    r"(?i)(todo|fixme|noqa|nosec|nosonar|nosemgrep|xxx|gitleaks|pragma|checkov|yamllint|trufflehog)\b.*"
)


def notation_warnings(values: Mapping[str, Value], lines: Lines) -> Iterator[Problem]:
    """Yield a warning for each value that probably means something else than its notation.

    Args:
        values: the values by path, merged or of one layer.
        lines: the lines of the files that hold them.
    """
    for path, value in values.items():
        yield from _unexpanded(path, value)
        yield from _unexpanded_paths(path, value)
    for path, each in SETTINGS.items():
        if each.setting.secret and path in values:
            yield from _cut(path, values[path], lines)


def _unexpanded(path: str, value: Value) -> Iterator[Problem]:
    texts = value.raw if isinstance(value.raw, list | tuple) else (value.raw,)
    for index, text in enumerate(texts):
        if not isinstance(text, str) or not _EXPANSION.fullmatch(text):
            continue
        step: tuple[int, ...] = (index,) if isinstance(value.raw, list | tuple) else ()
        where = ".".join((path, *map(str, step)))
        written = "${…}" if text.startswith("${") else "$…"
        message = f"`{where}` is `{written}`: credconf expands nothing, so that text is the value"
        may_refer = (
            path in SETTINGS and "env" in SETTINGS[path].references and value.origin.place in {"file", "argument"}
        )
        hint = "write {env: NAME} to read a variable" if may_refer else "write the value itself"
        yield Problem("not-expanded", message, "warning", where, value.place_of(step), hint)


def _unexpanded_paths(path: str, value: Value) -> Iterator[Problem]:
    """Warn about `~/secret` and `$HOME/secret`, which a shell would expand and credconf does not."""
    several = isinstance(value.raw, list | tuple)
    for index, item in enumerate(value.raw if several else (value.raw,)):
        reference = reference_in(item)
        name = (
            reference.names_file
            if reference is not None
            else item
            if path in SETTINGS and SETTINGS[path].setting.is_path
            else None
        )
        if not isinstance(name, str) or not _is_for_a_shell(name):
            continue
        step: tuple[int, ...] = (index,) if several else ()
        where = ".".join((path, *map(str, step)))
        message = f"the path of `{where}` uses a shell's notation: credconf expands nothing"
        yield Problem("not-expanded", message, "warning", where, value.place_of(step), "write the whole path")


def _is_for_a_shell(path: str) -> bool:
    parts = re.split(r"[/\\]", path)
    return "~" in parts or any(_IN_A_PATH.match(part) for part in parts)


def _cut(path: str, value: Value, lines: Lines) -> Iterator[Problem]:
    if value.origin.place == "dotenv":
        if _is_cut_in_dotenv(lines.at(value.origin)):
            yield _cut_off(path, value.origin)
        return
    items = list(enumerate(value.node.items)) if isinstance(value.node, Sequence) else [(None, value.node)]
    for index, node in items:
        if not isinstance(node, Scalar) or not node.plain:
            continue
        origin = value.origin.at(node.line, node.column)
        line, end = lines.at(origin), node.column - 1 + len(node.text)
        match = _CUT_OFF.fullmatch(line, end) if line.startswith(node.text, node.column - 1) else None
        if match is not None and not _MARKS.fullmatch(match["word"]):
            yield _cut_off(path if index is None else f"{path}.{index}", origin)


def _is_cut_in_dotenv(line: str) -> bool:
    """Whether a value is cut, without a regular expression, which would take quadratic time for a line of blanks."""
    written = line.partition("=")[2].lstrip()
    before, _, after = line.partition("=")[2].rpartition("#")
    word = after.rstrip()
    return (
        not written.startswith(("'", '"'))
        and before[-1:].isspace()
        and bool(word)
        and not any(character.isspace() for character in word)
        and not _MARKS.fullmatch(word)
    )


def _cut_off(path: str, origin: Origin) -> Problem:
    message = f"`{path}` ends before ` #`: the rest is a comment"
    return Problem(
        "cut-value", message, "warning", path, origin, "put quotes around the value if the rest is part of it"
    )
