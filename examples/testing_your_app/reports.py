"""A module of an application, without any change for its tests."""

from azure.core.credentials import TokenCredential

import credconf

SCOPE = "https://storage.azure.com/.default"


def header(credential: TokenCredential) -> dict[str, str]:
    """Return the headers that authorize a request to the storage account."""
    return {"Authorization": f"Bearer {credential.get_token(SCOPE).token}"}


def status() -> str:
    """Return the text of the health page."""
    try:
        with credconf.from_config() as credential:
            header(credential)
    except credconf.AuthenticationError as error:
        return f"no access to the storage account ({error.aadsts or error.error_code})"
    return "ok"
