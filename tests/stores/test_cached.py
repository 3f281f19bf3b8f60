"""
Tests for L{mailauth.stores.cached}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from mailauth.interfaces import IAccounts
from mailauth.stores.cached import CachedAccounts, CachedIdentities
from mailauth.stores.memory import MemoryAccounts, MemoryRevocations, MemoryStores
from mailauth.stores.memoryidentities import MemoryIdentities
from mailauth.stores.records import Account, Identity
from mailauth.testing.stores import (
    ALICE,
    BOB,
    NOW,
    AccountsConformance,
    IdentitiesConformance,
    Stores,
)


class CachedStores(MemoryStores):
    """
    Stores in memory whose accounts and identities are asked through a cache.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.identities: Any = CachedIdentities(self.identities, self.revocations)
        self.accounts: Any = CachedAccounts(self.accounts, self.revocations)


class CachedAccountsConformanceTests(AccountsConformance, TestCase):
    """
    A cache is as good as what it caches.
    """

    def makeStores(self, now: Callable[[], float]) -> Deferred[Stores]:
        """
        New ones each time.
        """
        return succeed(CachedStores(now))


class CachedIdentitiesConformanceTests(IdentitiesConformance, TestCase):
    """
    So here.
    """

    def makeStores(self, now: Callable[[], float]) -> Deferred[Stores]:
        """
        New ones each time.
        """
        return succeed(CachedStores(now))


@implementer(IAccounts)
class SlowAccounts(MemoryAccounts):
    """
    Accounts that answer with what they saw, but only when told to.

    @ivar asked: the names, in the order in which they were asked for.
    """

    def __init__(self, revocations: MemoryRevocations) -> None:
        super().__init__(revocations)
        self.asked: list[str] = []
        self.pending: list[tuple[Deferred[Account | None], Account | None]] = []

    def get(self, name: str) -> Deferred[Account | None]:
        """
        Look now, answer later.
        """
        self.asked.append(name)
        answer: Deferred[Account | None] = Deferred()
        super().get(name).addCallback(lambda seen: self.pending.append((answer, seen)))
        return answer

    def answer(self) -> None:
        """
        Answer what was asked.
        """
        while self.pending:
            answer, seen = self.pending.pop(0)
            answer.callback(seen)


class CachedAccountsTests(SynchronousTestCase):
    """
    L{CachedAccounts}.
    """

    def setUp(self) -> None:
        self.revocations = MemoryRevocations()
        self.slow = SlowAccounts(self.revocations)
        self.cached = CachedAccounts(self.slow, self.revocations, limit=2)
        self.successResultOf(self.slow.add(ALICE))
        self.successResultOf(self.slow.add(BOB))

    def fetch(self, name: str) -> Account | None:
        """
        Ask, and have it answered if it was passed on.
        """
        got = self.cached.get(name)
        self.slow.answer()
        return self.successResultOf(got)

    def test_remembered(self) -> None:
        """
        The second time nobody is asked, and the answer is there at once.
        """
        self.assertIsNone(self.cached.peek(ALICE.name))
        self.fetch(ALICE.name)

        self.assertEqual(ALICE, self.successResultOf(self.cached.get(ALICE.name)))
        self.assertEqual(ALICE, self.cached.peek(ALICE.name))
        self.assertEqual([ALICE.name], self.slow.asked)

    def test_absentNotRemembered(self) -> None:
        """
        That there is no such account is asked each time.
        """
        self.assertIsNone(self.fetch("nobody"))
        self.assertIsNone(self.fetch("nobody"))

        self.assertEqual(["nobody", "nobody"], self.slow.asked)

    def test_droppedWhenRevoked(self) -> None:
        """
        What is revoked is asked anew; what is not stays remembered (CS2).
        """
        self.fetch(ALICE.name)
        self.fetch(BOB.name)

        self.successResultOf(self.cached.disable(ALICE.name))

        self.assertIsNone(self.cached.peek(ALICE.name))
        self.assertEqual(BOB, self.cached.peek(BOB.name))
        fetched = self.fetch(ALICE.name)
        assert fetched is not None
        self.assertFalse(fetched.enabled)

    def test_droppedWhenTouched(self) -> None:
        """
        What is only touched is asked anew as well.
        """
        self.fetch(ALICE.name)

        self.successResultOf(self.cached.setPasswordRule(ALICE.name, "web"))

        fetched = self.fetch(ALICE.name)
        assert fetched is not None
        self.assertEqual("web", fetched.passwordRule)

    def test_droppedOnTheWay(self) -> None:
        """
        An answer of before the change is passed on, for it was asked before, and is not
        remembered (CS2).
        """
        got = self.cached.get(ALICE.name)
        self.successResultOf(self.cached.disable(ALICE.name))
        self.slow.answer()

        self.assertEqual(ALICE, self.successResultOf(got))
        self.assertIsNone(self.cached.peek(ALICE.name))

    def test_limit(self) -> None:
        """
        The longest unused goes when there are too many.
        """
        self.successResultOf(self.slow.add(Account("carol")))
        self.fetch(ALICE.name)
        self.fetch(BOB.name)
        self.fetch(ALICE.name)

        self.fetch("carol")

        self.assertIsNone(self.cached.peek(BOB.name))
        self.assertEqual(ALICE, self.cached.peek(ALICE.name))
        self.assertEqual("carol", getattr(self.cached.peek("carol"), "name", None))


