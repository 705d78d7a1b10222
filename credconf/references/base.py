"""The base class of references, and the reader that finds their values."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, cast

from pydantic import BaseModel

from credconf.ground.deferred import STRICT
from credconf.ground.records import field, record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from .web import Web

Stamp: TypeAlias = tuple[object, ...] | None
"""Equal stamps mean equal values. `None` means that the value is unknown until it is read."""

EXCHANGE_AUDIENCES = {
    "public": "api://AzureADTokenExchange",
    "usgov": "api://AzureADTokenExchangeUSGov",
    "china": "api://AzureADTokenExchangeChina",
}
"""The audience of an assertion for Entra, by cloud. Source: Microsoft's page on workload identity federation."""

NOT_RUN = "(not run)"
"""The value of a command while `load()` checks whether everything can be read, and runs nothing."""

_SALT = os.urandom(32)


@record
class NotFound:
    """Why a reference has no value. It is data, not an exception, so that no chained exception holds what was read.

    Attributes:
        code: the code of the problem, such as `missing-file`.
        message: one sentence that names the reference and shows nothing of its value.
        hint: what to do.
        path: the path of the setting, if it is not the one that was read.
        retry_after: seconds for which a service asked not to be asked again.
        variable: the variable that is missing, if `.env` may hold it, too.
        helps: the path of a setting, and the value of it that helps, which the hint shows as YAML.
    """

    code: str
    message: str
    hint: str | None = None
    path: str | None = None
    retry_after: float | None = None
    variable: str | None = None
    helps: tuple[str, str] | None = None


class BaseReference(BaseModel):
    """A reference to a value that is stored elsewhere: a model with one field, whose name is the key.

    Attributes:
        key: the key of its mapping.
        placeholder: the text after the key in messages.
        expected: a description of the text after the key.
        meaning: the description that an editor shows.
        snippet: the text that an editor inserts after the key.
        also_called: the names that other tools use for it.
        is_mapping: whether the value after the key is a mapping, instead of text or a list.
        variables: the variables of the process environment that decide where its value comes from.
        for_any_text: whether any text field accepts it, instead of only secrets.
        gives_bytes: whether it can give a certificate.
        only_assertions: whether it gives only assertions, and no other secret.
        needs_named_file: whether a discovered file must not use it.
        allowed_by: the word in `allow=` that it needs.
        runs: whether reading it runs a program or sends a request.
        is_shown: whether its value may be shown. A file's may not, since a configuration could name any file.
    """

    model_config = STRICT

    key: ClassVar[str]
    placeholder: ClassVar[str]
    expected: ClassVar[str]
    meaning: ClassVar[str]
    snippet: ClassVar[Any]
    also_called: ClassVar[frozenset[str]] = frozenset()
    is_mapping: ClassVar[bool] = False
    variables: ClassVar[tuple[str, ...]] = ()
    for_any_text: ClassVar[bool] = True
    gives_bytes: ClassVar[bool] = False
    only_assertions: ClassVar[bool] = False
    needs_named_file: ClassVar[bool] = False
    allowed_by: ClassVar[str | None] = None
    runs: ClassVar[bool] = False
    is_shown: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """Its name in messages."""
        return self.name

    @property
    def name(self) -> str:
        """The text after its key, as `credconf show` may show it."""
        return str(getattr(self, self.key))

    @property
    def names_variable(self) -> str | None:
        """The variable that it reads, of the reader's environment or `.env`; `None` where it reads none."""
        return None

    @property
    def names_file(self) -> str | None:
        """The path of the file that it reads; `None` where it reads none."""
        return None

    def read(self, reader: Reader) -> str | NotFound:
        """Return the text, or why there is none."""
        raise NotImplementedError

    def read_bytes(self, reader: Reader) -> bytes | NotFound:
        """Return the bytes of a certificate, if it `gives_bytes`."""
        raise NotImplementedError

    def stamp(self, reader: Reader) -> Stamp:
        """Return a value that changes with the text; `None` if the text must be read to notice a change."""
        raise NotImplementedError

    def with_audience(self, audience: str) -> Self:  # noqa: ARG002 - only what fetches an assertion names its audience
        """Return the reference with an audience for its assertions, unless it has one."""
        return self

    def missing(self, reader: Reader) -> NotFound | None:  # noqa: ARG002 - only what needs variables
        """Return why it can't have a value on this machine, if that is known without running or sending anything."""
        return None

    def prepare(self) -> None:
        """Import what reading it needs, at a time when there are file descriptors for that."""

    def not_allowed(self) -> NotFound:
        """Return the failure of a reference that the program does not allow."""
        message = f"`{self.key}` needs the program's permission"
        hint = f'pass allow={{"{self.allowed_by}"}} to from_config(), or --allow {self.allowed_by}'
        return NotFound("not-allowed", message, hint)

    @classmethod
    def of(cls, value: Any) -> Self:
        """Make a reference without validating its value."""
        fields: dict[str, Any] = {cls.key: value}
        return cast("Self", cls.model_construct(None, **fields))  # pyright: ignore[reportUnnecessaryCast] - not for mypy

    @classmethod
    def anchored(cls, value: Any, directory: str) -> Any:  # noqa: ARG003 - only paths need the directory
        """Make the text after the key independent of the working directory.

        Args:
            value: the raw value, of any type.
            directory: the directory of the file that holds the reference.
        """
        return value

    @classmethod
    def elsewhere(cls, value: Any, file: str) -> str | None:  # noqa: ARG003 - only paths need both
        """Return why the value may not be of the author of an auto-discovered file; `None` if it is.

        Args:
            value: the raw value after the key.
            file: the path of the discovered file.
        """
        return f"`{cls.key}` gets it from outside the file"


