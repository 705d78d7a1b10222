"""Values that only a program can give: a certificate in memory, a function that returns assertions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretBytes

from credconf.ground.causes import is_foreign
from credconf.ground.deferred import STRICT
from credconf.ground.third_parties import despite_warnings
from credconf.references import NotFound


class CertificateBytes(BaseModel):
    """A certificate in memory (`certificate_data=` of the constructors)."""

    model_config = STRICT

    data: SecretBytes

    @property
    def label(self) -> str:
        """Its name in messages."""
        return "certificate_data"

    def __getstate__(self) -> dict[Any, Any]:
        """Refuse to pickle the private key.

        Raises:
            TypeError: always.
        """
        message = "certificate_data can't be pickled: use the path of its file"
        raise TypeError(message)


class AssertionFunction(BaseModel):
    """A function of the program that returns assertions (`func=` of the constructors)."""

    model_config = STRICT

    function: Annotated[Any, Field(repr=False)]

    @property
    def label(self) -> str:
        """Its name in messages."""
        return "the result of func()"

    def call(self) -> str | NotFound:
        """Call the function; an exception of it may hold anything, so only its type is reported."""
        try:
            found = despite_warnings(self.function)
        except Exception as exc:
            if is_foreign(exc):
                raise
            # It may be any exception of the program's, and its text or its frames may hold an assertion.
            return NotFound("bad-assertion", f"func() failed with {type(exc).__name__}", "call it in a Python shell")
        return found if isinstance(found, str) else NotFound("bad-assertion", "func() returned no text")

    def __getstate__(self) -> dict[Any, Any]:
        """Refuse to pickle a function, which may hold anything.

        Raises:
            TypeError: always.
        """
        message = "a credential with an assertion function can't be pickled"
        raise TypeError(message)
