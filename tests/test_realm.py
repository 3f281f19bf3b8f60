"""
Tests for L{mailauth.realm}.
"""

from __future__ import annotations

import gc
from typing import Any

from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface, implementer
from zope.interface.verify import verifyObject

from mailauth.checkers import BearerTokenChecker
from mailauth.credentials import AvatarId, BearerToken, LoginContext, accountTag
from mailauth.interfaces import IConnection
from mailauth.realm import MailRealm, RevocableRealm
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account
from mailauth.testing.issuer import MemoryIssuer

ALICE = "alice@example.test"
BOB = "bob@example.test"


class IReading(Interface):
    """
    One kind of avatar.
    """


class ISending(Interface):
    """
    Another one.
    """


@implementer(IConnection)
class Connection:
    """
    A connection that says how it was ended.
    """

    def __init__(self, error: Exception | None = None) -> None:
        self.ended: list[str] = []
        self._error = error

    def end(self, reason: str) -> None:
        """
        Note it.
        """
        self.ended.append(reason)
        if self._error is not None:
            raise self._error


class Avatars:
    """
    Makes avatars, at once or when told to.
    """

    def __init__(self, slow: bool = False) -> None:
        self.slow = slow
        self.loggedIn: list[str] = []
        self.loggedOut: list[str] = []
        self.making: list[tuple[Deferred[Any], AvatarId]] = []
        self.realm = MailRealm({IReading: self.make, ISending: lambda avatarId: ("sent", int)})

    def make(self, avatarId: AvatarId) -> Any:
        """
        Make one of C{IReading}.
        """
        if not self.slow:
            return self._made(avatarId)
        waiting: Deferred[Any] = Deferred()
        self.making.append((waiting, avatarId))
        return waiting

    def finish(self) -> None:
        """
        The first that is being made is ready.
        """
        waiting, avatarId = self.making.pop(0)
        waiting.callback(self._made(avatarId))

    def _made(self, avatarId: AvatarId) -> tuple[str, Any]:
        name = avatarId.account
        self.loggedIn.append(name)
        return f"avatar of {name}", lambda: self.loggedOut.append(name)


