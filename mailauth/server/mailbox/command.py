"""
How a command of IMAP is done: in a coroutine, one after the other. Owns when its answer is
complete, and what it says if it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import connectionDone
from twisted.mail import imap4
from twisted.mail.imap4 import (
    IllegalClientResponse,
    MailboxCollision,
    MailboxException,
    NoSuchMailbox,
    ReadOnlyMailbox,
)
from twisted.python.failure import Failure

from ...mail.imap4 import IMAP4Server
from ...mail.unexpected import logUnexpected
from .fetch import flagList
from .search import BadCharset
from .selected import Mailbox
from .syntax import LITERAL, Arguments

MAX_LITERALS = 20
"""
How many literals a command may have.
"""

Respond = Callable[[Any, Arguments], Coroutine[Any, Any, bytes]]
"""
Does a command of a server, and returns what the tagged OK says.
"""


class Refused(Exception):
    """
    A command that cannot be done.

    @ivar text: the response code and the reason.
    """

    def __init__(self, text: bytes) -> None:
        super().__init__()
        self.text = text


# RFC 5530. In this order: the most general comes last.
_REFUSALS: tuple[tuple[type[Exception], bytes], ...] = (
    (NoSuchMailbox, b"[NONEXISTENT] No such mailbox"),
    (MailboxCollision, b"[ALREADYEXISTS] There is a mailbox of this name"),
    (ReadOnlyMailbox, b"[NOPERM] Nothing may be changed here"),
    (MailboxException, b"[CANNOT] This mailbox name is not possible here"),
    (BadCharset, b"[BADCHARSET (US-ASCII UTF-8)] Unknown character set"),
    (FileNotFoundError, b"[EXPUNGEISSUED] Some of the messages no longer exist"),
)


def command(respond: Respond, mayExpunge: bool = True, takesMessage: bool = False) -> Any:
    """
    An entry of the parent's table of commands.

    @param respond: does the command, and returns what the tagged OK says.
    @param mayExpunge: whether its answer may carry C{EXPUNGE} (RFC 3501 section 7.4.1).
    @param takesMessage: whether a literal that is not its first argument is a message.
    """

    def start(server: CommandIMAP4Server, tag: bytes, line: bytes) -> None:
        server.perform(tag, server.readLiterals(line, takesMessage), respond, mayExpunge)

    return (start, imap4.IMAP4Server.arg_line)


class CommandIMAP4Server(IMAP4Server):
    """
    An IMAP server that does one command at a time, and reads nothing meanwhile.
    """

    mbox: Mailbox | None

    _working: Deferred[None] | None = None
    _unheeded = False

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Nobody waits for the answer any more.
        """
        super().connectionLost(reason)
        if self._working is not None:
            self._working.cancel()

    # How a command is done

    def perform(
        self,
        tag: bytes,
        reading: Coroutine[Any, Any, Arguments],
        respond: Respond,
        mayExpunge: bool,
    ) -> None:
        """
        Do a command, whose answer may take its time.
        """
        working = Deferred.fromCoroutine(self._perform(tag, reading, respond, mayExpunge))
        if not working.called:
            self._working = working

    async def _perform(
        self,
        tag: bytes,
        reading: Coroutine[Any, Any, Arguments],
        respond: Respond,
        mayExpunge: bool,
    ) -> None:
        try:
            status, text = await self._outcome(reading, respond)
        except CancelledError:
            return
        try:
            self.announce(mayExpunge)
        except Exception:
            # The command was done, and must not be given again.
            logUnexpected(Failure(), "IMAP")
        self.sendLine(b" ".join((tag, status, text)))
        self._working = None
        self.flow.release("command")

    async def readLiterals(self, line: bytes, takesMessage: bool) -> Arguments:
        """
        Read the rest of a command that goes on behind literals.
        """
        text = b""
        literals: dict[int, Any] = {}
        while (announced := LITERAL.search(line)) is not None:
            place = len(text) + announced.start()
            if len(literals) == MAX_LITERALS or place > self.MAX_LENGTH:
                if announced[2]:
                    # It is on its way, and would be read as commands.
                    self.end("Too many literals")
                raise IllegalClientResponse("Command too long")
            text += line
            read = self.arg_literal if takesMessage and place else self.arg_finalastring
            # Of what announces a literal, both make a Deferred.
            literal: Any = read(announced[0])
            literals[place], line = await literal
        return Arguments(text + line, literals)

    async def _outcome(
        self, reading: Coroutine[Any, Any, Arguments], respond: Respond
    ) -> tuple[bytes, bytes]:
        """
        @return: the status and the text of the tagged response.
        """
        try:
            answer = Deferred.fromCoroutine(respond(self, await reading))
            if not answer.called:
                self.flow.hold("command")
            return b"OK", await answer
        except CancelledError:
            raise
        except IllegalClientResponse as error:
            return b"BAD", str(error.args[0]).encode("ascii")
        except Refused as refused:
            return b"NO", refused.text
        except Exception as error:
            for kind, text in _REFUSALS:
                if isinstance(error, kind):
                    return b"NO", text
            logUnexpected(Failure(), "IMAP")
            if isinstance(error, OSError):
                return b"NO", b"[UNAVAILABLE] The mail store cannot be used now"
            return b"NO", b"[SERVERBUG] Internal error"

    def announce(self, mayExpunge: bool = True, idle: bool = False) -> None:
        """
        Say what others have done to the mailbox.

        @param idle: this is what the mail client waits for. Of new messages that were told with
            the answer to a command Thunderbird takes no notice, so they are told again here.
        """
        if self.mbox is None:
            return
        for number in self.mbox.expunged() if mayExpunge else ():
            self.sendUntaggedResponse(b"%d EXPUNGE" % number)
        arrived = self.mbox.arrived()
        if arrived or (idle and self._unheeded):
            self.sendUntaggedResponse(b"%d EXISTS" % self.mbox.getMessageCount())
            self.sendUntaggedResponse(b"%d RECENT" % self.mbox.getRecentCount())
        self._unheeded = not idle and (arrived or self._unheeded)
        for number, flags in self.mbox.changed().items():
            self.sendFlags(number, flags, False)

    def sendFlags(self, number: int, flags: frozenset[str], uid: bool) -> None:
        """
        Say which flags a message has.

        @param uid: whether to name its UID, too.
        """
        assert self.mbox is not None
        named = b"UID %d " % self.mbox.getUID(number) if uid else b""
        self.sendUntaggedResponse(b"%d FETCH (%bFLAGS %b)" % (number, named, flagList(flags)))
