"""
A proxy on loopback (CONNECT, RFC 9110 section 9.3.6). Owns where the names of a test lead, and what
becomes of the answers.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

_HANDSHAKE = 1000
"""
More octets than a client sends before its request, and fewer than it sends in all.
"""


class Proxy:
    """
    One that runs.

    @ivar asked: the names that were asked for.
    @ivar losing: how many answers are to be lost from now on.
    """

    def __init__(self, ports: Mapping[str, int]) -> None:
        """
        @param ports: for each name the port that it leads to. There are no others.
        """
        self.asked: list[str] = []
        self.losing = 0
        proxy = self

        class Tunnel(StreamRequestHandler):
            """
            One of the connections.
            """

            def handle(self) -> None:
                """
                Connect it.
                """
                name = self.rfile.readline().split()[1].decode("ascii").rpartition(":")[0]
                while self.rfile.readline().strip():
                    pass
                proxy.asked.append(name)
                if name not in ports:
                    self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                    return
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                lose = proxy.losing > 0
                proxy.losing -= lose
                with socket.create_connection(("127.0.0.1", ports[name])) as server:
                    _tunnel(self.connection, server, lose)

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Tunnel)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """
        Stop it.
        """
        self._server.shutdown()
        self._server.server_close()


def _tunnel(client: socket.socket, server: socket.socket, lose: bool) -> None:
    """
    Pass on what either says.

    @param lose: what the server says to the request goes nowhere.
    """
    said: dict[str, Any] = {"client": 0}

    def up() -> None:
        while octets := _receive(client):
            said["client"] += len(octets)
            _send(server, octets)

    Thread(target=up, daemon=True).start()
    while octets := _receive(server):
        if not lose or said["client"] < _HANDSHAKE:
            _send(client, octets)


def _send(connection: socket.socket, octets: bytes) -> None:
    try:
        connection.sendall(octets)
    except OSError:
        # It is gone, and its own end is heard of soon.
        pass


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""
