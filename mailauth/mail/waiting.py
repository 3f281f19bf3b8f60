"""
The connections that have not logged in yet. Owns their deadlines and their number.

A person may be signing in behind an open connection: Thunderbird holds one, saying nothing, while
its owner is at the sign-in page, and fails if it is closed. So silence is allowed for minutes,
and what protects the server is that a line once begun has to end, that the whole takes no longer
than a bound which no octet extends, and that there are only so many of them.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
from twisted.internet.interfaces import IDelayedCall

from ..interfaces import IConnection
from ..networks import networkOf


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


@attrs.define(eq=False)
class Waiting:
    """
    One connection's place. The times are those of its room.

    @ivar since: when it came.
    @ivar heard: when it last said anything.
    @ivar begun: when the line or literal that it has not ended yet began, or C{None}.
    @ivar handshake: when its TLS handshake began, or C{None} if there is none under way.
    """

    room: WaitingRoom
    connection: IConnection
    network: str | None
    silence: float
    since: int
    heard: int
    begun: int | None = None
    handshake: int | None = None

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

    def leave(self) -> None:
        """
        It logged in, or is gone.
        """
        self.room.leave(self)


class WaitingRoom:
    """
    All connections that wait, of one listener or of many.

    @ivar callLater: of C{IReactorTime}.

    The room's clock is the number of seconds it has ticked, so that a step of the wall clock
    neither frees nor ends anybody.
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
        self._waiting: dict[Waiting, None] = {}
        self._networks: dict[str, dict[Waiting, None]] = {}
        self._tick: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(
        self, connection: IConnection, peer: str | None, silence: float | None = None
    ) -> Waiting:
        """
        Give a connection a place. If there is none left, the one that has been silent longest
        loses its own.

        @param peer: the IP address of the other end, or C{None} where there is none.
        @param silence: how long this one may be silent, if not as long as the others.
        """
        network = networkOf(peer)
        limits = self._limits
        if len(self._waiting) >= limits.connections:
            self._makeRoom(self._waiting)
        if silence is None:
            silence = limits.silence
        waiting = Waiting(self, connection, network, silence, self.now, self.now)
        self._waiting[waiting] = None
        if network is not None and limits.perNetwork is not None:
            neighbours = self._networks.setdefault(network, {})
            if len(neighbours) >= limits.perNetwork:
                self._makeRoom(neighbours)
                neighbours = self._networks.setdefault(network, neighbours)
            neighbours[waiting] = None
        if self._tick is None:
            self._tick = self.callLater(1, self._ticked)
        return waiting

    def leave(self, waiting: Waiting) -> None:
        """
        Take the place back. Twice is the same as once.
        """
        if self._waiting.pop(waiting, self) is self:
            return
        if waiting.network is not None:
            neighbours = self._networks.get(waiting.network)
            if neighbours is not None:
                neighbours.pop(waiting, None)
                if not neighbours:
                    del self._networks[waiting.network]
        if not self._waiting and self._tick is not None:
            self._tick.cancel()
            self._tick = None

    def _makeRoom(self, candidates: dict[Waiting, None]) -> None:
        self._end(min(candidates, key=lambda waiting: waiting.heard), "Too many connections")

    def _ticked(self) -> None:
        self.now += 1
        self._tick = self.callLater(1, self._ticked)
        for waiting in tuple(self._waiting):
            reason = self._overdue(waiting)
            if reason is not None:
                self._end(waiting, reason)

    def _overdue(self, waiting: Waiting) -> str | None:
        now = self.now
        limits = self._limits
        if waiting.handshake is not None and now - waiting.handshake > limits.handshake:
            return "No TLS handshake"
        if waiting.begun is not None and now - waiting.begun > limits.unfinished:
            return "Unfinished command"
        if now - waiting.heard > waiting.silence:
            return "Autologout; connection idle too long"
        if now - waiting.since > limits.total:
            return "No login in time"
        return None

    def _end(self, waiting: Waiting, reason: str) -> None:
        self.leave(waiting)
        waiting.connection.end(reason)
