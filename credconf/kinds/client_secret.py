"""`kind: client_secret`: an application with a client secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, SecretStr

from credconf.config.fields import Secret
from credconf.config.settings import CommonSettings
from credconf.references import NotFound

from .proof import Proof

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credconf.config.fields import OneSecret
    from credconf.references import Reader


class ClientSecretSettings(CommonSettings):
    """A service principal that proves itself with a client secret."""

    proof: ClassVar[str] = "client_secret"

    kind: Literal["client_secret"] = Field(
        default="client_secret",
        description="The kind of credential; needed only where the secret or certificate does not tell it.",
        examples=["client_secret"],
    )
    client_secret: Secret = Field(
        description="The secret's value (not its id): text, a reference, or a list of references, newest first.",
        examples=[
            {"file": "/run/secrets/entra"},
            {"env": "BILLING_SECRET"},
            [{"file": "secrets/new"}, {"file": "secrets/old"}],
        ],
    )

    def proofs(self, reader: Reader) -> Iterator[tuple[str, Proof | NotFound]]:
        """Each secret in the order of the list with its path, read when the iteration comes to it."""
        if not isinstance(self.client_secret, tuple):
            yield "client_secret", self._proof(self.client_secret, reader)
            return
        for index, secret in enumerate(self.client_secret):
            yield f"client_secret.{index}", self._proof(secret, reader)

    def _proof(self, secret: OneSecret, reader: Reader) -> Proof | NotFound:
        if isinstance(secret, SecretStr):
            text = secret.get_secret_value()
            return Proof(text, (text,), "the client secret")
        found = reader.text(secret)
        return found if isinstance(found, NotFound) else Proof(found, (found,), secret.label)
