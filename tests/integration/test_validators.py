"""Other validators, with regular expressions of their own, read our JSON Schema as `jsonschema` does."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.integration.editor import SCHEMA
from tests.integration.test_editor_diagnostics import BROKEN, GOOD

VALIDATOR = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
HERE = Path(__file__).parent
FILES = 60  # of each verdict: check-jsonschema opens them one by one


@pytest.fixture(scope="module")
def corpus() -> list[Any]:
    """Every value by itself, good and bad, and configurations made of them; as JSON reads them."""
    ours = import_module("tests.test_schema")
    found: list[Any] = list(ours.every_value())

    @settings(
        max_examples=200,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(ours.configurations())
    def generate(data: Any) -> None:
        found.append(data)

    generate()
    once = {json.dumps(data, sort_keys=True) for data in found}
    return [json.loads(text) for text in sorted(once)]


def test_the_corpus_holds_enough_of_both(corpus: list[Any]) -> None:
    verdicts = [VALIDATOR.is_valid(data) for data in corpus]
    assert verdicts.count(True) > 100
    assert verdicts.count(False) > 100


def test_ajv_in_strict_mode_compiles_it_and_says_the_same(corpus: list[Any], node: str, node_packages: Path) -> None:
    done = subprocess.run(
        [node, str(HERE / "ajv_verdicts.mjs"), str(SCHEMA), str(node_packages)],
        input=json.dumps(corpus),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")  # strict mode warns of some things only
    verdicts = json.loads(done.stdout)
    differing = [(data, ajv) for data, ajv in zip(corpus, verdicts, strict=True) if VALIDATOR.is_valid(data) != ajv]
    assert differing == []


def test_check_jsonschema_says_the_same_of_files(corpus: list[Any], tmp_path: Path) -> None:
    verdicts = {data: VALIDATOR.is_valid(json.loads(data)) for data in map(json.dumps, corpus)}
    expected: dict[Path, bool] = {}
    for wanted in (True, False):
        chosen = [data for data, verdict in verdicts.items() if verdict is wanted]
        for number, data in enumerate(chosen[:: max(1, len(chosen) // FILES)]):
            expected[_written(tmp_path / f"{wanted}-{number}.json", data)] = wanted
    yaml = {name: text for name, (text, *_) in BROKEN.items() if name != "a key twice"}
    for number, text in enumerate(yaml.values()):
        expected[_written(tmp_path / f"broken-{number}.yaml", text)] = False
    for number, text in enumerate(GOOD.values()):
        empty = text.startswith("#")  # to an editor a beginning, to everybody else no mapping
        expected[_written(tmp_path / f"good-{number}.yaml", text)] = not empty
    assert refused_by_check_jsonschema(list(expected)) == {path for path, good in expected.items() if not good}


def test_check_jsonschema_takes_it_for_a_schema() -> None:
    done = _check_jsonschema("--check-metaschema", str(SCHEMA))
    assert done.returncode == 0, done.stdout


def refused_by_check_jsonschema(paths: list[Path]) -> set[Path]:
    done = _check_jsonschema("--schemafile", str(SCHEMA), "--output-format", "json", *map(str, paths))
    report = json.loads(done.stdout)
    assert report["parse_errors"] == []
    return {Path(error["filename"]) for error in report["errors"]}


def _check_jsonschema(*arguments: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed: run `make integration`")
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