@record
class Reader:
    """Finds the values of references.

    Attributes:
        environ: the process environment, which is not copied.
        dotenv: the variables of `.env`, used for those that are not in the environment.
        allow: what the program allows; `{command:}` needs `{"command"}`.
        dotenv_file: the path of `.env`, for another process.
        seconds: the time limit of a command, if it is less than the default of ten seconds.
        pinned: the variables that are read only from a discovered `.env`: a value that was allowed because it came
            from there must not come from the environment later. `None` if `.env` was named.
        runs: whether programs are run and requests sent. `load()` checks references without either.
        web: makes what sends requests; `None` where nothing is sent.
        retries: how often a failed request is repeated.
        clock: the wall clock, in seconds of Unix time.
        known: whether there is a machine to read from. Without one, no reference has a value.
    """

    environ: Mapping[str, str] = field(repr=False)
    dotenv: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow: Collection[str] = ()
    dotenv_file: str | None = None
    seconds: float | None = None
    pinned: frozenset[str] | None = None
    runs: bool = True
    web: Callable[[], Web] | None = field(default=None, repr=False)
    retries: int = 0
    clock: Callable[[], float] = field(default=time.time, repr=False)
    known: bool = True

    def text(self, reference: BaseReference) -> str | NotFound:
        """Return the text of a reference, or why there is none. The text is never empty or only white space."""
        if not self.known:
            return _unknown(reference)
        if reference.allowed_by is not None and reference.allowed_by not in self.allow:
            return reference.not_allowed()
        if reference.runs and not self.runs:
            reference.prepare()
            return reference.missing(self) or NOT_RUN
        found = reference.read(self)
        if isinstance(found, str) and not found.strip():
            state = "holds only white space" if found else "is empty"
            return NotFound("empty", f"{reference.label} {state}")
        return found

    def content(self, reference: BaseReference) -> bytes | NotFound:
        """Return the bytes of a certificate, or why there are none."""
        return reference.read_bytes(self) if self.known else _unknown(reference)

    def stamp(self, reference: BaseReference) -> Stamp:
        """Return a value that changes with the text; `None` if the text must be read to notice a change."""
        return reference.stamp(self)

    def environ_for(self, name: str) -> Mapping[str, str]:
        """Return the environment that wins over `.env` for a variable; an empty one for a pinned variable."""
        return {} if self.pinned is not None and name in self.pinned else self.environ


def _unknown(reference: BaseReference) -> NotFound:
    return NotFound("missing-file", f"{reference.label} is not read")


def fingerprint(text: str) -> bytes:
    """Return a keyed digest, equal for equal texts in this process. It reveals nothing, even of a weak secret."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), key=_SALT, digest_size=16).digest()
