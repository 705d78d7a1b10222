"""What one token is asked for, by azure-identity's rules."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

from credconf.ground.records import field, record
from credconf.problems.failure import Failure
from credconf.settings import clouds, formats

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Key: TypeAlias = tuple[str, ...] | tuple[tuple[str, ...], str, bool]
"""What varies between the tokens of one identity: the scopes; for another tenant or CAE (scopes, tenant, CAE)."""

# The one variable that is read for each request, because azure-identity does.
_DISABLE_MULTITENANT = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"


@record
class TokenRequest:
    """What one token is asked for.

    Attributes:
        scopes: each once, sorted.
        tenant: validated; `None` where none is configured or asked for. It may have been read from a file, and this
            record is printed by a traceback with locals.
        claims: of a claims challenge; they bypass what is cached, and replace it.
        cae: announce the capability to handle claims challenges.
        key: in the store.
    """

    scopes: tuple[str, ...]
    tenant: str | None = field(repr=False)
    claims: str | None = field(repr=False)
    cae: bool
    key: Key = field(repr=False)

    @property
    def flight(self) -> Hashable:
        """What callers must have in common to be served by one request."""
        return (self.key, self.claims) if self.claims else self.key


def token_request(  # noqa: PLR0917 - a call, and the two settings that judge it
    method: str,
    scopes: tuple[str, ...],
    claims: str | None,
    tenant_id: str | None,
    default: str | None,
    allowed: Sequence[str],
    *,
    cae: bool,
) -> TokenRequest | Failure:
    """The validated form of a call, or the failure where the configuration does not allow the tenant.

    Args:
        method: that was called, for messages.
        scopes: at least one.
        claims: of a claims challenge.
        tenant_id: that was asked for.
        default: the configured tenant; `None` where none is configured.
        allowed: other tenants that the configuration allows. Without a default, another one is ignored.
        cae: announce the capability to handle claims challenges.

    Raises:
        ValueError: no scopes, or a tenant that is none.
        TypeError: a scope, the claims or the tenant is no text.
    """
    if not scopes:
        message = f'"{method}" requires at least one scope'
        raise ValueError(message)
    _check_types(method, scopes, claims=claims, tenant_id=tenant_id)
    if len(scopes) > 1:
        scopes = tuple(sorted(set(scopes)))
    tenant = _tenant(tenant_id, default, allowed) if tenant_id else default
    if isinstance(tenant, Failure):
        return tenant
    key: Key = scopes if tenant == default and not cae else (scopes, tenant or "", cae)
    return TokenRequest(scopes, tenant, claims or None, cae, key)


def _check_types(method: str, scopes: tuple[Any, ...], **texts: Any) -> None:
    for scope in scopes:
        if not isinstance(scope, str):
            kind = type(scope).__name__
            message = f'"{method}" takes each scope as an argument of its own, which is text, not {kind}'
            raise TypeError(message)
    for name, text in texts.items():
        if text and not isinstance(text, str):
            message = f'"{method}" takes {name}= as text, not {type(text).__name__}'
            raise TypeError(message)


def _tenant(requested: str, default: str | None, allowed: Sequence[str]) -> str | Failure | None:
    """azure-identity's `resolve_tenant`, and its check of a configured tenant for a requested one, too."""
    fault = _fault(requested)
    if fault:
        raise ValueError(fault)
    if default in {requested, clouds.ADFS} or os.environ.get(_DISABLE_MULTITENANT):
        return default
    if "*" in allowed or requested in allowed or (default == "organizations" and not allowed):
        return requested
    if default is None:  # the source of the tokens has no tenants
        return None
    text = (
        f"The current credential is not configured to acquire tokens for tenant {requested}. "
        "To enable acquiring tokens for this tenant add it to additionally_allowed_tenants, "
        'or add "*" to additionally_allowed_tenants to allow acquiring tokens for any tenant.'
    )
    return Failure(text, "tenant_not_allowed")


def _fault(tenant: str) -> str | None:
    try:
        formats.tenant(tenant)
    except formats.FormatError as exc:
        return str(exc)
    return None
