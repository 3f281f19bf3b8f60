"""
How long a connection may take, and how many may wait. Owns the deadlines of all connections, from
the first octet to the last.

A person may be signing in behind an open connection: Thunderbird holds one, saying nothing, while
its owner is at the sign-in page, and fails if it is closed. So silence is allowed for minutes,
and what protects the server is that a line once begun has to end, that the whole takes no longer
than a bound which no octet extends, and that there are only so many of them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Protocol

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from ..networks import networkOf


class IEndable(Protocol):
    """
    What is asked of a connection: L{IConnection<mailauth.interfaces.IConnection>}, and ways to
    end it later, or without the peer.
    """

    def end(self, reason: str) -> None: ...

    def retire(self, reason: str) -> Deferred[None]: ...

    def abort(self) -> None: ...


@attrs.frozen
class WaitingLimits:
    """
    @ivar connections: how many may wait in all.
    @ivar perNetwork: how many from one network, or C{None}; loopback is not a network.
    @ivar silence: for how many seconds a connection may say nothing.
    @ivar unfinished: how many seconds a line or literal once begun may take.
    @ivar handshake: how many seconds a TLS handshake may take.
    @ivar total: how many seconds a connection may wait, whatever it says.
    """

    connections: int = 2000
    perNetwork: int | None = 20
    silence: float = 600
    unfinished: float = 60
    handshake: float = 10
    total: float = 720


class Deadlines:
    """
    Those of one connection. The times are those of its room.

    @ivar silence: for how many seconds it may say nothing.
    @ivar heard: when it last said anything.
    @ivar begun: when the line or literal that it has not ended yet began, or C{None}.
    @ivar handshake: when its TLS handshake began, or C{None} if there is none under way.
    @ivar cutOff: when it is cut off, or C{None} if it is not to be.
    """

    __slots__ = (
        "begun",
        "connection",
        "cutOff",
        "handshake",
        "heard",
        "network",
        "room",
        "silence",
        "since",
    )

    def __init__(
        self, room: WaitingRoom, connection: IEndable, network: str | None, silence: float
    ) -> None:
        self.room = room
        self.connection = connection
        self.network = network
        self.silence = silence
        self.since = self.heard = room.now
        self.begun: int | None = None
        self.handshake: int | None = None
        self.cutOff: float | None = None

    def hear(self, unfinished: bool) -> None:
        """
        It said something.

        @param unfinished: and what it said last has no end yet.
        """
        self.heard = self.room.now
        if not unfinished:
            self.begun = None
        elif self.begun is None:
            self.begun = self.heard

    def touch(self) -> None:
        """
        Something happens, though it said nothing.
        """
        self.heard = self.room.now

    def lineEnded(self) -> None:
        """
        A line is complete: what follows is another one, with time of its own.
        """
        self.begun = None

    def handshakeBegins(self) -> None:
        """
        Nothing but the TLS handshake is expected now.
        """
        self.handshake = self.room.now

    def handshakeEnds(self) -> None:
        """
        TLS is established.
        """
        self.handshake = None

    def admit(self, silence: float) -> None:
        """
        It logged in: nothing counts any more but that it says something now and then.

        @param silence: for how many seconds it need not.
        """
        self.silence = silence
        self.room.admit(self)

    def cutOffIn(self, seconds: float) -> None:
        """
        Give the peer so long, whatever it does.
        """
        self.cutOff = self.room.now + seconds
        self.room.hurry(self)

    def spare(self) -> None:
        """
        It is not to be cut off any more.
        """
        self.cutOff = None

    def leave(self) -> None:
        """
        It is gone.
        """
        self.room.leave(self)
        # See Flow.lost.
        del self.connection


class WaitingRoom:
    """
    All connections, of one listener or of many: those that wait for a login, which are bounded in
    number, and those that have logged in, of which only the silence is watched.

    The room's clock is the number of seconds it has ticked, so that a step of the wall clock
    neither frees nor ends anybody, and one timer serves them all.

    @ivar now: how often it has ticked.
    @ivar callLater: of C{IReactorTime}.
    """

    PATROL = 15
    """
    How many seconds lie between two looks at those that have logged in.
    """

    def __init__(
        self,
        callLater: Callable[[float, Callable[[], None]], IDelayedCall],
        limits: WaitingLimits = WaitingLimits(),
    ) -> None:
        """
        @param callLater: of C{IReactorTime}.
        """
        self.now = 0
        self.callLater = callLater
        self._limits = limits
        self._waiting: dict[Deadlines, None] = {}
        self._admitted: dict[Deadlines, None] = {}
        self._hurried: dict[Deadlines, None] = {}
        self._networks: dict[str, dict[Deadlines, None]] = {}
        self._tick: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def connections(self) -> tuple[IEndable, ...]:
        """
        All that are here.
        """
        everybody = {**self._waiting, **self._admitted, **self._hurried}
        return tuple(deadlines.connection for deadlines in everybody)

    def enter(
        self, connection: IEndable, peer: str | None, silence: float | None = None
    ) -> Deadlines:
        """
        Let a connection wait. If too many do, the one that has been silent longest is ended.

        @param peer: the IP address of the other end, or C{None} where there is none.
        @param silence: how long this one may be silent, if not as long as the others.
        """
        network = networkOf(peer)
        limits = self._limits
        if len(self._waiting) >= limits.connections:
            self._makeRoom(self._waiting)
        deadlines = Deadlines(
            self, connection, network, limits.silence if silence is None else silence
        )
        self._waiting[deadlines] = None
        if network is not None and limits.perNetwork is not None:
            neighbours = self._networks.setdefault(network, {})
            if len(neighbours) >= limits.perNetwork:
                self._makeRoom(neighbours)
                neighbours = self._networks.setdefault(network, neighbours)
            neighbours[deadlines] = None
        self._keepTicking()
        return deadlines

    def admit(self, deadlines: Deadlines) -> None:
        """
        It waits no longer.
        """
        self._stopWaiting(deadlines)
        self._admitted[deadlines] = None

    def hurry(self, deadlines: Deadlines) -> None:
        """
        It is to be cut off at a certain time.
        """
        self._hurried[deadlines] = None
        self._keepTicking()

    def leave(self, deadlines: Deadlines) -> None:
        """
        It is gone. Twice is the same as once.
        """
        self._stopWaiting(deadlines)
        self._admitted.pop(deadlines, None)
        self._hurried.pop(deadlines, None)
        if not (self._waiting or self._admitted or self._hurried) and self._tick is not None:
            self._tick.cancel()
            self._tick = None

    def _stopWaiting(self, deadlines: Deadlines) -> None:
        self._waiting.pop(deadlines, None)
        network = deadlines.network
        if network is not None and network in self._networks:
            neighbours = self._networks[network]
            neighbours.pop(deadlines, None)
            if not neighbours:
                del self._networks[network]

    def _makeRoom(self, candidates: dict[Deadlines, None]) -> None:
        self._end(min(candidates, key=lambda deadlines: deadlines.heard), "Too many connections")

    def _keepTicking(self) -> None:
        if self._tick is None:
            self._tick = self.callLater(1, self._ticked)

    def _ticked(self) -> None:
        self.now += 1
        self._tick = None
        try:
            self._patrol()
        finally:
            # A connection that cannot be ended must not make the others immortal.
            if self._waiting or self._admitted or self._hurried:
                self._keepTicking()

    def _patrol(self) -> None:
        for deadlines in tuple(self._waiting):
            reason = self._overdue(deadlines)
            if reason is not None:
                self._end(deadlines, reason)
        for deadlines in tuple(self._hurried):
            if deadlines.cutOff is None:
                del self._hurried[deadlines]
            elif self.now >= deadlines.cutOff:
                del self._hurried[deadlines]
                deadlines.connection.abort()
        if self.now % self.PATROL == 0:
            for deadlines in tuple(self._admitted):
                if self.now - deadlines.heard >= deadlines.silence:
                    self._end(deadlines, SILENT)

    def _overdue(self, deadlines: Deadlines) -> str | None:
        now = self.now
        limits = self._limits
        if deadlines.handshake is not None and now - deadlines.handshake > limits.handshake:
            return "No TLS handshake"
        if deadlines.begun is not None and now - deadlines.begun > limits.unfinished:
            return "Unfinished command"
        if now - deadlines.heard > deadlines.silence:
            return SILENT
        if now - deadlines.since > limits.total:
            return "No login in time"
        return None

    def _end(self, deadlines: Deadlines, reason: str) -> None:
        self._stopWaiting(deadlines)
        self._admitted.pop(deadlines, None)
        deadlines.connection.end(reason)


SILENT = "Autologout; connection idle too long"

NEVER = inf
"""
The silence of a connection that may say nothing for as long as it likes.
"""
