"""The formats of settings: one named format serves the code, the JSON Schema and the messages.

A `Format` holds a pattern for the schema, and a function for the code that also normalises the text and checks what no
pattern can. `tests/test_schema.py` tests that both agree.

Sources: azure-identity's `normalize_authority` and its check of tenant ids, and MSAL's handling of regions.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from credconf.ground.records import record

from .urls import HOST, in_any_case, is_host
from .urls import PROXY as _PROXY
from .urls import FormatError as FormatError  # noqa: PLC0414 - part of this interface: each format raises it

if TYPE_CHECKING:
    from collections.abc import Callable

PORTS: Final = {"https": 443, "http": 80}
AUTODETECT: Final = frozenset({"tryautodetect", "true"})
_HTTPS = r"[Hh][Tt][Tt][Pp][Ss]://"
FOR_USERS: Final = ("common", "organizations", "consumers")
"""The words in Entra's addresses for any tenant of a user who signs in."""
_TENANT = rf"(?!\.{{1,2}}$)(?!(?:{'|'.join(map(in_any_case, FOR_USERS))})$)[A-Za-z0-9.-]{{1,256}}"
_A_TENANT = "a tenant is a GUID or a domain name: letters, digits, `.` and `-` only"
_NO_TENANT = (
    "the words `common`, `organizations` and `consumers` are for signing in users: an application needs its own tenant"
)
_OWN_TENANT = "write the id or a domain of the tenant whose resources the application uses"
_REGION = r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_A_REGION = "a region is a name such as westus2, or tryautodetect"
_A_PROXY = "a proxy is a URL such as http://proxy.example.com:8080, its user and password percent-encoded"
_HOST_AND_PORT = re.compile(r"[^/:@\s]+:[0-9]+/?")
_LEAP = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    r"(?:(?!0000)[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|"
    rf"02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)


@record
class Format:
    """The format of a text.

    Attributes:
        pattern: an ECMA 262 regular expression for the whole text, without anchors.
        message: what is expected.
        normalise: returns the normalised text; raises `FormatError` if it does not match.
        also: the other types that an editor may infer for such a text.
    """

    pattern: str
    message: str
    normalise: Callable[[str], Any]
    also: tuple[str, ...] = ("number", "boolean")


def of_pattern(pattern: str, message: str, also: tuple[str, ...] = ("number", "boolean")) -> Format:
    """Make a format that its pattern describes completely."""

    def matching(text: str) -> str:
        if re.fullmatch(pattern, text):
            return text
        raise FormatError(message)

    return Format(pattern, message, matching, also)


def tenant(text: str) -> str:
    """Check a tenant id or domain: letters, digits, `.` and `-` (azure-identity's rule).

    Raises:
        FormatError: the text holds other characters, is `.` or `..`, which changes the path of the URL, or stands for
            the tenant of a user who signs in.
    """
    if re.fullmatch(_TENANT, text):
        return text
    if text.lower() in FOR_USERS:
        raise FormatError(_NO_TENANT, _OWN_TENANT)
    raise FormatError(_A_TENANT)


def authority(text: str) -> str:
    """Normalise an authority, with or without its scheme, to `https://HOST[:PORT]`.

    Raises:
        FormatError: the text is not an HTTPS URL, or has a user, a path, a query or no valid host.
    """
    stripped = text.strip().rstrip(" /")
    if "://" not in stripped:
        if not _HOST_AND_PORT.fullmatch(stripped + "/") and ":" in stripped and not stripped.startswith("["):
            raise _refused(stripped, "an authority", "an authority is a host name or an https:// URL", path=False)
        stripped = f"https://{stripped}"
    return _origin(stripped, "an authority", path=False)


def oidc_authority(text: str) -> str:
    """Normalise the URL of a generic OpenID Connect server to `https://HOST[:PORT]/PATH`.

    Raises:
        FormatError: the text is not an HTTPS URL with a path (MSAL needs one), or has a user or a query.
    """
    return _origin(text.strip().rstrip(" /"), "an OIDC authority", path=True)


def _origin(url: str, what: str, *, path: bool) -> str:
    message = _fault(url, what, path=path)
    if message:
        raise _refused(url, what, message, path=path)
    parts = urlsplit(url)
    return f"https://{parts.netloc.lower()}{parts.path}"


