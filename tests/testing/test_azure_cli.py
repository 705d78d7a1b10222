"""The fake program `az`, run as a program."""

from __future__ import annotations

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import jwt
import pytest
from azure.identity import AzureCliCredential

from credconf.testing import FakeAzureCli
from credconf.testing.platforms import az_script

VAULT = "https://vault.azure.net"


@pytest.fixture
def az():
    with FakeAzureCli() as az:
        yield az


def run(az, *more, arguments=("account", "get-access-token", "--output", "json", "--resource", VAULT), **options):
    settings = {"stdin": subprocess.DEVNULL, "env": {**os.environ, **az.environ()}, "timeout": 60, **options}
    return subprocess.run(["az", *arguments, *more], capture_output=True, text=True, check=False, **settings)


def test_a_token_is_for_the_user_and_the_resource(az):
    done = run(az)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer.keys() == {"accessToken", "expiresOn", "expires_on", "subscription", "tenant", "tokenType"}
    assert (answer["tenant"], answer["subscription"]) == (az.tenant_id, az.subscription_id)
    assert datetime.fromisoformat(answer["expiresOn"]).timestamp() == answer["expires_on"]
    claims = jwt.decode(answer["accessToken"], options={"verify_signature": False})
    assert (claims["aud"], claims["tid"], claims["exp"]) == (VAULT, az.tenant_id, answer["expires_on"])
    assert 3500 < answer["expires_on"] - time.time() <= 3600


def test_another_tenant_and_the_subscription_can_be_chosen(az):
    assert json.loads(run(az, "--tenant", "contoso").stdout)["tenant"] == "contoso"
    assert run(az, "--subscription", az.subscription_id.upper()).returncode == 0
    missing = run(az, "--subscription", "other")
    assert (missing.returncode, "not found" in missing.stderr) == (1, True)
    both = run(az, "--subscription", az.subscription_id, "--tenant", "contoso")
    assert (both.returncode, "not both" in both.stderr) == (1, True)


@pytest.mark.parametrize("arguments", [(), ("login",), ("account", "get-access-token", "--claims", "x"), ("account",)])
def test_other_commands_are_refused(az, arguments):
    assert run(az, arguments=arguments).returncode == 2


def test_a_call_is_recorded(az, tmp_path):
    run(az, cwd="/", env={**os.environ, **az.environ(), "AZURE_CORE_NO_COLOR": "true"})
    run(az, arguments=["version"], cwd=tmp_path, stdin=subprocess.PIPE)
    one, other = az.calls
    assert one.arguments == ("account", "get-access-token", "--output", "json", "--resource", VAULT)
    assert (one.cwd, one.stdin_closed, one.environ["AZURE_CORE_NO_COLOR"]) == ("/", True, "true")
    assert (other.arguments, other.cwd, other.stdin_closed) == (("version",), str(tmp_path), False)
    assert "AZURE_CORE_NO_COLOR" not in repr(one)
    az.forget_calls()
    assert (az.calls, az.count()) == ([], 0)


def test_an_old_version_tells_only_the_local_time(az):
    az.tokens(60, epoch=False)
    answer = json.loads(run(az).stdout)
    assert "expires_on" not in answer
    assert 0 < datetime.fromisoformat(answer["expiresOn"]).timestamp() - time.time() <= 60


def test_it_fails_in_every_way(az):
    az.is_signed_out(times=1)
    az.misses_subscription(times=1)
    az.refuses(50079, times=1)
    az.answers("<html>", times=1)
    az.is_missing(times=1)
    done = [run(az) for _ in range(6)]
    assert [each.returncode for each in done] == [1, 1, 1, 0, 127, 0]
    assert "Please run 'az login' to setup account." in done[0].stderr
    assert "az account set" in done[1].stderr
    assert "AADSTS50079" in done[2].stderr
    assert done[3].stdout == "<html>"
    assert json.loads(done[5].stdout)
    assert az.count() == 6


def test_a_fault_without_a_number_lasts_until_it_recovers(az):
    az.is_signed_out()
    az.is_missing(times=1)
    assert [run(az).returncode for _ in range(3)] == [127, 1, 1]
    az.is_missing(times=2)
    az.recovers()
    assert run(az).returncode == 0
    with pytest.raises(ValueError, match="times"):
        az.is_missing(times=0)


def test_a_slow_program_is_recorded_before_it_answers(az):
    az.is_slow(600, times=1)
    az.is_slow(0.01, times=1)
    with subprocess.Popen([str(az.executable)], stderr=subprocess.DEVNULL) as waiting:
        while not az.count():
            assert waiting.poll() is None
        waiting.kill()
    assert az.count() == 1
    assert run(az).returncode == 0


def test_calls_at_once_are_recorded_and_each_takes_one_fault(az):
    az.is_missing(times=3)
    with ThreadPoolExecutor(8) as pool:
        codes = [done.returncode for done in pool.map(lambda _: run(az), range(8))]
    assert sorted(codes) == [0] * 5 + [127] * 3
    assert az.count() == 8


def test_azure_identity_gets_a_token(az, monkeypatch):
    az.apply(monkeypatch)
    assert AzureCliCredential(tenant_id=az.tenant_id, process_timeout=60).get_token(f"{VAULT}/.default").token
    (call,) = az.calls
    assert call.arguments[-2:] == ("--tenant", az.tenant_id)
    assert (call.cwd, call.stdin_closed) == (os.path.realpath("/bin"), True)


def test_start_and_stop_can_be_repeated():
    az = FakeAzureCli(tenant_id="t", subscription_id="s")
    az.tokens(60)
    assert "not started" in repr(az)
    with pytest.raises(RuntimeError, match="start"):
        az.environ()
    az.stop()
    assert az.start() is az
    folder = az.folder
    assert az.start().folder == folder
    assert json.loads(run(az).stdout)["tenant"] == "t"
    az.stop()
    assert not folder.exists()


def test_a_path_with_spaces_and_no_other_path(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "a b"))
    (tmp_path / "a b").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("PATH")
    with FakeAzureCli() as az:
        assert " " in str(az.folder)
        assert az.environ() == {"PATH": str(az.folder)}
        assert subprocess.run([str(az.executable)], capture_output=True, check=False).returncode == 2


def test_the_program_works_in_any_process(az, monkeypatch, capsys):
    monkeypatch.setattr(az_script, "HOME", az.folder.parent)
    command = ["account", "get-access-token", "--resource", VAULT]
    az.is_slow(0, times=1)
    assert az_script.main([*command, "--tenant", "t"]) == 0
    assert json.loads(capsys.readouterr().out)["tenant"] == "t"
    az.tokens(60, epoch=False)
    az.is_signed_out()
    assert az_script.main(command) == 1
    assert "az login" in capsys.readouterr().err
    az.recovers()
    assert az_script.main(command) == 0
    assert "expires_on" not in json.loads(capsys.readouterr().out)
    assert az_script.main(["login"]) == az_script.main([*command, "--claims", "x"]) == 2
    assert az_script.main([*command, "--subscription", "other"]) == 1
    assert az_script.main([*command, "--subscription", az.subscription_id, "--tenant", "t"]) == 1
    assert az.count() == 7


def test_two_calls_never_take_the_same_fault(az, monkeypatch):
    monkeypatch.setattr(az_script, "HOME", az.folder.parent)
    az.is_missing(times=1)
    real = Path.rename

    def rename_late(path, target):
        real(path, target.with_name("taken-by-another"))  # another call is faster
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename_late)
    assert az_script.next_fault() == {}
