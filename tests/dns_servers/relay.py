"""A relay for DNS over TCP that loses answers, is slow or silent, or lets something happen right before an update."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Literal, Self

_UPDATE = 5


class Relay:
    """Passes DNS messages on to `port` of 127.0.0.1, one after the other.

    `before_update` is called right before the next update is passed on, `after_update` once it was carried out and
    before its answer is passed back; `updates` counts them. `lose` loses the next update, or its answer,
    and closes the connection. `silence` makes it take everything and answer nothing; with "update", no update.
    `pause` is how many seconds it takes for each message, `patience` after how many messages it falls silent.
    """

    def __init__(self, port: int) -> None:
        self.before_update: Callable[[], None] | None = None
        self.after_update: Callable[[], None] | None = None
        self.updates = 0
        self.lose: Literal["update", "answer"] | None = None
        self.silence: Literal["everything", "updates"] | None = None
        self.pause = 0.0
        self.patience: int | None = None
        self._target = ("127.0.0.1", port)
        self._stopped = threading.Event()
        relay = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                relay._relay(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port: int = self._server.server_address[1]
        self.server = f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Closes the port; a second call does nothing."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._server.shutdown()
            self._server.server_close()

    def _relay(self, client: socket.socket) -> None:
        with socket.create_connection(self._target) as server:
            while (message := _read(client)) is not None:
                update = (message[4] >> 3) & 15 == _UPDATE
                self.updates += update
                if self.patience is not None:
                    self.patience -= 1
                worn_out = self.patience is not None and self.patience < 0
                if worn_out or self.silence == "everything" or (update and self.silence == "updates"):
                    self._stopped.wait(60)
                    return
                lose = self.lose if update else None
                if update and self.before_update is not None:
                    hook, self.before_update = self.before_update, None
                    hook()
                if lose is not None:
                    self.lose = None
                if lose == "update":
                    return
                self._stopped.wait(self.pause)
                server.sendall(message)
                answer = _read(server)
                if update and self.after_update is not None:
                    hook, self.after_update = self.after_update, None
                    hook()
                if answer is None or lose == "answer":
                    return
                client.sendall(answer)


def _read(connection: socket.socket) -> bytes | None:
    """The next message with its length (RFC 1035, 4.2.2), or None at the end."""
    head = _exactly(connection, 2)
    body = _exactly(connection, int.from_bytes(head, "big")) if head else None
    return head + body if head and body else None


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    received = b""
    while len(received) < size:
        try:
            part = connection.recv(size - len(received))
        except OSError:
            return None
        if not part:
            return None
        received += part
    return received
