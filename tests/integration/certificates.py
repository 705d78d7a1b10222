"""A certificate authority of the test run's own, and one certificate for every server on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


@dataclass(frozen=True)
class Certificates:
    """PEM files: the authority that clients must trust, and what a server needs to prove itself."""

    authority: Path
    certificate: Path
    key: Path

    @classmethod
    def made_in(cls, directory: Path, *names: str) -> Self:
        """Make them anew, in `directory`, for some hosts or for every name of this machine."""
        authority = trustme.CA()
        server = authority.issue_cert(*(names or ("127.0.0.1", "localhost")))
        made = cls(directory / "authority.pem", directory / "certificate.pem", directory / "key.pem")
        authority.cert_pem.write_to_path(str(made.authority))
        made.certificate.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
        server.private_key_pem.write_to_path(str(made.key))
        return made
