"""The types of the settings' fields: text that may be a reference, secrets, tenants, authorities.

Every validation error is a `PydanticCustomError` with credconf's own text, which never quotes the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from os import PathLike, fspath
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError

from credconf.references import REFERENCES, BaseReference, Reference, validated

from . import formats
from .declaration import ANY_ASSERTION, ANY_BYTES, ANY_SECRET, ANY_TEXT, Accepts, declared
from .faults import fault, several_keys, unknown_reference, written_as
from .formats import Format, FormatError
from .in_memory import AssertionFunction, CertificateBytes

MOST_SECRETS = 16
_DAY = "write year, month and day, such as 2027-01-31"
_ITSELF = "write the text itself: a reference is not possible here"


def _reference(value: Mapping[Any, Any], keys: tuple[str, ...]) -> Reference:
    shapes = " or ".join(written_as(key) for key in keys)
    if len(value) != 1:
        raise several_keys(value, shapes)
    key = next(iter(value))
    if key not in keys:
        raise unknown_reference(key, keys, shapes)
    found = validated(REFERENCES[key], _path(value[key]))
    if found is not None:  # the error is raised outside, so that no chained exception holds the input
        return found
    message = f"what follows `{key}` is not {REFERENCES[key].expected}"
    raise fault("bad-reference", message, f"write {written_as(key)}", step=key)


def _path(value: Any) -> Any:
    return fspath(value) if isinstance(value, PathLike) else value


def _text(value: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(value, BaseReference):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, Mapping):
        return _reference(value, keys)
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


def text_or_reference(value: Any, format: Format | None = None) -> Any:  # noqa: A002 - the word of the declaration
    """Validate text in a format, or a reference, whose value is checked against the format when it is read.

    Raises:
        PydanticCustomError: the value is neither.
    """
    value = _text(value, ANY_TEXT)
    if format is None or not isinstance(value, str):
        return value
    return _formatted(value, format)


def _formatted(value: str, format: Format) -> Any:  # noqa: A002 - the word of the declaration
    try:
        return format.normalise(value)
    except FormatError as exc:
        message, hint = str(exc), exc.hint
    raise fault("bad-value", message, hint)


def hidden_text(value: Any, format: Format) -> Any:  # noqa: A002 - the word of the declaration
    """Validate as `text_or_reference`, for a text that may hold a password."""
    value = text_or_reference(value.get_secret_value() if isinstance(value, SecretStr) else value, format)
    return SecretStr(value) if isinstance(value, str) else value


def plain_text(value: Any, format: Format) -> Any:  # noqa: A002 - the word of the declaration
    """Validate text in a format, without references."""
    return _formatted(_plain_text(value), format)


def _allowed_tenant(value: Any) -> Any:
    if not isinstance(value, str):
        message = f"a tenant must be text, not {_kind_of(value)}"
        raise fault("wrong-type", message, _ITSELF if isinstance(value, Mapping) else None)
    return value if value == "*" else text_or_reference(value, formats.TENANT)


def _hidden(value: Any, keys: tuple[str, ...]) -> Any:
    value = _text(value, keys)
    return SecretStr(value) if isinstance(value, str) else value


def _secret(value: Any) -> Any:
    """Validate a literal, a reference, or a list of them."""
    if isinstance(value, str | Mapping | SecretStr) or not isinstance(value, Sequence) or isinstance(value, bytes):
        return _hidden(value, ANY_SECRET)
    if not value:
        raise fault("empty", "this list is empty")
    if len(value) > MOST_SECRETS:  # each may be a file that is read and kept in memory
        message = f"this list holds more than {MOST_SECRETS} secrets"
        raise fault("bad-value", message, "keep those that Entra may still accept")
    items = tuple(_item(item, index) for index, item in enumerate(value))
    faults = [item for item in items if isinstance(item, PydanticCustomError)]
    if faults:
        raise _with_others(*faults)
    return items


def _item(item: Any, index: int) -> Any:
    """Return the validated item, or its error."""
    try:
        return _hidden(item, ANY_SECRET)
    except PydanticCustomError as exc:
        code, context = exc.type, exc.context or {}
    return fault(code, str(context.get("text")), context.get("hint"), step=index)


def _with_others(first: PydanticCustomError, *others: PydanticCustomError) -> PydanticCustomError:
    context = first.context or {}
    return fault(first.type, str(context.get("text")), context.get("hint"), context.get("step"), others)


def _password(value: Any) -> Any:
    return _hidden(value, ANY_TEXT)


def _certificate(value: Any) -> Any:
    if isinstance(value, CertificateBytes):
        return value
    if isinstance(value, str):
        message = "a certificate is always a reference to a file"
        raise fault("wrong-type", message, "write {file: PATH}")
    return _text(value, ANY_BYTES)


def _assertion(value: Any) -> Any:
    if isinstance(value, AssertionFunction):
        return value
    if isinstance(value, str | SecretStr):
        message = "an assertion expires, so it is always a reference"
        raise fault("wrong-type", message, "write {file: PATH}")
    return _text(value, ANY_ASSERTION)


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
    with suppress(FormatError):  # the error is raised outside, so that no chained exception holds the input
        return formats.day(value)
    message = "this is not a date"
    raise fault("bad-value", message, _DAY)


def refuse_to_pickle_secrets(settings: BaseModel) -> None:
    """Refuse to pickle literal secrets, for `__getstate__`. Each group of settings checks its own fields.

    Raises:
        TypeError: the settings hold a literal secret, or a URL with a password.
    """
    for each in declared(type(settings)):
        value = None if "." in each.path else getattr(settings, each.path)
        for item in value if isinstance(value, tuple) else (value,):
            is_secret = isinstance(item, SecretStr) and (not each.accepts_url or "@" in item.get_secret_value())
            if is_secret or isinstance(item, CertificateBytes):
                do = "use from_config() with a reference, such as {file: PATH}"
                raise TypeError(f"settings that hold a secret can't be pickled, here `{each.path}`: {do}")


def text_in(format: Format) -> Accepts:  # noqa: A002 - the word of the declaration
    """Accept text in a format, or a reference."""
    return Accepts(partial(text_or_reference, format=format), ANY_TEXT, format=format)


def url_in(format: Format) -> Accepts:  # noqa: A002 - the word of the declaration
    """Accept a URL that may hold a password, or a reference."""
    return Accepts(partial(hidden_text, format=format), ANY_TEXT, hidden=True, is_url=True, format=format)


def name_in(format: Format) -> Accepts:  # noqa: A002 - the word of the declaration
    """Accept text in a format, but no reference."""
    return Accepts(partial(plain_text, format=format), format=format)


OneSecret = SecretStr | Reference

Text = Annotated[str | Reference, Accepts(text_or_reference, ANY_TEXT)]
PlainText = Annotated[str, Accepts(_plain_text)]
Tenant = Annotated[str | Reference, text_in(formats.TENANT)]
Authority = Annotated[str | Reference, text_in(formats.AUTHORITY)]
OidcAuthority = Annotated[str | Reference, text_in(formats.OIDC_AUTHORITY)]
Region = Annotated[str | Reference, text_in(formats.REGION)]
Proxy = Annotated[SecretStr | Reference, url_in(formats.PROXY)]
AllowedTenants = Annotated[
    tuple[Annotated[str, BeforeValidator(_allowed_tenant)], ...], Accepts(_list, format=formats.ALLOWED_TENANT)
]
Scopes = Annotated[tuple[PlainText, ...], Accepts(_list)]
Day = Annotated[date, Accepts(_day, format=formats.DAY)]
Password = Annotated[OneSecret, Accepts(_password, ANY_TEXT, hidden=True)]
Secret = Annotated[OneSecret | tuple[OneSecret, ...], Accepts(_secret, ANY_SECRET, hidden=True, several=MOST_SECRETS)]
Assertion = Annotated[Reference | AssertionFunction, Accepts(_assertion, ANY_ASSERTION, literal=False)]
Certificate = Annotated[Reference | CertificateBytes, Accepts(_certificate, ANY_BYTES, literal=False)]
