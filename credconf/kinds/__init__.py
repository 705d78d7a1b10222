"""The kinds of credentials, and `Settings`, their union.

A kind is one file here (its fields, and how it comes by a proof) and its names in `registry`. All that is known of its
fields derives from their declarations: `SETTINGS` and the tables below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

from pydantic_core import PydanticCustomError, core_schema

from credconf.entra.identity import Identity
from credconf.entra.proof import Proof

from .client_certificate import ClientCertificateSettings
from .client_secret import ClientSecretSettings
from .common import CommonSettings
from .readable import identify
from .registry import ALIASES, FIELDS, KINDS, LEAVES, NESTED, PROOFS, SETTINGS, Kind, Overrides
from .validation import Invalid, validate_as

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

__all__ = [
    "ALIASES",
    "FIELDS",
    "KINDS",
    "LEAVES",
    "NESTED",
    "PROOFS",
    "SETTINGS",
    "ClientCertificateSettings",
    "ClientSecretSettings",
    "Identity",
    "Invalid",
    "Kind",
    "Overrides",
    "Proof",
    "Settings",
    "identify",
    "validate",
]


def validate(data: object) -> Kind | Invalid:
    """A validated model, or everything that is wrong with `data`, without its values.

    Args:
        data: a mapping of fields, or a model that is validated already.
    """
    return cast("Kind", data) if isinstance(data, CommonSettings) else validate_as(data)


class _Embedded:
    """How pydantic validates `Settings` as a field of somebody's model.

    In two steps, so that the error that pydantic makes of a fault has the first step's answer for its input: it
    then shows the problems, and never the secret. (What the *outer* model shows of its own input when another of
    its fields is wrong is the outer model's to hide: `hide_input_in_errors=True`.)
    """

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        inner = handler(source)  # for the JSON Schema and for serialisation; the validation is ours
        return core_schema.chain_schema(
            [
                core_schema.no_info_wrap_validator_function(lambda data, _: validate(data), inner),
                core_schema.no_info_wrap_validator_function(lambda result, _: _accept(result), inner),
            ]
        )


def _accept(result: Kind | Invalid) -> Kind:
    if isinstance(result, Invalid):
        code, message = "credconf", str(result)
        raise PydanticCustomError(code, "{text}", {"text": message})
    return result


Settings: TypeAlias = Annotated[Kind, _Embedded]
"""The union of the kinds: frozen pydantic models, also as a field of an application's own settings class."""
