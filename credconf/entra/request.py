"""A token request: the identity that makes it, and what it asks for, by azure-identity's rules."""

from __future__ import annotations

import base64
import math
import os
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote, urlsplit

from credconf.ground.records import field, record
from credconf.problems.failure import Failure
from credconf.problems.wording import misspelt, printable
from credconf.settings import clouds, formats

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from .user import User


@record
class Surroundings:
    """Options that are not settings.

    Attributes:
        no_proxy: hosts that are reached without a proxy, as `NO_PROXY` lists them.
        region: the region of the machine, which Azure's hosts set in `REGION_NAME`, for `region: tryautodetect`.
        cache_home: the directory of this user's caches, if a variable names it.
    """

    no_proxy: str | None = None
    region: str | None = None
    cache_home: str | None = None


@record
class Identity:
    """The texts of a configuration after its references were read.

    Attributes:
        texts: by path of the setting; `None` where it is not given.
        hidden: the settings that came from a file or a program: `describe()` and errors do not show them, because the
            author of a configuration could name any file.
        urls: the settings whose texts are URLs that may hold a password, such as the proxy's.
    """

    texts: Mapping[str, str | None] = field(repr=False)
    hidden: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()

    @property
    def client_id(self) -> str:
        """The client id of the application."""
        return self.texts.get("client_id") or ""

    @property
    def tenant_id(self) -> str | None:
        """`None` for a generic OpenID Connect server."""
        return self.texts.get("tenant_id")

    @property
    def authority(self) -> str | None:
        """`https://HOST[:PORT]`, `None` for a generic server."""
        return self.texts.get("authority")

    @property
    def oidc_authority(self) -> str | None:
        """URL of a generic server."""
        return self.texts.get("oidc_authority")

    @property
    def region(self) -> str | None:
        """A region's name or `tryautodetect`."""
        return self.texts.get("region")

    @property
    def proxy(self) -> str | None:
        """URL of the proxy."""
        return self.texts.get("http.proxy")

    def __repr__(self) -> str:
        """As messages may show it: a traceback with locals prints it."""
        return f"<identity of client {self.shown('client_id')}>"

    def shown(self, name: str) -> str | None:
        """A field as messages may show it, in one line and without what would move a terminal's cursor."""
        value = self.texts.get(name)
        if value is None:
            return None
        return "(hidden: read from a file)" if name in self.hidden else printable(value)

    def concealed(self) -> list[str]:
        """The texts that no message may show: those that came from a file, the host of such a URL, and `urls`."""
        texts = [self.texts.get(path) or "" for path in sorted(self.hidden)]
        hosts = [_host_in(text) for text in texts if "://" in text]
        return [text for text in (*texts, *hosts, *self._urls()) if text]

    def passwords(self) -> list[str]:
        """Those in the URLs: as written, as they are, and as HTTP's Basic scheme."""
        return [text for url in self._urls() for text in _passwords_in(url)]

    def _urls(self) -> list[str]:
        return [text for path in sorted(self.urls) if (text := self.texts.get(path))]


def _passwords_in(url: str) -> Iterator[str]:
    try:
        user, _, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
    except ValueError:
        return
    if password:
        basic = f"{unquote(user)}:{unquote(password)}".encode(errors="replace")
        yield from (password, unquote(password), base64.b64encode(basic).decode())


def _host_in(text: str) -> str:
    try:
        return urlsplit(text).hostname or ""
    except ValueError:  # a client id may be any text
        return ""


Key: TypeAlias = tuple[str, ...] | tuple[tuple[str, ...], str, bool] | tuple[tuple[str, ...], str, bool, bytes]
"""The variable part of the tokens of one identity: the scopes; for another tenant or CAE (scopes, tenant, CAE); for a
user, its digest, too."""

# The one variable that is read for each request, because azure-identity does.
_DISABLE_MULTITENANT = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"


@record
class TokenRequest:
    """The request for one token.

    Attributes:
        scopes: each once, sorted.
        tenant: validated; `None` where none is configured or asked for. It may have been read from a file, and this
            record is printed by a traceback with locals.
        claims: of a claims challenge; they bypass what is cached, and replace it.
        cae: announce the capability to handle claims challenges.
        key: in the store.
        user: on whose behalf the token is requested; `None` for the application itself.
    """

    scopes: tuple[str, ...]
    tenant: str | None = field(repr=False)
    claims: str | None = field(repr=False)
    cae: bool
    key: Key = field(repr=False)
    user: User | None = None

    def seconds_left(self, now: float) -> float:
        """The seconds for which the user's token may be sent; without end for the application itself."""
        return math.inf if self.user is None else max(0.0, self.user.ends_at - now)

    @property
    def flight(self) -> Hashable:
        """The key of the callers that one request can serve."""
        return (self.key, self.claims) if self.claims else self.key


_OPTIONS = ("claims", "tenant_id", "enable_cae")


def refuse_misspelt(method: str, options: Iterable[str]) -> None:
    """Refuse a misspelt option of a token request. Others are ignored: azure-core's protocol demands it.

    Raises:
        TypeError: an option is a misspelling.
    """
    for name in options:
        meant = None if name in _OPTIONS else misspelt(name, _OPTIONS)
        if meant is not None:
            message = f"{method}() got an unexpected keyword argument {printable(name)!r}; did you mean {meant}=?"
            raise TypeError(message)


def token_request(  # noqa: PLR0917 - a call, and the two settings that judge it
    method: str,
    scopes: tuple[str, ...],
    claims: str | None,
    tenant_id: str | None,
    default: str | None,
    allowed: Sequence[str],
    *,
    cae: bool,
    user: User | None = None,
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
        user: on whose behalf the token is requested.

    Raises:
        ValueError: no scopes, a scope that no API has for a user, or a tenant that is none.
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
    if user is not None:
        return TokenRequest(scopes, tenant, claims or None, cae, _key_for(user, method, scopes, tenant, cae=cae), user)
    key: Key = scopes if tenant == default and not cae else (scopes, tenant or "", cae)
    return TokenRequest(scopes, tenant, claims or None, cae, key)


def _key_for(user: User, method: str, scopes: tuple[str, ...], tenant: str | None, *, cae: bool) -> Key:
    from .user import RESERVED

    reserved = RESERVED.intersection(scopes)
    if reserved:
        message = f'"{method}" takes the scopes of an API, and `{min(reserved)}` is none: leave it out'
        raise ValueError(message)
    return scopes, tenant or "", cae, user.digest


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
    folded = requested.lower()  # Entra compares tenants without case; one spelling for one token
    if _is_one_of(default, {folded, clouds.ADFS}) or os.environ.get(_DISABLE_MULTITENANT):
        return default
    if any(_is_one_of(tenant, {folded, "*"}) for tenant in allowed):
        return folded
    if default is None:  # the source of the tokens has no tenants
        return None
    text = (
        f"The current credential is not configured to acquire tokens for tenant {requested}. "
        "To enable acquiring tokens for this tenant add it to additionally_allowed_tenants, "
        'or add "*" to additionally_allowed_tenants to allow acquiring tokens for any tenant.'
    )
    return Failure(text, "tenant_not_allowed")


def _is_one_of(tenant: str | None, folded: set[str]) -> bool:
    return tenant is not None and tenant.lower() in folded


def _fault(tenant: str) -> str | None:
    try:
        formats.tenant(tenant)
    except formats.FormatError as exc:
        return f"{exc}; {exc.hint}" if exc.hint else str(exc)
    return None
