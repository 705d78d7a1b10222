"""The tree of errors: what each one is, and that it travels whole."""

from __future__ import annotations

import copy
import pickle

import pytest
from azure.core.exceptions import ClientAuthenticationError

import credconf
from credconf.errors import Failure
from credconf.tokens.azure_core import exception_of

PROBLEM = credconf.Problem("missing", "`x` is not set", origin=credconf.Origin("file", file="a.yaml", line=1, column=2))
FAILURE = Failure("no token", "invalid_client", (7000215, 50012), "correlation", "trace", "time", 401, 3.0)


def test_the_tree_is_the_drawn_one():
    assert issubclass(credconf.ConfigError, credconf.CredconfError)
    assert issubclass(credconf.ConfigError, ValueError)
    assert issubclass(credconf.AuthenticationError, credconf.CredconfError)
    assert issubclass(credconf.AuthenticationError, ClientAuthenticationError)
    assert issubclass(credconf.CredentialUnavailableError, credconf.AuthenticationError)
    assert not issubclass(credconf.AuthenticationError, ValueError)
    assert not issubclass(credconf.ConfigError, ClientAuthenticationError)


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301 - our own
def test_a_config_error_travels_whole(travel):
    error = travel(credconf.ConfigError([PROBLEM]))
    assert type(error) is credconf.ConfigError
    assert error.problems == (PROBLEM,)
    assert str(error) == "error[missing]: `x` is not set\n  --> a.yaml:1:2"


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301 - our own
@pytest.mark.parametrize("unavailable", [False, True])
def test_a_failure_of_authentication_travels_whole(travel, unavailable):
    kind = credconf.CredentialUnavailableError if unavailable else credconf.AuthenticationError
    error = travel(kind(FAILURE))
    assert type(error) is kind
    assert error.failure == FAILURE
    assert (error.aadsts, error.error_code, error.correlation_id) == ("AADSTS7000215", "invalid_client", "correlation")
    assert (error.status_code, error.message, str(error)) == (401, "no token", "no token")


def test_a_failure_makes_the_exception_that_fits():
    assert type(exception_of(FAILURE)) is credconf.AuthenticationError
    unavailable = exception_of(Failure("no file", "missing-file", unavailable=True))
    assert type(unavailable) is credconf.CredentialUnavailableError
    assert unavailable.aadsts is None
    assert exception_of(FAILURE) is not exception_of(FAILURE)


@pytest.mark.parametrize(
    ("error", "refused"), [("invalid_client", True), ("invalid_request", False), ("timeout", False)]
)
def test_only_invalid_client_is_a_refusal_of_the_proof(error, refused):
    assert Failure("x", error).refused_proof is refused
