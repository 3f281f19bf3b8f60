"""
A server for one test: its directory, its configuration, and somebody who talks to it over TLS.
"""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http.client import HTTPSConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, time
from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.tcp import Server
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailauth.passwords import digestAppPassword, hashChosen, makeAppPassword
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.certificates import makeCertificates
from mailauth.server.config import KEY_FILE, STANDARD_PORTS, readConfiguration
from mailauth.server.issuer import AccessTokenIssuer
from mailauth.server.keys import PURPOSE, StoredKeys
from mailauth.server.sealing import readKeyFile
from mailauth.server.service import MailService
from mailauth.stores.records import Account, AppPassword

T = TypeVar("T")

NAMES = ("localhost", "mail.localhost", "127.0.0.1", "::1")

PATIENCE = 20.0
"""
How many seconds anything may take before the test has failed. Nothing is meant to take so long.
"""

_CONFIGURATION = """
[server]
hostname = "mail.localhost"
data = "."

[listen]
{listen}

[tls]
certificate = "server.pem"
key = "server.key"

[limits]
password_hash_cost = 4
{more}
"""


def makeDirectory(test: SynchronousTestCase) -> Path:
    """
    A directory that nobody else can use, until the test ends.
    """
    directory = TemporaryDirectory()
    test.addCleanup(directory.cleanup)
    return Path(directory.name)


