"""Clouds, authorities and tenants: what is well known, and how the names are written.

Sources: azure-identity's `AzureAuthorityHosts` and `normalize_authority`, MSAL's list of well-known hosts, and the
names that azure-core and the Azure CLI give to the clouds.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

PRESETS = {
    "public": "https://login.microsoftonline.com",
    "usgov": "https://login.microsoftonline.us",
    "china": "https://login.chinacloudapi.cn",
}

# `AZURE_CLOUD` as the Azure CLI (`az cloud list`) and azure-core (`AzureClouds`) write it.
CLOUD_NAMES = {
    "azurecloud": "public",
    "azurepubliccloud": "public",
    "azure_public_cloud": "public",
    "azureusgovernment": "usgov",
    "azureusgovernmentcloud": "usgov",
    "azure_us_government": "usgov",
    "azurechinacloud": "china",
    "azure_china_cloud": "china",
}

WELL_KNOWN_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "login.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
        "login.microsoftonline.de",
        "login-us.microsoftonline.com",
        "login.microsoftonline.us",
        "login.usgovcloudapi.net",
        "login.sovcloud-identity.fr",
        "login.sovcloud-identity.de",
        "login.sovcloud-identity.sg",
    }
)
# CIAM and B2C tenants have hosts of their own under these names.
WELL_KNOWN_SUFFIXES = (".ciamlogin.com", ".b2clogin.com", ".b2clogin.cn", ".b2clogin.us", ".b2clogin.de")

ADFS = "adfs"
_TENANT = re.compile(r"[A-Za-z0-9.-]{1,256}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])")
_REGION = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST_AND_PORT = re.compile(r"[^/:@\s]+:[0-9]+/?")
PORTS = {"https": 443, "http": 80}
_PROXY_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})
AUTODETECT = frozenset({"tryautodetect", "true"})


class BadName(Exception):
    """A name that can't be used. The text says what is wrong with it, and does not quote it."""


def tenant(text: str) -> str:
    """A tenant id or domain: letters, digits, `.` and `-` (azure-identity's rule).

    Raises:
        BadName: it holds something else, or would climb out of its place in the URL.
    """
    if not _TENANT.fullmatch(text):
        message = "a tenant is a GUID or a domain name: letters, digits, `.` and `-` only"
        raise BadName(message)
    if text in {".", ".."}:
        message = "a tenant is a GUID or a domain name"
        raise BadName(message)
    return text


def authority(text: str) -> str:
    """`https://HOST[:PORT]` from an authority with or without its scheme.

    Raises:
        BadName: it is no HTTPS URL, or has a user, a path, a query or no valid host.
    """
    stripped = text.strip().rstrip(" /")
    if "://" not in stripped:
        if not _HOST_AND_PORT.fullmatch(stripped + "/") and ":" in stripped and not stripped.startswith("["):
            message = "an authority is a host name or an https:// URL"
            raise BadName(message)
        stripped = f"https://{stripped}"
    return _origin(stripped, "an authority", path=False)


def oidc_authority(text: str) -> str:
    """`https://HOST[:PORT]/PATH` of a generic OpenID Connect server.

    Raises:
        BadName: it is no HTTPS URL with a path (MSAL needs one), or has a user or a query.
    """
    return _origin(text.strip().rstrip(" /"), "an OIDC authority", path=True)


def _origin(url: str, what: str, *, path: bool) -> str:
    message = _fault(url, what, path=path)
    if message:
        raise BadName(message)
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
    if not _is_host(host) or port == 0:
        return f"{what} names a valid host"
    if path and not parts.path.strip("/"):
        return f"{what} has a path, such as https://idp.example.com/oauth (MSAL needs one)"
    if not path and parts.path:
        return f"{what} has no path: the tenant is a setting of its own"
    return None


def _is_host(text: str) -> bool:
    if text.startswith("["):
        import ipaddress  # here because it is rare; urlsplit checks it only from Python 3.11.4 on

        try:
            ipaddress.IPv6Address(text[1:-1])
        except ValueError:
            return False
    return bool(_HOST.fullmatch(text))


def region(text: str) -> str:
    """The name of an Azure region as a DNS label, or `tryautodetect`.

    Raises:
        BadName: it is neither.
    """
    lowered = text.lower()
    if lowered in AUTODETECT:
        return "tryautodetect"
    if not _REGION.fullmatch(lowered):
        message = "a region is a name such as westus2, or tryautodetect"
        raise BadName(message)
    return lowered


def proxy(text: str) -> str:
    """The URL of a proxy, with `http://` in front of a bare host; it may hold a user and a password.

    Raises:
        BadName: it is no such URL.
    """
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
        # A password with a bare `/`, `?` or `#` ends the host early: a part of it would be taken for the port.
        usable = usable and "@" not in f"{parts.path}?{parts.query}#{parts.fragment}" and "\\" not in url
    except ValueError:
        usable = False
    if not usable or any(character.isspace() or not character.isprintable() for character in url):
        message = "a proxy is a URL such as http://proxy.example.com:8080"
        raise BadName(message)
    return url


def is_well_known(authority_url: str) -> bool:
    """Whether Microsoft operates the host, so that no instance discovery has to vouch for it."""
    parts = urlsplit(authority_url)
    host = parts.hostname or ""
    return parts.port in (None, 443) and (host in WELL_KNOWN_HOSTS or host.endswith(WELL_KNOWN_SUFFIXES))


def is_loopback(authority_url: str) -> bool:
    """Whether the host is this machine: a test's fake, which nobody else can reach."""
    return urlsplit(authority_url).hostname in {"127.0.0.1", "::1", "localhost"}


def regional_host(host: str, region_name: str) -> str:
    """The regional endpoint of a host; a port stays (MSAL's rule for the names, except that MSAL loses the port)."""
    public = {"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"}
    return f"{region_name}.login.microsoft.com" if host in public else f"{region_name}.{host}"


def shown(proxy: str) -> str:
    """The proxy's host and port, without its user and password."""
    host, port = host_and_port(proxy if "://" in proxy else f"http://{proxy}")
    if not host:
        return "(its address can't be read)"
    return f"{host}:{port}" if port else host


def host_of(url: str) -> str:
    """The host, with a port that is not the usual one."""
    host, port = host_and_port(url)
    usual = PORTS.get(url.partition(":")[0].lower())
    if not host:
        return "the server"
    return host if port == usual else f"{host}:{port}"


def host_and_port(url: str) -> tuple[str, int | None]:
    """Without an exception for a broken address: whoever connects says what is wrong with it."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return "", None
