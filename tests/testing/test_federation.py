"""Clients that prove themselves with the assertion of another identity provider."""

from __future__ import annotations

import stat
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

import credconf
from credconf.testing import FederatedCredential, make_certificate

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ISSUER = "https://oidc.example/cluster/"
SUBJECT = "system:serviceaccount:shop:Billing"
AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture
def app(entra):
    return entra.register(federated=[(ISSUER, SUBJECT, AUDIENCE)])


@pytest.fixture
def prove(ask, app):
    def prove(assertion, **changes):
        fields = {"client_id": app.client_id, "client_secret": None, "client_assertion_type": ASSERTION_TYPE}
        return ask(client_assertion=assertion, **{**fields, **changes})

    return prove


def test_the_assertion_of_a_trusted_provider_is_accepted(entra, app, prove):
    answer = prove(entra.assertion())
    assert answer.ok
    assert jwt.decode(answer.json()["access_token"], options={"verify_signature": False})["appid"] == app.client_id
    assert [(request.proof, request.x5c) for request in entra.requests] == [("assertion", False)]
    assert app.federated == (FederatedCredential(ISSUER, SUBJECT),)
    assert app.secrets == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": ISSUER.rstrip("/")}, 700211),
        ({"issuer": ISSUER.upper()}, 700211),
        ({"subject": "system:serviceaccount:shop:other"}, 700213),
        ({"subject": SUBJECT.lower()}, 7002138),
        ({"audience": "api://AzureADTokenExchange/"}, 700212),
        ({"sub": None}, 50027),
        ({"exp": 10**30}, 50027),
        ({"aud": 7}, 50027),
        ({"exp": None}, 50027),
        ({"lifetime": 25 * 3600 + 1}, 70023),
    ],
)
def test_an_assertion_that_does_not_match_is_refused(entra, prove, changes, code):
    assertion = entra.assertion(**changes)
    answer = prove(assertion)
    assert answer.json()["error_codes"] == [code]
    assert (answer.json()["error"], answer.status_code) in {("invalid_client", 401), ("invalid_request", 400)}
    assert assertion not in answer.text


@pytest.mark.parametrize("age", [-4000, 4000])
def test_an_assertion_outside_its_time_is_refused(entra, prove, age):
    answer = prove(entra.assertion(issued_at=time.time() - age))
    assert answer.json()["error_codes"] == [700024]
    assert "assertion valid from" in answer.json()["error_description"]


def test_an_audience_may_be_a_list_as_kubernetes_writes_it(entra, prove):
    assert prove(entra.assertion(aud=["https://other.example", AUDIENCE])).ok


def test_issuer_subject_and_audience_belong_to_one_credential(entra, app, prove):
    app.add_federated("https://other.example", "worker", "api://other")
    assert prove(entra.assertion("https://other.example", "worker", "api://other")).ok
    assert prove(entra.assertion("https://other.example", SUBJECT, AUDIENCE)).json()["error_codes"] == [700213]
    assert prove(entra.assertion("https://other.example", "worker", AUDIENCE)).json()["error_codes"] == [700212]
    app.remove_federated("https://other.example", "worker", "api://other")
    assert prove(entra.assertion("https://other.example", "worker", "api://other")).json()["error_codes"] == [700211]


def test_an_application_without_federated_credentials_refuses_every_assertion(entra, app, prove, ask):
    assertion = entra.assertion()
    assert prove(assertion, client_id=entra.client_id).json()["error_codes"] == [70025]
    app.remove_federated(ISSUER, SUBJECT)
    assert prove(assertion).json()["error_codes"] == [70025]
    with pytest.raises(LookupError, match="federated"):
        entra.assertion()
    assert entra.assertion(ISSUER, SUBJECT, AUDIENCE)


def test_another_key_does_not_sign(prove):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode({"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE}, key, algorithm="RS256")
    assert prove(forged).json()["error_codes"] == [700027]
    assert prove("not.a.jwt").json()["error_codes"] == [50027]


def test_certificates_and_federated_credentials_work_side_by_side(entra, prove, tmp_path):
    made = make_certificate(tmp_path / "c.pem")
    app = entra.register(certificates=[made.pem], federated=[(ISSUER, SUBJECT, AUDIENCE)])
    assert prove(entra.assertion(client_id=app.client_id), client_id=app.client_id).ok
    certificate = {"file": str(made.path)}
    settings = entra.config(client_id=app.client_id, client_secret=None, client_certificate=certificate)
    with credconf.build(settings) as credential:
        assert credential.get_token("https://storage.azure.com/.default").token
    assert [request.proof for request in entra.requests] == ["assertion", "certificate"]


def test_the_ready_application_can_be_federated(entra, ask):
    entra.registration.add_federated(ISSUER, SUBJECT)
    entra.registration.revoke_secret(entra.client_secret)
    assert ask(client_assertion_type=ASSERTION_TYPE, client_assertion=entra.assertion()).ok
    assert "client_secret" not in entra.config()
    assert "AZURE_CLIENT_SECRET" not in entra.environ()
    assert entra.config(client_assertion={"file": "x"})["client_assertion"] == {"file": "x"}


def test_an_assertion_is_written_for_its_owner_alone_and_replaced_at_once(entra, app, tmp_path):
    path = tmp_path / "token"
    assert entra.write_assertion(path) == path
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open() as reader:
        entra.write_assertion(path, lifetime=60)
        assert reader.read() == first  # another file has taken its name
    claims = jwt.decode(path.read_text(), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 60
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


def test_nothing_shows_an_assertion(entra, app, prove):
    assertion = entra.assertion()
    prove(assertion)
    shown = repr([entra, app, entra.requests])
    assert assertion not in shown
    assert assertion.split(".")[2] not in shown


@pytest.mark.parametrize("code", [70021, 7002137])
def test_other_codes_of_federation_can_be_asked_for(entra, prove, code):
    entra.refuses(code, times=1)
    assert f"AADSTS{code}: No matching federated identity record" in prove(entra.assertion()).text


def test_only_the_token_proxy_of_a_cluster_may_present_its_assertions(entra, app, prove):
    entra.proxy_path = "/proxied/path/"
    assert entra.proxy_environ() == {
        "AZURE_KUBERNETES_TOKEN_PROXY": f"{entra.authority}/proxied/path",
        "AZURE_KUBERNETES_CA_FILE": entra.ca_bundle,
    }
    app.add_federated(ISSUER, SUBJECT, "api://AKSIdentityBinding")
    assertion = entra.assertion(audience="api://AKSIdentityBinding")
    path = f"/proxied/path/{entra.tenant_id}/oauth2/v2.0/token"
    assert prove(assertion, path=path).ok
    assert prove(assertion).json()["error_codes"] == [700212]
    assert prove(entra.assertion(), path=path).ok
    assert [request.path == path for request in entra.requests] == [True, False, True]
    assert prove(assertion, path=f"/other{path}").status_code == 404
