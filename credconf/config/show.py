"""Lists every setting for `credconf show`, with its origin and, where allowed, its value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr

from credconf.ground.records import record, replace
from credconf.kinds import LEAVES, SETTINGS, Identity, Invalid, Kind, identify, validate
from credconf.kinds.readable import value_at
from credconf.problems.problem import Origin
from credconf.references import BaseReference, reference_in, validated
from credconf.settings import formats

from .layers import origins_of, tree
from .stand_ins import stand_ins
from .variables import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from credconf.kinds import Kind
    from credconf.references import Reference

    from .layers import Value
    from .resolution import FailedResolution, Resolved


@record
class ShownSetting:
    """One setting as `credconf show` prints it.

    Attributes:
        path: the dotted path, such as `http.timeout`.
        value: text, a number, a boolean or a list; `None` where there is no value, or it is hidden.
        hidden: whether there is a value that is not shown.
        references: the references of the value: `{"env": NAME}`, `{"file": PATH}` or `{"command": PROGRAM}`, without
            the arguments of the program.
        origin: where it came from, and what it displaced.
        problems: the codes of the errors about it; its value is then hidden.
    """

    path: str
    value: Any
    hidden: bool
    references: tuple[dict[str, str], ...]
    origin: Origin
    problems: tuple[str, ...] = ()


def settings_of(resolved: Resolved) -> Iterator[ShownSetting]:
    """Yield every setting, including those of groups, in the order of the models. No program is run."""
    identity, _ = identify(resolved.settings, replace(resolved.reader, runs=False))
    for path, origin in resolved.origins.items():
        yield setting_of(resolved.settings, path, origin, identity)


def setting_of(settings: Kind, path: str, origin: Origin, identity: Identity) -> ShownSetting:
    """Return one setting of a validated model."""
    written = value_at(settings, path)
    value, hidden = _shown(path, written, identity)
    return ShownSetting(path, value, hidden, tuple(references_in(written)), origin)


def variables_of(resolved: Resolved) -> str:
    """Describe the variables that the credential reads."""
    prefixed = resolved.origins["env_prefix"].place != "default"
    scheme = Scheme.of(resolved.name, resolved.settings.env_prefix, prefixed=prefixed)
    if scheme.prefix is None:
        return "reads no variable"
    documented = ", and the AZURE_ variables of azure-identity" if scheme.azure else ""
    return f"reads {scheme.prefix}<FIELD>{documented}"


def _shown(path: str, written: Any, identity: Identity) -> tuple[Any, bool]:
    """Return the value to show, and whether it is hidden."""
    each = SETTINGS[path]
    if written is not None and each.is_text and not (each.is_proof or each.is_key):
        text = identity.texts.get(path) if path not in identity.hidden else None
        if text is None:
            return None, True
        if not each.hidden:
            return text, False
        # The URL may hold a password; host and port do not. The path of a socket reveals the layout of the machine.
        return (None, True) if text.startswith("unix:") else (formats.shown(text), False)
    if isinstance(written, tuple):
        hidden = any(isinstance(item, SecretStr | BaseModel) for item in written)
        return (None, True) if hidden else (list(written), False)
    if isinstance(written, date):
        return written.isoformat(), False
    return (None, True) if isinstance(written, SecretStr | BaseModel) else (written, False)


def references_in(written: Any) -> Iterator[dict[str, str]]:
    """Yield the references of a value, validated or raw; for a program only its name, without arguments."""
    for item in written if isinstance(written, tuple | list) else (written,):
        reference = reference_in(item)
        if reference is not None and (isinstance(item, BaseReference) or _is_valid(reference)):
            yield {reference.key: reference.name}


def _is_valid(reference: Reference) -> bool:
    """Whether a raw reference is valid, so that its value may be shown."""
    return validated(type(reference), getattr(reference, reference.key)) is not None


def settings_so_far(unresolved: FailedResolution) -> Iterator[ShownSetting]:
    """Yield the known settings, and those with problems, in the order of the models.

    A value with a problem is not shown, because it may be a secret in the wrong place.
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
    """Yield the settings without problems, validated with placeholders for those with problems."""
    fields = tree(good)
    settings = unresolved.settings or validate({**fields, **stand_ins(fields)})
    if isinstance(settings, Invalid) or unresolved.reader is None:
        return
    identity, unread = identify(settings, replace(unresolved.reader, runs=False))
    failed = {path: failure.code for path, failure in unread}
    for path, origin in origins_of(settings, good).items():
        if unresolved.settings is None and (origin.place == "default" or path in {"cloud", "authority"} - good.keys()):
            continue  # a default may depend on the settings with problems
        setting = setting_of(settings, path, origin, identity)
        code = failed.get(path)
        known = code is None or path in troubles
        yield setting if known else replace(setting, value=None, hidden=True, problems=(code,))


def _troubles(unresolved: FailedResolution) -> dict[str, tuple[str, ...]]:
    """Return the codes of the errors about each setting, by its path."""
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
