"""The options of azure-identity's classes, and how they become an engine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from credconf.assembly import blueprint_of
from credconf.config.notation import log_notes, notes_on_fields, with_notes
from credconf.config.variables import split_list
from credconf.engine import Engine
from credconf.entra.http import client_fault
from credconf.ground.records import replace
from credconf.kinds import Invalid, validate
from credconf.problems import Problem
from credconf.references import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credconf.entra.http import HttpClient, TransportOptions
    from credconf.tokens.blueprint import Blueprint


class Options(TypedDict, total=False):
    """The options of azure-identity's classes that credconf knows.

    Keys:
        authority: host name or https:// URL; `AZURE_AUTHORITY_HOST` by default.
        additionally_allowed_tenants: other tenants for which a token may be requested; `["*"]` for all. A text is
            split at `;` and `,`.
        disable_instance_discovery: trust an authority that is not well known, without instance discovery.
        cache_persistence_options: `TokenCachePersistenceOptions`; also keep tokens in a file of the
            user, as `token_cache: {kind: file}` does; needs the extra credconf[persistent].
        http_client: sends the requests; an object with MSAL's `get`, `post` and `close`.
        retry_total: how often a failed attempt is repeated.
        connection_timeout: seconds to connect.
        read_timeout: seconds without a byte.
        proxies: proxies by scheme; only the one for https is used.
        connection_verify: a file or directory of certificates to trust, or False for no verification at all.
        user_agent: prepended to credconf's.
        logging_enable: log each request at DEBUG, without headers and bodies.
    """

    authority: str | None
    additionally_allowed_tenants: Sequence[str] | None
    disable_instance_discovery: bool | None
    cache_persistence_options: Any
    http_client: HttpClient | None
    retry_total: int | None
    connection_timeout: float | None
    read_timeout: float | None
    proxies: Mapping[str, str] | None
    connection_verify: bool | str | os.PathLike[str]
    user_agent: str | None
    logging_enable: bool


class CertificateOptions(Options, total=False):
    """`Options`, and those of a certificate.

    Keys:
        certificate_data: the bytes of a PEM or PFX file, instead of its path.
        password: the password of the private key.
        send_certificate_chain: send the chain, for subject name and issuer authentication.
    """

    certificate_data: bytes | None
    password: str | bytes | None
    send_certificate_chain: bool


class WorkloadOptions(Options, total=False):
    """`Options`, and those of a workload in Kubernetes.

    Keys:
        enable_azure_proxy: ask the token proxy of AKS identity binding instead of Entra.
    """

    enable_azure_proxy: bool


class ManagedIdentityOptions(TypedDict, total=False):
    """The options of `ManagedIdentityCredential`.

    Keys:
        http_client: sends the requests; an object with MSAL's `get`, `post` and `close`.
        connection_timeout: seconds to connect.
        read_timeout: seconds without a byte.
        retry_total: how often a failed attempt is repeated.
        user_agent: prepended to credconf's.
        logging_enable: log each request at DEBUG, without headers and bodies.
    """

    http_client: HttpClient | None
    connection_timeout: float | None
    read_timeout: float | None
    retry_total: int | None
    user_agent: str | None
    logging_enable: bool


# Checked first, because later errors would be raised in frames that hold the secret. `None` counts as not given.
_TYPES: dict[str, tuple[type, ...]] = {
    "retry_total": (int,),
    "connection_timeout": (int, float),
    "read_timeout": (int, float),
    "proxies": (Mapping,),
    "connection_verify": (bool, str, os.PathLike),
    "user_agent": (str,),
    "password": (str, bytes),
}


def wrong_option(cls: str, options: Mapping[str, Any], known: type) -> TypeError | None:
    """Return what is wrong with the options of a class, without any value."""
    for name, value in options.items():
        if name == "http_client" and (unusable := client_fault(value)):
            return TypeError(f"{cls}(): {unusable}")
        if name not in known.__annotations__:
            from .keywords import refusal  # only a wrong keyword needs it

            return TypeError(f"{cls}() {refusal(name, known.__annotations__, Options.__annotations__)}")
        types = _TYPES.get(name)
        if types is not None and value is not None and not isinstance(value, types):
            expected = " or ".join(each.__name__ for each in types)
            return TypeError(f"{cls}() takes {name}= as {expected}, not {type(value).__name__}")
    return None


def empty(**arguments: object) -> list[Problem]:
    """Return the problem of each argument that is empty: azure-identity's checks, in its order."""
    return [
        Problem("empty", f"`{name}` must not be empty", path=name) for name, value in arguments.items() if not value
    ]


