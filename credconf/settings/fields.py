"""The types of the settings' fields: text that may be a reference, secrets, tenants, authorities.

Every fault is a `PydanticCustomError` with a text of ours, which never quotes what was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from os import PathLike, fspath
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, SecretBytes, SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from credconf.ground.models import STRICT, complete
from credconf.problems import closest
from credconf.references import CommandReference, EnvReference, FileReference

from . import clouds

REFERENCES: dict[str, type[EnvReference | FileReference | CommandReference]] = {
    "env": EnvReference,
    "file": FileReference,
    "command": CommandReference,
}
_SHAPES = {"env": "{env: NAME}", "file": "{file: PATH}", "command": "{command: [PROGRAM, ARGUMENT]}"}
_AFTER = {
    "env": "the name of a variable: letters, digits and `_`, without `$`",
    "file": "a path",
    "command": "a list of a program and its arguments",
}
MOST_SECRETS = 16
_DAY = "write year, month and day, such as 2027-01-31"
_ITSELF = "write the text itself: no reference can stand here"
_ELSEWHERE = {
    "env": {"environment", "env_var", "envvar", "var", "variable", "from_env", "getenv", "name"},
    "file": {"path", "filename", "file_path", "filepath", "from_file", "secret_file", "mount"},
    "command": {"cmd", "exec", "run", "shell", "program"},
}
"""What other tools call the references."""


def fault(
    code: str,
    message: str,
    hint: str | None = None,
    step: str | int | None = None,
    others: Sequence[PydanticCustomError] = (),
) -> PydanticCustomError:
    """An error for pydantic that says what is wrong without the value. Braces in it are no placeholders.

    Args:
        code: of the problem.
        message: what is wrong.
        hint: what to do.
        step: the index or key, inside the field, of the thing that is wrong.
        others: faults of other things inside the field: pydantic takes one of each field.
    """
    more = tuple({"code": other.type, **(other.context or {})} for other in others)
    context = {"text": message, "hint": hint, "step": step, "others": more}
    kind: Any = code  # pydantic wants a literal, which all of ours are where they are written
    return PydanticCustomError(kind, "{text}", context)


def _reference(value: Mapping[Any, Any], kinds: tuple[str, ...]) -> EnvReference | FileReference | CommandReference:
    shapes = " or ".join(_SHAPES[kind] for kind in kinds)
    if len(value) != 1:
        message = "a reference has exactly one key"
        raise fault("bad-reference", message, f"write {shapes}")
    key = next(iter(value))
    if key not in kinds:
        raise _unknown_reference(key, kinds, shapes)
    with suppress(ValidationError):  # what follows is raised outside, so that no chain holds the input
        return complete(REFERENCES[key]).model_validate({key: _path(value[key])})
    message = f"what follows `{key}` is not {_AFTER[key]}"
    raise fault("bad-reference", message, f"write {_SHAPES[key]}", step=key)


def _unknown_reference(key: Any, kinds: tuple[str, ...], shapes: str) -> PydanticCustomError:
    if key in REFERENCES:
        return fault("bad-reference", f"a reference by `{key}` can't be used here", f"write {shapes}")
    allowed = ", ".join(f"`{kind}`" for kind in kinds)
    words = {word: kind for kind in kinds for word in (kind, *_ELSEWHERE[kind])}
    meant = words.get(closest(key, words) or "") if isinstance(key, str) else None
    hint = f"did you mean {_SHAPES[meant]}?" if meant else f"write the text itself, or {shapes}"
    return fault("bad-reference", f"a reference here is one of {allowed}", hint)


def _path(value: Any) -> Any:
    return fspath(value) if isinstance(value, PathLike) else value


def _text(value: Any, kinds: tuple[str, ...]) -> Any:
    if isinstance(value, EnvReference | FileReference | CommandReference):
        value = value.model_dump()
    if isinstance(value, Mapping):
        return _reference(value, kinds)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str):
        message = f"this must be text or a reference, not {_kind_of(value)}"
        raise fault("wrong-type", message, "put quotes around it" if isinstance(value, int | float) else None)
    if not value.strip():
        raise fault("empty", "this holds only white space" if value else "this is empty")
    return value


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, bytes):
        return "bytes"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) else "an object of another type"


def text_or_reference(value: Any) -> Any:
    """Text, `{env:}` or `{file:}`."""
    return _text(value, ("env", "file"))


def named_text(value: Any, normalise: Any) -> Any:
    """Text that a rule normalises; a reference is checked by the same rule when it is read.

    Raises:
        PydanticCustomError: it is no text, or the rule raised `BadName`.
    """
    value = text_or_reference(value)
    if not isinstance(value, str):
        return value
    try:
        return normalise(value)
    except clouds.BadName as exc:
        message = str(exc)
    raise fault("bad-value", message)


def _tenant(value: Any) -> Any:
    return named_text(value, clouds.tenant)


def _authority(value: Any) -> Any:
    return named_text(value, clouds.authority)


def _oidc_authority(value: Any) -> Any:
    return named_text(value, clouds.oidc_authority)


def _region(value: Any) -> Any:
    return named_text(value, clouds.region)


def _allowed_tenant(value: Any) -> Any:
    if not isinstance(value, str):
        message = f"a tenant must be text, not {_kind_of(value)}"
        raise fault("wrong-type", message, _ITSELF if isinstance(value, Mapping) else None)
    return value if value == "*" else _tenant(value)


def _hidden(value: Any, kinds: tuple[str, ...]) -> Any:
    value = _text(value, kinds)
    return SecretStr(value) if isinstance(value, str) else value


def _secret(value: Any) -> Any:
    """A literal, a reference, or a list of them; a list of one is that one."""
    kinds = ("env", "file", "command")
    if isinstance(value, str | Mapping | SecretStr) or not isinstance(value, Sequence) or isinstance(value, bytes):
        return _hidden(value, kinds)
    if not value:
        raise fault("empty", "this list is empty")
    if len(value) > MOST_SECRETS:  # each may be a file that is read and kept
        message = f"this list holds more than {MOST_SECRETS} secrets"
        raise fault("bad-value", message, "keep those that Entra may still accept")
    items = tuple(_item(item, index, kinds) for index, item in enumerate(value))
    faults = [item for item in items if isinstance(item, PydanticCustomError)]
    if faults:
        raise _with_others(*faults)
    return items


def _item(item: Any, index: int, kinds: tuple[str, ...]) -> Any:
    """The item, or what is wrong with it."""
    try:
        return _hidden(item, kinds)
    except PydanticCustomError as exc:
        code, context = exc.type, exc.context or {}
    return fault(code, str(context.get("text")), context.get("hint"), step=index)


def _with_others(first: PydanticCustomError, *others: PydanticCustomError) -> PydanticCustomError:
    context = first.context or {}
    return fault(first.type, str(context.get("text")), context.get("hint"), context.get("step"), others)


def _proxy(value: Any) -> Any:
    """Hidden, because the URL may hold a password."""
    value = named_text(value.get_secret_value() if isinstance(value, SecretStr) else value, clouds.proxy)
    return SecretStr(value) if isinstance(value, str) else value


def _password(value: Any) -> Any:
    return _hidden(value, ("env", "file"))


class CertificateBytes(BaseModel):
    """A certificate that the program holds itself (`certificate_data=` of the constructors)."""

    model_config = STRICT

    data: SecretBytes

    @property
    def label(self) -> str:
        """What messages call it."""
        return "certificate_data"

    def __getstate__(self) -> dict[Any, Any]:
        """Pickling would write the private key.

        Raises:
            TypeError: always.
        """
        message = "a certificate that the program holds can't be pickled: use its file"
        raise TypeError(message)


def _certificate(value: Any) -> Any:
    if isinstance(value, CertificateBytes):
        return value
    if isinstance(value, str):
        message = "a certificate is always a reference to a file"
        raise fault("wrong-type", message, "write {file: PATH}")
    return _text(value, ("file",))


def _list(value: Any) -> Any:
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        message = f"this must be a list, not {'text' if isinstance(value, str) else _kind_of(value)}"
        raise fault("wrong-type", message, "write a list: [first, second]")
    return tuple(value)


def _plain_text(value: Any) -> Any:
    if not isinstance(value, str | PathLike):
        message = f"this must be text, not {_kind_of(value)}"
        raise fault("wrong-type", message, _ITSELF if isinstance(value, Mapping) else None)
    if "\0" in fspath(value):
        raise fault("bad-value", "this holds a NUL character")
    return _text(fspath(value), ())


def _day(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        message = f"this must be a date, not {_kind_of(value)}"
        raise fault("wrong-type", message, _DAY)
    with suppress(ValueError):  # what follows is raised outside, so that no chain holds the input
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):  # newer Pythons read other notations, too
            return date.fromisoformat(value.strip())
    message = "this is not a date"
    raise fault("bad-value", message, _DAY)


Text = Annotated[str | EnvReference | FileReference, BeforeValidator(text_or_reference)]
PlainText = Annotated[str, BeforeValidator(_plain_text)]
Tenant = Annotated[str | EnvReference | FileReference, BeforeValidator(_tenant)]
AllowedTenants = Annotated[tuple[Annotated[str, BeforeValidator(_allowed_tenant)], ...], BeforeValidator(_list)]
Day = Annotated[date, BeforeValidator(_day)]
Scopes = Annotated[tuple[PlainText, ...], BeforeValidator(_list)]
Authority = Annotated[str | EnvReference | FileReference, BeforeValidator(_authority)]
OidcAuthority = Annotated[str | EnvReference | FileReference, BeforeValidator(_oidc_authority)]
Region = Annotated[str | EnvReference | FileReference, BeforeValidator(_region)]
Password = Annotated[SecretStr | EnvReference | FileReference, BeforeValidator(_password)]
Proxy = Annotated[SecretStr | EnvReference | FileReference, BeforeValidator(_proxy)]
OneSecret = SecretStr | EnvReference | FileReference | CommandReference
Secret = Annotated[OneSecret | tuple[OneSecret, ...], BeforeValidator(_secret)]
Certificate = Annotated[FileReference | CertificateBytes, BeforeValidator(_certificate)]
