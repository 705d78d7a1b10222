"""Clouds, authorities and tenants: what is well known, and how the names are written.

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
# CIAM and B2C tenants have hosts of their own under these names.
WELL_KNOWN_SUFFIXES = (".ciamlogin.com", ".b2clogin.com", ".b2clogin.cn", ".b2clogin.us", ".b2clogin.de")

ADFS = "adfs"


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
