"""The JSON Schema says of a file what our own reader says of it, as far as a schema can."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from credconf.config.judging import judge
from credconf.config.reading.document import parse
from credconf.config.reading.entries import read_entries
from credconf.config.reading.nodes import Document, Mapping
from credconf.config.variables import Scheme
from credconf.kinds import ALIASES, FIELDS, NESTED, SETTINGS
from credconf.problems import Problem
from credconf.settings import formats
from credconf.settings.formats import ENTRY_NAME
from tools.schema import document as schema

ROOT = Path(__file__).parent.parent
DOCUMENT = schema.document()
VALIDATOR = jsonschema.Draft7Validator(DOCUMENT)
GUID = "72f988bf-86f1-41af-91ab-2d7cd011db47"
NAME = re.compile(ENTRY_NAME.pattern)

ELSEWHERE = {"unknown-parent", "unknown-name", "abstract", "cycle"}
"""What depends on other entries: the docstring of `tools.schema` lists all that a schema cannot say."""


def accepts(data):
    return VALIDATOR.is_valid(data)


def refused_at(data):
    return {".".join(map(str, error.absolute_path)) for error in VALIDATOR.iter_errors(data)}


def walk(node, path=()):
    yield path, node
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from walk(inner, (*path, key))


# The file


def test_the_file_is_current():
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run `make schema`"


def test_it_is_draft_07_and_names_no_host_of_its_own():
    jsonschema.Draft7Validator.check_schema(DOCUMENT)
    assert DOCUMENT["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "$id" not in DOCUMENT
    assert schema.text().endswith("}\n")


def test_it_holds_none_of_the_keywords_that_strict_validators_refuse():
    keywords = {path[-1] for path, _ in walk(DOCUMENT) if path and "properties" not in path[-2:-1]}
    assert not keywords & {"discriminator", "format", "writeOnly", "oneOf", "$defs", "nullable"}


def test_no_types_are_united_because_ajv_is_strict_about_it():
    assert all(isinstance(node["type"], str) for _, node in walk(DOCUMENT) if isinstance(node, dict) and "type" in node)


def test_nothing_is_required_because_the_environment_may_supply_it():
    assert not [path for path, _ in walk(DOCUMENT) if path and path[-1] == "required"]


def test_every_reference_leads_to_a_definition_and_every_definition_is_used():
    named = {node["$ref"].rpartition("/")[2] for _, node in walk(DOCUMENT) if isinstance(node, dict) and "$ref" in node}
    assert named == set(DOCUMENT["definitions"])


# What an editor shows


def settings():
    for name in (*FIELDS, *ALIASES):
        yield name, DOCUMENT["definitions"][name]
        for leaf in NESTED.get(name, ()):
            yield f"{name}.{leaf}", DOCUMENT["definitions"][f"{name}.{leaf}"]


@pytest.mark.parametrize(("path", "own"), list(settings()), ids=lambda item: item if isinstance(item, str) else "")
def test_the_hover_text_of_a_setting_has_an_example_and_its_variables(path, own):
    text = own["markdownDescription"]
    assert text.startswith(own["description"])
    assert "```yaml\n" in text
    field = ALIASES.get(path, path)
    scheme = Scheme.of(None, None, prefixed=False)
    for variable in scheme.variables():
        if variable.field == field and variable.form != "unusable":
            assert f"`{variable.name}`" in text


@pytest.mark.parametrize(("path", "own"), list(settings()), ids=lambda item: item if isinstance(item, str) else "")
def test_the_example_of_a_setting_is_a_setting(path, own):
    written = own["markdownDescription"].partition("```yaml\n")[2].partition("```")[0]
    assert our_verdict(yaml.safe_load(written)) == set()
    assert accepts(yaml.safe_load(written))


def filled_in(body):
    """What a snippet writes where nothing is typed over; a text in it is YAML."""
    if isinstance(body, dict):
        return {filled_in(key): filled_in(value) for key, value in body.items()}
    if isinstance(body, list):
        return [filled_in(item) for item in body]
    text = re.sub(r"\$\{\d:([^}]*)\}", r"\1", body.replace("$1", "program")) if isinstance(body, str) else body
    return yaml.load(text, Loader=yaml.BaseLoader) if isinstance(text, str) else text  # noqa: S506 - it makes text only


def snippets(own):
    """Those of a value, and those of the items of a list, as a list of one."""
    for snippet in own.get("defaultSnippets", ()):
        yield filled_in(snippet["body"])
    for snippet in own.get("then", {}).get("items", {}).get("defaultSnippets", ()):
        if own.get("type") == "array":
            yield [filled_in(snippet["body"])]


@pytest.mark.parametrize(("path", "own"), list(settings()), ids=lambda item: item if isinstance(item, str) else "")
def test_what_an_editor_offers_is_a_value_of_the_setting(path, own):
    offered = list(snippets(own))
    assert offered or "enum" in own or path in NESTED
    for value in offered:
        assert accepts(alone(path, value))
        assert our_verdict(alone(path, value)) == set()


def test_the_values_of_a_choice_are_explained():
    for path, own in settings():
        if "enum" in own:
            assert len(own["markdownEnumDescriptions"]) == len(own["enum"]), path


def test_the_beginnings_are_whole_configurations():
    beginnings = DOCUMENT["definitions"]["beginning"]["defaultSnippets"]
    assert len(beginnings) == 3
    for snippet in beginnings:
        body = filled_in(snippet["body"])
        assert accepts(body)
        assert our_verdict(body) == set()


def test_the_entries_are_whole_entries():
    entries = DOCUMENT["definitions"]["credentials"]["defaultSnippets"]
    assert len(entries) == 3
    for snippet in entries:
        body = {"credentials": filled_in(snippet["body"])}
        assert accepts(body)
        assert our_verdict(body) == set()


@pytest.mark.parametrize("name", sorted(DOCUMENT["definitions"]))
def test_a_pattern_says_what_it_wants(name):
    for path, node in walk(DOCUMENT["definitions"][name]):
        if isinstance(node, dict) and "pattern" in node and path[-1:] != ("properties",):
            assert node["patternErrorMessage"]


# Good files

DESIGN = {
    "flat": f"""
        $schema: ../schema/credconf.schema.json
        tenant_id: {GUID}
        client_id: 11111111-1111-1111-1111-111111111111
        client_secret:
          file: /run/secrets/entra
        cloud: public                        # public | usgov | china
        additionally_allowed_tenants: ["*"]
        """,
    "named": """
        default: billing
        credentials:
          base:    {abstract: true, tenant_id: contoso.onmicrosoft.com, cloud: usgov}
          billing: {extends: base, client_id: …, client_secret: {env: BILLING_SECRET}}
          reports:
            extends: [base]
            client_id: …
            client_secret:                   # newest first: see section 6
              - {file: secrets/new}
              - {file: secrets/old}
        """,
    "everything": """
        x-yours: [&anchor {timeout: 5}]
        kind: client_certificate
        oidc_authority: https://idp.example.com/oauth
        client_id: 012345
        client_certificate: {file: app.pem}
        client_certificate_password: {env: PASSWORD}
        send_certificate_chain: yes
        disable_instance_discovery: "no"
        allowed_tenants: [contoso.onmicrosoft.com, 012345]
        region: westus2
        token_cache: {kind: memory, max_entries: "1_000"}
        http: {<<: *anchor, total_timeout: 1e1, retries: 3, proxy: "http://u:p@proxy:8080", ca_bundle: ca.pem}
        prefetch: [https://storage.azure.com/.default]
        env_prefix: null
        """,
    "text that looks like something else": "{tenant_id: 012345, client_id: 1e10, client_secret: no, env_prefix: on}",
    "a managed identity": "{kind: managed_identity, client_id: a, prefetch: [https://storage.azure.com/.default]}",
    "a managed identity as the assertion": """
        tenant_id: contoso.onmicrosoft.com
        client_id: a
        client_assertion: {managed_identity: {client_id: 012345}}
        """,
    "a job of GitHub Actions": "client_assertion: {github: {}}",
    "an audience of one's own": "client_assertion: {github: {audience: 012345}}",
    "a job of Azure Pipelines": "client_assertion: {azure_pipelines: 0f0a2f5c-9b5c-4c55-9a43-2f0d9a7f3c10}",
    "the Azure CLI": "{kind: azure_cli, tenant_id: contoso.com, allowed_tenants: ['*']}",
    "a subscription of the Azure CLI": "{kind: azure_cli, subscription: 0123}",
    "nothing but a tenant and a client": "{tenant_id: contoso.com, client_id: a}",
    "a program": "client_secret: {command: [op, read, 5]}",
    "nothing yet": "{}",
    "a date": 'client_id: "2024-01-01"',
}


@pytest.mark.parametrize("text", DESIGN.values(), ids=DESIGN)
def test_what_the_design_writes_is_accepted(text):
    assert refused_at(yaml.safe_load(text)) == set()
    assert our_verdict_of(text) == set()


def examples():
    for path in sorted((ROOT / "examples").rglob("*.yaml")):
        if "broken" not in path.parts and "credconf.schema.json" in path.read_text(encoding="utf-8"):
            yield path


@pytest.mark.parametrize("path", list(examples()), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_are_accepted(path):
    assert refused_at(yaml.safe_load(path.read_text(encoding="utf-8"))) == set()


def test_a_section_of_an_applications_own_file_is_accepted():
    path = ROOT / "examples/inside_application_yaml/application.yaml"
    whole = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert refused_at(whole["azure"]["storage"]) == set()


# Broken files

BROKEN = {
    "unknown key": ("clinet_id: a", ""),
    "unknown key of an entry": ("credentials: {a: {tenat_id: b}}", "credentials.a"),
    "unknown key of a group": ("http: {time_out: 5}", "http"),
    "a mapping for text": ("tenant_id: {}", "tenant_id"),
    "a list for text": ("client_id: [a]", "client_id"),
    "text for a list": ("allowed_tenants: a", "allowed_tenants"),
    "text for a group": ("http: fast", "http"),
    "a list for a group": ("token_cache: []", "token_cache"),
    "nothing written": ("tenant_id:", "tenant_id"),
    "empty": ('client_id: ""', "client_id"),
    "blank": ('client_secret: " "', "client_secret"),
    "a word for a number": ("http: {timeout: soon}", "http.timeout"),
    "too small": ("http: {timeout: 0}", "http.timeout"),
    "too large": ("http: {retries: 11}", "http.retries"),
    "no whole number": ("http: {retries: 1.5}", "http.retries"),
    "a word for a boolean": ("send_certificate_chain: maybe", "send_certificate_chain"),
    "a number for a boolean": ("disable_instance_discovery: 2", "disable_instance_discovery"),
    "a number for abstract": ("credentials: {a: {abstract: 1}}", "credentials.a.abstract"),
    "both forms": ("{tenant_id: a, credentials: {a: {}}}", ""),
    "both forms, by default alone": ("{tenant_id: a, default: a}", ""),
    "extends in the flat form": ("extends: a", ""),
    "two kinds of reference": ("client_secret: {env: A, file: b}", "client_secret"),
    "no kind of reference": ("client_secret: {vault: a}", "client_secret"),
    "a variable's name": ("client_secret: {env: a b}", "client_secret.env"),
    "a reference in a reference": ("client_secret: {file: {env: A}}", "client_secret.file"),
    "a reference in a list": ("client_secret: [{file: a}, {env: a-b}]", "client_secret.1.env"),
    "an empty list of secrets": ("client_secret: []", "client_secret"),
    "a list of more secrets than anybody has": (f"client_secret: [{', '.join(['x'] * 17)}]", "client_secret"),
    "a list in a list of secrets": ("client_secret: [[a]]", "client_secret.0"),
    "a command for text": ("client_id: {command: [a]}", "client_id"),
    "a command for a password": ("client_certificate_password: {command: [a]}", "client_certificate_password"),
    "a command that is text": ("client_secret: {command: op read}", "client_secret.command"),
    "a certificate as text": ("client_certificate: app.pem", "client_certificate"),
    "a certificate in a variable": ("client_certificate: {env: A}", "client_certificate"),
    "a reference for a path": ("http: {ca_bundle: {file: a}}", "http.ca_bundle"),
    "a reference among tenants": ("allowed_tenants: [{env: A}]", "allowed_tenants.0"),
    "bad name": ("credentials: {Billing: {}}", "credentials"),
    "bad name of a parent": ("credentials: {a: {extends: [B]}}", "credentials.a.extends.0"),
    "bad default": ("{default: A, credentials: {}}", "default"),
    "an entry that is text": ("credentials: {a: b}", "credentials.a"),
    "entries in a list": ("credentials: []", "credentials"),
    "bad cloud": ("cloud: moon", "cloud"),
    "bad kind": ("kind: client_sekret", "kind"),
    "bad tenant": ("tenant_id: a/b", "tenant_id"),
    "a tenant that climbs": ("tenant_id: ..", "tenant_id"),
    "a path in an authority": ("authority: https://login.microsoftonline.com/common", "authority"),
    "http for https": ("authority: http://login.microsoftonline.com", "authority"),
    "an OIDC authority without a path": ("oidc_authority: https://idp.example.com/", "oidc_authority"),
    "bad region": ("region: West Europe", "region"),
    "bad proxy": ("http: {proxy: ftp://proxy}", "http.proxy"),
    "a proxy without a host": ("http: {proxy: 'http://:1'}", "http.proxy"),
    "a proxy with half a scheme": ("http: {proxy: 'http:/proxy:8080'}", "http.proxy"),
    "a PAC file": ("http: {proxy: 'http://wpad/proxy.pac'}", "http.proxy"),
    "a port above 65535": ("authority: a.example:65536", "authority"),
    "a tenant for signing in": ("tenant_id: Common", "tenant_id"),
    "an allowed tenant for signing in": ("allowed_tenants: [organizations]", "allowed_tenants.0"),
    "bad prefix": ("env_prefix: my-app_", "env_prefix"),
    "bad cache": ("token_cache: {kind: disk}", "token_cache.kind"),
    "the other cache's setting": ("token_cache: {kind: file, url: {env: A}}", "token_cache"),
    "settings of two caches": ("token_cache: {name: a, key: {file: a}}", "token_cache"),
    "bad name of a cache": ("token_cache: {name: ../a}", "token_cache.name"),
    "bad URL of a cache": ("token_cache: {url: http://cache.example.com}", "token_cache.url"),
    "an option in the URL of a cache": ("token_cache: {url: 'rediss://a?ssl_cert_reqs=none'}", "token_cache.url"),
    "two names of one setting": ("{allowed_tenants: [], additionally_allowed_tenants: []}", ""),
    "cloud and authority": ("{cloud: public, authority: a.example}", ""),
    "oidc_authority and tenant": ("{oidc_authority: https://a/b, tenant_id: c}", ""),
    "two ids of a managed identity": ("{kind: managed_identity, client_id: a, object_id: b}", ""),
    "a tenant of a managed identity": ("{kind: managed_identity, tenant_id: a}", ""),
    "a managed identity as the secret": ("client_secret: {managed_identity: {client_id: a}}", "client_secret"),
    "a managed identity without an id": (
        "client_assertion: {managed_identity: {}}",
        "client_assertion.managed_identity",
    ),
    "a misspelt id of a managed identity": (
        "client_assertion: {managed_identity: {clientid: a}}",
        "client_assertion.managed_identity",
    ),
    "a job as the secret": ("client_secret: {github: {}}", "client_secret"),
    "a job with another option": ("client_assertion: {github: {url: a}}", "client_assertion.github"),
    "a service connection's name": (
        "client_assertion: {azure_pipelines: production}",
        "client_assertion.azure_pipelines",
    ),
    "a client of the Azure CLI": ("{kind: azure_cli, client_id: a}", ""),
    "a subscription in another tenant": ("{kind: azure_cli, tenant_id: a, subscription: b}", ""),
    "a subscription of an application": ("{client_secret: a, subscription: b}", ""),
    "a subscription for a shell": ("{kind: azure_cli, subscription: a;b}", "subscription"),
    "two proofs": ("{client_secret: a, client_certificate: {file: b}}", ""),
    "the other kind's proof": ("{kind: client_secret, client_certificate: {file: b}}", ""),
    "the other kind's setting": ("{client_secret: a, send_certificate_chain: true}", ""),
    "settings of two kinds": ("{secret_expires_on: 2027-01-31, client_certificate_password: {env: A}}", ""),
    "settings of two kinds in an entry": (
        "credentials: {a: {send_certificate_chain: true, secret_expires_on: 2027-01-31}}",
        "credentials.a",
    ),
    "no mapping": ("[tenant_id]", ""),
}


@pytest.mark.parametrize(("text", "path"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_refused_where_it_is_broken(text, path):
    assert path in refused_at(yaml.safe_load(text))
    assert our_verdict_of(text)


# The two verdicts


def our_verdict(data):
    return our_verdict_of(json.dumps(data))


def our_verdict_of(text):
    """The codes of all errors that `credconf check` finds in one file, as far as a schema could say them."""
    root = parse(text, "app.yaml")
    assert not isinstance(root, Problem), root
    codes = {problem.code for problem in errors(root) if str(problem.path).endswith((".extends", "default"))}
    entries = read_entries([Document("app.yaml", root)], None)
    names = [name for entry in entries.names for name, _ in entries.extends(entry)]
    names += [entries.default[0]] if entries.default else []
    if not all(NAME.fullmatch(name) for name in names):
        codes.add("bad-name")  # `unknown-parent` or `unknown-name`, whatever the other files hold
    codes |= {problem.code for problem in errors(without_parents(root)) if not is_of_a_url(problem)}
    return codes - ELSEWHERE


def is_of_a_url(problem):
    """Whether other settings exclude what the URL of a Redis says, such as several hosts. No schema reads it so far."""
    return problem.code == "conflict" and str(problem.path).endswith("token_cache.url")


def errors(root):
    return [problem for problem in judge([Document("app.yaml", root)]) if problem.severity == "error"]


def without_parents(root):
    """The same file, with entries that extend nothing: what comes together only by `extends`, no schema can see."""
    pairs = root.pairs if isinstance(root, Mapping) else []
    for entries in [value for key, value in pairs if key.text == "credentials" and isinstance(value, Mapping)]:
        for _, entry in entries.pairs:
            if isinstance(entry, Mapping):
                entry.pairs = [(key, value) for key, value in entry.pairs if key.text != "extends"]
    return root


TEXTS = ["a", "…", "$x", 12345, 1.5, True, {"env": "A_1"}, {"file": "p"}, {"file": 5}]
NO_TEXTS = [
    *("", "  ", [], ["a"], {}, {"env": "a b"}, {"env": 1}, {"env": "A", "file": "b"}, {"evn": "A"}, {"file": ""}),
    *({"file": ["a"]}, {"env": {"file": "a"}}, {"x-a": 1}, {"command": ["a"]}),
]
SECRETS = [*TEXTS, {"command": ["a", 1, True]}, {"command": ["a", {}]}, ["a", {"env": "A"}], [{"file": "a"}]]
BOOLEANS = [True, False, "true", "FALSE", "yes", "off", 0, 1, "1", "t", "N"]
NO_BOOLEANS = ["maybe", 2, -1, [], {}, None, "", " yes", {"env": "A"}]
FOR_USERS = ["common", "ORGANIZATIONS", "Consumers", "common.example", "commons"]
TENANTS = [["*"], [], ["a", GUID, 5, True, "b.c"], ["commons"], ["common"], ["a", "CONSUMERS"]]
NO_TENANTS = ["a", "*", {}, [""], ["a/b"], [["a"]], [{"env": "A"}], [".."], 5, None, ["**"]]
NO_NUMBERS = ["soon", "", [], {}, None, True, "0x10", {"env": "A"}, "1 2"]
CACHES = [
    *({"kind": "file", "name": "a"}, {"kind": "redis", "url": {"env": "A"}}, {"url": "redis://a"}, {"name": "a"}),
    *({"kind": "file", "key": "a"}, {"kind": "redis", "name": "a"}, {"name": "a", "url": {"env": "A"}}),
    *({"kind": "memory", "name": "a", "url": "redis://a"}, {"kind": "disk", "name": "a", "timeout": 1}),
]
URLS = ["redis://a", "rediss://u:p@a.example:6380/0", "redis://:p%40@[::1]:1", "unix:///a/b", "unix://u:p@/a?db=1"]
URLS += ["rediss://a,b:6380,[::1]:1/0"]
NO_URLS = [
    "a",
    5,
    True,
    "http://a",
    "redis://",
    "redis://a?db=1",
    "redis://a/b",
    "redis://a:0",
    "unix://a",
    "Redis://a",
    "redis://a,",
    "redis://,a",
    "redis://a, b",
]
MANAGED_IDENTITIES = [
    *({"client_id": "a"}, {"object_id": 5}, {"resource_id": "/a"}, {"client_id": "a", "object_id": "b"}, {}, "a", None),
    *([], {"client_id": ""}, {"client_id": " "}, {"client_id": ["a"]}, {"name": "a"}, {"client_id": {"env": "A"}}),
]
JOBS = [
    *(
        {"github": value}
        for value in ({}, {"audience": "a"}, {"audience": " "}, {"audience": 5}, {"a": "b"}, "a", None, [])
    ),
    *({"azure_pipelines": value} for value in (GUID, GUID.upper(), GUID[1:], "a", "", 5, None, {}, [])),
]
ASSERTIONS = [*({"managed_identity": value} for value in MANAGED_IDENTITIES), *JOBS]
VALUES = {
    "kind": [
        "client_secret",
        "client_certificate",
        "client_assertion",
        "managed_identity",
        "azure_cli",
        "secret",
        5,
        None,
        [],
    ],
    "tenant_id": [GUID, "contoso.com", 5, True, {"env": "A"}, {"file": "a"}, "a b", "..", *FOR_USERS, *NO_TEXTS],
    "client_id": [*TEXTS, *NO_TEXTS],
    "client_secret": [*SECRETS, [], [[]], [""], [None, {}], {"command": []}, {"command": "a"}, {"command": [""]}],
    "secret_expires_on": [
        *(
            "2027-01-31",
            " 2027-01-31 ",
            "2028-02-29",
            "2000-02-29",
            "0001-01-01",
            "9999-12-31",
            "2027-1-31",
            "2027-02-29",
        ),
        *("1900-02-29", "0000-01-01", "2027-04-31", "2027-13-01", "2027-00-10", "20270131", "2027-W05-1", "31.01.2027"),
        *("2027-01-31T00:00:00", "tomorrow", "", 20270131, True, None, {"env": "A"}, ["2027-01-31"], {}),
    ],
    "client_certificate": [{"file": "a"}, {"file": 5}, "a", 5, {"env": "A"}, [{"file": "a"}], {}, None, True],
    "client_certificate_password": [*TEXTS, *NO_TEXTS],
    "send_certificate_chain": [*BOOLEANS, *NO_BOOLEANS],
    "token_proxy": [*BOOLEANS, *NO_BOOLEANS],
    "client_assertion": [{"file": "a"}, {"env": "A"}, {"command": ["a"]}, "a", [{"file": "a"}], *ASSERTIONS, None, {}],
    "object_id": [*TEXTS, *NO_TEXTS],
    "resource_id": [*TEXTS, *NO_TEXTS],
    "subscription": [GUID, "A b_c-d.e", 5, {"env": "A"}, {"file": "a"}, "a&b", "%a%", "a;b", "a" * 257, "é", *NO_TEXTS],
    "cloud": ["public", "usgov", "china", "moon", "Public", None, 5, {"env": "A"}, ["public"]],
    "authority": ["a.example", "HTTPS://a.example:8443/", 5, "a.example/b", "http://a", "a:b", "u@a", "a?b", *NO_TEXTS],
    "oidc_authority": ["https://a/b", "https://a.example:1/b/c/", "https://a", "a/b", "https://a/b?c", 5, *NO_TEXTS],
    "additionally_allowed_tenants": [*TENANTS, *NO_TENANTS],
    "allowed_tenants": [*TENANTS, *NO_TENANTS],
    "disable_instance_discovery": [*BOOLEANS, *NO_BOOLEANS],
    "region": ["westus2", "tryautodetect", True, {"env": "A"}, "West Europe", 5, "a-", *NO_TEXTS],
    "http": [{}, "a", [], None, {"x-a": 1}, {"$schema": "a"}, {"timeouts": 1}],
    "token_cache": [{}, "a", [], None, {"kind": "memory"}, {"kind": "redis"}, {"x-a": []}, *CACHES],
    "prefetch": [["https://a/.default"], [], [5, True], "a", [""], [{}], [["a"]], None, {}],
    "env_prefix": [None, "A_", True, "a-b", "", 5, {"env": "A"}, [], " "],
}
LEAVES = {
    "http.timeout": [5, 0.5, "5", "1e1", " 5 ", "5.5", "+5", "1_0", ".5", "5.", 0, 601, -1, *NO_NUMBERS],
    "http.total_timeout": [5, 3600, "5", 0, 3601, *NO_NUMBERS],
    "http.retries": [0, 10, 3.0, "3", "3.0", "1_0", 11, -1, 1.5, "1.5", "1e1", "1__0", ".0", *NO_NUMBERS],
    "http.proxy": [
        *(
            "http://p:1",
            "p",
            "p:8080",
            5,
            {"env": "A"},
            "socks5h://p",
            "HTTPS://u:p@p:65535/",
            "u:p:q@[::1]:1",
            "http.p:1",
        ),
        *(
            "ftp://p",
            "a b",
            "http://",
            "http:/p:1",
            "http//p:1",
            "http:p",
            "//p",
            "http:///p",
            "p:1/a",
            "p:65536",
            "p:0",
        ),
        *("p:", ":1", "u:a#b@p", "u:a@b@p", "u:a/b@p", "u:a?b@p", "u:a b@p", "u\\a@p", "p.pac", "http://p/p.pac", "é"),
        *NO_TEXTS,
    ],
    "http.ca_bundle": ["ca.pem", 5, True, "", " ", {"file": "a"}, []],
    "token_cache.kind": ["memory", "file", "redis", "disk", 5, None],
    "token_cache.name": ["a", "a.b-c_d", 5, True, "../a", ".a", "a.", "", " ", "é", "a" * 101, {"env": "A"}, []],
    "token_cache.allow_unencrypted_storage": [*BOOLEANS, *NO_BOOLEANS],
    "token_cache.url": [*URLS, *NO_URLS, {"env": "A"}, {"file": "a"}, *NO_TEXTS],
    "token_cache.cluster": [*BOOLEANS, *NO_BOOLEANS],
    "token_cache.sentinel": ["mymaster", "a.b-c_d", "a" * 101, "a b", "-a", 5, True, "", " ", {"env": "A"}, []],
    "token_cache.sentinel_password": [*TEXTS, *NO_TEXTS],
    "token_cache.entra_sign_in": [*BOOLEANS, *NO_BOOLEANS],
    "token_cache.key": [*TEXTS, *NO_TEXTS],
    "token_cache.timeout": [5, 0.5, "0.1", 0, 31, *NO_NUMBERS],
    "token_cache.max_entries": [1, "1", 10_000_000, 0, 10_000_001, 1.5, *NO_NUMBERS],
}
EXTENDS = ["base", ["base"], [], ["base", "my-app"], True, "Base", ["B"], {}, [[]], "a b", 5]
ABSTRACT = [True, False, "yes", "OFF", 1, "1", [], {}, None, "maybe"]
CONTROLS = {"extends": EXTENDS, "abstract": ABSTRACT}
STRANGERS = ["clinet_id", "x_a", "", "é", "extends", "abstract"]
FOREIGN = [None, 1, "a", [], {"tenant_id": []}]
ENTRIES = ("base", "billing", "my-app", "x1_y2")
STRANGE_ENTRIES = ("Billing", "a--b", "-a", "a_", "é", "", "x-billing", "x-", "$schema", "true")


def test_the_values_above_are_of_all_settings():
    assert set(VALUES) == {*FIELDS, *ALIASES}
    assert set(LEAVES) == {f"{group}.{leaf}" for group, leaves in NESTED.items() for leaf in leaves}


def alone(name, value):
    group, _, leaf = name.rpartition(".")
    if name in CONTROLS:
        return {"credentials": {"a": {name: value}}}
    return {group: {leaf: value}} if group else {name: value}


@st.composite
def mappings(draw, controls):
    """A few settings, most of whose values are good by themselves."""
    data = {}
    for name in draw(st.lists(st.sampled_from([*VALUES, *LEAVES, *controls]), max_size=4, unique=True)):
        values = controls.get(name) or VALUES.get(name) or LEAVES[name]
        group, _, leaf = name.rpartition(".")
        if draw(st.integers(0, 7)):
            values = [value for value in values if accepts(alone(name, value))]
        value = draw(st.sampled_from(values))
        if group:
            others = data.get(group)
            data[group] = {leaf: value, **(others if isinstance(others, dict) else {})}
        else:
            data[name] = value
    stranger = draw(st.sampled_from([*[None] * 30, *["x-a", "$schema"] * 5, *STRANGERS]))
    return data if stranger is None else {stranger: draw(st.sampled_from(FOREIGN[1:])), **data}


@st.composite
def configurations(draw):
    flat = draw(mappings({}))
    if draw(st.booleans()):
        return flat
    entry = mappings(CONTROLS)
    names = st.sampled_from([*ENTRIES * 6, *STRANGE_ENTRIES])
    data = {
        "credentials": draw(
            st.dictionaries(names, st.one_of(entry, entry, entry, st.sampled_from(FOREIGN)), max_size=3)
        )
    }
    if draw(st.booleans()):
        data["default"] = draw(st.sampled_from([*ENTRIES, True, "Base", "", [], {}, 5]))
    if draw(st.integers(0, 9)) == 0:
        data |= flat
    if draw(st.integers(0, 9)) == 0:
        data["credentials"] = draw(st.sampled_from([[], "a", None, 5]))
    return data


@example({"token_cache": {"sentinel": "mymaster", "cluster": "yes"}})
@example({"token_cache": {"sentinel": "mymaster", "cluster": "no"}})
@given(configurations())
def test_the_schema_and_our_reader_agree(data):
    ours = our_verdict(data)
    assert refused_at(data) == set() if not ours else not accepts(data), ours


def every_value():
    for name, values in {**VALUES, **LEAVES, **CONTROLS}.items():
        yield from (alone(name, value) for value in values)
    yield from ({"credentials": {name: {}}} for name in (*ENTRIES, *STRANGE_ENTRIES))


@pytest.mark.parametrize("data", list(every_value()), ids=json.dumps)
def test_they_agree_on_every_value_by_itself(data):
    assert accepts(data) == (our_verdict(data) == set())


# What the docstring of `tools.schema` lists: the two verdicts differ in these, and in no others

NOT_SAYABLE = {
    "a parent that is not there": ("credentials: {a: {extends: b}}", "unknown-parent"),
    "a default that is not there": ("{default: b, credentials: {a: {}}}", "unknown-name"),
    "a default that is abstract": ("{default: a, credentials: {a: {abstract: true}}}", "abstract"),
    "a circle": ("credentials: {a: {extends: b}, b: {extends: a}}", "cycle"),
    "two names of one variable": ("credentials: {my-app: {}, my_app: {}}", "bad-name"),
    "two proofs, by extends": (
        "credentials: {a: {client_secret: b}, b: {extends: a, client_certificate: {file: c}}}",
        "two-proofs",
    ),
    "two authorities, by extends": (
        "credentials: {a: {oidc_authority: https://a/b}, b: {extends: a, tenant_id: c}}",
        "conflict",
    ),
    "a setting of another kind, by extends": (
        "credentials: {a: {client_secret: b}, b: {extends: a, send_certificate_chain: true}}",
        "unknown-key",
    ),
    "a key twice": ("{tenant_id: a, tenant_id: a}", "duplicate-key"),
    "a key that is no text": ("{x-a: {[a]: b}}", "bad-key"),
    "a bound of a number that is text": ('http: {timeout: "601"}', "bad-value"),
    "a number that is read as text": ("http: {timeout: 1e400}", "bad-value"),
    "a long host": (f"authority: {'a.' * 127}example", "bad-value"),
    "an IPv6 address that is none": ("oidc_authority: 'https://[:::]/b'", "bad-value"),
    "a NUL character": ('http: {ca_bundle: "a\\0b"}', "bad-value"),
    "a whole number in hexadecimal digits": ("http: {retries: 0x5}", "bad-value"),
}
STRICTER = {
    "null": "client_id: null",
    "null as a secret": "client_secret: null",
    "a tilde": "client_id: ~",
    "null among texts": "prefetch: [null]",
}


@pytest.mark.parametrize(("text", "code"), NOT_SAYABLE.values(), ids=NOT_SAYABLE)
def test_what_a_schema_cannot_say_is_said_by_check_alone(text, code):
    root = parse(text, "app.yaml")
    assert not isinstance(root, Problem)
    assert {problem.code for problem in errors(root)} == {code}
    data = yaml.load(text, Loader=AsAnEditor)  # noqa: S506 - a safe one, in which a key may be a list
    assert accepts(data)


class AsAnEditor(yaml.SafeLoader):
    """As an editor reads it: a later key wins, and a key may be anything."""

    def construct_mapping(self, node, deep=False):
        return {
            str(self.construct_object(key, deep=True)): self.construct_object(value, deep=True)
            for key, value in node.value
        }


@pytest.mark.parametrize("text", STRICTER.values(), ids=STRICTER)
def test_what_looks_forgotten_is_refused_by_the_schema_alone(text):
    assert our_verdict_of(text) == set()
    assert not accepts(yaml.safe_load(text))


# The patterns

RULES = {
    "tenant_id": formats.tenant,
    "authority": formats.authority,
    "oidc_authority": formats.oidc_authority,
    "region": formats.region,
    "http.proxy": formats.proxy,
}
EXACT = ("tenant_id", "region")
NEARLY_EXACT = ("http.proxy",)
"""Only the length of a host, a malformed IPv6 address and unprintable characters are beyond its pattern."""
PIECES = [
    "a",
    "A1",
    ".",
    "-",
    "_",
    ":",
    "/",
    "//",
    "https://",
    "HTTP://",
    "socks5://",
    "[::1]",
    "@",
    "?",
    "#",
    " ",
    "80",
    "0",
    "é",
    ".pac",
    "http:",
    "common",
    "ConSumers",
    "\\",
]


def taken(rule, text):
    try:
        rule(text)
    except formats.FormatError:
        return False
    return bool(text.strip())


FORMATS = {path: f"^(?:{SETTINGS[path].format.pattern})$" for path in RULES}


@pytest.mark.parametrize("path", RULES)
@given(data=st.data())
def test_a_pattern_refuses_nothing_that_our_reader_takes(path, data):
    pieces = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
    text = data.draw(st.one_of(pieces, st.text(max_size=8), st.from_regex(FORMATS[path])))
    if text.endswith("\n"):
        return  # Python's `$` matches before it, ECMA's does not
    matches = bool(re.search(FORMATS[path], text))
    if taken(RULES[path], text):
        assert matches
    elif path in EXACT or (path in NEARLY_EXACT and len(text) < 64 and "[" not in text and text.isprintable()):
        assert not matches
