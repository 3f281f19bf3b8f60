"""
How the C{mailauth} command asks the running service what only the service knows: who is connected.
Owns the socket at which they meet. It lies in the data directory, which is for the service's user
alone, and so whoever gets there may ask.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import attrs
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorUNIX
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver

from ..realm import OpenConnection, RevocableRealm
from .actions.access import Connection

SOCKET = "control"

MAX_PATH = 100
"""
How long the path of a socket may be: the kernel has room for no more.
"""

PATIENCE = 5.0
"""
How many seconds the command waits for an answer.
"""

_log = Logger()


class OpenConnections:
    """
    Who is connected, each by a number that nobody else has had since the start.
    """

    def __init__(self, realm: RevocableRealm, started: float) -> None:
        """
        @param started: since when the service runs, in seconds since the epoch.
        """
        self._realm = realm
        self._started = started
        self._next = count(1)
        self._numbers: WeakKeyDictionary[OpenConnection, str] = WeakKeyDictionary()

    def list(self) -> list[Connection]:
        """
        See L{Connections.list<mailauth.server.actions.access.Connections.list>}.
        """
        return [self._describe(opened) for opened in self._realm.all()]

    def end(self, identifier: str, reason: str) -> bool:
        """
        See L{Connections.end<mailauth.server.actions.access.Connections.end>}.
        """
        for opened in self._realm.all():
            if self._numberOf(opened) == identifier:
                opened.end(reason)
                return True
        return False

    def since(self) -> float:
        """
        See L{Connections.since<mailauth.server.actions.access.Connections.since>}.
        """
        return self._started

    def answer(self, question: Mapping[str, Any]) -> Any:
        """
        @param question: C{{"list": true}}, C{{"end": id, "reason": sentence}} or
            C{{"since": true}}.
        @return: what JSON can write.
        """
        if "end" in question:
            return self.end(question["end"], str(question.get("reason")))
        if "since" in question:
            return self.since()
        return [attrs.asdict(each) for each in self.list()]

    def _numberOf(self, opened: OpenConnection) -> str:
        number = self._numbers.get(opened)
        if number is None:
            number = self._numbers[opened] = f"connection-{next(self._next)}"
        return number

    def _describe(self, opened: OpenConnection) -> Connection:
        connection: Any = opened.connection
        context = connection.loginContext()
        return Connection(
            self._numberOf(opened),
            opened.avatarId.decode("utf-8"),
            context.service,
            context.peer,
            context.mailClient,
            getattr(opened.avatarId, "credential", ""),
            opened.since,
        )


class ControlProtocol(LineOnlyReceiver):
    """
    A question a line, an answer a line, both in JSON.
    """

    delimiter = b"\n"
    factory: ControlFactory
    transport: Any

    def lineReceived(self, line: bytes) -> None:
        """
        Answer.
        """
        try:
            question = json.loads(line)
        except ValueError:
            question = None
        if not isinstance(question, dict):
            self.transport.loseConnection()
            return
        self.sendLine(json.dumps(self.factory.connections.answer(question)).encode("ascii"))


class ControlFactory(ServerFactory):
    """
    Makes the connections.
    """

    noisy = False

    def __init__(self, connections: OpenConnections) -> None:
        self.connections = connections

    def buildProtocol(self, address: IAddress | None) -> Any:
        """
        See L{IProtocolFactory<twisted.internet.interfaces.IProtocolFactory>}.
        """
        protocol = ControlProtocol()
        protocol.factory = self
        return protocol


class Control(Service):
    """
    The socket, while the service runs.
    """

    _port: IListeningPort | None = None

    def __init__(
        self, reactor: IReactorUNIX, directory: Path, connections: OpenConnections
    ) -> None:
        """
        @param directory: where the socket is.
        """
        self._reactor = reactor
        self._path = directory / SOCKET
        self._factory = ControlFactory(connections)

    def listen(self) -> None:
        """
        Begin to listen. Nothing depends on it but the command, so what goes wrong is only said.
        """
        path = str(self._path)
        if len(path) > MAX_PATH:
            _log.warn("no control socket: {path} is too long a name for one", path=path)
            return
        try:
            self._port = self._reactor.listenUNIX(path, self._factory, mode=0o600, wantPID=True)
        except Exception as error:
            _log.warn("no control socket: {reason}", reason=str(error))

    def stopService(self) -> Deferred[Any] | None:
        """
        See L{IService.stopService<twisted.application.service.IService.stopService>}.
        """
        super().stopService()
        port, self._port = self._port, None
        return None if port is None else maybeDeferred(port.stopListening)


class NotRunning(Exception):
    """
    No service answers.
    """


@attrs.frozen
class ConnectionsOfService:
    """
    Those of a service in another process, if one runs. Asking blocks.

    @ivar directory: its data directory.
    """

    directory: Path

    def list(self) -> list[Connection]:
        """
        See L{Connections.list<mailauth.server.actions.access.Connections.list>}.
        """
        return [Connection(**each) for each in self._ask({"list": True}) or ()]

    def end(self, identifier: str, reason: str) -> bool:
        """
        See L{Connections.end<mailauth.server.actions.access.Connections.end>}.
        """
        return bool(self._ask({"end": identifier, "reason": reason}))

    def since(self) -> float | None:
        """
        See L{Connections.since<mailauth.server.actions.access.Connections.since>}.
        """
        started: float | None = self._ask({"since": True})
        return started

    def _ask(self, question: Mapping[str, Any]) -> Any:
        """
        @return: C{None} if nothing runs: nobody is connected to it.
        """
        try:
            return ask(self.directory, question)
        except NotRunning:
            return None


def ask(directory: Path, question: Mapping[str, Any]) -> Any:
    """
    Ask the service of that directory, and wait for the answer.

    @raise NotRunning: there is none.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(directory / SOCKET))
            connection.sendall(json.dumps(question).encode("ascii") + b"\n")
            answer = connection.makefile("rb").readline()
        return json.loads(answer)
    except (OSError, ValueError):
        raise NotRunning from None
