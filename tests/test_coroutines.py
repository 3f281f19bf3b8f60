"""
Tests for L{mailauth.coroutines}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from mailauth.coroutines import promptly, resultNow


async def add(*numbers: Deferred[int]) -> int:
    """
    The sum of numbers, some of which are yet to come. What fails with C{KeyError} counts nothing.
    """
    total = 0
    for number in numbers:
        try:
            total += await number
        except KeyError:
            pass
    return total


class PromptlyTests(SynchronousTestCase):
    """
    L{promptly} is L{Deferred.fromCoroutine}, but quicker where nothing has to be waited for.
    """

    def test_atOnce(self) -> None:
        """
        What has nothing to wait for is done when the call returns.
        """
        self.assertEqual(3, self.successResultOf(promptly(add(succeed(1), succeed(2)))))

    def test_raises(self) -> None:
        """
        What it raises is how the Deferred fails.
        """

        async def divide() -> None:
            raise ZeroDivisionError

        self.failureResultOf(promptly(divide()), ZeroDivisionError)

    def test_waits(self) -> None:
        """
        It waits for one thing after the other, between those that are there already.
        """
        first: Deferred[int] = Deferred()
        second: Deferred[int] = Deferred()
        total = promptly(add(succeed(1), first, succeed(4), second))
        self.assertNoResult(total)

        first.callback(2)
        self.assertNoResult(total)
        second.callback(8)

        self.assertEqual(15, self.successResultOf(total))

    def test_failsWhileWaiting(self) -> None:
        """
        What fails while it is waited for is raised where it is awaited: there it is caught, and
        the waiting goes on, or it is not.
        """
        for error, outcome in ((KeyError("none"), 5), (ValueError("bad"), ValueError)):
            waited: Deferred[int] = Deferred()
            last: Deferred[int] = Deferred()
            total: Deferred[Any] = promptly(add(succeed(1), waited, last))

            waited.errback(error)
            last.callback(4)

            if isinstance(outcome, int):
                self.assertEqual(outcome, self.successResultOf(total))
            else:
                self.failureResultOf(total, outcome)

    def test_cancelled(self) -> None:
        """
        Whoever cancels it waits no longer.
        """
        waited: Deferred[int] = Deferred()
        total = promptly(add(waited))

        total.cancel()

        self.failureResultOf(total, CancelledError)


class ResultNowTests(SynchronousTestCase):
    """
    L{resultNow} says what can be used without waiting.
    """

    def test_result(self) -> None:
        """
        A result that is there, but no failure, and none that still waits for something.
        """
        failed: Deferred[int] = fail(KeyError("none"))
        waiting: Deferred[int] = Deferred()
        chained = succeed(1).addCallback(lambda _: waiting)

        self.assertEqual(1, resultNow(succeed(1)))
        for pending in (failed, waiting, chained):
            self.assertIsNone(resultNow(pending))
        waiting.callback(2)
        self.assertEqual(2, resultNow(chained))
        self.failureResultOf(failed, KeyError)
