"""What the documentation shows is true: its Python runs, its YAML is accepted, its commands exist."""

from __future__ import annotations

import json
import re
import shlex
import subprocess

import click
import pytest
import yaml

from credconf.cli import main
from credconf.config.variables import SELECTORS, Scheme
from credconf.kinds import FIELDS
from tests.cli.running import run
from tests.docs.pages import PAGES, ROOT, Page
from tests.examples.running import Place

TUTORIAL = next(page for page in PAGES if str(page) == "tutorial")  # test_tutorial.py goes through it
HELD_ELSEWHERE = {
    f"how-to/{name}" for name in ("azure-functions", "azurite", "celery", "databases", "django", "docker", "openai")
} | {"index"}
EXAMPLES = {"how-to/django": "django_app", "how-to/fastapi": "fastapi_app", "how-to/flask": "flask_app"}
WIDEST = 80  # columns that a page has room for on a desktop
UNBREAKABLE = re.compile(r"/subscriptions/|https://")  # the id of a resource in Azure, and a URL
WARNED = {"private.yaml": ["unknown-authority"]}  # by title
# azure-identity's switch, which is no setting.
OTHERS = {"AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"}


def pages_with(*languages):
    return [page for page in PAGES if any(page.blocks(language) for language in languages)]


def programs():
    return [page for page in pages_with("python") if not any(block.title for block in page.blocks("python"))]


def pages_with_tests():
    return [page for page in PAGES if any(is_a_test(block) for block in page.blocks("python"))]


def is_a_test(block):
    return (block.title or "").startswith("test_")


@pytest.mark.parametrize("page", [page for page in programs() if str(page) not in HELD_ELSEWHERE], ids=str)
def test_the_python_of_a_page_runs(page, tmp_path):
    page.lay_out(tmp_path)
    program = "\n".join(block.text for block in page.blocks("python"))
    (tmp_path / "page.py").write_text(program, encoding="utf-8")
    ran = Place(tmp_path).run("page.py", environ=variables_given_in(page))
    assert ran.code == 0, ran.text


def variables_given_in(page: Page) -> dict[str, str]:
    """The variables that the page's shells set, except those that choose files, which each program sets itself."""
    words = [word for block in page.blocks("sh") if not block.title for word in shlex.split(block.text, comments=True)]
    pairs = (word.partition("=") for word in words if re.match(r"[A-Z_]+=", word))
    return {name: value for name, _, value in pairs if name not in SELECTORS}


@pytest.mark.parametrize("page", [page for page in pages_with_tests() if str(page) not in HELD_ELSEWHERE], ids=str)
def test_the_tests_of_a_page_pass(page, tmp_path):
    page.lay_out(tmp_path)
    # Starlette's test client has begun to prefer another version of httpx.
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore:Using `httpx` with `starlette"]
    ran = Place(tmp_path).run("-m", "pytest", *options, environ={})
    assert ran.code == 0, ran.text
    written = sum(block.text.count("def test_") for block in page.blocks("python"))
    assert f"{written} passed" in ran.out


def test_every_page_with_python_is_run_by_a_test():
    run_here = {str(page) for page in [*programs(), *pages_with_tests(), TUTORIAL]}
    assert {str(page) for page in pages_with("python")} == run_here | HELD_ELSEWHERE | set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_page_shows_the_example_as_it_is(name):
    page = next(page for page in PAGES if str(page) == name)
    example = ROOT / "examples" / EXAMPLES[name]
    shown = {block.title: block.text for block in page.blocks("python") if block.title}
    same = {title for title, text in shown.items() if (example / title).exists()}
    assert same
    assert {title: (example / title).read_text(encoding="utf-8") for title in same} == {t: shown[t] for t in same}


def configurations():
    for page in pages_with("yaml"):
        for number, block in enumerate(page.blocks("yaml")):
            keys = {key for document in yaml.safe_load_all(block.text) for key in document}
            foreign = {"apiVersion", "properties"}  # manifests of Kubernetes and of Azure
            if foreign.isdisjoint(keys) and {*FIELDS, "credentials"} & keys and "broken" not in (block.title or ""):
                yield pytest.param(block, id=f"{page}-{number}")


@pytest.mark.parametrize("block", list(configurations()))
def test_a_configuration_is_accepted_and_warns_only_where_the_page_says_so(block):
    outcome = run("check", "--format", "json", "-", stdin=block.text)
    assert outcome.status == 0, outcome.said
    assert outcome.codes == WARNED.get(block.title, [])


def test_other_yaml_and_json_can_be_read():
    assert all(all(yaml.safe_load_all(block.text)) for page in PAGES for block in page.blocks("yaml"))
    assert all(json.loads(block.text) for page in PAGES for block in page.blocks("json"))


@pytest.mark.parametrize("page", [page for page in pages_with("console") if page is not TUTORIAL], ids=str)
def test_a_session_says_what_is_shown(page, tmp_path, monkeypatch):
    page.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in page.blocks("console"):
        for typed, said in block.sessions:
            if said:
                assert run(*shlex.split(typed)[1:]).said == said


@pytest.mark.parametrize("page", pages_with("sh"), ids=str)
def test_a_shell_understands_its_blocks(page):
    for block in page.blocks("sh"):
        subprocess.run(["bash", "-n"], input=block.text, encoding="utf-8", check=True)


def command_lines():
    inline = re.compile(r"`(credconf [^`…]+)`")
    for page in PAGES:
        lines = [line for block in page.blocks("sh") for line in block.text.replace("\\\n", " ").splitlines()]
        lines += [typed for block in page.blocks("console") for typed, _ in block.sessions]
        for line in [*lines, *inline.findall(re.sub(r"```.*?```", "", page.text, flags=re.DOTALL))]:
            words = shlex.split(line, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                words = words[1:]
            if words and words[0] == "credconf":
                until = next((place for place, word in enumerate(words) if word in {">", "|"}), None)
                yield pytest.param(words[1:until], id=f"{page}: {' '.join(words)}")


@pytest.mark.parametrize("words", list(command_lines()))
def test_a_command_line_is_one_that_there_is(words):
    name, *arguments = words
    group = click.Context(main, info_name="credconf")
    command = main.get_command(group, name)
    assert command is not None
    if name != "completion" and {"CODE", "COMMAND"}.isdisjoint(words):
        needed = ["https://storage.azure.com/.default"] if name == "token" and "https" not in " ".join(words) else []
        assert command.make_context(name, [*arguments, *needed], parent=group)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_variable_is_one_that_is_heard(page):
    heard = {item.name for item in Scheme.of(None, None, prefixed=False).variables()} | {*SELECTORS, *OTHERS}
    fields = {name.removeprefix("CREDCONF_") for name in heard}
    for name in re.findall(r"\b(?:AZURE|CREDCONF)_[A-Z_]*[A-Z](?=\b|_FILE\b)", page.text):
        entry = re.fullmatch(r"CREDCONF__[A-Z]+(?:_[A-Z]+)*?__([A-Z_]+)", name)
        assert name in heard or (entry and entry[1] in fields), name


def test_an_error_that_is_shown_is_one_of_the_broken_examples():
    broken = [path.read_text(encoding="utf-8") for path in (ROOT / "examples/broken").glob("*/check.txt")]
    shown = [block.text for page in PAGES for block in page.blocks("text") if block.text.startswith("error[")]
    assert len(shown) >= 2
    assert all(any(text.strip() in session for session in broken) for text in shown)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_code_fits_the_page(page):
    lines = [line for block in page.blocks() for line in block.text.splitlines()]
    assert [line for line in lines if len(line) > WIDEST and not UNBREAKABLE.search(line)] == []
