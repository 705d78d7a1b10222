"""Every setting with its origin, and its value where it may be shown: what `credconf show` prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr, ValidationError

from credconf.ground.records import record, replace
from credconf.kinds import LEAVES, SETTINGS, Identity, Invalid, Kind, identify, validate
from credconf.kinds.readable import value_at
from credconf.problems.problem import Origin
from credconf.references import BaseReference, reference_in
from credconf.settings import formats

from .judging import stand_ins
from .merging import origins_of, tree
from .variables import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from credconf.kinds import Kind
    from credconf.references import Reference

    from .layers import Value
    from .resolution import FailedResolution, Resolved


@record
class ShownSetting:
    """One setting.

    Attributes:
        path: dotted, such as `http.timeout`.
        value: text, a number, a boolean or a list; `None` where it has none, or is hidden.
        hidden: there is a value, which is not shown.
        references: what the configuration refers to instead of holding the value: `{"env": NAME}`, `{"file": PATH}` or
            `{"command": PROGRAM}`, without its arguments.
        origin: where it came from, and what it displaced.
        problems: codes of the errors about it; its value is hidden then.
    """

    path: str
    value: Any
    hidden: bool
    references: tuple[dict[str, str], ...]
    origin: Origin
    problems: tuple[str, ...] = ()


def settings_of(resolved: Resolved) -> Iterator[ShownSetting]:
    """Every setting, those of a group by themselves, in the order of the models. No program is run."""
    identity, _ = identify(resolved.settings, replace(resolved.reader, runs=False))
    for path, origin in resolved.origins.items():
        yield setting_of(resolved.settings, path, origin, identity)


def setting_of(settings: Kind, path: str, origin: Origin, identity: Identity) -> ShownSetting:
    """One setting of a validated model."""
    written = value_at(settings, path)
    value, hidden = _shown(path, written, identity)
    return ShownSetting(path, value, hidden, tuple(references_in(written)), origin)


def variables_of(resolved: Resolved) -> str:
    """The variables that the credential reads, in words."""
    prefixed = resolved.origins["env_prefix"].place != "default"
    scheme = Scheme.of(resolved.name, resolved.settings.env_prefix, prefixed=prefixed)
    if scheme.prefix is None:
        return "reads no variable"
    documented = ", and the AZURE_ variables of azure-identity" if scheme.azure else ""
    return f"reads {scheme.prefix}<FIELD>{documented}"


def _shown(path: str, written: Any, identity: Identity) -> tuple[Any, bool]:
    """The value as it may be shown, and whether that hides it."""
    each = SETTINGS[path]
    if written is not None and each.is_text and not (each.is_proof or each.is_key):
        text = identity.texts.get(path) if path not in identity.hidden else None
        if text is None:
            return None, True
        if not each.hidden:
            return text, False
        # The URL may hold a password; host and port never do. A socket's path tells the machine's layout.
        return (None, True) if text.startswith("unix:") else (formats.shown(text), False)
    if isinstance(written, tuple):
        hidden = any(isinstance(item, SecretStr | BaseModel) for item in written)
        return (None, True) if hidden else (list(written), False)
    if isinstance(written, date):
        return written.isoformat(), False
    return (None, True) if isinstance(written, SecretStr | BaseModel) else (written, False)


def references_in(written: Any) -> Iterator[dict[str, str]]:
    """What a value refers to, validated or as it was written; of a program the name alone, without its arguments."""
    for item in written if isinstance(written, tuple | list) else (written,):
        reference = reference_in(item)
        if reference is not None and (isinstance(item, BaseReference) or _is_valid(reference)):
            yield {reference.key: reference.name}


def _is_valid(reference: Reference) -> bool:
    """Whether a reference that was not validated is one: only then what follows its key is shown."""
    with suppress(ValidationError):
        type(reference).model_validate({reference.key: getattr(reference, reference.key)})
        return True
    return False


def settings_so_far(unresolved: FailedResolution) -> Iterator[ShownSetting]:
    """The settings that are known, and those that problems are about, in the order of the models.

    A value that a problem is about is not shown: it may be a secret in the wrong place.
    """
    troubles = _troubles(unresolved)
    good = {path: value for path, value in unresolved.merged.items() if path not in troubles}
    found = {item.path: item for item in _usable(unresolved, good, troubles)}
    for path, codes in troubles.items():
        value = unresolved.merged.get(path)
        if value is None:
            found[path] = ShownSetting(
                path, None, hidden=False, references=(), origin=Origin("default"), problems=codes
            )
        else:
            references = tuple(references_in(value.raw))
            found[path] = ShownSetting(
                path, None, hidden=True, references=references, origin=value.origin, problems=codes
            )
    yield from (found[path] for path in LEAVES if path in found)


def _usable(unresolved: FailedResolution, good: Mapping[str, Value], troubles: Iterable[str]) -> Iterator[ShownSetting]:
    """The settings without problems, judged with something valid in the place of those that have one."""
    fields = tree(good)
    settings = unresolved.settings or validate({**fields, **stand_ins(fields)})
    if isinstance(settings, Invalid) or unresolved.reader is None:
        return
    identity, unread = identify(settings, replace(unresolved.reader, runs=False))
    failed = {path: failure.code for path, failure in unread}
    for path, origin in origins_of(settings, good).items():
        if unresolved.settings is None and (origin.place == "default" or path in {"cloud", "authority"} - good.keys()):
            continue  # what nobody gave is not known yet: it may depend on what is wrong
        setting = setting_of(settings, path, origin, identity)
        code = failed.get(path)
        known = code is None or path in troubles
        yield setting if known else replace(setting, value=None, hidden=True, problems=(code,))


def _troubles(unresolved: FailedResolution) -> dict[str, tuple[str, ...]]:
    """The codes of the errors about each setting, by its path."""
    found: dict[str, list[str]] = {}
    for problem in unresolved.problems:
        path = (problem.path or "").removeprefix(unresolved.prefix)
        steps = path.split(".")
        holding = [".".join(steps[:length]) for length in range(len(steps), 0, -1)]
        about = next((each for each in holding if each in unresolved.merged), None)
        about = about or (path if problem.code == "missing" else None)
        if about is not None and problem.severity == "error":
            found.setdefault(about, []).append(problem.code)
    return {path: tuple(dict.fromkeys(codes)) for path, codes in found.items()}
