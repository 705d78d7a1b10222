"""The reports of doctor in the documentation are real, except for names, times and addresses."""

from __future__ import annotations

import re
import socket

import pytest

from tests.cli.running import run
from tests.config.project import CANARY, CLIENT, TENANT
from tests.docs.pages import DOCS, Page
from tests.entra.servers import Proxy

PAGE = Page(DOCS / "how-to/no-token.md")


@pytest.fixture
def entra(fake_entra, monkeypatch, project):
    """An Entra where the public cloud is looked for, and the configuration of the pictures."""
    fake_entra.register(CLIENT, tenants=[TENANT], secrets=[CANARY])
    fake_entra.apply(monkeypatch, identity=False)
    for name in ("AZURE_AUTHORITY_HOST", "CREDCONF_DISABLE_INSTANCE_DISCOVERY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", CANARY)
    text = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: {{env: AZURE_CLIENT_SECRET}}\n"
    project.write("credconf.yaml", text)
    lead(monkeypatch, fake_entra.port)
    return fake_entra


def lead(monkeypatch, port):
    """Every name to one port of this machine."""
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address])


def pictures():
    return [block.text for block in PAGE.blocks("text")]


def levelled(text, *made_up):
    """Without line breaks and times, and with made-up names for the real ones."""
    for real, name in made_up:
        text = text.replace(real, name)
    return re.sub(r"\(\d+(\.\d+)? m?s\)", "(time)", re.sub(r"\d{4}-\d{2}-\d{2}", "(date)", " ".join(text.split())))


def test_the_healthy_picture_is_true(entra):
    said = run("doctor").said
    trusted = f"trusted: {entra.ca_bundle} ($CREDCONF_HTTP__CA_BUNDLE)"
    made_up = [
        ("127.0.0.1", "20.190.160.14"),
        ("credconf.testing authority", "DigiCert Inc, DigiCert Global G2 TLS RSA SHA256 2020 CA1"),
        (trusted, "trusted: the public authorities of certifi"),
    ]
    assert levelled(said, *made_up) == levelled(pictures()[0].partition("\n")[2])
    assert pictures()[0].startswith("$ credconf doctor\n")


def test_the_unhealthy_picture_is_true(entra, monkeypatch):
    proxy = Proxy(password="another")
    try:
        monkeypatch.setenv("HTTPS_PROXY", f"http://proxy.contoso.com:{proxy.port}")
        lead(monkeypatch, proxy.port)
        outcome = run("doctor")
    finally:
        proxy.stop()
    made_up = [(f"proxy.contoso.com:{proxy.port}", "proxy.contoso.com:8080"), ("127.0.0.1", "10.0.0.8")]
    assert (outcome.status, levelled(outcome.said, *made_up)) == (1, levelled(pictures()[1].partition("\n")[2]))
