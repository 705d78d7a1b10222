"""A new kind, a new reference and a new token store are one new file and one line in a registry each."""

from __future__ import annotations

import difflib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.toys.trying import CANARY

ROOT = Path(__file__).parent.parent
TOYS = ROOT / "tests" / "toys"


@dataclass(frozen=True)
class Toy:
    """Where the file of a toy goes, and what its registry gains.

    Attributes:
        file: the toy.
        place: of the file, in the package.
        registry: the one file of the package that changes.
        lines: what a text that is there once becomes, by what it was.
    """

    file: str
    place: str
    registry: str
    lines: dict[str, str]


KIND = Toy(
    "kind.py",
    "kinds/client_passphrase.py",
    "kinds/registry.py",
    {
        "from .client_secret": "from .client_passphrase import ClientPassphraseOverrides, ClientPassphraseSettings\n"
        "from .client_secret",
        "    | ClientCertificateSettings\n": "    | ClientCertificateSettings\n    | ClientPassphraseSettings\n",
        "class Overrides(\n": "class Overrides(\n    ClientPassphraseOverrides,\n",
    },
)
REFERENCE = Toy(
    "reference.py",
    "references/ini.py",
    "references/__init__.py",
    {
        "from .file import FileReference\n": "from .file import FileReference\nfrom .ini import IniReference\n",
        "    EnvReference\n": "    EnvReference\n    | IniReference\n",
    },
)
STORE = Toy(
    "store.py",
    "stores/directory.py",
    "stores/__init__.py",
    {
        "from .file import": "from .directory import DirectorySettings\nfrom .file import",
        "\nclass TokenCacheSettings(": "\nclass TokenCacheSettings(DirectorySettings, ",
    },
)


def built(place, *toys):
    """A copy of the package with toys in it."""
    shutil.copytree(ROOT / "credconf", place / "credconf", ignore=shutil.ignore_patterns("__pycache__"))
    for toy in toys:
        shutil.copy(TOYS / toy.file, place / "credconf" / toy.place)
        registry = place / "credconf" / toy.registry
        text = registry.read_text(encoding="utf-8")
        for old, new in toy.lines.items():
            assert text.count(old) == 1, f"{toy.registry} has {old!r} {text.count(old)} times"
            text = text.replace(old, new)
        registry.write_text(text, encoding="utf-8")
    return place


