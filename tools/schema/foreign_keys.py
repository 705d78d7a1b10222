"""Keys that are settings elsewhere, for editors: spelled out, because a schema knows no likeness.

What an editor says of each is what `credconf.kinds.hints` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credconf.config.variables import Scheme
from credconf.kinds import NESTED
from credconf.kinds.hints import hint_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_WORDS: Final = (
    *("tenant", "client", "appId", "app_id", "applicationId", "application_id", "secret", "password"),
    *("certificate", "authority_host", "authorityHost", "environment", "issuer", "location"),
    *("scope", "scopes", "resource", "username", "subscription_id", "subscriptionId", "thumbprint"),
    *("client_secret_file", "client_secret_env", "client_certificate_file", "client_certificate_path"),
    *("retry_total", "connection_timeout", "read_timeout", "proxies", "verify", "connection_verify"),
)
"""The commonest of other tools: azure-identity, the Azure CLI, MSAL, Terraform, .NET."""


def foreign_keys(known: Collection[str]) -> dict[str, tuple[str, ...]]:
    """What an editor says of a key that is no setting, with the keys of which it says so.

    Args:
        known: the settings that the mapping may hold.
    """
    said: dict[str, list[str]] = {}
    for key in dict.fromkeys(_spellings(known)):
        if key not in known and (hint := hint_for(key, known)):
            said.setdefault(hint.text, []).append(key)
    return {hint: tuple(keys) for hint, keys in said.items()}


def _spellings(known: Collection[str]) -> Iterator[str]:
    leaves = [leaf for group, leaves in NESTED.items() if group in known for leaf in leaves]
    for name in (*known, *leaves):
        first, *others = name.split("_")
        rest = "".join(word.title() for word in others)
        yield from (name, first + rest, first.title() + rest, name.replace("_", "-"))
    names = (variable.name for variable in Scheme.of(None, None, prefixed=False).variables())
    yield from (name for name in names if name.startswith("AZURE_"))
    yield from _WORDS
