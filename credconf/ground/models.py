"""How our models are made: frozen, strict about keys, silent about values, and complete when they are first needed."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from .imports import importing

_Model = TypeVar("_Model", bound=BaseModel)

# A start needs one kind of credential and one or two references; the schemas of the others would only cost time.
STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


def complete(model: type[_Model]) -> type[_Model]:
    """The model, ready to validate. pydantic completes it by itself, but older ones not safely in several threads."""
    if not model.__pydantic_complete__:
        with importing:
            model.model_rebuild(_types_namespace={})
    return model
