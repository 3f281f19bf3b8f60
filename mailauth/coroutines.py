"""
The seam between Deferreds and coroutines, for the way that every login takes.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from functools import partial
from types import coroutine as generatorBased
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

_T = TypeVar("_T")


def promptly(coroutine: Coroutine[Any, Any, _T]) -> Deferred[_T]:
    """
    Run a coroutine, as L{Deferred.fromCoroutine} does. One that never has to wait, like the check
    of a token that was seen before, is run to its end right here, without the machinery for
    waiting, which costs several times what it decides.

    It runs in its caller's context (C{contextvars}) until it waits for the first time. Whoever
    cancels cancels his waiting: the coroutine goes on to its end.
    """
    try:
        waitedFor = coroutine.send(None)
    except StopIteration as end:
        return succeed(end.value)
    except BaseException:
        return fail()
    waiting: Deferred[_T] = Deferred()
    Deferred.fromCoroutine(_resumed(coroutine, waitedFor)).chainDeferred(waiting)
    return waiting


def resultNow(pending: Deferred[Any]) -> Any:
    """
    The result of a Deferred that holds one already: whoever finds one here need not add a
    callback, which costs more than most of what a login calls.

    @return: C{None} if it has none yet, or a failure.
    """
    if not pending.called or pending.paused or isinstance(pending.result, Failure):
        return None
    return pending.result


@generatorBased
def _resumed(coroutine: Coroutine[Any, Any, _T], waitedFor: Any) -> Generator[Any, Any, _T]:
    """
    Wait for what the coroutine waits for, and go on with it. This is C{yield from}, which cannot
    begin in the middle.
    """
    while True:
        try:
            result = yield waitedFor
        except Exception as error:
            move = partial(coroutine.throw, error)
        else:
            move = partial(coroutine.send, result)
        try:
            waitedFor = move()
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what the coroutine returns
