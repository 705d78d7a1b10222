"""Starts the fake of `credconf fake`, writes its files, and says how to use it."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from credconf.cli.options import request_of
from credconf.cli.output import echo, wrapped
from credconf.cli.scaffold import scalar
from credconf.ground.records import record, replace
from credconf.problems import printable
from credconf.testing import FakeEntra
from credconf.testing.certificates import server_certificate

from .applications import Clients, Found, find
from .files import (
    CannotStartError,
    Destination,
    OwnFiles,
    beside,
    certificate_text,
    layer_text,
    remove_leftovers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from credconf.cli.options import Chosen
    from credconf.config.resolution import Resolved
    from credconf.testing import RecordedRequest

    from .applications import Application, Unserved

SCOPE: Final = "https://storage.azure.com/.default"
_ELSEWHERE: Final = "choose another path with --layer"
_SECONDS: Final = 5.0


@record
class Wanted:
    """What the command line asks for.

    Attributes:
        port: the port; `None` for any free one.
        layer: the path of the layer.
        tenant_id: the directory to serve instead of those of a configuration, if given.
        client_id: the application, likewise.
        chosen: the configuration.
        names: the entries; none for all.
    """

    port: int | None
    layer: str
    tenant_id: str | None
    client_id: str | None
    chosen: Chosen
    names: Sequence[str]


def start(wanted: Wanted, stack: ExitStack) -> str:
    """Start the fake, and return what to tell the user. The stack stops it and removes its files.

    Raises:
        CannotStartError: A file can't be written, or the port can't be opened.
        ConfigError: The configuration has errors, or names nothing that the fake could serve.
    """
    given = wanted.tenant_id or wanted.client_id
    found = Found() if given else find(wanted.chosen, wanted.names, wanted.layer)
    certificate, secret = beside(wanted.layer, "pem"), beside(wanted.layer, "secret")
    remove_leftovers([wanted.layer, certificate, *([] if found.applications else [secret])])
    own = stack.enter_context(OwnFiles())
    entra = stack.enter_context(_listening(FakeEntra(port=wanted.port)))
    clients = Clients(entra, own)
    for application in found.applications:
        clients.add(application)
    layers = [*found.files, wanted.layer]
    to = Destination(entra.authority, os.path.basename(certificate), os.pathsep.join(layers))
    own.write(certificate, certificate_text(to, server_certificate().ca), _ELSEWHERE)
    identity = [] if found.applications else _made_up(wanted, entra, own, secret)
    own.write(wanted.layer, layer_text(to, found.names, wanted.chosen["section"], identity), _ELSEWHERE)
    lines = [*_served(entra, found), "", *own.lines(), "", *_obstacles(wanted, layers, found)]
    lines += _usage(to, wanted, found)
    entra.before_token = _Log(found)
    return "\n".join([f"A fake Entra listens at {entra.authority}, on this machine only.", "", *lines])


def _listening(entra: FakeEntra) -> FakeEntra:
    try:
        return entra.start()
    except OSError as error:
        reason = error.strerror or type(error).__name__
    raise CannotStartError(reason)


def _made_up(wanted: Wanted, entra: FakeEntra, own: OwnFiles, secret: str) -> list[str]:
    """Register an application that has no configuration, and return the lines of its settings."""
    from credconf.errors import ConfigError
    from credconf.kinds import Invalid, validate

    entra.tenant_id = wanted.tenant_id or entra.tenant_id
    settings = validate(
        {"tenant_id": entra.tenant_id, "client_id": wanted.client_id or entra.client_id, "client_secret": "-"}
    )
    if isinstance(settings, Invalid):
        raise ConfigError(settings.problems)
    entra.registration = entra.register(
        wanted.client_id or entra.client_id, secrets=[own.write_secret(secret, _ELSEWHERE)]
    )
    place = scalar(os.path.basename(secret))
    return [
        f"tenant_id: {scalar(entra.tenant_id)}",
        f"client_id: {scalar(entra.client_id)}",
        f"client_secret: {{file: {place}}}",
    ]


def _served(entra: FakeEntra, found: Found) -> Iterator[str]:
    """The applications that the fake knows."""
    if not found.applications:
        yield f"  application  tenant {printable(entra.tenant_id)}, client {printable(entra.client_id)}, made up"
    entries: list[Application | Unserved] = [*found.applications, *found.unserved]
    width = max((len(each.label) for each in entries), default=0)
    for each in entries:
        yield f"  {each.label:<{width}}  {each.text}"


def _usage(to: Destination, wanted: Wanted, found: Found) -> Iterator[str]:
    """The commands for another terminal."""
    options = [f" -n {found.names[0]}"] if found.names and not found.has_default else []
    if wanted.chosen["section"]:
        options.append(f" --section {shlex.quote(wanted.chosen['section'])}")
    files = printable(to.files)
    yield "In another terminal:"
    yield f'  $env:CREDCONF_FILE = "{files}"' if os.name == "nt" else f"  export CREDCONF_FILE={shlex.quote(files)}"
    yield f"  credconf token {SCOPE}{''.join(options)}"
    yield ""
    yield "Ctrl-C ends it."


def _obstacles(wanted: Wanted, layers: Sequence[str], found: Found) -> Iterator[str]:
    """What keeps an application on this machine from the fake, such as variables, which win over a layer."""
    from credconf.config.resolution import FailedResolution, resolve_each

    request = replace(request_of(wanted.chosen), path=tuple(layers))
    for outcome in resolve_each(request, found.names):
        if outcome.name not in (found.names or {None}):
            continue
        label = f"`{outcome.name}`" if outcome.name else "the application"
        if isinstance(outcome, FailedResolution):
            reasons = [problem.message for problem in outcome.problems if problem.severity == "error"]
        else:
            reasons = list(_overridden(outcome, wanted.layer)) or _refused(outcome)
        for reason in reasons:
            text = f"the layer does not lead {label} to the fake in this terminal: {printable(reason)}"
            yield wrapped(text, first="warning: ", rest="  ")
            yield ""


def _overridden(resolved: Resolved, layer: str) -> Iterator[str]:
    for path in ("authority", "disable_instance_discovery", "http.ca_bundle"):
        origin = resolved.origins.get(path)
        if origin is not None and origin.file != layer:
            yield f"{origin} overrides `{path}`; remove it there"


def _refused(resolved: Resolved) -> list[str]:
    """Why there is no token for an application that has the layer."""
    import credconf

    settings = resolved.settings.model_copy(update={"prefetch": ()})
    try:
        with credconf.build(replace(resolved, settings=settings)) as credential:
            credential.verify(SCOPE, timeout=_SECONDS)
    except credconf.CredconfError as error:
        return [str(error).partition("\n")[0]]
    return []


class _Log:
    """Prints a line for each token request. It names entries, since ids that came from a file stay hidden."""

    def __init__(self, found: Found) -> None:
        self._labels = {each.identity.client_id.lower(): each.label for each in found.applications}
        self._other = "another client" if found.applications else "application"

    def __call__(self, request: RecordedRequest) -> None:
        label = self._labels.get((request.client_id or "").lower(), self._other)
        with suppress(OSError, ValueError):  # nothing reads standard error
            echo(f"{request.status} {label}: {printable(' '.join(request.scopes))}", err=True)
