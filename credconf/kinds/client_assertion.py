"""`kind: client_assertion`: an application that another issuer vouches for (workload identity federation).

Source: Microsoft's page "Workload identity federation", and RFC 7523.
"""

from __future__ import annotations

import math
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from credconf.entra.assertions import Claims, claims_of, utc
from credconf.entra.proof import Candidate, Proof
from credconf.references import EXCHANGE_AUDIENCES, NOT_RUN, FileReference, NotFound
from credconf.settings import clouds
from credconf.settings.declaration import Setting
from credconf.settings.fields import Assertion
from credconf.settings.in_memory import AssertionFunction

from .application import ApplicationSettings
from .common import KIND, CommonOverrides, Inspection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from credconf.entra.http import HttpClient, TransportOptions
    from credconf.references import BaseReference, Reader, Stamp

_RENEWED: Final = (
    "its writer must renew it: the kubelet renews the token of a projected volume while it is mounted, but "
    "the runner of a job writes it only once"
)


class ClientAssertionSettings(ApplicationSettings):
    """An application that proves itself with an assertion that another issuer has signed."""

    proof: ClassVar = "client_assertion"

    azure_identity: ClassVar = "WorkloadIdentityCredential"
    also_called: ClassVar = "workload_identity workloadidentity clientassertioncredential federated oidc"
    yields: ClassVar = True
    seals: ClassVar = False
    inspected: ClassVar = "assertion"

    kind: Annotated[Literal["client_assertion"], KIND] = "client_assertion"
    client_assertion: Annotated[
        Assertion,
        Setting(
            "The source of the assertion. It is always a reference, because each assertion expires.",
            ({"file": "/var/run/secrets/azure/tokens/azure-identity-token"},),
            environment=("AZURE_FEDERATED_TOKEN_FILE",),
            also_called="assertion clientassertionfile federatedtoken federatedtokenfile tokenfile tokenfilepath "
            "oidctoken oidctokenfilepath usefederatedtoken workloadidentity workloadidentitytokenfile",
            secret=True,
        ),
    ]

    token_proxy: Annotated[
        bool,
        Setting(
            "Request tokens through the token proxy of AKS identity binding. The pod's variables contain its address.",
            (True,),
            also_called="enableazureproxy azureproxy identitybinding",
        ),
    ] = False

    def candidates(self) -> tuple[Candidate, ...]:
        """Return the assertion."""
        source = self.client_assertion
        if isinstance(source, AssertionFunction):
            return (Candidate("client_assertion", source.label, partial(_called, source), _never, runs=True),)
        authority = self.authority if isinstance(self.authority, str) else None
        reference = source.with_audience(EXCHANGE_AUDIENCES[clouds.cloud_of(authority) or "public"])
        stamp = methodcaller("stamp", reference)
        return (Candidate("client_assertion", reference.label, partial(_read, reference), stamp, reference.runs),)

    def lacks(self, reader: Reader) -> Iterator[tuple[str, NotFound]]:
        """Yield what is wrong with the token proxy, or that the pod has one and it is not used."""
        from credconf.entra.token_proxy import URL, token_proxy  # few pods have one

        if self.token_proxy:
            proxy = token_proxy(reader.environ)
            lack = proxy if isinstance(proxy, NotFound) else proxy.authorities()
            if isinstance(lack, NotFound):
                yield "token_proxy", lack
        elif isinstance(self.client_assertion, FileReference) and reader.environ.get(URL):
            message = f"{URL} is set: the assertions of this pod are for its token proxy, and Entra refuses them"
            hint = "add `token_proxy: true` (`enable_azure_proxy=True` of WorkloadIdentityCredential)"
            yield "token_proxy", NotFound("missing", message, hint)

    def instead_of_entra(self, reader: Reader, options: TransportOptions) -> HttpClient | None:
        """Return what sends token requests to the token proxy, if it is used."""
        if not self.token_proxy:
            return None
        from credconf.entra.token_proxy import TokenProxyClient, token_proxy

        return TokenProxyClient(token_proxy(reader.environ), options)

    def variables(self) -> tuple[str, ...]:
        """Return those of the reference, and of the token proxy."""
        from credconf.entra.token_proxy import VARIABLES

        own = () if isinstance(self.client_assertion, AssertionFunction) else self.client_assertion.variables
        return (*own, *(VARIABLES if self.token_proxy else ()))

    def inspect(self, reader: Reader) -> Inspection | NotFound:
        """Read the assertion, and report its claims."""
        (candidate,) = self.candidates()
        proof = candidate.read(reader)
        if isinstance(proof, NotFound) or proof.claims is None:
            return proof if isinstance(proof, NotFound) else Inspection("not read")
        claims = proof.claims
        summary = f"{proof.label}: valid until {utc(claims.ends_at)}"
        return Inspection(summary, tuple(claims.lines()))


class ClientAssertionOverrides(CommonOverrides, total=False):
    """The fields as keyword arguments."""

    client_assertion: Mapping[str, Any] | None
    token_proxy: bool | None


def _read(reference: BaseReference, reader: Reader) -> Proof | NotFound:
    found = reader.text(reference)
    if isinstance(found, NotFound):
        return found
    if found is NOT_RUN:
        return _unknown(reference.label)
    return assertion(found.strip(), reference.label, reader.clock(), renewed=reader.stamp(reference) is None)


def _called(source: AssertionFunction, reader: Reader) -> Proof | NotFound:
    if not reader.runs:
        return _unknown(source.label)
    found = source.call()
    return found if isinstance(found, NotFound) else assertion(found, source.label, reader.clock(), renewed=True)


def _unknown(label: str) -> Proof:
    """Return the placeholder of an assertion while `load()` runs nothing."""
    return Proof(NOT_RUN, (), label, claims=Claims("", "", "", math.inf))


def _never(_: Reader) -> Stamp:
    return None


def assertion(text: str, label: str, now: float, *, renewed: bool) -> Proof | NotFound:
    """Make a proof from an assertion. Only a JWT that has not expired is one, so that no other file is ever sent.

    Args:
        text: what was read.
        label: the name of the reference in messages.
        now: the time, in seconds of Unix time.
        renewed: whether each reading gives a new assertion.
    """
    claims = claims_of(text)
    if claims is None:
        hint = "name a file or variable that holds a signed token: three parts of base64url with dots between them"
        return NotFound("bad-assertion", f"{label} holds no JWT", hint)
    if claims.ends_at <= now:
        message = f"the assertion in {label} expired at {utc(claims.ends_at)}"
        return NotFound("expired-assertion", message, _RENEWED)
    same_as = f"{claims.issuer} {claims.subject} {claims.audience}" if renewed else None
    parts = text.split(".")
    return Proof(text, (text, parts[1], parts[2]), label, claims=claims, same_as=same_as)
