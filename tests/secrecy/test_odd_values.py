"""Promise (SECURITY.md): a value that a library takes no notice of, or throws back, is translated: no error holds it.

Bytes of a variable that are not UTF-8 reach Python as halves of characters (PEP 383), which no encoder takes.
"""

from __future__ import annotations

import base64
import time

import pytest

import credconf
from credconf.kinds.readable import by_rule
from credconf.references import NotFound
from tests.certificates import make_certificate
from tests.config.project import CLIENT, TENANT
from tests.contract.faces import SCOPE
from tests.entra.scripted import Scripted
from tests.secrecy.canaries import Canary
from tests.secrecy.reach import texts_of_records
from tests.secrecy.renderings import renderings
from tests.secrecy.test_failures import error_of

TEXT = "q7Zx~c4n4Ry.Of_A-0dd-one"
CANARY = Canary((TEXT,))
RSA = bytes.fromhex("06 09 2a 86 48 86 f7 0d 01 01 01")
"""The object identifier of RSA."""
BYTE = f"{TEXT}\udcfc"
HALF = f"{TEXT}\ud800"
ID = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}


def of_a_variable(password, path):
    environ = {**ID, "AZURE_CLIENT_CERTIFICATE_PATH": path, "AZURE_CLIENT_CERTIFICATE_PASSWORD": password}
    return credconf.from_config(environ=environ)


def of_an_argument(password, path):
    return credconf.CertificateCredential(TENANT, CLIENT, path, password=password)


def of_a_mapping(password, path):
    fields = {"client_certificate": {"file": path}, "client_certificate_password": password}
    return credconf.build({"tenant_id": TENANT, "client_id": CLIENT, **fields})


@pytest.mark.parametrize("give", [of_a_variable, of_an_argument, of_a_mapping])
@pytest.mark.parametrize("password", [BYTE, HALF], ids=["a byte", "half a character"])
def test_a_password_that_no_encoder_takes_is_a_problem_without_it(project, said, give, password):
    path = project.path / "client.pem"
    make_certificate(path, password="another")
    error = error_of(give, password, str(path))
    assert isinstance(error, credconf.ConfigError)
    assert [item.code for item in error.problems if item.severity == "error"] == ["bad-certificate"]
    CANARY.assert_absent(renderings(error))
    CANARY.assert_absent(texts_of_records(said[0].records))


@pytest.mark.parametrize("give", [of_a_variable, of_an_argument, of_a_mapping])
def test_a_password_of_other_bytes_than_utf8_opens_its_certificate(project, give):
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
    from cryptography.hazmat.primitives.serialization import load_pem_private_key as load

    path = project.path / "client.pem"
    make_certificate(path)
    plain = path.read_bytes()
    encryption = BestAvailableEncryption(BYTE.encode(errors="surrogateescape"))
    locked = load(plain, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    path.write_bytes(plain[plain.index(b"-----BEGIN CERTIFICATE") :] + locked)
    assert give(BYTE, str(path))


def test_a_certificate_whose_key_nobody_knows_is_a_problem_without_it(project):
    path = project.path / "client.pem"
    make_certificate(path)
    key, _, certificate = path.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
    der = base64.b64decode(certificate.partition(b"-----END")[0])
    strange = der.replace(RSA, RSA[:-1] + b"\x7f", 1)  # of its public key: the algorithm of its signature is another
    body = base64.encodebytes(strange)
    path.write_bytes(key + b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n")
    error = error_of(of_a_mapping, TEXT, str(path))
    assert [item.code for item in error.problems] == ["bad-certificate"]
    CANARY.assert_absent(renderings(error))


def test_what_a_library_says_of_a_reference_is_not_said_again():
    def rule(text):
        message = f"no such thing as {text}"
        raise ValueError(message)

    found = by_rule(TEXT, "the file x", rule)
    assert isinstance(found, NotFound)
    CANARY.assert_absent([("found", repr(found))])


@pytest.mark.parametrize("port", ["0" * 5_000 + "1", "1" * 5_000, "0" * 5_000 + "70000"])
def test_a_redis_url_with_an_endless_port_is_no_error_that_holds_it(project, port):
    url = f"redis://:{TEXT}@127.0.0.1:{port}"
    project.write("url", url)
    cache = {"token_cache": {"url": {"file": str(project.path / "url")}}}
    fields = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": "x", **cache}
    if port.endswith("01"):
        assert credconf.build(fields, http_client=Scripted()).get_token(SCOPE).token
        return
    error = error_of(credconf.build, fields)
    assert [item.code for item in error.problems] == ["bad-value"]
    CANARY.assert_absent(renderings(error))


def test_nor_is_the_url_of_a_socket_whose_path_ends_in_an_endless_number():
    url = f"unix://:{TEXT}@/run/redis:{'1' * 5_000}"
    fields = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": "x", "token_cache": {"url": url}}
    resolved = credconf.load(False, environ={}, **fields)
    CANARY.assert_absent([("repr", repr(resolved)), ("str", str(resolved.settings))])


def test_a_client_id_from_a_file_may_be_half_a_url(project):
    project.write("id", f"x://[{TEXT}")
    fields = {"tenant_id": TENANT, "client_id": {"file": str(project.path / "id")}, "client_secret": "x"}
    credential = credconf.build(fields, http_client=Scripted({"https": {"error": "invalid_client"}}, 401))
    error = error_of(credential.get_token, SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
    assert "invalid_client" in str(error)
    CANARY.assert_absent(renderings(error))


def test_a_scope_forges_no_line_of_a_log(said):
    fields = {
        "tenant_id": TENANT,
        "client_id": CLIENT,
        "client_secret": "x",
        "prefetch": ["a\nCRITICAL forged \x1b[2J"],
    }
    with credconf.build(fields, http_client=Scripted()) as credential:
        assert credential.get_token(SCOPE).token
        lines = []
        until = time.monotonic() + 10
        while not any("forged" in line for line in lines) and time.monotonic() < until:
            lines = [record.getMessage() for record in said[0].records if record.name == "credconf"]
            time.sleep(0.01)
    assert any("forged" in line for line in lines)
    assert all(line.isprintable() for line in lines)