def raising(wrong: Sequence[Problem] | TypeError) -> Callable[[], Engine]:
    """Return a function that raises the error."""

    def make() -> Engine:
        from credconf.errors import ConfigError, MissingFileError

        if isinstance(wrong, TypeError):
            raise wrong
        is_missing = any(problem.code == "missing-file" for problem in wrong)
        raise MissingFileError(wrong) if is_missing else ConfigError(wrong)

    return make


def plan(fields: dict[str, Any], options: Mapping[str, Any]) -> Callable[[], Engine]:
    """Return a function that makes the engine of some settings with options, or raises the error."""
    cache = _cache(options.get("cache_persistence_options"))
    if isinstance(cache, TypeError):
        return raising(cache)
    environ = os.environ
    fields["http"] = _http(options)
    if "tenant_id" in fields:
        fields["token_cache"] = cache
        fields["authority"] = options.get("authority") or environ.get("AZURE_AUTHORITY_HOST") or None
        # azure-identity's variable, else MSAL's
        fields["region"] = environ.get("AZURE_REGIONAL_AUTHORITY_NAME") or environ.get("MSAL_FORCE_REGION") or None
        fields["additionally_allowed_tenants"] = _tenants(options.get("additionally_allowed_tenants"))
        fields["disable_instance_discovery"] = bool(options.get("disable_instance_discovery"))
    notes = notes_on_fields(fields)
    settings = validate(fields)
    if isinstance(settings, Invalid):
        return raising(with_notes(settings.problems, notes)[0])
    planned = blueprint_of(settings, Reader(environ), options.get("http_client"))
    if isinstance(planned, list):
        return raising(with_notes(planned, notes)[0])
    return lambda: _engine(replace(planned, transport=_transport(planned.transport, options)), notes)


def _engine(plan: Blueprint, notes: Sequence[Problem]) -> Engine:
    engine = Engine(plan)
    log_notes(notes, engine.log)
    return engine


def _tenants(given: Sequence[str] | None) -> Sequence[str]:
    """Return the tenants; text is split as a variable is. azure-identity looks for a tenant's name in such text."""
    if not isinstance(given, str):
        return given or ()
    return split_list(given)


def _cache(options: Any) -> dict[str, Any] | TypeError | None:
    """Map an object with the attributes of `TokenCachePersistenceOptions`; azure-identity need not be installed."""
    if options is None:
        return None
    name, plain = getattr(options, "name", None), getattr(options, "allow_unencrypted_storage", None)
    if isinstance(name, str) and isinstance(plain, bool):
        return {"kind": "file", "name": name, "allow_unencrypted_storage": plain}
    return TypeError(
        "cache_persistence_options= needs name and allow_unencrypted_storage, as azure-identity's class has"
    )


def _http(options: Mapping[str, Any]) -> dict[str, Any]:
    http: dict[str, Any] = {}
    retries = options.get("retry_total")
    if retries is not None:
        http["retries"] = min(max(retries, 0), 10)
    proxies = options.get("proxies") or {}
    if proxies.get("https") or proxies.get("all"):
        http["proxy"] = proxies.get("https") or proxies.get("all")
    verify = options.get("connection_verify")
    if verify is not None and not isinstance(verify, bool):
        http["ca_bundle"] = os.fspath(verify)
    return http


def _transport(transport: TransportOptions, options: Mapping[str, Any]) -> TransportOptions:
    connect = options.get("connection_timeout") or transport.connect_timeout
    read = options.get("read_timeout") or transport.read_timeout
    agent = " ".join(filter(None, [options.get("user_agent"), transport.user_agent]))
    return replace(
        transport,
        connect_timeout=connect,
        read_timeout=read,
        total_timeout=max(transport.total_timeout, connect + read),
        verify=False if options.get("connection_verify") is False else transport.verify,
        user_agent=agent,
        log_requests=bool(options.get("logging_enable")),
    )
