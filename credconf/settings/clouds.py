"""Clouds, well-known authorities, and the names that other tools give to them.

Sources: azure-identity's `AzureAuthorityHosts` and `normalize_authority`, MSAL's list of well-known hosts, and the
names that azure-core and the Azure CLI give to the clouds.
"""

from __future__ import annotations

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
# CIAM and B2C tenants have their own hosts under these domains.
WELL_KNOWN_SUFFIXES = (".ciamlogin.com", ".b2clogin.com", ".b2clogin.cn", ".b2clogin.us", ".b2clogin.de")

ADFS = "adfs"


def is_well_known(authority_url: str) -> bool:
    """Whether Microsoft is known to operate the host, so that it needs no instance discovery."""
    parts = urlsplit(authority_url)
    host = parts.hostname or ""
    return parts.port in (None, 443) and (host in WELL_KNOWN_HOSTS or host.endswith(WELL_KNOWN_SUFFIXES))


def cloud_of(authority_url: str | None) -> str | None:
    """Return the cloud whose preset an authority is; `None` for another authority."""
    return next((cloud for cloud, preset in PRESETS.items() if preset == authority_url), None)


def is_loopback(authority_url: str) -> bool:
    """Whether the host is this machine, as for a fake server in a test."""
    return urlsplit(authority_url).hostname in {"127.0.0.1", "::1", "localhost"}


def regional_host(host: str, region_name: str) -> str:
    """Return the regional endpoint of a host. MSAL's rule for the names, but the port is kept, which MSAL drops."""
    public = {"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"}
    return f"{region_name}.login.microsoft.com" if host in public else f"{region_name}.{host}"
