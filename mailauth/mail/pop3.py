"""
A drop-in for L{twisted.mail.pop3.POP3} (RFC 1939, 2449) that logs in by SASL (RFC 5034, RFC 7628).
Owns the commands, and how long answers are given.

What is in the maildrop is the business of the C{IMailboxPOP3}.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import closing
from typing import Any

from twisted.cred.portal import Portal
from twisted.internet.defer import CancelledError, maybeDeferred
from twisted.internet.interfaces import ITLSTransport
from twisted.internet.protocol import connectionDone
from twisted.mail import pop3
from twisted.mail.interfaces import IMailboxPOP3
from twisted.python.failure import Failure

from ..credentials import UsernamePassword
from ..errors import LoginError, ResponseTooLong, UnknownMechanism
from ..interfaces import IMechanism
from .connection import looksLikeHTTP
from .dialogue import Dialogue
from .lines import CRLF
from .outgoing import wireForm
from .unexpected import logUnexpected

# RFC 1939 section 3: numbers are decimal. Python would read "+1" and "1_0" too (W11).
_NUMBER = re.compile(rb"[0-9]{1,10}")

# RFC 1939, 2449, 2595 and 5034: how many arguments a command takes, at least and at most. There
# is no APOP, which needs the clear password on the server and MD5 to be strong.
_BEFORE_LOGIN = {
    b"AUTH": (0, 2),
    b"CAPA": (0, 0),
    b"PASS": (1, 1),
    b"QUIT": (0, 0),
    b"STLS": (0, 0),
    b"USER": (1, 1),
}
_AFTER_LOGIN = {
    b"CAPA": (0, 0),
    b"DELE": (1, 1),
    b"LIST": (0, 1),
    b"NOOP": (0, 0),
    b"QUIT": (0, 0),
    b"RETR": (1, 1),
    b"RSET": (0, 0),
    b"STAT": (0, 0),
    b"TOP": (2, 2),
    b"UIDL": (0, 1),
}

# Theirs is one argument, and all of the line: a password may hold and begin with spaces.
_WHOLE_LINE = frozenset({b"PASS", b"USER"})

_PASSWORDS = frozenset({b"PLAIN", b"LOGIN"})


class POP3(Dialogue, pop3.POP3):
    """
    A POP3 server that takes tokens and passwords by SASL::

        server = POP3(mechanisms=[OAUTHBEARER, XOAUTH2, PLAIN])
        server.portal = portal

    @cvar timeOut: for how many seconds a client that has logged in may be silent; RFC 1939
        section 3 wants ten minutes at least.
    """

    service = "pop3"
    avatarInterface = IMailboxPOP3

    timeOut = 600

    portal: Portal | None = None  # type: ignore[assignment]  # the parent infers None
    mbox: Any = None
    _userIs: bytes | None

    def __init__(self, mechanisms: Iterable[IMechanism] = (), contextFactory: Any = None) -> None:
        """
        @param mechanisms: what C{AUTH} takes, the preferred one first. USER and PASS are there if
            one of them is PLAIN or LOGIN.
        @param contextFactory: for STLS; C{None} if there is none.
        """
        self.offer(mechanisms)
        self.ctx = contextFactory

    def connectionMade(self) -> None:
        """
        Greet, without what APOP would hash.
        """
        self.opened()
        self.successResponse(b"mailauth ready")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Log out. Nothing is deleted without QUIT (RFC 1939 section 6).
        """
        self.closed()

    # What is read, and what is said

    def lineTooLong(self, start: bytes) -> None:
        """
        No command of POP3 is that long.
        """
        if self.login.exchanging:
            self.login.breakOff(ResponseTooLong())
        else:
            self.failResponse(b"Line too long")
        self.end("Line too long")

    def commandReceived(self, line: bytes) -> None:
        """
        Find out what a line asks for.
        """
        verb, _, rest = line.partition(b" ")
        verb = verb.upper()
        if verb in _WHOLE_LINE:
            self.processCommand(verb, *([rest] if rest else []))
        elif looksLikeHTTP(line):
            self.failResponse(b"This is not a web server")
            self.end("This is not a web server")
        else:
            self.processCommand(verb, *rest.split())

    def processCommand(self, command: bytes, *args: bytes) -> None:
        """
        Do what a command says, if it may be said now.
        """
        commands = _AFTER_LOGIN if self.login.succeeded else _BEFORE_LOGIN
        arity = commands.get(command)
        if arity is None:
            known = command in _BEFORE_LOGIN or command in _AFTER_LOGIN
            self.failResponse(b"Not possible now" if known else b"Unknown command")
        elif not arity[0] <= len(args) <= arity[1]:
            self.failResponse(b"Wrong number of arguments")
        else:
            getattr(self, "do_" + command.decode("ascii"))(*args)

    def successResponse(self, message: bytes = b"OK") -> None:
        """
        RFC 1939 section 3.
        """
        self.sendLine(b"+OK " + message)

    def replyFailure(self, failure: Failure) -> None:
        """
        In our own words.
        """
        if failure.check(ValueError, IndexError):
            self.failResponse(b"No such message")
        elif failure.check(pop3.POP3Error):
            self.failResponse(b"[SYS/PERM] Not permitted")
        else:
            logUnexpected(failure, "POP3")
            self.failResponse(b"[SYS/TEMP] Cannot do this now. Try again later.")

    async def _answer(self, title: bytes, pieces: AsyncIterator[bytes]) -> None:
        """
        Give a long answer, each part once the client has taken what came before it (DS6).
        """
        self.successResponse(title)
        try:
            async for piece in pieces:
                await self._send(piece)
            await self._send(b".\r\n")
        except Exception:
            if not self.flow.closing:
                # What was said cannot be taken back, and this is no end of a message.
                logUnexpected(Failure(), "POP3")
                self.end("The answer failed")

    async def _send(self, piece: bytes) -> None:
        if not self.flow.closing:
            await self.flow.drained()
        if self.flow.closing:
            raise CancelledError
        self.resetTimeout()
        self.transport.write(piece)

    # The session

    def listCapabilities(self) -> list[bytes]:
        """
        What can be done now: RFC 2449 section 5, RFC 3206, RFC 5034.
        """
        capabilities = [
            b"TOP",
            b"UIDL",
            b"PIPELINING",
            b"RESP-CODES",
            b"AUTH-RESP-CODE",
            b"EXPIRE NEVER",
            b"IMPLEMENTATION mailauth",
        ]
        if not self.login.succeeded:
            offered = self.offered()
            if offered:
                capabilities.append(b" ".join((b"SASL", *offered)))
            if not _PASSWORDS.isdisjoint(offered):
                capabilities.append(b"USER")
            if self._mayStartTLS():
                capabilities.append(b"STLS")
        return capabilities

    def do_CAPA(self) -> None:
        """
        RFC 2449 section 5.
        """
        self._list(b"What can be done now:", self.listCapabilities())

    def _list(self, title: bytes, lines: Iterable[bytes]) -> None:
        self.successResponse(title)
        for line in lines:
            self.sendLine(line)
        self.sendLine(b".")

    def _mayStartTLS(self) -> bool:
        return (
            self.ctx is not None
            and ITLSTransport.providedBy(self.transport)
            and not self._encrypted
        )

    def do_STLS(self) -> None:
        """
        RFC 2595 section 4. Whatever came behind the command was written by somebody who could not
        know the key: it ends the connection (W1). Whatever came before is forgotten (W2).
        """
        if not self._mayStartTLS():
            self.failResponse(b"TLS is not available")
        elif self.clearLineBuffer():
            self.failResponse(b"Nothing may follow STLS before TLS")
            self.end("Commands sent before TLS")
        else:
            self.successResponse(b"Begin TLS negotiation now")
            self._userIs = None
            self.startTLS(self.ctx)

    def do_QUIT(self) -> None:
        """
        RFC 1939 sections 4 and 6.
        """
        self.perform(self._quit())

    async def _quit(self) -> None:
        if self.login.succeeded:
            try:
                await maybeDeferred(self.mbox.sync)
            except Exception:
                self.replyFailure(Failure())
                self.flow.close()
                return
        self.successResponse(b"Goodbye")
        self.flow.close()

    def do_NOOP(self) -> None:
        """
        RFC 1939 section 5.
        """
        self.successResponse()

    # Login

    def do_AUTH(self, args: bytes | None = None, initialResponse: bytes | None = None) -> None:
        """
        RFC 5034 section 4. Without a mechanism, which is older than CAPA, they are listed.
        """
        if args is None:
            self._list(b"Mechanisms:", self.offered())
        else:
            self.login.authenticate(args, initialResponse)

    def do_USER(self, user: bytes) -> None:
        """
        RFC 1939 section 7. Every name is welcome: who has a maildrop here is told to nobody. But
        where no password is taken none is asked for.
        """
        if not self.isPrivate():
            self.login.refuseExposed(False)
        elif _PASSWORDS.isdisjoint(self.offered()):
            self.loginFailed(UnknownMechanism())
        else:
            self._userIs = user
            self.successResponse(b"Send the password")

    def do_PASS(self, password: bytes, *words: bytes) -> None:
        """
        RFC 1939 section 7.
        """
        user, self._userIs = self._userIs, None
        if not self.isPrivate():
            self.login.refuseExposed(True)
        elif user is None:
            self.failResponse(b"USER comes first")
        else:
            self.login.present(UsernamePassword(user, password))

    def sendChallenge(self, challenge: bytes) -> None:
        """
        See L{ILoginWire<mailauth.mail.login.ILoginWire>}. The space stands before an empty
        challenge too (RFC 5034 section 4).
        """
        self.sendLine(b"+ " + challenge)

    def loginSucceeded(self, avatar: Any) -> None:
        """
        See L{ILoginWire<mailauth.mail.login.ILoginWire>}.
        """
        self.mbox = avatar
        self.admitted(self.timeOut)
        self.successResponse(b"Logged in")

    def loginFailed(self, error: LoginError) -> None:
        """
        See L{ILoginWire<mailauth.mail.login.ILoginWire>}.
        """
        self.sendLine(error.dialect.pop3 + b" " + error.text)

    # The maildrop. A message whose size is 0 is marked as deleted.

    def do_STAT(self) -> None:
        """
        RFC 1939 section 5.
        """
        self.perform(self._stat())

    async def _stat(self) -> None:
        sizes = [size for size in await maybeDeferred(self.mbox.listMessages) if size]
        self.successResponse(b"%d %d" % (len(sizes), sum(sizes)))

    def do_LIST(self, i: bytes | None = None) -> None:
        """
        RFC 1939 section 5.
        """
        self.perform(self._scan(i, lambda index, size: b"%d" % size))

    def do_UIDL(self, i: bytes | None = None) -> None:
        """
        RFC 1939 section 7.
        """
        self.perform(self._scan(i, lambda index, size: self.mbox.getUidl(index)))

    async def _scan(self, i: bytes | None, describe: Callable[[int, int], Any]) -> None:
        """
        Say a thing of one message, or of all of them.
        """
        if i is None:
            sizes = await maybeDeferred(self.mbox.listMessages)
            await self._answer(b"The list follows", _listing(sizes, describe))
        else:
            index, size = await self._message(i)
            self.successResponse(await _listed(index, size, describe))

    async def _message(self, i: bytes) -> tuple[int, int]:
        """
        The index and the size of a message.

        @raise ValueError: there is none of that number.
        """
        if _NUMBER.fullmatch(i) is None:
            raise ValueError
        index = int(i) - 1
        if index < 0:
            raise ValueError
        size = await maybeDeferred(self.mbox.listMessages, index)
        if not size:
            raise ValueError
        return index, size

    def do_RETR(self, i: bytes) -> None:
        """
        RFC 1939 section 5.
        """
        self.perform(self._retrieve(i, None))

    def do_TOP(self, i: bytes, size: bytes) -> None:
        """
        RFC 1939 section 7.
        """
        if _NUMBER.fullmatch(size) is None:
            self.failResponse(b"Malformed number of lines")
        else:
            self.perform(self._retrieve(i, int(size)))

    async def _retrieve(self, i: bytes, bodyLines: int | None) -> None:
        index, size = await self._message(i)
        with closing(await maybeDeferred(self.mbox.getMessage, index)) as message:
            await self._answer(b"%d octets" % size, _each(wireForm(message, bodyLines)))

    def do_DELE(self, i: bytes) -> None:
        """
        RFC 1939 section 5.
        """
        self.perform(self._delete(i))

    async def _delete(self, i: bytes) -> None:
        index, _ = await self._message(i)
        await maybeDeferred(self.mbox.deleteMessage, index)
        self.successResponse(b"Marked for deletion")

    def do_RSET(self) -> None:
        """
        RFC 1939 section 5.
        """
        self.perform(self._undelete())

    async def _undelete(self) -> None:
        await maybeDeferred(self.mbox.undeleteMessages)
        self.successResponse(b"Nothing is marked any more")


async def _each(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _listing(
    sizes: Iterable[int], describe: Callable[[int, int], Any]
) -> AsyncIterator[bytes]:
    """
    The lines of a scan listing, many at a time.
    """
    lines: list[bytes] = []
    for index, size in enumerate(sizes):
        if size:
            lines.append(await _listed(index, size, describe) + CRLF)
        if len(lines) == 1000:
            yield b"".join(lines)
            lines.clear()
    yield b"".join(lines)


async def _listed(index: int, size: int, describe: Callable[[int, int], Any]) -> bytes:
    text = await maybeDeferred(describe, index, size)
    return b"%d %b" % (index + 1, text if isinstance(text, bytes) else text.encode("ascii"))
