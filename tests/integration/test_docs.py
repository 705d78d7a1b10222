"""What the documentation shows of the Azure SDK's clients runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs.pages import PAGES
from tests.examples.running import Place

if TYPE_CHECKING:
    from pathlib import Path


def test_the_program_of_the_first_page_runs(tmp_path: Path) -> None:
    page = next(page for page in PAGES if str(page) == "index")
    page.lay_out(tmp_path)
    program = "\n".join(block.text for block in page.blocks("python"))
    (tmp_path / "page.py").write_text(program, encoding="utf-8")
    ran = Place(tmp_path).run("page.py", environ={})
    assert ran.code == 0, ran.text
    assert "azure.storage.blob" in program
