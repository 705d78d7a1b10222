"""The example with three environments: every combination loads, and the manifests agree with the YAML."""

from __future__ import annotations

import itertools
import os
import posixpath
import re
from dataclasses import dataclass

import pytest
import yaml

import credconf
from tests.examples.running import EXAMPLES, Place

LAYERS = EXAMPLES / "layers"
ENVIRONMENTS = ("dev", "test", "prod")
NAMES = ("billing", "reports")
COMBINATIONS = list(itertools.product(ENVIRONMENTS, NAMES))
MOUNT = "/run/secrets/entra"


def parsed(name: str):
    return yaml.safe_load((LAYERS / name).read_text(encoding="utf-8"))


def secret_of(environment: str, name: str) -> list[dict[str, str]]:
    """The references to a secret, as the layer writes them."""
    references = parsed(f"{environment}.yaml")["credentials"][name]["client_secret"]
    return references if isinstance(references, list) else [references]


@pytest.fixture
def ci(fake_entra) -> dict[str, str]:
    """The masked variables of CI."""
    return dict.fromkeys(("BILLING_SECRET", "REPORTS_SECRET"), fake_entra.client_secret)


@pytest.fixture
def layers(place, fake_entra, tmp_path) -> Place:
    """The example where its secrets are: on this machine the volume is mounted somewhere else, but as full."""
    example: Place = place("layers")
    mount = tmp_path / "mounted"
    prod = example.directory / "prod.yaml"
    prod.write_text(prod.read_text(encoding="utf-8").replace(MOUNT, str(mount)), encoding="utf-8")
    for environment, name in COMBINATIONS:
        for reference in secret_of(environment, name):
            if "file" in reference:
                example.put_secret(reference["file"].replace(MOUNT, str(mount)), fake_entra.client_secret)
    return example


@pytest.mark.parametrize(("environment", "name"), COMBINATIONS)
def test_every_environment_has_every_identity(layers, ci, environment, name):
    files = [layers.directory / "base.yaml", layers.directory / f"{environment}.yaml"]
    resolved = credconf.load(files, name=name, env_file=False, environ=ci)
    layer = parsed(f"{environment}.yaml")["credentials"]
    assert resolved.warnings == ()
    assert resolved.name == name
    assert resolved.settings.client_id == layer[name]["client_id"]
    assert resolved.settings.tenant_id == layer["base"]["tenant_id"]
    assert resolved.settings.http.timeout == 5
    assert resolved.settings.http.retries == (8 if environment == "prod" else 5)
    assert resolved.origins["http.timeout"].file == str(files[0])
    assert resolved.origins["client_id"].file == str(files[1])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_default_is_billing(layers, ci, environment):
    files = [layers.directory / "base.yaml", layers.directory / f"{environment}.yaml"]
    assert credconf.load(files, env_file=False, environ=ci).name == "billing"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_environment_knows_anothers_application(environment):
    def ids(of):
        return {entry["client_id"] for entry in parsed(f"{of}.yaml")["credentials"].values() if "client_id" in entry}

    others = set().union(*(ids(other) for other in ENVIRONMENTS if other != environment))
    assert len(ids(environment)) == len(NAMES)
    assert not ids(environment) & others


def test_base_alone_is_not_enough(layers):
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.load(layers.directory / "base.yaml", env_file=False, environ={})
    assert {problem.code for problem in caught.value.problems} == {"missing"}


def test_the_production_layer_names_the_secret_that_is_missing():
    with pytest.raises(credconf.ConfigError, match=f"{MOUNT}/billing"):
        credconf.load([LAYERS / "base.yaml", LAYERS / "prod.yaml"], env_file=False, environ={})


@pytest.mark.parametrize(("environment", "name"), COMBINATIONS)
def test_the_program_runs_in_every_environment(layers, ci, fake_entra, server_alone, environment, name):
    layer = parsed(f"{environment}.yaml")["credentials"]
    application = fake_entra.register(
        layer[name]["client_id"], tenants=[layer["base"]["tenant_id"]], secrets=[fake_entra.client_secret]
    )
    selectors = {"CREDCONF_FILE": os.pathsep.join(["base.yaml", f"{environment}.yaml"]), "CREDCONF_NAME": name}
    ran = layers.run("main.py", environ={**ci, **server_alone(name), **selectors})
    assert ran.code == 0, ran.text
    assert application.client_id in ran.out
    assert ran.err == ""


# -- Kubernetes: what the manifests name is what the YAML means ----------------------------------------------


@dataclass(frozen=True)
class Pod:
    """What the Deployment says about its one container, looked up rather than nested."""

    environ: dict[str, str]
    mounts: dict[str, str]
    volumes: dict[str, dict]
    directory: str
    security: dict

    def files(self) -> set[str]:
        """Every file that a volume puts into the container."""
        generated = {one["name"]: one["files"] for one in parsed("kustomization.yaml")["configMapGenerator"]}
        found = set()
        for name, volume in self.volumes.items():
            paths = [item["path"] for item in volume["secret"]["items"]] if "secret" in volume else []
            paths += generated[volume["configMap"]["name"]] if "configMap" in volume else []
            found |= {posixpath.join(self.mounts[name], path) for path in paths}
        return found


@pytest.fixture(scope="module")
def pod() -> Pod:
    deployment = parsed("kubernetes/deployment.yaml")
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return Pod(
        environ={one["name"]: one["value"] for one in container["env"]},
        mounts={one["name"]: one["mountPath"] for one in container["volumeMounts"]},
        volumes={one["name"]: one for one in spec["volumes"]},
        directory=container["workingDir"],
        security=spec["securityContext"],
    )


def test_what_kustomize_names_is_there():
    kustomization = parsed("kustomization.yaml")
    generated = [file for one in kustomization["configMapGenerator"] for file in one["files"]]
    for path in [*kustomization["resources"], *generated]:
        assert (LAYERS / path).is_file(), path


def test_every_layer_is_in_the_image_or_mounted(pod):
    in_the_image, mounted = pod.environ["CREDCONF_FILE"].split(":")
    assert posixpath.dirname(in_the_image) == pod.directory
    assert (LAYERS / posixpath.basename(in_the_image)).is_file()
    assert mounted in pod.files()


def test_the_pod_gets_the_secret_of_its_own_identity_and_no_other(pod):
    secrets = {reference["file"] for reference in secret_of("prod", pod.environ["CREDCONF_NAME"])}
    assert {path for path in pod.files() if path.startswith(MOUNT)} == secrets


def test_the_pods_variables_choose_what_the_yaml_defines(pod):
    assert pod.environ["CREDCONF_NAME"] in NAMES
    assert pod.environ.keys() == {"CREDCONF_FILE", "CREDCONF_NAME"}


def test_every_volume_is_mounted_and_every_mount_is_a_volume(pod):
    assert pod.mounts.keys() == pod.volumes.keys()


def test_the_secret_is_readable_by_the_programs_group_and_nobody_else(pod):
    assert pod.volumes["secrets"]["secret"]["defaultMode"] == 0o440
    assert pod.security["fsGroup"]
    assert pod.security["runAsNonRoot"] is True


def test_the_readme_creates_the_secret_that_the_pod_mounts(pod):
    secret = pod.volumes["secrets"]["secret"]
    readme = (LAYERS / "README.md").read_text(encoding="utf-8")
    command = re.search(r"kubectl create secret generic (\S+) (.*?) {2}", readme)
    assert command is not None
    assert command[1] == secret["secretName"]
    assert re.findall(r"--from-file=(\w+)=", command[2]) == [item["key"] for item in secret["items"]]
