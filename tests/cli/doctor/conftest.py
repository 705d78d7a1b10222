"""What the doctor is shown: an Entra, servers with other certificates, proxies, clouds."""

from __future__ import annotations

import pytest
import trustme

from tests.cli.doctor.proxies import Redirecting
from tests.cli.doctor.reports import use
from tests.entra.servers import Server


@pytest.fixture
def entra(fake_entra, monkeypatch, project):
    use(fake_entra, monkeypatch)
    return fake_entra


@pytest.fixture
def ca(tmp_path, monkeypatch):
    """An authority that the application trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
    return authority


@pytest.fixture
def serve(entra, ca, monkeypatch, tmp_path):
    """A server with a certificate of that authority, in the place of Entra."""
    servers = []

    def serve(certificate):
        server = Server(ca, certificate=certificate)
        servers.append(server)
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"localhost:{server.port}")
        monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", str(tmp_path / "trusted.pem"))
        return server

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture
def through(entra, monkeypatch):
    """A proxy in front of Entra, in HTTPS_PROXY."""
    proxies = []

    def through(proxy=None, user=""):
        proxies.append(proxy or Redirecting(entra.port))
        monkeypatch.setenv("HTTPS_PROXY", f"http://{user}127.0.0.1:{proxies[-1].port}")
        return proxies[-1]

    yield through
    for proxy in proxies:
        proxy.stop()


@pytest.fixture
def cloud(entra, through, monkeypatch):
    """A cloud's own host, which leads to the fake."""
    monkeypatch.delenv("AZURE_AUTHORITY_HOST")
    entra.known_hosts.update({"login.microsoftonline.us", "login.chinacloudapi.cn", "login.microsoftonline.com"})

    def cloud(name):
        monkeypatch.setenv("CREDCONF_CLOUD", name)
        return through()

    return cloud
