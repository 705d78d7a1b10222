"""The exceptions of credconf.

    CredconfError                            the base class
    ├── ConfigError (ValueError)             the configuration: from_config(), load(), build(), the constructors
    │   └── MissingFileError                 a constructor with azure-identity's name: a file does not exist
    │       (FileNotFoundError)
    └── AuthenticationError                  get_token(): Entra refused, or could not be asked
        │   (azure.core.exceptions.ClientAuthenticationError)
        └── CredentialUnavailableError       get_token(): a reference (a file, a command) can't be read now

Not in the tree, as in azure-core: `ValueError` for a call without scopes, with a bad tenant, or on a closed credential;
`TypeError` for an unknown keyword of a constructor.

All of them can be pickled. None holds a secret in `args`, in an attribute, or in a chained exception.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ClientAuthenticationError

from .problems.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .problems import Problem

__all__ = [
    "AuthenticationError",
    "ConfigError",
    "CredconfError",
    "CredentialUnavailableError",
    "Failure",
    "MissingFileError",
]


class CredconfError(Exception):
    """The base class of credconf's exceptions."""


class ConfigError(CredconfError, ValueError):
    """The configuration can't be used. `str()` shows every problem, in the order of the files.

    Attributes:
        problems: all problems, errors and warnings.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        from .problems import as_text  # a valid configuration never needs it

        super().__init__(as_text(self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class MissingFileError(ConfigError, FileNotFoundError):
    """A file that an argument or a variable names does not exist: what `CertificateCredential` raises.

    It is a `FileNotFoundError`, too, because azure-identity's class raises one.

    Attributes:
        errno: `errno.ENOENT`.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.errno = errno.ENOENT


class AuthenticationError(CredconfError, ClientAuthenticationError):
    """No token could be obtained: Entra refused, or could not be asked.

    Attributes:
        failure: everything that is known about it, as data.
    """

    def __init__(self, failure: Failure | str) -> None:
        self.failure = failure if isinstance(failure, Failure) else Failure(failure, "error")
        ClientAuthenticationError.__init__(self, message=self.failure.message)
        self.status_code = self.failure.status_code

    @property
    def aadsts(self) -> str | None:
        """Entra's code, such as `AADSTS7000215`."""
        return f"AADSTS{self.failure.codes[0]}" if self.failure.codes else None

    @property
    def error_code(self) -> str:
        """The OAuth error, such as `invalid_client`, or the type of failure, such as `timeout`."""
        return self.failure.error

    @property
    def correlation_id(self) -> str | None:
        """The ID of the request in Entra's sign-in logs and for its support."""
        return self.failure.correlation_id

    @property
    def retry_after(self) -> float | None:
        """Seconds from now during which the server asks for no further request; `None` where it gave none."""
        return self.failure.retry_after

    @property
    def claims(self) -> str | None:
        """The claims that Entra demands of a user's client, as JSON; `None` where it demands none.

        An API that acts on behalf of a user hands them on to its caller, whose client signs the user in again with
        them: as base64 in `WWW-Authenticate: Bearer error="insufficient_claims", claims="..."` of a 401.
        """
        return self.failure.claims

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failure,)


class CredentialUnavailableError(AuthenticationError):
    """A reference of the configuration (a file, a command) can't be read now, so Entra was not asked."""
