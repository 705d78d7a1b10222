"""What every test starts from: an environment that says nothing about credentials, proxies or certificates."""

from __future__ import annotations

import os
import sys

import pytest

from tests.diagonal import pytest_addoption, pytest_collection_modifyitems, pytest_configure

__all__ = ["pytest_addoption", "pytest_collection_modifyitems", "pytest_configure"]

try:
    from hypothesis import HealthCheck, settings
except ImportError:
    pass  # a part of the tests runs without it, against the wheel and what it depends on
else:
    # No test measures time, and a busy machine is no fault of the data. In continuous integration the examples are
    # the same each time, so that no change is judged by what another would have met, too; elsewhere they are new.
    settings.register_profile(
        "credconf",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
        derandomize=bool(os.environ.get("CI")),
    )
    settings.load_profile("credconf")

_OTHERS = {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "REGION_NAME", "MSAL_FORCE_REGION"}
_OTHERS |= {"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT"}


@pytest.fixture(autouse=True)
def _silent_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("AZURE_", "CREDCONF_")) or name.lower().endswith("_proxy") or name in _OTHERS:
            monkeypatch.delenv(name)
    _forget_shared_engines()
    yield
    _forget_shared_engines()


def _forget_shared_engines():
    sharing = sys.modules.get("credconf.sharing")  # not imported for its own sake: some tests are about imports
    if sharing is not None:
        sharing.forget_shared_engines()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    from tests.redis_server import NO_SERVER, RedisServer, executable

    if executable() is None:
        pytest.skip(NO_SERVER)
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server):
    """Of a real Redis that holds nothing."""
    with redis_server.client() as client:
        client.flushall()
    return redis_server.url
