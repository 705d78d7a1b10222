"""What the documentation shows holds beside what is not ours: a client of the Azure SDK, GitHub's workflows."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import PAGES
from tests.examples.running import Place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.pages import Block


def test_the_program_of_the_first_page_runs(tmp_path: Path) -> None:
    page = next(page for page in PAGES if str(page) == "index")
    page.lay_out(tmp_path)
    program = "\n".join(block.text for block in page.blocks("python"))
    (tmp_path / "page.py").write_text(program, encoding="utf-8")
    ran = Place(tmp_path).run("page.py", environ={})
    assert ran.code == 0, ran.text
    assert "azure.storage.blob" in program


WORKFLOWS = [
    block for page in PAGES for block in page.blocks("yaml") if block.title and block.title.startswith(".github/")
]


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
@pytest.mark.parametrize("block", WORKFLOWS, ids=lambda block: block.title)
def test_github_accepts_the_workflows(block: Block, schema: str, tmp_path: Path) -> None:
    path = tmp_path / "workflow.yml"
    path.write_text(block.text, encoding="utf-8")
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(argv, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
