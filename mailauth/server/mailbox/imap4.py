"""
The mailbox half of an IMAP server (RFC 3501). Owns the commands that come after the login, in
place of those of L{twisted.mail.imap4.IMAP4Server}, which answer before the disk has, lose
updates, and fail on the messages of real life.
"""

from __future__ import annotations

import re

from twisted.internet.defer import CancelledError
from twisted.mail.imap4 import IllegalClientResponse, NoSuchMailbox, ReadOnlyMailbox
from twisted.python.failure import Failure

from ...mail.unexpected import logUnexpected
from .account import ListedMailbox, MailAccount
from .command import CommandIMAP4Server, Refused, command
from .fetch import Answers, answers, marksSeen, nextTurn, readAttributes, withFlags
from .message import Message
from .names import canonicalMailbox, fromWire, toWire
from .search import Criterion, SearchReader
from .selected import Mailbox
from .syntax import Arguments, listed, string

_STATUS_NAMES = ("MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN")
_STORE = re.compile(rb"([+-]?)FLAGS(\.SILENT)?", re.IGNORECASE)
_TRY_CREATE = b"[TRYCREATE] No such mailbox"
_SEARCH_STEP = 100
"""
How many messages are looked at before others who use the folder have their turn.
"""


class MailboxIMAP4Server(CommandIMAP4Server):
    """
    An IMAP server for L{MailAccount}s.
    """

    account: MailAccount

    _idleTag: bytes | None = None
    _withinMessage = False

    def capabilities(self) -> dict[bytes, list[bytes] | None]:
        """
        What can be done now.
        """
        capabilities = super().capabilities()
        if self.state != "unauth":
            capabilities[b"CHILDREN"] = None
            capabilities[b"UIDPLUS"] = None
            capabilities[b"UNSELECT"] = None
        return capabilities

    # Mailboxes

    async def _select(self, arguments: Arguments, writeable: bool = True) -> bytes:
        """
        RFC 3501 section 6.3.1. A failure, too, leaves the mailbox that was selected.
        """
        name = fromWire(arguments.astring())
        arguments.end()
        self._leave()
        mailbox = await self.account.select(name, writeable)
        if mailbox is None:
            raise NoSuchMailbox(name)
        await mailbox.refresh()
        mailbox.addListener(self)
        self.mbox, self.state = mailbox, "select"
        flags = listed(flag.encode("ascii") for flag in mailbox.getFlags())
        unseen = mailbox.firstUnseen()
        permanent = flags if mailbox.isWriteable() else b"()"
        self.sendUntaggedResponse(b"FLAGS " + flags)
        self.sendUntaggedResponse(b"%d EXISTS" % mailbox.getMessageCount())
        self.sendUntaggedResponse(b"%d RECENT" % mailbox.getRecentCount())
        if unseen is not None:
            self.sendPositiveResponse(None, b"[UNSEEN %d] First unseen message" % unseen)
        self.sendPositiveResponse(None, b"[UIDVALIDITY %d] UIDs valid" % mailbox.getUIDValidity())
        self.sendPositiveResponse(None, b"[UIDNEXT %d] Next UID" % mailbox.getUIDNext())
        self.sendPositiveResponse(None, b"[PERMANENTFLAGS %b] Flags kept" % permanent)
        mode = b"READ-WRITE" if mailbox.isWriteable() else b"READ-ONLY"
        return b"[" + mode + b"] Mailbox selected"

    async def _examine(self, arguments: Arguments) -> bytes:
        return await self._select(arguments, writeable=False)

    def _leave(self) -> None:
        mailbox, self.mbox, self.state = self.mbox, None, "auth"
        self._unheeded = False
        if mailbox is not None:
            mailbox.removeListener(self)

    async def _close(self, arguments: Arguments) -> bytes:
        """
        RFC 3501 section 6.4.2: nobody is told of what is expunged here.
        """
        arguments.end()
        if self._selected.isWriteable():
            await self._selected.expunge()
        self._leave()
        return b"Mailbox closed"

    async def _unselect(self, arguments: Arguments) -> bytes:
        """
        RFC 3691.
        """
        arguments.end()
        self._leave()
        return b"Mailbox left"

    async def _create(self, arguments: Arguments) -> bytes:
        await self.account.create(self._lastName(arguments))
        return b"Mailbox created"

    async def _delete(self, arguments: Arguments) -> bytes:
        await self.account.delete(self._lastName(arguments))
        return b"Mailbox deleted"

    async def _rename(self, arguments: Arguments) -> bytes:
        name = fromWire(arguments.astring())
        arguments.space()
        await self.account.rename(name, self._lastName(arguments))
        return b"Mailbox renamed"

    async def _subscribe(self, arguments: Arguments) -> bytes:
        await self.account.subscribe(self._lastName(arguments))
        return b"Subscribed"

    async def _unsubscribe(self, arguments: Arguments) -> bytes:
        await self.account.unsubscribe(self._lastName(arguments))
        return b"Unsubscribed"

    @staticmethod
    def _lastName(arguments: Arguments) -> str:
        name = fromWire(arguments.astring())
        arguments.end()
        return name

    async def _list(self, arguments: Arguments) -> bytes:
        reference, pattern = self._listArguments(arguments)
        if pattern:
            self._sendList(b"LIST", await self.account.listMailboxes(reference, pattern))
        else:
            # RFC 3501 section 6.3.8: this asks for the delimiter.
            self._sendList(b"LIST", [("", ListedMailbox(("\\Noselect",)))])
        return b"LIST completed"

    async def _lsub(self, arguments: Arguments) -> bytes:
        reference, pattern = self._listArguments(arguments)
        self._sendList(b"LSUB", await self.account.listSubscribed(reference, pattern))
        return b"LSUB completed"

    @staticmethod
    def _listArguments(arguments: Arguments) -> tuple[str, str]:
        reference = fromWire(arguments.astring())
        arguments.space()
        pattern = fromWire(arguments.listMailbox())
        arguments.end()
        return reference, pattern

    def _sendList(self, verb: bytes, mailboxes: list[tuple[str, ListedMailbox]]) -> None:
        for name, mailbox in mailboxes:
            attributes = listed(flag.encode("ascii") for flag in mailbox.getFlags())
            delimiter = string(mailbox.getHierarchicalDelimiter().encode("ascii"))
            self.sendUntaggedResponse(
                b" ".join((verb, attributes, delimiter, string(toWire(name))))
            )

    async def _status(self, arguments: Arguments) -> bytes:
        name = fromWire(arguments.astring())
        arguments.space()
        wanted = [one.decode("latin-1") for one in arguments.parenthesized(arguments.atom)]
        arguments.end()
        if not wanted or not set(wanted).issubset(_STATUS_NAMES):
            raise IllegalClientResponse("Unknown STATUS attribute")
        mailbox = await self.account.select(name, False)
        if mailbox is None:
            raise NoSuchMailbox(name)
        status = mailbox.requestStatus(wanted)
        counts = listed(b"%b %d" % (one.encode("ascii"), n) for one, n in status.items())
        self.sendUntaggedResponse(b"STATUS " + string(toWire(name)) + b" " + counts)
        return b"STATUS completed"

    async def _append(self, arguments: Arguments) -> bytes:
        """
        RFC 3501 section 6.3.11.
        """
        name = fromWire(arguments.astring())
        arguments.space()
        flags, date = list[str](), None
        if arguments.startsWith(b"("):
            flags = arguments.flags()
            arguments.space()
        if arguments.startsWith(b'"'):
            date = arguments.dateTime().timestamp()
            arguments.space()
        message = arguments.literal()
        arguments.end()
        mailbox = await self.account.select(name)
        if mailbox is None:
            raise Refused(_TRY_CREATE)
        uid = await mailbox.addMessage(message, flags, date)
        return b"[APPENDUID %d %d] APPEND completed" % (mailbox.getUIDValidity(), uid)

    # Messages

    @property
    def _selected(self) -> Mailbox:
        """
        The parent's table has this command for the selected state alone.
        """
        assert self.mbox is not None
        return self.mbox

    async def _refresh(self, arguments: Arguments) -> bytes:
        """
        NOOP and CHECK.
        """
        arguments.end()
        await self._selected.refresh()
        return b"Up to date"

    async def _expunge(self, arguments: Arguments, uid: bool = False) -> bytes:
        """
        RFC 3501 section 6.4.3, and RFC 4315's UID EXPUNGE.
        """
        uids = arguments.sequenceSet() if uid else None
        arguments.end()
        for number in await self._selected.expunge(uids):
            self.sendUntaggedResponse(b"%d EXPUNGE" % number)
        return b"EXPUNGE completed"

    async def _search(self, arguments: Arguments, uid: bool = False) -> bytes:
        mailbox = self._selected
        messages = mailbox.everything()
        count = mailbox.getMessageCount()
        lastUID = mailbox.getUID(count) if count else 0
        criterion = SearchReader(arguments, count, lastUID).read()
        found: list[tuple[int, Message]] = []
        for start in range(0, len(messages), _SEARCH_STEP):
            step = messages[start : start + _SEARCH_STEP]
            found += await mailbox.read(_matching, criterion, step)
            self.resetTimeout()
        numbers = (message.uid if uid else number for number, message in found)
        self.sendUntaggedResponse(b" ".join((b"SEARCH", *(b"%d" % n for n in numbers))))
        return b"SEARCH completed"

    async def _fetch(self, arguments: Arguments, uid: bool = False) -> bytes:
        mailbox = self._selected
        messages = arguments.sequenceSet()
        arguments.space()
        attributes = readAttributes(arguments)
        if uid and b"UID" not in attributes:
            attributes.insert(0, b"UID")
        news: dict[int, frozenset[str]] = {}
        if marksSeen(attributes) and mailbox.isWriteable():
            await mailbox.markSeen(messages, uid)
            news = mailbox.changed()
        fetched = mailbox.fetch(messages, uid)
        for number in news.keys() - {number for number, _ in fetched}:
            self.sendFlags(number, news[number], uid)
        asked = [
            (number, message, withFlags(attributes) if number in news else attributes)
            for number, message in fetched
        ]
        failures: list[Failure] = []
        await self._send(mailbox, answers(asked, failures))
        for failure in failures:
            if not failure.check(FileNotFoundError, NoSuchMailbox):
                logUnexpected(failure, "FETCH")
        if failures:
            raise Refused(b"[EXPUNGEISSUED] Some of the messages could not be read")
        return b"FETCH completed"

    async def _send(self, mailbox: Mailbox, rest: Answers) -> None:
        """
        Send as fast as the client reads.
        """
        try:
            while (turn := await mailbox.read(nextTurn, rest))[0]:
                if self.flow.closing:
                    raise CancelledError
                octets, isEnd = turn
                self._withinMessage = not isEnd
                self.transport.write(octets)
                await self.flow.drained()
                self.resetTimeout()
        except Exception as error:
            # It may hold a file open, and be at work still.
            mailbox.read(rest.close)
            if self._withinMessage and not isinstance(error, CancelledError):
                # Its length has been said already: there is no other way to say that it failed.
                logUnexpected(Failure(), "FETCH")
                self.transport.abortConnection()
                raise CancelledError
            raise

    def sayGoodbye(self, reason: bytes) -> None:
        """
        Not within a message, where it would be taken for a part of it.
        """
        if not self._withinMessage:
            super().sayGoodbye(reason)

    async def _store(self, arguments: Arguments, uid: bool = False) -> bytes:
        messages = arguments.sequenceSet()
        arguments.space()
        sign, silent = arguments.match(_STORE).groups()
        arguments.space()
        flags = arguments.flags()
        arguments.end()
        mode = {b"+": 1, b"-": -1, b"": 0}[sign]
        stored = await self._selected.store(messages, flags, mode, uid)
        for number, present in () if silent else stored.items():
            self.sendFlags(number, present, uid)
        return b"STORE completed"

    async def _copy(self, arguments: Arguments, uid: bool = False) -> bytes:
        messages = arguments.sequenceSet()
        arguments.space()
        name = canonicalMailbox(self._lastName(arguments))
        if self.account.readOnly:
            raise ReadOnlyMailbox
        try:
            target = await self.account.open(name)
        except NoSuchMailbox:
            raise Refused(_TRY_CREATE)
        copies = await self._selected.copy(messages, uid, target)
        if not copies:
            return b"Nothing to copy"
        sources, targets = (b",".join(map(b"%d".__mod__, u)) for u in (copies, copies.values()))
        validity = b"%d" % target.folder.uidList.uidValidity
        return b"[COPYUID " + b" ".join((validity, sources, targets)) + b"] COPY completed"

    async def _uid(self, arguments: Arguments) -> bytes:
        """
        RFC 3501 section 6.4.8, RFC 4315.
        """
        respond = {
            b"COPY": self._copy,
            b"EXPUNGE": self._expunge,
            b"FETCH": self._fetch,
            b"SEARCH": self._search,
            b"STORE": self._store,
        }.get(arguments.atom())
        if respond is None:
            raise IllegalClientResponse("Unknown UID command")
        arguments.space()
        return await respond(arguments, True)

    # IDLE

    def newMessages(self, exists: int | None, recent: int | None) -> None:
        """
        Who is not idle hears of it with the next answer.
        """
        if self._idleTag is not None:
            self.announce(idle=True)

    def do_IDLE(self, tag: bytes) -> None:
        """
        RFC 2177.
        """
        self._idleTag = tag
        self.parseState = "idle"
        self.sendContinuationRequest(b"idling")
        self.announce(idle=True)

    def parse_idle(self, line: bytes) -> None:
        """
        Only DONE ends it well.
        """
        tag, self._idleTag = self._idleTag, None
        self.parseState = "command"
        if line.upper() == b"DONE":
            self.sendPositiveResponse(tag, b"IDLE completed")
        else:
            self.sendBadResponse(tag, b"DONE was expected")

    auth_IDLE = select_IDLE = (do_IDLE,)  # type: ignore[assignment]  # the parent's has its own self

    auth_SELECT = select_SELECT = command(_select)
    auth_EXAMINE = select_EXAMINE = command(_examine)
    auth_CREATE = select_CREATE = command(_create)
    auth_DELETE = select_DELETE = command(_delete)
    auth_RENAME = select_RENAME = command(_rename)
    auth_SUBSCRIBE = select_SUBSCRIBE = command(_subscribe)
    auth_UNSUBSCRIBE = select_UNSUBSCRIBE = command(_unsubscribe)
    auth_LIST = select_LIST = command(_list)
    auth_LSUB = select_LSUB = command(_lsub)
    auth_STATUS = select_STATUS = command(_status)
    auth_APPEND = select_APPEND = command(_append, takesMessage=True)
    select_NOOP = select_CHECK = command(_refresh)
    select_CLOSE = command(_close)
    select_UNSELECT = command(_unselect)
    select_EXPUNGE = command(_expunge)
    select_SEARCH = command(_search, mayExpunge=False)
    select_FETCH = command(_fetch, mayExpunge=False)
    select_STORE = command(_store, mayExpunge=False)
    select_COPY = command(_copy)
    select_UID = command(_uid)


def _matching(
    criterion: Criterion, messages: list[tuple[int, Message]]
) -> list[tuple[int, Message]]:
    """
    Those that match. One that is gone, or that nobody can read, does not.
    """
    found = []
    for number, message in messages:
        try:
            if criterion(number, message):
                found.append((number, message))
        except Exception:  # noqa: S112 (there is nobody to tell)
            continue
        finally:
            message.forget()
    return found
