"""Promise: `import credconf` imports nothing third-party, and its three lists of names say the same."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib import import_module

import pytest

import credconf
from credconf.testing import FakeEntra

with open(credconf.__file__, encoding="utf-8") as file:
    TREE = ast.parse(file.read())


def literal(name: str):
    for node in TREE.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            value = node.value.args[0] if isinstance(node.value, ast.Call) else node.value
            return ast.literal_eval(value)
    raise AssertionError(name)


def imported_for_types() -> dict[str, str]:
    block = next(node for node in TREE.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    return {alias.name: node.module or "" for node in block.body for alias in node.names}


def test_the_three_lists_agree():
    names, home, modules = literal("__all__"), literal("_HOME"), literal("_MODULES")
    assert sorted(names) == names
    assert set(names) == {*home, *modules, "__version__"}
    imported = imported_for_types()
    assert {name for name, module in imported.items() if not module} == modules
    assert set(imported) == {*home, *modules}
    assert {name: module for name, module in imported.items() if module} == home


@pytest.mark.parametrize("name", credconf.__all__)
def test_every_name_is_there(name):
    assert getattr(credconf, name) is not None
    assert name in dir(credconf)


def test_a_name_is_the_one_of_its_home():
    for name, home in literal("_HOME").items():
        assert getattr(credconf, name) is getattr(import_module(f"credconf.{home}"), name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = credconf.nothing


def test_no_module_hides_a_public_name():
    for name in {*credconf.__all__} - {"aio", "errors", "testing", "__version__"}:
        assert getattr(credconf, name).__class__.__name__ != "module"


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in result.stdout.split()}


def test_importing_it_imports_nothing_third_party():
    where = repr(credconf.__file__.rpartition("credconf")[0])
    loaded = loaded_by(f"sys.path.insert(0, {where}); import credconf")
    assert loaded - set(sys.stdlib_module_names) == {"credconf"}
    assert "asyncio" not in loaded


def test_loading_imports_neither_msal_nor_requests(tmp_path):
    where = repr(credconf.__file__.rpartition("credconf")[0])
    fields = "tenant_id='a.example', client_id='x', client_secret='x'"
    loaded = loaded_by(
        f"sys.path.insert(0, {where}); import credconf; credconf.load(False, env_file=False, environ={{}}, {fields})"
    )
    assert "pydantic" in loaded
    assert not loaded & {"msal", "requests", "aiohttp"}


PROGRAM = """
import sys, credconf
credential = credconf.from_config()
before = {"azure.core", "msal", "urllib3"} & sys.modules.keys()
token = credential.get_token("https://storage.azure.com/.default")
print(sorted(before), type(token).__module__)
"""


def test_from_config_imports_nothing_that_only_a_token_needs(tmp_path):
    with FakeEntra() as entra:
        environ = {**os.environ, **entra.environ()}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
        )
    assert done.stdout.split("\n")[0] == "[] azure.core.credentials"
