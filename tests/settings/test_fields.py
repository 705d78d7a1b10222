"""Each wrong value of a field is one problem, and no problem shows the value."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

import credconf
from credconf.config.judging import judge
from credconf.config.reading.document import document_of
from credconf.config.reading.nodes import Document
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, assert_nothing_shows, codes, only


def test_each_wrong_item_of_a_list_of_secrets_is_told(project):
    items = f'{{fille: {CANARY}}}, {{env: FINE}}, {{file: ""}}, "{CANARY}", {{env: {CANARY}, file: b}}, "", [{CANARY}]'
    error = project.refused_text(f"{ID}client_secret: [{items}]\n")
    assert len({item.column for item in error.problems}) == len(error.problems)
    assert [(item.code, item.path) for item in error.problems] == [
        ("bad-reference", "client_secret.0"),
        ("bad-reference", "client_secret.2"),
        ("bad-reference", "client_secret.4"),
        ("empty", "client_secret.5"),
        ("wrong-type", "client_secret.6"),
    ]


def test_the_items_of_a_list_of_secrets_are_in_no_error_of_pydantic():
    class Embedding(BaseModel):
        model_config = ConfigDict(hide_input_in_errors=True)

        entra: credconf.Settings

    given = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": [CANARY, "", {"env": CANARY, "file": "b"}]}
    with pytest.raises(ValidationError) as caught:
        Embedding(entra=given)
    assert_nothing_shows(caught.value)
    assert "client_secret.1" in str(caught.value)
    assert "client_secret.2" in str(caught.value)
    with pytest.raises(ValidationError) as caught:
        credconf.kinds.ClientSecretSettings.model_validate(given)
    assert_nothing_shows(caught.value)


@pytest.mark.parametrize("text", [f"{ID}client_secret:\n", f"{ID}send_certificate_chain: maybe\n"])
def test_a_kind_that_is_unknown_hides_nothing_else(project, text):
    error = project.refused_text(f"kind: nope\n{text}")
    assert len(codes(error)) == 2
    document = document_of(f"kind: nope\n{text}", "app.yaml")
    assert isinstance(document, Document)
    assert error.problems == judge([document])


@pytest.mark.parametrize("prefix", ["[A]", "{env: A}", "''"])
def test_a_prefix_that_is_no_text_is_one_problem(project, prefix):
    project.write("x", CANARY)
    assert len(project.refused_text(f"{ID}client_secret: {{file: x}}\nenv_prefix: {prefix}\n").problems) == 1


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            f"http: {{ca_bundle: {{file: {CANARY}}}}}",
            "`http.ca_bundle`: this must be text, not a mapping",
            "write the text itself: a reference is not possible here",
        ),
        (
            f"additionally_allowed_tenants: [{{env: {CANARY}}}]",
            "`additionally_allowed_tenants.0`: a tenant must be text, not a mapping",
            "write the text itself: a reference is not possible here",
        ),
        ("prefetch: [[a]]", "`prefetch.0`: this must be text, not a list", None),
        ("http: {timeout: -1}", "`http.timeout`: write a number that is more than 0", None),
        ("http: {timeout: 601}", "`http.timeout`: write a number that is at most 600", None),
        ("token_cache: {timeout: 31}", "`token_cache.timeout`: write a number that is at most 30", None),
        ("token_cache: {max_entries: 0}", "`token_cache.max_entries`: write a number that is at least 1", None),
    ],
)
def test_what_is_wrong_is_told_in_words_for_people(project, text, message, hint):
    problem = only(project.refused_text(f"{COMPLETE}{text}\n"))
    assert (problem.message, problem.hint) == (message, hint)
