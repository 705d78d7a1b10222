"""A server that is far away: a proxy on this machine that delays what passes through it.

Loopback connects at once. So the time that a connection takes over a distance is added to its first bytes: for a client
that sends as soon as it is connected, as a TLS client does, the sum is the same.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
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
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.port = 0

    @property
    def authority(self) -> str:
        """The URL of the port, whose certificate is the server's."""
        return f"https://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        async with await asyncio.start_server(self._relay, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stopping.wait()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected = self._loop.time() + 2 * self._one_way
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        ways = self._pass_on(reader, far_writer, connected), self._pass_on(far_reader, writer, connected)
        try:
            await asyncio.gather(*ways)
        finally:  # also when the measurement ends
            writer.close()
            far_writer.close()

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, connected: float) -> None:
        """Pass each piece on after its way. The next one may be on its way at the same time."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver(under_way, sink))
            piece = None
            while piece != b"":
                with suppress(ConnectionError):
                    piece = b""
                    piece = await source.read(_PIECE)
                under_way.put_nowait((max(self._loop.time(), connected) + self._one_way, piece))

    async def _deliver(self, under_way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        while True:
            arrival, piece = await under_way.get()
            await asyncio.sleep(arrival - self._loop.time())
            if not piece:
                sink.close()
                return
            sink.write(piece)
