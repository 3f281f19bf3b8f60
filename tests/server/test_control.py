"""
Tests of what the command asks the running service.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

import attrs
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import Interface, implementer

from mailauth.credentials import AvatarId, LoginContext
from mailauth.interfaces import IConnection
from mailauth.realm import MailRealm, RevocableRealm
from mailauth.server.control import (
    MAX_PATH,
    SOCKET,
    Control,
    ControlFactory,
    NotRunning,
    OpenConnections,
    ask,
)
from mailauth.stores.memory import MemoryRevocations

ALICE, BOB = "alice@example.test", "bob@example.test"
STARTED = 1_800_000_000.0
CAME = STARTED + 60


@implementer(IConnection)
@attrs.define(eq=False)
class Mind:
    """
    A connection that notes why it ended.
    """

    service: str
    ended: str | None = None

    def loginContext(self) -> LoginContext:
        """
        Where it comes from.
        """
        return LoginContext(self.service, "192.0.2.1", True, "a mail program")

    def end(self, reason: str) -> None:
        """
        See L{IConnection.end}.
        """
        self.ended = reason


def nothing() -> None:
    """
    A logout.
    """


def makeRealm() -> tuple[RevocableRealm, Mind, Mind]:
    """
    A realm in which Alice and Bob are.
    """
    realm = RevocableRealm(
        MailRealm({Interface: lambda avatarId: (avatarId, nothing)}),
        MemoryRevocations(),
        lambda: CAME,
    )
    alice, bob = Mind("imap"), Mind("pop3")
    realm.requestAvatar(AvatarId(ALICE, credential="app password 'phone'"), alice, Interface)
    realm.requestAvatar(AvatarId(BOB), bob, Interface)
    return realm, alice, bob


class OpenConnectionsTests(SynchronousTestCase):
    """
    What is answered.
    """

    def setUp(self) -> None:
        """
        Alice and Bob are in.
        """
        self.realm, self.alice, self.bob = makeRealm()
        self.connections = OpenConnections(self.realm, STARTED)

    def test_list(self) -> None:
        """
        Everybody who is in is listed, with where from and by which program, and keeps his id.
        """
        first = self.connections.answer({"list": True})

        self.assertEqual(
            first[0],
            {
                "identifier": "connection-1",
                "account": ALICE,
                "service": "imap",
                "address": "192.0.2.1",
                "program": "a mail program",
                "credential": "app password 'phone'",
                "since": CAME,
            },
        )
        self.assertEqual([each["account"] for each in first], [ALICE, BOB])
        self.assertEqual(self.connections.answer({"list": True}), first)

    def test_end(self) -> None:
        """
        One connection is ended by its id, and no other.
        """
        ids = [each["identifier"] for each in self.connections.answer({"list": True})]

        self.assertTrue(self.connections.answer({"end": ids[1], "reason": "Enough."}))

        self.assertEqual("Enough.", self.bob.ended)
        self.assertIsNone(self.alice.ended)
        # That the client has not heard of it yet makes no difference.
        self.assertEqual([ALICE], [each.account for each in self.connections.list()])
        self.assertFalse(self.connections.answer({"end": ids[1], "reason": "Enough."}))
        self.assertFalse(self.connections.answer({"end": "connection-99", "reason": "Enough."}))

    def test_strange(self) -> None:
        """
        What is no question ends the connection.
        """
        for line in (b"list", b"[]", b"\xff", b"1"):
            protocol = ControlFactory(self.connections).buildProtocol(None)
            transport = StringTransport()
            protocol.makeConnection(transport)

            protocol.dataReceived(line + b"\n")

            self.assertTrue(transport.disconnecting, line)


class ControlTests(TestCase):
    """
    The socket.
    """

    def setUp(self) -> None:
        """
        A directory whose name is short enough, and the service.
        """
        self.directory = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)
        self.realm, self.alice, _ = makeRealm()
        self.control = self.make(self.directory)

    def make(self, directory: Path) -> Control:
        """
        The socket's service, which stops at the end of the test.
        """
        unix: Any = reactor
        control = Control(unix, directory, OpenConnections(self.realm, STARTED))
        control.startService()
        self.addCleanup(control.stopService)
        return control

    def ask(self, question: dict[str, Any]) -> Deferred[Any]:
        """
        Ask as the command does.
        """
        return deferToThread(ask, self.directory, question)

    async def _asked(self) -> None:
        self.assertRaises(NotRunning, ask, self.directory, {"list": True})
        self.control.listen()

        listed = await self.ask({"list": True})

        self.assertEqual([each["account"] for each in listed], [ALICE, BOB])
        self.assertTrue(await self.ask({"end": listed[0]["identifier"], "reason": "Enough."}))
        self.assertIsNotNone(self.alice.ended)
        mode = (self.directory / SOCKET).stat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(mode & 0o077, 0)

    def test_asked(self) -> Deferred[None]:
        """
        While the service runs the command is answered at a socket that is for its user alone.
        """
        return Deferred.fromCoroutine(self._asked())

    def test_tooLong(self) -> None:
        """
        In a directory whose name is too long for a socket the service runs all the same.
        """
        directory = self.directory / ("x" * MAX_PATH)
        directory.mkdir()

        self.make(directory).listen()

        self.assertEqual(list(directory.iterdir()), [])

    def test_twice(self) -> None:
        """
        A second service in the directory runs without one.
        """
        self.control.listen()

        self.make(self.directory).listen()

        self.assertTrue((self.directory / SOCKET).is_socket())
