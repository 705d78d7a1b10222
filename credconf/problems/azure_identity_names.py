"""The names of azure-identity that credconf does not have: why, and what to use instead."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from .wording import folded

if TYPE_CHECKING:
    from types import FrameType

_CHAIN: Final = (
    "it uses the first of several identities that works, so the machine decides which; name one: with "
    "{module}.from_config(), or ManagedIdentityCredential, WorkloadIdentityCredential or EnvironmentCredential"
)
_DEVELOPER: Final = (
    'write {module}.from_config(kind="azure_cli", allow={{"azure_cli"}}), which uses the sign-in of the Azure CLI'
)
_USER: Final = "it signs in a user, and credconf an application: keep azure.identity's"
_INSTEAD: Final = {
    **dict.fromkeys(("DefaultAzureCredential", "ChainedTokenCredential"), _CHAIN),
    **dict.fromkeys(
        (
            "AzureCliCredential",
            "AzureDeveloperCliCredential",
            "AzurePowerShellCredential",
            "SharedTokenCacheCredential",
            "VisualStudioCodeCredential",
        ),
        _DEVELOPER,
    ),
    **dict.fromkeys(
        (
            "AuthenticationRecord",
            "AuthenticationRequiredError",
            "AuthorizationCodeCredential",
            "DeviceCodeCredential",
            "InteractiveBrowserCredential",
            "UsernamePasswordCredential",
        ),
        _USER,
    ),
    "AzurePipelinesCredential": "write {module}.from_config(), and `client_assertion: "
    "{{azure_pipelines: SERVICE_CONNECTION_ID}}` in a file that you name",
    "OnBehalfOfCredential": "call on_behalf_of(user_assertion) of the application's own credential",
    "KnownAuthorities": "it is another name of AzureAuthorityHosts: import that from {module}",
    "CredentialUnavailableError": "import it from credconf, or from azure.identity if that raises it",
}


def credential_called(word: str) -> str | None:
    """Return what to use instead of a credential of azure-identity that credconf does not have; `None` for others.

    Args:
        word: its class, or what its class is called without `Credential`, in any spelling.
    """
    ending = folded("Credential")
    meant = folded(word).removesuffix(ending)
    names = {folded(name).removesuffix(ending): name for name in _INSTEAD if name.endswith("Credential")}
    found = names.get(meant) or names.get(f"{meant}browser")
    return _INSTEAD[found].format(module="credconf") if found is not None else None


def absent(module: str, name: str) -> Exception:
    """Return what a module's `__getattr__` raises for a name that it does not have.

    For `from credconf import NAME` that is an `ImportError`, which Python would otherwise raise without the reason; for
    any other access an `AttributeError`, so that `hasattr()` works.

    Args:
        module: the name of the module.
        name: the name.
    """
    why = _INSTEAD.get(name)
    if why is None:
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    message = f"{module} has no {name}: {why.format(module=module)}"
    caller = sys._getframe(2)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - there is no other way to identify the caller
    return ImportError(message, name=module) if _imports(caller) else AttributeError(message)


def _imports(frame: FrameType) -> bool:
    """Whether a frame is at `from MODULE import NAME`."""
    from opcode import opmap

    code, last = frame.f_code.co_code, frame.f_lasti
    return 0 <= last < len(code) and code[last] == opmap["IMPORT_FROM"]
