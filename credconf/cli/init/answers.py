"""What `credconf init` needs to know, and the rules for it. No rule's message quotes what was given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from credconf.ground.records import record
from credconf.settings import clouds, formats
from credconf.settings.formats import ENTRY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

Source = Literal["file", "env", "certificate"]

_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_OURS = ("AZURE_", "CREDCONF_")
_SOURCES: dict[str, Source] = {"file": "file", "env": "env", "certificate": "certificate"}


class BadAnswer(ValueError):
    """An answer that can't be used; the text says what it should look like."""


@record
class Place:
    """Where the secret or certificate will be found: a file's path, or a variable's name."""

    source: Source
    text: str


@record
class Answers:
    """What the files are written from.

    Attributes:
        tenant_id: a GUID or a domain.
        client_id: a GUID.
        cloud: a preset's name.
        place: of the secret.
        name: of the entry; `None` for the flat form.
    """

    tenant_id: str
    client_id: str
    cloud: str
    place: Place
    name: str | None


def tenant(text: str) -> str:
    """A GUID or a domain.

    Raises:
        BadAnswer: it is neither.
    """
    text = _ruled(text, formats.tenant)
    if not _GUID.fullmatch(text) and "." not in text.strip("."):
        raise BadAnswer("a tenant is a GUID or a domain name, such as contoso.onmicrosoft.com")
    return text


def _ruled(text: str, rule: Callable[[str], str]) -> str:
    try:
        return rule(text.strip())
    except formats.FormatError as exc:
        message = str(exc)
    raise BadAnswer(message)


def client(text: str) -> str:
    """A GUID.

    Raises:
        BadAnswer: it is none.
    """
    if not _GUID.fullmatch(text.strip()):
        raise BadAnswer("an application (client) id is a GUID, such as 11111111-1111-1111-1111-111111111111")
    return text.strip()


def cloud(text: str) -> str:
    """The name of a cloud.

    Raises:
        BadAnswer: it is none.
    """
    if text.strip() not in clouds.PRESETS:
        raise BadAnswer(f"a cloud is one of {', '.join(clouds.PRESETS)}")
    return text.strip()


def entry(text: str) -> str:
    """The name of an entry.

    Raises:
        BadAnswer: it is none.
    """
    if not re.fullmatch(ENTRY_NAME.pattern, text):
        raise BadAnswer("a name is lower-case letters and digits, joined by single `-` or `_`, such as my-app")
    return text


def place(text: str) -> Place:
    """Where the secret will be: `env:NAME`, `file:PATH` or `certificate:PATH`. Never the secret itself.

    Raises:
        BadAnswer: it is none of these.
    """
    word, _, rest = text.partition(":")
    source, rest = _SOURCES.get(word.strip()), rest.strip()
    if source is None or not rest:
        raise BadAnswer("say where the secret is, not what it is: env:NAME, file:PATH or certificate:PATH")
    if source != "env":
        if not rest.isprintable():
            raise BadAnswer("a path holds no control characters")
        return Place(source, rest)
    if not _VARIABLE.fullmatch(rest):
        raise BadAnswer("the name of a variable is letters, digits and `_`")
    if rest.upper().startswith(_OURS) and not rest.endswith("CLIENT_SECRET"):
        raise BadAnswer("a variable of this name means another setting, or will one day")
    return Place("env", rest)


def usual_place(name: str | None) -> str:
    """Where a secret usually is: in the variable that azure-identity reads, or in the entry's own."""
    prefix = "AZURE" if name is None else name.upper().replace("-", "_")
    return f"env:{prefix}_CLIENT_SECRET"
