"""The token service, in a separate process, so that it does not share its CPU and interpreter lock with a client.

`Service` starts it, and reads its counts. It is simpler than `credconf.testing.FakeEntra`, whose paths and discovery
documents it uses: it has one event loop, checks no secrets, and returns any text of the usual size as a token, because
signing a JWT costs more than the client's work that is measured.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import ROOT
from .stubs import token_answer

if TYPE_CHECKING:
    import ssl
    from typing import Self

    from credconf.testing.service import Route

    from .faults import Fault

LOGIN = "login.microsoftonline.com"


class Service:
    """The service of a benchmark, as a context manager that starts and stops it.

    Attributes:
        port: the port on 127.0.0.1.
        ca_bundle: the path of the certificate to trust. It is also valid for `LOGIN`.
    """

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        try:
            started = self._read()
        except BaseException:
            self._end()
            raise
        self.port: int = started["port"]
        self.ca_bundle: str = started["ca_bundle"]
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def authority(self) -> str:
        """Return the service as an authority that is not well known."""
        return f"https://127.0.0.1:{self.port}"

    def reset(self, delay: float = 0.0, fault: Fault | None = None) -> None:
        """Reset the counts, the delay of each answer in seconds, and the fault."""
        self._ask({"delay": delay, "fault": None if fault is None else asdict(fault)})

    def counts(self) -> dict[str, int]:
        """Return the counts since `reset()` by kind: `token`, `openid-configuration`, `instance-discovery`, `other`."""
        return self._ask({})

    def environ(self) -> dict[str, str]:
        """Return the variables with which the HTTP clients of both sides trust the service."""
        return {"REQUESTS_CA_BUNDLE": self.ca_bundle, "SSL_CERT_FILE": self.ca_bundle}

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the token service has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # the service ends when its input does
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class _Endpoints:
    """The endpoints: HTTP/1.1 over asyncio's streams."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.counts: Counter[str] = Counter()
        self.fault: dict[str, Any] | None = None
        self.port = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it ends."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await reader.readexactly(int(_header(head, "content-length", "0")))
                answer = self._answer(head.split(" ", 2)[1], _header(head, "host", ""))
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone: its affair
        finally:
            writer.close()

    def _answer(self, target: str, host: str) -> bytes:
        from credconf.testing.service import route_of

        route = route_of(target.partition("?")[0])
        self.counts[route.kind] += 1
        fault = self.fault
        if fault is not None and route.kind in fault["meets"]:
            return _message(fault["status"], fault["body"], fault["headers"])
        return _message(200, json.dumps(self._document(route, host)), {})

    def _document(self, route: Route, host: str) -> dict[str, Any]:
        from credconf.testing.answers import instance_discovery, openid_configuration

        if route.kind == "token":
            return token_answer()
        if route.kind == "instance-discovery":
            return instance_discovery(f"127.0.0.1:{self.port}", "common")
        return openid_configuration(f"https://{host}", route.tenant or "common")


def _message(status: int, body: str, headers: dict[str, str]) -> bytes:
    content = body.encode()
    held = {"Content-Type": "application/json", **headers, "Content-Length": str(len(content))}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {text}" for name, text in held.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _header(head: str, wanted: str, default: str) -> str:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == wanted:
            return value.strip()
    return default


async def _listen(endpoints: _Endpoints, tls: ssl.SSLContext, started: threading.Event) -> None:
    server = await asyncio.start_server(endpoints.converse, "127.0.0.1", 0, ssl=tls, backlog=4096)
    endpoints.port = server.sockets[0].getsockname()[1]
    started.set()
    await server.serve_forever()


def main() -> None:
    """Serve in a thread, and answer the commands on standard input until it ends."""
    from credconf.testing.server import server_certificate, tls_context

    endpoints, started = _Endpoints(), threading.Event()
    with tempfile.TemporaryDirectory(prefix="credconf-benchmark-") as directory:
        (Path(directory) / "ca.pem").write_bytes(server_certificate().ca)
        listen = _listen(endpoints, tls_context(), started)
        threading.Thread(target=asyncio.run, args=(listen,), daemon=True).start()
        started.wait()
        _tell({"port": endpoints.port, "ca_bundle": str(Path(directory) / "ca.pem")})
        for line in sys.stdin:
            question = json.loads(line)
            if "delay" in question:
                endpoints.delay, endpoints.fault = question["delay"], question["fault"]
                endpoints.counts = Counter()
            _tell(dict(endpoints.counts))


def _tell(answer: object) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
