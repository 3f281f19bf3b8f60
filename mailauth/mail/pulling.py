"""
Long answers that L{twisted.mail} produces by itself. Owns the seam: its producers register with
the transport, where a L{Flow<mailauth.mail.flow.Flow>} is registered already.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IConsumer
from twisted.mail import imap4
from twisted.python.failure import Failure
from zope.interface import implementer

from .flow import Flow
from .unexpected import logUnexpected


@implementer(IConsumer)
class PullingConsumer:
    """
    Asks a pull producer for its next part whenever the last has been sent.
    """

    def __init__(self, transport: Any, flow: Flow) -> None:
        self._transport = transport
        self._flow = flow
        self._producer: Any = None

    def write(self, octets: bytes) -> None:
        """
        See L{IConsumer.write}.
        """
        self._transport.write(octets)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        See L{IConsumer.registerProducer}.

        @param streaming: false, for C{twisted.mail} has no other producers.
        """
        self._producer = producer
        Deferred.fromCoroutine(self._pull()).addErrback(self._broken)

    def unregisterProducer(self) -> None:
        """
        See L{IConsumer.unregisterProducer}.
        """
        self._producer = None

    async def _pull(self) -> None:
        while self._producer is not None:
            await self._flow.drained()
            self._producer.resumeProducing()

    def _broken(self, failure: Failure) -> None:
        """
        There is no way to say so in the middle of a literal.
        """
        if failure.check(CancelledError) is None:
            logUnexpected(failure, "a long answer")
            self._transport.abortConnection()


class PulledIMAP4Server(imap4.IMAP4Server):
    """
    The parent, sending long messages no faster than they are read.
    """

    flow: Flow

    def spew_body(self, *arguments: Any) -> Any:
        """
        Send C{BODY[]} or a part of it.
        """
        return _stock.spew_body(_Spewer(self), *arguments)

    def spew_rfc822(self, *arguments: Any) -> Any:
        """
        Send a whole message.
        """
        return _stock.spew_rfc822(_Spewer(self), *arguments)

    def spew_rfc822text(self, *arguments: Any) -> Any:
        """
        Send a message's text.
        """
        return _stock.spew_rfc822text(_Spewer(self), *arguments)


_stock: Any = imap4.IMAP4Server


class _Spewer:
    """
    As much of a server as the parent needs for that.
    """

    def __init__(self, server: PulledIMAP4Server) -> None:
        self.transport = PullingConsumer(server.transport, server.flow)
        self._scheduler = server._scheduler
