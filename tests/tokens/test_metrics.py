"""What is recorded for OpenTelemetry, with an API in place of the real one, which the page about metrics runs."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import pytest

import credconf
from credconf import aio
from credconf.entra.http import Response
from tests.secrecy.canaries import CANARY

SCOPE = "https://storage.azure.com/.default"
OTHER_SCOPE = "https://vault.azure.net/.default"
REQUEST = "credconf.token.request.duration"
WAIT = "credconf.token.wait.duration"
SHARED = "credconf.token.shared_cache.hits"


class Api:
    """The module `opentelemetry.metrics`."""

    def __init__(self):
        self.recorded = []
        self.on_record = None

    def get_meter(self, name, version):
        assert (name, version) == ("credconf", credconf.__version__)
        return self

    def create_histogram(self, name, unit, description):
        assert unit == "s"
        return Instrument(self, name)

    def create_counter(self, name, unit, description):
        return Instrument(self, name)

    def of(self, name):
        return [attributes for each, attributes in self.recorded if each == name]

    def settled(self, number):
        """Wait for so many: a request for a coroutine is recorded after the caller has its token."""
        latest = time.monotonic() + 30
        while len(self.recorded) < number:
            assert time.monotonic() < latest, self.recorded
            time.sleep(0.01)


class Answering:
    """An `http_client` with one answer to each token request."""

    def __init__(self, answer):
        self._answer = answer

    def post(self, url, **_):
        return self._answer

    def get(self, url, **_):
        raise AssertionError(url)

    def close(self):
        pass


class Instrument:
    def __init__(self, api, name):
        self._api, self._name = api, name

    def record(self, value, attributes):
        assert value >= 0
        self._api.recorded.append((self._name, attributes))
        if self._api.on_record is not None:
            self._api.on_record()

    add = record


@pytest.fixture
def api(monkeypatch):
    made = Api()
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", made)
    return made


@pytest.fixture(params=["sync", "async"])
def get(request):
    """Fetches a token with a credential of one face, made from the fields."""

    def sync(fields, *scopes):
        with credconf.build(fields) as credential:
            return [credential.get_token(scope) for scope in scopes]

    async def coroutine(fields, scopes):
        async with aio.build(fields) as credential:
            return [await credential.get_token(scope) for scope in scopes]

    return sync if request.param == "sync" else lambda fields, *scopes: asyncio.run(coroutine(fields, scopes))


def test_one_request_and_one_wait_are_recorded_for_a_token_and_nothing_for_a_cached_one(api, get, fake_entra):
    get(fake_entra.config(), SCOPE, SCOPE, SCOPE)
    api.settled(2)
    assert api.of(REQUEST) == [{"credconf.kind": "client_secret", "credconf.trigger": "call"}]
    assert api.of(WAIT) == [{"credconf.kind": "client_secret"}]


def test_a_refusal_is_recorded_by_its_code(api, get, fake_entra):
    fake_entra.refuses(7000222)
    with pytest.raises(credconf.AuthenticationError):
        get(fake_entra.config(), SCOPE)
    api.settled(2)
    assert [each["error.type"] for each in (*api.of(REQUEST), *api.of(WAIT))] == ["AADSTS7000222"] * 2


def test_a_failure_without_an_answer_is_recorded_by_its_category(api, get, fake_entra):
    fake_entra.goes_down()
    with pytest.raises(credconf.AuthenticationError):
        get({**fake_entra.config(), "http": {"retries": 0}}, SCOPE)
    api.settled(2)
    assert {each["error.type"] for each in (*api.of(REQUEST), *api.of(WAIT))} == {"refused"}


def test_a_refusal_that_is_remembered_is_a_wait_and_no_request(api, fake_entra):
    fake_entra.refuses(7000222)
    with credconf.build(fake_entra.config()) as credential:
        for _ in range(3):
            with pytest.raises(credconf.AuthenticationError):
                credential.get_token(SCOPE)
    assert (len(api.of(REQUEST)), len(api.of(WAIT))) == (1, 3)


def test_no_attribute_holds_an_id_a_host_or_a_secret(api, get, fake_entra):
    [secret] = CANARY.secrets
    registered = fake_entra.register(secrets=[secret])
    fields = fake_entra.config(client_id=registered.client_id, client_secret=secret)
    get(fields, SCOPE)
    fake_entra.refuses(700016)
    with pytest.raises(credconf.AuthenticationError):
        get(fields, OTHER_SCOPE)
    api.settled(4)
    told = repr(api.recorded)
    assert len(api.recorded) >= 4
    CANARY.assert_absent([("metrics", told)])
    for text in (registered.client_id, fake_entra.tenant_id, "127.0.0.1", "azure.com", "vault"):
        assert text not in told


@pytest.mark.parametrize("status", [200, 400])
def test_a_word_of_a_server_is_no_attribute(api, status):
    client = Answering(Response(status, json.dumps({"error": "about contoso", "error_description": "no"}), {}))
    fields = {
        "tenant_id": "contoso.onmicrosoft.com",
        "client_id": "11111111-1111-1111-1111-111111111111",
        "client_secret": "made-up",
    }
    with credconf.build(fields, http_client=client) as credential, pytest.raises(credconf.AuthenticationError):
        credential.get_token(SCOPE)
    assert {each["error.type"] for each in (*api.of(REQUEST), *api.of(WAIT))} == {str(status)}


def test_a_token_of_another_process_is_a_hit(api, get, fake_entra, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shared = {"kind": "file", "name": "metrics", "allow_unencrypted_storage": True}
    fields = {**fake_entra.config(), "token_cache": shared}
    get(fields, SCOPE)
    api.settled(2)
    get(fields, SCOPE)  # with memory of its own, like another process
    api.settled(4)
    assert api.of(SHARED) == [{"credconf.kind": "client_secret", "credconf.cache": "file"}]
    assert len(api.of(REQUEST)) == 1


def test_an_exporter_that_needs_the_token_does_not_wait_for_itself(api, fake_entra):
    with credconf.build(fake_entra.config()) as credential:
        api.on_record = lambda: credential.get_token(SCOPE)
        credential.get_token(SCOPE)
    assert fake_entra.count() == 1


def test_nothing_is_imported_where_the_application_has_not_imported_it(get, fake_entra, monkeypatch):
    monkeypatch.delitem(sys.modules, "opentelemetry.metrics", raising=False)
    get(fake_entra.config(), SCOPE)
    assert "opentelemetry.metrics" not in sys.modules
