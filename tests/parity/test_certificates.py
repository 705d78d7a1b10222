"""`CertificateCredential`, where it is not the same as with a secret."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.certificates import make_certificate
from tests.parity.faces import SCOPE


@pytest.fixture
def make(tmp_path, entra):
    """A certificate and the application that is registered with it."""

    def make(name="client.pem", **options):
        certificate = make_certificate(tmp_path / name, **options)
        return str(certificate.path), entra.register(certificates=[certificate.pem]).client_id

    return make


@pytest.mark.parametrize("name", ["client.pem", "client.pfx"])
@pytest.mark.parametrize("password", [None, "pass word"])
def test_pem_and_pfx_with_and_without_a_password_prove_the_client(face, entra, make, name, password):
    path, client_id = make(name, password=password)
    options = {} if password is None else {"password": password}
    assert face.certificate(entra, client_id, path, **options).get_token(SCOPE).token
    (request,) = [request for request in entra.requests if request.kind == "token"]
    assert request.proof == "certificate"
    assert not request.x5c


def test_the_content_may_be_given_instead_of_the_path(face, entra, make):
    path, client_id = make(password="pass word")
    with open(path, "rb") as file:
        content = file.read()
    credential = face.certificate(entra, client_id, None, certificate_data=content, password=b"pass word")
    assert credential.get_token(SCOPE).token


def test_the_chain_is_sent_when_it_is_asked_for(face, entra, make):
    path, client_id = make()
    face.certificate(entra, client_id, path, send_certificate_chain=True).get_token(SCOPE)
    sent = [request.x5c for request in entra.requests if request.kind == "token"]
    assert sent == [face.name != "theirs-async"]  # azure-identity's asynchronous class does not know the option


def test_another_applications_certificate_is_refused(face, entra, make, tmp_path):
    _, client_id = make()
    other = make_certificate(tmp_path / "other.pem")
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        face.certificate(entra, client_id, str(other.path)).get_token(SCOPE)


@pytest.mark.parametrize("password", [None, "wrong"])
@pytest.mark.parametrize("name", ["client.pem", "client.pfx"])
def test_a_missing_or_wrong_password_is_an_error_of_the_constructor(face, entra, make, name, password):
    path, client_id = make(name, password="right")
    options = {} if password is None else {"password": password}
    with pytest.raises((ValueError, TypeError)):
        face.certificate(entra, client_id, path, **options)


def test_a_missing_file_is_an_error_of_the_constructor(face, entra, tmp_path):
    with pytest.raises((ValueError, FileNotFoundError)):
        face.certificate(entra, entra.client_id, str(tmp_path / "none.pem"))


def test_neither_path_nor_data_is_a_value_error(face, entra):
    with pytest.raises(ValueError, match=r"certificate_path|certificate_data"):
        face.certificate(entra, entra.client_id, None)


def test_a_key_that_is_not_rsa_is_a_value_error(face, entra, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = make_certificate(tmp_path / "client.pem").pem
    with pytest.raises(ValueError):
        face.certificate(entra, entra.client_id, None, certificate_data=content + public)
