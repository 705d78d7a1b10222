"""The examples that are web applications."""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from typing import TYPE_CHECKING

import pytest

import credconf

if TYPE_CHECKING:
    from credconf.testing import FakeEntra
    from tests.examples.running import Place

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette's test client has begun to prefer another version of httpx
    from fastapi.testclient import TestClient

DJANGO_CLIENT = """
import json
import django
from django.test import Client
django.setup()
answer = Client(SERVER_NAME="localhost", raise_request_exception=False).get("/whoami")
print(json.dumps([answer.status_code, json.loads(answer.content)]))
"""


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no credconf.yaml and no .env of anybody's


@pytest.fixture
def flask(credconf_environment, module):
    """Asks the Flask example: status and JSON."""

    def ask():
        answer = module("flask_app/app.py").create_app().test_client().get("/whoami")
        return answer.status_code, answer.get_json()

    return ask


@pytest.fixture
def fastapi(credconf_environment, module):
    """Asks the FastAPI example, with its lifespan."""

    def ask():
        with TestClient(module("fastapi_app/main.py").app) as client:
            answer = client.get("/whoami")
        return answer.status_code, answer.json()

    return ask


@pytest.fixture
def django(credconf_environment, place):
    """Asks the Django example in a process of its own: Django's settings are global."""
    example = place("django_app")
    environ = {**credconf_environment.environ(), "DJANGO_SETTINGS_MODULE": "project.settings"}

    def ask():
        ran = example.run("-c", DJANGO_CLIENT, environ=environ)
        assert ran.code == 0, ran.text
        logging.getLogger("django").error(ran.err)  # for caplog, as if it were in this process
        return tuple(json.loads(ran.out))

    return ask


@pytest.fixture(params=["flask", "fastapi", "django"])
def ask(request):
    return request.getfixturevalue(request.param)


def test_it_says_who_it_is(ask, credconf_environment: FakeEntra):
    status, body = ask()
    assert status == 200
    assert body["client_id"] == credconf_environment.client_id
    assert body["tenant_id"] == credconf_environment.tenant_id
    assert body["expires_on"] > 1_700_000_000
    assert credconf_environment.client_secret not in json.dumps(body)
    assert "eyJ" not in json.dumps(body)
    assert credconf_environment.count() == 1


def test_a_refusal_tells_the_log_and_not_the_client(ask, credconf_environment: FakeEntra, caplog):
    secret = credconf_environment.client_secret
    credconf_environment.registration.revoke_secret(secret)
    with caplog.at_level(logging.ERROR):
        status, body = ask()
    assert status == 503
    assert body.keys() == {"error", "correlation_id"}
    assert body["correlation_id"]
    assert body["correlation_id"] in caplog.text
    assert "AADSTS7000215" in caplog.text
    assert secret not in caplog.text
    for private in (credconf_environment.client_id, credconf_environment.tenant_id, "AADSTS", secret):
        assert private not in json.dumps(body)


def test_a_broken_configuration_stops_the_start(credconf_environment, module, monkeypatch):
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    with pytest.raises(credconf.ConfigError):
        module("flask_app/app.py").create_app()
    client = TestClient(module("fastapi_app/main.py").app)
    with pytest.raises(credconf.ConfigError), client:
        pass


def test_fastapi_closes_its_credential(credconf_environment, module):
    example = module("fastapi_app/main.py")

    async def live_and_end():
        async with example.lifespan(example.app) as state:
            credential = state["credential"]
            await credential.get_token(example.SCOPE)
        with pytest.raises(ValueError, match="closed"):
            await credential.get_token(example.SCOPE)

    asyncio.run(live_and_end())


def test_django_does_its_chores_without_a_secret(place):
    example: Place = place("django_app")
    ran = example.run("manage.py", "check", environ={})
    assert ran.code == 0, ran.text


def test_django_checks_the_configuration_before_a_deployment(place, credconf_environment: FakeEntra):
    example: Place = place("django_app")
    check = ("manage.py", "check", "--deploy")
    assert "whoami.E001" not in example.run(*check, environ=credconf_environment.environ()).text
    broken = example.run(*check, environ={})
    assert broken.code == 1
    assert "whoami.E001" in broken.err
