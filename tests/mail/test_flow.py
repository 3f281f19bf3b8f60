"""
When a connection is read, and how it is closed.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.mail.flow import UNREAD_TIMEOUT, Flow

from .rooms import Attended, enterRoom, wait


class Reader(Attended, LineReceiver):
    """
    Reads lines, and holds at C{HOLD}.
    """

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def dataReceived(self, octets: bytes) -> None:
        """
        Say so if something is left.
        """
        super().dataReceived(octets)
        if self._buffer:
            self.flow.arrived()

    def lineReceived(self, line: bytes) -> None:
        """
        Keep it.
        """
        self.lines.append(line)
        if line == b"HOLD":
            self.flow.hold("login")

    flow: Flow


class FlowTests(SynchronousTestCase):
    """
    L{Flow}.
    """

    def setUp(self) -> None:
        """
        A reader on a transport in memory.
        """
        self.clock = Clock()
        self.transport = StringTransport()
        self.reader = Reader()
        self.reader.makeConnection(self.transport)
        self.deadlines = enterRoom(self.reader, self.clock)
        self.flow = self.reader.flow = Flow(self.reader, self.deadlines)

    def test_interface(self) -> None:
        """
        The transport tells it when too much is unsent.
        """
        verifyObject(IPushProducer, self.flow)
        self.assertIs(self.flow, self.transport.producer)
        self.assertTrue(self.transport.streaming)

    def test_lines(self) -> None:
        """
        While one reason holds, the lines behind wait, and afterwards they come in their order.
        """
        self.reader.dataReceived(b"a\r\nHOLD\r\nb\r\nc\r\nd")
        self.assertEqual([b"a", b"HOLD"], self.reader.lines)

        self.flow.release("login")

        self.assertEqual([b"a", b"HOLD", b"b", b"c"], self.reader.lines)

    def test_transportGoesOn(self) -> None:
        """
        A hold by itself does not stop the transport, which has to hear that the peer has gone.
        """
        self.reader.dataReceived(b"HOLD\r\n")

        self.assertEqual("producing", self.transport.producerState)

    def test_transportStops(self) -> None:
        """
        It is stopped once something waits, and goes on when the last reason is gone; the line
        that is released may hold again.
        """
        self.reader.dataReceived(b"HOLD\r\n")
        self.reader.dataReceived(b"HOLD\r\nb\r\n")
        self.assertEqual("paused", self.transport.producerState)

        self.flow.release("login")
        self.assertEqual("paused", self.transport.producerState)
        self.flow.release("login")

        self.assertEqual("producing", self.transport.producerState)
        self.assertEqual([b"HOLD", b"HOLD", b"b"], self.reader.lines)

    def test_reasons(self) -> None:
        """
        It goes on when the last reason is gone, and one that never held changes nothing.
        """
        self.flow.hold("login")
        self.flow.hold("answer")

        self.flow.release("login")
        self.flow.release("login")
        self.flow.release("nothing")
        self.assertTrue(self.reader.paused)
        self.flow.release("answer")
        self.assertFalse(self.reader.paused)

    def test_unsent(self) -> None:
        """
        No command is taken while the peer leaves unread what we sent (DS6).
        """
        self.flow.pauseProducing()
        self.flow.pauseProducing()
        self.assertTrue(self.reader.paused)

        self.flow.resumeProducing()

        self.assertFalse(self.reader.paused)
        wait(self.clock, 2 * UNREAD_TIMEOUT)
        self.assertFalse(self.transport.disconnected)

    def test_neverRead(self) -> None:
        """
        A peer that reads nothing for half a minute is cut off (DS6).
        """
        self.flow.pauseProducing()

        wait(self.clock, UNREAD_TIMEOUT - 1)
        self.assertFalse(self.transport.disconnected)
        wait(self.clock, 1)
        self.assertTrue(self.transport.disconnected)
        self.flow.lost()

    def test_drained(self) -> None:
        """
        A long answer goes on at once while there is room, and waits while there is none.
        """
        self.successResultOf(self.flow.drained())
        self.flow.pauseProducing()
        first, second = self.flow.drained(), self.flow.drained()
        self.assertNoResult(first)

        self.flow.resumeProducing()

        self.successResultOf(first)
        self.successResultOf(second)

    def test_lostWhileWaiting(self) -> None:
        """
        An answer that waits is cancelled when the connection is lost.
        """
        self.flow.pauseProducing()
        waiting = self.flow.drained()

        self.flow.stopProducing()
        self.flow.lost()

        self.failureResultOf(waiting, CancelledError)

    def test_close(self) -> None:
        """
        Closing lets what was said be sent, once.
        """
        self.flow.close()
        self.flow.close()

        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.disconnected)
        self.assertIs(None, self.transport.producer)
        self.deadlines.leave()
        self.flow.lost()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_closeWhileHolding(self) -> None:
        """
        A connection that closes is read again, for TLS closes only once it has read the other
        side's goodbye; and what held it has no more say.
        """
        self.reader.dataReceived(b"HOLD\r\nb\r\n")

        self.flow.close()
        self.flow.release("login")

        self.assertEqual("producing", self.transport.producerState)
        self.assertTrue(self.reader.paused)

    def test_peerDoesNotLetItClose(self) -> None:
        """
        A peer that does not take our goodbye is cut off.
        """
        self.flow.close()

        wait(self.clock, UNREAD_TIMEOUT)

        self.assertTrue(self.transport.disconnected)

    def test_closeKeepsTheFirstDeadline(self) -> None:
        """
        Closing gives a peer that reads nothing no more time, and neither does what it reads
        afterwards.
        """
        self.flow.pauseProducing()
        wait(self.clock, UNREAD_TIMEOUT - 1)

        self.flow.close()
        self.flow.resumeProducing()
        wait(self.clock, 1)

        self.assertTrue(self.transport.disconnected)
