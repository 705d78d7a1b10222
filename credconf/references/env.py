"""`{env: NAME}`: a variable of the process environment, then of `.env`.

Another process can't change the variables of this one, so a secret that comes from a variable rotates with a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, StringConstraints

from credconf.ground.models import STRICT
from credconf.problems import closest
from credconf.problems.printable import printable

from .base import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping


class EnvReference(BaseModel):
    """A value that stands in a variable.

    Attributes:
        env: the variable's name.
    """

    model_config = STRICT

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"${self.env}"


def look_up(reference: EnvReference, environ: Mapping[str, str], dotenv: Mapping[str, str]) -> str | NotFound:
    """The variable's text; an empty variable counts as unset."""
    found = environ.get(reference.env) or dotenv.get(reference.env)
    if found:
        return found
    state = "is empty" if reference.env in environ or reference.env in dotenv else "is not set"
    others = [name for variables in (environ, dotenv) for name in variables if variables[name]]
    near = closest(reference.env, others, cutoff=0.85)
    hint = f"{printable(near)} is set; did you mean that?" if near else f"set {reference.env}"
    return NotFound("missing-variable", f"the variable {reference.env} {state}", hint)
