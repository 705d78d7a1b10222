"""Flat and named, layers, `extends`, and which entry is chosen."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.config.project import CANARY, CLIENT, COMPLETE, OTHER_CLIENT, TENANT, codes, only, secret_of, warned

NAMED = f"""\
default: billing
credentials:
  base: {{abstract: true, tenant_id: {TENANT}, cloud: usgov}}
  billing: {{extends: base, client_id: {CLIENT}, client_secret: {CANARY}}}
  reports:
    extends: [base]
    client_id: {OTHER_CLIENT}
    client_secret: other
"""


def test_a_flat_file_has_no_name(project):
    resolved = project.flat(COMPLETE)
    assert resolved.name is None
    assert resolved.settings.client_id == CLIENT


def test_the_default_entry_is_chosen_and_inherits(project):
    resolved = project.flat(NAMED)
    assert resolved.name == "billing"
    assert resolved.settings.tenant_id == TENANT
    assert resolved.settings.authority == "https://login.microsoftonline.us"
    assert resolved.origins["tenant_id"].entry == "base"
    assert resolved.origins["client_id"].entry == "billing"


def test_a_name_wins_over_the_variable_which_wins_over_the_default(project):
    assert project.flat(NAMED, environ={"CREDCONF_NAME": "reports"}).name == "reports"
    assert project.load("app.yaml", name="billing", environ={"CREDCONF_NAME": "reports"}).name == "billing"
    assert project.load("app.yaml", environ={"CREDCONF_NAME": ""}).name == "billing"


def test_an_unknown_name_is_an_error_with_a_suggestion(project):
    project.write("app.yaml", NAMED)
    problem = only(project.refused("app.yaml", name="biling"))
    assert (problem.code, problem.hint) == ("unknown-name", "did you mean `billing`?")
    assert str(problem.origin) == "argument name"
    problem = only(project.refused("app.yaml", environ={"CREDCONF_NAME": "zzz"}))
    assert problem.code == "unknown-name"
    assert str(problem.origin) == "$CREDCONF_NAME"
    assert "reports" in problem.hint


def test_an_unknown_default_is_an_error_at_its_line(project):
    problem = only(project.refused_text(NAMED.replace("default: billing", "default: bling")))
    assert (problem.code, problem.line, problem.column, problem.path) == ("unknown-name", 1, 10, "default")


def test_an_abstract_entry_can_not_be_chosen(project):
    project.write("app.yaml", NAMED)
    error = project.refused("app.yaml", name="base")
    assert "abstract" in codes(error)


def test_abstract_is_not_inherited(project):
    assert project.flat(NAMED, name="reports").settings.client_id == OTHER_CLIENT


def test_without_a_choice_the_message_names_what_there_is(project):
    problem = only(project.refused_text(NAMED.replace("default: billing\n", "")))
    assert problem.code == "no-name"
    assert "billing, reports" in problem.hint
    assert "base" not in problem.hint


def test_a_flat_file_has_no_entries_to_choose(project):
    project.write("app.yaml", COMPLETE)
    assert "unknown-name" in codes(project.refused("app.yaml", name="billing"))
    assert "unknown-name" in codes(project.refused("app.yaml", environ={"CREDCONF_NAME": "billing"}))


def test_a_file_is_flat_or_named(project):
    error = project.refused_text(f"client_id: {CLIENT}\n{NAMED}")
    assert "flat-and-named" in codes(error)
    problem = next(item for item in error.problems if item.code == "flat-and-named")
    assert (problem.line, problem.column) == (1, 1)


def test_layers_are_flat_or_named(project):
    project.write("base.yaml", COMPLETE)
    project.write("prod.yaml", NAMED)
    assert "flat-and-named" in codes(project.refused(["base.yaml", "prod.yaml"]))


@pytest.mark.parametrize("name", ["Billing", "1st", "a--b", "a__b", "-a", "a-", "a.b", "ä", "", "with space"])
def test_a_name_must_be_usable_in_a_variable(project, name):
    error = project.refused_text(f"credentials:\n  ok: {{}}\n  {name!r}: {{}}\n", name="ok")
    problem = next(item for item in error.problems if item.code == "bad-name")
    assert (problem.line, problem.column) == (3, 3)


@pytest.mark.parametrize("name", ["a", "a1", "my-app", "my_app2", "a-1_b"])
def test_good_names_are_accepted(project, name):
    text = f"default: {name}\ncredentials:\n  {name}: {{tenant_id: {TENANT}, client_id: {CLIENT}, client_secret: x}}\n"
    assert project.flat(text).name == name


def test_two_names_for_one_variable_are_an_error(project):
    error = project.refused_text("credentials:\n  my-app: {}\n  my_app: {}\n")
    problem = next(item for item in error.problems if item.code == "bad-name")
    assert "`my-app` and `my_app`" in problem.message
    assert problem.line in {2, 3}


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        ("a: {extends: a}", 2),
        ("a: {extends: b}\n  b: {extends: a}", 2),
        ("a: {extends: b}\n  b: {extends: c}\n  c: {extends: [a]}", 2),
    ],
)
def test_a_cycle_is_an_error(project, entries, line):
    error = project.refused_text(f"credentials:\n  {entries}\n", name="a")
    cycles = [item for item in error.problems if item.code == "cycle"]
    assert cycles[0].line == line
    assert cycles[0].path == "credentials.a.extends"


def test_an_unknown_parent_is_an_error_with_a_suggestion(project):
    error = project.refused_text(NAMED.replace("extends: base", "extends: bsae"))
    problem = next(item for item in error.problems if item.code == "unknown-parent")
    assert (problem.line, problem.hint) == (4, "did you mean `base`?")


def test_a_later_parent_wins(project):
    text = f"""\
        credentials:
          one: {{abstract: true, region: westus2, tenant_id: {TENANT}}}
          two: {{abstract: true, region: eastus}}
          a: {{extends: [one, two], client_id: {CLIENT}, client_secret: x}}
          b: {{extends: [two, one], client_id: {CLIENT}, client_secret: x}}
        """
    first = project.flat(text, name="a")
    assert (first.settings.region, first.settings.tenant_id) == ("eastus", TENANT)
    assert [origin.entry for origin in first.origins["region"].displaced] == ["one"]
    assert project.flat(text, name="b").settings.region == "westus2"


def test_a_diamond_is_no_cycle(project):
    resolved = project.flat(
        f"""\
        credentials:
          root: {{abstract: true, tenant_id: {TENANT}, region: westus2}}
          left: {{abstract: true, extends: root}}
          right: {{abstract: true, extends: root, region: eastus}}
          bottom: {{extends: [left, right], client_id: {CLIENT}, client_secret: x}}
        """,
        name="bottom",
    )
    assert resolved.settings.tenant_id == TENANT
    assert resolved.settings.region == "eastus"


def test_a_grandparent_is_inherited_from(project):
    resolved = project.flat(
        f"""\
        default: c
        credentials:
          a: {{abstract: true, tenant_id: {TENANT}}}
          b: {{abstract: true, extends: a}}
          c: {{extends: b, client_id: {CLIENT}, client_secret: x}}
        """
    )
    assert resolved.settings.tenant_id == TENANT


def test_layers_merge_by_entry_and_field(project):
    project.write("base.yaml", NAMED)
    project.write("prod.yaml", "credentials:\n  billing: {region: westus2}\n  base: {cloud: china}\n")
    resolved = project.load(["base.yaml", "prod.yaml"])
    assert resolved.settings.region == "westus2"
    assert resolved.settings.authority == "https://login.chinacloudapi.cn"
    assert secret_of(resolved) == CANARY
    assert str(resolved.origins["cloud"]) == "prod.yaml:3:17"
    assert [str(origin) for origin in resolved.origins["cloud"].displaced] == [
        f"base.yaml:3:{NAMED.splitlines()[2].index('usgov') + 1}"
    ]


def test_http_merges_leaf_by_leaf(project):
    project.write("base.yaml", COMPLETE + "http: {timeout: 1, retries: 1}\n")
    project.write("prod.yaml", "http: {retries: 2}\n")
    http = project.load(["base.yaml", "prod.yaml"], environ={"CREDCONF_HTTP__TOTAL_TIMEOUT": "7"}).settings.http
    assert (http.timeout, http.retries, http.total_timeout) == (1, 2, 7)


def test_a_group_from_an_argument_merges_leaf_by_leaf_too(project):
    http = project.flat(COMPLETE + "http: {timeout: 1, retries: 1}\n", http={"retries": 5}).settings.http
    assert (http.timeout, http.retries) == (1, 5)


def test_extends_may_cross_files(project):
    project.write("base.yaml", f"credentials:\n  shared: {{abstract: true, tenant_id: {TENANT}}}\n")
    project.write("prod.yaml", f"default: a\ncredentials:\n  a: {{extends: shared, client_id: {CLIENT}}}\n")
    resolved = project.load(["base.yaml", "prod.yaml"], client_secret="x")
    assert resolved.settings.tenant_id == TENANT
    assert resolved.origins["tenant_id"].file == "base.yaml"


def test_a_later_layer_decides_default_extends_and_abstract(project):
    project.write("base.yaml", NAMED)
    project.write("prod.yaml", "default: reports\ncredentials: {reports: {extends: []}, base: {abstract: false}}\n")
    resolved = project.load(["base.yaml", "prod.yaml"], tenant_id="contoso.example")
    assert resolved.name == "reports"
    assert resolved.settings.cloud == "public"
    error = project.refused(["base.yaml", "prod.yaml"], name="base")
    assert "abstract" not in codes(error)


def test_a_variable_may_name_several_files(project):
    project.write("base.yaml", COMPLETE)
    project.write("prod.yaml", "region: westus2\n")
    resolved = project.load(environ={"CREDCONF_FILE": os.pathsep.join(["base.yaml", "prod.yaml"])})
    assert resolved.settings.region == "westus2"
    assert not resolved.origins["region"].discovered


def test_the_default_file_is_read_only_where_no_other_is_named(project):
    project.write("credconf.yaml", COMPLETE)
    project.write("other.yaml", COMPLETE.replace(CLIENT, OTHER_CLIENT))
    assert project.load().settings.client_id == CLIENT
    assert project.load().origins["client_id"].discovered
    assert project.load(environ={"CREDCONF_FILE": "other.yaml"}).settings.client_id == OTHER_CLIENT
    assert project.load("other.yaml", environ={"CREDCONF_FILE": "credconf.yaml"}).settings.client_id == OTHER_CLIENT


@pytest.mark.parametrize("environ", [{}, {"CREDCONF_FILE": "credconf.yaml"}])
def test_files_can_be_switched_off(project, environ):
    project.write("credconf.yaml", COMPLETE)
    error = project.refused(False, environ=environ)
    assert set(codes(error)) == {"missing"}
    assert "credconf.yaml (switched off)" in str(error)


def test_a_missing_file_says_who_named_it(project):
    problem = only(project.refused("nowhere.yaml"))
    assert (problem.code, problem.file) == ("missing-file", "nowhere.yaml")
    problem = only(project.refused(environ={"CREDCONF_FILE": "nowhere.yaml"}))
    assert "CREDCONF_FILE" in problem.hint


def test_one_missing_layer_is_an_error_and_the_others_are_judged_too(project):
    project.write("prod.yaml", "clinet_id: x\n")
    assert {"missing-file", "unknown-key"} <= set(codes(project.refused(["base.yaml", "prod.yaml"])))


def test_a_broken_link_in_the_place_of_the_default_file_is_not_skipped(project):
    (project.path / "credconf.yaml").symlink_to(project.path / "nowhere")
    assert "missing-file" in codes(project.refused())


SECTION = f"azure:\n  storage:\n    {COMPLETE.replace(chr(10), chr(10) + '    ')}\nother: {{clinet_id: [1, 2]}}\n"


def test_a_section_of_an_applications_own_file_is_ours_alone(project):
    resolved = project.flat(SECTION, section="azure.storage")
    assert resolved.settings.client_id == CLIENT
    assert resolved.origins["tenant_id"].line == 3


def test_strictness_covers_our_section_alone(project):
    error = project.refused_text(SECTION.replace("client_id", "clinet_id"), section="azure.storage")
    unknown = [item for item in error.problems if item.code == "unknown-key"]
    assert [(item.path, item.line, item.column) for item in unknown] == [("azure.storage.clinet_id", 4, 5)]


def test_duplicates_outside_our_section_are_not_ours(project):
    assert project.flat(SECTION + "other: again\n", section="azure.storage").settings.client_id == CLIENT


@pytest.mark.parametrize("section", ["azure.nothing", "nothing", "other.clinet_id.deeper"])
def test_a_section_that_is_not_there_is_an_error(project, section):
    assert "missing-section" in codes(project.refused_text(SECTION, section=section))


def test_a_section_may_be_named_entries(project):
    text = f"app:\n  creds:\n    {NAMED.replace(chr(10), chr(10) + '    ')}\n"
    assert project.flat(text, section="app.creds").name == "billing"


def test_a_layer_may_leave_the_section_out(project):
    project.write("base.yaml", SECTION)
    project.write("prod.yaml", "other: 1\n")
    assert project.load(["base.yaml", "prod.yaml"], section="azure.storage").settings.client_id == CLIENT


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("default: [a]\ncredentials: {}\n", "default", 1),
        ("default: a\ncredentials: text\n", "credentials", 2),
        ("credentials:\n  a: text\n", "credentials.a", 2),
        ("credentials:\n  a: {extends: {b: c}}\n", "credentials.a.extends", 2),
        ("credentials:\n  a: {abstract: perhaps}\n", "credentials.a.abstract", 2),
        ("credentials:\n  a: {http: text}\n", "credentials.a.http", 2),
    ],
)
def test_wrong_shapes_have_their_place(project, text, path, line):
    error = project.refused_text(text, name="a")
    problem = next(item for item in error.problems if item.code == "wrong-type")
    assert (problem.path, problem.line) == (path, line)


def test_both_names_of_allowed_tenants_are_an_error_and_either_works(project):
    text = COMPLETE + "allowed_tenants: ['*']\n"
    assert project.flat(text).settings.additionally_allowed_tenants == ("*",)
    error = project.refused_text(text + "additionally_allowed_tenants: ['*']\n")
    assert only(error).code == "conflict"
    assert only(error).line in {4, 5}


def test_the_alias_of_one_layer_displaces_the_field_of_another(project):
    project.write("base.yaml", COMPLETE + "additionally_allowed_tenants: [a.example]\n")
    project.write("prod.yaml", "allowed_tenants: [b.example]\n")
    resolved = project.load(["base.yaml", "prod.yaml"])
    assert resolved.settings.additionally_allowed_tenants == ("b.example",)


def test_entries_that_were_not_chosen_are_checked_for_their_keys(project):
    error = project.refused_text(NAMED.replace("client_secret: other", "clinet_secret: other"))
    assert only(error).path == "credentials.reports.clinet_secret"


def test_a_found_file_is_not_a_warning_by_itself(project):
    project.write("credconf.yaml", COMPLETE)
    assert warned(project.load()) == ["secret-in-file"]


def test_what_both_parents_extend_stands_below_both(project):
    project.write(
        "credconf.yaml",
        """\
        default: bottom
        credentials:
          root: {abstract: true, tenant_id: root.example, region: westus}
          left: {abstract: true, extends: root, tenant_id: left.example}
          right: {abstract: true, extends: root, region: eastus}
          bottom: {extends: [left, right], client_id: c, client_secret: s}
        """,
    )
    resolved = project.load()
    assert (resolved.settings.tenant_id, resolved.settings.region) == ("left.example", "eastus")


@pytest.mark.parametrize(
    ("written", "suggested"),
    [("Billing", "billing"), ("my app", None), ("My__App", "my-app"), ("a.b", "a-b"), ("1st", None), (CANARY, None)],
)
def test_a_name_that_can_t_be_used_is_answered_with_one_that_can(project, written, suggested):
    problem = only(project.refused_text(f"credentials:\n  {written}: {{client_secret: {CANARY}}}\n"))
    rule = "lower-case letters and digits, joined by single `-` or `_`"
    assert problem.code == "bad-name"
    assert problem.hint == (f"write `{suggested}`: {rule}" if suggested else f"write {rule}, such as my-app")


@pytest.mark.parametrize("text", ["", "- a\n", "credentials: []\n", "credentials: {Bad: {}}\n"])
def test_where_nothing_could_be_read_nothing_is_said_to_be_missing(project, text):
    assert "missing" not in codes(project.refused_text(text))


def test_what_a_missing_parent_may_hold_is_not_said_to_be_missing(project):
    text = f"default: a\ncredentials:\n  a: {{extends: bsae, client_id: {CLIENT}}}\n  base: {{abstract: true}}\n"
    assert codes(project.refused_text(text)) == ["unknown-parent"]
    assert codes(project.refused_text(text.replace("bsae", "base"))) == ["missing", "missing"]


def test_an_entry_that_extends_more_than_anybody_can_follow_is_told_so(project):
    lines = ["credentials:", *(f"  e{n}: {{extends: e{n + 1}}}" for n in range(200)), "  e200: {tenant_id: a.example}"]
    project.write("credconf.yaml", "\n".join(lines) + "\n")
    problems = [problem for problem in project.refused(name="e0").problems if problem.code != "missing"]
    assert {problem.code for problem in problems} == {"too-complex"}
    assert {problem.line for problem in problems} == set(range(2, 2 + 200 - 64))


def test_an_entry_may_extend_as_many_as_the_limit(project):
    lines = ["credentials:", *(f"  e{n}: {{extends: e{n + 1}}}" for n in range(63)), "  e63: {tenant_id: a.example}"]
    lines += [f"  app: {{extends: [{', '.join(f'e{n}' for n in range(63))}], client_id: c, client_secret: s}}"]
    project.write("credconf.yaml", "\n".join(lines) + "\n")
    assert project.load(name="app").settings.tenant_id == "a.example"


def test_without_a_working_directory_absolute_paths_still_work(project):
    home, gone = project.path, project.path / "gone"
    gone.mkdir()
    project.write("credconf.yaml", "tenant_id: a.example\nclient_id: c\nclient_secret: {file: secret}\n")
    project.write("secret", "a secret")
    body = f"""
