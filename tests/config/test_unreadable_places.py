"""A `.env` or a working directory that can't be read stops only what needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from credconf.ground.files import CONFIGURATION_LIMIT
from tests.cli.running import ROOT
from tests.config.project import CANARY, CLIENT, COMPLETE, TENANT, VARIABLES, codes, only

OFF = "env_file=False, or --no-env-file"
BROKEN = {
    "not-utf8": b"A=\xff\n",
    "file-too-large": b"#" * (CONFIGURATION_LIMIT + 1),
    "too-complex": b"A=1\n" * 20_001,
    "bad-dotenv": b"AZURE_CLIENT_SECRET 'x\n",
}
WITHOUT_SECRET = {name: text for name, text in VARIABLES.items() if name != "AZURE_CLIENT_SECRET"}


@pytest.mark.parametrize("code", BROKEN)
@pytest.mark.parametrize("path", [None, False, "app.yaml"])
def test_a_found_dotenv_that_nothing_needs_is_a_warning(project, code, path):
    project.write(".env", BROKEN[code])
    project.write("app.yaml", "cloud: public\n")
    [warning] = project.load(path, environ=VARIABLES).warnings
    assert (warning.code, warning.severity, warning.file) == (code, "warning", ".env")
    assert warning.hint.endswith(OFF)


@pytest.mark.parametrize("code", BROKEN)
def test_it_is_an_error_if_it_may_hold_what_is_missing(project, code):
    project.write(".env", BROKEN[code])
    problem = only(project.refused(environ=WITHOUT_SECRET))
    assert problem.code == code
    assert problem.hint.startswith("it may hold what is missing: client_secret\n")
    assert problem.hint.endswith(OFF)
    project.write("app.yaml", COMPLETE.replace(CANARY, "{env: MISSING}"))
    assert codes(project.refused("app.yaml")) == [code]


def test_it_is_an_error_if_another_line_of_it_is_used(project):
    project.write(".env", f"AZURE_CLIENT_SECRET={CANARY}\nAZURE_AUTHORITY_HOST 'x\n")
    assert codes(project.refused(environ=WITHOUT_SECRET)) == ["bad-dotenv"]
    project.write(".env", f"MY_SECRET={CANARY}\nAZURE_AUTHORITY_HOST 'x\n")
    error = project.refused(environ=WITHOUT_SECRET, client_secret={"env": "MY_SECRET"})
    assert codes(error) == ["bad-dotenv"]


@pytest.mark.parametrize("code", BROKEN)
def test_one_that_is_named_is_an_error(project, code):
    project.write("my.env", BROKEN[code])
    assert codes(project.refused(environ=VARIABLES, env_file="my.env")) == [code]


# As a user who may not read

PROGRAM = """
import os, sys
import credconf

tenant, client, secret, here, mode = sys.argv[1:]
complete = {"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": secret}
# What is imported only on some paths may be out of reach for the other user.
credconf.from_config(False, environ=complete, env_file=False).close()
try:
    credconf.load(environ={}, env_file=False)
except credconf.ConfigError as error:
    str(error)
os.chdir(here)
os.chmod(".", int(mode, 8))
if os.geteuid() == 0:
    os.setgroups([])
    os.setuid(65534)
def tell(*path, **arguments):
    try:
        print(*sorted(item.code for item in credconf.load(*path, **arguments).warnings) or ["fine"])
    except credconf.ConfigError as error:
        print(error.problems[0].code, error.problems[0].hint)
tell(environ=complete)
tell(False, environ=complete)
tell(os.path.join(os.path.dirname(here), "named", "app.yaml"), environ=complete)
tell(environ={**complete, "AZURE_CLIENT_SECRET": ""})
"""


@pytest.fixture
def place():
    """A directory that every user can reach, unlike that of a test."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    (directory / "here").chmod(0o755)
    shutil.rmtree(directory)


def as_another_user(place, dotenv_mode, mode) -> list[str]:
    """What `load()` says to a user who may not read `.env`, or not search the working directory."""
    for name in ("here", "named"):
        (place / name).mkdir()
        (place / name).chmod(0o755)
    (place / "named" / "app.yaml").write_text("cloud: public\n")
    (place / "named" / "app.yaml").chmod(0o644)
    (place / "here" / ".env").write_text(f"AZURE_CLIENT_SECRET={CANARY}\n")
    (place / "here" / ".env").chmod(dotenv_mode)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, TENANT, CLIENT, CANARY, str(place / "here"), f"{mode:o}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert CANARY not in done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
def test_permissions_of_a_dotenv_stop_only_what_needs_it(place):
    *fine, missing, _ = as_another_user(place, 0o000, 0o755)
    assert fine == ["unreadable-file"] * 3
    assert missing == "unreadable-file it may hold what is missing: client_secret"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
def test_a_working_directory_that_can_not_be_searched_stops_only_what_needs_it(place):
    *fine, missing, empty, searched = as_another_user(place, 0o644, 0o644)
    assert fine == ["fine"] * 3
    assert missing.startswith("missing set AZURE_CLIENT_SECRET")
    assert empty == "AZURE_CLIENT_SECRET is set, but empty"
    assert "can't search the working directory" in searched


@pytest.mark.parametrize("source", ["path", "env_file"])
@pytest.mark.parametrize(
    ("content", "code", "hint"),
    [
        (None, "not-a-file", "name a file"),
        (b"A=\xff\n", "not-utf8", "save it as UTF-8"),
        (b"#" * (CONFIGURATION_LIMIT + 1), "file-too-large", "check the path"),
    ],
)
def test_a_named_file_that_cannot_be_read_says_what_to_do(project, source, content, code, hint):
    if content is None:
        (project.path / "named").mkdir()
    else:
        project.write("named", content)
    problem = only(project.refused(**{source: "named"}, environ=VARIABLES))
    assert (problem.code, problem.hint) == (code, hint)