class MailRealmTests(SynchronousTestCase):
    """
    Avatars.
    """

    def test_interface(self) -> None:
        """
        It is a realm.
        """
        verifyObject(IRealm, MailRealm({}))

    def test_byInterface(self) -> None:
        """
        The first interface that has a maker decides what is made.
        """
        avatars = Avatars()

        interface, avatar, logout = avatars.realm.requestAvatar(
            AvatarId(ALICE), None, Interface, IReading, ISending
        )
        self.assertEqual((interface, avatar), (IReading, f"avatar of {ALICE}"))
        logout()
        self.assertEqual(avatars.loggedOut, [ALICE])
        interface, avatar, _ = avatars.realm.requestAvatar(AvatarId(ALICE), None, ISending)
        self.assertEqual((interface, avatar), (ISending, "sent"))

    def test_noInterface(self) -> None:
        """
        What nobody makes is not made.
        """
        with self.assertRaises(NotImplementedError):
            Avatars().realm.requestAvatar(AvatarId(ALICE), None, Interface)
        with self.assertRaises(NotImplementedError):
            Avatars().realm.requestAvatar(AvatarId(ALICE), None)

    def test_foreignAvatarId(self) -> None:
        """
        The octets that any other checker settles on are an account name.
        """
        made: list[AvatarId] = []

        def make(avatarId: AvatarId) -> Any:
            made.append(avatarId)
            return "avatar", int

        realm = MailRealm({IReading: make})

        realm.requestAvatar("älice".encode(), None, IReading)
        mine = AvatarId(ALICE, ["grant:1"], readOnly=True)
        realm.requestAvatar(mine, None, IReading)

        self.assertEqual(made[0].account, "älice")
        self.assertEqual(made[0].tags, {accountTag("älice")})
        self.assertIs(made[1], mine)

    def test_later(self) -> None:
        """
        An avatar may take its time.
        """
        avatars = Avatars(slow=True)
        requested = avatars.realm.requestAvatar(AvatarId(ALICE), None, IReading)
        self.assertNoResult(requested)

        avatars.finish()

        interface, avatar, logout = self.successResultOf(requested)
        self.assertEqual((interface, avatar), (IReading, f"avatar of {ALICE}"))
        self.assertEqual(avatars.loggedOut, [])
        logout()
        self.assertEqual(avatars.loggedOut, [ALICE])

    def test_notMade(self) -> None:
        """
        That it cannot be made is passed on.
        """
        realm = MailRealm({IReading: lambda avatarId: fail(OSError("no disk"))})

        self.failureResultOf(realm.requestAvatar(AvatarId(ALICE), None, IReading), OSError)

    def test_tooLate(self) -> None:
        """
        An avatar that comes after whoever wanted it has left is logged out, once (W15).
        """
        avatars = Avatars(slow=True)
        requested = avatars.realm.requestAvatar(AvatarId(ALICE), None, IReading)
        requested.cancel()
        self.failureResultOf(requested, CancelledError)
        self.assertEqual((avatars.loggedIn, avatars.loggedOut), ([], []))

        avatars.finish()

        self.assertEqual((avatars.loggedIn, avatars.loggedOut), ([ALICE], [ALICE]))

    def test_failedTooLate(self) -> None:
        """
        A fault that nobody waits for any more is nobody's, and one in logging out is logged (W15).
        """
        making: list[Deferred[Any]] = [Deferred(), Deferred()]
        realm = MailRealm({IReading: lambda avatarId: making[0]})
        requested = realm.requestAvatar(AvatarId(ALICE), None, IReading)
        requested.cancel()
        self.failureResultOf(requested, CancelledError)
        making.pop(0).errback(OSError("no disk"))
        gc.collect()
        self.assertEqual(self.flushLoggedErrors(), [])

        requested = realm.requestAvatar(AvatarId(ALICE), None, IReading)
        requested.cancel()
        self.failureResultOf(requested, CancelledError)
        making.pop(0).callback(("avatar", lambda: 1 / 0))
        gc.collect()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class RevocableRealmTests(SynchronousTestCase):
    """
    Which connection was opened by what.
    """

    def setUp(self) -> None:
        """
        Put it around avatars.
        """
        self.clock = Clock()
        self.stores = MemoryStores(self.clock.seconds)
        self.avatars = Avatars()
        self.realm = RevocableRealm(self.avatars.realm, self.stores.revocations)

    def enter(self, name: str = ALICE, *tags: str) -> tuple[Connection, Any]:
        """
        Let somebody in.

        @return: the connection, and the answer of the realm.
        """
        connection = Connection()
        answer = self.realm.requestAvatar(AvatarId(name, tags), connection, IReading)
        return connection, answer

    def revoke(self, *tags: str) -> None:
        """
        Revoke the tags.
        """
        self.successResultOf(self.stores.revocations.revoke(tags, "Revoked."))

    def open(self, *names: str) -> list[int]:
        """
        How many connections there are by account.
        """
        return [len(self.realm.connections([accountTag(name)])) for name in names]

    def test_interface(self) -> None:
        """
        It is a realm.
        """
        verifyObject(IRealm, self.realm)

    def test_avatar(self) -> None:
        """
        What the other realm makes is what is given.
        """
        _, (interface, avatar, logout) = self.enter()

        self.assertEqual((interface, avatar), (IReading, f"avatar of {ALICE}"))
        logout()
        self.assertEqual(self.avatars.loggedOut, [ALICE])

    def test_revoked(self) -> None:
        """
        A revocation ends the connections under its tag, and no others.
        """
        phone, _ = self.enter(ALICE, "app-password:1")
        laptop, _ = self.enter(ALICE, "app-password:2")
        other, _ = self.enter(BOB)

        self.revoke("app-password:1")
        self.assertEqual((phone.ended, laptop.ended, other.ended), (["Revoked."], [], []))
        self.revoke(accountTag(ALICE))
        self.assertEqual((laptop.ended, other.ended), (["Revoked."], []))

    def test_once(self) -> None:
        """
        One revocation of several tags ends a connection once.
        """
        connection, _ = self.enter(ALICE, "grant:1", "client:1")

        self.revoke("grant:1", accountTag(ALICE), "client:1")

        self.assertEqual(connection.ended, ["Revoked."])

    def test_touched(self) -> None:
        """
        A change that revokes nothing ends nothing.
        """
        connection, _ = self.enter()

        self.successResultOf(self.stores.revocations.touch([accountTag(ALICE)]))

        self.assertEqual(connection.ended, [])

    def test_logout(self) -> None:
        """
        Whoever has logged out is not ended any more, and nothing of him is kept.
        """
        first, (_, _, logout) = self.enter(ALICE, "grant:1")
        second, (_, _, logoutAgain) = self.enter(ALICE, "grant:1")
        self.assertEqual(self.open(ALICE), [2])

        logout()
        self.assertEqual(self.open(ALICE), [1])
        self.revoke("grant:1")
        self.assertEqual((first.ended, second.ended), ([], ["Revoked."]))
        logoutAgain()
        logoutAgain()
        self.assertEqual(vars(self.realm)["_open"], {})

    def test_raises(self) -> None:
        """
        A connection that cannot be ended keeps nobody else in.
        """
        connections = [Connection(OSError("gone")), Connection(), Connection(OSError("gone too"))]
        for connection in connections:
            self.realm.requestAvatar(AvatarId(ALICE), connection, IReading)

        self.revoke(accountTag(ALICE))

        self.assertEqual([each.ended for each in connections], [["Revoked."]] * 3)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)

    def test_endedInsideEnd(self) -> None:
        """
        A connection that logs out while it is being ended disturbs nobody.
        """
        logouts: list[Any] = []

        @implementer(IConnection)
        class Leaving(Connection):
            """
            Logs everybody out.
            """

            def end(self, reason: str) -> None:
                """
                See L{IConnection.end}.
                """
                super().end(reason)
                for logout in logouts:
                    logout()

        connections = [Leaving(), Leaving()]
        for connection in connections:
            _, _, logout = self.realm.requestAvatar(AvatarId(ALICE), connection, IReading)
            logouts.append(logout)

        self.revoke(accountTag(ALICE))

        self.assertEqual([each.ended for each in connections], [["Revoked."]] * 2)
        self.assertEqual(self.open(ALICE), [0])

    def test_whileMaking(self) -> None:
        """
        A revocation that comes while the avatar is being made ends the connection too.
        """
        self.avatars.slow = True
        connection, requested = self.enter()

        self.revoke(accountTag(ALICE))
        self.assertEqual(connection.ended, ["Revoked."])

        self.avatars.finish()
        _, _, logout = self.successResultOf(requested)
        self.assertEqual(self.open(ALICE), [1])
        logout()
        self.assertEqual(self.open(ALICE), [0])

    def test_leftWhileMaking(self) -> None:
        """
        Whoever leaves while his avatar is being made is struck at once, and the avatar is logged
        out when it comes (W15).
        """
        self.avatars.slow = True
        connection, requested = self.enter()
        self.assertEqual(self.open(ALICE), [1])

        requested.cancel()
        self.failureResultOf(requested, CancelledError)
        self.assertEqual(self.open(ALICE), [0])
        self.avatars.finish()

        self.assertEqual(self.avatars.loggedOut, [ALICE])
        self.revoke(accountTag(ALICE))
        self.assertEqual(connection.ended, [])

    def test_notMade(self) -> None:
        """
        A connection whose avatar cannot be made, now or later, is struck.
        """

        def raising(avatarId: AvatarId) -> Any:
            raise OSError("no disk")

        for make in (raising, lambda avatarId: fail(OSError("no disk"))):
            self.realm = RevocableRealm(MailRealm({IReading: make}), self.stores.revocations)
            try:
                _, requested = self.enter()
            except OSError:
                pass
            else:
                self.failureResultOf(requested, OSError)
            self.assertEqual(self.open(ALICE), [0])

    def test_noConnection(self) -> None:
        """
        A mind that cannot be ended gets its avatar, and is not kept.
        """
        for mind in (None, object()):
            interface, _, logout = self.realm.requestAvatar(AvatarId(ALICE), mind, IReading)
            self.assertIs(interface, IReading)
            self.assertEqual(self.open(ALICE), [0])
            logout()
        self.assertEqual(self.avatars.loggedOut, [ALICE, ALICE])

    def test_foreignAvatarId(self) -> None:
        """
        Whoever another checker let in is known by his account alone.
        """
        connection = Connection()
        self.realm.requestAvatar(ALICE.encode(), connection, IReading)
        odd = Connection()
        RevocableRealm(AnyRealm(), self.stores.revocations).requestAvatar(b"\xff", odd, IReading)

        self.revoke(accountTag(ALICE))
        self.assertEqual((connection.ended, odd.ended), (["Revoked."], []))

    def test_who(self) -> None:
        """
        It can be asked who is in, where and by what.
        """
        connection, _ = self.enter(ALICE, "grant:1")

        (opened,) = self.realm.connections(["grant:1"])

        self.assertEqual((opened.avatarId, opened.connection), (ALICE.encode(), connection))
        self.assertEqual(opened.tags, {accountTag(ALICE), "grant:1"})
        other, _ = self.enter(BOB)
        self.assertEqual([each.connection for each in self.realm.all()], [connection, other])

    def test_throughThePortal(self) -> None:
        """
        Disabling an account ends what its token opened, and keeps it from opening it again.
        """
        issuer = MemoryIssuer(now=self.clock.seconds)
        self.successResultOf(self.stores.accounts.add(Account(ALICE)))
        checker = BearerTokenChecker(
            issuer.validator(),
            self.stores.accounts,
            self.stores.revocations,
            now=self.clock.seconds,
        )
        portal = Portal(self.realm, [checker])
        token, connection = issuer.issue(ALICE), Connection()

        def login() -> Any:
            credentials = BearerToken(token, None, LoginContext("imap"))
            return portal.login(credentials, connection, IReading)

        self.successResultOf(login())
        self.successResultOf(self.stores.accounts.disable(ALICE))
        self.assertEqual(connection.ended, ["This account was disabled."])
        self.failureResultOf(login())


@implementer(IRealm)
class AnyRealm:
    """
    A realm of somebody else's.
    """

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        """
        Make something, later.
        """
        return succeed((interfaces[0], object(), int))
