"""Which variables a credential listens to, and what they stand for.

Under `AZURE_`, which is not our namespace, only the names that azure-identity, its sister SDKs and azure-core
document; under `CREDCONF_` every field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from credconf.ground.opaque import Hidden
from credconf.ground.records import record
from credconf.kinds import ALIASES, FIELDS, NESTED
from credconf.settings.hints import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

SELECTORS = ("CREDCONF_FILE", "CREDCONF_NAME")
PREFIX = "CREDCONF_"
Form = Literal["literal", "file", "list", "cloud", "unusable"]

_LISTS = frozenset({"additionally_allowed_tenants", "allowed_tenants", "prefetch"})
_ONLY_FILES = frozenset({"client_certificate"})
_NOT_FROM_THE_ENVIRONMENT = frozenset({"env_prefix"})

AZURE: dict[str, tuple[str, Form]] = {
    "AZURE_TENANT_ID": ("tenant_id", "literal"),
    "AZURE_CLIENT_ID": ("client_id", "literal"),
    "AZURE_CLIENT_SECRET": ("client_secret", "literal"),
    "AZURE_CLIENT_SECRET_FILE": ("client_secret", "file"),
    "AZURE_CLIENT_CERTIFICATE_PATH": ("client_certificate", "file"),
    "AZURE_CLIENT_CERTIFICATE_PASSWORD": ("client_certificate_password", "literal"),
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": ("send_certificate_chain", "literal"),
    "AZURE_AUTHORITY_HOST": ("authority", "literal"),
    "AZURE_ADDITIONALLY_ALLOWED_TENANTS": ("additionally_allowed_tenants", "list"),
    "AZURE_REGIONAL_AUTHORITY_NAME": ("region", "literal"),
    "AZURE_CLOUD": ("cloud", "cloud"),
}


Environment: TypeAlias = Hidden[str]
"""Variables by name."""


@record
class Variable:
    """One variable: the field that it sets, and how its text is read."""

    name: str
    field: str
    form: Form
    ours: bool


@record
class Scheme:
    """The variables that one credential listens to.

    Attributes:
        prefix: in front of the field's name; `None`: it listens to nothing.
        azure: also the documented `AZURE_` names.
    """

    prefix: str | None
    azure: bool = False

    @classmethod
    def of(cls, entry: str | None, env_prefix: str | None, *, prefixed: bool) -> Scheme:
        """The scheme of the flat form (`entry` is `None`), of a named entry, or of an `env_prefix`."""
        if prefixed:
            return cls(env_prefix)
        if entry is None:
            return cls(PREFIX, azure=True)
        return cls(f"{PREFIX}_{variable_part(entry)}__")

    def variables(self) -> Iterator[Variable]:
        """Every variable, ours before the `AZURE_` ones, which they win over."""
        if self.prefix is not None:
            for field in leaves():
                yield from self._ours(field)
        if self.azure:
            for name, (field, form) in AZURE.items():
                yield Variable(name, field, form, ours=False)

    def _ours(self, field: str) -> Iterator[Variable]:
        name = f"{self.prefix}{field.upper().replace('.', '__')}"
        only_file = field in _ONLY_FILES
        form: Form = "unusable" if only_file else "list" if field in _LISTS else "literal"
        yield Variable(name, ALIASES.get(field, field), form, ours=True)
        if field in TEXTS:
            yield Variable(f"{name}_FILE", field, "file", ours=True)

    def suggestion(self, field: str) -> str | None:
        """The variable that a message should name for a field."""
        fitting = [variable for variable in self.variables() if variable.field == field and variable.form != "unusable"]
        documented = [variable for variable in fitting if not variable.ours]
        return (documented or fitting)[0].name if fitting else None


def leaves() -> Iterator[str]:
    """Every setting that a variable can give, dotted, with the aliases."""
    for field in (*FIELDS, *ALIASES):
        if field in NESTED:
            yield from (f"{field}.{leaf}" for leaf in NESTED[field])
        elif field not in _NOT_FROM_THE_ENVIRONMENT:
            yield field


def variable_part(entry: str) -> str:
    """How a name stands in a variable: `my-app` is `MY_APP`."""
    return entry.upper().replace("-", "_")


def split_list(text: str) -> list[str]:
    """A list in a variable splits at `;` or `,`."""
    return [item.strip() for item in text.replace(";", ",").split(",") if item.strip()]
