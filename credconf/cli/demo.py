"""`credconf demo`: acquires tokens with eight lines of YAML, from a fake Entra on this machine."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

import credconf
from credconf.testing import FakeEntra, FederatedCredential

if TYPE_CHECKING:
    from collections.abc import Callable

    Echo = Callable[[str], object]

SCOPE = "https://storage.azure.com/.default"

_WIDTH = 40
_FILE = """\
tenant_id: {tenant_id}
client_id: {client_id}
client_secret:
  file: secrets/entra            # such as a mounted Kubernetes secret
authority: {authority}
disable_instance_discovery: true # because the authority is a fake
http: {{ca_bundle: {ca_bundle}}}
"""


@click.command()
def demo() -> None:
    """Acquire tokens from a fake Entra on this machine.

    The demo needs no account and no network, and leaves no file behind.
    """
    sys.exit(run(click.echo))


def run(echo: Echo) -> int:
    """Run the demo step by step, and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="credconf-demo-") as directory, FakeEntra() as entra:
        echo("credconf demo: a file in, a token out. Everything runs on this machine.\n")
        path = _write(echo, Path(directory), entra)
        _explain(echo, path)
        _fetch(echo, path, entra)
        _from_environment_alone(echo, entra)
        _without_a_secret(echo, Path(directory), entra)
        _mistakes(echo, path)
    echo("\nThe demo stopped the fake Entra and removed its temporary directory. Next: the README's first example.")
    return 0


def _write(echo: Echo, directory: Path, entra: FakeEntra) -> Path:
    _step(echo, 1, f"Start a fake Entra at {entra.authority}, and write a configuration:")
    secret = directory / "secrets" / "entra"
    secret.parent.mkdir()
    secret.touch(mode=0o600)
    secret.write_text(f"{entra.client_secret}\n", encoding="utf-8")
    fields = {name: getattr(entra, name) for name in ("tenant_id", "client_id", "authority", "ca_bundle")}
    path = directory / "credconf.yaml"
    path.write_text(_FILE.format(**fields), encoding="utf-8")
    _show(echo, f"{path}\n{path.read_text(encoding='utf-8')}")
    return path


def _explain(echo: Echo, path: Path) -> None:
    _step(echo, 2, "credconf.load(path) validates it without the network, and records the origin of each value:")
    resolved = credconf.load(path, env_file=False, environ={"CREDCONF_HTTP__TIMEOUT": "5"})
    lines = [f"kind {resolved.settings.kind}, inferred from its proof (`client_secret`)"]
    for name, origin in resolved.origins.items():
        if origin.place != "default":
            shown = "(hidden)" if name == "client_secret" else _value(resolved.settings, name)
            lines.append(f"{name:<27} {shown:<40} {str(origin).removeprefix(str(path.parent) + os.sep)}")
    lines.append("every other setting         has its default")
    _show(echo, "\n".join(lines))


def _value(settings: object, name: str) -> str:
    for step in name.split("."):
        settings = getattr(settings, step)
    text = str(settings)
    return text if len(text) < _WIDTH else f"…{text[-37:]}"


def _fetch(echo: Echo, path: Path, entra: FakeEntra) -> None:
    _step(echo, 3, "credconf.from_config(path) returns a credential for every Azure SDK client:")
    lines: list[str] = []
    with credconf.from_config(path, env_file=False, environ={}) as credential:
        lines.append(repr(credential))
        for attempt in ("first", "second"):
            started = time.perf_counter()
            token = credential.get_token(SCOPE)
            milliseconds = (time.perf_counter() - started) * 1000
            lines.append(f"{attempt} token: {milliseconds:9.3f} ms, {_asked(entra)}, {_life(token.expires_on)}")
        lines.append(asyncio.run(_async(path, entra)))
    _show(echo, "\n".join(lines))


async def _async(path: Path, entra: FakeEntra) -> str:
    async with credconf.aio.from_config(path, env_file=False, environ={}) as credential:
        token = await credential.get_token(SCOPE)
        return f"async token: from the same engine, {_asked(entra)}, {_life(token.expires_on)}"


def _asked(entra: FakeEntra) -> str:
    count = entra.count()
    return f"{count} request{'' if count == 1 else 's'} to Entra so far"


def _life(expires_on: int) -> str:
    return f"valid for {(expires_on - time.time()) / 60:.0f} minutes"


def _from_environment_alone(echo: Echo, entra: FakeEntra) -> None:
    _step(echo, 4, "The same from the environment only, as for a twelve-factor application:")
    environ = entra.environ()
    lines = [f"{name}={'(hidden)' if 'SECRET' in name else value}" for name, value in environ.items()]
    with credconf.from_config(path=False, env_file=False, environ=environ) as credential:
        token = credential.get_token(SCOPE)
    _show(echo, "\n".join([*lines, f"→ a token, {_life(token.expires_on)}"]))


def _without_a_secret(echo: Echo, directory: Path, entra: FakeEntra) -> None:
    _step(echo, 5, "Without a secret: a pod proves itself with the token that Kubernetes writes into a file:")
    workload = FederatedCredential("https://kubernetes.example/", "system:serviceaccount:billing:billing")
    pod = entra.register(federated=[workload])
    token_file = entra.write_assertion(directory / "azure-identity-token", client_id=pod.client_id)
    environ = entra.environ(identity=False) | {
        "AZURE_TENANT_ID": entra.tenant_id,
        "AZURE_CLIENT_ID": pod.client_id,
        "AZURE_FEDERATED_TOKEN_FILE": str(token_file),
    }
    lines = [f"{name}={value}" for name, value in environ.items() if name.startswith("AZURE_")]
    with credconf.from_config(path=False, env_file=False, environ=environ) as credential:
        token = credential.get_token(SCOPE)
    _show(echo, "\n".join([*lines, f"→ a token, {_life(token.expires_on)}"]))


def _mistakes(echo: Echo, path: Path) -> None:
    _step(echo, 6, "Two mistakes. load() finds a misspelt key without a request:")
    broken = path.with_name("broken.yaml")
    broken.write_text(path.read_text(encoding="utf-8").replace("client_id:", "clinet_id:"), encoding="utf-8")
    try:
        credconf.load(broken, env_file=False, environ={})
    except credconf.ConfigError as error:
        _show(echo, str(error).replace(f"{path.parent}{os.sep}", ""))
    echo("   Entra refuses a wrong secret:\n")
    with credconf.from_config(path, env_file=False, environ={}, client_secret="wrong") as credential:  # noqa: S106
        try:
            credential.get_token(SCOPE)
        except credconf.AuthenticationError as error:
            _show(echo, str(error))


def _step(echo: Echo, number: int, text: str) -> None:
    echo(f"{number}. {text}\n")


def _show(echo: Echo, text: str) -> None:
    echo(textwrap.indent(text.rstrip(), "     ") + "\n")
