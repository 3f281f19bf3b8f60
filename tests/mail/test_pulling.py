"""
Long answers that C{twisted.mail} produces by itself.
"""

from __future__ import annotations

from io import BytesIO

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.mail.imap4 import FileProducer
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.mail.flow import UNREAD_TIMEOUT, Flow
from mailauth.mail.pulling import PullingConsumer

from .rooms import Attended, enterRoom, wait

MESSAGE = b"some text\r\n" * 20_000


class Brimming(StringTransport):
    """
    A transport whose peer reads only when told to.
    """

    def write(self, octets: bytes) -> None:
        """
        Take it, and ask for no more.
        """
        super().write(octets)
        if self.producer is not None:
            self.producer.pauseProducing()


class Unreadable(BytesIO):
    """
    A file on a bad disk.
    """

    def read(self, size: int | None = -1) -> bytes:
        """
        Fail, quoting what was read.
        """
        raise OSError("plan" + "ted")


class Reader(Attended, LineReceiver):
    """
    The other half of the connection.
    """


class PullingConsumerTests(SynchronousTestCase):
    """
    L{PullingConsumer}, with the producer that the parent class uses.
    """

    def produce(self, transport: StringTransport, file: BytesIO) -> Deferred[object]:
        """
        Send a file over a transport.
        """
        self.clock = Clock()
        self.transport = transport
        reader = Reader()
        reader.makeConnection(transport)
        self.deadlines = enterRoom(reader, self.clock)
        self.flow = Flow(reader, self.deadlines)
        consumer = PullingConsumer(transport, self.flow)
        verifyObject(IConsumer, consumer)
        done: Deferred[object] = FileProducer(file).beginProducing(consumer)
        return done

    def test_atOnce(self) -> None:
        """
        What the transport takes at once is sent at once.
        """
        done = self.produce(StringTransport(), BytesIO(MESSAGE))

        self.successResultOf(done)
        self.assertEqual(b"{%d}\r\n" % len(MESSAGE) + MESSAGE, self.transport.value())

    def test_waits(self) -> None:
        """
        One part is sent for each that was read (DS6, S13).
        """
        done = self.produce(Brimming(), BytesIO(MESSAGE))
        sizes = []
        while not done.called:
            sizes.append(len(self.transport.value()))
            self.flow.resumeProducing()

        self.assertEqual([65536, 131072, 196608, len(MESSAGE)], [n - 10 for n in sizes])
        self.assertIs(None, self.deadlines.cutOff)

    def test_neverRead(self) -> None:
        """
        A peer that does not read its answer is cut off (DS6).
        """
        self.produce(Brimming(), BytesIO(MESSAGE))

        wait(self.clock, UNREAD_TIMEOUT)

        self.assertTrue(self.transport.disconnected)

    def test_lost(self) -> None:
        """
        When the connection is lost nothing more is sent, and that is no error.
        """
        done = self.produce(Brimming(), BytesIO(MESSAGE))
        sent = self.transport.value()

        with capturedLogs() as events:
            self.flow.lost()

        self.assertNoResult(done)
        self.assertEqual(sent, self.transport.value())
        self.assertEqual([], list(events))

    def test_broken(self) -> None:
        """
        An answer that cannot go on ends the connection, for its client waits for a number of
        octets; the log hears what kind of error it was, and not its words.
        """
        with capturedLogs() as events:
            self.produce(StringTransport(), Unreadable(MESSAGE))

        self.assertTrue(self.transport.disconnected)
        (event,) = events
        self.assertIn("OSError", formatEvent(event))
        self.assertNotIn("planted", f"{formatEvent(event)} {event}")
