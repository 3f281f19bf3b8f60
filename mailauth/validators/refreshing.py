"""
What is fetched from somebody else, kept, and fetched again. Owns when that is done: neither a crowd
of logins nor a server that is down makes us ask more often.

A fetch that fails destroys nothing, and whoever needs what was never fetched hears of an outage.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from math import inf
from typing import Any, Generic, TypeVar

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import Outage

_T = TypeVar("_T")

MIN_LIFETIME, USUAL_LIFETIME, MAX_LIFETIME = 60.0, 600.0, 86400.0
"""
For how many seconds something is fresh: at least, if its sender does not say, and at most.
"""

AHEAD = 0.8
"""
After which part of its lifetime it is fetched again, while nobody waits.
"""

STALE = 86400.0
"""
For how many seconds beyond its lifetime it is used, if it cannot be fetched again.
"""

MAX_BACKOFF = 60.0
"""
How many seconds lie between two fetches that fail, in the end. At first it is one.
"""


@attrs.frozen
class Kept(Generic[_T]):
    """
    What was fetched. All times are of a clock that only runs forward.

    @ivar began: when it was asked for: it is as old as that.
    @ivar ahead: from when on a newer one is looked for.
    @ivar fresh: until when it is used without asking.
    @ivar stale: until when it is used at all.
    """

    value: _T
    began: float
    ahead: float
    fresh: float
    stale: float


class Refreshing(Generic[_T]):
    """
    One thing that is fetched, kept and refreshed. It has no timers: whoever needs it is what makes
    it ask.
    """

    _log = Logger()

    def __init__(
        self,
        name: str,
        fetch: Callable[[], Coroutine[Any, Any, tuple[_T, float | None]]],
        seconds: Callable[[], float],
    ) -> None:
        """
        @param name: what it is, for the log.
        @param fetch: fetches it; with it comes for how many seconds it may be kept, C{None} if its
            sender does not say.
        @param seconds: a clock that only runs forward.
        """
        self._name = name
        self._fetch = fetch
        self._seconds = seconds
        self._kept: Kept[_T] | None = None
        # Of the fetch that is under way; a cancelled one leaves it to the others.
        self._waiters: list[Deferred[Kept[_T]]] | None = None
        self._backOff = 0.0
        self._nextTry = -inf
        self._reason = ""

    def current(self) -> _T | None:
        """
        What there is, if nobody needs to be asked now.
        """
        kept = self._kept
        return kept.value if kept is not None and self._seconds() < kept.ahead else None

    def age(self) -> float | None:
        """
        How many seconds ago what there is was asked for; C{None} if there is nothing.
        """
        return None if self._kept is None else self._seconds() - self._kept.began

    def get(self) -> Deferred[Kept[_T]]:
        """
        The newest there is, asking for a newer one where it is time to.

        @raise Outage: there is none, or only one that is too old.
        """
        kept, now = self._kept, self._seconds()
        if kept is None or now >= kept.stale:
            return self.refresh()
        if now >= max(kept.ahead, self._nextTry) and self._waiters is None:
            self._begin([])
        if now >= kept.fresh and self._waiters is not None and not self._backOff:
            # Once its sender has failed, nobody waits for him any more.
            return Deferred.fromCoroutine(self._orOld(self._wait(self._waiters)))
        return succeed(self._kept or kept)

    def refresh(self, permit: Callable[[], bool] = lambda: True) -> Deferred[Kept[_T]]:
        """
        One that is newer than what there is: what is being fetched already, or now.

        @param permit: asked whether one more fetch may be made, if it would be.
        @raise Outage: it cannot be fetched, or not yet.
        """
        if self._waiters is not None:
            return self._wait(self._waiters)
        if self._seconds() < self._nextTry:
            return fail(self._outage())
        if not permit():
            return fail(Outage(f"{self._name} was asked for too often"))
        waiters: list[Deferred[Kept[_T]]] = []
        waiting = self._wait(waiters)
        self._begin(waiters)
        return waiting

    async def _orOld(self, newer: Deferred[Kept[_T]]) -> Kept[_T]:
        try:
            return await newer
        except Outage:
            return await self.get()

    def _wait(self, waiters: list[Deferred[Kept[_T]]]) -> Deferred[Kept[_T]]:
        waiter: Deferred[Kept[_T]] = Deferred()
        waiters.append(waiter)
        return waiter

    def _begin(self, waiters: list[Deferred[Kept[_T]]]) -> None:
        self._waiters = waiters
        began = self._seconds()
        fetching = Deferred.fromCoroutine(self._fetch())
        fetching.addCallbacks(self._fetched, self._failed, callbackArgs=(began,))

    def _fetched(self, answer: tuple[_T, float | None], began: float) -> None:
        value, age = answer
        lifetime = min(max(USUAL_LIFETIME if age is None else age, MIN_LIFETIME), MAX_LIFETIME)
        fresh = began + lifetime
        kept = Kept(value, began, began + AHEAD * lifetime, fresh, fresh + STALE)
        self._kept = kept
        self._backOff, self._nextTry = 0.0, -inf
        for waiter in self._ended():
            waiter.callback(kept)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        self._reason = error.reason if isinstance(error, Outage) else f"{error!r}"
        self._backOff = min(max(2 * self._backOff, 1.0), MAX_BACKOFF)
        self._nextTry = self._seconds() + self._backOff
        self._log.warn("{name} cannot be fetched: {reason}", name=self._name, reason=self._reason)
        for waiter in self._ended():
            waiter.errback(self._outage())

    def _ended(self) -> list[Deferred[Kept[_T]]]:
        waiters, self._waiters = self._waiters, None
        assert waiters is not None
        return waiters

    def _outage(self) -> Outage:
        return Outage(f"{self._name} cannot be fetched: {self._reason}")
