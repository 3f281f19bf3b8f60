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
from mailauth.stores.cached import CachedAccounts
from mailauth.stores.memory import MemoryAccounts, MemoryRevocations, MemoryStores
from mailauth.stores.records import Account
from mailauth.testing.stores import ALICE, BOB, AccountsConformance, Stores


class CachedStores(MemoryStores):
    """
    Stores in memory whose accounts are asked through a cache.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
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
