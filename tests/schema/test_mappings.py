"""An editor and `credconf check` give the same hint for a key of another tool."""

from __future__ import annotations

import pytest

from credconf.config.judging import judge
from credconf.config.reading.document import parse
from credconf.config.reading.nodes import Document
from credconf.kinds import ALIASES, FIELDS, NESTED
from tools.schema.mappings import foreign_keys

HINTS = foreign_keys((*FIELDS, *ALIASES))


def hint_of(text):
    [problem] = [item for item in judge([Document("app.yaml", parse(text, "app.yaml"))]) if item.severity == "error"]
    assert problem.code == "unknown-key"
    return problem.hint


@pytest.mark.parametrize(("hint", "keys"), HINTS.items(), ids=lambda item: item if isinstance(item, str) else "")
def test_both_give_the_same_hint_beside_the_settings(hint, keys):
    assert {hint_of(f"{key}: a") for key in keys} == {hint}
    assert {hint_of(f"credentials: {{a: {{{key}: a}}}}") for key in keys} == {hint}


@pytest.mark.parametrize("group", NESTED)
def test_both_give_the_same_hint_in_a_group(group):
    hints = foreign_keys(NESTED[group])
    assert hints
    for hint, keys in hints.items():
        assert {hint_of(f"{group}: {{{key}: a}}") for key in keys} == {hint}


@pytest.mark.parametrize(
    "key", ["tenantId", "TenantId", "tenant-id", "tenant", "secret", "clientSecret", "AZURE_TENANT_ID"]
)
def test_common_keys_of_other_tools_are_known(key):
    assert any(key in keys for keys in HINTS.values())


def test_no_setting_is_a_stranger():
    assert not {*FIELDS, *ALIASES} & {key for keys in HINTS.values() for key in keys}
