"""`AZURE_` variables of a machine that were not meant for us."""

from __future__ import annotations

import pytest

from tests.certificates import make_certificate
from tests.config.project import CANARY, CLIENT, COMPLETE, TENANT, VARIABLES, codes, only, warned

OF_A_CERTIFICATE = {"AZURE_CLIENT_CERTIFICATE_PASSWORD": CANARY, "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "true"}


@pytest.mark.parametrize("name", OF_A_CERTIFICATE)
def test_an_option_of_a_certificate_beside_a_secret_is_a_warning(project, name):
    resolved = project.load(path=False, environ={**VARIABLES, name: OF_A_CERTIFICATE[name]})
    assert resolved.settings.kind == "client_secret"
    (warning,) = resolved.warnings
    assert (warning.code, str(warning.origin)) == ("unheard-variable", f"${name}")
    assert CANARY not in str(warning)


def test_so_it_is_in_the_dotenv_and_beside_the_secret_of_a_file(project):
    project.write(".env", f"AZURE_CLIENT_CERTIFICATE_PASSWORD={CANARY}\n")
    resolved = project.flat(COMPLETE)
    assert warned(resolved) == ["secret-in-file", "unheard-variable"]


def test_under_our_own_name_and_in_a_file_it_is_an_error(project):
    error = project.refused(path=False, environ={**VARIABLES, "CREDCONF_CLIENT_CERTIFICATE_PASSWORD": CANARY})
    assert only(error).code == "unknown-key"
    error = project.refused_text(f"{COMPLETE}client_certificate_password: {CANARY}\n", environ=OF_A_CERTIFICATE)
    assert "unknown-key" in codes(error)


def test_an_option_of_the_certificate_that_is_there_counts(project, tmp_path):
    make_certificate(tmp_path / "client.pem", password=CANARY)
    id_ = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
    resolved = project.load(environ={**id_, **OF_A_CERTIFICATE, "AZURE_CLIENT_CERTIFICATE_PATH": "client.pem"})
    assert (resolved.settings.send_certificate_chain, resolved.warnings) == (True, ())


def test_two_proofs_are_an_error_that_names_the_places_of_both(project):
    error = project.refused(path=False, environ={**VARIABLES, "AZURE_CLIENT_CERTIFICATE_PATH": "client.pem"})
    problem = only(error)
    assert problem.code == "two-proofs"
    assert str(problem.origin) == "$AZURE_CLIENT_SECRET"
    assert "`client_certificate` ($AZURE_CLIENT_CERTIFICATE_PATH)" in problem.message


def test_where_a_webhook_prepared_workload_identity_the_missing_secret_says_that_it_is_not_supported(project):
    prepared = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token"}
    problem = only(project.refused(environ=prepared))
    assert problem.code == "missing"
    assert "workload identity is not supported yet" in problem.hint
    project.write("app.yaml", f"credentials: {{one: {{tenant_id: {TENANT}, client_id: {CLIENT}}}}}\n")
    named = only(project.refused("app.yaml", name="one", environ=prepared))
    assert "workload" not in named.hint


def test_a_near_miss_in_the_dotenv_is_a_hint_as_in_the_environment(project):
    project.write(".env", f"AZURE_TENANT_ID={TENANT}\nAZURE_CLIENT_ID={CLIENT}\nAZURE_CLIENT_SECRT={CANARY}\n")
    hint = only(project.refused()).hint
    assert "AZURE_CLIENT_SECRT is set in .env; did you mean AZURE_CLIENT_SECRET?" in hint
