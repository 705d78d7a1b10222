"""The pages about libraries that are not ours run beside them, up to the request that would leave the machine."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import PAGES
from tests.examples.running import Place

if TYPE_CHECKING:
    from pathlib import Path

    from credconf.testing import FakeEntra

OPENAI = """
import asyncio
import httpx

met = []


def answer(request):
    met.append(request.headers["Authorization"])
    return httpx.Response(200, json={"object": "list", "data": []})


transport = httpx.MockTransport(answer)
client.with_options(http_client=httpx.Client(transport=transport)).models.list()


async def go():
    async with httpx.AsyncClient(transport=transport) as http:
        await asynchronous.with_options(http_client=http).models.list()


asyncio.run(go())
assert len(met) == 2
assert all(header == "Bearer " + credential.get_token(SCOPE).token for header in met), len(met)
"""
DATABASES = """
options = {}
add_password(None, None, [], options)
assert options["password"] == credential.get_token(POSTGRES).token
add_token(None, None, [], options)
packed = options["attrs_before"][1256]
token = credential.get_token(DATABASE).token
assert packed == len(token.encode("utf-16-le")).to_bytes(4, "little") + token.encode("utf-16-le")
try:
    reports.connect()  # SQLAlchemy calls the listener, and the driver finds no such host
except Exception as error:
    assert "password" not in str(error).lower(), type(error)
else:
    raise SystemExit("connected")
"""


def program_of(name: str, directory: Path) -> str:
    page = next(page for page in PAGES if str(page) == name)
    page.lay_out(directory)
    return "\n".join(block.text for block in page.blocks("python") if not block.title)


def test_the_page_about_openai(tmp_path: Path, fake_entra: FakeEntra) -> None:
    (tmp_path / "page.py").write_text(program_of("how-to/openai", tmp_path) + OPENAI, encoding="utf-8")
    ran = Place(tmp_path).run("page.py", environ=fake_entra.environ())
    assert ran.code == 0, ran.text


@pytest.mark.skipif(importlib.util.find_spec("pyodbc") is None, reason="pyodbc is not installed")
def test_the_page_about_databases(tmp_path: Path, fake_entra: FakeEntra) -> None:
    try:
        importlib.import_module("pyodbc")  # it needs the system's libodbc
    except ImportError as error:
        pytest.skip(f"pyodbc can't be imported: {error}")
    (tmp_path / "page.py").write_text(program_of("how-to/databases", tmp_path) + DATABASES, encoding="utf-8")
    ran = Place(tmp_path).run("page.py", environ=fake_entra.environ())
    assert ran.code == 0, ran.text
