"""
A load of requests over HTTP: so many connections that are kept open, on each one request after the
other, in one thread over epoll. What it costs is not counted.
"""

from __future__ import annotations

import select
import socket
from base64 import b64encode
from collections.abc import Generator, Iterable
from typing import Generic, TypeVar
from urllib.parse import urlencode

import attrs

SILENCE = 30.0
"""
After how many seconds without any answer the run is given up.
"""

_T = TypeVar("_T")


class ExchangeFailed(Exception):
    """
    The server did not answer as it should.
    """


@attrs.frozen
class Answer:
    """
    What the server said.
    """

    status: int
    content: bytes


Script = Generator[bytes, Answer, _T]
"""
What happens on one connection: it yields requests, is sent their answers, and returns what it
learned.
"""


class Connection(Generic[_T]):
    """
    One connection, from its first request to the end of its script.
    """

    def __init__(self, address: tuple[str, int], script: Script[_T]) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(address)
        self.learned: _T | None = None
        self._script = script
        self._received = b""
        self.socket.sendall(next(script))

    def readable(self) -> bool:
        """
        Read, and ask what comes next.

        @return: whether anything does.
        @raise ExchangeFailed: the server closed the connection.
        """
        octets = self.socket.recv(65536)
        if not octets:
            raise ExchangeFailed("the server closed the connection")
        self._received += octets
        head, end, rest = self._received.partition(b"\r\n\r\n")
        length = lengthOf(head) if end else 0
        if not end or len(rest) < length:
            return True
        self._received = rest[length:]
        try:
            self.socket.sendall(self._script.send(Answer(int(head[9:12]), rest[:length])))
        except StopIteration as stop:
            self.learned = stop.value
            self.socket.close()
            return False
        return True


def lengthOf(head: bytes) -> int:
    """
    How long the body is, by the header of its length: nobody here sends chunks.
    """
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def run(port: int, scripts: Iterable[Script[_T]]) -> list[_T]:
    """
    Play all scripts at once, each on a connection of its own.

    @return: what they learned.
    @raise ExchangeFailed: a script was not answered.
    """
    connections = [Connection(("127.0.0.1", port), script) for script in scripts]
    playing = {each.socket.fileno(): each for each in connections}
    with select.epoll() as poll:
        for descriptor in playing:
            poll.register(descriptor, select.EPOLLIN)
        while playing:
            events = poll.poll(SILENCE)
            if not events:
                raise ExchangeFailed("no answer")
            for descriptor, _ in events:
                if not playing[descriptor].readable():
                    del playing[descriptor]
    return [each.learned for each in connections]  # type: ignore[misc]  # all have ended


def makeGet(address: str, headers: str = "") -> bytes:
    """
    A request for a document.

    @param headers: each with its line end.
    """
    return f"GET {address} HTTP/1.1\r\n{_USUAL}{headers}\r\n".encode("ascii")


def makePost(address: str, client: tuple[str, str], **form: str) -> bytes:
    """
    A request of a client, which proves by C{client_secret_basic} which one it is.
    """
    credentials = b64encode(":".join(client).encode("ascii")).decode("ascii")
    body = urlencode(form)
    return (
        f"POST {address} HTTP/1.1\r\n{_USUAL}Authorization: Basic {credentials}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode("ascii")


_USUAL = "Host: mail.example\r\nUser-Agent: bench\r\nAccept: application/json\r\n"
