"""`kind: client_passphrase`: an application whose client secret is derived from a passphrase and a salt."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from credconf.entra.proof import Candidate, Proof
from credconf.kinds.application import ApplicationSettings
from credconf.kinds.common import KIND, CommonOverrides, Given
from credconf.references import BaseReference, NotFound
from credconf.settings.declaration import Setting
from credconf.settings.fields import Password, PlainText

if TYPE_CHECKING:
    from credconf.references import Reader, Stamp


class ClientPassphraseSettings(ApplicationSettings):
    """A service principal that proves itself with a secret derived from a passphrase."""

    proof: ClassVar = "client_passphrase"
    also_called: ClassVar = "diceware"

    kind: Annotated[Literal["client_passphrase"], KIND] = "client_passphrase"
    client_passphrase: Annotated[
        Password,
        Setting(
            "The passphrase that the client secret is derived from.",
            ({"file": "/run/secrets/passphrase"},),
            also_called="mnemonic seedphrase",
            secret=True,
        ),
    ]
    passphrase_salt: Annotated[
        PlainText,
        Setting("What the passphrase is salted with.", ("billing",), also_called="saltvalue"),
    ]
    passphrase_rounds: Annotated[
        int,
        Field(ge=1, le=100_000),
        Setting("How many rounds of PBKDF2 the derivation takes.", (1_000,), also_called="iterations"),
    ] = 1_000

    def candidates(self) -> tuple[Candidate, ...]:
        """The one passphrase."""
        held = self.client_passphrase
        label = held.label if isinstance(held, BaseReference) else None
        runs = isinstance(held, BaseReference) and held.runs
        return (Candidate("client_passphrase", label, self._read, self._stamp, runs=runs),)

    def _read(self, reader: Reader) -> Proof | NotFound:
        held = self.client_passphrase
        if isinstance(held, SecretStr):
            passphrase: str | NotFound = held.get_secret_value()
            label = "the client passphrase"
        else:
            passphrase = reader.text(held)
            label = held.label
        if isinstance(passphrase, NotFound):
            return passphrase
        secret = derived(passphrase, self.passphrase_salt, self.passphrase_rounds)
        return Proof(secret, (passphrase, secret), label)

    def _stamp(self, reader: Reader) -> Stamp:
        held = self.client_passphrase
        return reader.stamp(held) if isinstance(held, BaseReference) else ()


class ClientPassphraseOverrides(CommonOverrides, total=False):
    """The fields as keyword arguments."""

    client_passphrase: Given | SecretStr | None
    passphrase_salt: str | None
    passphrase_rounds: int | None


def derived(passphrase: str, salt: str, rounds: int) -> str:
    """The client secret of a passphrase."""
    key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt.encode(), rounds)
    return base64.urlsafe_b64encode(key).decode().rstrip("=")
