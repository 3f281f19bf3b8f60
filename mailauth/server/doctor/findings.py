"""
What was found: one line for each thing that was looked at, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred, FirstError, gatherResults

OK, WARNING, UNKNOWN, FAILS = LEVELS = ("ok", "warning", "unknown", "fails")
"""
From good to bad. C{UNKNOWN} is what could not be found out, and no verdict about the server.
"""

T = TypeVar("T")


@attrs.frozen
class Finding:
    """
    One thing that was looked at.

    @ivar topic: what a mail program may need, as L{mailauth.server.doctor.programs} names it. What
        several findings are about is as bad as the worst of them.
    @ivar level: one of L{LEVELS}.
    @ivar says: what was found.
    @ivar mend: what to do about it, or the empty string.
    """

    topic: str
    level: str
    says: str
    mend: str = ""


@attrs.frozen
class Section:
    """
    What belongs together.
    """

    title: str
    findings: tuple[Finding, ...]


def good(topic: str, says: str) -> Finding:
    """
    It is as it has to be.
    """
    return Finding(topic, OK, says)


def doubtful(topic: str, says: str, mend: str = "") -> Finding:
    """
    It works, or most programs can do without.
    """
    return Finding(topic, WARNING, says, mend)


def wrong(topic: str, says: str, mend: str = "") -> Finding:
    """
    It does not work.
    """
    return Finding(topic, FAILS, says, mend)


def unknown(topic: str, says: str, mend: str = "") -> Finding:
    """
    It could not be found out.
    """
    return Finding(topic, UNKNOWN, says, mend)


def worstOf(findings: Iterable[Finding]) -> Finding | None:
    """
    The one that counts, or C{None} if there is none.
    """
    return max(findings, key=lambda finding: LEVELS.index(finding.level), default=None)


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """
    Do what does not wait for each other.

    @return: the results, in the order of the work. The first failure is raised.
    """
    started = [Deferred.fromCoroutine(each) for each in work]
    try:
        results: list[T] = await gatherResults(started, consumeErrors=True)
    except FirstError as error:
        error.subFailure.raiseException()
    return results
