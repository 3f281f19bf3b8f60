"""
Tests for L{mailauth.throttle}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import TooManyFailures
from mailauth.throttle import RateLimit, Throttle, ThrottleLimits

HOME, AWAY = "192.0.2.1", "198.51.100.7"


class ThrottleTests(SynchronousTestCase):
    """
    Failures by network and by account.
    """

    def setUp(self) -> None:
        """
        Allow few failures, so that few have to be made.
        """
        self.clock = Clock()
        self.throttle = self.makeThrottle()
        self.guesses = 0

    def makeThrottle(self, remembered: int = 1000) -> Throttle:
        """
        A throttle of 3 failures a minute by account, 6 by network and 2 at home.
        """
        limits = ThrottleLimits(account=3, network=6, known=2, remembered=remembered)
        return Throttle(self.clock.seconds, limits)

    def guess(self, network: str | None, account: str | None, times: int = 1) -> None:
        """
        Make another wrong guess, each time.
        """
        for _ in range(times):
            self.guesses += 1
            self.throttle.failed(network, account, b"guess %d" % self.guesses)

    def refuses(self, network: str | None, account: str | None) -> bool:
        """
        Whether the next attempt has to wait.
        """
        try:
            self.throttle.check(network, account)
        except TooManyFailures:
            return True
        return False

    def test_account(self) -> None:
        """
        An account is tried so often, from wherever, and no other one has to wait for that (PW7).
        """
        self.guess(HOME, "alice", 2)
        self.assertFalse(self.refuses(HOME, "alice"))
        self.guess(AWAY, "alice")

        self.assertTrue(self.refuses(HOME, "alice"))
        self.assertTrue(self.refuses("203.0.113.9", "alice"))
        self.assertTrue(self.refuses(None, "alice"))
        self.assertFalse(self.refuses(HOME, "bob"))
        self.assertFalse(self.refuses(HOME, None))

    def test_network(self) -> None:
        """
        A network tries so often, whatever the account, and no other one has to wait (PW7).
        """
        for number in range(6):
            self.assertFalse(self.refuses(HOME, "eve"))
            self.guess(HOME, f"account {number}")

        self.assertTrue(self.refuses(HOME, "eve"))
        self.assertTrue(self.refuses(HOME, None))
        self.assertFalse(self.refuses(AWAY, "eve"))

    def test_nameless(self) -> None:
        """
        What names no account counts for its network, and what comes from no network counts for
        its account.
        """
        self.guess(HOME, None, 6)
        self.assertTrue(self.refuses(HOME, None))
        self.guess(None, None, 100)
        self.assertFalse(self.refuses(None, None))
        self.guess(None, "alice", 3)
        self.assertTrue(self.refuses(None, "alice"))

    def test_delay(self) -> None:
        """
        Nobody is locked out: each budget lets one more attempt through after its share of a
        minute, and is full again after a minute (PW8).
        """
        self.guess(HOME, "alice", 100)

        self.clock.advance(19)
        self.assertTrue(self.refuses(AWAY, "alice"))
        self.clock.advance(2)
        self.assertFalse(self.refuses(AWAY, "alice"))
        self.guess(AWAY, "alice")
        self.assertTrue(self.refuses(AWAY, "alice"))
        self.clock.advance(60)
        self.guess(AWAY, "alice", 2)
        self.assertFalse(self.refuses(AWAY, "alice"))
        self.guess(AWAY, "alice")
        self.assertTrue(self.refuses(AWAY, "alice"))

    def test_neverMore(self) -> None:
        """
        However long nothing failed, there is no more than a minute's worth.
        """
        self.guess(HOME, "alice")
        self.clock.advance(10_000)

        self.guess(HOME, "alice", 3)
        self.assertTrue(self.refuses(HOME, "alice"))

    def test_home(self) -> None:
        """
        Where the account was opened from before, its owner waits neither for strangers who guess
        at it nor for his neighbours (PW8).
        """
        self.throttle.succeeded(HOME, "alice")
        self.guess(AWAY, "alice", 10)
        self.guess(HOME, "bob", 10)

        self.assertFalse(self.refuses(HOME, "alice"))
        self.assertTrue(self.refuses(AWAY, "alice"))
        self.assertTrue(self.refuses(HOME, "bob"))

    def test_homeHasABudget(self) -> None:
        """
        At home there are failures too, and they are nobody else's.
        """
        self.throttle.succeeded(HOME, "alice")
        self.guess(HOME, "alice", 10)

        self.assertTrue(self.refuses(HOME, "alice"))
        self.assertFalse(self.refuses(AWAY, "alice"))
        self.assertFalse(self.refuses(HOME, "bob"))
        self.clock.advance(31)
        self.assertFalse(self.refuses(HOME, "alice"))

    def test_knows(self) -> None:
        """
        An account is at home where it was opened, and nowhere else.
        """
        self.throttle.succeeded(HOME, "alice")

        self.assertTrue(self.throttle.knows(HOME, "alice"))
        self.assertFalse(self.throttle.knows(AWAY, "alice"))
        self.assertFalse(self.throttle.knows(HOME, "bob"))

    def test_repeats(self) -> None:
        """
        A mail client that repeats an old password guesses once, from wherever it does.
        """
        for network in (HOME, HOME, AWAY, None) * 25:
            self.throttle.failed(network, "alice", b"old")
        self.assertFalse(self.refuses(HOME, "alice"))

        self.guess(HOME, "alice", 2)
        self.assertTrue(self.refuses(HOME, "alice"))

    def test_spraying(self) -> None:
        """
        One password tried at many accounts is a guess at each (PW7).
        """
        for number in range(6):
            self.throttle.failed(AWAY, f"account {number}", b"123456")

        self.assertTrue(self.refuses(AWAY, None))

    def test_repeatedTokens(self) -> None:
        """
        A token names no account: repeating it counts once for each network.
        """
        for _ in range(100):
            self.throttle.failed(HOME, None, b"token")
        self.assertFalse(self.refuses(HOME, None))

        self.throttle.failed(AWAY, None, b"token")
        self.guess(AWAY, None, 5)
        self.assertTrue(self.refuses(AWAY, None))

    def test_takenBack(self) -> None:
        """
        What was counted before it was looked at, and was no guess, leaves no trace.
        """
        for account, network in (("alice", HOME), (None, HOME), ("alice", None)):
            for number in range(100):
                self.throttle.failed(network, account, b"%d" % number)()
            self.assertFalse(self.refuses(network, account))

        self.guess(AWAY, "alice", 2)
        for _ in range(2):
            takeBack = self.throttle.failed(AWAY, "alice", b"right")
            self.assertTrue(self.refuses(AWAY, "alice"))
            # Another connection of the same client.
            self.throttle.failed(AWAY, "alice", b"right")()
            self.assertTrue(self.refuses(AWAY, "alice"))
            takeBack()
            self.assertFalse(self.refuses(AWAY, "alice"))

    def test_takenBackAfterwards(self) -> None:
        """
        Where a budget has filled again, or is not remembered any more, there is nothing to give
        back.
        """
        takeBack = self.throttle.failed(HOME, "alice", b"right")
        self.clock.advance(60)
        takeBack()
        self.guess(HOME, "alice", 3)
        self.assertTrue(self.refuses(HOME, "alice"))

        self.throttle = self.makeThrottle(remembered=1)
        takeBack = self.throttle.failed(HOME, "alice", b"right")
        self.guess(HOME, "bob", 3)
        takeBack()
        self.assertTrue(self.refuses(HOME, "bob"))
        self.assertFalse(self.refuses(AWAY, "alice"))

    def test_checkNetwork(self) -> None:
        """
        What nobody can guess waits for the network's budget alone, and at home for none (PW8).
        """
        self.guess(None, "alice", 10)
        self.throttle.checkNetwork(HOME, "alice")
        self.throttle.checkNetwork(None, "alice")

        self.throttle.succeeded(HOME, "bob")
        self.guess(HOME, "alice", 6)
        self.guess(HOME, "bob", 2)
        for account in ("alice", None):
            self.assertRaises(TooManyFailures, self.throttle.checkNetwork, HOME, account)
        self.throttle.checkNetwork(HOME, "bob")

    def test_namesDoNotMeet(self) -> None:
        """
        An account that is called like a network is something else.
        """
        self.throttle.failed(None, AWAY, b"guess")
        for number in range(6):
            self.throttle.failed(AWAY, None, b"guess" if number == 0 else b"%d" % number)

        self.assertTrue(self.refuses(AWAY, None))
        self.assertFalse(self.refuses(None, AWAY))

    def test_bounded(self) -> None:
        """
        However many names are made up, only the last ones are kept (PW7).
        """
        self.throttle = self.makeThrottle(remembered=10)
        for number in range(100):
            self.guess(f"network {number}", f"account {number}", 2)
            self.throttle.succeeded(f"network {number}", f"home {number}")
            self.guess(f"network {number}", f"home {number}", 2)

        tables = [
            table
            for kept in vars(self.throttle).values()
            for table in (kept, *vars(kept).values())
            if isinstance(table, dict)
        ]
        self.assertEqual([len(table) for table in tables], [10] * 5)
        self.assertTrue(self.refuses("network 99", "home 99"))
        self.assertFalse(self.throttle.knows("network 89", "home 89"))

    def test_usedIsKept(self) -> None:
        """
        What is used again and again is kept.
        """
        self.throttle = self.makeThrottle(remembered=10)
        for number in range(100):
            self.throttle.succeeded(HOME, "alice")
            self.throttle.succeeded(AWAY, f"account {number}")
            self.guess(None, "bob", 1)
            self.guess(None, f"account {number}")

        self.assertTrue(self.throttle.knows(HOME, "alice"))
        self.assertTrue(self.refuses(None, "bob"))


class RateLimitTests(SynchronousTestCase):
    """
    What is no guess, and may be done so often.
    """

    def setUp(self) -> None:
        """
        Three times a minute.
        """
        self.clock = Clock()
        self.limit = RateLimit(self.clock.seconds, 3, remembered=10)

    def count(self, name: str | None) -> int:
        """
        How many of ten are allowed now.
        """
        return sum(self.limit.allows(name) for _ in range(10))

    def test_limit(self) -> None:
        """
        It may be done so often a minute, and again as time goes by; nobody waits for another.
        """
        self.assertEqual((self.count(HOME), self.count(AWAY)), (3, 3))
        self.clock.advance(19)
        self.assertEqual(self.count(HOME), 0)
        self.clock.advance(1)
        self.assertEqual(self.count(HOME), 1)
        self.clock.advance(3600)
        self.assertEqual(self.count(HOME), 3)

    def test_nobody(self) -> None:
        """
        What has no name is not limited.
        """
        self.assertEqual(self.count(None), 10)

    def test_bounded(self) -> None:
        """
        However many names are made up, only the last ones are kept (DS14).
        """
        self.assertEqual([self.count(f"network {number}") for number in range(100)], [3] * 100)

        self.assertEqual((self.count("network 99"), self.count("network 0")), (0, 3))
