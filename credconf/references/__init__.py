"""References to values that are stored elsewhere.

A configuration holds a reference (`{env: NAME}`, `{file: PATH}`, `{command: [...]}`); a `Reader` finds the value when
it is needed. Once the configuration is loaded, only this package reads files or variables for a setting.

A reference is one file in this package and one line in `Reference`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias, get_args

from pydantic import ValidationError

from credconf.ground.deferred import complete

from .azure_pipelines import AzurePipelinesReference
from .base import (
    EXCHANGE_AUDIENCES,
    NOT_RUN,
    BaseReference,
    NotFound,
    Reader,
    Stamp,
    fingerprint,
)
from .command import CommandReference
from .env import EnvReference
from .file import FileReference
from .github import GitHubReference
from .managed_identity import ManagedIdentityReference
from .web import Reply, Unanswered, Web

__all__ = [
    "EXCHANGE_AUDIENCES",
    "NOT_RUN",
    "REFERENCES",
    "AzurePipelinesReference",
    "BaseReference",
    "CommandReference",
    "EnvReference",
    "FileReference",
    "GitHubReference",
    "ManagedIdentityReference",
    "NotFound",
    "Reader",
    "Reference",
    "Reply",
    "Stamp",
    "Unanswered",
    "Web",
    "anchored",
    "fingerprint",
    "reference_in",
    "validated",
]

# fmt: off
Reference: TypeAlias = (
    EnvReference
    | FileReference
    | CommandReference
    | ManagedIdentityReference
    | GitHubReference
    | AzurePipelinesReference
)
# fmt: on

REFERENCES: Final[dict[str, type[Reference]]] = {model.key: model for model in get_args(Reference)}
"""The references by their keys."""


def reference_in(raw: object) -> Reference | None:
    """Return a validated or raw value as a reference; `None` if it is not one."""
    if isinstance(raw, BaseReference):
        return raw  # type: ignore[return-value]  # every subclass is a member of the union
    if isinstance(raw, Mapping) and len(raw) == 1:
        (key, value), *_ = raw.items()
        model = REFERENCES.get(key) if isinstance(key, str) else None
        if model is not None and model.is_mapping:
            return validated(model, value)
        if model is not None and isinstance(value, str) and value:
            return model.of(value)
    return None


def validated(model: type[Reference], value: object) -> Reference | None:
    """Return the reference with this value after its key; `None` if the value is invalid."""
    if isinstance(value, bytes):  # pydantic would take a certificate's content for a path, which messages show
        return None
    with suppress(ValidationError):
        return complete(model).model_validate({model.key: value})
    return None


def anchored(raw: Any, directory: str) -> Any:
    """Make the relative paths of a value's references absolute.

    Args:
        raw: text, a reference, a list of them, or anything else, which is returned unchanged.
        directory: the directory to which the paths are relative.
    """
    if isinstance(raw, BaseReference):
        return raw.of(raw.anchored(getattr(raw, raw.key), directory))
    if isinstance(raw, Mapping) and len(raw) == 1:
        (key, value), *_ = raw.items()
        return {key: REFERENCES[key].anchored(value, directory)} if key in REFERENCES else raw
    if isinstance(raw, list | tuple):
        return [anchored(item, directory) for item in raw]
    return raw
