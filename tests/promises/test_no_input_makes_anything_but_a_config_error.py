"""Promise: whatever stands in a file, in `.env` or in the environment, `load` resolves it or raises `ConfigError`."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

import credconf
from credconf.config.variables import Scheme, documented
from tests.config.project import CANARY, CLIENT, COMPLETE, TENANT, assert_nothing_shows
from tests.diagonal import share

FIELDS = [
    "kind",
    "tenant_id",
    "client_id",
    "client_secret",
    "client_certificate",
    "client_certificate_password",
    "send_certificate_chain",
    "cloud",
    "authority",
    "oidc_authority",
    "additionally_allowed_tenants",
    "allowed_tenants",
    "disable_instance_discovery",
    "region",
    "http",
    "token_cache",
    "prefetch",
    "env_prefix",
    "default",
    "credentials",
    "extends",
    "abstract",
    "x-any",
    "$schema",
    "<<",
    "timeout",
    "proxy",
    "ca_bundle",
    "env",
    "file",
    "command",
    "a",
    "b-c",
]
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.one_of(
    st.sampled_from([CANARY, TENANT, CLIENT, "public", "adfs", "a", "*", "true", "1", "~", "null", "", " ", "."]),
    st.sampled_from(["https://login.example", "login.microsoftonline.com", "client_secret", "/", "\0", "🔑", "a\nb"]),
    st.text(CHARACTERS, max_size=12),
)
KEYS = st.one_of(st.sampled_from(FIELDS), st.text(CHARACTERS, max_size=6))
SHOWN = {"file", "command", "ca_bundle"}


def without_a_secret_path(tree):
    """The same tree, with no canary for the name of a file or a program: these are shown, as DESIGN 4 says."""
    if isinstance(tree, list):
        return [without_a_secret_path(item) for item in tree]
    if isinstance(tree, dict):
        return {
            key: json.loads(json.dumps(value).replace(CANARY, "x")) if key in SHOWN else without_a_secret_path(value)
            for key, value in tree.items()
        }
    return tree


def without_a_secret_path_in(variable: tuple[str, str]) -> tuple[str, str]:
    name, text = variable
    return (name, text.replace(CANARY, "x")) if name.endswith(("_FILE", "_PATH", "_CA_BUNDLE")) else variable


TREES = st.recursive(
    st.one_of(TEXTS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=25,
).map(without_a_secret_path)
YAML_PIECES = st.lists(
    st.one_of(
        st.sampled_from([*FIELDS, CANARY, ":", ": ", "\n", "\n  ", "- ", "[", "]", "{", "}", ",", "&a ", "*a", "<<"]),
        st.sampled_from(["'", '"', "|", ">", "!", "!!str ", "#", " #", "?", "%", "@", "`", "\t", "---\n", "...", "~"]),
        st.text(max_size=4).filter(lambda text: not any(0xD800 <= ord(character) < 0xE000 for character in text)),
    ),
    max_size=40,
).map("".join)
NAMES = st.one_of(
    st.sampled_from([*documented(), *(variable.name for variable in Scheme("CREDCONF_").variables())]),
    st.sampled_from(
        ["CREDCONF_NAME", "CREDCONF_", "CREDCONF__A__REGION", "CREDCONF__", "HTTPS_PROXY", "AZURE_TENANTID"]
    ),
    st.from_regex(r"(CREDCONF|AZURE)_[A-Z_]{0,12}", fullmatch=True),
)
ENVIRONS = st.dictionaries(
    NAMES.filter(lambda name: name != "CREDCONF_FILE"),
    st.one_of(TEXTS, st.text(st.characters(codec=None, min_codepoint=1), max_size=8)).map(
        lambda text: text.replace("\0", "")
    ),
    max_size=8,
).map(lambda variables: dict(map(without_a_secret_path_in, variables.items())))

thoroughly = settings(
    max_examples=share(150), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def resolves_or_refuses(*arguments, **options) -> None:
    options.setdefault("environ", {})
    error = None
    try:
        resolved = credconf.load(*arguments, **options)
    except credconf.ConfigError as exc:
        error = exc
    if error is not None:
        assert error.problems
        assert_nothing_shows(error)
        assert json.dumps(credconf.problems.as_dicts(error.problems))
    else:
        assert isinstance(resolved, credconf.Resolved)
        proof = getattr(resolved.settings, resolved.settings.proof)
        assert not isinstance(proof, SecretStr) or CANARY not in repr(
            resolved.settings.model_dump()[resolved.settings.proof]
        )


@thoroughly
@given(content=st.binary(max_size=300))
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfe" + COMPLETE.encode("utf-16-le"))
def test_any_bytes_as_yaml(project, content):
    project.write("app.yaml", content)
    resolves_or_refuses("app.yaml")
    resolves_or_refuses("app.yaml", section="a.b")


@thoroughly
@given(text=YAML_PIECES)
@example("? [{" * 20)
@example("a: &a {b: *a}")
@example("default:\ncredentials:\n")
@example("credentials: {a: {<<: [*a]}}")
def test_any_text_as_yaml(project, text):
    project.write("app.yaml", text.encode())
    resolves_or_refuses("app.yaml")


@thoroughly
@given(tree=TREES, name=st.sampled_from([None, "a", "b-c", "?"]), allow=st.sampled_from([(), ("command",)]))
@example({"tenant_id": TENANT, "client_id": CLIENT, "client_secret": "x", "http": {"ca_bundle": "\0"}}, None, ())
@example({"tenant_id": TENANT, "client_id": CLIENT, "client_secret": {"file": "\0"}}, None, ())
@example({"tenant_id": "adfs", "client_id": {"file": "\0"}, "client_secret": {"file": "\0"}}, None, ())
def test_any_structure_as_yaml(project, tree, name, allow):
    project.write("credconf.yaml", json.dumps(tree).encode())  # JSON is YAML
    resolves_or_refuses(name=name, allow=allow)
    resolves_or_refuses("credconf.yaml", name=name, allow=allow, environ={"AZURE_CLIENT_SECRET": CANARY})


@thoroughly
@given(tree=TREES)
def test_any_structure_beside_a_whole_configuration(project, tree):
    project.write("app.yaml", COMPLETE)
    project.write("over.yaml", json.dumps(tree if isinstance(tree, dict) else {"http": tree}).encode())
    resolves_or_refuses(["app.yaml", "over.yaml"])


@thoroughly
@given(
    text=st.one_of(
        st.text(CHARACTERS, max_size=100),
        st.lists(st.tuples(NAMES, TEXTS).map(without_a_secret_path_in).map("=".join), max_size=8).map("\n".join),
        st.lists(
            st.sampled_from([CANARY, "AZURE_TENANT_ID", "=", "\n", "'", '"', "#", "export ", "\\", "$", "\r"])
        ).map("".join),
    )
)
def test_any_text_as_a_dotenv(project, text):
    project.write(".env", text.encode())
    resolves_or_refuses()
    resolves_or_refuses(client_secret=CANARY, client_id=CLIENT, tenant_id=TENANT)


@thoroughly
@given(environ=ENVIRONS)
@example({"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": "\udc80", "AZURE_CLIENT_SECRET": f"\udcff{CANARY}"})
@example({"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET_FILE": "\udcff"})
def test_any_environment(project, environ):
    resolves_or_refuses(environ=environ)
    project.write("app.yaml", COMPLETE)
    resolves_or_refuses("app.yaml", environ=environ)
    resolves_or_refuses(environ=environ, section="a", name="a")


@thoroughly
@given(arguments=st.dictionaries(st.sampled_from(FIELDS).filter(str.isidentifier), TREES, max_size=6))
@example({"http": {"ca_bundle": "\0"}, "client_secret": "x", "tenant_id": TENANT, "client_id": CLIENT})
@example({"http": {"a.b": 1, "a": 2}})
@example({"client_secret": {"file": "\ud800"}, "tenant_id": TENANT, "client_id": CLIENT})
@example({"client_secret": "\ud800", "tenant_id": TENANT, "client_id": "\ud800"})
def test_any_arguments(project, arguments):
    resolves_or_refuses(False, **arguments)


@thoroughly
@given(tree=st.dictionaries(st.one_of(KEYS, st.integers()), TREES, max_size=6))
def test_any_mapping_for_build(tree):
    error = None
    try:
        credconf.build(tree).close()
    except credconf.ConfigError as exc:
        error = exc
    if error is not None:
        assert_nothing_shows(error)


@pytest.mark.parametrize("path", ["", "\0", "a\0b", "x" * 5000, ".", "..", "/dev/null", "app.yaml/below"])
def test_any_path(project, path):
    project.write("app.yaml", COMPLETE)
    project.refused(path)
    project.refused(path, env_file=path)
    project.refused(environ={"CREDCONF_FILE": path} if path else {})
