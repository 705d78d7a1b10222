"""The pages about gunicorn, Docker and systemd: their files and commands run as far as that works without these."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from tests.docs.pages import DOCS, Page
from tests.examples.running import CLIENT, TENANT, Place

GUNICORN = Page(DOCS / "how-to/flask.md")
DOCKER = Page(DOCS / "how-to/docker.md")
SYSTEMD = Page(DOCS / "how-to/systemd.md")


@pytest.fixture
def laid_out(fake_entra, tmp_path):
    """Writes the files of a page, and the secret of the application that it names, which the fake Entra knows."""

    def place(page):
        page.lay_out(tmp_path)
        registered = fake_entra.register(CLIENT, tenants=[TENANT])
        made = Place(tmp_path)
        made.put_secret("secrets/entra", registered.client_secret)
        return made

    return place


@pytest.mark.skipif(importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not installed")
@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["loaded by each worker", "loaded before the fork"])
def test_each_worker_of_gunicorn_requests_its_own_token(fake_entra, tmp_path, options):
    GUNICORN.lay_out(tmp_path)
    answering = threading.Event()
    fake_entra.hangs(answering, times=2)
    with socket.create_server(("127.0.0.1", 0), backlog=8) as server, ThreadPoolExecutor(2) as clients:
        # One thread per worker: two requests at once need both workers.
        words = [*shlex.split(gunicorn_line()), "--threads", "1", "--bind", f"fd://{server.fileno()}", *options]
        with subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env={**inherited(), **fake_entra.environ()},
            pass_fds=(server.fileno(),),
            stderr=subprocess.PIPE,
            text=True,
        ) as gunicorn:
            try:
                asked = [clients.submit(answer_of, server.getsockname()) for _ in range(2)]
                wait_until(lambda: fake_entra.count() == 2)
                answering.set()
                answers = [future.result() for future in asked]
                gunicorn.terminate()
                said = gunicorn.communicate(timeout=60)[1]
            finally:
                gunicorn.kill()
    assert [answer["client_id"] for answer in answers] == [fake_entra.client_id] * 2, said
    assert fake_entra.count() == 2
    assert fake_entra.client_secret not in said


def wait_until(condition):
    latest = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < latest
        time.sleep(0.02)


def gunicorn_line():
    lines = [line for block in GUNICORN.blocks("sh") for line in block.text.splitlines()]
    return next(line for line in lines if line.startswith("gunicorn"))


def inherited():
    foreign = ("AZURE_", "CREDCONF_", "PYTEST_", "COV_", "GUNICORN_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def answer_of(address):
    connection = http.client.HTTPConnection(*address, timeout=60)
    try:
        connection.request("GET", "/whoami")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def test_the_variables_of_the_compose_file_lead_to_a_token(laid_out, fake_entra):
    place = laid_out(DOCKER)
    compose = yaml.safe_load((place.directory / "compose.yaml").read_text(encoding="utf-8"))
    assert compose["services"]["app"]["secrets"] == list(compose["secrets"])
    mounted = {f"/run/secrets/{name}": secret["file"] for name, secret in compose["secrets"].items()}
    given = {name: mounted.get(value, value) for name, value in compose["services"]["app"]["environment"].items()}
    assert set(mounted.values()) <= set(given.values())
    ran = place.run("app.py", environ={**fake_entra.environ(identity=False), **given})
    assert ran.code == 0, ran.text
    assert fake_entra.count() == 1


def test_the_variables_of_the_unit_lead_to_a_token(laid_out, fake_entra):
    place = laid_out(SYSTEMD)
    unit = next(block.text for block in SYSTEMD.blocks("ini") if block.title)
    given = dict(re.findall(r"^Environment=(\w+)=(\S+)$", unit, re.MULTILINE))
    copies = dict(re.findall(r"^LoadCredential=(\w+):(\S+)$", unit, re.MULTILINE))
    assert copies == {"entra": "/etc/billing/entra"}
    given = {name: value.replace("%d", "secrets") for name, value in given.items()}
    environ = {**fake_entra.environ(identity=False), **given}
    program = "import credconf; credconf.from_config().get_token('https://storage.azure.com/.default')"
    ran = place.run("-c", program, environ=environ)
    assert ran.code == 0, ran.text
    check = next(line for line in SYSTEMD.text.splitlines() if line.startswith("ExecStartPre="))
    assert place.run("-m", "credconf", *check.split()[1:], environ=environ).code == 0


def test_the_file_of_variables_holds_all_that_is_needed(laid_out, fake_entra):
    place = laid_out(SYSTEMD)
    text = next(block.text for block in SYSTEMD.blocks("sh") if block.title == "environment")
    given = dict(line.split("=", 1) for line in text.splitlines())
    given["AZURE_CLIENT_SECRET_FILE"] = given["AZURE_CLIENT_SECRET_FILE"].replace("/etc/billing", "secrets")
    ran = place.run("-m", "credconf", "check", "--resolve", environ={**fake_entra.environ(identity=False), **given})
    assert ran.code == 0, ran.text