def tried(place, program):
    work = place / "work"
    work.mkdir(exist_ok=True)
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("AZURE_", "CREDCONF_"))}
    environ |= {"PYTHONPATH": os.pathsep.join([str(place), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-P", str(TOYS / program)], cwd=work, env=environ, capture_output=True, text=True, check=False
    )
    assert CANARY not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["package"]["found"].startswith(str(place))
    return facts


def assert_found(facts, expected):
    """Every fact is as it should be; a failure names each that is not."""
    found = {name: fact.get("found", fact.get("raised")) for name, fact in facts.items() if name != "package"}
    wrong = {name for name in found.keys() | expected if name not in found or found[name] != expected.get(name)}
    assert {name: found.get(name) for name in wrong} == {name: expected.get(name) for name in wrong}


@pytest.mark.parametrize(
    ("toy", "added", "removed"), [(KIND, 3, 0), (REFERENCE, 2, 0), (STORE, 2, 1)], ids=["kind", "reference", "store"]
)
def test_a_toy_is_one_file_and_a_line_of_its_registry(tmp_path, toy, added, removed):
    place = built(tmp_path, toy)
    ours, theirs = (
        {path.relative_to(root): path.read_text(encoding="utf-8") for path in root.rglob("*") if path.suffix == ".py"}
        for root in (ROOT / "credconf", place / "credconf")
    )
    assert [str(path) for path in theirs.keys() - ours.keys()] == [str(Path(toy.place))]
    changed = [path for path, text in ours.items() if theirs[path] != text]
    assert [str(path) for path in changed] == [str(Path(toy.registry))]
    changes = difflib.ndiff(ours[changed[0]].splitlines(), theirs[changed[0]].splitlines())
    signs = [line[0] for line in changes if line[0] in "+-"]
    # One line is the import. For type checkers, the arguments of a kind are one more.
    assert (signs.count("+"), signs.count("-")) == (added, removed)


WAY = ["configuration", "expiry", "token cache", "name resolution", "proxy", "TLS", "discovery", "clock", "token"]
UNPICKLABLE = (
    "settings that hold a secret can't be pickled, here `{}`: use from_config() with a reference, "
    "such as {{file: PATH}}"
)
OF_A_KIND = {
    "load_infers_the_kind": ["client_passphrase", True, 7],
    "the_kind_is_named": [
        "client_passphrase",
        [
            ["missing", "client_passphrase", "set CREDCONF_CLIENT_PASSPHRASE or CREDCONF_CLIENT_PASSPHRASE_FILE"],
            ["missing", "passphrase_salt", "set CREDCONF_PASSPHRASE_SALT"],
        ],
    ],
    "origins": ["app.yaml:4:18", 5, "default"],
    "faults": {
        "two proofs": [["two-proofs", "client_secret", "keep one of them"]],
        "a setting of another kind": [["unknown-key", "send_certificate_chain", "remove it, or change the kind"]],
        "its setting at another kind": [["unknown-key", "passphrase_rounds", "remove it, or change the kind"]],
        "out of range": [["bad-value", "passphrase_rounds", None]],
        "no number": [["bad-value", "passphrase_rounds", None]],
        "a bad reference": [["bad-reference", "client_passphrase", "did you mean {file: PATH}?"]],
        "an absent file": [["missing-file", "client_passphrase"]],
    },
    "a_setting_of_an_applications_model": ["client_passphrase", True],
    "check": {
        "good": [0, []],
        "a range": [1, [["bad-value", "passphrase_rounds", None]]],
        "a secret": [0, [["secret-in-file", "client_passphrase", "use {file: PATH} or {env: NAME}"]]],
        "another kind's": [1, [["unknown-key", "send_certificate_chain", "remove it, or change the kind"]]],
        "options alone": [0, []],
        "resolved": 0,
    },
    "a_values_defects": {
        "cut": [0, ["cut-value", "secret-in-file"]],
        "not expanded": [0, ["not-expanded", "secret-in-file"]],
        "readable by others": [["readable-by-others", "client_passphrase", "chmod o-r readable"]],
    },
    "show": [
        0,
        "client_passphrase",
        {"client_passphrase": [None, True], "passphrase_salt": ["pepper", False], "passphrase_rounds": [7, False]},
        ["file"],
    ],
    "show_what_is_wrong": [1, ["bad-value"], "pepper"],
    "the_schema_accepts": [True] * 3,
    "the_schema_refuses": [False] * 5,
    "hover_text": "The passphrase that the client secret is derived from.\n\n"
    "```yaml\nclient_passphrase: {file: /run/secrets/passphrase}\n```\n\n"
    "Variables: `CREDCONF_CLIENT_PASSPHRASE`, `CREDCONF_CLIENT_PASSPHRASE_FILE`; of the entry NAME: "
    "`CREDCONF__<NAME>__CLIENT_PASSPHRASE`, `CREDCONF__<NAME>__CLIENT_PASSPHRASE_FILE`",
    "the_kind_for_editors": "A service principal that proves itself with a secret derived from a passphrase.",
    "the_reference_page": [True] * 3,
    "variables": [5, "$CREDCONF_CLIENT_PASSPHRASE", ["file"], "a"],
    "hints": {
        "an argument": "did you mean `passphrase_rounds`?",
        "a key": "did you mean `client_passphrase`?",
        "another word": "did you mean `client_passphrase`?",
        "a file": "write `client_passphrase: {file: PATH}`",
        "a kind": "did you mean `client_passphrase`?",
        "another word for the kind": "did you mean `client_passphrase`?",
        "a variable": "did you mean CREDCONF_CLIENT_PASSPHRASE?",
    },
    "redirection": [["redirected-secret", "authority"], ["unknown-authority", "authority"]],
    "its_arguments_have_types": True,
    "mixed_identity": [["mixed-identity", "client_id"]],
    "sealing": [{"token": "x"}, None],
    "pickling": [True, UNPICKLABLE.format("client_passphrase")],
    "its_repr_shows_no_secret": [False, False],
    "a_token": [True, 1, True, True],
    "a_token_for_a_coroutine": 2,
    "a_token_by_arguments": 2,
    "a_token_after_pickling": 2,
    "a_new_passphrase": True,
    "doctor": [0, dict.fromkeys(WAY, "ok"), "client_passphrase", "unknown"],
    "token": 0,
    "a_refusal": ["invalid_client", False, False],
}
NO_INI = "write {ini: PATH#SECTION.OPTION}"
OF_A_REFERENCE = {
    "load_reads_it": [True, []],
    "text_that_is_no_secret": [],
    "a_list_of_secrets": [["missing-file", "client_secret.1", "create the file, or correct its path"]],
    "faults": {
        "its shape": [["bad-reference", "client_secret.ini", NO_INI]],
        "no text": [["bad-reference", "client_secret.ini", NO_INI]],
        "an absent file": ["missing-file"],
        "an absent option": ["missing-variable"],
        "an empty option": ["empty"],
        "no INI": ["missing-variable"],
        "not allowed": [["not-allowed", "client_secret", 'pass allow={"ini"} to from_config(), or --allow ini']],
        "not for a certificate": [["bad-reference", "client_certificate", "write {file: PATH}"]],
        "an unknown word": "allow knows only 'azure_cli', 'command' and 'ini', not 'inni'",
    },
    "the_code_is_explained": 0,
    "check": {
        "good": [0, []],
        "its shape": [1, [["bad-reference", "client_secret.ini", NO_INI]]],
        "resolved": 0,
        "not allowed": 1,
        "for a shell": [0, [["not-expanded", "client_secret", "write the whole path"]]],
    },
    "readable_by_others": [["readable-by-others", "client_secret", "chmod o-r open.ini"]],
    "show": [0, None, True, ["ini"]],
    "show_where_it_is_not_allowed": [1, ["not-allowed"], ["ini"]],
    "an_unknown_word_on_the_command_line": [2, True],
    "the_schema_accepts": [True] * 3,
    "the_schema_refuses": [False] * 4,
    "hover_text": [
        "An option of an INI file that belongs to another program, where the application allows it.",
        [{"label": "PATH#SECTION.OPTION", "body": "${1:PATH}#${2:SECTION}.${3:OPTION}"}],
    ],
    "what_an_editor_says_of_a_bad_value": ["what follows `ini` is not a path, `#`, a section, `.` and an option"],
    "the_reference_page": True,
    "hints": {
        "misspelt": "did you mean {ini: PATH#SECTION.OPTION}?",
        "another word": "did you mean {ini: PATH#SECTION.OPTION}?",
        "a suffix": "write `client_secret: {ini: PATH#SECTION.OPTION}`",
        "in a file": "did you mean {ini: PATH#SECTION.OPTION}?",
    },
    "redirection": {
        "its own": ["unknown-authority"],
        "another's": ["redirected-secret", "unknown-authority"],
        "another's text": ["redirected-secret", "unknown-authority"],
    },
    "pickling": True,
    "a_token": [1, True, True],
    "a_change_is_noticed": True,
    "a_token_after_pickling": 2,
    "doctor": [0, "ini"],
}
OF_A_STORE = {
    "load_reads_it": ["directory", "directory", True, True],
    "faults": {
        "missing": [["missing", "token_cache.path", "set CREDCONF_TOKEN_CACHE__PATH"]],
        "another store's": [["unknown-key", "token_cache.name", "remove it, or write `kind: file`"]],
        "its setting at another store": [["unknown-key", "token_cache.path", "remove it, or write `kind: directory`"]],
        "no path": [["wrong-type", "token_cache.path", "write the text itself: a reference is not possible here"]],
        "a kind": [["bad-value", "token_cache.kind", "did you mean `directory`?"]],
        "an absent key": [["missing-file", "token_cache.seal_with"]],
    },
    "others_are_as_they_were": ["memory", "redis"],
    "check": {
        "good": [0, []],
        "missing": [0, []],
        "a key": [0, [["secret-in-file", "token_cache.seal_with", "use {file: PATH} or {env: NAME}"]]],
        "another store's": [1, [["unknown-key", "token_cache.path", "remove it, or write `kind: directory`"]]],
        "resolved": 0,
        "for a shell": [0, [["not-expanded", "token_cache.path", "write the whole path"]]],
    },
    "show": [0, True, True, ["file"]],
    "the_schema_accepts": [True] * 2,
    "the_schema_refuses": [False] * 4,
    "hover_text": [
        "Also in a directory that processes share, encrypted.",
        True,
        """\
The directory.

```yaml
token_cache:
  path: /var/cache/billing
```

Variables: `CREDCONF_TOKEN_CACHE__PATH`; of the entry NAME: `CREDCONF__<NAME>__TOKEN_CACHE__PATH`""",
    ],
    "the_reference_page": [True] * 2,
    "variables": ["directory", True, ["file"]],
    "hints": {
        "an argument": "did you mean `path`?",
        "another word": "did you mean `path`?",
        "beside the group": "write it below `token_cache`: `token_cache: {seal_with: …}`",
        "a variable": "did you mean CREDCONF_TOKEN_CACHE__PATH?",
    },
    "redirection": {
        "the place": ["token_cache.path"],
        "the key": ["token_cache.path", "token_cache.seal_with"],
    },
    "pickling": [True, UNPICKLABLE.format("seal_with")],
    "a_token_survives_into_a_second_process": [True, 1],
    "what_is_kept_is_sealed": [1, [False] * 3, True],
    "another_secret_finds_no_token": 1,
    "a_key_of_its_own": 1,
    "what_a_failure_may_show": False,
    "a_relative_directory_stays_the_same": [True, []],
    "doctor": [0, "ok", True],
    "doctor_of_one_that_can_not_be_used": [
        "warning",
        "Let the directory belong to the user that runs the application.",
    ],
}
OF_ALL = {
    "a_token_survives_into_a_second_process": [True, 1, 1],
    "the_key_of_the_store_by_the_reference": 1,
    "check": [[0, []], True],
    "show": [0, "client_passphrase", "directory"],
    "doctor": [0, ["ok"]],
}


@pytest.mark.parametrize(
    ("program", "toys", "expected"),
    [
        ("try_kind.py", [KIND], OF_A_KIND),
        ("try_reference.py", [REFERENCE], OF_A_REFERENCE),
        ("try_store.py", [STORE], OF_A_STORE),
        ("try_all.py", [KIND, REFERENCE, STORE], OF_ALL),
    ],
    ids=["kind", "reference", "store", "all of them"],
)
def test_a_toy_goes_through_everything(tmp_path, program, toys, expected):
    assert_found(tried(built(tmp_path, *toys), program), expected)
