"""Clients that prove themselves by certificate."""

from __future__ import annotations

import base64
import stat
import time
import uuid
from datetime import UTC, datetime

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from credconf.testing import make_certificate
from credconf.testing.certificates import server_certificate

SHA1 = hashes.SHA1()  # noqa: S303 - how Entra names a certificate, no protection
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Client:
    """A client with a certificate, that can lie in every part of its assertion."""

    def __init__(self, entra, path) -> None:
        self.entra = entra
        self.made = make_certificate(path)
        self.key = serialization.load_pem_private_key(path.read_bytes(), None)
        self.certificate = x509.load_pem_x509_certificate(self.made.pem)
        self.registration = entra.register(certificates=[self.made.pem])

    def thumbprint(self, algorithm) -> str:
        return base64.urlsafe_b64encode(self.certificate.fingerprint(algorithm)).rstrip(b"=").decode()

    def assertion(self, algorithm="RS256", headers=None, key=None, **changes) -> str:
        now = int(time.time())
        claims = {
            "aud": f"{self.entra.authority}/{self.entra.tenant_id}/oauth2/v2.0/token",
            "iss": self.registration.client_id,
            "sub": self.registration.client_id,
            "jti": str(uuid.uuid4()),
            "nbf": now,
            "iat": now,
            "exp": now + 600,
        }
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        headers = {"x5t": self.thumbprint(SHA1)} if headers is None else headers
        return jwt.encode(claims, key or self.key, algorithm=algorithm, headers=headers)


@pytest.fixture
def client(entra, tmp_path):
    return Client(entra, tmp_path / "client.pem")


@pytest.fixture
def prove(ask, client):
    return lambda assertion: ask(
        client_id=client.registration.client_id,
        client_secret=None,
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=assertion,
    )


def der(certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def test_a_signed_assertion_is_accepted(client, prove, entra):
    assert prove(client.assertion()).ok
    assert prove(client.assertion("PS256", {"x5t#S256": client.thumbprint(hashes.SHA256())})).ok
    assert [(request.proof, request.x5c) for request in entra.requests] == [("certificate", False)] * 2


def test_a_chain_that_begins_with_the_certificate_is_accepted_and_recorded(client, prove, entra):
    thumbprint = client.thumbprint(SHA1)
    assert prove(client.assertion(headers={"x5t": thumbprint, "x5c": [der(client.certificate)]})).ok
    assert entra.requests[0].x5c
    other = x509.load_pem_x509_certificate(server_certificate().ca)
    for chain in ([der(other)], [], 7):
        refused = prove(client.assertion(headers={"x5t": thumbprint, "x5c": chain}))
        assert refused.json()["error_codes"] == [700027]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://login.example/x/oauth2/v2.0/token"}, 700023),
        ({"aud": None}, 700023),
        ({"iss": "somebody-else"}, 700021),
        ({"sub": "somebody-else"}, 700021),
        ({"jti": None}, 50027),
        ({"exp": None}, 50027),
        ({"exp": "soon"}, 50027),
        ({"exp": 10**30}, 50027),
        ({"nbf": 0, "exp": 600}, 700024),
        ({"nbf": int(time.time()) + 4000, "exp": int(time.time()) + 5000}, 700024),
    ],
)
def test_a_wrong_assertion_is_refused(client, prove, changes, code):
    assert prove(client.assertion(**changes)).json()["error_codes"] == [code]


def test_an_assertion_may_be_made_for_another_known_host(client, prove, entra):
    path = f"/{entra.tenant_id}/oauth2/v2.0/token"
    assert prove(client.assertion(aud=f"https://login.microsoftonline.com{path}")).ok
    assert prove(client.assertion(aud=f"http://{entra.host}{path}")).json()["error_codes"] == [700023]
    other = f"{entra.authority}/another.example/oauth2/v2.0/token"
    assert prove(client.assertion(aud=other)).json()["error_codes"] == [700023]


