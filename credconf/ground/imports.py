"""Importing libraries in any thread: one lock for all, and imports that fail half-way can be repeated."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

importing = threading.RLock()
"""Held while libraries are imported, and during a fork: a child that is born in the middle of an import could never
finish it, because the thread that held the lock of the module is not there."""


@contextmanager
def whole_packages() -> Generator[None]:
    """Import in such a way that an import which fails half-way (no file descriptor was left) can be repeated.

    Python forgets the package that failed, and keeps its finished modules. The next import would take them for parts of
    the new package without binding them to it: MSAL then fails with an AttributeError for as long as the process lives.
    So they are forgotten, too.
    """
    before = list(sys.modules)
    try:
        yield
    except BaseException:
        for name in sorted(set(sys.modules).difference(before)):  # a package comes before its modules
            package = name.rpartition(".")[0]
            if package and package not in sys.modules:
                sys.modules.pop(name, None)
        raise


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=importing.acquire, after_in_parent=importing.release, after_in_child=importing.release)
