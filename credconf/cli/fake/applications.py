"""The applications of a configuration, as `credconf fake` registers them."""

from __future__ import annotations

import base64
import json
import os
from functools import partial
from typing import TYPE_CHECKING, Final

from credconf.cli.options import request_of
from credconf.config.resolution import FailedResolution, resolve_each
from credconf.ground.records import field, mutable_record, record, replace
from credconf.kinds import identify
from credconf.kinds.client_certificate import CertificateSigner
from credconf.problems import Problem, printable
from credconf.references import BaseReference, FileReference, NotFound
from credconf.testing import make_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from credconf.cli.options import Chosen
    from credconf.config.request import Request
    from credconf.config.resolution import Resolved
    from credconf.entra.request import Identity
    from credconf.kinds import Kind
    from credconf.references import Reader
    from credconf.testing import FakeEntra

    from .files import OwnFiles

_POD: Final = ("https://fake.example/cluster/", "system:serviceaccount:fake:application", "api://AzureADTokenExchange")
_DAY: Final = 86400


@record
class Application:
    """An entry that the fake serves.

    Attributes:
        name: the name of the entry; `None` for the flat form.
        settings: its settings.
        identity: the texts of its settings.
        reader: finds the values of its references.
        missing: the files of its proof that do not exist.
    """

    name: str | None
    settings: Kind
    identity: Identity
    reader: Reader = field(repr=False)
    missing: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name in the output."""
        return self.name or "application"

    @property
    def text(self) -> str:
        """What the output says of it."""
        tenant, client = (self.identity.shown(name) for name in ("tenant_id", "client_id"))
        return f"tenant {tenant}, client {client}, {self.settings.proof}"


@record
class Unserved:
    """An entry that the fake does not serve.

    Attributes:
        name: the name of the entry; `None` for the flat form.
        reason: why it is not served.
        problems: its errors.
    """

    name: str | None
    reason: str
    problems: tuple[Problem, ...] = ()

    @property
    def label(self) -> str:
        """Its name in the output."""
        return self.name or "application"

    @property
    def text(self) -> str:
        """What the output says of it."""
        return f"not served: {self.reason}"


@record
class Found:
    """What there is to serve. Without an application, nothing is configured, and the fake makes one up.

    Attributes:
        files: the files of the configuration, the lowest layer first.
        applications: the entries that can be served.
        unserved: those that can't.
        has_default: whether one is chosen without a name.
    """

    files: tuple[str, ...] = ()
    applications: tuple[Application, ...] = ()
    unserved: tuple[Unserved, ...] = ()
    has_default: bool = True

    @property
    def names(self) -> list[str]:
        """The entries that are served; none for the flat form."""
        return [each.name for each in self.applications if each.name is not None]


def find(chosen: Chosen, names: Sequence[str], layer: str) -> Found:
    """The applications of a configuration.

    Args:
        chosen: the configuration.
        names: the entries; by default all that are not abstract.
        layer: the layer of the fake, which `CREDCONF_FILE` may name already: it is left out.

    Raises:
        ConfigError: An entry has errors, or none can be served.
    """
    from credconf.errors import ConfigError

    request = _named(request_of(chosen), layer)
    files = tuple(request.named_files()[0])
    every = resolve_each(request, names)
    outcomes = [outcome for outcome in every if not _is_unchosen(outcome)] or every
    first = outcomes[0]
    if not files and isinstance(first, FailedResolution) and first.merged.keys().isdisjoint({"client_id", "tenant_id"}):
        return Found()
    found = [_judged(outcome) for outcome in outcomes]
    applications = tuple(each for each in found if isinstance(each, Application))
    problems = [problem for each in found if isinstance(each, Unserved) for problem in each.problems]
    if problems and (names or not applications):
        raise ConfigError(list(dict.fromkeys(problems)))
    unserved = tuple(each for each in found if not isinstance(each, Application))
    if not applications:
        raise ConfigError([_nothing_to_serve(each) for each in unserved])
    return Found(files, applications, unserved, has_default=len(outcomes) == len(every) and not names)


def _nothing_to_serve(entry: Unserved) -> Problem:
    hint = "name another entry or file, or serve a made-up application: --client-id"
    return Problem("conflict", f"`credconf fake` can't serve {entry.label}: {entry.reason}", hint=hint)


def _named(request: Request, layer: str) -> Request:
    """The same request with its files as explicit ones, as `CREDCONF_FILE` will name them, and without the layer."""
    files, _, _ = request.named_files()
    others = [file for file in files if os.path.abspath(file) != os.path.abspath(layer)]
    return replace(request, path=others or False)


def _is_unchosen(outcome: Resolved | FailedResolution) -> bool:
    """Whether this is the attempt to resolve a default entry, where there is none."""
    return any(problem.code == "no-name" for problem in getattr(outcome, "problems", ()))


def _judged(outcome: Resolved | FailedResolution) -> Application | Unserved:
    """An entry that can be served, or why it can't. A file of its proof may be missing: it is made."""
    name, settings, reader = outcome.name, outcome.settings, outcome.reader
    errors = tuple(problem for problem in getattr(outcome, "problems", ()) if problem.severity == "error")
    if settings is None or reader is None:
        return _broken(name, errors)
    if settings.proof is None:
        return Unserved(name, f"`kind: {settings.kind}` requests no token from Entra")
    identity, _ = identify(settings, reader)
    if identity.oidc_authority is not None:
        return Unserved(name, "the fake is no generic OpenID Connect server (`oidc_authority`)")
    missing = tuple(path for path in _files(settings) if not os.path.lexists(path))
    if settings.proof == "client_assertion" and not missing:
        return Unserved(name, "the fake accepts no assertion of another issuer")
    is_made = all(error.code == "missing-file" and settings.proof in (error.path or "").split(".") for error in errors)
    if errors and not (missing and is_made):
        return _broken(name, errors)
    return Application(name, settings, identity, reader, missing)


