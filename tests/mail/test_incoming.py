"""
L{mailauth.mail.incoming}, without a connection.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.mail.interfaces import IMessageSMTP
from twisted.mail.smtp import SMTPServerError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailauth.mail.incoming import IncomingMessage

TRACE = b"Received: from somebody\r\n\tfor <bob@example.test>; a date"


@implementer(IMessageSMTP)
class Part:
    """
    What one recipient gets, or several.
    """

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.ended = self.lost = 0

    def lineReceived(self, line: bytes) -> None:
        """
        Keep it.
        """
        self.lines.append(line)

    def eomReceived(self) -> Deferred[None]:
        """
        Count it.
        """
        self.ended += 1
        return succeed(None)

    def connectionLost(self) -> None:
        """
        Count it.
        """
        self.lost += 1


def making(part: Part) -> Callable[[], Part]:
    """
    What makes this part.
    """
    return lambda: part


class IncomingMessageTests(SynchronousTestCase):
    """
    What becomes of the lines.
    """

    def receive(self, parts: list[Part], *lines: bytes) -> None:
        """
        A message for one recipient after another.
        """
        message = IncomingMessage(1000)
        message.open((making(part), TRACE) for part in parts)
        for line in lines:
            message.keep(line)
        self.successResultOf(Deferred.fromCoroutine(message.finish()))

    def test_each(self) -> None:
        """
        Each recipient's IMessage has the trace header and the message.
        """
        parts = [Part(), Part()]

        self.receive(parts, b"Subject: x", b"", b"body")

        for part in parts:
            self.assertEqual(part.lines, [TRACE, b"Subject: x", b"", b"body"])
            self.assertEqual((part.ended, part.lost), (1, 0))

    def test_shared(self) -> None:
        """
        An IMessage that several recipients share has the message once, and ends once: a line costs
        no more for a thousand recipients than for one.
        """
        shared, own = Part(), Part()

        self.receive([shared, own, shared, shared], b"Subject: x")

        for part in (shared, own):
            self.assertEqual(part.lines, [TRACE, b"Subject: x"])
            self.assertEqual((part.ended, part.lost), (1, 0))

    def test_sharedLost(self) -> None:
        """
        One that is shared is dropped once, too.
        """
        shared = Part()
        message = IncomingMessage(1000)
        message.open((lambda: shared, None) for _ in range(3))

        message.drop()

        self.assertEqual((shared.ended, shared.lost), (0, 1))

    def test_continuation(self) -> None:
        """
        Whatever the message begins with, it continues no line of the trace header: what somebody
        wrote there would read as if this server had said it.
        """
        for first in (
            b"\tby trusted.example with ESMTPS: forged",
            b" with ESMTPS: forged",
            b"\t",
            b"no header",
        ):
            part = Part()
            self.receive([part], first, b"Subject: x")
            self.assertEqual(part.lines, [TRACE, b"", first, b"Subject: x"])

    def test_noContinuation(self) -> None:
        """
        A header follows the trace header at once, and an empty line ends both.
        """
        for first in (b"Subject: x", b"X-Empty:", b""):
            part = Part()
            self.receive([part], first, b"more")
            self.assertEqual(part.lines, [TRACE, first, b"more"])

    def test_tooLarge(self) -> None:
        """
        What is too large is dropped at once, and refused at the end.
        """
        part = Part()
        message = IncomingMessage(10)
        message.open([(lambda: part, None)])

        message.keep(b"12345678")
        message.keep(b"")

        self.assertEqual((part.ended, part.lost), (0, 1))
        error = self.failureResultOf(Deferred.fromCoroutine(message.finish()), SMTPServerError)
        self.assertEqual(error.value.code, 552)
