"""The frames of the threads of this process."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def frames() -> dict[int, FrameType]:
    """The frame of each thread, by the id of the thread."""
    gc.disable()  # CPython up to 3.11 deadlocks where a collection begins in this call
    try:
        return sys._current_frames()
    finally:
        gc.enable()