def _broken(name: str | None, problems: tuple[Problem, ...]) -> Unserved:
    return Unserved(name, f"it has errors: {printable(problems[0].message)}", problems)


def _files(settings: Kind) -> Iterator[str]:
    """The files that the proof of an entry names, except a path that may be a pasted secret."""
    given = getattr(settings, settings.proof or "")
    for each in given if isinstance(given, tuple) else (given,):
        if isinstance(each, FileReference) and each.name == each.file:
            yield each.file


class Clients:
    """What the fake is to know of each client, from all entries that name it.

    Args:
        entra: the fake.
        own: the files of this run.
    """

    def __init__(self, entra: FakeEntra, own: OwnFiles) -> None:
        self._entra = entra
        self._own = own
        self._known: dict[str, _Client] = {}

    def add(self, application: Application) -> None:
        """Register an application with its tenants and proofs, and write the missing files of its proofs.

        Raises:
            CannotStartError: A file can't be written.
            ConfigError: A proof can't be read now.
        """
        identity, proof = application.identity, application.settings.proof
        client = self._known.setdefault(identity.client_id.lower(), _Client())
        client.tenants += [identity.tenant_id or "", *application.settings.tenants()]
        for path in application.missing:
            if proof == "client_secret":
                self._own.write_secret(path)
            elif proof == "client_certificate":
                self._own.adopt(path, partial(make_certificate, path, password=_password(application)))
        if proof == "client_assertion":
            client.federated = [_POD]
        else:
            _add_proofs(application, client)
        every = "*" in client.tenants
        self._entra.register(
            identity.client_id,
            tenants="*" if every else client.tenants,
            secrets=client.secrets,
            certificates=client.certificates,
            federated=client.federated,
        )
        for path in application.missing if proof == "client_assertion" else ():
            write = partial(self._entra.write_assertion, path, client_id=identity.client_id, lifetime=_DAY)
            self._own.adopt(path, write)


@mutable_record
class _Client:
    """What the fake knows of a client: the arguments of `FakeEntra.register()`."""

    tenants: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list, repr=False)
    certificates: list[bytes] = field(default_factory=list, repr=False)
    federated: list[tuple[str, str, str]] = field(default_factory=list)


def _add_proofs(application: Application, client: _Client) -> None:
    settings = application.settings
    if settings.proof == "client_certificate":  # its signer then names the certificate
        settings = settings.model_copy(update={"send_certificate_chain": True})
    for path, found in settings.proofs(application.reader):
        if isinstance(found, NotFound):
            from credconf.assembly import problem_of
            from credconf.errors import ConfigError

            raise ConfigError([problem_of(path, found)])
        if isinstance(found.signer, CertificateSigner):
            client.certificates.append(_certificate_of(found.signer))
        elif found.credential not in client.secrets:
            client.secrets.append(found.credential)


def _password(application: Application) -> str | None:
    """The password of a certificate, which a new file gets, too."""
    given = getattr(application.settings, "client_certificate_password", None)
    if given is None:
        return None
    found = application.reader.text(given) if isinstance(given, BaseReference) else given.get_secret_value()
    return found if isinstance(found, str) else None


def _certificate_of(signer: CertificateSigner) -> bytes:
    """The certificate in the header of a signer that sends it, as PEM."""
    header = json.loads(base64.urlsafe_b64decode(signer.header + b"=="))
    return f"-----BEGIN CERTIFICATE-----\n{header['x5c'][0]}\n-----END CERTIFICATE-----\n".encode()
