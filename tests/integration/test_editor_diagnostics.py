"""What an editor underlines: the real yaml-language-server, and our schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from credconf.kinds import FIELDS, KINDS
from tests.integration.editor import SCHEMA

if TYPE_CHECKING:
    from tests.integration.editor import Editor

QUOTED_KINDS = ", ".join(f'"{kind}"' for kind in KINDS)

ROOT = Path(__file__).parents[2]


NAME = "a name is lower-case letters and digits, joined by single `-` or `_`, such as my-app"
TENANT = "a tenant is a GUID or a domain name: letters, digits, `.` and `-` only"
REFERENCE = "{env: NAME} or {file: PATH}"
SECRET = "{env: NAME}, {file: PATH} or {command: [PROGRAM, ARGUMENT]}"
MAPPING = "a configuration is a mapping: one `key: value` on each line"

BROKEN: dict[str, tuple[Any, ...]] = {
    # name: (text, (line, what is underlined, what is said of it)…)
    "a misspelt key": ("client_id: a\nclinet_id: b", (2, "clinet_id", "Property clinet_id is not allowed.")),
    "a misspelt key of an entry": (
        "credentials:\n  billing:\n    tenat_id: a",
        (3, "tenat_id", "Property tenat_id is not allowed."),
    ),
    "a misspelt key of a group": ("http:\n  timeuot: 5", (2, "timeuot", "Property timeuot is not allowed.")),
    "camel case": (
        "tenantId: a",
        (1, "tenantId", "did you mean `tenant_id`? settings are written in lower case, with `_`"),
    ),
    "kebab case in an entry": (
        "credentials:\n  a:\n    client-id: a",
        (3, "client-id", "did you mean `client_id`? settings are written in lower case, with `_`"),
    ),
    "camel case in a group": (
        "http: {caBundle: a}",
        (1, "caBundle", "did you mean `ca_bundle`? settings are written in lower case, with `_`"),
    ),
    "another tool's name": ("appId: a", (1, "appId", "did you mean `client_id`?")),
    "a variable's name": (
        "kind: client_secret\nAZURE_CLIENT_ID: a",
        (2, "AZURE_CLIENT_ID", "that is the name of a variable; write `client_id` here"),
    ),
    "a group's setting beside it": (
        "client_secret: {env: A}\ntimeout: 5",
        (2, "timeout", "write it below `http`: `http: {timeout: …}`"),
    ),
    "a misspelt reference": ("client_secret: {fiel: a}", (1, "fiel", f"write {SECRET}")),
    "a misspelt reference in a list": (
        "client_secret:\n  - {file: a}\n  - {fiel: b}",
        (3, "fiel", f"write {SECRET}"),
    ),
    "two references in one": ("client_secret: {file: a, env: B}", (1, "file", "a reference has exactly one key")),
    "a program for a text": ("tenant_id: {command: [a]}", (1, "command", f"write {REFERENCE}")),
    "a program without a list": ("client_secret: {command: ls}", (1, "ls", "write a list: [PROGRAM, ARGUMENT]")),
    "a variable that cannot be": (
        "client_secret: {env: a-b}",
        (1, "a-b", "what follows `env` is not the name of a variable: letters, digits and `_`, without `$`"),
    ),
    "a tenant with a blank": ("tenant_id: contoso com", (1, "contoso com", TENANT)),
    "a tenant of an entry": (
        "credentials:\n  a:\n    client_id: b\n    tenant_id: c/d",
        (4, "c/d", TENANT),
    ),
    "nothing after a key": ("client_id:\ncloud: usgov", (1, "", f"write text, or {REFERENCE}")),
    "null for a text": ("client_id: null", (1, "null", f"write text, or {REFERENCE}")),
    "a list for a text": ("client_id: [a]", (1, "[a]", f"write text, or {REFERENCE}")),
    "no secret": ("client_secret: ''", (1, "''", "this is empty")),
    "a certificate in the file": (
        "client_certificate: abc",
        (1, "abc", "this is always a reference: {file: PATH}"),
    ),
    "a certificate from a variable": ("client_certificate: {env: A}", (1, "env", "write {file: PATH}")),
    "an unknown cloud": (
        "cloud: moon",
        (1, "moon", 'Value is not accepted. Valid values: "public", "usgov", "china".'),
    ),
    "an unknown kind": (
        "kind: password",
        (1, "password", f"Value is not accepted. Valid values: {QUOTED_KINDS}."),
    ),
    "an authority with a path": (
        "authority: login.example.com/a",
        (1, "login.example.com/a", "an authority is a host name or an https:// URL, without a path"),
    ),
    "an OIDC authority without one": (
        "oidc_authority: https://idp.example.com",
        (
            1,
            "https://idp.example.com",
            "an OIDC authority is an https:// URL with a path, such as https://idp.example.com/oauth",
        ),
    ),
    "a region that is none": (
        "region: West Europe",
        (1, "West Europe", "a region is a name such as westus2, or tryautodetect"),
    ),
    "a proxy of another kind": (
        "http: {proxy: 'ftp://p'}",
        (
            1,
            "'ftp://p'",
            "a proxy is a URL such as http://proxy.example.com:8080, its user and password percent-encoded",
        ),
    ),
    "a prefix that is none": (
        "env_prefix: a-b",
        (1, "a-b", "a prefix is letters, digits and `_`, such as REPORTS_"),
    ),
    "a word for a number": ("http:\n  timeout: soon", (2, "soon", "write a number of seconds")),
    "a fraction of a retry": ("http: {retries: 1.5}", (1, "1.5", "write a whole number")),
    "too long a time": ("http: {timeout: 601}", (1, "601", "Value is above the maximum of 600.")),
    "a word for a boolean": ("send_certificate_chain: maybe", (1, "maybe", "write true or false")),
    "a number for a boolean": ("disable_instance_discovery: 5", (1, "5", "write true or false")),
    "a number for a group": ("http: 5", (1, "5", 'Incorrect type. Expected "http: a mapping of settings".')),
    "a text for a list": ("additionally_allowed_tenants: a", (1, "a", "write a list: [first, second]")),
    "an item that is no tenant": (
        "additionally_allowed_tenants: ['*', 'a b']",
        (1, "'a b'", 'a tenant is a GUID or a domain name, and "*" means all tenants'),
    ),
    "two names of one setting": (
        "allowed_tenants: []\nadditionally_allowed_tenants: []",
        (
            2,
            "additionally_allowed_tenants",
            "`allowed_tenants` and `additionally_allowed_tenants` are the same setting: keep one of them",
        ),
    ),
    "a cloud and an authority": (
        "cloud: public\nauthority: a.example.com",
        (2, "authority", "`cloud` and `authority` exclude each other: keep one of them"),
    ),
    "a tenant of another server": (
        "tenant_id: a\noidc_authority: https://idp.example.com/a",
        (1, "tenant_id", "`oidc_authority` and `tenant_id` exclude each other: keep one of them"),
    ),
    "two proofs": (
        "client_secret: {env: A}\nclient_certificate: {file: b}",
        (2, "client_certificate", "a credential of the kind `client_secret` has no such setting"),
    ),
    "a proof of another kind": (
        "kind: client_certificate\nclient_secret: {env: A}",
        (2, "client_secret", "a credential of the kind `client_certificate` has no such setting"),
    ),
    "a setting beside the entries": (
        "client_id: a\ncredentials: {}",
        (1, "client_id", "this belongs in an entry of `credentials`"),
    ),
    "an entry's key at the top": ("abstract: true", (1, "abstract", "this belongs in an entry of `credentials`")),
    "a key of the top in an entry": (
        "credentials:\n  a:\n    default: a",
        (3, "default", "this belongs at the top of the file"),
    ),
    "a name in capitals": ("credentials:\n  Billing: {}", (2, "Billing", NAME)),
    "a default that is no name": ("default: My App\ncredentials: {}", (1, "My App", NAME)),
    "a parent that is no name": ("credentials:\n  a:\n    extends: [b, C d]", (3, "C d", NAME)),
    "an empty entry": ("credentials:\n  a:", (2, "", "a credential is a mapping of settings")),
    "a list of entries": (
        "credentials: [a]",
        (1, "[a]", 'Incorrect type. Expected "credentials: a mapping of entries".'),
    ),
    "a text for a file": ("tenant_id", (1, "tenant_id", MAPPING)),
    "a list for a file": ("- tenant_id: a", (1, "- tenant_id: a", MAPPING)),
    "a key twice": ("tenant_id: a\ntenant_id: b", (2, "tenant_id: b", "Map keys must be unique")),
    "several": (
        "tenant_id: a b\ncloud: moon\nhttp: {retries: x}\nclint: c",
        (1, "a b", TENANT),
        (2, "moon", 'Value is not accepted. Valid values: "public", "usgov", "china".'),
        (3, "x", "write a whole number"),
        (4, "clint", "Property clint is not allowed."),
    ),
}


@pytest.fixture(scope="module")
def opened(editor: Editor) -> Editor:
    """The editor with all files of this module in it, so that they are judged at once."""
    for text in [text for text, *_ in BROKEN.values()] + list(GOOD.values()):
        editor.open(text)
    return editor


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_underlined_and_said_in_words(opened: Editor, name: str) -> None:
    text, *expected = BROKEN[name]
    lines = text.split("\n")
    found = [
        (item.line, lines[item.line - 1][item.start - 1 : item.end - 1], item.message)
        for item in opened.diagnostics(text)
    ]
    assert sorted(found) == sorted(expected)


# What is right

GOOD = {
    "one": "tenant_id: 72f988bf-86f1-41af-91ab-2d7cd011db47\nclient_id: a\nclient_secret: {env: B}\ncloud: china",
    "one in text that looks like something else": "{tenant_id: 012345, client_id: 1e10, client_secret: no}",
    "one with a certificate": "client_certificate:\n  file: a.pem\nsend_certificate_chain: yes",
    "several": "default: a\ncredentials:\n  b: {abstract: true, cloud: usgov}\n  a: {extends: [b], client_id: c}",
    "anchors": "x-base: &base\n  tenant_id: a\ncredentials:\n  b: {<<: *base, client_id: c}",
    "a list of secrets": "client_secret:\n  - {file: a}\n  - {command: [b, c]}\n  - text",
    "no variables": "env_prefix: null\nhttp: {timeout: '5', retries: 0}",
    "nothing yet": "# later",
}


def yaml_of_the_readme() -> list[str]:
    blocks = re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [block for block in blocks if {*FIELDS, "credentials"} & set(yaml.safe_load(block))]


def examples() -> list[Path]:
    found = sorted((ROOT / "examples").rglob("*.yaml"))
    return [path for path in found if "broken" not in path.parts and SCHEMA.name in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_said_of_a_good_file(opened: Editor, name: str) -> None:
    assert opened.diagnostics(GOOD[name]) == []


def test_nothing_is_said_of_the_examples(editor: Editor) -> None:
    paths = examples()
    assert len(paths) >= 5
    assert {path: found for path in paths if (found := editor.open_file(path))} == {}


def test_nothing_is_said_of_what_the_readme_shows(editor: Editor) -> None:
    blocks = yaml_of_the_readme()
    assert len(blocks) >= 2
    assert [found for block in blocks if (found := editor.diagnostics(block))] == []
