"""Work that waits for its first use, in any thread: imports, the schemas of our models, and OpenSSL's first context.

One lock serves all, and failed work can be repeated.
"""

from __future__ import annotations

import logging  # noqa: F401 # pyright: ignore[reportUnusedImport] - before our lock, so that a fork takes ours first
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Generator


importing = threading.RLock()
"""The lock that is held during such work, and during a fork. Otherwise a child that is forked during an import could
never finish it: the thread that holds the lock of the module does not exist in the child."""


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


_Model = TypeVar("_Model", bound=BaseModel)

# A start needs one kind of credential and one or two references; the schemas of the others would only cost time.
STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


def complete(model: type[_Model]) -> type[_Model]:
    """The model, ready to validate. pydantic completes it by itself, but older ones not safely in several threads."""
    if not model.__pydantic_complete__:
        with importing:
            model.model_rebuild(_types_namespace={})
    return model
