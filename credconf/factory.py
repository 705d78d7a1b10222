"""`load()`, `build()` and `from_config()`, which make a credential from a configuration."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .assembly import blueprint_of, digest, identity_of, transport_of
from .config.notation import log_notes, notes_on_fields, with_notes
from .config.request import Request, misuse
from .config.resolution import Resolved, resolve
from .credential import Credential
from .engine import Engine
from .entra.http import client_fault
from .ground.log import Log
from .ground.opaque import Hidden
from .ground.records import replace
from .kinds import ALLOWABLE, Invalid, Overrides, Settings, validate
from .problems import Problem
from .references import Reader
from .sharing import shared
from .tokens.blueprint import Blueprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from .entra.http import HttpClient


StrPath: TypeAlias = str | PathLike[str]
_WHOLE_FILE = Problem(
    "flat-and-named",
    "build() takes the settings of one credential, not the `credentials` of a file",
    path="credentials",
    hint="pass those of one entry, or use from_config(PATH, name=NAME)",
)


def load(
    path: StrPath | Sequence[StrPath] | Literal[False] | None = None,
    *,
    name: str | None = None,
    section: str | None = None,
    env_file: StrPath | bool = True,
    environ: Mapping[str, str] | None = None,
    allow: Collection[str] = (),
    **overrides: Unpack[Overrides],
) -> Resolved:
    """Resolve and validate a configuration, without making a credential and without the network.

    It is `from_config()` without the credential: to check a configuration, to show where its values come from, or to
    make credentials of it later with `build()`.

    Example:
        ```python
        resolved = credconf.load("credconf.yaml")
        resolved.settings.client_id
        str(resolved.origins["client_id"])  # "credconf.yaml:2:12"
        credential = credconf.build(resolved)
        ```

    Args:
        path: a YAML file, or several as layers, of which a later one wins; `False` for none. By default, the files that
            the variable `CREDCONF_FILE` names, or else `credconf.yaml` in the working directory if it exists.
        name: the entry to use, in a file with several named credentials. By default, the one that the variable
            `CREDCONF_NAME` names, or else the file's `default`.
        section: the dotted path of the configuration inside an application's own YAML, such as `azure.storage`.
        env_file: a `.env` file. `True` reads the one in the working directory if it exists; `False` reads none.
        environ: variables to use instead of the process environment; `{}` for none.
        allow: what the configuration may do besides reading files and variables: `{"command"}` lets a
            `{command: [...]}` reference run a program, `{"azure_cli"}` lets `kind: azure_cli` use the user who is
            signed in to the Azure CLI.
        **overrides: settings, such as `tenant_id="..."` or `client_secret={"env": "NAME"}`. They win over every other
            source; `None` counts as not given.

    Returns:
        The settings, the origin of each value, and the warnings.

    Raises:
        ConfigError: the configuration has errors. It holds every problem, with its place and a hint.
        TypeError: an argument that is not a setting has a wrong type.
        ValueError: `allow` contains an unknown word.
    """
    request = request_for(path, name, section, env_file, environ, allow, overrides)
    del path, name, section, env_file, environ, allow, overrides  # a traceback with locals shows this frame
    return _resolved(request)


def build(
    configuration: Resolved | Settings | Mapping[str, Any], *, http_client: HttpClient | None = None
) -> Credential:
    """Make a credential from settings, without reading a file or variable of configuration.

    References in the settings are read: a relative `{file: ...}` starts at the working directory, `{env: ...}` is a
    variable of the process. If the settings name no proxy and no certificates, the machine's `HTTPS_PROXY`, `NO_PROXY`
    and `REQUESTS_CA_BUNDLE` apply. Unlike `from_config()`, each call has tokens and connections of its own.

    Args:
        configuration: the result of `load()`, a settings model, or a mapping of settings.
        http_client: sends the requests instead of credconf's own client: an object with `get`, `post` and `close`, as
            MSAL takes one. It is closed with the credential.

    Returns:
        A credential, as `from_config()` returns it.

    Raises:
        ConfigError: the settings can't be used. It holds every problem, with a hint.
        TypeError: the HTTP client lacks a method.
    """
    plan = plan_of(configuration, http_client)
    del configuration  # a traceback with locals shows this frame
    return Credential(*plan())


def from_config(
    path: StrPath | Sequence[StrPath] | Literal[False] | None = None,
    *,
    name: str | None = None,
    section: str | None = None,
    env_file: StrPath | bool = True,
    environ: Mapping[str, str] | None = None,
    allow: Collection[str] = (),
    http_client: HttpClient | None = None,
    **overrides: Unpack[Overrides],
) -> Credential:
    """Make a credential from a YAML file, the environment, `.env` and keyword arguments.

    The highest source that gives a value wins: keyword arguments, then the process environment, `.env`, and the YAML
    file. The configuration is validated at once, with all problems in one error. No request is sent before a token is
    needed, unless the configuration has `prefetch`.

    Calls that resolve to the same identity and options share one engine, with its tokens and connections.

    Example:
        ```python
        import credconf
        from azure.storage.blob import BlobServiceClient

        with credconf.from_config("credconf.yaml", name="billing") as credential:
            client = BlobServiceClient(url, credential=credential)
        ```

    Args:
        path: a YAML file, or several as layers, of which a later one wins; `False` for none. By default, the files that
            the variable `CREDCONF_FILE` names, or else `credconf.yaml` in the working directory if it exists.
        name: the entry to use, in a file with several named credentials. By default, the one that the variable
            `CREDCONF_NAME` names, or else the file's `default`.
        section: the dotted path of the configuration inside an application's own YAML, such as `azure.storage`.
        env_file: a `.env` file. `True` reads the one in the working directory if it exists; `False` reads none.
        environ: variables to use instead of the process environment; `{}` for none.
        allow: what the configuration may do besides reading files and variables: `{"command"}` lets a
            `{command: [...]}` reference run a program, `{"azure_cli"}` lets `kind: azure_cli` use the user who is
            signed in to the Azure CLI.
        http_client: sends the requests instead of credconf's own client: an object with `get`, `post` and `close`, as
            MSAL takes one. It is closed with the last credential that uses it.
        **overrides: settings, such as `tenant_id="..."` or `client_secret={"env": "NAME"}`. They win over every other
            source; `None` counts as not given.

    Returns:
        A credential for every Azure SDK client. `close()` or the end of a `with` block releases its connections.

    Raises:
        ConfigError: the configuration has errors. It holds every problem, with its place and a hint.
        TypeError: an argument that is not a setting has a wrong type.
        ValueError: `allow` contains an unknown word.
    """
    request = request_for(path, name, section, env_file, environ, allow, overrides)
    del path, name, section, env_file, environ, allow, overrides  # a traceback with locals shows this frame
    engine, entry = engine_for(request, http_client)
    credential = Credential(engine, entry)
    engine.release()  # its own hold replaces the one that kept the engine until now
    return credential


def request_for(  # noqa: PLR0917 - the arguments of the three functions above
    path: Any,
    name: str | None,
    section: str | None,
    env_file: StrPath | bool,  # noqa: FBT001 - as above
    environ: Mapping[str, str] | None,
    allow: Collection[str],
    overrides: Mapping[str, Any],
) -> Request | TypeError:
    """Return the arguments as one object whose `repr` shows no value, or the exception for one of a wrong type.

    The caller deletes its arguments before the exception is raised: what is of a wrong type may be the settings.
    """
    variables = Hidden(os.environ if environ is None else environ)
    given = Request(path, name, section, env_file, variables, Hidden(dict(overrides)), allow)
    allowed = misuse(given)
    return allowed if isinstance(allowed, TypeError) else replace(given, allow=allowed)


def _resolved(request: Request | TypeError) -> Resolved:
    if isinstance(request, TypeError):
        raise request
    unknown = sorted(map(repr, set(request.allow) - ALLOWABLE))
    if unknown:
        *others, last = map(repr, sorted(ALLOWABLE))
        known = f"{', '.join(others)} and {last}"
        message = f"allow knows only {known}, not {', '.join(unknown)}"
        raise ValueError(message)
    outcome = resolve(request)
    if isinstance(outcome, Resolved):
        return outcome
    problems = outcome.problems
    del outcome  # a traceback with locals shows this frame
    from .errors import ConfigError

    raise ConfigError(problems)


def engine_for(request: Request | TypeError, http_client: HttpClient | None) -> tuple[Engine, str | None]:
    """Return the shared engine of a request, held once for the caller, and the name of its entry."""
    unusable = client_fault(http_client)
    if unusable is not None:
        raise TypeError(unusable)
    resolved = _resolved(request)
    plan = _plan(resolved, http_client)

    made: list[Engine] = []

    def make() -> Engine:
        log = Log(plan.settings.named_by(plan.identity))
        log.name(resolved.name)
        made.append(Engine(plan, log))
        return made[0]

    engine = shared(digest(plan), make)
    if made:  # not in `make`: a handler of the log that makes a credential would wait for itself
        try:
            _begin(engine, resolved.warnings)
        except (
            BaseException
        ):  # an interrupt, or what a handler of the log raises: the caller gets no credential to close
            engine.release()
            raise
    return engine, resolved.name


def _begin(engine: Engine, warnings: Sequence[Problem]) -> None:
    # The engine itself warns about expiry, with the first token and again as the end comes nearer.
    for warning in [item for item in warnings if item.code not in {"expires-soon", "expired"}]:
        engine.log.warning("%s", _in_one_line(warning))
    engine.prefetch()


def _in_one_line(warning: Problem) -> str:
    """Format a warning as one line of the log, which the name of a file must not be able to forge."""
    from .problems import printable  # only warnings need it

    told = [f"{warning.origin}: {warning.message}", *([f"({warning.hint})"] if warning.hint else [])]
    return printable(" ".join(told))


def plan_of(configuration: object, http_client: HttpClient | None) -> Callable[[], tuple[Engine, str | None]]:
    """Return a function for `build()` that makes an engine and the name of its entry, or raises the error.

    It takes two steps, so that no frame of a traceback holds the configuration.
    """
    unusable = client_fault(http_client)
    if unusable is not None:
        return _raising(TypeError(unusable))
    if isinstance(configuration, Mapping) and "credentials" in configuration:
        return _raising([_WHOLE_FILE])
    if isinstance(configuration, Resolved):
        resolved = configuration
        return lambda: (_started(_plan(resolved, http_client)), resolved.name)
    notes = notes_on_fields(configuration)
    settings = validate(configuration)
    if isinstance(settings, Invalid):
        return _raising(with_notes(settings.problems, notes)[0])
    plan = blueprint_of(settings, Reader(os.environ), http_client)
    if isinstance(plan, list):
        return _raising(with_notes(plan, notes)[0])
    return lambda: (_started(plan, notes=notes), None)


def _raising(wrong: Sequence[Problem] | TypeError) -> Callable[[], tuple[Engine, str | None]]:
    from .errors import ConfigError

    def plan() -> tuple[Engine, str | None]:
        raise wrong if isinstance(wrong, TypeError) else ConfigError(wrong)

    return plan


def _plan(resolved: Resolved, http_client: HttpClient | None) -> Blueprint:
    identity = identity_of(resolved.settings, resolved.reader)
    transport = transport_of(resolved.settings, identity, resolved.surroundings.no_proxy)
    return Blueprint(resolved.settings, identity, resolved.reader, transport, http_client, resolved.surroundings)


def _started(plan: Blueprint, notes: Sequence[Problem] = ()) -> Engine:
    engine = Engine(plan)
    log_notes(notes, engine.log)
    engine.prefetch()
    return engine
