"""Three ways to test an application. credconf's pytest plugin provides the fixtures, so no conftest.py is needed."""

import pytest
import reports

import credconf
from credconf.testing import FakeEntra, StaticCredential


def test_the_token_goes_into_the_header() -> None:
    """`StaticCredential` returns a fixed token, without a server."""
    credential = StaticCredential("a-token")
    assert reports.header(credential) == {"Authorization": "Bearer a-token"}
    assert credential.calls[0].scopes == (reports.SCOPE,)


def test_a_token_is_fetched_once(fake_entra: FakeEntra) -> None:
    """`fake_entra` is a token service for this test. It does not change the environment."""
    with credconf.build(fake_entra.config()) as credential:
        assert reports.header(credential) == reports.header(credential)
    assert fake_entra.count() == 1


def test_the_application_as_it_is(credconf_environment: FakeEntra) -> None:
    """`credconf_environment` also sets the variables with which `credconf.from_config()` finds the service."""
    assert reports.status() == "ok"
    assert credconf_environment.count() == 1


def test_an_expired_secret(credconf_environment: FakeEntra) -> None:
    credconf_environment.registration.expire_secret(credconf_environment.client_secret)
    assert reports.status() == "no access to the storage account (AADSTS7000222)"


def test_an_outage(credconf_environment: FakeEntra, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDCONF_HTTP__RETRIES", "0")  # fail at once, without retries
    credconf_environment.goes_down()
    assert reports.status().startswith("no access to the storage account")
