"""Checks the arguments of each class, and maps them to settings.

Each function takes two steps, so that the frame that raises does not hold a secret: it returns a function that makes
the engine, or raises the error.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretBytes, SecretStr

from credconf.ground.files import absolute
from credconf.problems import Problem
from credconf.references.managed_identity import IDS
from credconf.settings.in_memory import AssertionFunction, CertificateBytes

from .options import (
    CertificateOptions,
    ManagedIdentityOptions,
    Options,
    WorkloadOptions,
    empty,
    plan,
    raising,
    wrong_option,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credconf.engine import Engine


def secret_plan(cls: str, tenant_id: str, client_id: str, client_secret: str, options: Options) -> Callable[[], Engine]:
    """Check the arguments of a `ClientSecretCredential`; return a function that makes its engine, or raises the error.

    It takes two steps, so that the frame that raises does not hold the secret.
    """
    wrong = wrong_option(cls, options, Options)
    if wrong is not None:
        return raising(wrong)
    problems = empty(client_id=client_id, client_secret=client_secret, tenant_id=tenant_id)
    if problems:
        return raising(problems)
    return plan({"tenant_id": tenant_id, "client_id": client_id, "client_secret": client_secret}, options)


def certificate_plan(
    cls: str, tenant_id: str, client_id: str, certificate_path: str | None, options: CertificateOptions
) -> Callable[[], Engine]:
    """Check the arguments of a `CertificateCredential`, as `secret_plan` does."""
    wrong = wrong_option(cls, options, CertificateOptions)
    if wrong is not None:
        return raising(wrong)
    data: Any = options.pop("certificate_data", None)
    password = options.pop("password", None)
    chain = options.pop("send_certificate_chain", False)
    problems = empty(client_id=client_id, tenant_id=tenant_id)
    if bool(certificate_path) == bool(data):
        which = "only one of" if data else "one of"
        message = f"{which} certificate_path and certificate_data must be given"
        problems.append(Problem("conflict" if data else "missing", message, path="client_certificate"))
    if problems:
        return raising(problems)
    if data and not isinstance(data, bytes):
        return raising(TypeError(f"{cls}() takes certificate_data= as bytes, not {type(data).__name__}"))
    text = password.decode(errors="surrogateescape") if isinstance(password, bytes) else password
    certificate = CertificateBytes(data=SecretBytes(data)) if data else {"file": absolute(str(certificate_path))}
    fields: dict[str, Any] = {"tenant_id": tenant_id, "client_id": client_id, "client_certificate": certificate}
    fields |= {"send_certificate_chain": bool(chain)}
    fields |= {"client_certificate_password": SecretStr(text)} if text else {}
    return plan(fields, options)


def assertion_plan(
    cls: str, tenant_id: str, client_id: str, func: Callable[[], str], options: Options
) -> Callable[[], Engine]:
    """Check the arguments of a `ClientAssertionCredential`."""
    wrong = wrong_option(cls, options, Options)
    if wrong is None and not callable(func):
        wrong = TypeError(f"{cls}() takes func= as a function without arguments, not {type(func).__name__}")
    if wrong is not None:
        return raising(wrong)
    problems = empty(client_id=client_id, tenant_id=tenant_id)
    if problems:
        return raising(problems)
    function = AssertionFunction.model_construct(function=func)
    return plan({"tenant_id": tenant_id, "client_id": client_id, "client_assertion": function}, options)


_WORKLOAD = {
    "tenant_id": "AZURE_TENANT_ID",
    "client_id": "AZURE_CLIENT_ID",
    "token_file_path": "AZURE_FEDERATED_TOKEN_FILE",
}
"""The arguments of a `WorkloadIdentityCredential`, with the variables that replace them."""


def workload_plan(cls: str, options: WorkloadOptions, **given: str | None) -> Callable[[], Engine]:
    """Check the arguments of a `WorkloadIdentityCredential`. A variable replaces one that is not given."""
    wrong = wrong_option(cls, options, WorkloadOptions)
    if wrong is not None:
        return raising(wrong)
    texts = {name: given.get(name) or os.environ.get(variable) for name, variable in _WORKLOAD.items()}
    missing = [
        Problem(
            "missing",
            f"`{name}` is not set",
            path=name,
            hint=_hint(f"pass {name}=, or set {_WORKLOAD[name]}", _WORKLOAD[name]),
        )
        for name, text in texts.items()
        if not text
    ]
    if missing:
        return raising(missing)
    fields: dict[str, Any] = {
        "tenant_id": texts["tenant_id"],
        "client_id": texts["client_id"],
        "client_assertion": {"file": absolute(str(texts["token_file_path"]))},
    }
    if options.pop("enable_azure_proxy", False):
        fields["token_proxy"] = True
    return plan(fields, options)


def managed_identity_plan(
    cls: str, client_id: str | None, identity_config: Mapping[str, str] | None, options: ManagedIdentityOptions
) -> Callable[[], Engine]:
    """Check the arguments of a `ManagedIdentityCredential`."""
    wrong = wrong_option(cls, options, ManagedIdentityOptions)
    if wrong is not None:
        return raising(wrong)
    ids = dict(identity_config or {})
    unknown = [name for name in ids if name not in IDS]
    if unknown:
        hint = f"one of {', '.join(IDS)}"
        problem = Problem("unknown-key", "a key of identity_config is not known", path="identity_config", hint=hint)
        return raising([problem])
    if len(ids) + bool(client_id) > 1:
        message = "client_id and identity_config name one identity together"
        return raising([Problem("conflict", message, path="identity_config", hint="keep one of them")])
    named = {"client_id": client_id} if client_id else ids
    if _is_workload(named):
        return workload_plan(cls, cast("WorkloadOptions", options), client_id=named.get("client_id"))
    return plan({"kind": "managed_identity", **named}, options)


def _is_workload(named: Mapping[str, str]) -> bool:
    """Whether this is a pod with workload identity, which azure-identity's `ManagedIdentityCredential` then uses.

    Its metadata service would give the token of another identity: that of the node.
    """
    endpoints, variables = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT"), ("AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID")
    is_pod = all(os.environ.get(each) for each in (*variables, _WORKLOAD["token_file_path"]))
    return is_pod and named.keys() <= {"client_id"} and not any(os.environ.get(each) for each in endpoints)


def environment_plan(cls: str, options: Options) -> Callable[[], Engine]:
    """Check the variables of an `EnvironmentCredential`: those of a secret, else those of a certificate."""
    wrong = wrong_option(cls, options, Options)
    if wrong is not None:
        return raising(wrong)
    environ = os.environ
    who = {name: environ.get(f"AZURE_{name.upper()}") for name in ("tenant_id", "client_id")}
    missing = [name for name, text in who.items() if not text]
    secret, certificate = environ.get("AZURE_CLIENT_SECRET"), environ.get("AZURE_CLIENT_CERTIFICATE_PATH")
    if missing or not (secret or certificate):
        return raising(
            [_unset(name) for name in missing] + ([] if secret or certificate else [_unset("client_secret")])
        )
    tenant_id, client_id = str(who["tenant_id"]), str(who["client_id"])
    if secret:
        return secret_plan(cls, tenant_id, client_id, secret, options)
    chain = environ.get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "").strip().lower() in {"1", "true"}
    extended = cast("CertificateOptions", {**options, "send_certificate_chain": chain})
    if password := environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD"):
        extended["password"] = password
    return certificate_plan(cls, tenant_id, client_id, certificate, extended)


def _unset(name: str) -> Problem:
    variables = [f"AZURE_{name.upper()}", *(["AZURE_CLIENT_CERTIFICATE_PATH"] if name == "client_secret" else [])]
    hint = _hint("set it in the environment", *variables)
    return Problem("missing", f"{' or '.join(variables)} is not set", path=name, hint=hint)


def _hint(usual: str, *variables: str) -> str:
    """Return what to do about a setting that is missing, and which of its variables are empty."""
    return "\n".join([usual, *(f"{name} is set, but empty" for name in variables if os.environ.get(name) == "")])
