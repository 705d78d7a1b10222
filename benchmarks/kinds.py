"""Requests of threads with one cold credential without a secret, against the fakes of `credconf.testing`."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from . import sides

if TYPE_CHECKING:
    from collections.abc import Callable

    from .sides import Side

_DELAY: Final = 0.05
"""The latency of each answer in seconds, so that the threads overlap."""


def threads(kind: str, side: Side, number: int) -> int:
    """Request one token from a cold credential in several threads, and return the number of requests."""
    with ExitStack() as stack:
        make, count = _KINDS[kind](stack, side)
        credential = make()
        barrier = threading.Barrier(number)

        def ask() -> None:
            barrier.wait()
            credential.get_token(sides.SCOPE)

        crowd = [threading.Thread(target=ask) for _ in range(number)]
        for each in crowd:
            each.start()
        for each in crowd:
            each.join()
        return count()


def _workload(stack: ExitStack, side: Side) -> tuple[Callable[[], Any], Callable[[], int]]:
    from credconf.testing import FakeEntra, FederatedCredential

    entra = stack.enter_context(FakeEntra())
    directory = stack.enter_context(TemporaryDirectory(prefix="credconf-benchmark-"))
    pod = entra.register(federated=[FederatedCredential("https://issuer.example", "system:serviceaccount:a:b")])
    file = entra.write_assertion(Path(directory) / "token", client_id=pod.client_id)
    entra.is_slow(_DELAY)
    os.environ |= entra.environ(identity=False)
    given = {"tenant_id": entra.tenant_id, "client_id": pod.client_id, "token_file_path": str(file)}
    options = {"authority": entra.authority, "disable_instance_discovery": True}
    return lambda: _class(side, "WorkloadIdentityCredential")(**given, **options), entra.count


def _imds(stack: ExitStack, side: Side) -> tuple[Callable[[], Any], Callable[[], int]]:
    from credconf.testing import FakeImds

    return _managed_identity(stack, side, FakeImds())


def _app_service(stack: ExitStack, side: Side) -> tuple[Callable[[], Any], Callable[[], int]]:
    from credconf.testing import FakeAppService

    return _managed_identity(stack, side, FakeAppService())


def _managed_identity(stack: ExitStack, side: Side, fake: Any) -> tuple[Callable[[], Any], Callable[[], int]]:
    stack.enter_context(fake)
    fake.is_slow(_DELAY)
    os.environ |= fake.environ()
    return _class(side, "ManagedIdentityCredential"), fake.count


def _azure_cli(stack: ExitStack, side: Side) -> tuple[Callable[[], Any], Callable[[], int]]:
    from credconf.testing import FakeAzureCli

    fake = stack.enter_context(FakeAzureCli())
    os.environ |= fake.environ()
    if side == "theirs":
        return _class(side, "AzureCliCredential"), fake.count
    import credconf

    return lambda: credconf.from_config(path=False, env_file=False, kind="azure_cli", allow={"azure_cli"}), fake.count


def _class(side: Side, name: str) -> Any:
    if side == "theirs":
        import azure.identity

        return getattr(azure.identity, name)
    import credconf

    return getattr(credconf, name)


_KINDS: Final = {
    "client_assertion": _workload,
    "managed_identity, IMDS": _imds,
    "managed_identity, App Service": _app_service,
    "azure_cli": _azure_cli,
}
KINDS: Final = tuple(_KINDS)
