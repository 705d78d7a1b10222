"""Assertions, request tokens, the identity header and Arc's key: no error, log or traceback shows one."""

from __future__ import annotations

import json
import logging
import os
import traceback

import pytest

import credconf
from credconf.entra.http import Response
from credconf.references.base import Reader
from credconf.testing import FakeAppService, FakeArc, FakeAzurePipelines, FakeEntra, FakeGitHub
from tests.config.project import assert_nothing_shows, project
from tests.contract.faces import OTHER_SCOPE, SCOPE

__all__ = ["project"]

PIECE = 12
"""Characters of a secret that are not shown even alone."""


@pytest.fixture
def entra(monkeypatch):
    with FakeEntra() as fake:
        fake.apply(monkeypatch, identity=False)
        yield fake


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


def failure_of(credential, scope=SCOPE):
    with pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token(scope)
    return caught.value


def assert_hidden(error, secrets, log, credential):
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    shown += f"{error} {error!r} {credential!r} {credential.describe()} {log.text}"
    for secret in secrets:
        assert len(secret) > PIECE
        assert_nothing_shows(error, secret)
        assert secret not in shown
        assert secret[:PIECE] not in shown
        assert secret[-PIECE:] not in shown


@pytest.mark.parametrize("fake", [FakeGitHub, FakeAzurePipelines])
@pytest.mark.parametrize("fault", ["echoed", "html", "refused by Entra", "expired"])
def test_neither_the_request_token_nor_the_assertion_of_a_job(fake, fault, entra, monkeypatch, project, log):
    with fake() as job:
        job.apply(monkeypatch)
        app = entra.register(federated=[job.federation()] if fault != "refused by Entra" else [("https://x", "y", "z")])
        source = {"github": {}} if fake is FakeGitHub else {"azure_pipelines": job.service_connection_id}
        held = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN") or os.environ["SYSTEM_ACCESSTOKEN"]
        secrets = [held.rpartition(".")[2] or held]
        fields = entra.config(client_id=app.client_id, client_secret=None, client_assertion=source)
        with credconf.build(fields) as credential:
            if fault == "echoed":
                job.answers(400, f'{{"message": "bad token {held}"}}')
            elif fault == "html":
                job.answers(403, f"<html>{held}</html>", "text/html")
            elif fault == "expired":
                credential.get_token(SCOPE)
                secrets.append(entra.requests[-1].form["client_assertion"].rpartition(".")[2])
                job.answers(401, f'{{"message": "{held}"}}')
            error = failure_of(credential, OTHER_SCOPE)
            if fault == "refused by Entra":
                secrets.append(entra.requests[-1].form["client_assertion"].rpartition(".")[2])
            assert_hidden(error, secrets, log, credential)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_not_the_identity_header(status, monkeypatch, project, log):
    with FakeAppService() as endpoint:
        endpoint.apply(monkeypatch)
        header = os.environ["IDENTITY_HEADER"]
        endpoint.answers(status, f'{{"statusCode": {status}, "message": "the header {header} is wrong"}}')
        fields = {"kind": "managed_identity", "http": {"retries": 0, "total_timeout": 2}}
        with credconf.build(fields) as credential:
            assert_hidden(failure_of(credential), [header], log, credential)


class EchoingAgent:
    """Azure Arc's agent, which says what it was sent."""

    def __init__(self, key):
        self.key = key
        self.sent = []

    def get(self, url, *, params, headers):
        if "Authorization" not in headers:
            return Response(401, "", {"www-authenticate": f"Basic realm={self.key}"})
        self.sent.append(headers["Authorization"])
        return Response(400, json.dumps({"error": "x", "error_description": f"{self.sent[-1]} is wrong"}))

    def post(self, url, **_):
        raise AssertionError(url)

    def close(self):
        pass


def test_not_arcs_key(monkeypatch, project, log):
    key = project.write("a.key", "c4n4ry~of-the.agent_0123456789")
    with FakeArc(keys=project.path) as agent:
        agent.apply(monkeypatch)
        client = EchoingAgent(key)
        with credconf.build({"kind": "managed_identity", "http": {"retries": 0}}, http_client=client) as credential:
            error = failure_of(credential)
            assert client.sent == [f"Basic {key.read_text()}"]
            assert_hidden(error, [key.read_text()], log, credential)


@pytest.mark.parametrize("reference", ["github", "azure_pipelines", "managed_identity"])
def test_a_discovered_file_can_not_have_the_machine_vouched_for(reference, project):
    values = {
        "github": "{}",
        "azure_pipelines": "33333333-3333-3333-3333-333333333333",
        "managed_identity": "{client_id: a}",
    }
    text = "tenant_id: contoso.onmicrosoft.com\nclient_id: 11111111-1111-1111-1111-111111111111\n"
    project.write("credconf.yaml", f"{text}client_assertion: {{{reference}: {values[reference]}}}\n")
    problem = next(item for item in project.refused().problems if item.code == "redirected-secret")
    assert problem.path == "client_assertion"
    assert "CREDCONF_FILE=credconf.yaml" in problem.hint


def test_nothing_but_a_signed_token_is_sent_as_an_assertion(entra, project):
    app = entra.register(federated=[("https://x", "y", "z")])
    other = project.write("other", "-----BEGIN CERTIFICATE-----\nc4n4ry~Must+Not.Appear\n")
    fields = entra.config(client_id=app.client_id, client_secret=None, client_assertion={"file": str(other)})
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.build(fields)
    assert_nothing_shows(caught.value)
    assert entra.requests == []


def test_the_reader_shows_no_variable():
    assert "c4n4ry" not in repr(Reader({"IDENTITY_HEADER": "c4n4ry"}))
