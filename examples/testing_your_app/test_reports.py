"""Three ways to test, from the lightest to the most realistic. The fixtures come with credconf: no conftest.py."""

import pytest
import reports

import credconf
from credconf.testing import FakeEntra, StaticCredential


def test_the_token_goes_into_the_header() -> None:
    """`StaticCredential`: a fixed token. No server, no network."""
    credential = StaticCredential("a-token")
    assert reports.header(credential) == {"Authorization": "Bearer a-token"}
    assert credential.calls[0].scopes == (reports.SCOPE,)


def test_a_token_is_fetched_once(fake_entra: FakeEntra) -> None:
    """`fake_entra`: a token service for this test. The environment is unchanged."""
    with credconf.build(fake_entra.config()) as credential:
        assert reports.header(credential) == reports.header(credential)
    assert fake_entra.count() == 1


def test_a_token_expires(fake_entra: FakeEntra) -> None:
    """`advance`: time passes for every credential of the process, without waiting."""
    with credconf.build(fake_entra.config()) as credential:
        first = reports.header(credential)
        fake_entra.advance(3600)
        assert reports.header(credential) != first
    assert fake_entra.count() == 2


def test_a_token_outlives_a_short_outage(fake_entra: FakeEntra) -> None:
    with credconf.build(fake_entra.config(http={"retries": 0})) as credential:
        first = reports.header(credential)
        fake_entra.goes_down()
        fake_entra.advance(3500)
        assert reports.header(credential) == first


def test_an_unmodified_application(credconf_environment: FakeEntra) -> None:
    """`credconf_environment`: the same, and `credconf.from_config()` anywhere in the application uses it."""
    assert reports.status() == "ok"
    assert credconf_environment.count() == 1


def test_an_expired_secret(credconf_environment: FakeEntra) -> None:
    credconf_environment.registration.expire_secret(credconf_environment.client_secret)
    assert reports.status() == "no access to the storage account (AADSTS7000222)"


def test_an_outage(credconf_environment: FakeEntra, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDCONF_HTTP__RETRIES", "0")  # fail at once
    credconf_environment.goes_down()
    assert reports.status().startswith("no access to the storage account")
