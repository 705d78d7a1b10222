"""`credconf check` and `load()` apply the same rules; without a machine, its values are unknown."""

from __future__ import annotations

import builtins
import json
import os
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import credconf
from credconf.config.judging import judge
from credconf.config.reading.document import document_of
from credconf.config.reading.nodes import Document
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, OTHER_CLIENT, TENANT
from tests.diagonal import share


def judged(*texts, section=None, names=("app.yaml", "over.yaml")):
    documents = []
    for name, text in zip(names, texts, strict=False):
        document = document_of(textwrap.dedent(text), name)
        assert isinstance(document, Document), document
        documents.append(document)
    problems = judge(documents, section)
    assert CANARY not in repr(problems)
    return problems


def errors(*texts, **options):
    return [problem.code for problem in judged(*texts, **options) if problem.severity == "error"]


def warnings(*texts, **options):
    return [problem.code for problem in judged(*texts, **options) if problem.severity == "warning"]


# What the machine may supply, or hold


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "cloud: usgov",
        f"tenant_id: {TENANT}",
        "client_secret: {file: /nowhere/at/all}",
        "client_secret: {env: NOT_SET_ANYWHERE}",
        "client_secret: {command: [not-allowed-here]}",
        "client_secret: [{file: a}, {env: B}]",
        "client_certificate: {file: nowhere.pem}",
        "client_certificate_password: {env: PASSWORD}",
        "tenant_id: {file: nowhere}\nclient_id: {env: ID}\nauthority: {env: AUTHORITY}",
        "http: {proxy: {env: MY_PROXY}, ca_bundle: nowhere.pem}",
        "oidc_authority: https://idp.example.com/oauth",
        "kind: client_certificate",
        "credentials: {base: {abstract: true}, a: {extends: base}}",
        "credentials: {a: {}, b: {}}",
    ],
)
def test_what_the_machine_may_supply_is_no_problem(text):
    assert judged(text) == ()


def test_nothing_is_read_or_asked_for(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError(arguments)

    text = f"{ID}authority: {{env: HOME}}\nclient_secret: [{{file: app.secret}}, {{env: HOME}}, {{command: [true]}}]\n"
    document = document_of(text, "app.yaml")
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(os, "access", refuse)
    monkeypatch.setattr(builtins, "open", refuse)
    assert judge([document]) == ()


# Every entry


def test_every_entry_is_judged_whatever_the_default_is():
    problems = judged(
        """\
        default: good
        credentials:
          good: {cloud: public}
          bad: {cloud: moon}
          worse: {extends: good, http: {retries: 11}}
        """
    )
    assert [(problem.path, problem.line) for problem in problems] == [
        ("credentials.bad.cloud", 4),
        ("credentials.worse.http.retries", 5),
    ]


def test_what_a_parent_has_by_itself_is_told_of_the_parent_alone():
    [problem] = judged(
        """\
        credentials:
          base: {tenant_id: "a/b", abstract: true}
          one: {extends: base}
          two: {extends: [base, one]}
        """
    )
    assert (problem.path, problem.line, problem.column) == ("credentials.base.tenant_id", 2, 21)


def test_what_an_entry_makes_of_its_parent_is_told_of_the_entry():
    [problem] = judged(
        """\
        credentials:
          base: {client_certificate: {file: a.pem}}
          child: {extends: base, client_secret: {env: A}}
          fine: {extends: base}
        """
    )
    assert (problem.code, problem.path) == ("two-proofs", "credentials.child.client_secret")
    assert (problem.line, problem.column) == (3, 41)
    assert problem.message == (
        "`client_secret` and `client_certificate` (app.yaml:2:30) are set for `child`: one credential has one proof"
    )


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ("a: {S}, b: {C}, c: {extends: [b, a]}", ["client_secret c"]),
        ("a: {S}, b: {C}, c: {extends: [a, b]}", ["client_certificate c"]),
        ("a: {S}, b: {extends: a, C}, c: {extends: b}", ["client_certificate b"]),
        ("a: {C, S}, b: {extends: a}", ["client_secret a"]),
        ("a: {S, C}, b: {extends: a}", ["client_certificate a"]),
    ],
)
def test_two_proofs_are_told_of_the_entry_that_brings_them_together(entries, told):
    written = entries.replace("S", "client_secret: {env: A}").replace("C", "client_certificate: {file: a.pem}")
    problems = judged(f"credentials: {{{written}}}\n")
    said = [(problem.message.split("`")[1], problem.message.split("`")[5]) for problem in problems]
    assert said == [tuple(each.split()) for each in told]


