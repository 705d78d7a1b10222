"""`{env: NAME}`: the process environment, then `.env`."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from credconf.references import EnvReference, NotFound, Reader
from credconf.references.env import look_up
from tests.config.project import CANARY, ID, only


def test_the_environment_comes_before_the_dotenv(project):
    project.write(".env", "MY_SECRET=lower\nONLY_HERE=found\n")
    text = f"{ID}client_secret: {{env: MY_SECRET}}\n"
    resolved = project.flat(text, environ={"MY_SECRET": CANARY})
    assert resolved.reader.text(resolved.settings.client_secret) == CANARY
    resolved = project.flat(text, environ={"MY_SECRET": ""})
    assert resolved.reader.text(resolved.settings.client_secret) == "lower"
    resolved = project.flat(text.replace("MY_SECRET", "ONLY_HERE"))
    assert resolved.reader.text(resolved.settings.client_secret) == "found"


@pytest.mark.parametrize(("environ", "state"), [({}, "is not set"), ({"MY_SECRET": ""}, "is set, but empty")])
def test_a_variable_that_is_not_there_is_an_error_that_names_it(project, environ, state):
    error = project.refused_text(f"{ID}client_secret: {{env: MY_SECRET}}\n", environ=environ)
    problem = only(error)
    assert (problem.code, problem.line, problem.hint) == ("missing-variable", 3, "set MY_SECRET")
    assert f"MY_SECRET {state}" in problem.message


def test_a_variable_of_white_space_is_an_empty_secret(project):
    error = project.refused_text(f"{ID}client_secret: {{env: MY_SECRET}}\n", environ={"MY_SECRET": " \t"})
    assert only(error).code == "empty"


def test_any_text_field_takes_one(project):
    text = "tenant_id: {env: T}\nclient_id: {env: C}\nclient_secret: {env: S}\nregion: {env: R}\n"
    environ = {"T": "contoso.example", "C": "id", "S": CANARY, "R": "westus2"}
    resolved = project.flat(text, environ=environ)
    assert resolved.settings.tenant_id == EnvReference(env="T")
    assert "contoso.example" in project_identity(resolved).tenant_id


def project_identity(resolved):
    from credconf.kinds import identify

    return identify(resolved.settings, resolved.reader)[0]


def test_what_it_stands_for_is_held_to_the_fields_rule(project):
    text = f"tenant_id: {{env: T}}\nclient_id: x\nclient_secret: {CANARY}\n"
    problem = only(project.refused_text(text, environ={"T": f"../{CANARY}"}))
    assert (problem.code, problem.line, problem.path) == ("bad-value", 1, "tenant_id")
    assert "$T" in problem.message


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "Ä", "A" * 201, "A=B", "${A}"])
def test_a_name_must_be_one_of_a_variable(name):
    with pytest.raises(ValidationError):
        EnvReference(env=name)


def test_the_value_is_not_expanded():
    assert Reader({"A": "${B}", "B": "x"}).text(EnvReference(env="A")) == "${B}"


def test_a_reader_shows_nothing():
    reader = Reader({"A": CANARY}, {"B": CANARY})
    assert CANARY not in repr(reader)
    assert isinstance(reader.text(EnvReference(env="C")), NotFound)


def test_a_variable_of_nearly_that_name_is_suggested():
    reference = EnvReference(env="BILLING_SECERT")
    environ = {"BILLING_SECRET": "x", "BILLING_SECRETS": "", "PATH": "/"}
    assert look_up(reference, environ, {}).hint == "BILLING_SECRET is set; did you mean that?"
    assert look_up(reference, {}, environ).hint == "BILLING_SECRET is set; did you mean that?"
    assert look_up(reference, {"PATH": "/"}, {}).hint == "set BILLING_SECERT"
