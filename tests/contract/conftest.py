from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization

from credconf.testing import FakeEntra, FederatedCredential
from tests.certificates import make_certificate
from tests.contract.faces import ASYNC, SYNC, Clock, Driven, Face, engine_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from credconf.testing import Registration

CANARY = "canary~of-a.secret_42"
DAY = 24 * 3600
WORKLOAD = FederatedCredential("https://issuer.example", "system:serviceaccount:billing:billing")


@dataclass
class Case:
    """One kind of credential, through one face.

    Attributes:
        kind: of the configuration.
        face: synchronous or asynchronous.
        entra: what is asked; the application is registered for this kind.
        fields: the configuration.
        proof: a path of the file that holds the proof.
        secrets: what must never be shown.
    """

    kind: str
    face: Face
    entra: FakeEntra
    registration: Registration
    fields: dict[str, Any]
    proof: Path
    secrets: list[str]
    made: list[Driven] = field(default_factory=list)

    def build(self, http_client: Any = None, **changes: Any) -> Driven:
        return self._kept(self.face.build({**self.fields, **changes}, http_client=http_client))

    def from_config(self, **changes: Any) -> Driven:
        return self._kept(self.face.from_config(**{**self.fields, **changes}))

    def timed(self, clock: Clock, **changes: Any) -> Driven:
        return self._kept(self.face.on(engine_of({**self.fields, **changes}, clock=clock)))

    def _kept(self, driven: Driven) -> Driven:
        self.made.append(driven)
        return driven

    def wrong(self) -> None:
        """Replace the proof by one that is not the application's."""
        if self.kind == "client_secret":
            self.proof.write_text("wrong~" + CANARY)
        elif self.kind == "client_certificate":
            make_certificate(self.proof, password=CANARY)
        else:
            self.entra.write_assertion(self.proof, subject="wrong", client_id=self.registration.client_id)

    def rotate(self) -> None:
        """Replace the proof by a new one, and end the old one at the server."""
        if self.kind == "client_secret":
            for secret in self.registration.secrets:
                self.registration.revoke_secret(secret)
            self.registration.add_secret("new~" + CANARY)
            self.proof.write_text("new~" + CANARY + "\n")
        elif self.kind == "client_assertion":
            self.registration.remove_federated(*WORKLOAD)
            self.registration.add_federated(WORKLOAD.issuer, "new")
            self.entra.write_assertion(self.proof, client_id=self.registration.client_id, lifetime=DAY)
        else:
            old = self.certificate
            self.certificate = make_certificate(self.proof, password=CANARY)
            self.registration.add_certificate(self.certificate.pem)
            self.registration.remove_certificate(old.pem)

    certificate: Any = None


def decrypted(path: Path) -> str:
    """The private key of a PEM file as an application holds it in memory."""
    key = serialization.load_pem_private_key(path.read_bytes(), CANARY.encode(), unsafe_skip_rsa_key_validation=True)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def entra() -> Iterator[FakeEntra]:
    with FakeEntra() as fake:
        fake.allow_any_tenant()
        yield fake


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def face(request) -> Face:
    return request.param


@pytest.fixture(params=["client_secret", "client_certificate", "client_assertion"])
def case(request, face, entra, tmp_path) -> Iterator[Case]:
    fields = entra.config(client_secret=None)
    if request.param == "client_secret":
        path = tmp_path / "secret"
        path.write_text(CANARY + "\n")
        path.chmod(0o600)
        certificate = None
        registration = entra.register(tenants="*", secrets=[CANARY])
        fields |= {"client_secret": {"file": str(path)}}
        secrets = [CANARY]
    elif request.param == "client_assertion":
        path = tmp_path / "token"
        registration = entra.register(tenants="*", federated=[WORKLOAD])
        certificate = None
        entra.write_assertion(path, client_id=registration.client_id, lifetime=DAY, note=CANARY)
        fields |= {"client_assertion": {"file": str(path)}}
        secrets = path.read_text().strip().split(".")[1:]
    else:
        path = tmp_path / "client.pem"
        certificate = make_certificate(path, password=CANARY)
        registration = entra.register(tenants="*", certificates=[certificate.pem])
        fields |= {"client_certificate": {"file": str(path)}, "client_certificate_password": CANARY}
        secrets = [CANARY, *decrypted(path).splitlines()[1:-1]]
    fields |= {"client_id": registration.client_id, "kind": request.param}
    case = Case(request.param, face, entra, registration, fields, path, secrets)
    case.certificate = certificate
    yield case
    for driven in case.made:
        driven.close()
