"""YAML: text stays text, positions count from 1, and what is broken says where."""

from __future__ import annotations

import json
import os
import tracemalloc

import pytest

from credconf.config.reading.document import MAX_DEPTH, MAX_NODES, parse
from credconf.config.reading.nodes import Mapping, Scalar, Sequence, plain
from credconf.problems import Problem
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, codes, only, secret_of

AS_WRITTEN = ["012345", "1e10", "no", "null", "~", "12:30:45", "1_000", "0x1F", "2024-01-01", "$", "${HOME}", "$HOME"]


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_text_stays_text(project, text):
    assert secret_of(project.flat(f"{ID}client_secret: {text}\n")) == text


@pytest.mark.parametrize("text", ["012345", "1e10", "no", "null", "1_000"])
def test_ids_stay_text_too(project, text):
    resolved = project.flat(f"tenant_id: a{text.replace('_', '-')}\nclient_id: {text}\nclient_secret: x\n")
    assert resolved.settings.client_id == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("'a''b'", "a'b"),
        ('"a\\tb"', "a\tb"),
        ("'null'", "null"),
        ("|-\n  line", "line"),
        (">-\n  folded\n  text", "folded text"),
        ("!!str 12", "12"),
        ("!!int 012", "012"),
        ("&anchor value", "value"),
    ],
)
def test_a_scalar_is_read_as_yaml_writes_it(project, written, read):
    assert secret_of(project.flat(f"{ID}client_secret: {written}\n")) == read


def test_positions_count_from_1_and_point_at_keys_and_values(project):
    error = project.refused_text(f"{ID}client_secret: {CANARY}\nclinet_id: x\nhttp:\n  timeout: soon\n  retrys: 3\n")
    assert [(item.code, item.path, item.line, item.column) for item in error.problems if item.severity == "error"] == [
        ("unknown-key", "clinet_id", 4, 1),
        ("bad-value", "http.timeout", 6, 12),
        ("unknown-key", "http.retrys", 7, 3),
    ]


def test_columns_count_characters_not_bytes(project):
    error = project.refused_text(f"{ID}client_secret: x\nhttp: {{x-ä: ü, tiemout: 3}}\n")
    assert (only(error).line, only(error).column) == (4, 16)


def test_a_byte_order_mark_is_dropped(project):
    resolved = project.flat("\ufeff" + COMPLETE)
    assert resolved.settings.tenant_id == TENANT
    assert (resolved.origins["tenant_id"].line, resolved.origins["tenant_id"].column) == (1, 12)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_both_newlines_are_read_alike(project, newline):
    resolved = project.flat(COMPLETE.replace("\n", newline))
    assert secret_of(resolved) == CANARY
    assert resolved.origins["client_secret"].line == 3


def test_json_is_yaml(project):
    resolved = project.flat(f'{{"tenant_id": "{TENANT}", "client_id": "{CLIENT}", "client_secret": "x"}}')
    assert resolved.settings.client_id == CLIENT


def test_anchors_and_merge_keys_work_and_an_own_key_wins(project):
    resolved = project.flat(f"""\
        x-base: &base {{tenant_id: {TENANT}, client_id: merged, region: westus2}}
        <<: *base
        client_id: {CLIENT}
        client_secret: x
        """)
    assert resolved.settings.client_id == CLIENT
    assert resolved.settings.region == "westus2"
    assert resolved.origins["region"].line == 1


def test_the_earlier_of_two_merged_mappings_wins(project):
    resolved = project.flat(f"""\
        x-one: &one {{region: westus2}}
        x-two: &two {{region: eastus, tenant_id: {TENANT}}}
        <<: [*one, *two]
        client_id: {CLIENT}
        client_secret: x
        """)
    assert resolved.settings.region == "westus2"
    assert resolved.settings.tenant_id == TENANT


def test_a_schema_key_and_extension_keys_are_allowed_everywhere(project):
    resolved = project.flat(f"""\
        $schema: ../schema.json
        x-anything: [1, {{deep: 2}}]
        {ID.replace(chr(10), chr(10) + " " * 8)}client_secret: x
        http: {{x-note: why, retries: 1}}
        """)
    assert resolved.settings.http.retries == 1


