"""The hook for pre-commit, VS Code's settings and the entry of the public catalogue mean the same files."""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "schema/credconf.schema.json"
ENTRY = json.loads((ROOT / "schema/catalog-entry.json").read_text(encoding="utf-8"))
SETTINGS = json.loads((ROOT / "examples/editor/.vscode/settings.json").read_text(encoding="utf-8"))
[HOOK] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
WORKFLOW = (ROOT / "examples/continuous_integration/.github/workflows/credentials.yml").read_text(encoding="utf-8")

OURS = [
    "credconf.yaml",
    "credconf.yml",
    "credconf.prod.yaml",
    "credconf-dev.yml",
    "credconf.a-b.c.yaml",
    "a/b/credconf.yaml",
]
NOT_OURS = [
    "config.yaml",
    "credconf.json",
    "credconf.yaml.bak",
    "credconfig.yaml",
    "my-credconf.yaml",
    "credconf/a.yaml",
]


def by_the_hook(path):
    return bool(re.search(HOOK["files"], path))


def by_the_catalogue(path):
    """A pattern without a folder is about names."""
    return any(fnmatch.fnmatchcase(path.rpartition("/")[2], pattern) for pattern in ENTRY["fileMatch"])


@pytest.mark.parametrize("means", [by_the_hook, by_the_catalogue])
def test_they_mean_the_same_files(means):
    assert [path for path in OURS + NOT_OURS if means(path)] == OURS


def test_the_settings_and_the_workflow_repeat_them():
    assert {"yaml.schemas": {f"./.vscode/{SCHEMA.name}": ENTRY["fileMatch"]}} == SETTINGS
    assert f"grep -zE '{HOOK['files']}'" in WORKFLOW


def test_the_hook_judges_the_files_that_pre_commit_hands_over():
    assert HOOK["id"] == "credconf-check"
    assert HOOK["entry"] == "credconf check"
    assert HOOK["language"] == "python"
    assert HOOK["types"] == ["yaml"]
    assert HOOK.get("pass_filenames", True)


# What SchemaStore's own checks demand (its cli.js and CONTRIBUTING.md, read in November 2026)


def test_the_entry_has_the_fields_of_the_catalogue():
    assert list(ENTRY) == ["name", "description", "fileMatch", "url"]
    assert re.fullmatch(r"https://\S+/credconf\.json", ENTRY["url"])
    assert len(set(ENTRY["fileMatch"])) == len(ENTRY["fileMatch"])
    assert all(pattern.endswith((".yaml", ".yml")) and "/" not in pattern for pattern in ENTRY["fileMatch"])


@pytest.mark.parametrize("field", ["name", "description"])
def test_the_entry_speaks_as_the_catalogue_wants(field):
    text = ENTRY[field]
    assert "schema" not in text.lower()  # all that is in the catalogue is one
    assert not text.endswith((",", ".", " ", "\t", "-"))
    assert "\n" not in text


def test_the_schema_is_of_the_draft_that_the_catalogue_prefers_and_refers_to_itself_only():
    text = SCHEMA.read_bytes().decode("utf-8")
    assert text.startswith('{\n  "$schema": "http://json-schema.org/draft-07/schema#",\n')
    document = json.loads(text)
    assert not {"id", "$id"} & set(document)  # the catalogue's copy gets its own
    assert all(target.startswith("#/definitions/") for target in re.findall(r'"\$ref": "([^"]*)"', text))
    assert not re.search(r'"(?:title|description)": "[^"]*:"', text)


KNOWN_TO_THE_CATALOGUE = {"defaultSnippets", "markdownDescription", "markdownEnumDescriptions"}
STANDARD = {
    *("$schema", "$ref", "title", "description", "definitions", "default", "type", "enum", "pattern", "items"),
    *("properties", "patternProperties", "additionalProperties", "propertyNames", "required", "minProperties"),
    *("minItems", "maxItems", "maxProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("if", "then", "else", "not", "allOf", "anyOf"),
}
NAMES_OF_SCHEMAS = {"properties", "patternProperties", "definitions"}
DATA = {"default", "enum", "defaultSnippets", "markdownEnumDescriptions", "required"}


def keywords(schema):
    for key, value in schema.items() if isinstance(schema, dict) else ():
        yield key
        if key in NAMES_OF_SCHEMAS:
            for inner in value.values():
                yield from keywords(inner)
        elif key not in DATA:
            for inner in value if isinstance(value, list) else [value]:
                yield from keywords(inner)


def test_the_readme_of_the_schema_tells_the_catalogue_of_the_keywords_that_it_does_not_know():
    unknown = set(keywords(json.loads(SCHEMA.read_text(encoding="utf-8")))) - STANDARD - KNOWN_TO_THE_CATALOGUE
    told = re.search(r'"unknownKeywords": (\[.*?\])', (ROOT / "schema/README.md").read_text(encoding="utf-8"))
    assert told
    assert json.loads(told[1]) == sorted(unknown)
