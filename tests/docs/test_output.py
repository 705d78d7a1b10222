"""The page about JSON names every key that the commands print."""

from __future__ import annotations

import pytest

from tests.cli.running import run
from tests.docs.pages import DOCS

PAGE = (DOCS / "reference/output.md").read_text(encoding="utf-8")


def keys_of(value) -> set[str]:
    """The keys of objects, also of those inside lists and of an error; an origin's and a problem's own are left out."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    if not isinstance(value, dict):
        return set()
    inner = [keys_of(item) for key, item in value.items() if key not in {"origin", "displaced", "claims"}]
    return {*value, *set().union(*inner)}


@pytest.fixture
def applied(fake_entra, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    fake_entra.apply(monkeypatch)
    return fake_entra


@pytest.mark.parametrize("words", [["show"], ["doctor"], ["token", "https://storage.azure.com/.default"]])
def test_every_key_is_on_the_page(applied, words):
    printed = run(*words, "--format", "json", canary=applied.client_secret).json
    assert printed["ok"] is True
    assert {key for key in keys_of(printed) if f"`{key}`" not in PAGE} == set()


def test_every_key_of_a_failure_is_on_the_page(applied):
    applied.refuses(7000215)
    outcome = run("token", "https://storage.azure.com/.default", "--format", "json", canary=applied.client_secret)
    assert outcome.status == 1
    assert {key for key in keys_of(outcome.json) if f"`{key}`" not in PAGE} == set()


def test_every_key_of_a_problem_is_on_the_page(applied, monkeypatch):
    monkeypatch.setenv("CREDCONF_TENNANT_ID", "made-up")
    outcome = run("check", "--resolve", "--format", "json", canary=applied.client_secret)
    assert outcome.codes == ["unknown-variable"]
    assert {key for key in keys_of(outcome.json) | {"origin"} if f"`{key}`" not in PAGE} == set()
