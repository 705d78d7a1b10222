"""What an editor explains: the real yaml-language-server, and our schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credconf.kinds import FIELDS, NESTED

if TYPE_CHECKING:
    from tests.integration.editor import Editor


@pytest.mark.parametrize("path", [*FIELDS, *(f"{group}.{leaf}" for group, leaves in NESTED.items() for leaf in leaves)])
def test_a_setting_is_explained_in_markdown_with_an_example_and_its_variables(editor: Editor, path: str) -> None:
    group, _, leaf = path.rpartition(".")
    shown = editor.hover(f"{group}:\n  {leaf[:2]}‸{leaf[2:]}: 5" if group else f"{leaf[:2]}‸{leaf[2:]}: 5")
    assert shown.startswith(f"#### {path.replace('_', chr(92) + '_')}")
    assert shown.count("```yaml\n") == 1
    assert "Example:" not in shown
    if path not in {*NESTED, "env_prefix"}:
        assert f"`CREDCONF__<NAME>__{path.replace('.', '__').upper()}" in shown


def test_what_is_shown_of_a_setting_is_this(editor: Editor) -> None:
    shown = editor.hover("http:\n  ret‸ries: 5")
    assert shown.partition("\n\nSource:")[0] == (
        "#### http.retries\n\nThe number of retries after a failed attempt (network, 408, 429, 5xx).\n\n"
        "Default: `3`\n\n```yaml\nhttp:\n  retries: 5\n```\n\n"
        "Variables: `CREDCONF_HTTP__RETRIES`; of the entry NAME: `CREDCONF__<NAME>__HTTP__RETRIES`"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cloud: us‸gov", "* `usgov`: `https://login.microsoftonline.us`\n"),
        (
            "ki‸nd: client_secret",
            "* `client_certificate`: A service principal that proves itself with a certificate.\n",
        ),
        ("client_secret: {fi‸le: a}", "a relative one is relative to this file"),
        ("client_secret: {en‸v: A}", "in the process environment, or else in `.env`"),
        ("client_secret:\n  - comm‸and: [a]", '`allow={"command"}`'),
        ("client_secret: {file: ‸a}", "a relative one is relative to this file"),
        ("additionally_allowed_tenants: ['‸*']", '`"*"` means every tenant'),
        ("allowed_ten‸ants: []", "Another name of `additionally_allowed_tenants`"),
        ("defa‸ult: a", "`CREDCONF_NAME` and `name=` have precedence."),
        ("creden‸tials: {}", "    client_secret: {file: secrets/billing}\n"),
        ("credentials: {bill‸ing: {}}", "an identity and its proof"),
        ("credentials: {a: {ext‸ends: b}}", "A later one wins."),
        ("credentials: {a: {abst‸ract: true}}", "It can't be used itself."),
        ("x-a‸nchors: {}", "Your own key: for anchors"),
    ],
)
def test_what_the_cursor_stands_in_is_explained(editor: Editor, text: str, expected: str) -> None:
    assert expected in editor.hover(text)
