"""Promise: no fault of a configuration shows a secret that stands beside it, through any door, in any rendering."""

from __future__ import annotations

import json

import pytest

import credconf
from tests.secrecy.canaries import CANARY, SECRET
from tests.secrecy.reach import walk
from tests.secrecy.renderings import renderings
from tests.secrecy.test_failures import assert_silent, error_of

QUOTED = json.dumps(SECRET)
FILES = {
    "unknown key": f"client_secret: {QUOTED}\nclinet_id: {QUOTED}\n",
    "secret for a key": f"? {QUOTED}\n: {QUOTED}\n",
    "bad tenant": f"client_secret: {QUOTED}\ntenant_id: {QUOTED}\n",
    "bad authority": f"client_secret: x\nauthority: {QUOTED}\n",
    "bad number": f"client_secret: x\nhttp: {{timeout: {QUOTED}}}\n",
    "bad cloud": f"client_secret: x\ncloud: {QUOTED}\n",
    "bad kind": f"client_secret: x\nkind: {QUOTED}\n",
    "bad reference": f"client_secret: {{value: {QUOTED}}}\n",
    "bad file": f"client_secret: [{{file: [{QUOTED}]}}, {QUOTED}]\n",
    "bad proxy": f"client_secret: x\nhttp: {{proxy: {json.dumps('http://u:' + SECRET + '/@h:1')}}}\n",
    "proxy whose password ends its host": f"client_secret: x\nhttp: {{proxy: 'http://user:8080/{SECRET[:4]}@host:1'}}\n",
    "open quote": f"client_secret: 'x\nkey: {SECRET}\n",
    "tag": f"client_secret: !{SECRET[:9]} x\n",
    "tab": f"\tclient_secret: {QUOTED}\n",
    "mapping for a key": f"client_secret: x\n? {{{QUOTED}: {QUOTED}}}\n: x\n",
    "duplicate": f"client_secret: {QUOTED}\nclient_secret: {QUOTED}\n",
    "not UTF-8": f"client_secret: {QUOTED}\n".encode() + b"\xff",
}
DOORS = {
    "load": lambda module, path: credconf.load(path, env_file=False, environ={}),
    "from_config": lambda module, path: module.from_config(path, env_file=False, environ={}),
    "layers": lambda module, path: module.from_config(["base.yaml", path], env_file=False, environ={}),
    "section": lambda module, path: module.from_config(path, section="a.b", env_file=False, environ={}),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", FILES)
def test_no_fault_of_a_file_shows_a_value(site, said, case, door):
    base = f"client_id: {site.entra.client_id}\n" + ("" if "tenant" in case else f"tenant_id: {site.entra.tenant_id}\n")
    text = FILES[case]
    content = base.encode() + (text if isinstance(text, bytes) else text.encode())
    (site.path / "base.yaml").write_text("http: {timeout: 5}\n")
    (site.path / "app.yaml").write_bytes(content)
    error = error_of(DOORS[door], site.module, "app.yaml")
    assert isinstance(error, credconf.ConfigError)
    CANARY.assert_absent(renderings(error))
    assert_silent(CANARY, said)


class Odd:
    """An object of the program, whose own `repr` shows its content."""

    def __repr__(self):
        return f"Odd({SECRET})"


ARGUMENTS = {
    "misspelt": {"client_secret": SECRET, "clinet_id": SECRET},
    "bytes": {"client_secret": SECRET.encode()},
    "object": {"client_secret": Odd()},
    "list": {"client_secret": [SECRET, Odd()]},
    "number": {"client_secret": SECRET, "http": {"timeout": SECRET}},
    "tenant": {"client_secret": SECRET, "tenant_id": SECRET},
    "proxy": {"client_secret": SECRET, "http": {"proxy": f"socks9://{SECRET}"}},
    "password": {"client_certificate": {"file": "nowhere.pem"}, "client_certificate_password": SECRET},
}


@pytest.mark.parametrize("door", ["load", "from_config", "build"])
@pytest.mark.parametrize("case", ARGUMENTS)
def test_no_fault_of_an_argument_shows_a_value(site, said, case, door):
    fields = {"tenant_id": site.entra.tenant_id, "client_id": site.entra.client_id, **ARGUMENTS[case]}

    def call():
        if door == "build":
            return site.module.build(fields)
        return (credconf.load if door == "load" else site.module.from_config)(
            False, env_file=False, environ={}, **fields
        )

    error = error_of(call)
    assert isinstance(error, credconf.ConfigError)
    CANARY.assert_absent(renderings(error))
    assert_silent(CANARY, said)


CONSTRUCTORS = {
    "misspelt": ("ClientSecretCredential", ("tenant", "client", SECRET), {"retry_totl": SECRET}),
    "tenant": ("ClientSecretCredential", ("../x", "client", SECRET), {}),
    "authority": ("ClientSecretCredential", ("tenant", "client", SECRET), {"authority": f"http://{SECRET}"}),
    "types": ("ClientSecretCredential", ("tenant", "client", SECRET), {"proxies": SECRET, "user_agent": SECRET}),
    "transport": ("ClientSecretCredential", ("tenant", "client", SECRET), {"transport": Odd()}),
    "no certificate": ("CertificateCredential", ("tenant", "client"), {"password": SECRET}),
    "both": ("CertificateCredential", ("tenant", "client", "x"), {"certificate_data": SECRET.encode()}),
    "bad data": ("CertificateCredential", ("tenant", "client"), {"certificate_data": b"-----BEGIN " + SECRET.encode()}),
    "misspelt beside a password": (
        "CertificateCredential",
        ("tenant", "client", "x"),
        {"password": SECRET, "retry": 1},
    ),
    "bad password": ("CertificateCredential", ("tenant", "client", "nowhere"), {"password": SECRET}),
    "type of data": ("CertificateCredential", ("tenant", "client"), {"certificate_data": SECRET}),
}


@pytest.mark.parametrize("case", CONSTRUCTORS)
def test_no_constructor_that_raises_shows_its_secret(site, said, case):
    name, arguments, options = CONSTRUCTORS[case]
    error = error_of(lambda: getattr(site.module, name)(*arguments, **options))
    assert isinstance(error, ValueError | TypeError)
    CANARY.assert_absent(renderings(error))
    CANARY.assert_absent(walk(vars(error), private=True))
    assert_silent(CANARY, said)


@pytest.mark.parametrize("place", ["environment", ".env"])
@pytest.mark.parametrize("name", ["CREDCONF_TENNANT_ID", "CREDCONF_REGION", "AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID"])
def test_no_fault_of_a_variable_shows_its_value(site, said, name, place):
    if place == "environment":
        site.patch.setenv(name, SECRET)
    else:
        site.dotenv(name)
    error = error_of(site.module.from_config, site.yaml("client_secret: x") if "TENANT" not in name else None)
    assert isinstance(error, credconf.ConfigError)
    CANARY.assert_absent(renderings(error))
    assert_silent(CANARY, said)
