"""What an editor offers: the real yaml-language-server, and our schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credconf.kinds import ALIASES, FIELDS, KINDS, NESTED
from credconf.settings.clouds import PRESETS
from tests.integration.editor import chosen

if TYPE_CHECKING:
    from tests.integration.editor import Editor

SETTINGS = set(FIELDS)
OF_A_SECRET = set(KINDS["client_secret"].model_fields)
OF_A_CERTIFICATE = set(KINDS["client_certificate"].model_fields)
ONE = {"one credential with a client secret", "one credential with a certificate", "several credentials by name"}
ENTRIES = {"an entry with a client secret", "an entry with a certificate", "an entry with common settings"}


# Keys


def test_an_empty_file_may_become_either_form_and_is_offered_whole_beginnings(editor: Editor) -> None:
    offers = editor.offers("‸")
    assert set(offers) == {*SETTINGS, "default", "credentials", *ONE}
    assert offers["tenant_id"]["textEdit"]["newText"] == "tenant_id: "
    assert "CREDCONF_TENANT_ID" in offers["tenant_id"]["documentation"]["value"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cloud: usgov\n‸", SETTINGS - {"cloud"}),
        ("cloud: usgov\ncl‸", SETTINGS - {"cloud"}),
        ("client_secret: {env: A}\n‸", OF_A_SECRET - {"client_secret"}),
        ("kind: client_secret\n‸", OF_A_SECRET - {"kind"}),
        ("client_certificate: {file: a}\n‸", OF_A_CERTIFICATE - {"client_certificate"}),
        ("kind: client_certificate\n‸", OF_A_CERTIFICATE - {"kind"}),
        ("credentials: {}\n‸", {"default"}),
        ("default: billing\n‸", {"credentials"}),
        ("credentials:\n  ‸", ENTRIES),
        ("credentials:\n  a:\n    ‸", {*SETTINGS, "extends", "abstract"}),
        (
            "credentials:\n  a:\n    client_secret: {env: A}\n    ‸",
            {*OF_A_SECRET, "extends", "abstract"} - {"client_secret"},
        ),
        (
            "credentials:\n  a:\n    kind: client_certificate\n    ‸",
            {*OF_A_CERTIFICATE, "extends", "abstract"} - {"kind"},
        ),
        ("http:\n  ‸", set(NESTED["http"])),
        ("http:\n  timeout: 5\n  ‸", set(NESTED["http"]) - {"timeout"}),
        ("token_cache:\n  ‸", set(NESTED["token_cache"])),
        ("client_secret:\n  ‸", {"env", "file", "command"}),
        ("client_secret:\n  - ‸", {"env", "file", "command"}),
        ("credentials:\n  a:\n    client_secret:\n      ‸", {"env", "file", "command"}),
        ("client_certificate:\n  ‸", {"file"}),
        ("client_certificate_password:\n  ‸", {"env", "file"}),
        ("http:\n  proxy:\n    ‸", {"env", "file", "http://proxy.example.com:8080"}),
    ],
)
def test_the_keys_that_fit_are_offered_and_no_others(editor: Editor, text: str, expected: set[str]) -> None:
    assert set(editor.offers(text)) == expected


def test_a_second_name_is_not_offered(editor: Editor) -> None:
    assert not set(ALIASES) & set(editor.offers("‸"))


# Values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cloud: ‸", set(PRESETS)),
        ("kind: ‸", set(KINDS)),
        ("token_cache:\n  kind: ‸", {"memory", "file", "redis"}),
        ("send_certificate_chain: ‸", {"true", "false"}),
        ("http:\n  retries: ‸", {"3", "5"}),
        ("region: ‸", {"westus2", "tryautodetect", "env", "file"}),
        ("client_secret: ‸", {"env", "file", "command"}),
        ("client_certificate: ‸", {"file"}),
        ("additionally_allowed_tenants:\n  - ‸", {"'*'", "fabrikam.onmicrosoft.com"}),
        ("credentials:\n  a:\n    extends: ‸", {"base", "[base, proxied]"}),
        ("credentials:\n  a:\n    cloud: ‸", set(PRESETS)),
    ],
)
def test_the_values_that_fit_are_offered_and_no_others(editor: Editor, text: str, expected: set[str]) -> None:
    assert set(editor.offers(text)) == expected


def places() -> list[str]:
    """The cursor where the value of each setting stands, and an item of each list."""
    top = [f"{name}: ‸" for name in FIELDS if name not in NESTED]
    groups = [f"{name}:\n  {leaf}: ‸" for name, leaves in NESTED.items() for leaf in leaves]
    lists = [f"{name}:\n  - ‸" for name in ("additionally_allowed_tenants", "prefetch", "client_secret")]
    entries = [f"credentials:\n  a:\n    {name}: ‸" for name in ("extends", "abstract", "client_secret", "cloud")]
    return ["‸", "credentials:\n  ‸", *top, *groups, *lists, *entries]


def test_whatever_is_offered_as_a_value_can_be_taken_as_it_is(editor: Editor) -> None:
    taken = {}
    for place in places():
        for label, item in editor.offers(place).items():
            whole = place not in {"‸", "credentials:\n  ‸"} or label in ONE | ENTRIES
            if whole and label != "command":  # which program, only its user knows
                taken[place, label] = chosen(place, item)
    assert len(taken) > 50
    for text in taken.values():
        editor.open(text)
    assert {where: (text, found) for where, text in taken.items() if (found := editor.diagnostics(text))} == {}