def _fault(url: str, what: str, *, path: bool) -> str | None:
    if any(character.isspace() or not character.isprintable() or character == "\\" for character in url):
        return f"{what} holds no white space, control character or backslash"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return f"{what} is a host name, with a port from 1 to 65535 if any"
    if parts.scheme.lower() != "https":
        return f"{what} must be an https:// URL: the secret is sent to it"
    if "@" in parts.netloc:
        return f"{what} holds no user name or password"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return f"{what} holds no query and no fragment"
    host = parts.netloc.rsplit(":", 1)[0] if port is not None else parts.netloc
    if not is_host(host) or port == 0:
        return f"{what} names a valid host"
    if path and not parts.path.strip("/"):
        return f"{what} has a path, such as https://idp.example.com/oauth (MSAL needs one)"
    if not path and parts.path:
        return f"{what} has no path: the tenant is a setting of its own"
    return None


def _refused(url: str, what: str, message: str, *, path: bool) -> FormatError:
    from .url_faults import url_fault  # only broken configurations need it

    return url_fault(url, what, message, has_path=path)


def region(text: str) -> str:
    """Normalise the name of an Azure region, which is a DNS label, or `tryautodetect`.

    Raises:
        FormatError: the text is neither.
    """
    lowered = text.lower()
    if lowered in AUTODETECT:
        return "tryautodetect"
    if not re.fullmatch(_REGION, lowered):
        raise FormatError(_A_REGION)
    return lowered


def proxy(text: str) -> str:
    """Normalise the URL of a proxy: a bare host gets `http://`. It may hold a user and a password.

    Raises:
        FormatError: the text is not such a URL.
    """
    stripped = text.strip()
    url = stripped if "://" in stripped else f"http://{stripped}"
    host = re.sub(r":[0-9]*$", "", url.rpartition("://")[2].rpartition("@")[2].rstrip("/"))
    if re.fullmatch(_PROXY, stripped) and stripped.isprintable() and is_host(host):
        return url
    from .url_faults import proxy_fault  # only broken configurations need it

    raise proxy_fault(stripped)


def day(text: str) -> date:
    """Parse a date in the form YYYY-MM-DD (ISO 8601).

    Raises:
        FormatError: the text is not such a date.
    """
    stripped = text.strip()
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", stripped):  # `fromisoformat` accepts other notations, too
        try:
            return date.fromisoformat(stripped)
        except ValueError:
            pass
    raise FormatError("this is not a date")


def _allowed_tenant(text: str) -> str:
    return text if text == "*" else tenant(text)


TENANT: Final = Format(_TENANT, _A_TENANT, tenant)
ALLOWED_TENANT: Final = Format(
    rf"(?:\*|{_TENANT})", 'a tenant is a GUID or a domain name, and "*" means all tenants', _allowed_tenant
)
AUTHORITY: Final = Format(
    rf"\s*(?:{_HTTPS})?{HOST}[\s/]*", "an authority is a host name or an https:// URL, without a path", authority
)
OIDC_AUTHORITY: Final = Format(
    rf"\s*{_HTTPS}{HOST}/+[^\s?#\\/][^\s?#\\]*[\s/]*",
    "an OIDC authority is an https:// URL with a path, such as https://idp.example.com/oauth",
    oidc_authority,
    (),
)
REGION: Final = Format(_REGION, _A_REGION, region, ("boolean",))
PROXY: Final = Format(rf"\s*{_PROXY}\s*", _A_PROXY, proxy)
DAY: Final = Format(rf"\s*{_DAY}\s*", "a date is year, month and day, such as 2027-01-31", day, ())
ENTRY_NAME: Final = of_pattern(
    r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*",
    "a name is lower-case letters and digits, joined by single `-` or `_`, such as my-app",
    ("boolean",),
)
ENV_PREFIX: Final = of_pattern(
    r"[A-Za-z_][A-Za-z0-9_]*", "a prefix is letters, digits and `_`, such as REPORTS_", ("boolean",)
)


def shown(proxy: str) -> str:
    """Return the proxy's host and port, without its user and password."""
    host, port = host_and_port(proxy if "://" in proxy else f"http://{proxy}")
    if not host:
        return "(its address can't be read)"
    return f"{host}:{port}" if port else host


def host_of(url: str) -> str:
    """Return the host, with its port if that is not the default."""
    host, port = host_and_port(url)
    usual = PORTS.get(url.partition(":")[0].lower())
    if not host:
        return "the server"
    return host if port == usual else f"{host}:{port}"


def host_and_port(url: str) -> tuple[str, int | None]:
    """Return the host and port; an empty host for an invalid address, which fails when it is connected to."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return "", None
