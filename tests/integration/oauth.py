"""Two real OAuth 2.0 servers that were not written here, each with one client of the client-credentials grant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.certificates import Certificates

CLIENT_ID = "credconf-integration"
CLIENT_SECRET = "a secret with $, # and %41"
SCOPE = "read"

_HERE = Path(__file__).parent
_ANNOUNCES = r"^listening at (https://\S+)$"


class OAuthServer(Server):
    """A server of OAuth 2.0 and OpenID Connect discovery; `url` is its issuer, which has a path."""


def django_oauth_toolkit(certificates: Certificates, directory: Path, environ: Mapping[str, str]) -> OAuthServer:
    """django-oauth-toolkit, on Django and SQLite, in a process of this interpreter."""
    return OAuthServer(
        "django-oauth-toolkit",
        [sys.executable, str(_HERE / "django_server.py"), *_files(certificates), str(directory / "oauth.sqlite3")],
        announces=_ANNOUNCES,
        log=directory / "django.log",
        environ=dict(environ) | _client(),
    )


def node_oidc_provider(
    node: str, packages: Path, certificates: Certificates, directory: Path, environ: Mapping[str, str]
) -> OAuthServer:
    """node-oidc-provider, a certified OpenID provider."""
    return OAuthServer(
        "node-oidc-provider",
        [node, str(_HERE / "oidc_provider_server.mjs"), *_files(certificates), str(packages)],
        announces=_ANNOUNCES,
        log=directory / "oidc_provider.log",
        environ=dict(environ) | _client(),
    )


def _files(certificates: Certificates) -> list[str]:
    return [str(certificates.certificate), str(certificates.key)]


def _client() -> dict[str, str]:
    return {
        "TEST_CLIENT_ID": CLIENT_ID,
        "TEST_CLIENT_SECRET": CLIENT_SECRET,
        "TEST_SCOPE": SCOPE,
        "PYTHONUNBUFFERED": "1",
    }
