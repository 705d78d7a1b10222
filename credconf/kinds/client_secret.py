"""`kind: client_secret`: an application with a client secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, SecretStr

from credconf.entra.proof import Candidate, Proof
from credconf.references import CommandReference, NotFound
from credconf.settings.fields import Day, Secret

from .common import CommonSettings

if TYPE_CHECKING:
    from datetime import date

    from credconf.references import Reader, Stamp
    from credconf.settings.fields import OneSecret


class ClientSecretSettings(CommonSettings):
    """A service principal that proves itself with a client secret."""

    proof: ClassVar[str] = "client_secret"

    kind: Literal["client_secret"] = Field(
        default="client_secret",
        description="The kind of credential; needed only where the secret or certificate does not tell it.",
        examples=["client_secret"],
    )
    client_secret: Secret = Field(
        description="The secret's value (not its id): text, a reference, or a list of up to 16, newest first.",
        examples=[
            {"file": "/run/secrets/entra"},
            {"env": "BILLING_SECRET"},
            [{"file": "secrets/new"}, {"file": "secrets/old"}],
        ],
    )

    secret_expires_on: Day | None = Field(
        default=None,
        description="The day on which the secret ends (of a list, the first one), which Entra does not tell: `check`, "
        "`show`, `doctor` and the log warn 30, 7 and 1 days ahead.",
        examples=["2027-01-31"],
    )

    def candidates(self) -> tuple[Candidate, ...]:
        """The secret, or each of the list in its order."""
        if not isinstance(self.client_secret, tuple):
            return (_candidate("client_secret", self.client_secret, self.secret_expires_on),)
        return tuple(
            _candidate(f"client_secret.{index}", item, None if index else self.secret_expires_on)
            for index, item in enumerate(self.client_secret)
        )


def _candidate(path: str, secret: OneSecret, expires_on: date | None) -> Candidate:
    if isinstance(secret, SecretStr):
        held = secret
        return Candidate(
            path, None, lambda _: _proof(held.get_secret_value(), "the client secret", expires_on), _unchanging
        )
    reference = secret

    def read(reader: Reader) -> Proof | NotFound:
        found = reader.text(reference)
        return found if isinstance(found, NotFound) else _proof(found, reference.label, expires_on)

    runs = isinstance(reference, CommandReference)
    return Candidate(path, reference.label, read, lambda reader: reader.stamp(reference), runs=runs)


def _proof(secret: str, label: str, expires_on: date | None) -> Proof:
    return Proof(secret, (secret,), label, expires_on)


def _unchanging(_: Reader) -> Stamp:
    return ()
