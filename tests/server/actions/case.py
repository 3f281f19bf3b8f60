"""
An administration in memory, and what it does to whom.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import attrs
from twisted.internet.defer import Deferred, execute, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface, implementer

from mailauth.credentials import AvatarId, LoginContext
from mailauth.errors import Outage
from mailauth.interfaces import IConnection
from mailauth.passwords import hashChosen
from mailauth.realm import MailRealm, RevocableRealm
from mailauth.server.administration import Administration, makeAdministration
from mailauth.server.clients import Clients
from mailauth.server.control import OpenConnections
from mailauth.server.sealing import KEY_OCTETS, ServerSecret
from mailauth.stores.events import ACCOUNT_SITE, ADMIN_SITE, Actor, Event, EventSearch
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account
from mailauth.testing.stores import NOW

T = TypeVar("T")

ISSUER = "https://mail.example.test"
ALICE, BOB = "alice@example.test", "bob@example.test"
OWNER = Actor(ALICE, ACCOUNT_SITE, "192.0.2.1")
ADMINISTRATOR = Actor(BOB, ADMIN_SITE, "192.0.2.2")


class DownEvents:
    """
    Events that cannot be kept.
    """

    def add(self, event: Event) -> Deferred[None]:
        """
        See L{IEvents.add<mailauth.interfaces.IEvents.add>}.
        """
        return fail(Outage("no store"))


class Failing:
    """
    A store of which one method fails while it is down.

    @ivar down: it is.
    """

    def __init__(self, store: Any, method: str) -> None:
        self._store = store
        self._method = method
        self.down = True

    def __getattr__(self, name: str) -> Any:
        if self.down and name == self._method:
            return lambda *arguments: fail(Outage("no store"))
        return getattr(self._store, name)


@implementer(IConnection)
@attrs.define(eq=False)
class Mind:
    """
    A connection that notes why it ended.
    """

    ended: str | None = None

    def loginContext(self) -> LoginContext:
        """
        Where it comes from.
        """
        return LoginContext("imap", "192.0.2.3", True, "a mail program")

    def end(self, reason: str) -> None:
        """
        See L{IConnection.end<mailauth.interfaces.IConnection.end>}.
        """
        self.ended = reason


def _nothing() -> None:
    """
    A logout.
    """


class AdministrationCase(SynchronousTestCase):
    """
    Two accounts, and whatever can be done with them.

    @ivar delivered: the messages, each with whose mailbox it is in.
    @ivar diskError: the disk cannot be written.
    """

    def setUp(self) -> None:
        """
        Make it.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        self.stores = MemoryStores(self.clock.seconds, ISSUER)
        self.realm = RevocableRealm(
            MailRealm({Interface: lambda avatarId: (avatarId, _nothing)}),
            self.stores.revocations,
            self.clock.seconds,
        )
        self.delivered: list[tuple[str, str]] = []
        self.diskError: OSError | None = None
        self.administration = self.make()
        for name in (ALICE, BOB):
            self.got(self.stores.accounts.add(Account(name, created=NOW)))

    def make(self, **stores: Any) -> Administration:
        """
        An administration of these stores.

        @param stores: others in the place of these.
        """
        secret = ServerSecret(bytes(KEY_OCTETS))
        configuration = SimpleNamespace(
            issuer=ISSUER,
            hostname="mail.example.test",
            defaultDomain="example.test",
            accountPage=f"{ISSUER}/account/",
        )
        clients = Clients(
            self.stores.clients,
            self.stores.revocations,
            ISSUER,
            secret.sealer("client-ids"),
            now=self.clock.seconds,
        )
        return makeAdministration(
            cast(Any, configuration),
            cast(Any, SimpleNamespace(**{**vars(self.stores), **stores})),
            secret,
            clients,
            [],
            OpenConnections(self.realm, NOW - 60.0),
            lambda password: execute(hashChosen, password, 4),
            self._deliver,
            lambda: NOW + 86400.0,
            self.clock.seconds,
            self.clock.seconds,
        )

    def _deliver(self, account: str, message: bytes) -> Deferred[None]:
        if self.diskError is not None:
            return fail(self.diskError)
        self.delivered.append((account, message.decode("utf-8")))
        return succeed(None)

    def connect(self, account: str) -> Mind:
        """
        Somebody logs in.
        """
        mind = Mind()
        self.realm.requestAvatar(
            AvatarId(account, credential="app password 'phone'"), mind, Interface
        )
        return mind

    def got(self, answer: Awaitable[T]) -> T:
        """
        What an action answers.
        """

        async def wait() -> T:
            return await answer

        result: T = self.successResultOf(Deferred.fromCoroutine(wait()))
        return result

    def refused(self, error: type[Exception], answer: Awaitable[object]) -> str:
        """
        What an action says that cannot be done.
        """

        async def wait() -> None:
            await answer

        failure = self.failureResultOf(Deferred.fromCoroutine(wait()), error)
        return str(failure.value)

    def events(self) -> list[tuple[str, Actor, str | None, str]]:
        """
        What happened, the first first.
        """
        found = self.got(self.stores.events.find(EventSearch(), 100))
        return [(str(event.kind), event.actor, event.account, event.text) for event in found[::-1]]

    def kinds(self) -> list[str]:
        """
        What kinds of things happened, the first first.
        """
        return [kind for kind, *_ in self.events()]

    def revokedReasons(self) -> Callable[[], list[str]]:
        """
        @return: says why something was revoked since.
        """
        heard: list[str] = []

        def hear(tags: frozenset[str], reason: str | None) -> None:
            if reason is not None:
                heard.append(reason)

        self.stores.revocations.subscribe(hear)
        return lambda: heard
