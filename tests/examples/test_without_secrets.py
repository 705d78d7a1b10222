"""The examples without a secret: what each sets is what credconf reads, and each works against the fakes."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

import credconf
from credconf.config.variables import SELECTORS, Scheme
from credconf.references import EXCHANGE_AUDIENCES, REFERENCES
from credconf.testing import FakeAppService, FakeAzurePipelines, FakeGitHub, FakeImds, ManagedIdentity
from tests.cli.running import run
from tests.docs.pages import PAGES
from tests.examples.running import CLIENT, EXAMPLES, TENANT
from tools.schema import document as schema

if TYPE_CHECKING:
    from pathlib import Path

    from tests.examples.running import Place

SCOPE = "https://storage.azure.com/.default"
KUBERNETES = "kubernetes_workload_identity"
GITHUB = "github_actions_identity"
PIPELINES = "azure_pipelines_identity"
CONTAINER_APPS = "container_apps_identity"
FOLDERS = (KUBERNETES, GITHUB, PIPELINES, CONTAINER_APPS)
VALIDATOR = jsonschema.Draft7Validator(schema.document())
PAGE = next(page for page in PAGES if str(page) == "how-to/stop-using-secrets")
FEDERATED = "federated-credential.json"
GIVEN_BY_THE_PLATFORM = {"SYSTEM_ACCESSTOKEN"}  # what a pipeline must map, and no setting


def parsed(folder, name):
    return yaml.safe_load((EXAMPLES / folder / name).read_text(encoding="utf-8"))


def federated(folder: str) -> tuple[str, str, str]:
    """The federated credential that the example tells Entra to trust."""
    credential = json.loads((EXAMPLES / folder / FEDERATED).read_text(encoding="utf-8"))
    (audience,) = credential["audiences"]
    return credential["issuer"], credential["subject"], audience


# -- every example ---------------------------------------------------------------------------------------------


def shown_files():
    """What the page shows of the examples: all but what explains them, and the programs."""
    for folder in FOLDERS:
        for path in sorted((EXAMPLES / folder).rglob("*")):
            if path.suffix in {".yaml", ".yml", ".json"}:
                yield pytest.param(path, str(path.relative_to(EXAMPLES / folder)), id=f"{folder}: {path.name}")


@pytest.mark.parametrize(("path", "title"), list(shown_files()))
def test_the_page_shows_the_file_as_it_is(path, title):
    shown = [block.text for block in PAGE.blocks() if block.title == title]
    assert path.read_text(encoding="utf-8") in shown


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder != CONTAINER_APPS])
def test_the_audience_is_that_of_the_public_cloud(folder):
    assert federated(folder)[2] == EXCHANGE_AUDIENCES["public"]


def variables():
    """The variables that the examples set, whatever they are."""
    deployment = parsed_workload()["Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    yield from ((KUBERNETES, each["name"]) for each in container["env"])
    (container,) = parsed(CONTAINER_APPS, "containerapp.yaml")["properties"]["template"]["containers"]
    yield from ((CONTAINER_APPS, each["name"]) for each in container["env"])
    yield from ((GITHUB, name) for name in workflow_job()["env"])
    yield from ((PIPELINES, name) for step in pipeline_steps() for name in step.get("env", ()))


def parsed_workload():
    """The documents of the manifest, by their kind."""
    text = (EXAMPLES / KUBERNETES / "workload.yaml").read_text(encoding="utf-8")
    documents = list(yaml.safe_load_all(text))
    return {each["kind"]: each for each in documents}


def workflow_job():
    (job,) = parsed(GITHUB, ".github/workflows/report.yml")["jobs"].values()
    return job


def pipeline_steps():
    return parsed(PIPELINES, "azure-pipelines.yml")["steps"]


@pytest.mark.parametrize(("folder", "name"), list(variables()))
def test_every_variable_is_one_that_credconf_reads(folder, name):
    read = {each.name for each in Scheme.of(None, None, prefixed=False).variables()}
    platform = {each for model in REFERENCES.values() for each in getattr(model, "variables", ())}
    assert name in {*read, *SELECTORS, *platform, *GIVEN_BY_THE_PLATFORM}, folder


def configurations():
    yield pytest.param(parsed_workload()["ConfigMap"]["data"]["credconf.yaml"], id=KUBERNETES)
    for folder in (GITHUB, PIPELINES):
        yield pytest.param((EXAMPLES / folder / "credconf.yaml").read_text(encoding="utf-8"), id=folder)


@pytest.mark.parametrize("text", list(configurations()))
def test_check_and_the_schema_accept_the_configuration(text):
    outcome = run("check", "--strict", "-", stdin=text)
    assert outcome.status == 0, outcome.said
    assert VALIDATOR.is_valid(yaml.safe_load(text))


def works(place: Place, environ: dict[str, str], *, program: str | None = None) -> str:
    """Run the doctor, and then the example's program; returns what the doctor said."""
    ran = place.run("-m", "credconf", "doctor", SCOPE, environ=environ)
    assert ran.code == 0, ran.text
    assert "The token request works." in ran.out
    assert "warning" not in ran.out
    if program is not None:
        reported = place.run(program, environ=environ)
        assert (reported.code, reported.err) == (0, "")
        assert reported.out.startswith("valid until ")
    return ran.out


