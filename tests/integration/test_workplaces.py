"""A configuration is known by its file name, in VS Code and by the public catalogue, and judged before a commit."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import ENVIRON, yaml_settings
from tests.integration.editor import SCHEMA
from tests.integration.language_server import Diagnostic, LanguageServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NAMES = ["credconf.yaml", "credconf.yml", "credconf.prod.yaml", "credconf-dev.yml", "deploy/credconf.yaml"]
OTHERS = ["config.yaml", "credconfig.yaml", "deploy/my-credconf.yaml"]
BROKEN = "clinet_id: a\n"
FOUND = [Diagnostic(1, 1, 10, "Property clinet_id is not allowed.")]
KNOWN_BY_NAME = dict.fromkeys(NAMES, FOUND) | {name: [] for name in OTHERS}
WORKFLOW = ROOT / "examples/continuous_integration/.github/workflows/credentials.yml"


def by_name(server: LanguageServer, directory: Path) -> dict[str, list[Diagnostic]]:
    """What is said of a mistake in a file of each name."""
    uris = {}
    for name in (*NAMES, *OTHERS):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BROKEN, encoding="utf-8")
        uris[name] = server.open(path)
    return {name: server.diagnostics(uri) for name, uri in uris.items()}


def test_the_settings_of_vs_code_know_a_configuration_by_its_name(
    language_server_argv: list[str], tmp_path: Path
) -> None:
    workspace = tmp_path / "editor"
    shutil.copytree(ROOT / "examples/editor", workspace)
    shutil.copyfile(SCHEMA, workspace / ".vscode" / SCHEMA.name)  # what `credconf schema` prints
    told = json.loads((workspace / ".vscode/settings.json").read_text(encoding="utf-8"))
    settings = yaml_settings(schemas=told["yaml.schemas"])
    log = tmp_path / "yaml-language-server.log"
    with LanguageServer(language_server_argv, settings, log=log, environ=ENVIRON, workspace=workspace) as server:
        assert server.diagnostics(server.open(workspace / "credconf.yaml")) == []
        assert by_name(server, workspace / "files") == KNOWN_BY_NAME


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        pass


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[str]:
    """The URL of a catalogue with our entry alone, whose schema lies beside it."""
    directory = tmp_path / "catalogue"
    directory.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory))) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        entry = json.loads((ROOT / "schema/catalog-entry.json").read_text(encoding="utf-8"))
        here = {**entry, "url": f"{url}/{entry['url'].rpartition('/')[2]}"}
        (directory / "catalog.json").write_text(json.dumps({"version": 1, "schemas": [here]}), encoding="utf-8")
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        (directory / "credconf.json").write_text(json.dumps({"$id": here["url"], **schema}), encoding="utf-8")
        threading.Thread(target=server.serve_forever, name="catalogue", daemon=True).start()
        yield f"{url}/catalog.json"
        server.shutdown()


def test_the_entry_of_the_catalogue_knows_a_configuration_by_its_name(
    language_server_argv: list[str], catalogue: str, tmp_path: Path
) -> None:
    settings = yaml_settings(schemaStore={"enable": True, "url": catalogue})
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    environ = {name: value for name, value in ENVIRON.items() if name.lower() not in proxies}
    log = tmp_path / "yaml-language-server.log"
    with LanguageServer(language_server_argv, settings, log=log, environ=environ) as server:
        assert by_name(server, tmp_path / "files") == KNOWN_BY_NAME


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_the_workflow_is_one(schema: str) -> None:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed: run `make integration`")
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(WORKFLOW)]
    done = subprocess.run(argv, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, done.stdout


# pre-commit


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a good configuration, a broken one, and an unrelated file."""
    pytest.importorskip("pre_commit", reason="pre-commit is not installed: run `make integration`")
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("pre-commit takes a hook from a git repository, and this is none")
    directory = tmp_path / "somebody"
    (directory / "deploy").mkdir(parents=True)
    (directory / "credconf.yaml").write_text("tenant_id: contoso.com\n", encoding="utf-8")
    (directory / "deploy/credconf.prod.yml").write_text("tenant_id: contoso.com\n" + BROKEN, encoding="utf-8")
    (directory / "other.yaml").write_text(BROKEN, encoding="utf-8")
    for command in (["git", "init", "-q"], ["git", "add", "-A"]):
        subprocess.run(command, cwd=directory, env=_outside_of_git(), check=True, capture_output=True, timeout=60)
    return directory


def _outside_of_git() -> dict[str, str]:
    return {name: value for name, value in ENVIRON.items() if not name.startswith("GIT_")}


def _pre_commit(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **_outside_of_git(),
        "PRE_COMMIT_HOME": str(directory.parent / "pre-commit"),
        "PRE_COMMIT_COLOR": "never",
    }
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=directory,
        env=environ,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


def test_pre_commit_installs_the_hook_and_stops_a_commit_that_would_break(repository: Path) -> None:
    done = _pre_commit(repository, "try-repo", str(ROOT), "credconf-check", "--all-files", "--verbose")
    if no_packages := re.search(r"No matching distribution found for \S+|Temporary failure in name.*", done.stdout):
        pytest.skip(f"pre-commit cannot install the hook: {no_packages[0]}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^check credconf configurations\.+Failed$", done.stdout, re.MULTILINE)
    assert "error[unknown-key]: `clinet_id` is not a setting\n  --> deploy/credconf.prod.yml:2:1\n" in done.stdout
    assert "1 error in 2 files" in done.stdout  # not in three


def test_pre_commit_takes_the_manifest(repository: Path) -> None:
    done = _pre_commit(repository, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
