"""Start and stop, and the configuration that points an application to a fake."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
import types
from pathlib import Path

import pytest
import requests

import credconf
import credconf.testing
from credconf.testing import FakeEntra


@pytest.fixture
def emptied(monkeypatch):
    """How often shared engines were emptied; a stand-in for the engine, which is not what is tested here."""
    calls = []
    engine = types.ModuleType("credconf.sharing")
    engine.forget_shared_engines = lambda: calls.append("emptied")
    monkeypatch.setitem(sys.modules, "credconf.sharing", engine)
    return calls


def test_a_fake_opens_nothing_before_it_is_started():
    entra = FakeEntra()
    assert "not started" in repr(entra)
    for name in ("authority", "host", "port", "ca_bundle"):
        with pytest.raises(RuntimeError, match="start"):
            getattr(entra, name)
    entra.recovers()
    entra.stop()


def test_start_and_stop_can_be_repeated():
    entra = FakeEntra()
    assert entra.start() is entra
    port = entra.port
    assert entra.start().port == port
    bundle = Path(entra.ca_bundle)
    assert bundle.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in bundle.read_text()
    entra.stop()
    entra.stop()
    assert not bundle.exists()
    with entra:
        assert Path(entra.ca_bundle).exists()


def test_a_stopped_fake_leaves_no_thread_behind():
    before = set(threading.enumerate())
    with FakeEntra() as entra, requests.Session() as session:
        session.trust_env = False
        session.get(entra.authority, verify=entra.ca_bundle, timeout=20)
    assert {thread for thread in threading.enumerate() if thread.name == "fake-entra"} <= before


def test_two_fakes_are_two_directories_that_one_bundle_verifies():
    with FakeEntra() as one, FakeEntra() as other:
        assert one.port != other.port
        assert (one.tenant_id, one.client_id) != (other.tenant_id, other.client_id)
        assert Path(one.ca_bundle).read_bytes() == Path(other.ca_bundle).read_bytes()


def test_a_configuration_is_a_mapping_that_can_be_changed(entra):
    assert entra.config() == {
        "tenant_id": entra.tenant_id,
        "client_id": entra.client_id,
        "client_secret": entra.client_secret,
        "authority": entra.authority,
        "disable_instance_discovery": True,
        "http": {"ca_bundle": entra.ca_bundle},
    }
    changed = entra.config(client_secret=None, tenant_id="t", http={"timeout": 2})
    assert "client_secret" not in changed
    assert changed["tenant_id"] == "t"
    assert changed["http"] == {"ca_bundle": entra.ca_bundle, "timeout": 2}


def test_the_environment_of_the_flat_form(entra):
    assert entra.environ() == {
        "AZURE_TENANT_ID": entra.tenant_id,
        "AZURE_CLIENT_ID": entra.client_id,
        "AZURE_CLIENT_SECRET": entra.client_secret,
        "AZURE_AUTHORITY_HOST": entra.authority,
        "CREDCONF_DISABLE_INSTANCE_DISCOVERY": "true",
        "CREDCONF_HTTP__CA_BUNDLE": entra.ca_bundle,
        "REQUESTS_CA_BUNDLE": entra.ca_bundle,
        "SSL_CERT_FILE": entra.ca_bundle,
    }


@pytest.mark.parametrize(("name", "part"), [("billing", "BILLING"), ("my-app", "MY_APP")])
def test_the_environment_of_a_named_entry(entra, name, part):
    assert entra.environ(name) == {
        f"CREDCONF__{part}__TENANT_ID": entra.tenant_id,
        f"CREDCONF__{part}__CLIENT_ID": entra.client_id,
        f"CREDCONF__{part}__CLIENT_SECRET": entra.client_secret,
        f"CREDCONF__{part}__AUTHORITY": entra.authority,
        f"CREDCONF__{part}__DISABLE_INSTANCE_DISCOVERY": "true",
        f"CREDCONF__{part}__HTTP__CA_BUNDLE": entra.ca_bundle,
        "REQUESTS_CA_BUNDLE": entra.ca_bundle,
        "SSL_CERT_FILE": entra.ca_bundle,
    }


def test_the_environment_can_leave_the_identity_to_the_application(entra):
    assert not [name for name in entra.environ(identity=False) if name.endswith(("_ID", "_SECRET"))]
    assert entra.environ(identity=False).items() < entra.environ().items()


def test_applying_sets_the_variables_and_removes_what_would_disturb(entra, emptied, monkeypatch):
    for name in ("AZURE_CLOUD", "CREDCONF_CLOUD", "CREDCONF_FILE", "https_proxy", "ALL_PROXY", "UNRELATED"):
        monkeypatch.setenv(name, "before")
    with pytest.MonkeyPatch.context() as patch:
        entra.apply(patch)
        assert entra.environ().items() <= os.environ.items()
        assert not {"AZURE_CLOUD", "CREDCONF_CLOUD", "https_proxy", "ALL_PROXY"} & os.environ.keys()
        assert os.environ["CREDCONF_FILE"] == "before"  # it chooses the application's own file
        assert os.environ["UNRELATED"] == "before"
        assert emptied == ["emptied"]
        entra.apply(patch, name="my-app")
        assert os.environ["CREDCONF__MY_APP__CLIENT_ID"] == entra.client_id
        assert "AZURE_CLIENT_ID" not in os.environ
    assert os.environ["AZURE_CLOUD"] == "before"
    assert "CREDCONF__MY_APP__CLIENT_ID" not in os.environ


def test_an_application_finds_the_fake_that_was_applied_last(monkeypatch):
    for _ in range(2):
        with FakeEntra() as entra:
            entra.apply(monkeypatch)
            with credconf.from_config(path=False, env_file=False) as credential:
                assert credential.get_token("https://storage.azure.com/.default").token
            assert entra.count() == 1


def test_the_public_names_are_held_together():
    for name in credconf.testing.__all__:
        assert getattr(credconf.testing, name).__name__ == name
    assert set(credconf.testing.__all__) == set(credconf.testing._HOME) <= set(dir(credconf.testing))
    with pytest.raises(AttributeError, match="nothing"):
        _ = credconf.testing.nothing


def test_the_plugin_imports_nothing_heavy():
    program = (
        "import pytest, sys; before = set(sys.modules); import credconf.testing.plugin\n"
        "print(*sorted(name for name in set(sys.modules) - before if not name.startswith('credconf')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_plugin_gives_a_running_fake_and_a_ready_environment(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "import sys, types\n"
        "engine = types.ModuleType('credconf.sharing'); engine.calls = []\n"
        "engine.forget_shared_engines = lambda: engine.calls.append(1); engine.forget_pauses = lambda: None\n"
        "sys.modules['credconf.sharing'] = engine\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import os, sys, requests\n"
        "def test_running(fake_entra):\n"
        "    assert requests.get(fake_entra.authority, verify=fake_entra.ca_bundle, timeout=20).status_code == 404\n"
        "    assert 'AZURE_CLIENT_ID' not in os.environ\n"
        "def test_ready(credconf_environment, fake_entra):\n"
        "    assert credconf_environment is fake_entra\n"
        "    assert os.environ['AZURE_CLIENT_ID'] == fake_entra.client_id\n"
        "    assert requests.get(fake_entra.authority, timeout=20).status_code == 404\n"
        "def test_emptied_before_and_after():\n"
        "    assert sys.modules['credconf.sharing'].calls == [1, 1]\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    if not _plugin_is_installed():
        command += ["-p", "credconf.testing.plugin"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "PYTEST_", "COV_"))}
    root = Path(credconf.testing.__file__).parents[2]
    done = subprocess.run(
        [*command, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": str(root)},
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def _plugin_is_installed() -> bool:
    from importlib.metadata import entry_points

    return any(entry.value == "credconf.testing.plugin" for entry in entry_points(group="pytest11"))


@pytest.fixture
def free_port():
    with FakeEntra() as entra:
        return entra.port


def test_a_port_can_be_chosen_and_is_kept(free_port):
    entra = FakeEntra(port=free_port)
    for _ in range(2):
        with entra, credconf.build(entra.config()) as credential:
            assert entra.authority == f"https://127.0.0.1:{free_port}"
            assert credential.get_token("https://storage.azure.com/.default").token


def test_a_port_in_use_is_an_error_that_says_so_and_what_to_do(free_port):
    with FakeEntra(port=free_port), pytest.raises(OSError, match=r"in use: stop .* or leave the port out") as caught:
        FakeEntra(port=free_port).start()
    assert caught.value.errno == errno.EADDRINUSE
    assert f"port {free_port} of 127.0.0.1" in str(caught.value)


def test_the_port_of_a_fake_that_is_down_is_still_its_own(free_port):
    with FakeEntra(port=free_port) as entra:
        entra.goes_down()
        with pytest.raises(OSError, match="in use"):
            FakeEntra(port=free_port).start()
        entra.comes_back()
        with credconf.build(entra.config()) as credential:
            assert credential.get_token("https://storage.azure.com/.default").token


def test_a_failed_start_leaves_nothing_behind_and_can_be_repeated(free_port, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    second = FakeEntra(port=free_port)
    with FakeEntra(port=free_port), pytest.raises(OSError, match="in use"):
        second.start()
    assert "not started" in repr(second)
    assert list(tmp_path.iterdir()) == []
    with second:
        assert second.port == free_port


@pytest.mark.parametrize("port", [0, -1, 65_536, 10**9])
def test_a_number_that_is_no_port_is_refused(port):
    with pytest.raises(ValueError, match="1 to 65535"):
        FakeEntra(port=port)


def test_a_fake_writes_no_file_until_one_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with FakeEntra() as entra:
        assert list(tmp_path.iterdir()) == []
        assert Path(entra.ca_bundle).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []
