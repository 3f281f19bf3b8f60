"""
A load of logins over IMAP with OAUTHBEARER: connect, AUTHENTICATE with an initial response,
LOGOUT, until the server has answered; so many connections at any time, one login on each::

    python bench/load.py PORT TOKENS --logins 2000

TOKENS is a file of lines C{name TAB token}; after the last comes the first again. It runs in one
thread over epoll. What it costs is not counted: the server's time is what is measured.
"""

from __future__ import annotations

import argparse
import itertools
import select
import socket
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path

CONNECTIONS = 32
SILENCE = 30.0
"""
After how many seconds without any answer the run is given up.
"""


class LoadFailed(Exception):
    """
    The server did not do what a login needs.
    """


class Session:
    """
    One login.

    @ivar command: its AUTHENTICATE.
    """

    def __init__(self, address: tuple[str, int], command: bytes) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(address)
        self._answer = b""
        self._steps = iter(((b"* OK", command), (b"a OK", b"z LOGOUT\r\n"), (b"z OK", b"")))
        self._expected, self._next = next(self._steps)

    def readable(self) -> bool:
        """
        Read, and say what comes next.

        @return: whether it goes on.
        @raise LoadFailed: the server refused.
        """
        octets = self.socket.recv(65536)
        self._answer += octets
        *lines, self._answer = self._answer.split(b"\r\n")
        for line in lines:
            if line.startswith(self._expected):
                if not self._next:
                    self.socket.close()
                    return False
                self.socket.sendall(self._next)
                self._expected, self._next = next(self._steps)
            elif not line.startswith(b"* "):
                raise LoadFailed(line.decode("ascii", "replace"))
        if not octets:
            raise LoadFailed("the server closed the connection")
        return True


def makeCommand(name: str, token: str) -> bytes:
    """
    An AUTHENTICATE with its initial response (RFC 7628 section 3.1).
    """
    message = f"n,a={name},\x01auth=Bearer {token}\x01\x01".encode()
    return b"a AUTHENTICATE OAUTHBEARER " + b64encode(message) + b"\r\n"


def run(port: int, commands: Iterable[bytes], connections: int = CONNECTIONS) -> None:
    """
    Log in with each of the commands once.

    @raise LoadFailed: one was not answered as it should be.
    """
    address = ("127.0.0.1", port)
    waiting: Iterator[bytes] = iter(commands)
    open: dict[int, Session] = {}
    with select.epoll() as poll:

        def start() -> None:
            command = next(waiting, None)
            if command is not None:
                session = Session(address, command)
                open[session.socket.fileno()] = session
                poll.register(session.socket, select.EPOLLIN)

        for _ in range(connections):
            start()
        while open:
            events = poll.poll(SILENCE)
            if not events:
                raise LoadFailed("no answer")
            for descriptor, _ in events:
                if not open[descriptor].readable():
                    del open[descriptor]
                    start()


def readTokens(path: Path) -> list[bytes]:
    """
    Read a file of names and tokens, as commands.
    """
    lines = path.read_text("ascii").splitlines()
    return [makeCommand(*line.split("\t")) for line in lines]


def main() -> None:
    """
    Load one server.
    """
    parser = argparse.ArgumentParser(description="log in over and over")
    parser.add_argument("port", type=int)
    parser.add_argument("tokens", type=Path)
    parser.add_argument("--logins", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    options = parser.parse_args()
    commands = itertools.cycle(readTokens(options.tokens))
    run(options.port, itertools.islice(commands, options.logins), options.connections)


if __name__ == "__main__":
    main()
