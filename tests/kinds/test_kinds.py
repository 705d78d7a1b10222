"""The kinds: which one a mapping means, and what each one hands to entra."""

from __future__ import annotations

import base64
import functools
import os
import tempfile
import uuid

import jwt
import pytest
from pydantic import SecretStr

import credconf
from credconf.kinds import (
    FIELDS,
    KINDS,
    NESTED,
    ClientCertificateSettings,
    ClientSecretSettings,
    Identity,
    Invalid,
    Proof,
    identify,
    validate,
)
from credconf.references import NotFound, Reader
from tests.certificates import make_certificate
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, codes, only

IDS = {"tenant_id": TENANT, "client_id": CLIENT}
READER = Reader({})


def problems(**fields) -> list[tuple[str, str | None]]:
    result = validate({**IDS, **fields})
    assert isinstance(result, Invalid)
    assert CANARY not in repr(result) + str(result)
    return [(problem.code, problem.path) for problem in result.problems]


def test_a_kind_is_inferred_from_its_proof():
    assert isinstance(validate({**IDS, "client_secret": "x"}), ClientSecretSettings)
    assert isinstance(validate({**IDS, "client_certificate": {"file": "x"}}), ClientCertificateSettings)


def test_no_proof_is_an_error_that_names_the_kinds_proofs():
    result = validate(IDS)
    assert isinstance(result, Invalid)
    assert [problem.code for problem in result.problems] == ["missing"]
    assert "client_secret" in result.problems[0].message
    assert "client_certificate" in result.problems[0].message


def test_a_named_kind_asks_for_its_own_proof():
    assert problems(kind="client_certificate") == [("missing", "client_certificate")]
    assert problems(kind="client_secret") == [("missing", "client_secret")]


def test_two_proofs_are_an_error():
    assert problems(client_secret=CANARY, client_certificate={"file": "x"}) == [("two-proofs", "client_certificate")]


def test_an_unknown_kind_is_an_error_with_a_suggestion():
    result = validate({**IDS, "client_secret": CANARY, "kind": "client-secret"})
    assert isinstance(result, Invalid)
    assert result.problems[0].hint == "did you mean `client_secret`?"
    assert problems(client_secret=CANARY, kind=CANARY) == [("unknown-kind", "kind")]


def test_a_setting_of_another_kind_is_an_error():
    assert problems(client_secret=CANARY, send_certificate_chain=True) == [("unknown-key", "send_certificate_chain")]
    assert problems(client_secret=CANARY, client_certificate_password=CANARY) == [
        ("unknown-key", "client_certificate_password")
    ]


