"""Any file and any arguments give problems, never a traceback, and never the canary."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credconf.cli import COMMANDS
from tests.cli.running import run
from tests.config.project import CANARY, CLIENT, TENANT
from tests.diagonal import share
from tests.promises.test_no_input_makes_anything_but_a_config_error import without_a_secret_path

thoroughly = settings(
    max_examples=share(100), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

FLAT = f"""\
# yaml-language-server: $schema=credconf.schema.json
tenant_id: {TENANT}
client_id: {CLIENT}
client_secret: {CANARY}
cloud: usgov
http: {{timeout: 5, proxy: "http://user:{CANARY}@proxy.example:8080"}}
additionally_allowed_tenants: ["*"]
"""
NAMED = f"""\
default: billing
x-shared: &shared {{retries: 3, proxy: "{CANARY}"}}
credentials:
  base: {{abstract: true, tenant_id: contoso.onmicrosoft.com, client_secret: {CANARY}}}
  billing:
    extends: base
    client_id: {CLIENT}
    client_secret:
      - {{file: secrets/new}}
      - "{CANARY}"
    http: {{<<: *shared, timeout: 5}}
  reports: {{extends: [base], client_id: {CLIENT}, client_secret: |
      {CANARY}
    }}
"""
PIECES = [*":-{}[],'\"#\t|", "\n", "\n  ", ": ", "- ", " #", "&a ", "*a", "<<: ", "!!str "]


@st.composite
def mutations(draw):
    """A good file in which a few pieces are cut out, doubled, or put somewhere else."""
    text = draw(st.sampled_from([FLAT, NAMED]))
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        there = text[at : at + length]
        if CANARY[:4] in text[at - len(CANARY) : at + length + len(CANARY)]:
            length, there = 0, ""  # what is left of a canary would be no canary any more
        instead = draw(st.sampled_from([*PIECES, "", there * 2, "clinet_id", "null", "{env: A}"]))
        text = text[:at] + instead + text[at + length :]
    return text


def judge(content, *arguments):
    """All renderings of `check`, whose verdicts are one."""
    outcomes = [run("check", "app.yaml", "--format", form, *arguments) for form in ("text", "json", "github")]
    assert len({outcome.status for outcome in outcomes}) == 1
    described = outcomes[1].json
    assert described["ok"] == (outcomes[1].status == 0)
    lines = content.decode("utf-8", "replace").splitlines()
    for problem in described["problems"]:
        assert problem["line"] is None or 1 <= problem["line"] <= max(1, len(lines) + 1)
    return described


@thoroughly
@given(text=mutations())
def test_any_mutation_of_a_good_file(project, text):
    content = text.encode()
    project.write("app.yaml", content)
    judge(content)
    judge(content, "--resolve", "--no-env-file")
    for form in ("text", "json"):
        run("show", "-f", "app.yaml", "--format", form)


@thoroughly
@given(content=st.binary(max_size=200))
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfe")
@example(b"a: \x00")
def test_any_bytes(project, content):
    project.write("app.yaml", content)
    judge(content, "--strict")
    run("show", "-f", "app.yaml")
    assert run("check", "-", stdin=content).status == run("check", "app.yaml").status


def without_what_is_shown(tree):
    """The same tree, with no canary for a client id, nor for the name of a file: `show` shows these (SECURITY.md)."""
    if isinstance(tree, list):
        return [without_what_is_shown(item) for item in tree]
    if isinstance(tree, dict):
        shown = {key: "an id" for key, value in tree.items() if key == "client_id" and value == CANARY}
        return {key: without_what_is_shown(value) for key, value in without_a_secret_path(tree).items()} | shown
    return tree


KEYS = "default credentials base a extends abstract kind tenant_id client_id client_secret client_certificate cloud"
KEYS = [*KEYS.split(), "authority", "oidc_authority", "http", "timeout", "token_cache", "env", "file", "env_prefix"]
TREES = st.recursive(
    st.sampled_from([CANARY, TENANT, "public", "", "a", "base", 5, True, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
).map(without_what_is_shown)


@thoroughly
@given(tree=TREES)
def test_any_structure(project, tree):
    content = json.dumps(tree).encode()
    project.write("app.yaml", content)
    judge(content)
    judge(content, "--section", "credentials.a")
    run("show", "-f", "app.yaml", "--format", "json")


WORDS = st.one_of(
    st.sampled_from(["-f", "-n", "--section", "--env-file", "--no-env-file", "--allow", "command", "--format", "json"]),
    st.sampled_from(
        ["--resolve", "--strict", "--layers", "--help", "-h", "--", "-", "app.yaml", "gone.yaml", ".", "a"]
    ),
    st.text(st.characters(codec=None), max_size=5),
)


@thoroughly
@given(command=st.sampled_from(["check", "show", "explain", "schema", "completion"]), words=st.lists(WORDS, max_size=5))
@example("check", ["\0"])
@example("show", ["-f", "\0"])
@example("show", ["-f", "\udcff"])
@example("check", ["app.yaml/below", "." * 5000])
@example("show", ["--section", "."])
@example("show", ["--env-file", ""])
def test_any_arguments(project, command, words):
    project.write("app.yaml", NAMED)
    run(command, *words, stdin=FLAT)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_shows_nothing_of_a_configuration(project, monkeypatch, command):
    project.write("credconf.yaml", FLAT)
    project.write(".env", f"AZURE_CLIENT_SECRET={CANARY}\n")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", CANARY)
    outcome = run(command, "--help")
    assert outcome.status == 0
    assert outcome.said.startswith("Usage:")