BROKEN = {
    "a tab": (f"{ID}http:\n\ttimeout: 3\nclient_secret: {CANARY}\n", "bad-yaml", 4),
    "an open quote": (f'{ID}client_secret: "{CANARY}\n', "bad-yaml", None),
    "an open bracket": (f"{ID}client_secret: [{CANARY}\n", "bad-yaml", None),
    "an unknown alias": (f"{ID}client_secret: *{CANARY.split('~', maxsplit=1)[0]}\n", "bad-yaml", 3),
    "a reserved sign": (f"{ID}client_secret: @{CANARY}\n", "bad-yaml", 3),
    "a tag of Python's": (f"{ID}client_secret: !!python/name:os.system {CANARY}\n", "bad-yaml", 3),
    "a binary tag": (f"{ID}client_secret: !!binary {CANARY}\n", "bad-yaml", 3),
    "a local tag": (f"{ID}client_secret: !secret {CANARY}\n", "bad-yaml", 3),
    "a bad indentation": (f"{ID} client_secret: {CANARY}\n", "bad-yaml", None),
    "a second document": (f"{COMPLETE}---\n{COMPLETE}", "bad-yaml", 4),
    "an alias to what holds it": (f"{ID}client_secret: &a [*a, {CANARY}]\n", "bad-yaml", 3),
    "a duplicate key": (f"{COMPLETE}client_secret: {CANARY}\n", "duplicate-key", 4),
    "a duplicate below": (f"{COMPLETE}http: {{retries: 1, retries: 2}}\n", "duplicate-key", 4),
    "a list for a key": (f"{COMPLETE}? [a, {CANARY}]\n: x\n", "bad-key", 4),
    "a merge of text": (f"{COMPLETE}<<: {CANARY}\n", "bad-key", 4),
    "a list": (f"- {CANARY}\n- b\n", "wrong-type", 1),
    "only text": (f"{CANARY}\n", "wrong-type", 1),
    "no space after the colon": (f"client_secret:{CANARY}\n", "wrong-type", 1),
    "nothing": ("", "empty-file", 1),
    "a comment": (f"# {CANARY}\n", "empty-file", 1),
    "null": ("null\n", "empty-file", 1),
    "a control character": (f"{ID}client_secret: {CANARY}\x07\n", "bad-yaml", None),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_not_a_mapping_of_settings_is_refused_with_its_place(project, case):
    text, code, line = BROKEN[case]
    error = project.refused_text(text)
    problem = next(item for item in error.problems if item.severity == "error")
    assert (problem.code, problem.file) == (code, "app.yaml")
    if line is not None:
        assert problem.line == line
        assert problem.column is not None
        assert problem.column >= 1


def test_a_file_without_a_setting_says_how_one_is_written(project):
    for text in (f"TENANT_ID={CANARY}\nCLIENT_ID=a\n", f"tenant_id:{CANARY}\nclient_id:a\n"):
        assert only(project.refused_text(text)).hint == "write `key: value`, with a space after the colon"
    assert only(project.refused_text(f"- tenant_id: {CANARY}\n")).hint == "write `key: value`, without `-`"


def test_a_merge_of_an_anchor_that_is_not_there_is_told_as_that(project):
    problem = only(project.refused_text(f"{ID}<<: *nope\nclient_secret: {CANARY}\n"))
    assert (problem.message, problem.line, problem.column) == ("there is no anchor with this name above", 3, 5)
    assert "quotes" not in problem.hint


FOREIGN = {
    "CloudFormation": "Resources: {Name: !Sub '${AWS::StackName}', Ref: !Ref Parameter, Join: !Join ['', [a, b]]}",
    "mkdocs": "markdown_extensions: [{emoji: {generator: !!python/name:material.extensions.emoji.to_svg ''}}]",
    "Home Assistant": "http: !include http.yaml\nsensor: !include_dir_merge_list sensors",
    "a mapping and a key": "!a one: !b {two: !c [three]}",
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_the_tags_of_an_application_are_its_own(project, text):
    ours = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": {"env": "SECRET"}}
    project.write("app.yaml", f"{text}\nazure: {{storage: {json.dumps(ours)}}}\n")
    assert project.load("app.yaml", section="azure.storage", environ={"SECRET": CANARY}).settings.client_id == CLIENT


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("azure: {storage: !include storage.yaml}", (1, 18)),
        ("azure: !include azure.yaml", (1, 8)),
        ("azure: !ours {storage: {client_id: a}}", (1, 8)),
        ("azure: {storage: !ours {client_id: a}}", (1, 18)),
        ("azure: {storage: {client_secret: !vault x}}", (1, 34)),
        ("azure: {storage: {client_secret: [{file: !vault x}]}}", (1, 42)),
        ("azure: {storage: {!ours client_id: a}}", (1, 19)),
        ("azure: {storage: {http: !ours {retries: 3}}}", (1, 25)),
        ("x: &x !ours {client_id: a}\nazure: {storage: {<<: *x}}", (1, 4)),
        ("x: &x {client_id: !ours a}\nazure: {storage: {<<: *x}}", (1, 19)),
        ("x: &x {client_id: !ours a}\nazure: {storage: {client_id: *x}}", (1, 19)),
    ],
)
def test_a_tag_in_what_our_section_uses_is_an_error(project, text, place):
    project.write("app.yaml", text)
    error = project.refused("app.yaml", section="azure.storage")
    [problem] = [item for item in error.problems if item.code == "bad-yaml"]
    assert (problem.line, problem.column) == place
    assert problem.message == "a YAML tag is not allowed here"
    assert "write {env: NAME} for a variable" in problem.hint