def test_every_problem_is_told_at_once():
    found = problems(client_secret=CANARY, tenant_id="/", authority="http://x", http={"retries": 99}, clinet_id="x")
    assert set(found) == {
        ("bad-value", "tenant_id"),
        ("bad-value", "authority"),
        ("bad-value", "http.retries"),
        ("unknown-key", "clinet_id"),
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("http", {"timeout": 0}),
        ("http", {"timeout": -1}),
        ("http", {"timeout": "nan"}),
        ("http", {"timeout": "inf"}),
        ("http", {"timeout": 601}),
        ("http", {"retries": 1.5}),
        ("http", {"retries": -1}),
        ("token_cache", {"max_entries": 0}),
        ("token_cache", {"kind": "redis"}),
        ("cloud", "Public "),
        ("cloud", 1),
        ("disable_instance_discovery", "perhaps"),
        ("additionally_allowed_tenants", "*"),
        ("additionally_allowed_tenants", ["a/b"]),
        ("additionally_allowed_tenants", [1]),
        ("prefetch", "scope"),
        ("region", "west us"),
        ("region", "../x"),
        ("client_id", 5),
        ("client_id", ""),
        ("tenant_id", "  "),
        ("tenant_id", "a b"),
        ("tenant_id", ".."),
        ("tenant_id", "a/../b"),
        ("tenant_id", "a?b"),
        ("tenant_id", "ä.example"),
        ("tenant_id", "x" * 300),
        ("authority", "http://login.microsoftonline.com"),
        ("authority", "https://login.microsoftonline.com/tenant"),
        ("authority", "ftp://x.example"),
        ("authority", "https://"),
        ("authority", "https://a.example?x=1"),
        ("authority", "https://a.example#x"),
        ("authority", "https://u:p@a.example"),
        ("authority", "https://a.example:99999"),
        ("authority", "https://a.example:0"),
        ("authority", "a b.example"),
        ("authority", "a\\b.example"),
        ("authority", "https://a.example\n.evil.example"),
    ],
)
def test_a_bad_value_is_an_error_at_its_field(field, value):
    found = problems(**{"client_secret": CANARY, field: value})
    assert [path.split(".")[0] for _, path in found] == [field]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("login.microsoftonline.com", "https://login.microsoftonline.com"),
        (" https://login.microsoftonline.us/ ", "https://login.microsoftonline.us"),
        ("HTTPS://Login.Example", "https://login.example"),
        ("localhost:8443", "https://localhost:8443"),
        ("127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_an_authority_is_normalised(written, read):
    settings = validate({**IDS, "client_secret": "x", "authority": written})
    assert settings.authority == read
    assert settings.cloud is None


@pytest.mark.parametrize("authority", ["https://idp.example", "http://idp.example/x", "https://idp.example/x?y", ""])
def test_a_generic_server_needs_an_https_url_with_a_path(authority):
    result = validate({"client_id": "x", "client_secret": CANARY, "oidc_authority": authority})
    assert isinstance(result, Invalid)
    assert [problem.path for problem in result.problems] == ["oidc_authority"]


@pytest.mark.parametrize("value", ["", "   ", [], None])
def test_an_empty_secret_is_an_error(value):
    assert problems(client_secret=value, kind="client_secret")[0][1] == "client_secret"


@pytest.mark.parametrize(("line", "code"), [("''", "empty"), ("'  '", "empty"), ("", "empty"), ("[]", "empty")])
def test_an_empty_secret_of_a_file_has_its_place(project, line, code):
    problem = only(project.refused_text(f"{ID}client_secret: {line}\n"))
    assert (problem.code, problem.line) == (code, 3)


def test_a_secret_in_a_list_has_its_index(project):
    error = project.refused_text(f"{ID}client_secret:\n  - {CANARY}\n  - ''\n  - {{fiel: x}}\n")
    found = [(item.path, item.line, item.column) for item in error.problems if item.severity == "error"]
    assert found[0] == ("client_secret.1", 5, 5)


def test_the_secrets_of_a_list_come_in_its_order(project):
    project.write("new", "first\n")
    resolved = project.flat(f"{ID}client_secret: [{{file: new}}, {{env: OLD}}, third]\n", environ={"OLD": "second"})
    proofs = dict(resolved.settings.proofs(resolved.reader))
    assert {path: proof.credential for path, proof in proofs.items()} == {
        "client_secret.0": "first",
        "client_secret.1": "second",
        "client_secret.2": "third",
    }
    assert "first" not in repr(proofs)


def test_a_list_without_a_readable_secret_is_an_error_for_each(project):
    error = project.refused_text(f"{ID}client_secret: [{{file: new}}, {{env: OLD}}]\n")
    assert codes(error) == ["missing-file", "missing-variable"]


@functools.cache  # an RSA key takes its time
def pem_file(number: int = 0, password: str | None = None) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "client.pem")
        make_certificate(path, password=password)
        with open(path, "rb") as file:
            return file.read()


def certificate_of(path, **fields):
    settings = validate({**IDS, "client_certificate": {"file": str(path)}, **fields})
    assert isinstance(settings, ClientCertificateSettings)
    [(field, proof)] = settings.proofs(READER)
    return field, proof


ENTRA = "https://login.microsoftonline.com/t/oauth2/v2.0/token"
AUDIENCES = {
    ENTRA: ("PS256", "x5t#S256", 32),
    "https://adfs.example/adfs/oauth2/token": ("RS256", "x5t", 20),
}


