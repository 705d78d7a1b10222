"""A bundle that passes loads with `ssl`; one that does not has a message with the command that makes a usable one."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credconf.ground.bundles import is_plain, unusable_bundle
from tests.key_shapes import bundles, certificates, no_certificates


def loads(path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return False
    return context.cert_store_stats()["x509"] > 0


def written(tmp_path, content, name="company's.crt"):
    path = tmp_path / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("shape", bundles())
def test_a_bundle_that_openssl_takes_is_usable(tmp_path, shape):
    path = written(tmp_path, bundles()[shape])
    assert loads(path)
    assert unusable_bundle(path) is None


@pytest.mark.parametrize("shape", [*no_certificates(), *certificates()])
def test_what_openssl_does_not_take_is_unusable(tmp_path, shape):
    path = written(tmp_path, {**no_certificates(), **certificates()}[shape])
    assert not loads(path)
    found = unusable_bundle(path)
    assert found is not None
    assert found.code == "bad-bundle"
    assert found.reason.startswith(("holds ", "is "))
    assert found.hint


@pytest.mark.skipif(shutil.which("openssl") is None or os.name != "posix", reason="commands of a shell")
@pytest.mark.parametrize("name", ["company's.crt", "ca.pem", "noending"])
@pytest.mark.parametrize("shape", certificates())
def test_the_command_makes_a_usable_bundle(tmp_path, shape, name):
    path = written(tmp_path, certificates()[shape], name)
    before = set(os.listdir(tmp_path))
    command = unusable_bundle(path).hint.partition(": ")[2]
    subprocess.run(["sh", "-euc", command], check=True, capture_output=True, cwd="/")
    (made,) = set(os.listdir(tmp_path)) - before
    assert unusable_bundle(str(tmp_path / made)) is None
    assert loads(str(tmp_path / made))


def test_the_line_of_a_broken_certificate_is_told(tmp_path):
    content = no_certificates()["a second one, cut off"]
    line = len(content.partition(b"-----END CERTIFICATE-----\n")[0].splitlines()) + 2
    assert f"the certificate in line {line} is" in unusable_bundle(written(tmp_path, content)).reason


def test_a_directory_needs_hashed_names(tmp_path):
    written(tmp_path, bundles()["one"])
    found = unusable_bundle(str(tmp_path))
    assert "hashed names" in found.reason
    assert found.hint.endswith(f"openssl rehash {tmp_path}")
    if shutil.which("openssl") is not None and os.name == "posix":
        subprocess.run(["sh", "-euc", found.hint.rpartition(": ")[2]], check=True, capture_output=True)
        assert unusable_bundle(str(tmp_path)) is None


LINES = bundles()["two"].splitlines(keepends=True)


@given(data=st.data())
def test_whatever_happens_to_a_bundle_what_passes_without_openssl_loads(data, tmp_path_factory):
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["remove", "repeat", "cut", "comment", "blank", "letter", "swap"]))
        line = lines[place]
        at = data.draw(st.integers(0, max(0, len(line) - 1)))
        lines[place : place + 1] = {
            "remove": [],
            "repeat": [line, line],
            "cut": [line[:at]],
            "comment": [b"# a comment\n", line],
            "blank": [b"\n", line],
            "letter": [line[:at] + b"*" + line[at + 1 :]],
            "swap": [line, *lines[:1]],
        }[change]
        if not lines:
            return
    content = b"".join(lines)
    if is_plain(content):
        path = tmp_path_factory.mktemp("bundle") / "ca.pem"
        path.write_bytes(content)
        assert loads(str(path))


def test_a_good_bundle_is_checked_without_importing_ssl(tmp_path):
    path = written(tmp_path, bundles()["the public ones"])
    code = (
        f"import sys; from credconf.ground.bundles import unusable_bundle\n"
        f"assert unusable_bundle({path!r}) is None\n"
        f"assert 'ssl' not in sys.modules\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(root)})
