"""
A few threads with a short queue. Own the bound on how much waits, and for how long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from ..errors import Outage

T = TypeVar("T")


class ThreadedReactor(Protocol):
    """
    What is asked of a reactor.
    """

    def seconds(self) -> float:
        """
        See L{IReactorTime<twisted.internet.interfaces.IReactorTime>}.
        """

    def callFromThread(self, callable: Callable[..., object], *args: object) -> object:
        """
        See L{IReactorFromThreads<twisted.internet.interfaces.IReactorFromThreads>}.
        """


class BoundedThreads:
    """
    Threads for calls that block. What would wait too long is refused with an
    L{Outage<mailauth.errors.Outage>} instead.

    @ivar waiting: how many calls are not done yet.
    """

    def __init__(
        self, reactor: ThreadedReactor, name: str, threads: int, limit: int, patience: float
    ) -> None:
        """
        @param name: what the threads are called.
        @param threads: how many of them.
        @param limit: how many calls may be in them and in the queue.
        @param patience: how long a call may wait in the queue, in seconds.
        """
        self.waiting = 0
        self._reactor = reactor
        self._pool = ThreadPool(0, threads, name)
        # A process that ends without calling stop must end all the same.
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment] # it makes one
        self._limit = limit
        self._patience = patience
        self._open = False
        self._idle: Deferred[None] | None = None

    def start(self) -> None:
        """
        Take calls from now on.
        """
        self._pool.start()
        self._open = True

    async def stop(self) -> None:
        """
        Take no more calls, finish those there are, and end the threads for good.
        """
        if not self._open:
            return
        self._open = False
        if self.waiting:
            self._idle = Deferred()
            await self._idle
        self._pool.stop()

    def call(self, work: Callable[[], T]) -> Deferred[T]:
        """
        Call it in one of the threads.

        @raise Outage: it waited too long, or there was no room to wait.
        """
        if not self._open:
            return fail(Outage("the store is not open"))
        if self.waiting >= self._limit:
            return fail(Outage(f"{self.waiting} calls wait for the store already"))
        self.waiting += 1
        deadline = self._reactor.seconds() + self._patience
        result: Deferred[T] = Deferred()

        def inThread() -> T:
            if self._reactor.seconds() > deadline:
                raise Outage("waited too long for the store")
            return work()

        def whenDone(success: bool, outcome: T) -> None:
            self._reactor.callFromThread(self._answer, result, outcome)

        self._pool.callInThreadWithCallback(whenDone, inThread)
        return result

    def _answer(self, result: Deferred[T], outcome: T | Failure) -> None:
        self.waiting -= 1
        result.callback(outcome)
        if self._idle is not None and not self.waiting:
            self._idle.callback(None)
