"""A TCP port that can be unplugged and plugged in again under the same number."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable


class Connections(set[asyncio.Transport]):
    """The open ones. One that the event loop had accepted already when the port closed is reset as it comes."""

    is_closed = False

    def add(self, transport: asyncio.Transport) -> None:
        if self.is_closed:
            transport.abort()
        else:
            super().add(transport)


class Port:
    """Listens on `host`:`number`, hands each connection to a protocol, knows all that are open.

    `tls` is the context that new listeners use; None is plain TCP.

    A second socket, bound but never listening, holds the number while the port is closed: connecting is then refused, and no
    other program of this machine is given the number meanwhile.
    """

    def __init__(
        self,
        host: str,
        number: int,
        factory: Callable[[set[asyncio.Transport]], asyncio.Protocol],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._factory = factory
        self.tls = tls
        self._holder = _bound(host, number)
        self.number: int = self._holder.getsockname()[1]
        self.transports = Connections()
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._listener: socket.socket | None = None

    def open(self) -> None:
        """Listen. From the return on connections succeed; they are served as soon as the event loop gets to it."""
        if self._listener is not None:
            return
        self.transports.is_closed = False
        listener = _bound(self._host, self.number)
        listener.listen(512)
        self._listener = listener
        self._opening = asyncio.ensure_future(self._serve(listener))

    async def opened(self) -> None:
        """Wait until connections are served."""
        if self._opening is not None:
            await self._opening

    async def _serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: self._factory(self.transports), sock=listener, backlog=512, ssl=self.tls
        )
        if self._listener is listener:
            self._server = server
        else:  # closed while it opened
            server.close()

    def close(self) -> None:
        """Stop listening and reset every connection. Connecting is refused from now on."""
        if self._server is not None and self._listener is not None:
            loop = asyncio.get_running_loop()
            if isinstance(loop, asyncio.SelectorEventLoop):
                # Not Server.close(): a connection whose acceptance is under way would be dropped without being closed
                # (asyncio's transport refuses a closed server). Without its listener the server is nothing but a name.
                loop.remove_reader(self._listener)
                self._listener.close()
            else:
                self._server.close()
        elif self._listener is not None:
            self._listener.close()
            if self._opening is not None:
                self._opening.cancel()
        self._server = self._listener = self._opening = None
        self.transports.is_closed = True
        self.abort_connections()

    def abort_connections(self) -> None:
        for transport in list(self.transports):
            transport.abort()

    def release(self) -> None:
        """Close for good; the number is free for others."""
        self.close()
        self._holder.close()


def _bound(host: str, number: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, for asyncio sets TCP_NODELAY only where it is; without it answers wait 40 ms for an acknowledgement
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # With SO_REUSEADDR Linux lets a holder and one listener share a number, but never two listeners
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, number))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
