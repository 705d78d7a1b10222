"""`token_cache: {kind: memory}`: tokens of this process alone, the default."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .settings import StoreSettings

if TYPE_CHECKING:
    from .settings import Opening
    from .store import Store


class MemorySettings(StoreSettings):
    """Tokens are kept in the memory of this process."""

    store: ClassVar = "memory"
    summary: ClassVar = "In this process alone."

    @classmethod
    def open(cls, opening: Opening) -> Store | None:  # noqa: ARG003 - nothing is shared
        """Nothing is shared."""
        return None
