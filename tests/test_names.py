"""What the package offers by name, and what it says about azure-identity's other names."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle

import pytest

import credconf
import credconf.aio

azure_identity = pytest.importorskip("azure.identity")
azure_identity_aio = pytest.importorskip("azure.identity.aio")

MODULES = [(credconf, azure_identity), (credconf.aio, azure_identity_aio)]
MISSING = [
    (module.__name__, name)
    for module, azure in MODULES
    for name in {*azure.__all__, *azure_identity.__all__}
    if name not in module.__all__
]


def imported(module: str, name: str):
    names: dict[str, object] = {}
    exec(f"from {module} import {name}", names)  # noqa: S102 - the statement is what is tested
    return names[name]


@pytest.mark.parametrize(("module", "name"), sorted(MISSING))
def test_an_import_of_another_name_of_azure_identity_says_what_to_use(module, name):
    with pytest.raises(ImportError) as caught:
        imported(module, name)
    message = str(caught.value)
    assert message.startswith(f"{module} has no {name}: ")
    assert "{" not in message.replace('{"azure_cli"}', "").replace("{azure_pipelines:", "").replace("{kind:", "")


@pytest.mark.parametrize(("module", "name"), sorted(MISSING))
def test_a_look_for_it_is_an_attribute_error_as_for_any_other(module, name):
    found = importlib.import_module(module)
    assert not hasattr(found, name)
    with pytest.raises(AttributeError, match=f"{module} has no {name}: "):
        getattr(found, name)


@pytest.mark.parametrize("module", ["credconf", "credconf.aio"])
def test_a_name_of_nobody_is_what_python_says(module):
    with pytest.raises(ImportError, match="cannot import name 'Nobody'"):
        imported(module, "Nobody")
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'Nobody'"):
        importlib.import_module(module).Nobody  # noqa: B018 - the look-up is what is tested


@pytest.mark.parametrize(("module", "azure"), MODULES)
def test_the_classes_of_both_can_be_imported(module, azure):
    for name in {*azure.__all__} & {*module.__all__}:
        assert imported(module.__name__, name) is getattr(module, name)
    assert "EnvironmentCredential" in module.__all__


def test_an_import_after_many_other_names_is_found_too():
    names: dict[str, object] = {}
    many = "\n".join(f"name_{number} = {number}" for number in range(300))
    with pytest.raises(ImportError, match="has no DefaultAzureCredential: "):
        exec(f"{many}\nfrom credconf import DefaultAzureCredential", names)  # noqa: S102 - as above


@pytest.mark.parametrize("module", [credconf, credconf.aio])
def test_what_looks_at_a_module_still_works(module):
    assert dict(inspect.getmembers(module)).keys() >= {*module.__all__}
    assert pickle.loads(pickle.dumps(module.Credential)) is module.Credential  # noqa: S301 - our own
    assert copy.copy(module.Credential) is module.Credential
    assert inspect.unwrap(module.from_config) is module.from_config
