"""Good values are not warned about: a thousand secrets as real ones are made, and the files of the examples."""

from __future__ import annotations

import base64
import random
import string
import uuid

import pytest

from credconf.config.judging import judge
from credconf.config.reading.document import read_document
from credconf.config.reading.nodes import Document
from credconf.settings.defects import defect_of
from tests.config.project import VARIABLES, warned
from tests.examples.running import EXAMPLES

_RANDOM = random.Random(20261129)  # noqa: S311 - these secrets open nothing
_LETTERS = string.ascii_letters + string.digits


def _of(alphabet: str, least: int, most: int) -> str:
    return "".join(_RANDOM.choices(alphabet, k=_RANDOM.randint(least, most)))


def _bytes(least: int, most: int) -> bytes:
    return _RANDOM.randbytes(_RANDOM.randint(least, most))


MADE = {
    "Entra's": lambda: f"{_of(_LETTERS, 3, 3)}8Q~{_of(_LETTERS + '~._-', 34, 34)}",
    "Entra's older ones": lambda: _of(_LETTERS + "~._-+/=:?@[]", 32, 44),
    "base64": lambda: base64.b64encode(_bytes(24, 48)).decode(),
    "base64url": lambda: base64.urlsafe_b64encode(_bytes(24, 48)).decode().rstrip("="),
    "hexadecimal": lambda: _bytes(16, 32).hex(),
    "ids": lambda: str(uuid.UUID(bytes=_bytes(16, 16))),
    "a generator's": lambda: _of(_LETTERS + "!#$%&()*+,-./:;<=>?@[]^_{|}~", 20, 64),
    "UUIDs in capitals": lambda: str(uuid.UUID(bytes=_bytes(16, 16))).upper(),
}


def test_a_thousand_realistic_secrets_raise_no_alarm():
    alarms = {}
    for _ in range(1_000):
        for name, make in MADE.items():
            text = make()
            if (found := defect_of(text)) is not None:
                alarms[text] = (name, found)
    assert alarms == {}


def test_realistic_secrets_are_loaded_without_a_warning(project):
    for _ in range(10):
        for name, make in MADE.items():
            if name not in {"ids", "UUIDs in capitals"}:  # a secret that is a GUID is a Secret ID
                assert warned(project.load(environ={**VARIABLES, "AZURE_CLIENT_SECRET": make()})) == []


@pytest.mark.parametrize(
    "text",
    [
        "contoso.onmicrosoft.com",
        "enterprise.onmicrosoft.com",
        "changepoint.com",
        "putnam.com",
        "insertcoin.example",
        "nullsoft.com",
        "none-such.example",
        "replacements.example",
        "xxx.example",
        "login.microsoftonline.com",
        "https://login.microsoftonline.us",
        "https://idp.example.com/oauth",
        "http://proxy.example.com:8080",
        "redis://cache.example:6380/0",
        "https://storage.azure.com/.default",
        "westus2",
        "tryautodetect",
        "public",
        "true",
        "*",
        "REPORTS_",
        "2027-01-31",
        "10",
        "/run/secrets/entra",
        "secrets/entra.pem",
        "C:\\certs\\entra.pem",
        "a'b",
        "'",
        '"',
        "it's",
    ],
)
def test_an_ordinary_value_of_another_setting_raises_none(text):
    assert defect_of(text) is None


def test_no_good_example_has_a_defect():
    files = [path for path in EXAMPLES.rglob("*.yaml") if "broken" not in path.parts]
    documents = [read_document(str(path), discovered=False) for path in files]
    parsed = [each for each in documents if isinstance(each, Document)]
    assert len(parsed) > 5
    codes = {problem.code for each in parsed for problem in judge([each])}
    assert codes.isdisjoint(
        {
            "surrounding-space",
            "surrounding-quotes",
            "not-expanded",
            "odd-character",
            "decoded-escape",
            "inner-line-break",
        }
    )