# -- Kubernetes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pod:
    """What the manifest says about the one pod, looked up rather than nested."""

    account: dict
    configuration: dict
    deployment: dict

    @property
    def template(self):
        return self.deployment["spec"]["template"]

    @property
    def container(self):
        (container,) = self.template["spec"]["containers"]
        return container

    @property
    def environ(self) -> dict[str, str]:
        return {each["name"]: each["value"] for each in self.container["env"]}


@pytest.fixture(scope="module")
def pod():
    documents = parsed_workload()
    assert documents.keys() == {"ServiceAccount", "ConfigMap", "Deployment"}
    return Pod(documents["ServiceAccount"], documents["ConfigMap"], documents["Deployment"])


def webhook(pod: Pod, token: Path) -> dict[str, str]:
    """The variables that the webhook of Azure Workload Identity sets in such a pod."""
    assert pod.template["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    annotations = pod.account["metadata"]["annotations"]
    client = annotations["azure.workload.identity/client-id"]
    return {"AZURE_CLIENT_ID": client, "AZURE_TENANT_ID": TENANT, "AZURE_FEDERATED_TOKEN_FILE": str(token)}


def test_the_pod_runs_as_the_annotated_service_account(pod):
    assert pod.template["spec"]["serviceAccountName"] == pod.account["metadata"]["name"]
    namespaces = {each["metadata"]["namespace"] for each in (pod.account, pod.configuration, pod.deployment)}
    assert len(namespaces) == 1
    subject = f"system:serviceaccount:{namespaces.pop()}:{pod.account['metadata']['name']}"
    assert federated(KUBERNETES)[1] == subject


def test_the_pod_mounts_the_file_that_its_variable_names(pod):
    (volume,) = pod.template["spec"]["volumes"]
    (mount,) = pod.container["volumeMounts"]
    assert (volume["name"], volume["configMap"]["name"]) == (mount["name"], pod.configuration["metadata"]["name"])
    directory, name = posixpath.split(pod.environ["CREDCONF_FILE"])
    assert (directory, {name}) == (mount["mountPath"], pod.configuration["data"].keys())


def test_a_manifest_holds_no_secret(pod):
    assert "secretKeyRef" not in json.dumps(pod.deployment)
    assert "CLIENT_SECRET" not in json.dumps(pod.deployment)


@pytest.fixture
def in_the_pod(place, pod, fake_entra):
    """A copy of the pod's files, and its variables, with a token of its service account."""
    example = place(KUBERNETES)
    (example.directory / "credconf.yaml").write_text(pod.configuration["data"]["credconf.yaml"], encoding="utf-8")
    fake_entra.register(CLIENT, tenants=[TENANT], federated=[federated(KUBERNETES)])
    token = fake_entra.write_assertion(example.directory / "azure-identity-token", client_id=CLIENT)
    environ = {**webhook(pod, token), **fake_entra.environ(identity=False)}
    return example, {**environ, "CREDCONF_FILE": str(example.directory / "credconf.yaml")}


def test_the_pod_gets_a_token(in_the_pod):
    said = works(*in_the_pod)
    assert f"subject:  {federated(KUBERNETES)[1]}" in said


def test_the_pod_ignores_a_secret_that_is_left(in_the_pod):
    example, environ = in_the_pod
    ran = example.run("-m", "credconf", "doctor", SCOPE, environ={**environ, "AZURE_CLIENT_SECRET": "made-up"})
    assert ran.code == 0, ran.text
    assert "warning[unheard-variable]: AZURE_CLIENT_SECRET" in ran.out


def test_the_page_shows_the_doctors_step_and_the_command(in_the_pod, fake_entra):
    example, environ = in_the_pod
    registration = fake_entra.register(CLIENT, tenants=[TENANT], federated=[("https://a.example", "b", "c")])
    assert len(registration.federated) == 1
    said = levelled(example.run("-m", "credconf", "doctor", SCOPE, environ=environ).out, str(example.directory))
    step, command = (levelled(block.text) for block in PAGE.blocks("text"))
    assert step in said
    assert command in said


def levelled(text: str, directory: str = "") -> str:
    """Without line breaks, times, and the directory of a test."""
    if directory:
        text = re.sub(rf"{re.escape(directory)}/", "/var/run/secrets/azure/tokens/", re.sub(r"\n +", " ", text))
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "(time)", " ".join(text.split()))
    return re.sub(r"\(\d+ ms\)", "(time)", text)


# -- jobs ------------------------------------------------------------------------------------------------------


def test_the_workflow_may_request_an_assertion():
    workflow = parsed(GITHUB, ".github/workflows/report.yml")
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    job = workflow_job()
    assert federated(GITHUB)[1].endswith(f":environment:{job['environment']}")
    assert (EXAMPLES / GITHUB / job["env"]["CREDCONF_FILE"]).is_file()
    assert [step["run"] for step in job["steps"] if "run" in step][-2:] == [
        f"credconf doctor {SCOPE}",
        "python report.py",
    ]


