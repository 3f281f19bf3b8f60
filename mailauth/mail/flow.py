"""
When a connection is read, and how it is closed. Owns the reasons why it is not being read now.
"""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from .waiting import Deadlines

UNREAD_TIMEOUT = 30.0
"""
For how many seconds a peer may leave what we sent unread, and how long a closing connection may
take.
"""


class IReader(Protocol):
    """
    What is asked of a protocol that reads lines: that of L{twisted.protocols.basic.LineReceiver}.
    """

    transport: Any
    paused: bool

    def dataReceived(self, octets: bytes, /) -> None: ...


@implementer(IPushProducer)
class Flow:
    """
    Back-pressure for one connection.

    The transport says when more than its buffer (64 KiB) is unsent; until that has drained no more
    commands are taken, so that a peer that sends commands and never reads the replies fills its own
    kernel's memory and not ours (DS6). A login or a long answer holds the connection in the same
    way, and the lines behind it wait in their order.

    The transport itself is only told to read no more once something has come that nobody takes
    yet. Until then it hears that the peer has gone, and TLS, which takes its handshake for unsent
    octets, can read what it is waiting for.
    """

    def __init__(self, reader: IReader, deadlines: Deadlines) -> None:
        self._reader = reader
        self._deadlines = deadlines
        self._holds: set[str] = set()
        self._stopped = False
        self._waiting: list[Deferred[None]] = []
        self.closing = False
        reader.transport.registerProducer(self, True)

    def hold(self, reason: str) -> None:
        """
        Take no command until this reason is released.
        """
        if self.closing:
            return
        self._reader.paused = True
        self._holds.add(reason)

    def release(self, reason: str) -> None:
        """
        This reason is gone. Once the last is, what has been read already goes on first.
        """
        if reason in self._holds:
            self._holds.remove(reason)
            if not self._holds and not self.closing:
                self._reader.paused = False
                if self._stopped:
                    self._stopped = False
                    self._reader.transport.resumeProducing()
                self._reader.dataReceived(b"")

    def arrived(self) -> None:
        """
        To be called when something has been read that nobody took: while that waits, no more is.
        """
        if self._holds and not self._stopped and not self.closing:
            self._stopped = True
            self._reader.transport.pauseProducing()

    def drained(self) -> Deferred[None]:
        """
        Fires when the transport can take more; at once if it can now. A long answer waits for it
        between its parts. It fails with nothing: whoever waits when the connection is lost is
        cancelled.
        """
        if "unsent" not in self._holds:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def pauseProducing(self) -> None:
        """
        The transport has too much unsent.
        """
        if "unsent" not in self._holds:
            self.hold("unsent")
            self._deadlines.cutOffIn(UNREAD_TIMEOUT)

    def resumeProducing(self) -> None:
        """
        The transport has sent it.
        """
        if not self.closing:
            self._deadlines.spare()
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(None)
        self.release("unsent")

    def stopProducing(self) -> None:
        """
        The transport is gone; C{connectionLost} follows.
        """

    def close(self) -> None:
        """
        Close once everything is sent; whoever reads must drop what still comes. A peer that does
        not let it be sent is cut off.
        """
        if self.closing:
            return
        self.closing = self._reader.paused = True
        if self._deadlines.cutOff is None:
            self._deadlines.cutOffIn(UNREAD_TIMEOUT)
        transport = self._reader.transport
        transport.unregisterProducer()
        if self._stopped:
            # TLS closes only once it has read the other side's goodbye.
            transport.resumeProducing()
        transport.loseConnection()

    def lost(self) -> None:
        """
        The connection is gone.
        """
        self.closing = True
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.cancel()
        # The connection holds us. Without the other half of the ring it is gone at once, and no
        # collector has to look for it.
        del self._reader