import os, credconf
credconf.load({str(home / "credconf.yaml")!r}, environ={{}}), credconf.ConfigError  # what is imported lazily is there
os.rmdir(os.getcwd())
print(credconf.load({str(home / "credconf.yaml")!r}, environ={{}}).settings.tenant_id)
try:
    credconf.load("credconf.yaml", environ={{}})
except credconf.ConfigError as error:
    print(error.problems[0].code)
"""
    done = subprocess.run([sys.executable, "-c", body], cwd=gone, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("a.example\nmissing-file\n", "")


@pytest.mark.parametrize("before", ["", NAMED, COMPLETE])
def test_an_entry_at_the_top_of_a_file_is_told_where_it_belongs(project, before):
    text = f"{before}sales:\n  client_id: {CLIENT}\n  client_secret: {CANARY}\n"
    problem = next(each for each in project.refused_text(text).problems if each.path == "sales")
    assert (problem.code, problem.hint) == ("unknown-key", "if it is an entry, indent it below `credentials:`")


@pytest.mark.parametrize(("text", "meant"), [("token_cahce: {kind: file}", "token_cache"), ("htpp: {kind: x}", "http")])
def test_a_misspelt_group_is_no_entry(project, text, meant):
    problem = next(each for each in project.refused_text(f"{COMPLETE}{text}\n").problems if each.code == "unknown-key")
    assert problem.hint == f"did you mean `{meant}`?"


SETTINGS_BELOW = f"  tenant_id: {TENANT}\n  client_id: {CLIENT}\n  client_secret: {CANARY}\n"


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        (
            f"credentials:\n  billing:\n{SETTINGS_BELOW}",
            "credentials.tenant_id",
            "indent it and the settings after it below `billing:`",
        ),
        (
            f"credentials:\n{SETTINGS_BELOW}",
            "credentials.tenant_id",
            "indent it and the settings after it below the name of an entry, such as `my-app:`",
        ),
        (f"{NAMED}  extends: base\n", "credentials.extends", "indent it below the name of an entry, such as `my-app:`"),
    ],
    ids=["below an empty entry", "without a name", "after other entries"],
)
def test_settings_among_the_names_of_entries_are_told_once(project, text, path, hint):
    problem = only(project.refused_text(text))
    assert (problem.code, problem.path, problem.hint) == ("wrong-type", path, hint)
    assert CANARY not in repr(problem)


def test_an_entry_may_be_called_as_a_setting(project):
    text = f"credentials:\n  http:\n    tenant_id: {TENANT}\n    client_id: {CLIENT}\n    client_secret: x\n"
    assert project.flat(text, name="http").name == "http"
