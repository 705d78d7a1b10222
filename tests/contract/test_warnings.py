"""A warning of a library is about its code: as an exception (`-W error`), it fails no token and no configuration."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from pydoc import locate

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from credconf.ground.third_parties import despite_warnings
from credconf.settings.in_memory import AssertionFunction
from credconf.sharing import forget_shared_engines
from tests.certificates import make_certificate
from tests.contract.faces import SCOPE

ROOT = Path(__file__).parents[2]
ID = {"tenant_id": "contoso.onmicrosoft.com", "client_id": "11111111-1111-1111-1111-111111111111"}


def warning_first(function):
    """The function, which raises a warning before it does its work, if the filters say so."""

    def warned(*args, **kwargs):
        warnings.warn("this function is old", DeprecationWarning, stacklevel=2)
        return function(*args, **kwargs)

    return warned


@pytest.mark.parametrize("method", ["__init__", "acquire_token_for_client"])
def test_a_warning_of_msal_changes_nothing(face, entra, monkeypatch, method):
    place = f"msal.ConfidentialClientApplication.{method}"
    monkeypatch.setattr(place, warning_first(locate(place)))
    credential = face.build(entra.config())
    assert credential.get_token(SCOPE).token
    credential.close()


@pytest.mark.parametrize("place", ["redis.BlockingConnectionPool.from_url", "redis.Redis.execute_command"])
def test_a_warning_of_redis_py_leaves_the_tokens_shared(face, entra, redis_url, monkeypatch, caplog, place):
    monkeypatch.setattr(place, warning_first(locate(place)))
    for _ in range(2):
        credential = face.build(entra.config(token_cache={"kind": "redis", "url": redis_url}))
        assert credential.get_token(SCOPE).token
        credential.close()
        forget_shared_engines()
    assert len(entra.requests) == 1
    assert "can't be used" not in caplog.text


def test_a_warning_of_an_applications_http_client_changes_nothing(face, entra):
    class Session(requests.Session):
        post = warning_first(requests.Session.post)

    with Session() as session:
        session.verify = entra.ca_bundle
        credential = face.build(entra.config(), http_client=session)
        assert credential.get_token(SCOPE).token


def test_a_warning_of_an_assertion_function_changes_nothing(entra):
    function = warning_first(lambda: "a.b.c")
    assert AssertionFunction(function=function).call() == "a.b.c"


LOADERS = [
    ("client.pem", "cryptography.hazmat.primitives.serialization.load_pem_private_key"),
    ("client.pem", "cryptography.x509.load_pem_x509_certificates"),
    ("client.pfx", "cryptography.hazmat.primitives.serialization.pkcs12.load_key_and_certificates"),
]


@pytest.mark.parametrize(("name", "place"), LOADERS)
def test_a_warning_about_a_certificate_changes_nothing(face, entra, tmp_path, monkeypatch, name, place):
    certificate = make_certificate(tmp_path / name)
    client_id = entra.register(tenants="*", certificates=[certificate.pem]).client_id
    monkeypatch.setattr(place, warning_first(locate(place)))
    fields = {"client_id": client_id, "client_certificate": {"file": str(certificate.path)}}
    credential = face.build(entra.config(client_secret=None, **fields))
    assert credential.get_token(SCOPE).token
    credential.close()


def test_a_certificate_that_cryptography_warns_of_is_accepted_under_minus_w_error(tmp_path):
    """Its serial number is negative, as of some old authorities."""
    path = tmp_path / "client.pem"
    certificate = make_certificate(path)
    found = x509.load_pem_x509_certificate(certificate.pem)
    serial = found.serial_number.to_bytes(found.serial_number.bit_length() // 8 + 1)  # as DER writes it, with a sign
    der = found.public_bytes(Encoding.DER)
    start = der.index(serial)
    assert der[start - 1] == len(serial)
    odd = der[:start] + b"\x80" + der[start + 1 :]  # a negative number
    text = path.read_text().partition("-----BEGIN CERTIFICATE-----")[0]
    path.write_text(text + ssl.DER_cert_to_PEM_cert(odd))
    with pytest.warns(Warning, match="serial number"):
        x509.load_pem_x509_certificate(ssl.DER_cert_to_PEM_cert(odd).encode())
    application = ID | {"client_certificate": {"file": str(path)}}
    code = f"import credconf; credconf.from_config(path=False, env_file=False, environ={{}}, **{application!r})"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_work_without_a_warning_is_done_once():
    calls = []
    assert despite_warnings(lambda: calls.append(1)) is None
    assert calls == [1]


def test_work_that_warns_is_repeated_without_warnings_and_the_filters_are_as_they_were():
    before, calls = list(warnings.filters), []

    def work():
        calls.append(1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return len(calls)

    assert despite_warnings(work) == 2
    assert list(warnings.filters) == before


def test_threads_that_warn_at_one_time_leave_the_filters_as_they_were():
    before, gate = list(warnings.filters), threading.Barrier(4)

    def work():
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    def run():
        gate.wait(20)
        for _ in range(50):
            despite_warnings(work)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_another_exception_is_raised_at_once():
    calls = []

    def work():
        calls.append(1)
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        despite_warnings(work)
    assert calls == [1]