def signed_by(proof, audience=ENTRA):
    """Header and claims of an assertion, its signature verified."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = proof.for_request(audience, "the-client").content
    key = load_pem_private_key(proof.credential.encode(), None).public_key()
    return jwt.get_unverified_header(text), jwt.decode(text, key, [AUDIENCES[audience][0]], audience=audience)


@pytest.mark.parametrize("password", [None, CANARY])
@pytest.mark.parametrize("chain", [False, True])
@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_pem_file_is_read(tmp_path, password, chain, audience):
    path = tmp_path / "client.pem"
    path.write_bytes(pem_file(password=password))
    fields = {"send_certificate_chain": chain} | ({"client_certificate_password": password} if password else {})
    field, proof = certificate_of(path, **fields)
    assert field == "client_certificate"
    assert isinstance(proof, Proof)
    assert proof.credential.startswith("-----BEGIN PRIVATE KEY-----")
    header, claims = signed_by(proof, audience)
    algorithm, thumbprint, size = AUDIENCES[audience]
    assert header.keys() == {"typ", "alg", thumbprint, *(["x5c"] if chain else [])}
    assert (header["alg"], len(base64.urlsafe_b64decode(header[thumbprint]))) == (algorithm, size)
    assert (claims["aud"], claims["iss"], claims["sub"]) == (audience, "the-client", "the-client")
    assert claims["exp"] - claims["iat"] == pytest.approx(600)
    assert uuid.UUID(claims["jti"]) != uuid.UUID(signed_by(proof)[1]["jti"])
    assert CANARY not in repr(proof)
    assert "PRIVATE KEY" not in repr(proof)


@pytest.mark.parametrize("password", [None, CANARY])
def test_a_pfx_file_is_read(tmp_path, password):
    path = tmp_path / "client.pfx"
    path.write_bytes(as_pfx(pem_file(), password))
    (tmp_path / "client.pem").write_bytes(pem_file())
    fields = {"client_certificate_password": password} if password else {}
    _, proof = certificate_of(path, **fields)
    _, pem = certificate_of(tmp_path / "client.pem")
    assert isinstance(proof, Proof)
    assert proof.credential == pem.credential
    assert signed_by(proof)[0] == signed_by(pem)[0]


def as_pfx(pem: bytes, password: str | None) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        NoEncryption,
        load_pem_private_key,
        pkcs12,
    )

    key = load_pem_private_key(pem, None)
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"x", key, x509.load_pem_x509_certificate(pem), None, encryption)


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"", None),
        (CANARY.encode(), None),
        (b"-----BEGIN CERTIFICATE-----\n" + CANARY.encode(), None),
        (b"-----BEGIN PRIVATE KEY-----\n" + CANARY.encode() + b"\n-----END PRIVATE KEY-----\n", None),
        (b"\x30\x82" + CANARY.encode(), None),
        ("encrypted", None),
        ("encrypted", f"wrong {CANARY}"),
        ("key only", None),
        ("certificate only", None),
        ("other key", None),
    ],
)
def test_a_certificate_that_can_not_be_used_is_an_error_without_a_byte_of_it(project, content, password):
    if content == "encrypted":
        content = pem_file(password=CANARY)
    elif isinstance(content, str):
        key, certificate = parts_of(pem_file().decode())
        other = parts_of(pem_file(1).decode())[0]
        content = {"key only": key, "certificate only": certificate, "other key": other + certificate}[content].encode()
    project.write("client.pem", content)
    text = f"{ID}client_certificate: {{file: client.pem}}\n"
    problem = only(project.refused_text(text + (f"client_certificate_password: '{password}'\n" if password else "")))
    assert (problem.code, problem.line, problem.path) == ("bad-certificate", 3, "client_certificate")


def parts_of(pem: str) -> tuple[str, str]:
    at = {name: pem.index(f"-----BEGIN {name}") for name in ("CERTIFICATE", "PRIVATE KEY")}
    first, second = pem[: max(at.values())], pem[max(at.values()) :]
    return (second, first) if at["PRIVATE KEY"] > at["CERTIFICATE"] else (first, second)


def test_a_missing_certificate_and_password_are_errors_with_their_places(project):
    text = f"{ID}client_certificate: {{file: client.pem}}\nclient_certificate_password: {{env: PASSWORD}}\n"
    assert only(project.refused_text(text)).code == "missing-variable"
    problem = only(project.refused_text(text, environ={"PASSWORD": CANARY}))
    assert (problem.code, problem.line) == ("missing-file", 3)


def test_the_identity_hides_what_came_from_a_file(project):
    project.write("id", "from-a-file\n")
    text = COMPLETE.replace(CLIENT, "{file: id}").replace(TENANT, "{env: T}")
    resolved = project.flat(text, environ={"T": "contoso.example"})
    identity, _ = identify(resolved.settings, resolved.reader)
    assert isinstance(identity, Identity)
    assert (identity.client_id, identity.hidden) == ("from-a-file", {"client_id"})
    assert "from-a-file" not in str(identity.shown("client_id"))
    assert identity.shown("tenant_id") == "contoso.example"
    assert identity.shown("region") is None


def test_an_identity_shows_no_password_of_a_proxy():
    settings = validate({**IDS, "client_secret": "x", "http": {"proxy": SecretStr(f"http://u:{CANARY}@h:1")}})
    identity, _ = identify(settings, READER)
    assert CANARY in identity.proxy
    assert CANARY not in repr(identity)


def test_nothing_that_came_from_a_file_is_in_a_message_about_the_network(project):
    project.write("proxy", f"http://user:{CANARY}@proxy-of-the-file.test:9\n")
    project.write("authority", "host-of-the-file.test:8443\n")
    http = "http: {proxy: {file: proxy}, retries: 0}"
    resolved = project.flat(f"{COMPLETE}authority: {{file: authority}}\n{http}\ndisable_instance_discovery: true\n")
    with credconf.build(resolved) as credential, pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token("https://api.test/.default")
    assert caught.value.error_code == "proxy"
    assert not [text for text in (CANARY, "host-of-the-file", "proxy-of-the-file") if text in str(caught.value)]


def test_an_identity_that_can_not_be_read_says_what():
    settings = validate({"tenant_id": {"env": "T"}, "client_id": {"file": os.devnull}, "client_secret": "x"})
    _, failures = identify(settings, READER)
    assert [(path, failure.code) for path, failure in failures] == [
        ("tenant_id", "missing-variable"),
        ("client_id", "not-a-file"),
    ]
    assert all(isinstance(failure, NotFound) for _, failure in failures)


def test_the_lists_of_kinds_and_fields_agree():
    assert {model.proof for model in KINDS.values()} <= {*FIELDS, None}
    assert set(NESTED) == {"http", "token_cache"}
    assert all(kind == model.model_fields["kind"].default for kind, model in KINDS.items())
