"""The directory: the tenants, the registered applications, and and what proves them."""

from __future__ import annotations

import secrets as randomness
import string
import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from credconf.sharing import forget_pauses

from .certificates import assertion_thumbprints
from .refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

ADFS = "adfs"
"""The tenant name of an AD FS server. Every application is registered there."""

_ENDPOINTS_WITHOUT_TENANT = frozenset({"common", "organizations", "consumers", ADFS})


@contextmanager
def changing(lock: threading.Lock) -> Generator[None]:
    """Change the fake under its lock. Engines of this process forget remembered refusals and pauses."""
    with lock:
        yield
    forget_pauses()


EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
"""The audience that Microsoft recommends for assertions of other identity providers (public cloud)."""


class FederatedCredential(NamedTuple):
    """A trusted identity provider of an application: whose assertions it accepts.

    Attributes:
        issuer: The claim `iss`, compared exactly: a trailing slash counts.
        subject: The claim `sub`, compared exactly.
        audience: The claim `aud`.
    """

    issuer: str
    subject: str
    audience: str = EXCHANGE_AUDIENCE


class Registration:
    """An application in the fake directory. Thread-safe; its `repr` shows no secret.

    Changes take effect with the next request.
    """

    def __init__(
        self,
        client_id: str,
        *,
        tenants: Iterable[str] | Literal["*"],
        secrets: Iterable[str],
        certificates: Iterable[bytes],
        federated: Iterable[tuple[str, str, str]],
        scopes: Iterable[str] | None,
    ) -> None:
        self._lock = threading.Lock()
        self._client_id = client_id
        self._tenants = None if tenants == "*" else {tenant.lower() for tenant in tenants}
        self._secrets = dict.fromkeys(secrets)
        self._expired: set[str] = set()
        self._certificates: dict[str, x509.Certificate] = {}
        self._federated = {FederatedCredential(*each): None for each in federated}
        self._resources = None if scopes is None else {resource_of(scope) for scope in scopes}
        for certificate in certificates:
            self.add_certificate(certificate)

    def __repr__(self) -> str:
        with self._lock:
            secrets, certificates, federated = len(self._secrets), len(self._certificates), len(self._federated)
        return f"<Registration {self._client_id} secrets={secrets} certificates={certificates} federated={federated}>"

    @property
    def client_id(self) -> str:
        """The application's id."""
        return self._client_id

    @property
    def secrets(self) -> tuple[str, ...]:
        """The accepted secrets, oldest first."""
        with self._lock:
            return tuple(self._secrets)

    @property
    def client_secret(self) -> str:
        """The newest secret.

        Raises:
            LookupError: There is no secret.
        """
        return self.secrets[-1]

    def add_secret(self, secret: str) -> None:
        """Accept one more secret."""
        with changing(self._lock):
            self._expired.discard(secret)
            self._secrets.pop(secret, None)
            self._secrets[secret] = None

    def rotate_secret(self, *, overlap: bool = False) -> str:
        """Accept a new random secret, and refuse all others as wrong (AADSTS7000215).

        Args:
            overlap: Keep accepting the others, until `revoke_secret()` or `expire_secret()`.

        Returns:
            The new secret, for the file that the application under test reads.
        """
        secret = new_secret()
        with changing(self._lock):
            self._secrets = {**(self._secrets if overlap else {}), secret: None}
        return secret

    def revoke_secret(self, secret: str) -> None:
        """Refuse a secret as wrong from now on (AADSTS7000215)."""
        with changing(self._lock):
            self._secrets.pop(secret, None)
            self._expired.discard(secret)

    def expire_secret(self, secret: str) -> None:
        """Refuse a secret as expired from now on (AADSTS7000222)."""
        with changing(self._lock):
            self._secrets.pop(secret, None)
            self._expired.add(secret)

    def add_certificate(self, certificate: bytes) -> None:
        """Accept assertions that the key of a certificate signs.

        Args:
            certificate: PEM; other parts (a private key, the chain after the certificate) are ignored.

        Raises:
            ValueError: It holds no certificate, or the key is not RSA, which Entra requires.
        """
        parsed = x509.load_pem_x509_certificate(certificate)
        if not isinstance(parsed.public_key(), rsa.RSAPublicKey):
            raise ValueError("a client certificate needs an RSA key")  # noqa: TRY004 - the value is wrong, not its type
        with changing(self._lock):
            self._certificates.update(dict.fromkeys(assertion_thumbprints(parsed), parsed))

    def remove_certificate(self, certificate: bytes) -> None:
        """Refuse a certificate (PEM) from now on (AADSTS700027)."""
        with changing(self._lock):
            for key in assertion_thumbprints(x509.load_pem_x509_certificate(certificate)):
                self._certificates.pop(key, None)

    def certificate(self, thumbprint: str) -> x509.Certificate | None:
        """Find a certificate by the thumbprint of an assertion (`x5t` or `x5t#S256`: base64url)."""
        with self._lock:
            return self._certificates.get(thumbprint.rstrip("="))

    @property
    def federated(self) -> tuple[FederatedCredential, ...]:
        """The federated credentials, oldest first."""
        with self._lock:
            return tuple(self._federated)

    def add_federated(self, issuer: str, subject: str, audience: str = EXCHANGE_AUDIENCE) -> None:
        """Accept the assertions of one more issuer, subject and audience."""
        with changing(self._lock):
            self._federated[FederatedCredential(issuer, subject, audience)] = None

    def remove_federated(self, issuer: str, subject: str, audience: str = EXCHANGE_AUDIENCE) -> None:
        """Refuse these assertions from now on (AADSTS700211 to 700213, or 70025 after the last one)."""
        with changing(self._lock):
            self._federated.pop(FederatedCredential(issuer, subject, audience), None)

    def check_secret(self, secret: str) -> None:
        """Check a secret.

        Raises:
            Refusal: AADSTS7000222, expired; AADSTS7000215, wrong.
        """
        with self._lock:
            if secret in self._secrets:
                return
            expired = secret in self._expired
        raise Refusal(7000222 if expired else 7000215, client_id=self._client_id)

    def is_in(self, tenant: str) -> bool:
        """Whether the application is registered in a tenant."""
        with self._lock:
            return self._tenants is None or tenant.lower() in self._tenants or tenant == ADFS

    def is_multi_tenant(self) -> bool:
        """Whether the application is registered in every tenant."""
        with self._lock:
            return self._tenants is None

    def allow_any_tenant(self) -> None:
        """Register the application in every tenant."""
        with changing(self._lock):
            self._tenants = None

    def may_ask_for(self, resource: str) -> bool:
        """Whether the application gets tokens for a resource."""
        return self._resources is None or resource in self._resources


