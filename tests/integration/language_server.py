"""yaml-language-server, the program behind YAML in VS Code, Neovim, Helix and others, spoken to as an editor does.

The language server protocol is JSON-RPC over the program's standard input and output:
https://microsoft.github.io/language-server-protocol/
"""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

TIMEOUT = 60.0  # seconds for one answer; an idle machine needs a second for the first and milliseconds for the next
STOP_TIMEOUT = 5.0  # seconds
LINES_OF_LOG = 60


@dataclass(frozen=True)
class Diagnostic:
    """What the editor underlines.

    Attributes:
        line: counted from 1.
        start: the first column that is underlined, counted from 1.
        end: the column after the last one, on the line where it ends.
        message: what the editor says of it.
    """

    line: int
    start: int
    end: int
    message: str


class LanguageServer:
    """A language server in a process of its own.

    Args:
        argv: the program and its arguments.
        settings: what the editor's user has set, by section (`{"yaml": {…}}`).
        log: the file that receives what the program prints to standard error.
        environ: the program's whole environment.
        workspace: the folder that the editor has opened; relative paths in the settings begin there.
    """

    name = "yaml-language-server"

    def __init__(
        self,
        argv: Sequence[str],
        settings: Mapping[str, object],
        *,
        log: Path,
        environ: Mapping[str, str],
        workspace: Path | None = None,
    ) -> None:
        self._argv = list(argv)
        self._workspace = workspace
        self._settings = dict(settings)
        self._log = log
        self._environ = dict(environ)
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._published: dict[str, list[Diagnostic]] = {}
        self._configured = False
        self._ended = False

    def log(self) -> str:
        """The last lines of what it printed to standard error."""
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        return "\n".join(text.splitlines()[-LINES_OF_LOG:])

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=self._environ
            )
        self._reader = threading.Thread(target=self._read, name=f"messages of {self.name}", daemon=True)
        self._reader.start()
        try:
            self._begin()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _begin(self) -> None:
        """Hand over the settings, and wait until they hold: an earlier request is answered without them."""
        capabilities = {
            "workspace": {"configuration": True, "workspaceFolders": True},
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
                "hover": {"contentFormat": ["markdown"]},
            },
        }
        root = self._workspace.as_uri() if self._workspace else None
        folders = [{"uri": root, "name": "workspace"}] if root else None
        self._request(
            "initialize",
            {"processId": None, "rootUri": root, "workspaceFolders": folders, "capabilities": capabilities},
        )
        self._notify("initialized", {})
        self._notify("workspace/didChangeConfiguration", {"settings": None})
        self._wait(lambda: self._configured, "for the settings")
        # Of all requests this one waits by itself until the settings hold, the catalogue's among them.
        self._request("textDocument/codeLens", {"textDocument": {"uri": "file:///none.yaml"}})

    def open(self, path: Path) -> str:
        """Open a file that is there; what it returns, the URI, names it in the other requests."""
        uri = path.as_uri()
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": path.read_text(encoding="utf-8")}
        self._notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def diagnostics(self, uri: str) -> list[Diagnostic]:
        """What is wrong in an open file, as the server says by itself a moment after it was opened."""
        self._wait(lambda: uri in self._published, f"for the diagnostics of {uri}")
        return self._published[uri]

    def completion(self, uri: str, line: int, column: int) -> list[dict[str, Any]]:
        """What is offered at a position; line and column count from 0 here, as the protocol does."""
        found = self._request("textDocument/completion", _at(uri, line, column))
        items: list[dict[str, Any]] = found["items"] if isinstance(found, dict) else found or []
        return items

    def hover(self, uri: str, line: int, column: int) -> str:
        """The Markdown that is shown at a position, which counts from 0; empty where there is none."""
        found = self._request("textDocument/hover", _at(uri, line, column))
        return str(found["contents"]["value"]) if found else ""

    def _request(self, method: str, params: dict[str, Any]) -> Any:
        number = next(self._numbers)
        self._send({"id": number, "method": method, "params": params})
        self._wait(lambda: number in self._answers, f"for an answer to {method}")
        answer = self._answers.pop(number)
        if "error" in answer:
            message = f"{method}: {answer['error']}"
            raise RuntimeError(message)
        return answer["result"]

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        with self._changed:
            came = self._changed.wait_for(lambda: condition() or self._ended, TIMEOUT)
        if not (came and condition()):
            end = "it ended" if self._ended else f"{TIMEOUT:.0f} s were not enough"
            message = f"waited {what}: {end}\n{self.log()}"
            raise RuntimeError(message)

    def _read(self) -> None:
        assert self._process.stdout is not None
        while (message := _message(self._process.stdout)) is not None:
            reply = self._take(message)
            if reply is not None:
                self._send({"id": message["id"], "result": reply["result"]})
            with self._changed:
                # Only now: what is asked next must come behind the reply.
                self._configured |= message.get("method") == "workspace/configuration"
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Keep what a message says, and return the reply if it asks for one."""
        if "method" not in message:
            self._answers[message["id"]] = message
        elif message["method"] == "textDocument/publishDiagnostics":
            params = message["params"]
            self._published[params["uri"]] = [_diagnostic(item) for item in params["diagnostics"]]
        elif message["method"] == "workspace/configuration":
            return {"result": [self._settings.get(item.get("section")) for item in message["params"]["items"]]}
        elif "id" in message:
            return {"result": None}
        return None

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_TIMEOUT)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()


def _at(uri: str, line: int, column: int) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}


def _diagnostic(item: dict[str, Any]) -> Diagnostic:
    start, end = item["range"]["start"], item["range"]["end"]
    return Diagnostic(start["line"] + 1, start["character"] + 1, end["character"] + 1, item["message"])


def _message(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next message, or `None` where the program has ended."""
    length = 0
    while (line := stream.readline().strip()) or not length:
        if not line:
            return None
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    message: dict[str, Any] = json.loads(stream.read(length))
    return message
