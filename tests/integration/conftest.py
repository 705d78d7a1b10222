"""The real counterparts, each started once for a run, on 127.0.0.1 alone."""

from __future__ import annotations

import itertools
import os
import shutil
from typing import TYPE_CHECKING

import certifi
import pytest

from tests.integration.azurite import Azurite
from tests.integration.certificates import Certificates
from tests.integration.editor import Editor
from tests.integration.language_server import LanguageServer
from tests.integration.oauth import OAuthServer, django_oauth_toolkit, node_oidc_provider
from tests.integration.server import Server

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from credconf.testing import FakeEntra

ENVIRON = dict(os.environ)  # before a test changes it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Quote the servers' logs below a failure."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        values = [value.server if isinstance(value, Editor) else value for value in item.funcargs.values()]
        servers = [value for value in values if isinstance(value, Server | LanguageServer)]
        report.sections += [(f"log of {server.name}", server.log()) for server in servers]
    return report


@pytest.fixture(autouse=True)
def _nothing_but_the_test_configures_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the caller's variables and files, except a CA bundle that trusts none of our servers."""
    for name in ENVIRON:
        if name.upper().startswith(("AZURE_", "CREDCONF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def entra() -> Iterator[FakeEntra]:
    from credconf.testing import FakeEntra

    with FakeEntra() as entra:
        yield entra


def yaml_settings(**more: object) -> dict[str, object]:
    """The settings of VS Code's YAML extension, but that nothing is fetched from the public catalogue."""
    own = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
    return {"yaml": {**own, **more}}


_numbers = itertools.count(1)


@pytest.fixture
def container() -> str:
    """A name that no other test of this run gives to a container."""
    return f"container-{next(_numbers)}"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.made_in(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not on PATH")
    return found


@pytest.fixture(scope="session")
def node_packages(pytestconfig: pytest.Config, node: str) -> Path:
    """The `node_modules` that `make integration` installed."""
    tools = pytestconfig.rootpath / ".tools"
    if not (tools / "installed").exists():
        log = tools / "install.log"
        reason = log.read_text(encoding="utf-8").strip().splitlines()[-1:] if log.exists() else []
        pytest.skip(f"no npm packages in .tools: {' '.join(reason) or 'run `make integration`'}")
    return tools / "node_modules"


@pytest.fixture(scope="session")
def azurite(
    node: str, node_packages: Path, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Azurite]:
    with Azurite(node, node_packages, certificates, tmp_path_factory.mktemp("azurite"), ENVIRON) as server:
        yield server


@pytest.fixture(scope="session")
def language_server_argv(node: str, node_packages: Path) -> list[str]:
    return [node, str(node_packages / "yaml-language-server/bin/yaml-language-server"), "--stdio"]


@pytest.fixture(scope="session")
def editor(language_server_argv: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """An editor that knows nothing of the schema but by a modeline."""
    directory = tmp_path_factory.mktemp("editor")
    log = directory / "yaml-language-server.log"
    with LanguageServer(language_server_argv, yaml_settings(), log=log, environ=ENVIRON) as server:
        yield Editor(server, directory)


@pytest.fixture(scope="session", params=["django-oauth-toolkit", "node-oidc-provider"])
def oauth_server(
    request: pytest.FixtureRequest, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OAuthServer]:
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == "django-oauth-toolkit":
        server = django_oauth_toolkit(certificates, directory, ENVIRON)
    else:
        node, packages = request.getfixturevalue("node"), request.getfixturevalue("node_packages")
        server = node_oidc_provider(node, packages, certificates, directory, ENVIRON)
    with server:
        yield server
