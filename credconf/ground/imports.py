"""Imports of libraries in any thread: one lock for all, and a failed import can be repeated."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

importing = threading.RLock()
"""The lock that is held while libraries are imported, and during a fork. Otherwise a child that is forked during an
import could never finish it: the thread that holds the lock of the module does not exist in the child."""


@contextmanager
def whole_packages() -> Generator[None]:
    """Remove the modules of a package whose import fails, for example for want of a file descriptor.

    Python removes the package that failed from `sys.modules`, and keeps its finished modules. The next import finds
    these without binding them to the new package: MSAL then raises an AttributeError until the process ends.
    """
    before = list(sys.modules)
    try:
        yield
    except BaseException:  # also an interrupt, which leaves the same half package
        for name in sorted(set(sys.modules).difference(before)):  # a package comes before its modules
            package = name.rpartition(".")[0]
            if package and package not in sys.modules:
                sys.modules.pop(name, None)
        raise


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=importing.acquire, after_in_parent=importing.release, after_in_child=importing.release)
