"""A little HTTP server that answers as it is told: for tests of clients, on a real socket, in a thread.

with ScriptedServer() as server:
    server.say(503, retry_after="1").say(200, {"id": "x"})
    ...
    assert [request.method for request in server.requests] == ["GET", "GET"]
"""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any


@dataclass
class Asked:
    """One request, as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What is sent: all of it, or its first `cut` bytes of the body and then the end of the connection. `pieces` are sent one
    after another, each when `gate` lets it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang_up: bool = False
    """No answer at all: the request was heard, the connection ends."""
    silent: bool = False
    """No answer and no end, until the server closes."""


Handler = Callable[[Asked], Reply]


class ScriptedServer:
    """Answers with what was `say`d, in order; then by `handler`, if it has one."""

    def __init__(self, handler: Handler | None = None) -> None:
        self.handler = handler
        self.requests: list[Asked] = []
        self.script: deque[Reply] = deque()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._ending = threading.Event()

    def say(
        self, status: int = 200, body: Any = None, *, cut: int | None = None, **headers: str
    ) -> ScriptedServer:
        """The next answer. A body that is not bytes goes as JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            named = {"content-type": "application/json", **named}
        self.script.append(Reply(status, body or b"", named, cut))
        return self

    def then(self, reply: Reply) -> ScriptedServer:
        self.script.append(reply)
        return self

    def __enter__(self) -> ScriptedServer:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        with socket.socket() as nudge:  # accept() does not end with its socket
            nudge.connect_ex(("127.0.0.1", self.port))
        self._threads[0].join(5)
        self._listener.close()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._ending.is_set():
            connection, _ = self._listener.accept()
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while not self._ending.is_set():
                    asked = read_request(stream)
                    if asked is None or not self._answer(connection, asked):
                        return
            except OSError:
                return

    def _answer(self, connection: socket.socket, asked: Asked) -> bool:
        """Whether the connection goes on."""
        self.requests.append(asked)
        if self.script:
            reply = self.script.popleft()
        elif self.handler is not None:
            reply = self.handler(asked)
        else:
            reply = Reply(599, b'{"error": "unexpected", "message": "the script is over", "request_id": "r"}')
        if reply.hang_up:
            return False
        if reply.silent:
            self._ending.wait(30)
            return False
        headers = {"content-length": str(len(reply.body)), **reply.headers}
        head = f"HTTP/1.1 {reply.status} Said\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        sent = reply.body if reply.cut is None else reply.body[: reply.cut]
        connection.sendall(head.encode() + b"\r\n" + (b"" if asked.method == "HEAD" else sent))
        return reply.cut is None and reply.headers.get("connection") != "close"


def read_request(stream: Any) -> Asked | None:
    line = stream.readline()
    if not line:
        return None
    method, target, _ = line.decode().split(" ", 2)
    headers: dict[str, str] = {}
    while (row := stream.readline()) not in (b"\r\n", b""):
        name, _, value = row.decode().partition(":")
        headers[name.strip().lower()] = value.strip()
    return Asked(method, target, headers, stream.read(int(headers.get("content-length", 0))))