class Directory:
    """All tenants and registrations. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tenants: set[str] = set()
        self._registrations: dict[str, Registration] = {}
        self._any_tenant = False

    def add_tenants(self, tenants: Iterable[str]) -> None:
        """Add tenants."""
        with changing(self._lock):
            self._tenants.update(tenant.lower() for tenant in tenants)

    def allow_any_tenant(self) -> None:
        """Make every tenant exist."""
        with changing(self._lock):
            self._any_tenant = True

    def add(self, registration: Registration) -> None:
        """Register an application. It replaces one with the same id."""
        with changing(self._lock):
            self._registrations[registration.client_id.lower()] = registration

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """Every registration, oldest first."""
        with self._lock:
            return tuple(self._registrations.values())

    def first_federated(self, client_id: str | None) -> FederatedCredential:
        """The oldest federated credential of an application, or of the first application that has one.

        Raises:
            LookupError: There is none.
        """
        for registration in self.registrations:
            if client_id is None or registration.client_id.lower() == client_id.lower():
                for credential in registration.federated:
                    return credential
        raise LookupError("no application has a federated credential: register(federated=…) one, or give all values")

    def knows(self, tenant: str) -> bool:
        """Whether a tenant exists. With a multi-tenant application, every tenant does."""
        name = tenant.lower()
        with self._lock:
            if self._any_tenant or name in self._tenants or name in _ENDPOINTS_WITHOUT_TENANT:
                return True
        return any(registration.is_multi_tenant() for registration in self.registrations)

    def find(self, client_id: str, tenant: str) -> Registration:
        """Find an application of a tenant by its id.

        Raises:
            Refusal: AADSTS90002, no such tenant; AADSTS700016, no such application.
        """
        if not self.knows(tenant):
            raise Refusal(90002, tenant=tenant)
        with self._lock:
            registration = self._registrations.get(client_id.lower())
        if registration is None or not registration.is_in(tenant):
            raise Refusal(700016, client_id=client_id, tenant=tenant)
        return registration


def resource_of(scope: str) -> str:
    """The resource of a scope: without `/.default` and a trailing slash."""
    return scope.removesuffix("/.default").rstrip("/")


def new_secret() -> str:
    """A random secret in the form of Entra's: 40 characters, `8Q~` at the fourth, with `.`, `_`, `-`, `~`."""
    letters = string.ascii_letters + string.digits
    middle = [randomness.choice(letters) for _ in range(30)] + list("._-~")
    randomness.SystemRandom().shuffle(middle)
    start = "".join(randomness.choice(letters) for _ in range(3))
    return f"{start}8Q~{''.join(middle)}"


def new_id() -> str:
    """A random GUID."""
    return str(uuid.uuid4())
