"""Writes the schema file of the repository (`make schema`)."""

from __future__ import annotations

import sys

from .document import FILE, text

FILE.write_text(text(), encoding="utf-8", newline="\n")
sys.stdout.write(f"wrote {FILE}\n")
