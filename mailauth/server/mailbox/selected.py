"""
A mailbox as one connection sees it. Owns the sequence numbers, which change only when the
connection is told (RFC 3501 section 7.4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred
from twisted.mail.imap4 import (
    IMailbox,
    IMailboxListener,
    MessageSet,
    ReadOnlyMailbox,
    statusRequestHelper,
)
from zope.interface import implementer

from .folder import FLAGS, Entry
from .message import Message
from .names import DELIMITER
from .shared import SharedFolder
from .syntax import membership

_CANONICAL_FLAGS = {flag.lower(): flag for flag in FLAGS}


@implementer(IMailbox)
class Mailbox:
    """
    A view of a folder, which lags behind until L{expunged}, L{arrived} and L{changed} are asked
    and the connection has been told. A thread may put others in place of the folder's messages at
    any time: each method looks at them once.
    """

    def __init__(self, shared: SharedFolder, writeable: bool) -> None:
        """
        @param shared: it has been scanned.
        """
        self._shared = shared
        self._folder = shared.folder
        self._writeable = writeable
        self._listeners: list[Any] = []
        self._recent: set[int] = set()
        self._seen = self._folder.messages
        self._letters = {uid: entry.letters for uid, entry in self._seen.items()}
        self._uids = list(self._seen)
        self._noteNew(self._seen)

    # What the connection has been told

    def getFlags(self) -> list[str]:
        """
        See L{IMailbox}.
        """
        return list(FLAGS)

    def getHierarchicalDelimiter(self) -> str:
        """
        See L{IMailbox}.
        """
        return DELIMITER

    def getUIDValidity(self) -> int:
        """
        See L{IMailbox}.
        """
        return self._folder.uidList.uidValidity

    def getUIDNext(self) -> int:
        """
        See L{IMailbox}.
        """
        return self._folder.uidList.uidNext

    def getUID(self, message: int) -> int:
        """
        See L{IMailbox}.
        """
        return self._uids[message - 1]

    def getMessageCount(self) -> int:
        """
        See L{IMailbox}.
        """
        return len(self._uids)

    def getRecentCount(self) -> int:
        """
        See L{IMailbox}.
        """
        return len(self._recent.intersection(self._letters))

    def getUnseenCount(self) -> int:
        """
        See L{IMailbox}.
        """
        return sum("S" not in letters for letters in self._letters.values())

    def firstUnseen(self) -> int | None:
        """
        The number of the first message that nobody has read, if there is one.
        """
        unseen = (n for n, uid in enumerate(self._uids, 1) if "S" not in self._letters[uid])
        return next(unseen, None)

    def isWriteable(self) -> bool:
        """
        See L{IMailbox}.
        """
        return self._writeable

    def requestStatus(self, names: Iterable[str]) -> dict[str, int]:
        """
        See L{IMailbox}.
        """
        status: dict[str, int] = statusRequestHelper(self, names)
        return status

    def fetch(self, messages: MessageSet, uid: bool) -> list[tuple[int, Message]]:
        """
        See L{IMailbox}. Those that are gone already are passed over.
        """
        present = self._folder.messages
        return [
            (number, Message(self._folder, one, self._flags(present[one])))
            for number, one in self._among(messages, uid)
            if one in present
        ]

    def everything(self) -> list[tuple[int, Message]]:
        """
        All messages with their numbers.
        """
        return self.fetch(MessageSet(1, None), False)

    # What the connection does

    def refresh(self) -> Deferred[None]:
        """
        Look what other programs have done. New messages become recent here, and nowhere else if
        the mailbox is writeable.
        """

        async def refresh() -> None:
            if self._writeable:
                self._recent |= await self._run(self._folder.claim)
            else:
                await self._run(self._folder.scan)
                self._noteNew(self._folder.messages)

        return Deferred.fromCoroutine(refresh())

    def addMessage(
        self, message: bytes | BinaryIO, flags: Iterable[str] = (), date: float | None = None
    ) -> Deferred[int]:
        """
        See L{IMailbox}.

        @param date: in seconds since the epoch.
        """
        self._mayWrite()
        return self._run(self._folder.append, message, _known(flags), date)

    def store(
        self, messages: MessageSet, flags: Iterable[str], mode: int, uid: bool
    ) -> Deferred[dict[int, frozenset[str]]]:
        """
        See L{IMailbox}. Flags that cannot be kept are ignored.
        """

        async def store() -> dict[int, frozenset[str]]:
            numbers = self._among(messages, uid)
            await self._changeFlags((one for _, one in numbers), flags, mode)
            present = self._folder.messages
            stored = {number: present[one] for number, one in numbers if one in present}
            self._letters |= {entry.uid: entry.letters for entry in stored.values()}
            return {number: self._flags(entry) for number, entry in stored.items()}

        self._mayWrite()
        return Deferred.fromCoroutine(store())

    def markSeen(self, messages: MessageSet, uid: bool) -> Deferred[None]:
        """
        Somebody is reading these messages. The connection has yet to be told.
        """
        self._mayWrite()
        unread = [one for _, one in self._among(messages, uid) if "S" not in self._letters[one]]
        return self._changeFlags(unread, ["\\Seen"], 1)

    def expunge(self, uids: MessageSet | None = None) -> Deferred[list[int]]:
        """
        See L{IMailbox}. The last comes first, so that each number holds when it is told.

        @param uids: of all that are marked, take only those in this set (RFC 4315).
        """

        async def expunge() -> list[int]:
            among = self._among(MessageSet(1, None) if uids is None else uids, True)
            deleted = [uid for _, uid in among if "T" in self._letters[uid]]
            await self._run(self._folder.remove, deleted)
            return self.expunged()

        self._mayWrite()
        return Deferred.fromCoroutine(expunge())

    def copy(
        self, messages: MessageSet, uid: bool, target: SharedFolder
    ) -> Deferred[dict[int, int]]:
        """
        Copy messages into another folder: all of them, or none.

        @return: the UIDs of the copies, by those of the messages.
        """

        async def copy() -> dict[int, int]:
            uids = [one for _, one in self._among(messages, uid)]
            copies = await self._shared.runWith(target, self._folder.copyTo, uids, target.folder)
            return dict(zip(uids, copies, strict=True))

        return Deferred.fromCoroutine(copy())

    def read(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """
        Call a function that reads messages, in a thread.
        """
        return self._run(call, *arguments)

    def destroy(self) -> None:
        """
        See L{IMailbox}. It is the account that deletes mailboxes.
        """

    # What the connection has yet to be told

    def expunged(self) -> list[int]:
        """
        The numbers of the messages that are gone, the last first. From now on they are those of
        others.
        """
        present = self._folder.messages
        gone = [number for number, uid in enumerate(self._uids, 1) if uid not in present]
        if gone:
            self._uids = [uid for uid in self._uids if uid in present]
            self._letters = {uid: self._letters[uid] for uid in self._uids}
        return gone[::-1]

    def arrived(self) -> bool:
        """
        Whether there are new messages. From now on they have numbers.
        """
        present = self._folder.messages
        self._noteNew(present)
        last = self._uids[-1] if self._uids else 0
        new = {uid: entry.letters for uid, entry in present.items() if uid > last}
        self._uids += new
        self._letters |= new
        return bool(new)

    def changed(self) -> dict[int, frozenset[str]]:
        """
        The messages whose flags are others than was told, by their numbers.
        """
        present = self._folder.messages
        if self._seen is present:
            return {}
        self._seen = present
        changed = {}
        for number, uid in enumerate(self._uids, 1):
            entry = present.get(uid)
            if entry is not None and entry.letters != self._letters[uid]:
                self._letters[uid] = entry.letters
                changed[number] = self._flags(entry)
        return changed

    def addListener(self, listener: Any) -> None:
        """
        See L{IMailbox}.
        """
        self._listeners.append(listener)
        self._shared.watch(self._tell)

    def removeListener(self, listener: Any) -> None:
        """
        See L{IMailbox}.
        """
        self._listeners.remove(listener)
        if not self._listeners:
            self._shared.unwatch(self._tell)

    def _tell(self) -> None:
        for listener in self._listeners:
            IMailboxListener(listener).newMessages(len(self._folder.messages), None)

    def _run(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return self._shared.run(call, *arguments)

    def _mayWrite(self) -> None:
        if not self._writeable:
            raise ReadOnlyMailbox

    def _among(self, messages: MessageSet, uid: bool) -> list[tuple[int, int]]:
        """
        The numbers and UIDs of those that are in a set.
        """
        count = len(self._uids)
        if uid:
            isMember = membership(messages, self._uids[-1] if self._uids else 0)
            return [(n, one) for n, one in enumerate(self._uids, 1) if isMember(one)]
        isMember = membership(messages, count)
        return [(n, one) for n, one in enumerate(self._uids, 1) if isMember(n)]

    def _flags(self, entry: Entry) -> frozenset[str]:
        return entry.flags | {"\\Recent"} if entry.uid in self._recent else entry.flags

    def _noteNew(self, messages: Mapping[int, Entry]) -> None:
        self._recent |= {uid for uid, entry in messages.items() if entry.directory == "new"}

    def _changeFlags(self, uids: Iterable[int], flags: Iterable[str], mode: int) -> Deferred[None]:
        given = _known(flags)

        def change(present: frozenset[str]) -> frozenset[str]:
            if mode > 0:
                return present | given
            return present - given if mode < 0 else given

        return self._run(self._folder.changeFlags, tuple(uids), change)


def _known(flags: Iterable[str]) -> frozenset[str]:
    """
    Those of the flags that a message can keep.
    """
    return frozenset(
        _CANONICAL_FLAGS[flag.lower()] for flag in flags if flag.lower() in _CANONICAL_FLAGS
    )
