"""Failures as exceptions. Importing the exceptions imports azure-core, which may fail where no descriptor is left."""

from __future__ import annotations

import errno
import importlib
import sys
from typing import TYPE_CHECKING, Any

from credconf.ground.imports import importing, whole_packages
from credconf.ground.limits import shortage, use_reserve

if TYPE_CHECKING:
    from credconf.errors import AuthenticationError
    from credconf.problems.failure import Failure


def exception_of(failure: Failure) -> AuthenticationError:
    """A new exception. Raise it outside `except`: azure-core's errors remember what is being handled.

    Raises:
        OSError: no file descriptor is left to import azure-core.
    """
    errors = _errors()
    if errors is None:
        use_reserve()
        errors = _errors()
    if errors is None:  # another thread took the descriptor
        raise OSError(errno.EMFILE, failure.message)
    kind: type[AuthenticationError]
    kind = errors.CredentialUnavailableError if failure.unavailable else errors.AuthenticationError
    return kind(failure)


def _errors() -> Any:
    """The module of the errors, which imports azure-core; `None` where no descriptor is left to read it."""
    name = "credconf.errors"
    if name in sys.modules:
        return sys.modules[name]
    try:
        with importing, whole_packages():
            return importlib.import_module(name)
    except (OSError, ImportError) as exc:
        if shortage(exc) is None:
            raise
    return None