def test_two_proofs_of_layers_are_told_in_the_higher_one():
    [problem] = judged("client_certificate: {file: a.pem}\n", "client_secret: {env: A}\n")
    assert (problem.path, problem.file) == ("client_secret", "over.yaml")
    assert "`client_certificate` (app.yaml:1:21) are set:" in problem.message


def test_another_proof_than_the_kind_s_is_one_mistake():
    [problem] = judged("kind: client_certificate\nclient_secret: {env: A}\n")
    assert (problem.code, problem.line, problem.column) == ("unknown-key", 2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "client_secret: {env: A}\nsend_certificate_chain: true\n",
        "token_cache:\n  url: rediss://cache.example.com\n  kind: file\n",
        "http:\n  tiemout: 3\n",
        "clinet_id: x\n",
    ],
)
def test_a_key_that_is_no_setting_is_pointed_at(text):
    [problem] = judged(text)
    line = text.splitlines()[(problem.line or 0) - 1]
    assert problem.code == "unknown-key"
    assert problem.column == len(line) - len(line.lstrip()) + 1


@pytest.mark.parametrize("value", ["", "''", "[b, '']"])
def test_to_extend_nothing_is_an_error_of_its_own(value):
    [problem] = judged(f"credentials:\n a: {{extends: {value}}}\n b: {{}}\n")
    assert (problem.code, problem.message, problem.path) == ("empty", "`extends` is empty", "credentials.a.extends")
    assert (problem.line, problem.hint) == (2, "name an entry, or remove it")


def test_a_setting_of_another_kind_than_the_parents_is_an_error():
    codes = errors("credentials: {base: {client_secret: {env: A}}, a: {extends: base, send_certificate_chain: true}}")
    assert codes == ["unknown-key"]


def test_a_default_must_be_there_and_usable():
    assert errors("{default: b, credentials: {a: {}}}") == ["unknown-name"]
    assert errors("{default: a, credentials: {a: {abstract: true}}}") == ["abstract"]
    [problem] = judged("x: {y: {default: b, credentials: {a: {}}}}", section="x.y")
    assert problem.path == "x.y.default"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("clinet_id: a", "unknown-key"),
        ("cloud: public\ncloud: public", "duplicate-key"),
        ("http: [fast]", "wrong-type"),
        ("tenant_id: ['a']", "wrong-type"),
        ("region: West Europe", "bad-value"),
        ("http: {timeout: 601}", "bad-value"),
        ("env_prefix: a-b", "bad-value"),
        ("client_secret: {vault: a}", "bad-reference"),
        ("client_id: ''", "empty"),
        ("kind: secret", "unknown-kind"),
        ("kind: [secret]", "unknown-kind"),
        ("cloud: public\nauthority: login.microsoftonline.com", "conflict"),
        ("oidc_authority: https://a.example/b\ntenant_id: a", "conflict"),
        ("allowed_tenants: []\nadditionally_allowed_tenants: []", "conflict"),
        ("client_secret: a\nclient_certificate: {file: b}", "two-proofs"),
        ("send_certificate_chain: perhaps", "bad-value"),
        ("client_certificate_password: []", "wrong-type"),
        ("tenant_id: a\ncredentials: {}", "flat-and-named"),
        ("credentials: {A: {}}", "bad-name"),
        ("credentials: {my-app: {}, my_app: {}}", "bad-name"),
        ("credentials: {a: {extends: b}}", "unknown-parent"),
        ("credentials: {a: {extends: a}}", "cycle"),
        ("credentials: {a: {abstract: 1}}", "wrong-type"),
        ("", "empty-file"),
        ("[a]", "wrong-type"),
    ],
)
def test_everything_else_is_said(text, code):
    assert code in errors(text)


def test_an_unknown_kind_hides_nothing_else():
    assert errors("kind: secret\nregion: West Europe\nclient_certificate_password: []") == [
        "unknown-kind",
        "bad-value",
        "wrong-type",
    ]


# Layers


def test_layers_are_judged_as_one_configuration():
    base = "credentials: {base: {cloud: moon}}"
    over = "credentials: {base: {cloud: public}, a: {extends: base}}"
    assert errors(base, over) == []
    assert errors(over, base) == ["bad-value"]
    assert errors(over) == []
    assert errors("credentials: {a: {extends: base}}") == ["unknown-parent"]


