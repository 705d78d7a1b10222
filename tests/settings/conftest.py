from __future__ import annotations

from tests.config.project import project

__all__ = ["project"]
