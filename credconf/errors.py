"""The exceptions of credconf.

    CredconfError                            the base class
    ├── ConfigError (ValueError)             the configuration: from_config(), load(), build(), the constructors
    │   └── MissingFileError                 a constructor with azure-identity's name: a file does not exist
    │       (FileNotFoundError)
    └── AuthenticationError                  get_token(): Entra ID refused, or could not be reached
        │   (azure.core.exceptions.ClientAuthenticationError)
        └── CredentialUnavailableError       get_token(): a reference (a file, a command) can't be read now

As in azure-core, a call without scopes, with an invalid tenant or on a closed credential raises `ValueError`, and an
unknown keyword of a constructor raises `TypeError`.

Every exception can be pickled. None contains a secret in `args`, in an attribute, or in a chained exception.
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
    """The configuration can't be used.

    Its text contains every problem in the order of the files, each with its place and a hint, and never a value:

    ```text
    error[unknown-key]: `clinet_id` is not a setting
      --> credconf.yaml:2:1
       |
     2 | clinet_id: …
       | ^^^^^^^^^ did you mean `client_id`?
    ```

    Attributes:
        problems: every problem as a `Problem`, errors and warnings.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        from .problems import as_text  # a valid configuration never needs it

        super().__init__(as_text(self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class MissingFileError(ConfigError, FileNotFoundError):
    """The file of a `CertificateCredential` does not exist.

    It is also a `FileNotFoundError`, because azure-identity's class raises one.

    Attributes:
        errno: `errno.ENOENT`.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.errno = errno.ENOENT


class AuthenticationError(CredconfError, ClientAuthenticationError):
    """There is no token: Entra ID refused the request, or could not be reached.

    Its text names the identity, Entra's code with what to do about it, and the correlation id. It is a
    `ClientAuthenticationError` of azure-core, so code that handles errors of Azure SDK clients handles it, too.

    Example:
        ```python
        try:
            credential.get_token("https://storage.azure.com/.default")
        except credconf.AuthenticationError as error:
            if error.aadsts == "AADSTS7000222":  # the secret has expired
                ...
            raise
        ```

    Attributes:
        failure: everything that is known about the failure, as data.
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
        """The OAuth error, such as `invalid_client`, or the sort of failure, such as `timeout`."""
        return self.failure.error

    @property
    def correlation_id(self) -> str | None:
        """The id of the request, for Entra's sign-in logs and for Microsoft's support."""
        return self.failure.correlation_id

    @property
    def retry_after(self) -> float | None:
        """The seconds that the server asked to wait before another request; `None` if it gave none."""
        return self.failure.retry_after

    @property
    def claims(self) -> str | None:
        """The claims that Entra ID demands from a user's client, as JSON; `None` if it demands none.

        An API that acts on behalf of a user returns them to its caller in a 401, as base64 in `WWW-Authenticate: Bearer
        error="insufficient_claims", claims="..."`. The caller's client then signs the user in again with them.
        """
        return self.failure.claims

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failure,)


class CredentialUnavailableError(AuthenticationError):
    """A reference of the configuration (a file, a command) can't be read now, so no request was sent."""