def test_a_section_that_stands_in_something_tagged_is_not_used(project):
    project.write("app.yaml", f"<<: !ours {{azure: {{storage: {{client_id: {CANARY}}}}}}}\n")
    assert codes(project.refused("app.yaml", section="azure.storage")) == ["missing-section"]


def test_a_tab_and_a_sign_say_what_to_do(project):
    assert only(project.refused_text(BROKEN["a tab"][0])).hint == "indent with spaces"
    assert "quotes" in only(project.refused_text(BROKEN["a reserved sign"][0])).hint


def test_the_message_about_a_duplicate_names_both_lines(project):
    problem = only(project.refused_text(BROKEN["a duplicate key"][0]))
    assert problem.line == 4
    assert "line 3" in problem.message


def test_text_that_is_not_utf8_says_where(project):
    error = project.refused_text(b"tenant_id: x\nclient_id: \xc3\xa4\xff" + CANARY.encode())
    assert (only(error).code, only(error).line, only(error).column) == ("not-utf8", 2, 13)


def test_utf16_is_called_by_its_name(project):
    problem = only(project.refused_text(COMPLETE.encode("utf-16")))
    assert problem.code == "not-utf8"
    assert "UTF-16" in problem.message


def test_100_megabytes_are_refused_by_their_size(project):
    path = project.write("app.yaml", COMPLETE)
    os.truncate(path, 100 * 1024 * 1024)
    tracemalloc.start()
    try:
        assert only(project.refused("app.yaml")).code == "file-too-large"
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024  # of 100: what lies beyond the limit is not read
    finally:
        tracemalloc.stop()


def test_an_alias_bomb_is_bounded(project):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    problem = only(project.refused_text("\n".join(lines) + f"\nclient_secret: {CANARY}\n"))
    assert problem.code == "too-complex"
    assert f"{MAX_NODES:,}" in problem.message


def test_a_bomb_of_merge_keys_is_bounded(project):
    lines = ["x-0: &a0 {k: v}"]
    lines += [f"x-{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30)]
    assert codes(project.refused_text("\n".join(lines))) == ["too-complex"]


@pytest.mark.parametrize("bracket", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(project, bracket):
    error = project.refused_text("client_secret:\n  " + bracket * 50_000)
    assert only(error).code in {"too-complex", "bad-yaml"}


def test_nesting_within_the_limit_is_read():
    root = parse("[" * MAX_DEPTH + "x" + "]" * MAX_DEPTH, "any.yaml")
    assert isinstance(root, Sequence)
    assert isinstance(parse("[" * (MAX_DEPTH + 1) + "x" + "]" * (MAX_DEPTH + 1), "any.yaml"), Problem)


def test_a_parsed_tree_is_text_lists_and_mappings():
    root = parse("a: [1, {b: ~}]\nc: 'x'\n", "any.yaml")
    assert isinstance(root, Mapping)
    assert plain(root) == {"a": ["1", {"b": "~"}], "c": "x"}
    assert isinstance(root.child("c"), Scalar)
    assert CANARY not in repr(parse(f"a: {CANARY}", "any.yaml"))
