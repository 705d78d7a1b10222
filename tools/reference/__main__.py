"""Writes the generated pages of the reference (`make reference`)."""

from __future__ import annotations

import sys

from .pages import pages, write

write()
sys.stdout.write(f"wrote {len(pages())} pages in docs/reference\n")
