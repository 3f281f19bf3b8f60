"""
Lines for SMTP and POP3, in place of L{twisted.protocols.basic.LineOnlyReceiver}, which cannot
pause and keeps an endless line. Owns what has been read and not yet been handed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

CRLF = b"\r\n"


class LineReader:
    """
    A mixin, to stand before a Twisted protocol that derives from C{LineOnlyReceiver}.

    Only CRLF ends a line: where a bare line feed does too, the next hop sees another end of DATA
    than we do (W7). A line over C{MAX_LENGTH} is announced once, and skipped up to its end instead
    of kept (DS1). While paused, the lines that are already there wait.
    """

    MAX_LENGTH = 32768

    paused = False
    _unread = b""
    _next = 0
    _skipping = False
    _reading = False

    if TYPE_CHECKING:

        def lineReceived(self, line: bytes) -> object: ...

    def dataReceived(self, octets: bytes) -> None:
        """
        Hand on every line that is complete.
        """
        self._unread = self._unread + octets if self._unread else octets
        # A resume from inside a line must not start a second loop.
        if self._reading:
            return
        self._reading = True
        try:
            self._readLines()
        finally:
            self._reading = False

    def _readLines(self) -> None:
        while not self.paused:
            end = self._unread.find(CRLF, self._next)
            if end < 0:
                self._keepRest()
                return
            line = self._unread[self._next : end]
            self._next = end + 2
            if self._skipping:
                self._skipping = False
            elif len(line) > self.MAX_LENGTH:
                self.lineTooLong(line[:64])
            else:
                self.lineReceived(line)

    def _keepRest(self) -> None:
        """
        What is left has no end yet.
        """
        rest, self._next = self._unread[self._next :], 0
        if len(rest) > self.MAX_LENGTH + 1 and not self._skipping:
            self._skipping = True
            self.lineTooLong(rest[:64])
        if self._skipping:
            rest = b"\r" if rest.endswith(b"\r") else b""
        self._unread = rest

    def lineTooLong(self, start: bytes) -> None:
        """
        A line is longer than C{MAX_LENGTH}. It was not handed on, and what follows it will be.

        @param start: its first octets.
        """
        raise NotImplementedError

    def unfinished(self) -> bool:
        """
        Whether a line has begun that has not ended.
        """
        return self._skipping or len(self._unread) > self._next

    def clearLineBuffer(self) -> bytes:
        """
        Forget, and return, what was read and not yet handed on.
        """
        rest, self._unread, self._next = self._unread[self._next :], b"", 0
        return rest
