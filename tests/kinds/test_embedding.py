"""`credconf.Settings`: frozen, and at home in an application's own settings class without leaking."""

from __future__ import annotations

import json
import traceback

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, YamlConfigSettingsSource

import credconf
from credconf.kinds import KINDS
from tests.config.project import CANARY, CLIENT, COMPLETE, TENANT, assert_nothing_shows

FIELDS = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": CANARY}


class Embedding(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    entra: credconf.Settings
    port: int = 1


class Application(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="APP_", env_nested_delimiter="__", hide_input_in_errors=True)

    entra: credconf.Settings
    port: int = 1


@pytest.fixture
def environment(monkeypatch):
    def set_variables(**fields: str) -> None:
        for name, text in {**FIELDS, **fields}.items():
            monkeypatch.setenv(f"APP_ENTRA__{name.upper()}", text)

    return set_variables


@pytest.mark.parametrize(("name", "value"), [("tenant_id", "other"), ("client_secret", "x"), ("new", 1)])
def test_settings_are_frozen(project, name, value):
    settings = project.flat(COMPLETE).settings
    with pytest.raises(ValidationError):
        setattr(settings, name, value)
    with pytest.raises(ValidationError):
        settings.http.retries = 1


@pytest.mark.parametrize(
    "fields",
    [
        FIELDS,
        {**FIELDS, "cloud": "china", "http": {"retries": 1, "proxy": "http://u:p@h:1"}, "allowed_tenants": ["*"]},
        {**FIELDS, "authority": "https://login.private.example:8443"},
        {"client_id": "x", "client_secret": CANARY, "oidc_authority": "https://idp.example/oauth"},
        {**FIELDS, "client_secret": [{"file": "/new"}, {"env": "OLD"}, {"command": ["x", "y"]}]},
        {**FIELDS, "tenant_id": {"env": "TENANT"}, "region": "tryautodetect", "prefetch": ["a/.default"]},
        {"tenant_id": TENANT, "client_id": CLIENT, "client_certificate": {"file": "/x.pem"}},
    ],
)
def test_a_dump_can_be_validated_again(fields):
    adapter = TypeAdapter(credconf.Settings)
    settings = adapter.validate_python(fields)
    dumped = settings.model_dump()
    assert adapter.validate_python(dumped) == settings
    assert type(settings).model_validate(dumped) == settings
    assert CANARY not in repr(dumped)


def test_a_revealed_dump_can_be_validated_again():
    adapter = TypeAdapter(credconf.Settings)
    settings = adapter.validate_python(FIELDS)
    revealed = {**settings.model_dump(mode="json"), "client_secret": settings.client_secret.get_secret_value()}
    assert adapter.validate_python(json.loads(json.dumps(revealed))) == settings


def test_a_model_is_accepted_as_it_is(project):
    settings = project.flat(COMPLETE).settings
    assert Embedding(entra=settings).entra is settings


def test_the_kind_is_inferred_inside_an_embedding():
    assert isinstance(Embedding(entra=FIELDS).entra, credconf.ClientSecretSettings)
    certificate = {"tenant_id": TENANT, "client_id": CLIENT, "client_certificate": {"file": "/x.pem"}}
    assert isinstance(Embedding(entra=certificate).entra, credconf.ClientCertificateSettings)


def test_an_applications_settings_class_reads_it_from_its_own_variables(environment, monkeypatch):
    environment(http__retries="2")
    monkeypatch.setenv("APP_ENTRA__CLOUD", "china")
    settings = Application().entra
    assert settings.client_secret.get_secret_value() == CANARY
    assert (settings.http.retries, settings.authority) == (2, "https://login.chinacloudapi.cn")


def test_a_reference_that_the_sources_of_an_application_merge_is_refused_with_both_keys(project, monkeypatch):
    class Shop(BaseSettings):
        model_config = SettingsConfigDict(
            yaml_file="shop.yaml", env_prefix="SHOP_", env_nested_delimiter="__", hide_input_in_errors=True
        )
        azure: credconf.Settings

        @classmethod
        def settings_customise_sources(cls, settings_cls, env_settings, **_):
            return env_settings, YamlConfigSettingsSource(settings_cls)

    fields = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": {"file": "secrets/entra"}}
    project.write("shop.yaml", json.dumps({"azure": fields}))
    monkeypatch.setenv("SHOP_AZURE__CLIENT_SECRET__ENV", "BILLING_SECRET")
    with pytest.raises(ValidationError, match="has `file` and `env`") as caught:
        Shop()
    assert "keep one of them; an application's own settings class merges the keys" in str(caught.value)


def test_its_dotenv_is_its_own(project):
    lines = "".join(f"APP_ENTRA__{name.upper()}={text}\n" for name, text in FIELDS.items())
    project.write("app.env", lines)
    application = Application(_env_file="app.env")
    assert application.entra.client_id == CLIENT


def test_it_builds_a_credential(environment):
    environment()
    with credconf.build(Application().entra) as credential:
        assert credential.describe()["client_id"] == CLIENT
        assert CANARY not in repr(credential.describe()) + repr(credential)


FAULTS = {
    "a bad tenant": {"tenant_id": f"{CANARY}/"},
    "an unknown key": {"tennant": CANARY},
    "an unknown kind": {"kind": CANARY},
    "two proofs": {"client_certificate": {"file": CANARY}},
    "a bad number": {"http": {"retries": CANARY}},
    "an unknown key of a group": {"http": {"retrys": CANARY}},
    "a group that is text": {"http": CANARY},
    "a number for a secret": {"client_secret": 5},
    "a bad authority": {"authority": f"http://{CANARY}"},
    "no client id": {"client_id": None},
}


@pytest.mark.parametrize("case", FAULTS)
@pytest.mark.parametrize("outer", [Embedding, Application])
def test_an_error_inside_an_embedding_shows_no_secret(outer, case):
    with pytest.raises(ValidationError) as caught:
        outer(entra={**FIELDS, **FAULTS[case]})
    error = caught.value
    assert error.errors()[0]["loc"] == ("entra",)
    shown = [str(error), repr(error), repr(error.errors()), error.json(), repr(error.args)]
    shown.append("".join(traceback.format_exception_only(type(error), error)))
    assert all(CANARY not in text for text in shown)
    assert_nothing_shows(error)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize("value", [CANARY, [CANARY], {CANARY: CANARY}, CANARY.encode()])
def test_nor_does_what_is_no_mapping_of_settings(value):
    with pytest.raises(ValidationError) as caught:
        Embedding(entra=value)
    error = caught.value
    assert CANARY not in str(error) + repr(error) + repr(error.errors()) + error.json()


def test_an_error_inside_says_what_to_do():
    with pytest.raises(ValidationError, match="did you mean `tenant_id`"):
        Embedding(entra={**FIELDS, "tennant": TENANT})


def test_an_error_of_the_outer_model_that_hides_its_input_shows_no_secret(environment, monkeypatch):
    # errors() and json() of pydantic hold the outer model's input whatever it says: leave it out of them.
    class Strict(Application):
        needed: str

    environment()
    with pytest.raises(ValidationError) as caught:
        Strict()
    error = caught.value
    assert CANARY not in str(error) + repr(error)
    assert CANARY not in repr(error.errors(include_input=False)) + error.json(include_input=False)
    monkeypatch.setenv("APP_PORT", "many")
    with pytest.raises(ValidationError) as caught:
        Application()
    error = caught.value
    assert CANARY not in str(error) + repr(error) + repr(error.errors()) + error.json()


def test_a_dump_of_the_outer_model_shows_no_secret():
    outer = Embedding(entra=FIELDS)
    assert CANARY not in repr(outer) + repr(outer.model_dump()) + outer.model_dump_json()


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize("outer", [Embedding, Application])
def test_the_outer_model_has_a_json_schema(outer, mode):
    schema = outer.model_json_schema(mode=mode)
    kinds = schema["properties"]["entra"]["anyOf"]
    assert {kind["$ref"].rpartition("/")[2] for kind in kinds} == {model.__name__ for model in KINDS.values()}
    assert json.dumps(schema)


def test_a_model_of_one_kind_can_be_made_directly():
    settings = credconf.ClientSecretSettings(**FIELDS)
    assert (settings.cloud, settings.authority) == ("public", "https://login.microsoftonline.com")
    assert settings == TypeAdapter(credconf.Settings).validate_python(FIELDS)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tenant_id": None}, "`tenant_id` is not set"),
        ({"cloud": "china", "authority": "login.private.example"}, "`cloud` and `authority` exclude each other"),
        ({"oidc_authority": "https://idp.example/x"}, "`oidc_authority` and `tenant_id` exclude each other"),
    ],
)
def test_a_model_made_directly_is_held_to_the_same_rules(changes, said):
    with pytest.raises(ValidationError, match=said) as caught:
        credconf.ClientSecretSettings(**{**FIELDS, **changes})
    assert CANARY not in str(caught.value) + repr(caught.value)
