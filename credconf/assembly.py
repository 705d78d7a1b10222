"""Assembles the blueprint of an engine, and the digest by which equal engines are shared."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, SecretBytes, SecretStr

from .config.dotenv import read_dotenv
from .config.layers import anchored_value, conventional, surroundings
from .entra.http import TransportOptions
from .ground.deferred import complete
from .ground.files import absolute
from .ground.opaque import Hidden
from .ground.records import replace
from .kinds import SETTINGS, Identity, identify
from .kinds.readable import by_format, readable
from .problems import Problem
from .references import BaseReference, NotFound, Reader
from .tokens.blueprint import Blueprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .entra.http import HttpClient
    from .entra.request import Surroundings
    from .kinds import Kind
    from .problems.problem import Origin


def blueprint_from_portable(  # noqa: PLR0917 - the values of `portable()`
    settings: Kind,
    allow: Sequence[str],
    dotenv_file: str | None,
    transport: TransportOptions,
    around: Surroundings,
    pinned: frozenset[str] | None = None,
) -> Blueprint:
    """Rebuild the blueprint of a pickled credential from the values of `portable()`.

    Raises:
        ConfigError: a reference can't be read here.
    """
    dotenv = read_dotenv(dotenv_file, dotenv_file, discovered=True).variables if dotenv_file else Hidden[str]({})
    if pinned is not None:  # other variables of a discovered file are not checked here
        dotenv = Hidden({name: dotenv[name] for name in pinned if name in dotenv})
    reader = Reader(os.environ, dotenv, frozenset(allow), dotenv_file=dotenv_file, pinned=pinned)
    identity = identity_of(settings, reader)
    return Blueprint(settings, identity, reader, replace(transport, proxy=identity.proxy), None, around)


def identity_of(settings: Kind, reader: Reader) -> Identity:
    """Read the texts of the identity.

    Raises:
        ConfigError: a reference can't be read.
    """
    identity, failures = identify(settings, reader)
    if not failures:
        return identity
    from .errors import ConfigError

    raise ConfigError([problem_of(path, failure) for path, failure in failures])


def problem_of(path: str, failure: NotFound, origin: Origin | None = None) -> Problem:
    """Return the problem of a reference that can't be read."""
    return Problem(failure.code, f"`{path}`: {failure.message}", path=path, origin=origin, hint=failure.hint)


def blueprint_of(settings: Kind, reader: Reader, http_client: HttpClient | None) -> Blueprint | list[Problem]:
    """Make the blueprint of settings that come from a program, or return their problems.

    The machine's variables (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`, ...) are used for what the settings leave
    out.
    """
    usual = conventional(reader.environ).values
    defaults = {path.removeprefix("http."): value.raw for path, value in usual.items()}
    given = {name: value for name, value in settings.http if value is not None}
    origins = {path: value.origin for path, value in usual.items() if path.removeprefix("http.") not in given}
    unusable = [(path, by_format(SETTINGS[path], usual[path].raw)) for path in origins]
    if wrong := [(path, found) for path, found in unusable if isinstance(found, NotFound)]:
        return [problem_of(path, failure, origins[path]) for path, failure in wrong]
    http = complete(type(settings.http)).model_validate({**defaults, **given})
    settings = _anchored(settings.model_copy(update={"http": http}))
    found = readable(settings, replace(reader, runs=False))
    failures = [(path, failure) for path, failure in found.failures if path not in found.optional]
    if failures:
        return [problem_of(path, failure, origins.get(path)) for path, failure in failures]
    identity = found.identity
    around = surroundings(reader.environ)
    return Blueprint(settings, identity, reader, transport_of(settings, identity, around.no_proxy), http_client, around)


_Model = TypeVar("_Model", bound=BaseModel)


def _anchored(settings: _Model, group: str = "") -> _Model:
    """Make the relative paths of settings absolute, so that a later change of the working directory has no effect."""
    directory, changes = absolute("."), dict[str, Any]()
    for name, value in settings:
        if isinstance(value, BaseModel) and not isinstance(value, BaseReference):
            changes[name] = _anchored(value, f"{name}.")
        else:
            whole = anchored_value(f"{group}{name}", value, directory)
            changes[name] = tuple(whole) if isinstance(value, tuple) else whole
    return settings.model_copy(update=changes)


def transport_of(settings: Kind, identity: Identity, no_proxy: str | None) -> TransportOptions:
    """Return the settings that concern the transport."""
    http = settings.http
    return TransportOptions(
        connect_timeout=http.timeout,
        read_timeout=http.timeout,
        total_timeout=http.total_timeout,
        retries=http.retries,
        proxy=identity.proxy,
        no_proxy=no_proxy,
        verify=http.ca_bundle or True,
    )


_SALT = os.urandom(32)


def digest(plan: Blueprint) -> bytes:
    """Return a digest that is equal for equal blueprints: of their settings with secrets, and of how they are used."""
    identity = (plan.identity.client_id, plan.identity.tenant_id, plan.identity.authority, plan.identity.oidc_authority)
    machine = [plan.reader.environ.get(name) for name in plan.settings.variables()]
    usage = (
        sorted(plan.reader.allow),
        machine,
        plan.surroundings,
        plan.transport,
        plan.transport.proxy,
        id(plan.http_client),
    )
    # Keyed, so that the digest of a weak secret reveals nothing.
    text = repr((_revealed(plan.settings, plan.reader), identity, usage))
    return hashlib.blake2b(text.encode(errors="surrogatepass"), key=_SALT, digest_size=32).digest()


def _revealed(value: object, reader: Reader) -> object:
    if isinstance(value, BaseReference) and value.names_variable is not None:
        return value.key, getattr(value, value.key), reader.text(value)
    if isinstance(value, BaseModel):
        return type(value).__name__, [(name, _revealed(inner, reader)) for name, inner in value]
    if isinstance(value, SecretStr | SecretBytes):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return [_revealed(item, reader) for item in value]
    return value
