"""Azurite, Microsoft's emulator of Azure Storage, over HTTPS with OAuth.

It wants a JWT with `iat`, `nbf`, `exp`, an `iss` that begins with https://sts.windows.net/ and the `aud`
https://storage.azure.com. It checks these, and not the signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.integration.certificates import Certificates

SCOPE = "https://storage.azure.com/.default"  # what azure-storage-blob asks for by itself


class Azurite(Server):
    """Azurite's blob service, with everything kept in memory.

    Args:
        node: The program `node`.
        packages: The `node_modules` that holds azurite.
        certificates: The test's authority, which vouches for the server.
        directory: Where the log goes.
        environ: The program's whole environment.
    """

    def __init__(
        self, node: str, packages: Path, certificates: Certificates, directory: Path, environ: Mapping[str, str]
    ) -> None:
        argv = [
            *(node, str(packages / "azurite/dist/src/blob/main.js")),
            *("--blobHost", "127.0.0.1", "--blobPort", "0"),
            *("--oauth", "basic", "--cert", str(certificates.certificate), "--key", str(certificates.key)),
            *("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"),
        ]
        super().__init__(
            "Azurite",
            argv,
            announces=r"Blob service successfully listens on (https://\S+)",
            log=directory / "azurite.log",
            environ=environ,
        )

    @property
    def account_url(self) -> str:
        """What `BlobServiceClient` takes as its first argument."""
        return f"{self.url}/devstoreaccount1"
