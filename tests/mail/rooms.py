"""
What tests of single parts of a connection need in place of the whole.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from mailauth.mail.waiting import Deadlines, WaitingRoom


class Attended:
    """
    A mixin: what a room asks of a connection.

    @ivar ended: why it was ended.
    """

    transport: Any
    ended: str | None = None

    def end(self, reason: str) -> None:
        """
        Keep the reason.
        """
        assert self.ended is None
        self.ended = reason

    def abort(self) -> None:
        """
        Cut off the peer.
        """
        self.transport.abortConnection()

    def retire(self, reason: str) -> Deferred[None]:
        """
        End it.
        """
        self.end(reason)
        return succeed(None)


def enterRoom(connection: Attended, clock: Clock) -> Deadlines:
    """
    The deadlines of a connection in a room of its own, which ticks by the clock.
    """
    return WaitingRoom(clock.callLater).enter(connection, None)


def wait(clock: Clock, seconds: float) -> None:
    """
    Let the time pass, second by second.
    """
    clock.pump([1] * int(seconds))
