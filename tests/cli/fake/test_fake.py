"""`credconf fake`: what it serves, what it writes, and how it ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

import credconf
from credconf.cli.fake.signals import StopSignals
from credconf.testing import FakeEntra, make_certificate
from tests.cli.running import ROOT, run

SCOPE = "https://storage.azure.com/.default"
CANARY = "canary~of-a.secret_42"
TENANT, CLIENT = "contoso.onmicrosoft.com", "11111111-1111-1111-1111-111111111111"
FLAT = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: {{file: secrets/entra}}\n"
NAMED = f"""\
credentials:
  base: {{abstract: true, tenant_id: {TENANT}, cloud: usgov}}
  billing: {{extends: base, client_id: {CLIENT}, client_secret: {{env: BILLING_SECRET}}}}
  reports:
    extends: base
    client_id: {CLIENT}
    additionally_allowed_tenants: [fabrikam.onmicrosoft.com]
    client_secret: [{{file: new}}, {{file: old}}]
  cert:
    extends: base
    client_id: 22222222-2222-2222-2222-222222222222
    client_certificate: {{file: certs/app.pfx}}
    client_certificate_password: {{env: BILLING_SECRET}}
    additionally_allowed_tenants: ["*"]
  pod: {{extends: base, client_id: 33333333-3333-3333-3333-333333333333, client_assertion: {{file: pod/token}}}}
  deploy: {{extends: base, client_id: 44444444-4444-4444-4444-444444444444, client_assertion: {{github: {{}}}}}}
  worker: {{kind: managed_identity}}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The working directory; the directory for temporary files is another one."""
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("TMPDIR", str(temporary))
    yield here
    assert list(temporary.iterdir()) == []


class Running:
    """A `credconf fake` in a process of its own."""

    def __init__(self, *arguments):
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a child would inherit it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as nohup does
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "credconf", "fake", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
        )
        self.said = ""

    def until_ready(self):
        for line in self.process.stdout:
            self.said += line
            if line == "Ctrl-C ends it.\n":
                return self
        raise AssertionError(self.said + self.process.stderr.read())

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        said, self.errors = self.process.communicate()
        self.said += said
        return self.process.returncode


@contextmanager
def running(*arguments):
    fake = Running(*arguments)
    try:
        yield fake.until_ready()
    finally:
        if fake.process.poll() is None:
            fake.end()
    assert CANARY not in fake.said + fake.errors


def names(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


def token(*layers, **options):
    with credconf.from_config(list(layers), **options) as credential:
        return credential.get_token(SCOPE)


# What it serves


def test_without_a_configuration_it_makes_up_an_application(place):
    with running() as fake:
        assert names(place) == ["fake.pem", "fake.secret", "fake.yaml"]
        assert token("fake.yaml").token
        assert run("check", "fake.yaml").said == "ok: 1 file\n"
        assert "export CREDCONF_FILE=fake.yaml\n" in fake.said or os.name == "nt"
        assert fake.end() == 0
        assert fake.errors == f"200 application: {SCOPE}\n"
    assert names(place) == []


def test_the_ids_of_the_application_can_be_given(place):
    (place / "credconf.yaml").write_text("a file that is not read: [")
    with running("--tenant-id", TENANT, "--client-id", CLIENT):
        resolved = credconf.load("fake.yaml")
        assert (resolved.settings.tenant_id, resolved.settings.client_id) == (TENANT, CLIENT)
        assert token("fake.yaml").token
    assert names(place) == ["credconf.yaml"]


def test_a_secret_that_is_missing_is_made_and_removed(place):
    (place / "credconf.yaml").write_text(FLAT)
    with running() as fake:
        secret = place / "secrets" / "entra"
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600 or os.name == "nt"
        assert token("credconf.yaml", "fake.yaml").token
        assert secret.read_text().strip() not in fake.said
        assert f"wrote  {Path('secrets/entra')}\n" in fake.said
        assert f"CREDCONF_FILE=credconf.yaml{os.pathsep}fake.yaml" in fake.said.replace("'", "")
    assert names(place) == ["credconf.yaml"]


def test_a_secret_that_exists_is_the_one_that_is_accepted(place):
    (place / "credconf.yaml").write_text(FLAT)
    (place / "secrets").mkdir()
    (place / "secrets" / "entra").write_text(CANARY)
    with running():
        assert token("credconf.yaml", "fake.yaml").token
        with pytest.raises(credconf.AuthenticationError, match="AADSTS7000215"):
            token("credconf.yaml", "fake.yaml", client_secret="another")
    assert (place / "secrets" / "entra").read_text() == CANARY


def test_a_made_up_secret_that_has_changed_is_left(place):
    (place / "credconf.yaml").write_text(FLAT)
    with running() as fake:
        (place / "secrets" / "entra").write_text(CANARY)
        assert fake.end() == 0
    assert names(place) == ["credconf.yaml", "secrets", "secrets/entra"]


def test_every_entry_that_can_be_served_is(place, monkeypatch):
    monkeypatch.setenv("BILLING_SECRET", CANARY)
    (place / "credconf.yaml").write_text(NAMED)
    with running() as fake:
        for name in ("billing", "reports", "cert", "pod"):
            assert token("credconf.yaml", "fake.yaml", name=name).token
        for name, tenant in (("reports", "fabrikam.onmicrosoft.com"), ("cert", "any.example")):
            with credconf.from_config(["credconf.yaml", "fake.yaml"], name=name) as credential:
                assert credential.get_token(SCOPE, tenant_id=tenant).token
        assert "deploy   not served: the fake accepts no assertion" in fake.said
        assert "worker   not served: `kind: managed_identity`" in fake.said
        assert f"credconf token {SCOPE} -n billing\n" in fake.said
        assert "warning" not in fake.said
    assert names(place) == ["credconf.yaml"]


def test_an_entry_can_be_chosen(place):
    (place / "credconf.yaml").write_text(NAMED)
    with running("-n", "reports"):
        assert token("credconf.yaml", "fake.yaml", name="reports").token
        assert "billing" not in (place / "fake.yaml").read_text()
        assert names(place) == ["credconf.yaml", "fake.pem", "fake.yaml", "new", "old"]


def test_an_entry_with_errors_does_not_keep_the_others_from_being_served(place):
    (place / "credconf.yaml").write_text(NAMED)
    with running() as fake:
        assert (
            "billing  not served: it has errors: `client_secret`: the variable BILLING_SECRET is not set" in fake.said
        )
        assert token("credconf.yaml", "fake.yaml", name="pod").token


def test_a_certificate_that_exists_is_registered(place):
    make_certificate(place / "app.pem")
    fields = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_certificate: {{file: app.pem}}\n"
    (place / "credconf.yaml").write_text(fields)
    with running():
        assert token("credconf.yaml", "fake.yaml").token
    assert names(place) == ["app.pem", "credconf.yaml"]


def test_a_section_of_an_applications_own_file(place):
    inner = "".join(f"    {line}\n" for line in FLAT.splitlines())
    (place / "app.yaml").write_text(f"debug: true\nazure:\n  storage:\n{inner}")
    with running("-f", "app.yaml", "--section", "azure.storage") as fake:
        assert token("app.yaml", "fake.yaml", section="azure.storage").token
        assert f"credconf token {SCOPE} --section azure.storage\n" in fake.said


def test_a_configuration_of_the_environment(place, monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", CANARY)
    with running():
        assert token("fake.yaml").token
        assert names(place) == ["fake.pem", "fake.yaml"]


def test_a_program_that_prints_a_secret(place):
    command = [sys.executable, "-c", f"print({CANARY!r})"]
    (place / "credconf.yaml").write_text(FLAT.replace("{file: secrets/entra}", f"{{command: {command}}}"))
    with running("-f", "credconf.yaml", "--allow", "command"):
        assert token("credconf.yaml", "fake.yaml", allow={"command"}).token


def test_the_variable_that_names_the_files_may_name_the_layer_already(place, monkeypatch):
    (place / "credconf.yaml").write_text(FLAT)
    monkeypatch.setenv("CREDCONF_FILE", f"credconf.yaml{os.pathsep}fake.yaml")
    for _ in range(2):
        with running(), credconf.from_config() as credential:
            assert credential.get_token(SCOPE).token


def test_a_variable_that_wins_over_the_layer_is_a_warning(place, monkeypatch):
    (place / "credconf.yaml").write_text(FLAT)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us")
    with running() as fake:
        assert "$AZURE_AUTHORITY_HOST overrides `authority`" in " ".join(fake.said.split())


# The files of others


def test_a_file_of_another_author_is_never_changed(place):
    (place / "fake.yaml").write_text("mine\n")
    outcome = run("fake")
    assert outcome.status == 1
    assert outcome.said.startswith("error: fake.yaml exists, and `credconf fake` did not write it: choose another path")
    assert (place / "fake.yaml").read_text() == "mine\n"
    with running("--layer", "other.yaml"):
        assert token("other.yaml").token
    assert names(place) == ["fake.yaml"]


@pytest.mark.parametrize("name", ["fake.pem", "fake.secret"])
def test_nor_is_one_beside_the_layer(place, name):
    (place / name).write_text("mine\n")
    outcome = run("fake")
    assert outcome.status == 1
    assert f"{name} exists" in outcome.said
    assert names(place) == [name]


def test_a_symbolic_link_is_not_followed(place):
    (place / "fake.yaml").symlink_to(place / "elsewhere.yaml")
    assert run("fake").status == 1
    assert names(place) == ["fake.yaml"]


def test_a_second_one_does_not_take_the_layer_of_the_first(place):
    with running() as fake:
        layer = (place / "fake.yaml").read_text()
        outcome = run("fake")
        assert outcome.status == 1
        assert "fake.yaml belongs to a `credconf fake` that is running at https://127.0.0.1:" in outcome.said
        assert (place / "fake.yaml").read_text() == layer
        with running("--layer", "second.yaml"):
            assert token("second.yaml").token
        assert token("fake.yaml").token
        assert fake.end() == 0
    assert names(place) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_what_a_killed_one_left_is_replaced(place):
    with running() as fake:
        fake.end(signal.SIGKILL)
    assert names(place) == ["fake.pem", "fake.secret", "fake.yaml"]
    with running():
        assert token("fake.yaml").token
    assert names(place) == []


# How it can't start


def test_a_directory_that_can_not_be_written(place):
    (place / "file").write_text("")
    outcome = run("fake", "--layer", "file/fake.yaml")
    assert outcome.status == 1
    assert "can't be written" in outcome.said
    assert "choose another path with --layer" in outcome.said
    assert names(place) == ["file"]


def test_a_secret_that_can_not_be_written_leaves_nothing(place):
    (place / "file").write_text("")
    (place / "credconf.yaml").write_text(FLAT.replace("secrets/entra", "file/secret"))
    outcome = run("fake")
    assert outcome.status == 1
    assert names(place) == ["credconf.yaml", "file"]


def test_a_port_can_be_chosen_and_one_in_use_is_an_error(place):
    with FakeEntra() as other:
        port = other.port
        outcome = run("fake", "--port", port)
        assert outcome.status == 1
        assert f"error: port {port} of 127.0.0.1 can't be opened: it is in use" in outcome.said
        assert names(place) == []
    with running("--port", str(port)) as fake:
        assert f"A fake Entra listens at https://127.0.0.1:{port}," in fake.said


def test_a_broken_configuration(place):
    (place / "credconf.yaml").write_text(FLAT.replace("tenant_id", "tenat_id") + f"# {CANARY}\n")
    outcome = run("fake", canary=CANARY)
    assert outcome.status == 1
    assert "error[unknown-key]: `tenat_id` is not a setting" in outcome.said
    assert names(place) == ["credconf.yaml"]


def test_a_path_that_is_a_pasted_secret_is_not_written(place):
    pasted = "Ab8Q~" + "x" * 35
    (place / "credconf.yaml").write_text(FLAT.replace("secrets/entra", pasted))
    outcome = run("fake", canary=pasted)
    assert outcome.status == 1
    assert names(place) == ["credconf.yaml"]


def test_nothing_that_it_could_serve(place):
    (place / "credconf.yaml").write_text("kind: managed_identity\n")
    outcome = run("fake")
    assert outcome.status == 1
    assert "`credconf fake` can't serve application: `kind: managed_identity` requests no token" in outcome.said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "0"], "--port"),
        (["--port", "65536"], "--port"),
        (["--layer", "fake.txt"], "--layer is the path of a YAML file"),
        (["-f", "x.yaml", "--client-id", CLIENT], "leave out -f and -n"),
        (["-n", "x", "--tenant-id", TENANT], "leave out -f and -n"),
    ],
)
def test_a_wrong_call(place, arguments, message):
    outcome = run("fake", *arguments)
    assert outcome.status == 2
    assert message in outcome.said
    assert names(place) == []


def test_an_id_that_is_none(place):
    outcome = run("fake", "--tenant-id", "../evil")
    assert outcome.status == 1
    assert "`tenant_id`: a tenant is a GUID or a domain name" in outcome.said
    assert names(place) == []


# How it ends

ENDS = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.parametrize("name", ENDS)
def test_it_ends_cleanly(place, name):
    with running() as fake:
        assert fake.end(getattr(signal, name)) == 0
        assert fake.said.endswith("stopped\n")
        assert fake.errors == ""
    assert names(place) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a named pipe holds the start up")
def test_a_signal_while_it_starts_leaves_nothing_either(place):
    started, pipe = place / "started", place / "pipe"
    os.mkfifo(pipe)
    script = f"touch {started}; cat {pipe}"
    (place / "credconf.yaml").write_text(FLAT.replace("{file: secrets/entra}", f'{{command: [sh, -c, "{script}"]}}'))
    fake = Running("-f", "credconf.yaml", "--allow", "command")
    while not started.exists():
        assert fake.process.poll() is None
    fake.process.send_signal(signal.SIGTERM)
    pipe.write_text(CANARY)  # for the start
    while fake.process.poll() is None:
        descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)  # and for the token that it tries
        os.write(descriptor, b"x\n")
        os.close(descriptor)
    assert fake.end() == 0
    assert names(place) == ["credconf.yaml", "pipe", "started"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_reader_that_has_gone_ends_it(place):
    fake = Running()
    fake.process.stdout.close()
    errors = fake.process.stderr.read()
    fake.process.stderr.close()
    assert (fake.process.wait(), errors) == (141, "")
    assert names(place) == []


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGUSR1")
def test_signals_are_heeded_before_the_wait_and_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        signals.wait()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
def test_a_signal_that_the_parent_process_ignores_is_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