def test_each_layer_may_name_the_authority_in_one_way_only():
    problems = judged("cloud: public", "cloud: public\nauthority: login.microsoftonline.com")
    [problem] = [item for item in problems if item.severity == "error"]
    assert (problem.code, problem.file, problem.line) == ("conflict", "over.yaml", 2)


def test_a_section_may_be_in_one_of_the_layers():
    assert errors("a: {b: {cloud: moon}}", "other: 1", section="a.b") == ["bad-value"]
    assert errors("other: 1", section="a.b") == ["missing-section"]
    [problem] = judged("a: {b: {cloud: moon}}", section="a.b")
    assert problem.path == "a.b.cloud"


# Warnings


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (f"client_secret: {CANARY}", ["secret-in-file"]),
        (f"client_secret: [{{env: A}}, {CANARY}]", ["secret-in-file"]),
        (f"client_secret: ' {CANARY}'", ["secret-in-file", "surrounding-space"]),
        (f"client_secret: '\"{CANARY}\"'", ["secret-in-file", "surrounding-quotes"]),
        (f"client_secret: {TENANT}", ["secret-in-file", "secret-is-guid"]),
        ("authority: login.example.com", ["unknown-authority"]),
        ("client_id: my-app", ["client-id-no-guid"]),
        ("client_id: my-app\nauthority: {env: A}", []),
        (f"client_id: {CLIENT}\nauthority: localhost:8443", []),
        (COMPLETE, ["secret-in-file"]),
        (f"client_secret: {CANARY} #{CANARY}", ["cut-value", "secret-in-file"]),
        ("client_id: ${MY_ID}", ["not-expanded"]),
    ],
)
def test_what_is_probably_wrong_is_a_warning(text, codes):
    assert sorted(warnings(text)) == codes
    assert errors(text) == []


def test_another_client_id_than_that_of_the_secret_is_a_warning_as_the_environment_may_give_it_a_secret():
    text = f"""\
        credentials:
          a: {{client_id: {CLIENT}, client_secret: {{env: A}}}}
          b: {{extends: a, client_id: {OTHER_CLIENT}}}
        """
    assert warnings(text) == ["mixed-identity"]
    assert errors(text) == []


def test_client_ids_that_are_references_are_compared_unread():
    parent = "a: {client_id: {env: A}, client_secret: {env: S}}"
    assert warnings(f"credentials: {{{parent}, b: {{extends: a, client_id: {{env: B}}}}}}") == ["mixed-identity"]
    assert warnings(f"credentials: {{{parent}, b: {{extends: a, client_id: {{env: A}}}}}}") == []
    assert warnings(f"credentials: {{{parent}, b: {{extends: a, client_id: {{file: a}}}}}}") == ["mixed-identity"]


def test_an_entry_may_have_another_host_than_what_it_extends():
    assert warnings("credentials: {a: {cloud: usgov}, b: {extends: a, authority: login.microsoftonline.com}}") == []


def test_a_layer_that_sends_the_secret_of_another_to_its_own_host_is_a_warning():
    texts = {"base.yaml": "{cloud: usgov, client_secret: {env: S}}", "production.yaml": "cloud: china"}
    documents = [document_of(text, name) for name, text in texts.items()]
    found = [problem for problem in judge(documents) if problem.code == "authority-displaced"]
    assert [problem.severity for problem in found] == ["warning"]
    assert found[0].message.endswith("and receives the secret that base.yaml gives")


# Beside load()

GOOD = {
    "tenant_id": [TENANT, "contoso.onmicrosoft.com"],
    "client_id": [CLIENT, OTHER_CLIENT],
    "client_secret": [CANARY, ["a", "b"]],
    "client_certificate": [{"file": "a"}],
    "cloud": ["public", "usgov"],
    "authority": ["login.microsoftonline.com"],
    "oidc_authority": ["https://a.example/b"],
    "region": ["westus2"],
    "kind": ["client_secret"],
    "http": [{"timeout": 5}],
    "prefetch": [["a/.default"]],
    "allowed_tenants": [["*"]],
}
BAD = {
    "tenant_id": ["a/b", []],
    "client_id": ["", {}],
    "client_secret": [{"vault": "a"}, []],
    "cloud": ["moon"],
    "authority": ["http://a", "a/b"],
    "region": ["a b"],
    "kind": ["secret"],
    "http": [{"timeout": 0}, {"retry": 1}, []],
    "send_certificate_chain": [True, "perhaps"],
    "env_prefix": ["a-b"],
    "extends": ["base"],
    "clientid": ["x"],
}
OF_THE_MACHINE = {"missing-file", "missing-variable", "bad-certificate"}


