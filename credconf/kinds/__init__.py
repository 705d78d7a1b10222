"""The kinds of credentials, and `Settings`, their union.

A kind is one file in this package, with its fields and how it gets a proof, and its names in `registry`. `SETTINGS` and
the tables below it derive from the declarations of the fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

from pydantic_core import PydanticCustomError, core_schema

from credconf.entra.proof import Proof
from credconf.entra.request import Identity
from credconf.ground.records import replace

from .azure_cli import AzureCliSettings
from .client_assertion import ClientAssertionSettings
from .client_certificate import ClientCertificateSettings
from .client_secret import ClientSecretSettings
from .common import CommonSettings
from .managed_identity import ManagedIdentitySettings
from .readable import identify
from .registry import ALIASES, ALLOWABLE, FIELDS, KINDS, LEAVES, NESTED, PROOFS, SETTINGS, Kind, Overrides
from .validation import Invalid, validate_as

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

__all__ = [
    "ALIASES",
    "ALLOWABLE",
    "FIELDS",
    "KINDS",
    "LEAVES",
    "NESTED",
    "PROOFS",
    "SETTINGS",
    "AzureCliSettings",
    "ClientAssertionSettings",
    "ClientCertificateSettings",
    "ClientSecretSettings",
    "Identity",
    "Invalid",
    "Kind",
    "ManagedIdentitySettings",
    "Overrides",
    "Proof",
    "Settings",
    "identify",
    "validate",
]


def validate(data: object) -> Kind | Invalid:
    """Validate fields; returns the model, or all problems, which hold no value.

    Args:
        data: a mapping of fields, or a validated model.
    """
    return cast("Kind", data) if isinstance(data, CommonSettings) else validate_as(data)


class _Embedded:
    """Validates `Settings` as a field of an application's model.

    The validation has two steps, so that the input in pydantic's error is the result of the first step: the error shows
    the problems, never the secret. If another field of the application's model is wrong, pydantic shows that model's
    input; `hide_input_in_errors=True` prevents this.
    """

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        inner = handler(source)  # only for the JSON Schema and for serialisation
        return core_schema.chain_schema(
            [
                core_schema.no_info_wrap_validator_function(lambda data, _: _explained(validate(data), data), inner),
                core_schema.no_info_wrap_validator_function(lambda result, _: _accept(result), inner),
            ]
        )


def _explained(result: Kind | Invalid, data: Any) -> Kind | Invalid:
    """Return the result; its problems with the defects of the texts that they are about."""
    if not isinstance(result, Invalid) or not isinstance(data, Mapping):
        return result
    from credconf.settings.defects import defect_of  # only broken settings need it

    found = []
    for problem in result.problems:
        text = data.get(problem.path) if problem.code == "bad-value" else None
        defect = defect_of(text, any_character=True) if isinstance(text, str) else None
        hint = f"it {defect.what}: {defect.fix}" if defect is not None else problem.hint
        found.append(replace(problem, hint=hint))
    return Invalid(tuple(found))


def _accept(result: Kind | Invalid) -> Kind:
    if isinstance(result, Invalid):
        code, message = "credconf", str(result)
        raise PydanticCustomError(code, "{text}", {"text": message})
    return result


Settings: TypeAlias = Annotated[Kind, _Embedded]
"""The settings of a credential of any kind: the union of frozen pydantic models.

As a field of an application's own pydantic-settings class, it takes a mapping of settings, whose `kind` is inferred as
in a file. `build()` makes a credential of it:

```python
class ShopSettings(BaseSettings):
    azure: credconf.Settings

credential = credconf.build(ShopSettings().azure)
```
"""