def test_an_assertion_a_little_off_in_time_is_accepted(client, prove):
    now = int(time.time())
    assert prove(client.assertion(nbf=now + 200, exp=now + 800)).ok
    assert prove(client.assertion(nbf=now - 800, exp=now - 200)).ok


def test_only_the_registered_key_signs(client, prove, entra, tmp_path):
    stranger = Client(entra, tmp_path / "stranger.pem")
    forged = prove(client.assertion(key=stranger.key))
    assert (forged.status_code, forged.json()["error_codes"]) == (401, [700027])
    unknown = client.assertion(key=stranger.key, headers={"x5t": stranger.thumbprint(SHA1)})
    assert prove(unknown).json()["error_codes"] == [700027]
    assert prove(client.assertion(headers={})).json()["error_codes"] == [700027]
    assert prove("no.jwt.at-all").json()["error_codes"] == [50027]
    good = client.assertion()
    unsigned = jwt.encode({"iss": "x"}, None, algorithm="none", headers={"x5t": client.thumbprint(SHA1)})
    for bad in (unsigned, good[:-8] + "AAAAAAAA"):
        answer = prove(bad)
        assert answer.json()["error_codes"] == [700027]
        assert bad not in answer.text


def test_certificates_are_added_and_removed(client, prove):
    client.registration.remove_certificate(client.made.pem)
    assert prove(client.assertion()).json()["error_codes"] == [700027]
    client.registration.add_certificate(client.made.path.read_bytes())  # with its key: that is ignored
    assert prove(client.assertion()).ok


def test_a_certificate_outside_its_time_is_refused(client, prove, tmp_path):
    old = make_certificate(tmp_path / "old.pem", not_after=datetime(2001, 1, 1, tzinfo=UTC))
    client.registration.add_certificate(old.pem)
    client.certificate = x509.load_pem_x509_certificate(old.pem)
    key = serialization.load_pem_private_key(old.path.read_bytes(), None)
    assert prove(client.assertion(key=key)).json()["error_codes"] == [1000502]


def test_a_certificate_without_an_rsa_key_is_not_registered(entra):
    with pytest.raises(ValueError, match="RSA"):
        entra.register(certificates=[server_certificate().ca])
    with pytest.raises(ValueError):
        entra.register(certificates=[b"no certificate"])


def test_adfs_takes_assertions_for_its_own_endpoint(client, ask, entra):
    fields = {"client_id": client.registration.client_id, "client_secret": None, "path": "/adfs/oauth2/token"}
    good = client.assertion(aud=f"{entra.authority}/adfs/oauth2/token")
    assert ask(client_assertion_type=ASSERTION_TYPE, client_assertion=good, **fields).ok
    wrong = ask(client_assertion_type=ASSERTION_TYPE, client_assertion=client.assertion(), **fields)
    assert wrong.json()["error_codes"] == [700023]


@pytest.mark.parametrize("password", [None, "pass wörd"])
def test_a_certificate_is_written_as_pem_or_pfx_for_its_owner_alone(tmp_path, password):
    encoded = password and password.encode()
    pem = make_certificate(tmp_path / "c.pem", password=password)
    assert serialization.load_pem_private_key(pem.path.read_bytes(), encoded)
    assert pem.pem in pem.path.read_bytes()
    pfx = make_certificate(tmp_path / "c.pfx", password=password, common_name="client")
    key, certificate, _ = pkcs12.load_key_and_certificates(pfx.path.read_bytes(), encoded)
    assert key is not None
    assert certificate.fingerprint(SHA1).hex().upper() == pfx.thumbprint
    assert certificate.not_valid_before_utc.year == 2000
    assert make_certificate(tmp_path / "c.bin", form="pfx").path.read_bytes()[:1] == b"\x30"
    for path in (pem.path, pfx.path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "wörd" not in repr(pem)


def test_the_servers_certificate_is_valid_for_faked_clocks():
    certificate = x509.load_pem_x509_certificate(server_certificate().certificate)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert certificate.not_valid_before_utc.year == 2000
    assert certificate.not_valid_after_utc.timestamp() > time.time() + 29 * 365 * 86_400
    assert server_certificate() is server_certificate()