def freePorts() -> dict[str, int]:
    """
    For each listener a port that nobody listens on.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("", 0))) for _ in STANDARD_PORTS]
        return {
            name: each.getsockname()[1] for name, each in zip(STANDARD_PORTS, sockets, strict=True)
        }


def deploy(test: SynchronousTestCase, more: str = "", ports: dict[str, int] | None = None) -> Path:
    """
    Make a directory with certificates and a C{mailauth.toml}.

    @param more: what is appended to the configuration.
    @param ports: where to listen; wherever it is free if that is not said.
    """
    directory = makeDirectory(test)
    makeCertificates(directory, NAMES)
    configure(directory, more, ports)
    return directory


def configure(directory: Path, more: str = "", ports: dict[str, int] | None = None) -> None:
    """
    Write a C{mailauth.toml}.
    """
    listen = "\n".join(
        f'{name} = "127.0.0.1:{ports[name] if ports else 0}"' for name in STANDARD_PORTS
    )
    text = _CONFIGURATION.format(listen=listen, more=more)
    (directory / "mailauth.toml").write_text(text)


def run(directory: Path, *arguments: str, say: str = "") -> subprocess.CompletedProcess[str]:
    """
    Run the C{mailauth} command.

    @param say: its standard input.
    """
    command = [sys.executable, "-m", "mailauth", "--data", str(directory), *arguments]
    return subprocess.run(command, input=say, capture_output=True, text=True, timeout=60)


def told(directory: Path, *arguments: str, say: str = "") -> str:
    """
    What the C{mailauth} command says when it has done it.
    """
    done = run(directory, *arguments, say=say)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def trust(directory: Path) -> ssl.SSLContext:
    """
    How a client of the server in a directory verifies it.
    """
    return ssl.create_default_context(cafile=str(directory / "ca.pem"))


class Client:
    """
    Somebody who types, over TLS. Everything here blocks.
    """

    def __init__(self, port: int, directory: Path, *, greeted: bool = True) -> None:
        """
        @param port: where the server speaks TLS at once.
        @param directory: with the certificate that vouches for it.
        @param greeted: whether the server speaks first.
        """
        connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket = trust(directory).wrap_socket(connection, server_hostname="localhost")
        self._lines = self.socket.makefile("rb")
        self._tag = b""
        self.greeting = self.hear() if greeted else b""

    def hear(self) -> bytes:
        """
        The next line; nothing if the connection has ended.
        """
        return self._lines.readline()

    def say(self, line: bytes) -> bytes:
        """
        Say a line.

        @return: the answer's last line, as IMAP, SMTP and POP3 mark it.
        """
        self.socket.sendall(line + b"\r\n")
        self._tag = line.split(b" ")[0] or self._tag
        while answer := self.hear():
            if answer.startswith((self._tag + b" ", b"+", b"-ERR")):
                break
            if answer[:3].isdigit() and answer[3:4] == b" ":
                break
        return answer

    def rest(self) -> bytes:
        """
        Everything until the connection ends.
        """
        return self._lines.read()

    def close(self) -> None:
        """
        Leave.
        """
        self._lines.close()
        self.socket.close()


def plain(name: str, password: str) -> bytes:
    """
    The initial response of PLAIN.
    """
    return b64encode(f"\0{name}\0{password}".encode())


def bearer(name: str, token: str) -> bytes:
    """
    The initial response of OAUTHBEARER.
    """
    return b64encode(f"n,a={name},\x01auth=Bearer {token}\x01\x01".encode())


def imapLogin(client: Client, response: bytes, mechanism: bytes = b"PLAIN") -> bytes:
    """
    Log in by IMAP, and acknowledge an error document.

    @return: the verdict.
    """
    answer = client.say(b"a AUTHENTICATE " + mechanism + b" " + response)
    return client.say(b"") if answer.startswith(b"+") else answer


class ServiceCase(TestCase):
    """
    A test with the service in its own process. What it asks of it blocks, so it asks in threads.
    """

    directory: Path
    service: MailService
    timeout = 90

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self.clients: list[Client] = []

    async def start(
        self,
        more: str = "",
        path: bool = False,
        files: Mapping[str, bytes] | None = None,
        ports: dict[str, int] | None = None,
        **settings: Any,
    ) -> None:
        """
        Start it, until the test ends.

        @param more: what is appended to the configuration.
        @param path: let the service know where its configuration is.
        @param files: what else is in its directory.
        @param ports: see L{deploy}.
        """
        self.directory = deploy(self, more, ports)
        for name, content in (files or {}).items():
            (self.directory / name).write_bytes(content)
        file = self.directory / "mailauth.toml"
        if path:
            self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        self.service = MailService(
            readConfiguration(file), reactor, file if path else None, **settings
        )
        self.service.privilegedStartService()
        self.service.startService()
        self.addCleanup(self.stop)
        await self.service.ready

    async def stop(self) -> None:
        """
        Leave, stop it, and wait until no connection is left.
        """
        while self.clients:
            self.clients.pop().close()
        if self.service.running:
            await self.service.stopService()
        await self.until(lambda: not any(isinstance(each, Server) for each in reactor.getReaders()))

    async def until(self, holds: Callable[[], object]) -> None:
        """
        Wait until something holds.
        """
        end = monotonic() + PATIENCE
        while not holds():
            self.assertLess(monotonic(), end, "it took too long")
            await deferLater(reactor, 0.02)

    async def addAccount(self, name: str, password: str = "") -> str:
        """
        Make an account with one app password.

        @param password: its account password, if it has one.
        @return: the app password.
        """
        hashed = hashChosen(password.encode(), 4) if password else None
        secret = makeAppPassword()
        await self.service.database.accounts.add(Account(name, hashed, created=time()))
        await self.service.database.appPasswords.add(
            AppPassword(f"of-{name}", name, "test", digestAppPassword(secret.encode()))
        )
        return secret

    async def issueToken(self, name: str) -> str:
        """
        A token of the built-in issuer.
        """
        database = self.service.database
        sealer = readKeyFile(self.directory / KEY_FILE).sealer(PURPOSE)
        keys = StoredKeys(database.signingKeys, database.revocations, sealer, reactor.seconds)
        issuer = AccessTokenIssuer("https://mail.localhost", "https://mail.localhost", keys.signer)
        issued = await issuer.issue(name, frozenset({MAIL_SCOPE}), "test", 900)
        return issued.token.decode("ascii")

    def inThread(self, call: Callable[..., T], *arguments: Any, **named: Any) -> Deferred[T]:
        """
        Do what blocks.
        """
        return deferToThread(call, *arguments, **named)

    async def connect(self, listener: str) -> Client:
        """
        A connection to one of the listeners with TLS.
        """
        port = self.service.ports[listener]
        greeted = listener != "https"
        client = await self.inThread(Client, port, self.directory, greeted=greeted)
        self.clients.append(client)
        return client

    async def fetch(self, path: str) -> tuple[int, bytes]:
        """
        Get something.
        """

        def get() -> tuple[int, bytes]:
            port = self.service.ports["https"]
            connection = HTTPSConnection("localhost", port, context=trust(self.directory))
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                return response.status, response.read()
            finally:
                connection.close()

        return await self.inThread(get)
