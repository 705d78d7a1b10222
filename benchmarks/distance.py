"""A server that is far away: a proxy on this machine that delays what passes through it.

Loopback connects at once. So the time that a connection takes over a distance is added to its first bytes: for a client
that sends as soon as it is connected, as a TLS client does, the sum is the same.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

_PIECE = 65536


class Distance:
    """A port on 127.0.0.1 that leads to another one, as if that were far away.

    Args:
        port: the server's, on 127.0.0.1.
        round_trip: seconds for a packet and its answer.

    Attributes:
        port: where clients connect.
    """

    def __init__(self, port: int, round_trip: float) -> None:
        self._server_port = port
        self._one_way = round_trip / 2
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    @property
    def authority(self) -> str:
        """The URL of the port, whose certificate is the server's."""
        return f"https://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.start_server(self._relay, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected = self._loop.time() + 2 * self._one_way
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        await asyncio.gather(self._pass_on(reader, far_writer, connected), self._pass_on(far_reader, writer, connected))

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, connected: float) -> None:
        """Pass each piece on after the way that it has to go; the next may be under way at the same time."""
        try:
            while piece := await source.read(_PIECE):
                when = max(self._loop.time(), connected) + self._one_way
                self._loop.call_at(when, sink.write, piece)
            self._loop.call_at(max(self._loop.time(), connected) + self._one_way, sink.close)
        except ConnectionError:
            sink.close()