class CountedIdentities(MemoryIdentities):
    """
    Identities that answer with what they saw, but only when told to.

    @ivar asked: the subjects, in the order in which they were asked for.
    """

    def __init__(self, revocations: MemoryRevocations, accounts: MemoryAccounts) -> None:
        super().__init__(revocations, accounts)
        self.asked: list[str] = []
        self.pending: list[tuple[Deferred[str | None], Deferred[str | None]]] = []

    def resolve(
        self, issuer: str, subject: str, account: str | None, now: float, create: bool
    ) -> Deferred[str | None]:
        """
        Look now, answer later.
        """
        self.asked.append(subject)
        answer: Deferred[str | None] = Deferred()
        self.pending.append((super().resolve(issuer, subject, account, now, create), answer))
        return answer

    def answer(self) -> None:
        """
        Answer what was asked.
        """
        while self.pending:
            seen, answer = self.pending.pop(0)
            seen.chainDeferred(answer)


class CachedIdentitiesTests(SynchronousTestCase):
    """
    L{CachedIdentities}.
    """

    issuer = "https://idp.example"

    def setUp(self) -> None:
        self.revocations = MemoryRevocations()
        self.accounts = MemoryAccounts(self.revocations)
        self.slow = CountedIdentities(self.revocations, self.accounts)
        self.cached = CachedIdentities(self.slow, self.revocations)
        self.successResultOf(self.accounts.add(ALICE))
        self.successResultOf(self.accounts.add(BOB))

    def resolve(self, subject: str, account: str | None = None) -> str | None:
        """
        Ask, and have it answered if it was passed on.
        """
        resolving = self.cached.resolve(self.issuer, subject, account, NOW, False)
        self.slow.answer()
        return self.successResultOf(resolving)

    def test_remembered(self) -> None:
        """
        The second time nobody is asked; who is nobody is asked for each time.
        """
        self.assertIsNone(self.resolve("1"))
        for _ in range(2):
            self.assertEqual(ALICE.name, self.resolve("1", ALICE.name))
            self.assertEqual(ALICE.name, self.resolve("1"))

        self.assertEqual(["1", "1"], self.slow.asked)

    def test_dropped(self) -> None:
        """
        What is unlinked or linked otherwise, or whose account has changed, is asked for anew; what
        is not stays remembered (CS2).
        """
        changes: tuple[Callable[[], Deferred[None]], ...] = (
            lambda: self.cached.unlink(self.issuer, "1"),
            lambda: self.cached.link(Identity(self.issuer, "3", ALICE.name)),
            lambda: self.accounts.disable(ALICE.name),
            lambda: self.accounts.setPasswordRule(ALICE.name, "web"),
        )
        self.resolve("2", BOB.name)
        for change in changes:
            self.successResultOf(self.cached.link(Identity(self.issuer, "1", ALICE.name)))
            self.assertEqual(ALICE.name, self.resolve("1"))
            self.slow.asked.clear()

            self.successResultOf(change())

            self.resolve("1")
            self.assertEqual(BOB.name, self.resolve("2"))
            self.assertEqual(["1"], self.slow.asked)

    def test_droppedOnTheWay(self) -> None:
        """
        An answer of before the change is not remembered (CS2).
        """
        resolving = self.cached.resolve(self.issuer, "1", ALICE.name, NOW, False)
        self.successResultOf(self.cached.unlink(self.issuer, "1"))
        self.slow.answer()

        self.assertEqual(ALICE.name, self.successResultOf(resolving))
        self.assertIsNone(self.resolve("1"))
