"""`kind: client_secret`: an application with a client secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import SecretStr

from credconf.entra.proof import Candidate, Proof
from credconf.references import NotFound
from credconf.settings.declaration import Setting
from credconf.settings.fields import Day, Secret

from .application import ApplicationSettings
from .common import KIND, CommonOverrides, Given

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from credconf.references import Reader, Stamp
    from credconf.settings.fields import OneSecret


class ClientSecretSettings(ApplicationSettings):
    """A service principal that proves itself with a client secret."""

    proof: ClassVar = "client_secret"

    azure_identity: ClassVar = "ClientSecretCredential"
    also_called: ClassVar = "secret password"
    ends_by: ClassVar = "secret_expires_on"
    renewal: ClassVar = "Create a new one, and put its reference first: `client_secret` may be a list, newest first."

    kind: Annotated[Literal["client_secret"], KIND] = "client_secret"
    client_secret: Annotated[
        Secret,
        Setting(
            "The value of the secret (not its id): text, a reference, or a list of up to 16, newest first.",
            (
                {"file": "/run/secrets/entra"},
                {"env": "BILLING_SECRET"},
                [{"file": "secrets/new"}, {"file": "secrets/old"}],
            ),
            environment=("AZURE_CLIENT_SECRET", "AZURE_CLIENT_SECRET_FILE"),
            also_called="secret password clientpassword appsecret appkey apppassword applicationsecret clientkey "
            "clientsecretvalue secretvalue serviceprincipalkey clientcredential",
            secret=True,
        ),
    ]
    secret_expires_on: Annotated[
        Day | None,
        Setting(
            "The expiry date of the secret (in a list, of the first one). Entra does not report it. `check`, "
            "`show`, `doctor` and the log warn 30, 7 and 1 days before.",
            ("2027-01-31",),
            also_called="expireson expires expiry expirydate expiration expirationdate secretexpiry secretexpires "
            "secretexpirydate secretexpiration clientsecretexpireson enddatetime enddate validuntil",
        ),
    ] = None

    def candidates(self) -> tuple[Candidate, ...]:
        """Return the secret, or the secrets of the list in order."""
        if not isinstance(self.client_secret, tuple):
            return (_candidate("client_secret", self.client_secret, self.secret_expires_on),)
        return tuple(
            _candidate(f"client_secret.{index}", item, None if index else self.secret_expires_on)
            for index, item in enumerate(self.client_secret)
        )


class ClientSecretOverrides(CommonOverrides, total=False):
    """The fields as keyword arguments."""

    client_secret: Given | SecretStr | Sequence[Given | SecretStr] | None
    secret_expires_on: str | date | None


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

    return Candidate(path, reference.label, read, lambda reader: reader.stamp(reference), runs=reference.runs)


def _proof(secret: str, label: str, expires_on: date | None) -> Proof:
    return Proof(secret, (secret,), label, expires_on)


def _unchanging(_: Reader) -> Stamp:
    return ()
