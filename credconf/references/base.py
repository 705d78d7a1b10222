"""What every reference declares and does, and the reader that finds its value."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, cast

from pydantic import BaseModel

from credconf.ground.models import STRICT
from credconf.ground.records import field, record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Stamp: TypeAlias = tuple[object, ...] | None
"""Equal stamps promise equal values; `None` promises nothing."""

NOT_RUN = "(not run)"
"""What a program that is allowed stands for while `load()` only asks whether everything can be read."""

_SALT = os.urandom(32)


@record
class NotFound:
    """Why a reference has no value: data instead of an exception, so that no chain holds what was read.

    Attributes:
        code: of the problem that it is, such as `missing-file`.
        message: one sentence; names the reference, shows nothing of what it holds.
        hint: what to do.
        path: of the setting, where it is not the one that was asked for.
    """

    code: str
    message: str
    hint: str | None = None
    path: str | None = None


class BaseReference(BaseModel):
    """A value that is stored elsewhere: a model with one field, whose name is the key.

    Attributes:
        key: the key of its mapping.
        placeholder: what a message writes after the key.
        expected: what follows the key, in words.
        meaning: the text that an editor shows.
        snippet: what an editor inserts after the key.
        also_called: what other tools call it.
        for_any_text: any text may be such a reference; else only a secret.
        gives_bytes: it may hold a certificate.
        allowed_by: the word in `allow=` that it needs.
        runs: reading it runs a program.
        is_shown: its value may be shown. A file's is not, since the author of a configuration could name any file.
    """

    model_config = STRICT

    key: ClassVar[str]
    placeholder: ClassVar[str]
    expected: ClassVar[str]
    meaning: ClassVar[str]
    snippet: ClassVar[Any]
    also_called: ClassVar[frozenset[str]] = frozenset()
    for_any_text: ClassVar[bool] = True
    gives_bytes: ClassVar[bool] = False
    allowed_by: ClassVar[str | None] = None
    runs: ClassVar[bool] = False
    is_shown: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.name

    @property
    def name(self) -> str:
        """What follows its key, as `credconf show` may show it."""
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
        """The text, or why there is none."""
        raise NotImplementedError

    def read_bytes(self, reader: Reader) -> bytes | NotFound:
        """The bytes of a certificate, for a reference that `gives_bytes`."""
        raise NotImplementedError

    def stamp(self, reader: Reader) -> Stamp:
        """Something that stays the same as long as the text does; `None` where only reading tells."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Import what reading it needs, at a time when there are file descriptors for that."""

    def not_allowed(self) -> NotFound:
        """Why it is not read, where the program did not allow it."""
        message = f"`{self.key}` needs the program's permission"
        hint = f'pass allow={{"{self.allowed_by}"}} to from_config(), or --allow {self.allowed_by}'
        return NotFound("not-allowed", message, hint)

    @classmethod
    def of(cls, value: Any) -> Self:
        """A reference with a value that is not validated."""
        fields: dict[str, Any] = {cls.key: value}
        return cast("Self", cls.model_construct(None, **fields))  # pyright: ignore[reportUnnecessaryCast] - not for mypy

    @classmethod
    def anchored(cls, value: Any, directory: str) -> Any:  # noqa: ARG003 - of a path, the directory counts
        """What follows the key, made independent of the working directory.

        Args:
            value: as it was written; it may be anything.
            directory: of the file that holds the reference.
        """
        return value

    @classmethod
    def is_beside(cls, value: Any, file: str) -> bool:  # noqa: ARG003 - of a path, both count
        """Whether the value belongs to the author of an auto-discovered file.

        Args:
            value: what follows the key, as it was written.
            file: the path of the file.
        """
        return False


@record
class Reader:
    """Finds the values of references.

    Attributes:
        environ: the process environment; it is not copied, but a process's own variables rarely change.
        dotenv: the variables of `.env`, asked when the environment has none.
        allow: what the program allowed; `{"command"}` is needed for `{command:}`.
        dotenv_file: the path of `.env`, for another process.
        seconds: the time that a command may take, where that is less than the usual ten.
        pinned: the variables that are looked up in `.env` alone, where that was discovered: what was allowed because
            it came from there must not come from the environment later. `None` where `.env` was named.
        runs: whether commands are run. `load()` asks whether everything can be read, and runs nothing for that.
        known: whether there is a machine to read from. Without one, no reference has a value.
    """

    environ: Mapping[str, str] = field(repr=False)
    dotenv: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow: Collection[str] = ()
    dotenv_file: str | None = None
    seconds: float | None = None
    pinned: frozenset[str] | None = None
    runs: bool = True
    known: bool = True

    def text(self, reference: BaseReference) -> str | NotFound:
        """The text that a reference stands for, or why there is none. It is never empty or only white space."""
        if not self.known:
            return _unknown(reference)
        if reference.allowed_by is not None and reference.allowed_by not in self.allow:
            return reference.not_allowed()
        if reference.runs and not self.runs:
            reference.prepare()
            return NOT_RUN
        found = reference.read(self)
        if isinstance(found, str) and not found.strip():
            state = "holds only white space" if found else "is empty"
            return NotFound("empty", f"{reference.label} {state}")
        return found

    def content(self, reference: BaseReference) -> bytes | NotFound:
        """The bytes that a reference stands for, of a certificate, or why there are none."""
        return reference.read_bytes(self) if self.known else _unknown(reference)

    def stamp(self, reference: BaseReference) -> Stamp:
        """Something that stays the same as long as the text does; `None` where only reading tells."""
        return reference.stamp(self)

    def environ_for(self, name: str) -> Mapping[str, str]:
        """The environment in which a variable is looked up before `.env`."""
        return {} if self.pinned is not None and name in self.pinned else self.environ


def _unknown(reference: BaseReference) -> NotFound:
    return NotFound("missing-file", f"{reference.label} is not read")


def fingerprint(text: str) -> bytes:
    """Equal for equal texts of this process. That of a weak secret, too, is of no use to an attacker."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), key=_SALT, digest_size=16).digest()
