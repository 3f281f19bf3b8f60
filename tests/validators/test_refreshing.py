"""
Tests for L{mailauth.validators.refreshing}.
"""

from __future__ import annotations

import gc

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import Outage
from mailauth.validators.refreshing import (
    AHEAD,
    MAX_BACKOFF,
    MAX_LIFETIME,
    MIN_LIFETIME,
    STALE,
    USUAL_LIFETIME,
    Kept,
    Refreshing,
)


class RefreshingTests(SynchronousTestCase):
    """
    L{Refreshing}.
    """

    def setUp(self) -> None:
        """
        Nothing was fetched.
        """
        self.clock = Clock()
        self.fetches: list[Deferred[tuple[str, float | None]]] = []
        self.refreshing = Refreshing("the thing", self.fetch, self.clock.seconds)

    async def fetch(self) -> tuple[str, float | None]:
        """
        Wait until somebody answers.
        """
        fetched: Deferred[tuple[str, float | None]] = Deferred()
        self.fetches.append(fetched)
        return await fetched

    def says(self, value: str, age: float | None = None) -> None:
        """
        The fetch that is under way succeeds.
        """
        self.fetches[-1].callback((value, age))

    def fails(self) -> None:
        """
        It fails.
        """
        self.fetches[-1].errback(Outage("down"))

    def begin(self, value: str, age: float | None = None) -> None:
        """
        Fetch for the first time.
        """
        getting = self.refreshing.get()
        self.says(value, age)
        self.assertEqual(self.value(getting), value)

    def value(self, getting: Deferred[Kept[str]]) -> str:
        """
        What was waited for.
        """
        return self.successResultOf(getting).value

    def assertGets(self, value: str, fetches: int) -> None:
        """
        Somebody gets it at once, and so many fetches were made by now.
        """
        self.assertEqual(self.value(self.refreshing.get()), value)
        self.assertEqual(len(self.fetches), fetches)

    def test_singleFlight(self) -> None:
        """
        A hundred who need it at the same time wait for one fetch, whatever comes of it (O 24).
        """
        waiting = [self.refreshing.get() for _ in range(100)]
        self.assertEqual(len(self.fetches), 1)
        self.fails()
        for each in waiting:
            self.failureResultOf(each, Outage)

        self.clock.advance(1)
        waiting = [self.refreshing.get() for _ in range(100)]
        self.assertEqual(len(self.fetches), 2)
        self.says("a")
        self.assertEqual({self.value(each) for each in waiting}, {"a"})

    def test_age(self) -> None:
        """
        How old it is counts from when it was asked for, and a failure makes it no younger.
        """
        self.assertIsNone(self.refreshing.age())
        getting = self.refreshing.get()
        self.clock.advance(2)
        self.says("a", 100)
        self.value(getting)
        self.assertEqual(self.refreshing.age(), 2)

        self.clock.advance(90)
        self.value(self.refreshing.get())
        self.fails()
        self.assertEqual(self.refreshing.age(), 92)

    def test_cancelled(self) -> None:
        """
        Whoever gives up, the first or another, leaves the fetch to the others, and if all do, it is
        kept all the same (O 25).
        """
        waiting = [self.refreshing.get() for _ in range(3)]
        for left in waiting[:2]:
            left.cancel()
            self.failureResultOf(left, CancelledError)
        self.says("a", 100)
        self.assertEqual(self.value(waiting[2]), "a")

        self.clock.advance(100)
        last = self.refreshing.get()
        last.cancel()
        self.failureResultOf(last, CancelledError)
        self.says("b")
        self.assertGets("b", 2)

    def test_nobodyWaits(self) -> None:
        """
        A failure that nobody waits for is one line of the log, not a traceback.
        """
        last = self.refreshing.get()
        last.cancel()
        self.failureResultOf(last, CancelledError)
        self.fails()
        del last
        gc.collect()

        self.assertEqual(self.flushLoggedErrors(), [])

    def test_lifetime(self) -> None:
        """
        It is fresh for as long as its sender says, within bounds, or for ten minutes.
        """
        for age, lifetime in (
            (None, USUAL_LIFETIME),
            (300.0, 300.0),
            (0.0, MIN_LIFETIME),
            (59.0, MIN_LIFETIME),
            (1e12, MAX_LIFETIME),
        ):
            self.setUp()
            self.begin("a", age)
            self.clock.advance(lifetime * AHEAD - 1)
            self.assertEqual(self.refreshing.current(), "a")
            self.assertGets("a", 1)
            self.clock.advance(1)
            self.assertIsNone(self.refreshing.current())
            self.assertGets("a", 2)
        self.assertEqual((MIN_LIFETIME, USUAL_LIFETIME, MAX_LIFETIME), (60, 600, 86400))

    def test_ageCountsFromTheQuestion(self) -> None:
        """
        It is as old as the question: an answer that was long on its way is not news.
        """
        getting = self.refreshing.get()
        self.clock.advance(4)
        self.says("a", 100)

        self.assertEqual(self.successResultOf(getting), Kept("a", 0, 80, 100, 100 + STALE))

    def test_ahead(self) -> None:
        """
        From four fifths of its lifetime on it is fetched again, once, and nobody waits.
        """
        self.begin("a", 100)
        self.clock.advance(80)
        for _ in range(10):
            self.assertGets("a", 2)

        self.says("b", 100)

        self.assertGets("b", 2)

    def test_tooOld(self) -> None:
        """
        Past its lifetime whoever comes waits for a newer one, whoever began to fetch it.
        """
        for ahead in (True, False):
            self.setUp()
            self.begin("a", 100)
            if ahead:
                self.clock.advance(80)
                self.assertGets("a", 2)
            self.clock.pump([100])
            waiting = [self.refreshing.get() for _ in range(3)]
            self.assertNoResult(waiting[0])
            self.assertEqual(len(self.fetches), 2)

            self.says("b")

            self.assertEqual([self.value(each) for each in waiting], ["b"] * 3)

    def test_stale(self) -> None:
        """
        While its sender is down it is used for a day longer, and nobody waits for him; then nobody
        can tell (O 22).
        """
        self.begin("a", 100)
        self.clock.advance(100)
        waiting = self.refreshing.get()
        self.fails()
        self.assertEqual(self.value(waiting), "a")
        while self.clock.seconds() < 100 + STALE - MAX_BACKOFF:
            self.clock.advance(MAX_BACKOFF)
            before = len(self.fetches)
            self.assertGets("a", before + 1)
            self.assertGets("a", before + 1)
            self.fails()

        self.clock.advance(100 + STALE - self.clock.seconds() - 0.1)
        self.assertEqual(self.value(self.refreshing.get()), "a")
        self.clock.advance(0.1)
        failing = self.refreshing.get()
        self.fails()
        self.failureResultOf(failing, Outage)

    def test_recovers(self) -> None:
        """
        However long its sender was down, it is fetched when he is back.
        """
        self.begin("a", 100)
        self.clock.advance(100 + STALE)
        failing = self.refreshing.get()
        self.fails()
        self.failureResultOf(failing, Outage)

        self.clock.advance(1)
        self.begin("b", 100)

        self.assertGets("b", 3)

    def test_backOff(self) -> None:
        """
        Failures are 1, 2, 4 and up to 60 seconds apart, with one fetch each, however many ask
        (TK15).
        """
        for fetches, delay in enumerate((1, 2, 4, 8, 16, 32, 60, 60, 60), start=1):
            failing = self.refreshing.get()
            self.fails()
            self.failureResultOf(failing, Outage)
            for _ in range(10):
                self.failureResultOf(self.refreshing.get(), Outage)
                self.failureResultOf(self.refreshing.refresh(), Outage)
            self.clock.advance(delay - 0.5)
            self.failureResultOf(self.refreshing.get(), Outage)
            self.assertEqual(len(self.fetches), fetches)
            self.clock.advance(0.5)

        self.begin("a", 60)
        self.clock.advance(60)
        failing = self.refreshing.get()
        self.fails()
        self.assertEqual(self.value(failing), "a")
        self.clock.advance(1)
        self.assertGets("a", 12)

    def test_reason(self) -> None:
        """
        Whoever cannot be told hears why, also from a mistake of ours, which is an outage like any.
        """
        failing = self.refreshing.get()
        self.fetches[-1].errback(ZeroDivisionError("broken"))

        reason = self.failureResultOf(failing, Outage).value.reason
        self.assertEqual(reason, "the thing cannot be fetched: ZeroDivisionError('broken')")
        self.assertEqual(self.failureResultOf(self.refreshing.get()).value.reason, reason)

    def test_refresh(self) -> None:
        """
        A newer one can be had before its time, if that is permitted; whoever finds a fetch under
        way joins it and needs no permission.
        """
        self.begin("a")
        asked = []

        def permit() -> bool:
            asked.append(len(self.fetches))
            return len(asked) < 2

        waiting = [self.refreshing.refresh(permit) for _ in range(3)]
        self.assertEqual((asked, len(self.fetches)), ([1], 2))
        self.says("b")
        self.assertEqual([self.value(each) for each in waiting], ["b"] * 3)

        self.failureResultOf(self.refreshing.refresh(permit), Outage)
        self.assertGets("b", 2)
