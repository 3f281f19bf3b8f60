"""
Tests of which domains the server has mail for.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailauth.coroutines import promptly
from mailauth.server.domains import Domains
from mailauth.stores.memory import MemoryAccounts, MemoryStores
from mailauth.stores.records import Account


class Counting:
    """
    Accounts that count how often they are listed.
    """

    def __init__(self, accounts: MemoryAccounts) -> None:
        self._accounts = accounts
        self.listed = 0
        self.waiting: Deferred[None] | None = None

    def list(self) -> Deferred[tuple[Account, ...]]:
        """
        See L{IAccounts.list}.
        """
        self.listed += 1
        found = self._accounts.list()
        if self.waiting is None:
            return found
        return self.waiting.addCallback(lambda result: found)


class DomainsTests(SynchronousTestCase):
    """
    L{Domains}.
    """

    def setUp(self) -> None:
        """
        Two accounts of one domain, and one without any.
        """
        self.stores = MemoryStores(lambda: 0.0, "https://id.example.test")
        self.accounts = Counting(self.stores.accounts)
        self.configured = ["example.org"]
        self.domains = Domains(
            lambda: self.configured,
            self.accounts,  # type: ignore[arg-type]  # no more than is asked
            self.stores.revocations,
        )
        for name in ("alice@example.test", "bob@example.test", "root"):
            self.add(name)

    def add(self, name: str) -> None:
        """
        Make an account.
        """
        self.successResultOf(self.stores.accounts.add(Account(name)))

    def known(self) -> frozenset[str]:
        """
        The answer.
        """
        return self.successResultOf(promptly(self.domains.known()))

    def test_known(self) -> None:
        """
        There are those of the configuration, as it is now, and those of the accounts.
        """
        self.assertEqual({"example.org", "example.test"}, self.known())

        self.configured = []
        self.assertEqual({"example.test"}, self.known())

    def test_fewQuestions(self) -> None:
        """
        Whoever asks costs the store nothing, nor does an account of a domain that is known.
        """
        self.known()
        self.add("carol@example.test")
        self.successResultOf(self.stores.accounts.disable("alice@example.test"))
        self.known()

        self.assertEqual(1, self.accounts.listed)

    def test_changes(self) -> None:
        """
        The first account of a domain brings it, and the last takes it along.
        """
        self.known()
        self.add("dave@example.net")
        self.assertIn("example.net", self.known())

        self.successResultOf(self.stores.accounts.remove("dave@example.net"))
        self.assertNotIn("example.net", self.known())

    def test_changedMeanwhile(self) -> None:
        """
        An account that came while the others were read is not forgotten.
        """
        self.accounts.waiting = Deferred()
        asked = promptly(self.domains.known())
        self.add("dave@example.net")
        waiting, self.accounts.waiting = self.accounts.waiting, None
        waiting.callback(None)
        self.successResultOf(asked)

        self.assertIn("example.net", self.known())
