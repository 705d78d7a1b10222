"""Reads the references of settings: the texts of the identity, the proofs, and what can't be read now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, SecretStr

from credconf.entra.request import Identity
from credconf.ground.bundles import unusable_bundle
from credconf.ground.records import field, record
from credconf.problems import printable
from credconf.references import BaseReference, NotFound
from credconf.settings import formats
from credconf.settings.declaration import declared
from credconf.stores import OWN_SETTINGS, store_lack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from credconf.entra.proof import Proof
    from credconf.references import Reader
    from credconf.settings.declaration import Declared

    from .common import CommonSettings


def identify(settings: CommonSettings, reader: Reader) -> tuple[Identity, list[tuple[str, NotFound]]]:
    """Read the texts of the identity. Returns them, and (path, reason) of those that can't be used.

    Proofs are not read here, but when a token is requested.
    """
    failures: list[tuple[str, NotFound]] = []
    texts: dict[str, str | None] = {}
    hidden: set[str] = set()
    for each in declared(type(settings)):
        if not each.is_text or not _is_read(each, settings):
            continue
        value = value_at(settings, each.path)
        if isinstance(value, SecretStr):
            if not each.is_key:
                texts[each.path] = value.get_secret_value()
        elif isinstance(value, BaseReference):
            found = reader.text(value)
            if isinstance(found, str):
                found = by_format(each, found.strip(), value.label)
            if isinstance(found, NotFound):
                failures.append((each.path, found))
                continue
            if each.is_key:  # it is read when it is needed, and not kept
                continue
            if not value.is_shown:
                hidden.add(each.path)
            texts[each.path] = found.strip()
        else:
            texts[each.path] = value
    urls = frozenset(each.path for each in declared(type(settings)) if each.accepts_url)
    return Identity(texts, frozenset(hidden), urls), failures


def other_secrets(settings: CommonSettings, reader: Reader) -> Iterator[str]:
    """The secrets that prove nothing to Entra, such as the key of a token store, as far as they can be read now."""
    for each in declared(type(settings)):
        if not each.is_key or each.is_proof or not _is_read(each, settings):
            continue
        value = value_at(settings, each.path)
        text = reader.text(value) if isinstance(value, BaseReference) else value and value.get_secret_value()
        if isinstance(text, str):
            yield text


def _is_read(each: Declared, settings: CommonSettings) -> bool:
    group, _, leaf = each.path.rpartition(".")
    if group == "token_cache":
        return leaf in OWN_SETTINGS[settings.token_cache.kind]
    return bool(group) or not each.is_proof


def value_at(settings: BaseModel, path: str) -> Any:
    """Return the value of a setting, by its dotted path."""
    value: Any = settings
    for step in path.split("."):
        value = getattr(value, step)
    return value


def by_format(each: Declared, text: str, label: str | None = None) -> str | NotFound:
    """Normalise the text of a setting that has a format; returns what is wrong with it otherwise, without the text.

    Args:
        each: the setting.
        text: the text.
        label: the name of the place that holds it, if the problem has no other place.
    """
    return text if each.format is None else by_rule(text, label, each.format.normalise)


def by_rule(text: str, label: str | None, rule: Callable[[str], str]) -> str | NotFound:
    """Normalise the text of a reference; returns what is wrong with it otherwise, without the text."""
    try:
        return rule(text)
    except formats.FormatError as exc:
        what, hint = str(exc), exc.hint
    except ValueError:  # from a library; its message holds the text
        what, hint = "this is not a usable value", None
    return NotFound("bad-value", f"{label}: {what}" if label else what, hint)


@record
class Readable:
    """The references of settings as far as they can be read.

    Attributes:
        identity: the texts that could be read.
        proofs: the proofs that could be read, by path.
        failures: (path, reason) of each value that can't be used.
        optional: the paths of the failures that are only warnings: in a list of secrets, one that is new or old may be
            absent, as long as another can be read.
        identity_is_whole: whether all texts of the identity could be read.
    """

    identity: Identity
    proofs: Mapping[str, Proof] = field(repr=False)
    failures: tuple[tuple[str, NotFound], ...]
    optional: frozenset[str]
    identity_is_whole: bool


def readable(settings: CommonSettings, reader: Reader) -> Readable:
    """Read every reference of settings, to find those that can't be read now."""
    identity, unread = identify(settings, reader)
    found = list(settings.proofs(reader))
    proofs = {path: proof for path, proof in found if not isinstance(proof, NotFound)}
    failed = [(path, proof) for path, proof in found if isinstance(proof, NotFound)]
    is_optional = bool(proofs) and all(failure.code in _ABSENT for _, failure in failed)
    optional = frozenset(path for path, _ in failed) if is_optional else frozenset[str]()
    machine = [
        ("kind", _not_allowed(settings, reader)),
        ("http.ca_bundle", _unusable_bundle(settings)),
        ("token_cache.kind", store_lack(settings.token_cache, identity.texts, here=reader.known)),
    ]
    missing = [(failure.path or path, failure) for path, failure in machine if failure is not None]
    failures = [*unread, *failed, *missing, *(settings.lacks(reader) if reader.known else ())]
    return Readable(identity, proofs, tuple(failures), optional, not unread)


def _not_allowed(settings: CommonSettings, reader: Reader) -> NotFound | None:
    """Return the failure of a kind that the program does not allow, or `None`."""
    word = settings.allowed_by
    if word is None or word in reader.allow:
        return None
    message = "this kind runs a program, which this application does not allow"
    return NotFound("not-allowed", message, f'pass allow={{"{word}"}} to from_config(), or --allow {word}')


_ABSENT: Final = frozenset({"missing-file", "missing-variable"})


def _unusable_bundle(settings: CommonSettings) -> NotFound | None:
    """Return why the certificates of `http.ca_bundle` can't be read, or `None`."""
    path = settings.http.ca_bundle
    why = None if path is None else unusable_bundle(path)
    if path is None or why is None:
        return None
    return NotFound(why.code, f"{printable(path)} {why.reason}", printable(why.hint or "check the path"))
