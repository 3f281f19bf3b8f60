"""
The inbox as a POP3 maildrop (RFC 1939). Owns the numbers that its messages have in one session.
"""

from __future__ import annotations

from typing import BinaryIO, overload

from twisted.internet.defer import Deferred
from twisted.mail.interfaces import IMailboxPOP3
from twisted.mail.pop3 import POP3Error
from zope.interface import implementer

from .account import MailAccount
from .folder import Folder
from .names import INBOX
from .shared import SharedFolder


@implementer(IMailboxPOP3)
class POP3Mailbox:
    """
    What was in the inbox when the session began.
    """

    def __init__(self, shared: SharedFolder, sizes: dict[int, int], readOnly: bool) -> None:
        """
        @param sizes: by UID, in ascending order.
        """
        self._shared = shared
        self._uidValidity = shared.folder.uidList.uidValidity
        self._uids = list(sizes)
        self._sizes = list(sizes.values())
        self._readOnly = readOnly
        self._deleted: set[int] = set()

    @overload
    def listMessages(self) -> list[int]: ...

    @overload
    def listMessages(self, i: int) -> int: ...

    def listMessages(self, i: int | None = None) -> int | list[int]:
        """
        See L{IMailboxPOP3}.
        """
        if i is not None:
            return 0 if self._at(i) in self._deleted else self._sizes[i]
        return [self.listMessages(index) for index in range(len(self._uids))]

    def getMessage(self, index: int) -> Deferred[BinaryIO]:
        """
        See L{IMailboxPOP3}.
        """
        return self._shared.run(self._shared.folder.open, self._at(index))

    def getUidl(self, index: int) -> bytes:
        """
        See L{IMailboxPOP3}.
        """
        return b"%d.%d" % (self._uidValidity, self._at(index))

    def deleteMessage(self, index: int) -> None:
        """
        See L{IMailboxPOP3}.

        @raise POP3Error: nothing may be deleted.
        """
        if self._readOnly:
            raise POP3Error
        self._deleted.add(self._at(index))

    def undeleteMessages(self) -> None:
        """
        See L{IMailboxPOP3}.
        """
        self._deleted.clear()

    def sync(self) -> Deferred[None]:
        """
        See L{IMailboxPOP3}. It fires when they are gone.
        """
        return self._shared.run(self._shared.folder.remove, tuple(self._deleted))

    def _at(self, index: int) -> int:
        if not 0 <= index < len(self._uids):
            raise ValueError
        return self._uids[index]


async def openPOP3Mailbox(account: MailAccount) -> POP3Mailbox:
    """
    Make the maildrop of an account. What it holds is found out now, for the protocol asks for it
    where nobody can wait.
    """
    shared = await account.open(INBOX)
    sizes = await shared.run(_sizes, shared.folder)
    return POP3Mailbox(shared, sizes, account.readOnly)


def _sizes(folder: Folder) -> dict[int, int]:
    return {uid: folder.size(uid) for uid in tuple(folder.messages)}