def test_the_pipeline_maps_the_token_of_the_job():
    step = pipeline_steps()[-1]
    assert step["env"]["SYSTEM_ACCESSTOKEN"] == "$(System.AccessToken)"
    assert (EXAMPLES / PIPELINES / step["env"]["CREDCONF_FILE"]).is_file()
    assert federated(PIPELINES)[1].endswith(f"/{step['inputs']['azureSubscription']}")
    assert step["inputs"]["inlineScript"].splitlines() == [f"credconf doctor {SCOPE}", "python report.py"]


def github() -> FakeGitHub:
    issuer, subject, _ = federated(GITHUB)
    return FakeGitHub(issuer=issuer, subject=subject)


def pipeline() -> FakeAzurePipelines:
    issuer, subject, _ = federated(PIPELINES)
    connection = parsed(PIPELINES, "credconf.yaml")["client_assertion"]["azure_pipelines"]
    return FakeAzurePipelines(issuer=issuer, subject=subject, service_connection_id=connection)


JOBS = [pytest.param(GITHUB, github, id="github"), pytest.param(PIPELINES, pipeline, id="azure_pipelines")]


@pytest.mark.parametrize(("folder", "fake"), JOBS)
def test_the_job_gets_a_token(folder, fake, place, fake_entra):
    fake_entra.register(CLIENT, tenants=[TENANT], federated=[federated(folder)])
    with fake() as job:
        environ = {**job.environ(), **fake_entra.environ(identity=False), "CREDCONF_FILE": "credconf.yaml"}
        said = works(place(folder), environ, program="report.py")
    assert f"subject:  {federated(folder)[1]}" in said


@pytest.mark.parametrize(("folder", "fake"), JOBS)
def test_a_job_that_does_not_name_the_file_is_told_to(folder, fake, place, fake_entra):
    with fake() as job:
        ran = place(folder).run("report.py", environ={**job.environ(), **fake_entra.environ(identity=False)})
    assert ran.code == 1
    assert "error[redirected-secret]" in ran.err
    assert "CREDCONF_FILE=credconf.yaml" in ran.err


# -- managed identities ----------------------------------------------------------------------------------------


def app_environ() -> dict[str, str]:
    (container,) = parsed(CONTAINER_APPS, "containerapp.yaml")["properties"]["template"]["containers"]
    return {each["name"]: each["value"] for each in container["env"]}


def test_the_container_app_has_one_user_assigned_identity():
    identity = parsed(CONTAINER_APPS, "containerapp.yaml")["identity"]
    assert identity["type"] == "UserAssigned"
    assert len(identity["userAssignedIdentities"]) == 1


def test_the_page_names_the_same_variables_for_app_service():
    pairs = [f"{name}={value}" for name, value in app_environ().items()]
    (settings,) = (block.text for block in PAGE.blocks("sh") if "appsettings set" in block.text)
    (exports,) = (block.text for block in PAGE.blocks("sh") if block.text.startswith("export "))
    assert all(pair in settings and f"export {pair}\n" in exports for pair in pairs)


def test_the_container_app_gets_a_token(place):
    environ = app_environ()
    identity = ManagedIdentity(environ["AZURE_CLIENT_ID"])
    with FakeAppService(user_assigned=[identity]) as app:
        works(place(CONTAINER_APPS), {**environ, **app.environ()})


def test_the_variables_choose_the_kind():
    resolved = credconf.load(False, env_file=False, environ=app_environ())
    assert resolved.settings.kind == "managed_identity"
    assert not resolved.warnings


def test_a_discovered_file_may_not_have_the_machine_vouch(place):
    (text,) = (block.text for block in PAGE.blocks("yaml") if "  managed_identity:" in block.text)
    example = place(CONTAINER_APPS)
    (example.directory / "credconf.yaml").write_text(text, encoding="utf-8")
    ran = example.run("-m", "credconf", "check", "--resolve", environ={})
    assert ran.code == 1
    assert "error[redirected-secret]: `managed_identity` in a discovered file" in ran.out


def test_a_managed_identity_vouches_for_the_application(fake_entra, tmp_path):
    (text,) = (block.text for block in PAGE.blocks("yaml") if "  managed_identity:" in block.text)
    (shown,) = (block.text for block in PAGE.blocks("json") if "managed-identity" in block.text)
    credential, configuration = json.loads(shown), yaml.safe_load(text)
    (tmp_path / "credconf.yaml").write_text(text, encoding="utf-8")
    vouching = configuration["client_assertion"]["managed_identity"]["client_id"]
    identity = ManagedIdentity(vouching, credential["subject"])
    trusted = (credential["issuer"], credential["subject"], *credential["audiences"])
    fake_entra.register(CLIENT, tenants=[TENANT], federated=[trusted])
    with FakeImds(user_assigned=[identity], tenant_id=TENANT) as imds:
        environ = {**imds.environ(), **fake_entra.environ(identity=False)}
        with credconf.from_config(tmp_path / "credconf.yaml", env_file=False, environ=environ) as application:
            assert application.get_token(SCOPE).token
