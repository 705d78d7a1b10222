"""`{env: NAME}`: a variable of the process environment, or else of `.env`.

Another process can't change the variables of this one, so a secret in a variable rotates with a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import StringConstraints

from credconf.problems import closest, printable
from credconf.problems.wording import is_like_a_secret, words_in

from .base import BaseReference, NotFound, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Reader, Stamp


class EnvReference(BaseReference):
    """The value of a variable.

    Attributes:
        env: the variable's name.
    """

    key: ClassVar = "env"
    placeholder: ClassVar = "NAME"
    expected: ClassVar = "the name of a variable: letters, digits and `_`, without `$`"
    meaning: ClassVar = (
        "The name of a variable that holds the value: in the process environment, or else in `.env`. "
        "A change needs a restart."
    )
    snippet: ClassVar = "${1:NAME}"
    also_called: ClassVar = frozenset(
        {"environment", "env_var", "envvar", "var", "variable", "from_env", "getenv", "name"}
    )
    is_shown: ClassVar = True

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]

    @property
    def label(self) -> str:
        """Its name in messages."""
        return f"${self.name}"

    @property
    def name(self) -> str:
        """The variable; `…` where that may be a pasted secret."""
        return "…" if is_like_a_secret(self.env) else self.env

    @property
    def names_variable(self) -> str:
        """The variable."""
        return self.env

    def read(self, reader: Reader) -> str | NotFound:
        """Return the variable's text; an empty variable counts as unset."""
        return look_up(self, reader.environ_for(self.env), reader.dotenv)

    def stamp(self, reader: Reader) -> Stamp:
        """Return the fingerprint of the text."""
        found = self.read(reader)
        return (fingerprint(found),) if isinstance(found, str) else None


def look_up(reference: EnvReference, environ: Mapping[str, str], dotenv: Mapping[str, str]) -> str | NotFound:
    """Return the variable's text; an empty variable counts as unset."""
    found = environ.get(reference.env) or dotenv.get(reference.env)
    if found:
        return found
    is_empty = reference.env in environ or reference.env in dotenv
    state = "is set, but empty" if is_empty else "is not set"
    message = f"the variable {reference.name} {state}"
    hint = _hint(reference.env, {**dotenv, **environ})
    if reference.name != reference.env:
        hint = "if what follows `env:` is the value itself, write it without `env:`"
    return NotFound("missing-variable", message, hint, variable=reference.env)


def _hint(name: str, variables: Mapping[str, str]) -> str:
    """Return what to do about a variable that is missing."""
    others = [other for other in variables if variables[other] and words_in(other) <= words_in(name)]
    near = closest(name, others, cutoff=0.85)
    file = next((other for other in (f"{name}_FILE", f"{name}_PATH") if variables.get(other)), None)
    if near is not None:
        return f"{printable(near)} is set; did you mean that?"
    if file is not None:
        return f"{file} is set: if it holds a path, write {{file: PATH}} with that path instead"
    return f"set {name}"
