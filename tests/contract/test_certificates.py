"""What certificates alone can do: forms, passwords, chains."""

from __future__ import annotations

import base64

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import credconf
from tests.certificates import make_certificate
from tests.contract.faces import SCOPE

PASSWORD = "canary of-a~password"


@pytest.fixture
def build(face, entra, tmp_path):
    """A credential by certificate, the application registered with it."""
    made = []

    def build(certificate, **fields):
        client_id = entra.register(tenants="*", certificates=[certificate.pem]).client_id
        known = entra.config(client_secret=None, client_id=client_id)
        made.append(face.build({**known, "client_certificate": {"file": str(certificate.path)}, **fields}))
        return made[-1]

    yield build
    for credential in made:
        credential.close()


@pytest.mark.parametrize("name", ["client.pem", "client.pfx"])
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_pem_and_pfx_with_and_without_a_password_are_accepted(build, entra, tmp_path, name, password):
    (tmp_path / "password").write_text(PASSWORD + "\n")
    fields = {} if password is None else {"client_certificate_password": {"file": str(tmp_path / "password")}}
    assert build(make_certificate(tmp_path / name, password=password), **fields).get_token(SCOPE).token
    assert [request.proof for request in entra.requests] == ["certificate"]


@pytest.mark.parametrize("name", ["client.pem", "client.pfx"])
@pytest.mark.parametrize(
    ("password", "words"), [(None, "without client_certificate_password"), ("no", "with the given")]
)
def test_a_missing_or_wrong_password_is_an_error_of_the_configuration(build, tmp_path, name, password, words):
    fields = {} if password is None else {"client_certificate_password": password}
    with pytest.raises(credconf.ConfigError, match=words) as caught:
        build(make_certificate(tmp_path / name, password=PASSWORD), **fields)
    assert PASSWORD not in str(caught.value)


def test_a_password_that_is_not_needed_is_no_fault(build, tmp_path):
    certificate = make_certificate(tmp_path / "client.pem")
    assert build(certificate, client_certificate_password=PASSWORD).get_token(SCOPE).token


def test_the_chain_begins_with_the_certificate_of_the_key_and_has_no_line_breaks(build, entra, tmp_path):
    other, certificate = make_certificate(tmp_path / "other.pem"), make_certificate(tmp_path / "client.pem")
    own = certificate.path.read_bytes()
    certificate.path.write_bytes(other.pem + own)
    build(certificate, send_certificate_chain=True).get_token(SCOPE)
    chain = jwt.get_unverified_header(entra.requests[0].form["client_assertion"])["x5c"]
    expected = [x509.load_pem_x509_certificate(each.pem) for each in (certificate, other)]
    sent = [each.public_bytes(serialization.Encoding.DER) for each in expected]
    assert chain == [base64.b64encode(each).decode() for each in sent]


def elliptic(path):
    key = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = make_certificate(path).pem
    path.write_bytes(key.private_bytes(*form) + public)


def without_a_key(path):
    path.write_bytes(make_certificate(path).pem)


def with_anothers_key(path):
    key = make_certificate(path).path.read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
    path.write_bytes(key + make_certificate(path.with_name("another.pem")).pem)


def nonsense(path):
    path.write_bytes(b"\x30\x82nonsense")


@pytest.mark.parametrize("spoil", [elliptic, without_a_key, with_anothers_key, nonsense])
def test_a_file_that_proves_nothing_is_an_error_early_and_late(build, entra, tmp_path, spoil):
    certificate = make_certificate(tmp_path / "client.pem")
    credential = build(certificate)
    spoil(certificate.path)
    with pytest.raises(credconf.CredentialUnavailableError, match=str(certificate.path)):
        credential.get_token(SCOPE)
    assert entra.requests == []
    with pytest.raises(credconf.ConfigError, match=str(certificate.path)):
        build(certificate)


def test_a_path_may_lead_through_a_link_that_is_swapped(build, entra, tmp_path):
    first, second = (make_certificate(tmp_path / name) for name in ("first.pem", "second.pem"))
    link = tmp_path / "client.pem"
    link.symlink_to(first.path)
    credential = build(first, client_certificate={"file": str(link)})
    credential.get_token(SCOPE)
    client_id = entra.requests[0].client_id
    entra.register(client_id, tenants="*", certificates=[second.pem])
    link.unlink()
    link.symlink_to(second.path)
    assert credential.get_token("another/.default").token


@pytest.mark.parametrize("options", [{"certificate_data": "text"}, {"password": 7}])
def test_a_wrong_type_of_an_argument_is_a_type_error(face, options):
    arguments = {"certificate_data": b"x", **options}
    with pytest.raises(TypeError, match=next(iter(options))):
        face.make("CertificateCredential", "tenant", "client", **arguments)
