"""
A thread pool that tells what it was given to do.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident
from typing import Any

from twisted.internet import reactor as globalReactor
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase

from mailauth.interfaces import ITokenCache
from mailauth.passwords import MIN_COST, PasswordHasher


class RecordingPool(ThreadPool):
    """
    A real pool.

    @ivar given: how many calls it was given.
    @ivar idents: the threads that they ran in.
    """

    def __init__(self, threads: int = 1) -> None:
        super().__init__(0, threads)
        self.given = 0
        self.idents: set[int] = set()

    def callInThreadWithCallback(
        self, onResult: Any, func: Callable[..., Any], *args: Any, **kw: Any
    ) -> None:
        """
        Count, and note where it runs.
        """
        self.given += 1

        def noted() -> Any:
            self.idents.add(get_ident())
            return func(*args, **kw)

        super().callInThreadWithCallback(onResult, noted)


def startPool(test: TestCase, pool: ThreadPool) -> None:
    """
    Let a pool work until the test is over.
    """
    pool.start()
    test.addCleanup(pool.stop)


def makeHasher(
    test: TestCase,
    pool: ThreadPool,
    now: Callable[[], float],
    start: bool = True,
    cache: ITokenCache | None = None,
) -> PasswordHasher:
    """
    A hasher of the lowest cost.
    """
    if start:
        startPool(test, pool)
    reactor: Any = globalReactor
    return PasswordHasher(reactor, pool, MIN_COST, now, cache)
