"""The examples that are programs: each runs as it is, in a copy of its folder."""

from __future__ import annotations

import re

import pytest

import credconf
from tests.examples.running import CLIENT, EXAMPLES, TENANT

IN_A_FILE = {
    "script": "main.py",
    "twelve_factor": "worker.py",
    "inside_application_yaml": "main.py",
}


@pytest.fixture(params=IN_A_FILE)
def with_its_secret(request, place, registered):
    """An example that reads its secret from `secrets/entra`, and how to start it."""
    example = place(request.param)
    if request.param == "twelve_factor":
        (example.directory / ".env.example").rename(example.directory / ".env")
    example.put_secret("secrets/entra", registered.client_secret)
    return example, IN_A_FILE[request.param]


def test_it_says_who_it_is_and_shows_no_secret(with_its_secret, registered, fake_entra, server_alone):
    example, program = with_its_secret
    ran = example.run(program, environ=server_alone())
    assert ran.code == 0, ran.text
    assert CLIENT in ran.out
    assert TENANT in ran.out
    assert registered.client_secret not in ran.text
    assert "eyJ" not in ran.text  # how every JWT begins
    assert fake_entra.count() == 1


def test_a_refusal_is_a_sentence_and_not_a_traceback(with_its_secret, registered, server_alone):
    example, program = with_its_secret
    registered.expire_secret(registered.client_secret)
    ran = example.run(program, environ=server_alone())
    assert ran.code == 1
    assert "AADSTS7000222" in ran.err
    assert "Traceback" not in ran.text


def test_a_missing_secret_is_told_before_anybody_is_asked(with_its_secret, fake_entra, server_alone):
    example, program = with_its_secret
    (example.directory / "secrets/entra").unlink()
    ran = example.run(program, environ=server_alone())
    assert ran.code == 1
    assert "secrets/entra" in ran.err
    assert "Traceback" not in ran.text
    assert fake_entra.count() == 0


def test_the_script_says_until_when(place, registered, server_alone):
    example = place("script")
    example.put_secret("secrets/entra", registered.client_secret)
    ran = example.run("main.py", environ=server_alone())
    assert re.fullmatch(rf"{CLIENT} of {TENANT}, until \d{{4}}-\d\d-\d\d \d\d:\d\d UTC\n", ran.out)


def test_the_script_has_eight_lines_of_yaml():
    assert len((EXAMPLES / "script/credconf.yaml").read_text(encoding="utf-8").splitlines()) == 8


def test_the_worker_needs_no_file_at_all(place, fake_entra):
    example = place("twelve_factor")
    (example.directory / "credconf.yaml").write_text("not: ours", encoding="utf-8")
    ran = example.run("worker.py", environ=fake_entra.environ())
    assert ran.code == 0, ran.text
    assert "INFO worker: ready" in ran.out
    assert ran.err == ""


def _proposals() -> list[str]:
    text = (EXAMPLES / "twelve_factor/.env.example").read_text(encoding="utf-8")
    return re.findall(r"^# ([A-Z_]+)=", text, re.MULTILINE)


@pytest.mark.parametrize("variable", _proposals())
def test_each_variable_that_the_env_example_proposes_is_read(place, fake_entra, variable):
    example = place("twelve_factor")
    example.put_secret("secrets/entra", fake_entra.client_secret)
    dotenv = example.directory / ".env"
    text = (example.directory / ".env.example").read_text(encoding="utf-8").replace(f"# {variable}=", f"{variable}=")
    if variable == "AZURE_CLIENT_SECRET":
        text = text.replace("AZURE_CLIENT_SECRET_FILE", "# ").replace(
            "SECRET=''", f"SECRET='{fake_entra.client_secret}#$5'"
        )
    dotenv.write_text(text, encoding="utf-8")
    resolved = credconf.load(False, env_file=dotenv, environ={})
    assert not resolved.warnings
    assert variable in {origin.name for origin in resolved.origins.values()}


SHOP = {"PAGE_SIZE": "20", "AZURE__TENANT_ID": TENANT, "AZURE__CLIENT_ID": CLIENT}


@pytest.fixture
def shop(fake_entra):
    """The variables of the example inside an application's settings class, without the secret."""
    server = {
        "AZURE__AUTHORITY": fake_entra.authority,
        "AZURE__DISABLE_INSTANCE_DISCOVERY": "true",
        "AZURE__HTTP__CA_BUNDLE": fake_entra.ca_bundle,
    }
    return {f"SHOP_{name}": value for name, value in {**SHOP, **server}.items()}


def test_the_settings_class_takes_a_secret(place, registered, shop):
    secret = registered.client_secret
    ran = place("inside_settings").run("main.py", environ={**shop, "SHOP_AZURE__CLIENT_SECRET": secret})
    assert ran.code == 0, ran.text
    assert ran.out.startswith("pages of 20 as Credential(")
    assert CLIENT in ran.out
    assert secret not in ran.text


@pytest.mark.parametrize("written", ['"{}"', "[1]", "123456", "null"])
def test_the_settings_class_takes_a_secret_as_it_is_written(place, fake_entra, registered, shop, written):
    secret = written.format(fake_entra.client_secret)
    registered.add_secret(secret)
    ran = place("inside_settings").run("main.py", environ={**shop, "SHOP_AZURE__CLIENT_SECRET": secret})
    assert ran.code == 0, ran.text


def test_the_settings_class_takes_a_reference_to_a_file(place, registered, shop):
    example = place("inside_settings")
    example.put_secret("secrets/entra", registered.client_secret)
    ran = example.run("main.py", environ={**shop, "SHOP_AZURE__CLIENT_SECRET__FILE": "secrets/entra"})
    assert ran.code == 0, ran.text


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [("SHOP_PAGE_SIZE", "many", "page_size"), ("SHOP_AZURE__CLINET_ID", "x", "did you mean `client_id`")],
)
def test_the_settings_class_shows_no_secret_when_it_is_wrong(place, registered, shop, variable, value, told):
    secret = registered.client_secret
    environ = {**shop, "SHOP_AZURE__CLIENT_SECRET": secret, variable: value}
    ran = place("inside_settings").run("main.py", environ=environ)
    assert ran.code == 1
    assert told in ran.err
    assert "Traceback" not in ran.text
    assert secret not in ran.text
    assert secret[:8] not in ran.text


def test_the_readme_of_the_settings_class_names_the_variables_that_work(shop):
    readme = (EXAMPLES / "inside_settings/README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^ +export (SHOP_[A-Z_]+)=", readme, re.MULTILINE))
    assert named == {*(f"SHOP_{name}" for name in SHOP), "SHOP_AZURE__CLIENT_SECRET__FILE"}


def test_the_tests_of_a_users_own_application_pass(place):
    ran = place("testing_your_app").run("-m", "pytest", "-q", "-p", "no:cacheprovider", environ={})
    assert ran.code == 0, ran.text
    assert "7 passed" in ran.out
