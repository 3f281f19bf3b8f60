"""
A message on its way in. Owns what SMTP's DATA has brought so far, and what went wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import DeferredList, maybeDeferred
from twisted.mail.smtp import SMTPServerError
from twisted.python.failure import Failure

from .unexpected import logUnexpected

# RFC 5321 section 2.3.8: CR and LF come in pairs only, and a line that was cut there has none. A
# next hop that takes one for a line end would see another message than we do (W7, W8).
_NOT_TEXT = re.compile(rb"[\x00\r\n]")


class IncomingMessage:
    """
    One message, with an C{IMessage} for each recipient, or one for several: that one gets the
    message once.

    Whatever goes wrong is kept until all of the message is there, because only then does the
    client listen. From then on the rest is read and thrown away.
    """

    __slots__ = ("_failure", "_limit", "_parts", "_size")

    def __init__(self, limit: int) -> None:
        """
        @param limit: how many octets it may have.
        """
        self._limit = limit
        self._parts: list[Any] = []
        self._size = 0
        self._failure: Failure | None = None

    def open(self, makeParts: Iterable[tuple[Callable[[], Any], bytes | None]]) -> None:
        """
        Begin to write. What fails here is raised.

        @param makeParts: for each recipient what makes an C{IMessage}, and the trace header that
            goes before the message.
        """
        known: set[int] = set()
        try:
            for makePart, header in makeParts:
                part = makePart()
                if id(part) in known:
                    continue
                known.add(id(part))
                self._parts.append(part)
                if header:
                    part.lineReceived(header)
        except BaseException:
            self.drop()
            raise

    def keep(self, line: bytes) -> None:
        """
        One more line, dot-stuffed as it came (RFC 5321 section 4.5.2).
        """
        if self._failure is not None:
            return
        first = self._size == 0
        self._size += len(line) + 2
        if self._size > self._limit:
            self.fail(552, "5.3.4 Message too large")
        elif _NOT_TEXT.search(line):
            self.fail(554, "5.6.0 The message holds a bare CR or LF, or a NUL")
        else:
            self._write(line.removeprefix(b"."), first)

    def fail(self, code: int, text: str) -> None:
        """
        It cannot be taken.
        """
        self._fail(Failure(SMTPServerError(code, text)))

    def drop(self) -> None:
        """
        It will not be complete.
        """
        parts, self._parts = self._parts, []
        for part in parts:
            try:
                part.connectionLost()
            except Exception:
                logUnexpected(Failure(), "SMTP")

    async def finish(self) -> None:
        """
        All of it is there. Returns when the client may forget it; raises what went wrong.
        """
        if self._failure is None:
            parts, self._parts = self._parts, []
            outcomes = await DeferredList(
                [maybeDeferred(part.eomReceived) for part in parts], consumeErrors=True
            )
            for succeeded, outcome in outcomes:
                if not succeeded:
                    self._fail(outcome)
        if self._failure is not None:
            self._failure.raiseException()

    def _write(self, line: bytes, first: bool) -> None:
        # It has no header of its own, and would continue ours.
        separate = first and line and (b":" not in line or line[:1] in b" \t")
        try:
            for part in self._parts:
                if separate:
                    part.lineReceived(b"")
                part.lineReceived(line)
        except Exception:
            self._fail(Failure())

    def _fail(self, failure: Failure) -> None:
        # The client can be told one of them.
        if self._failure is None:
            self._failure = failure
        elif not failure.check(SMTPServerError):
            logUnexpected(failure, "SMTP")
        self.drop()
