"""
What SMTP and POP3 have in common: a client says a line, and is answered. Owns the order: one
command after the other, however long an answer takes.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from .connection import MailConnection
from .lines import LineReader


class Dialogue(MailConnection, LineReader):
    """
    A mixin, to stand before a protocol of L{twisted.mail} that derives from C{LineOnlyReceiver}.
    """

    def sendLine(self, line: bytes) -> None:
        """
        Send a line, unless the last has been sent.
        """
        if not self.flow.closing:
            super().sendLine(line)  # type: ignore[misc]  # that of the protocol behind

    def lineReceived(self, line: bytes) -> None:
        """
        A command, or the answer to a challenge.
        """
        self.deadlines.lineEnded()
        try:
            if self.login.exchanging:
                self.login.respond(line)
            else:
                self.commandReceived(line)
        except Exception:
            self.replyFailure(Failure())

    def commandReceived(self, line: bytes) -> None:
        """
        A line that answers no challenge.
        """
        raise NotImplementedError

    def replyFailure(self, failure: Failure) -> None:
        """
        A command could not be done.
        """
        raise NotImplementedError

    def perform(self, command: Coroutine[Any, Any, None]) -> None:
        """
        Do what may have to wait for somebody else. Commands are answered in their order (RFC 2920
        section 3.1, RFC 2449 section 6.6), so what comes behind this one waits too.
        """
        pending = Deferred.fromCoroutine(command).addErrback(self.replyFailure)
        if not pending.called:
            self.flow.hold("command")
            pending.addCallback(lambda _: self.flow.release("command"))