@st.composite
def entries(draw):
    found = {}
    for name in draw(st.lists(st.sampled_from(sorted({*GOOD, *BAD})), max_size=4, unique=True)):
        good = name in GOOD and (name not in BAD or draw(st.integers(0, 3)))
        found[name] = draw(st.sampled_from(GOOD[name] if good else BAD[name]))
    return found


def supplying(name, given):
    """The variables of an environment that supplies what is missing, and nothing else."""
    environ = {} if {"tenant_id", "oidc_authority"} & given.keys() else {"TENANT_ID": TENANT}
    if "client_id" not in given:
        environ["CLIENT_ID"] = CLIENT
    if not {"client_secret", "client_certificate"} & given.keys():
        certificate = "send_certificate_chain" in given and given.get("kind") != "client_secret"
        environ |= {"CLIENT_CERTIFICATE_FILE": "a.pem"} if certificate else {"CLIENT_SECRET": CANARY}
    return {f"CREDCONF__{name.upper()}__{field}": value for field, value in environ.items()}


def refused(path, name, given):
    """The codes with which `load()` refuses an entry, except for problems of the files of its secrets."""
    try:
        credconf.load(path, name=name, env_file=False, environ=supplying(name, given))
    except credconf.ConfigError as error:
        return {item.code for item in error.problems if item.severity == "error"} - OF_THE_MACHINE
    return set()


@settings(max_examples=share(300), deadline=None)
@given(base=entries(), child=entries())
def test_the_verdict_is_that_of_load_in_an_environment_that_supplies_what_is_missing(tmp_path_factory, base, child):
    path = tmp_path_factory.mktemp("static") / "app.yaml"
    text = json.dumps({"credentials": {"base": base, "child": {"extends": "base", **child}}})
    path.write_text(text, encoding="utf-8")
    found = judge([document_of(text, str(path))])
    wrong = {item.code for item in found if item.severity == "error" or item.code == "mixed-identity"}
    there = refused(path, "base", base) | refused(path, "child", {**base, **child})
    assert bool(wrong) == bool(there), (wrong, there)


# Once


@pytest.mark.parametrize(
    "text",
    [
        "credentials:\n  a: &a {clinet_id: x}\n  b: *a\n  c: *a\n",
        "x-common: &common {clinet_id: x}\ncredentials:\n  a: {<<: *common}\n  b: {<<: *common}\n",
        "x-http: &http {tiemout: 3}\ncredentials:\n  a: {http: *http}\n  b: {http: *http}\n",
        "x-secret: &secret {vault: 3}\ncredentials:\n  a: {client_secret: *secret}\n  b: {client_secret: *secret}\n",
        "x-secret: &secret ${SECRET}\ncredentials:\n  a: {region: *secret}\n  b: {region: *secret}\n",
    ],
)
def test_a_mistake_that_several_entries_share_is_told_once(text):
    problems = judged(text)
    assert len({(problem.code, problem.line, problem.column) for problem in problems}) == len(problems)


@pytest.mark.parametrize(
    ("entries", "through"),
    [
        ("a: {extends: b}, b: {extends: c}, c: {extends: a}", ["a b"]),
        ("c: {extends: a}, a: {extends: b}, b: {extends: c}", ["c a"]),
        ("a: {extends: a}, b: {extends: [a, b]}", ["a a", "b b"]),
        ("a: {extends: [b, c]}, b: {extends: a}, c: {extends: a}", ["a b", "a c"]),
        ("x: {extends: a}, a: {extends: b}, b: {extends: a}, y: {extends: [b, x]}", ["a b"]),
        ("a: {extends: [b, c]}, b: {extends: c}, c: {}", []),
    ],
)
def test_a_circle_is_one_mistake(entries, through):
    problems = judged(f"credentials: {{{entries}}}\n")
    assert [problem.code for problem in problems] == ["cycle"] * len(through)
    expected = [f"`{a}` extends itself" + (f", through `{b}`" if a != b else "") for a, b in map(str.split, through)]
    assert [problem.message for problem in problems] == expected
