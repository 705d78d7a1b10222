"""The registry of kinds, and the tables of settings that derive from their declarations.

No other module lists settings: it uses one of these tables, or a comprehension over `SETTINGS`.
"""

from __future__ import annotations

from typing import Final, TypeAlias, get_args

from credconf.references import REFERENCES
from credconf.settings.declaration import Declared, declared

from .azure_cli import AzureCliOverrides, AzureCliSettings
from .client_assertion import ClientAssertionOverrides, ClientAssertionSettings
from .client_certificate import ClientCertificateOverrides, ClientCertificateSettings
from .client_secret import ClientSecretOverrides, ClientSecretSettings
from .managed_identity import ManagedIdentityOverrides, ManagedIdentitySettings

# fmt: off
Kind: TypeAlias = (
    ClientSecretSettings
    | ClientCertificateSettings
    | ClientAssertionSettings
    | ManagedIdentitySettings
    | AzureCliSettings
)


class Overrides(
    ClientSecretOverrides,
    ClientCertificateOverrides,
    ClientAssertionOverrides,
    ManagedIdentityOverrides,
    AzureCliOverrides,
    total=False,
):
    # fmt: on
    """Settings as keyword arguments; they win over every other source. `None` counts as not given.

    The keys are the fields of the settings models; `allowed_tenants` is the alias of `additionally_allowed_tenants`.
    """


KINDS: Final[dict[str, type[Kind]]] = {str(kind.model_fields["kind"].default): kind for kind in get_args(Kind)}
"""The kinds by their names, which are the values of `kind`."""
SETTINGS: Final[dict[str, Declared]] = {}
"""Every setting by its dotted path, as its first kind declares it; groups before the settings in them."""
for _kind in KINDS.values():
    for _each in declared(_kind):
        SETTINGS.setdefault(_each.path, _each)
FIELDS: Final = tuple(path for path in SETTINGS if "." not in path)
"""The settings of an entry; a group counts as one."""
NESTED: Final = {
    path: tuple(each.rpartition(".")[2] for each in SETTINGS if each.startswith(f"{path}."))
    for path, declaration in SETTINGS.items()
    if declaration.is_group
}
"""The groups of settings, with the settings in them."""
LEAVES: Final = tuple(path for path in SETTINGS if path not in NESTED)
"""Every setting that is no group, by its dotted path."""
ALIASES: Final = {each.setting.alias: path for path, each in SETTINGS.items() if each.setting.alias is not None}
"""Other names of settings."""
PROOFS: Final = tuple(kind.proof for kind in KINDS.values() if kind.proof is not None)
"""The proofs of the kinds, from which the kind is inferred."""
ALLOWABLE: Final = frozenset(
    model.allowed_by for model in (*REFERENCES.values(), *KINDS.values()) if model.allowed_by is not None
)
"""The words that a program may pass in `allow=`."""
