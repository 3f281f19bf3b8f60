"""
Maildir++: the folders of one account
(U{https://www.courier-mta.org/imap/README.maildirquota.html}). Owns which there are, and which of
them are subscribed to. Everything here blocks, and runs in the server's threads.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from twisted.mail.imap4 import MailboxCollision, NoSuchMailbox

from .files import UniqueNames, replaceFile, syncDirectory
from .folder import Folder
from .names import DELIMITER, INBOX, canonicalMailbox, folderName, mailboxName

_UID_VALIDITY = "mailauth-uidvalidity"
_SUBSCRIPTIONS = "mailauth-subscriptions"


class Maildir:
    """
    The folders of one account.
    """

    def __init__(self, path: Path, names: UniqueNames) -> None:
        self._path = path
        self._names = names

    def folder(self, name: str) -> Folder:
        """
        A folder, which need not exist.

        @param name: of the mailbox, in canonical form.
        """
        return Folder(self._path / folderName(name), self._names, self._nextUIDValidity)

    def create(self) -> None:
        """
        Make the inbox, if there is none.
        """
        if not (self._path / "cur").is_dir():
            self.folder(INBOX).create()

    def mailboxes(self) -> list[str]:
        """
        The names of the mailboxes that exist, in order.
        """
        folders = (path for path in self._path.iterdir() if path.name.startswith("."))
        names = [mailboxName(path.name) for path in folders if path.is_dir()]
        return sorted(name for name in (INBOX, *names) if name is not None)

    def createMailbox(self, name: str) -> None:
        """
        @raise MailboxCollision: there is one of this name.
        """
        if name in self.mailboxes():
            raise MailboxCollision(name)
        self.folder(name).create()

    def deleteMailbox(self, name: str) -> None:
        """
        Delete a mailbox, and not those below it.

        @raise NoSuchMailbox: there is none of this name.
        """
        # A directory whose name has no dot in front is no folder any more.
        gone = self._path / "tmp" / self._names.next()
        self._move(self.folder(name).path, gone)
        shutil.rmtree(gone)

    def renameMailbox(self, old: str, new: str) -> None:
        """
        Rename a mailbox and all below it.

        @raise NoSuchMailbox: there is none of the old name.
        @raise MailboxCollision: there is one of a new name.
        @raise InvalidName: the name of one below it would become too long.
        """
        names = self.mailboxes()
        below = old + DELIMITER
        moves = {
            name: canonicalMailbox(new + name[len(old) :])
            for name in names
            if name == old or name.startswith(below)
        }
        if not moves:
            raise NoSuchMailbox(old)
        if not set(names).isdisjoint(moves.values()):
            raise MailboxCollision(new)
        for name, renamed in moves.items():
            self._move(self.folder(name).path, self.folder(renamed).path)

    def subscriptions(self) -> set[str]:
        """
        The names subscribed to, whether or not there are such mailboxes.
        """
        try:
            text = (self._path / _SUBSCRIPTIONS).read_text("utf-8")
        except FileNotFoundError:
            return {INBOX}
        return set(text.split("\n")[:-1])

    def subscribe(self, name: str) -> None:
        """
        Subscribe to a name.
        """
        self._saveSubscriptions(self.subscriptions() | {name})

    def unsubscribe(self, name: str) -> None:
        """
        Subscribe to a name no longer.
        """
        self._saveSubscriptions(self.subscriptions() - {name})

    def _saveSubscriptions(self, names: set[str]) -> None:
        replaceFile(self._path / _SUBSCRIPTIONS, "".join(f"{name}\n" for name in sorted(names)))

    def _move(self, source: Path, target: Path) -> None:
        try:
            source.rename(target)
        except FileNotFoundError:
            raise NoSuchMailbox(source.name)
        syncDirectory(self._path)

    def _nextUIDValidity(self) -> int:
        """
        The time, but never the same twice: a mailbox that is deleted and made again within a
        second, or after the clock was set back, must not look like the old one.
        """
        path = self._path / _UID_VALIDITY
        try:
            last = int(path.read_text("ascii"))
        except (FileNotFoundError, ValueError):
            last = 0
        value = max(int(self._names.wallClock()), last + 1)
        replaceFile(path, f"{value}\n")
        return value
