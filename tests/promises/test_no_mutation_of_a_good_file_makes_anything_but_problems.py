"""Promise: what a slip of the hand makes of a good file is a list of problems, each at a place that is in the file.

And none of them shows a value, nor a piece of one, in any rendering.
"""

from __future__ import annotations

import json
import pickle

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import credconf
from credconf.config.dotenv import dotenv_lines
from credconf.config.reading.nodes import yaml_lines
from credconf.problems import as_dicts, as_github, as_text
from tests.config.project import CLIENT, TENANT, assert_nothing_shows
from tests.diagonal import share

# No four characters of it could be a name, so a piece of it is not taken for a key.
CANARY = "c4~n4+ry~Mu+st~No+t~Ap+pe~ar"
PIECES = [CANARY[start : start + 4] for start in range(len(CANARY) - 3)]

FLAT = f"""\
# yaml-language-server: $schema=credconf.schema.json
x-common: &common
  cloud: usgov
  http: {{timeout: 5, retries: 2, proxy: "http://user:{CANARY}@proxy.example:8080"}}
<<: *common
tenant_id: {TENANT}
client_id: '{CLIENT}'     # the application
client_secret: {CANARY}
additionally_allowed_tenants: ["*"]
prefetch:
  - https://storage.azure.com/.default
  - https://graph.microsoft.us/.default
"""
NAMED = f"""\
default: billing
credentials:
  base: {{abstract: true, tenant_id: {TENANT}, cloud: usgov}}
  billing:
    extends: base
    client_id: {CLIENT}
    client_secret: |-
      {CANARY}
  reports:
    extends: [base]
    client_id: "{CLIENT}"
    client_secret:
      - {CANARY}
      - {{env: REPORTS_SECRET}}
    http:
      timeout: 5
"""
BASE = f"""\
credentials:
  base:
    abstract: yes
    tenant_id: {TENANT}
    token_cache: {{max_entries: 10}}
"""
PROD = f"""\
default: my-app
credentials:
  my-app: {{extends: base, client_id: {CLIENT}, client_secret: "{CANARY}", env_prefix: APP_}}
"""
DOTENV = f"""\
# for development
export AZURE_TENANT_ID={TENANT}
AZURE_CLIENT_ID='{CLIENT}'

AZURE_CLIENT_SECRET="{CANARY}"
CREDCONF_HTTP__TIMEOUT=5   # seconds
DATABASE_PASSWORD={CANARY}
"""
INSERTED = [
    *("\n", "\n  ", "\r\n", "\r", "\t", " ", "  ", "\u2028", "\x85", "\ufeff", "\0", "\x1b", "漢", "é", "🔑"),
    *(":", ": ", " #", "#", "-", "- ", "[", "]", "{", "}", ",", "'", '"', "\\", "|", ">", "&a ", "*a", "*common"),
    *("!", "!!str ", "?", "? ", "%", "@", "`", "---\n", "...\n", "<<: ", "=", "export ", "$", "${X}", "~", "null"),
    *("client_id", "tenantId", "extends", "credentials:", "default", "kind", "env", CANARY, CANARY[:9]),
]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "replace", "repeat", "move", "indent", "cut"]),
        st.integers(0, 2_000),
        st.integers(1, 30),
        st.sampled_from(INSERTED),
    ),
    min_size=1,
    max_size=4,
)
thoroughly = settings(
    max_examples=share(250), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def mutated(text: str, edits: list[tuple[str, int, int, str]]) -> str:
    """A text after some slips of the hand."""
    for what, where, length, piece in edits:
        start = where % (len(text) + 1)
        if what == "insert":
            text = text[:start] + piece + text[start:]
        elif what == "delete":
            text = text[:start] + text[start + length :]
        elif what == "replace":
            text = text[:start] + piece + text[start + len(piece) :]
        elif what == "cut":
            text = text[:start]
        else:
            text = "".join(_lines_edited(text.splitlines(keepends=True), what, where, length))
    return text


def _lines_edited(lines: list[str], what: str, where: int, length: int) -> list[str]:
    if not lines:
        return lines
    index = where % len(lines)
    line = lines[index]
    if what == "repeat":
        return [*lines[:index], line, *lines[index:]]
    if what == "move":
        rest = [*lines[:index], *lines[index + 1 :]]
        place = length % (len(rest) + 1)
        return [*rest[:place], line, *rest[place:]]
    return [*lines[:index], " " * (length % 7) + line.lstrip(), *lines[index + 1 :]]


def judge(files: dict[str, str], *arguments, **options) -> None:
    """Load, and hold what comes of it to the promise."""
    error = None
    try:
        problems = credconf.load(*arguments, **{"environ": {}, **options}).warnings
    except credconf.ConfigError as exc:
        error, problems = exc, exc.problems
    if error is not None:
        assert any(problem.severity == "error" for problem in problems)
        assert_nothing_shows(error, CANARY)
    for problem in problems:
        assert_inside(problem, files)
    shown = [as_text(problems), as_text(problems, colour=True), as_github(problems), repr(problems), repr(error)]
    shown += [json.dumps(as_dicts(problems), ensure_ascii=False), repr(getattr(error, "args", ()))]
    shown.append(repr(pickle.loads(pickle.dumps(problems))))  # noqa: S301 - our own
    assert not [piece for piece in PIECES for text in shown if piece in text]


def assert_inside(problem: credconf.Problem, files: dict[str, str]) -> None:
    if problem.line is None:
        return
    text = files[problem.file].removeprefix("\ufeff")
    lines = dotenv_lines(text) if problem.origin.place == "dotenv" else yaml_lines(text)
    if len(lines) > 1 and not lines[-1]:
        lines = lines[:-1]  # the last line ends in a newline; no line follows it
    assert 1 <= problem.line <= len(lines)
    assert problem.column is None or 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    excerpt = problem.excerpt
    if excerpt is not None:
        assert excerpt.line == problem.line
        assert excerpt.text.isprintable()
        assert excerpt.width >= 1
        # Some characters are two columns wide, and the blanks at the end of a line are not in its excerpt.
        longest = max(len(excerpt.text), len(lines[problem.line - 1]))
        assert excerpt.indent + excerpt.width <= 2 * longest + 1


@thoroughly
@given(edits=EDITS)
@example(edits=[("insert", 87, 1, "\n"), ("insert", 87, 1, "\t")])
def test_a_flat_file(project, edits):
    text = mutated(FLAT, edits)
    project.write("app.yaml", text.encode())
    judge({"app.yaml": text}, "app.yaml")


@thoroughly
@given(edits=EDITS)
def test_a_named_file(project, edits):
    text = mutated(NAMED, edits)
    project.write("app.yaml", text.encode())
    judge({"app.yaml": text}, "app.yaml")
    judge({"app.yaml": text}, "app.yaml", name="reports")


@thoroughly
@given(base=EDITS, prod=EDITS)
def test_two_layers(project, base, prod):
    files = {"base.yaml": mutated(BASE, base), "prod.yaml": mutated(PROD, prod)}
    for name, text in files.items():
        project.write(name, text.encode())
    judge(files, list(files))


@thoroughly
@given(edits=EDITS)
def test_a_dotenv(project, edits):
    text = mutated(DOTENV, edits)
    project.write(".env", text.encode())
    judge({".env": text})


@thoroughly
@given(edits=EDITS)
def test_a_section_of_another_file(project, edits):
    text = mutated("azure:\n  storage:\n" + "".join(f"    {line}\n" for line in FLAT.splitlines()), edits)
    project.write("app.yaml", text.encode())
    judge({"app.yaml": text}, "app.yaml", section="azure.storage")


def test_the_files_are_good_before_anything_slips(project):
    for name, text in (("flat.yaml", FLAT), ("named.yaml", NAMED), ("base.yaml", BASE), ("prod.yaml", PROD)):
        project.write(name, text)
    project.load("flat.yaml")
    project.load("named.yaml")
    project.load("named.yaml", name="reports")
    project.load(["base.yaml", "prod.yaml"])
    project.write(".env", DOTENV)
    project.load()
