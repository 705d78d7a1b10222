"""The pages about programs that are not ours, beside these programs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

import credconf
from tests.docs.pages import PAGES, Page
from tests.examples.running import EXAMPLES, Place
from tests.integration.conftest import ENVIRON
from tests.integration.server import Server
from tests.redis_server import NO_SERVER, RedisServer, executable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from credconf.testing import FakeEntra
    from tests.integration.azurite import Azurite
    from tests.integration.certificates import Certificates

CONTENT = "from a worker"
STORAGE = """
from django.conf import settings

settings.configure()
from whoami.storage import Uploads

uploads = Uploads(account_name="example", azure_container="uploads")
print(uploads.token_credential is not None, uploads.client.credential.describe()["client_id"])
"""


def page(name: str) -> Page:
    return next(page for page in PAGES if str(page) == f"how-to/{name}")


def test_the_tests_of_the_page_about_azure_functions_pass(tmp_path: Path) -> None:
    page("azure-functions").lay_out(tmp_path)
    ran = Place(tmp_path).run("-m", "pytest", "-q", "-p", "no:cacheprovider", environ={})
    assert ran.code == 0, ran.text
    assert "1 passed" in ran.out


def test_django_storages_takes_the_credential_of_the_page(tmp_path: Path, fake_entra: FakeEntra) -> None:
    shutil.copytree(EXAMPLES / "django_app/whoami", tmp_path / "whoami")
    page("django").lay_out(tmp_path)
    ran = Place(tmp_path).run("-c", STORAGE, environ=fake_entra.environ())
    assert ran.out.split() == ["True", fake_entra.client_id], ran.text


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if executable() is None:
        pytest.skip(NO_SERVER)
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_celery_worker_uploads_as_on_the_page(
    pool: str,
    broker: RedisServer,
    azurite: Azurite,
    certificates: Certificates,
    fake_entra: FakeEntra,
    tmp_path: Path,
    container: str,
) -> None:
    bundle = str(certificates.authority)
    account = f"{azurite.account_url}/{container}"
    page("celery").lay_out(tmp_path)
    environ = {**ENVIRON, **fake_entra.environ(), "BROKER_URL": broker.url, "REQUESTS_CA_BUNDLE": bundle}
    with (
        credconf.build(fake_entra.config()) as credential,
        ContainerClient.from_container_url(account, credential=credential, connection_verify=bundle) as blobs,
    ):
        blobs.create_container()
        fake_entra.forget_requests()
        command = [sys.executable, "-m", "celery", "--app", "tasks", "worker", "--pool", pool, "--concurrency", "2"]
        log = (tmp_path / "worker.log").open("w+", encoding="utf-8")
        with log, subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=log, stdout=log, text=True) as worker:
            try:
                _send(broker, [(f"{account}/{number}", CONTENT) for number in range(4)])
                found = _content_of(blobs, ["0", "1", "2", "3"], worker)
            finally:
                worker.terminate()
                worker.wait(timeout=60)
                log.seek(0)
                said = log.read()
    assert found == [CONTENT] * 4, said
    assert 1 <= fake_entra.count() <= 2  # one for each process that ran a task
    assert fake_entra.client_secret not in said


def _send(broker: RedisServer, arguments: list[tuple[str, str]]) -> None:
    from celery import Celery

    with Celery("tasks", broker=broker.url) as client:
        for each in arguments:
            client.send_task("tasks.upload", each)


def _content_of(blobs: Any, names: list[str], worker: subprocess.Popen[str]) -> list[str]:
    latest = time.monotonic() + 60
    found: dict[str, str] = {}
    while len(found) < len(names) and time.monotonic() < latest and worker.poll() is None:
        for name in set(names) - set(found):
            try:
                found[name] = blobs.download_blob(name).readall().decode()
            except ResourceNotFoundError:
                time.sleep(0.1)
    return list(found.values())


def test_a_shared_task_makes_the_credential_of_its_entry(tmp_path: Path, fake_entra: FakeEntra) -> None:
    page("celery").lay_out(tmp_path)
    (tmp_path / "credconf.yaml").write_text("credentials: {billing: {}}\n", encoding="utf-8")
    ran = Place(tmp_path).run(
        "-c", "import reports; print(reports.report('billing'))", environ=fake_entra.environ("billing")
    )
    assert ran.out.startswith("billing: valid until 1"), ran.text


def test_azurite_accepts_the_token_of_the_page(
    node_packages: Path, fake_entra: FakeEntra, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on PATH")
    page("azurite").lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    certify, serve = page("azurite").blocks("sh")[0].text.replace("\\\n", " ").splitlines()
    subprocess.run([openssl, *shlex.split(certify)[1:]], capture_output=True, check=True)
    npx, program, *flags = shlex.split(serve)
    assert npx == "npx"
    argv = [str(node_packages / ".bin" / program), *flags, "--blobPort", "0"]
    announces = r"Blob service successfully listens on (https://\S+)"
    with Server("Azurite", argv, announces=announces, log=tmp_path / "azurite.log", environ=ENVIRON) as azurite:
        environ = {**fake_entra.environ(), "ACCOUNT_URL": f"{azurite.url}/devstoreaccount1"}
        ran = Place(tmp_path).run("app.py", environ=environ)
    assert ran.out == "Hello\n", ran.text


def test_compose_accepts_the_file_of_the_page(tmp_path: Path) -> None:
    page("docker").lay_out(tmp_path)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_systemd_accepts_the_unit_of_the_page(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on PATH")
    page("systemd").lay_out(tmp_path)
    unit = tmp_path / "billing.service"
    text = unit.read_text(encoding="utf-8").replace("/opt/billing/venv/bin/python", sys.executable)
    check = next(line for line in page("systemd").text.splitlines() if line.startswith("ExecStartPre="))
    check = check.replace("/opt/billing/venv/bin/credconf", f"{sys.executable} -m credconf")
    unit.write_text(text.replace("[Install]", f"{check}\n\n[Install]"), encoding="utf-8")
    done = subprocess.run([program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
