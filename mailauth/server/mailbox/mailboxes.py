"""
All mail under one directory. Owns which directory is whose.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from weakref import WeakValueDictionary

from twisted.internet.defer import Deferred

from .account import MailAccount
from .files import UniqueNames, syncDirectory
from .maildir import Maildir
from .names import accountDirectory
from .shared import InThread, SharedMaildir


class Mailboxes:
    """
    The mail of all accounts.
    """

    def __init__(
        self,
        root: Path,
        inThread: InThread,
        wallClock: Callable[[], float] = time.time,
        host: str | None = None,
    ) -> None:
        """
        @param root: the directory with a directory for each account.
        @param wallClock: seconds since the epoch.
        @param host: the name of this machine in file names.
        """
        self._root = root
        self._inThread = inThread
        self._names = UniqueNames(wallClock, host or socket.gethostname())
        self._maildirs: WeakValueDictionary[str, SharedMaildir] = WeakValueDictionary()

    def create(self) -> None:
        """
        Make the directory, if there is none.
        """
        self._root.mkdir(mode=0o700, exist_ok=True)
        syncDirectory(self._root.parent)

    def account(self, name: str, readOnly: bool = False) -> MailAccount:
        """
        The avatar of somebody who reads mail.

        @param name: of the account, in canonical form.
        @param readOnly: whether every change is refused.
        @raise InvalidName: too long for a directory.
        """
        return MailAccount(self._maildir(name), readOnly)

    def deliver(self, name: str, content: bytes | BinaryIO) -> Deferred[None]:
        """
        Deliver a message, as it is. When this fires the message would survive a loss of power.

        @param name: of the account, in canonical form.
        @param content: the octets, or a file that holds them.
        """
        return Deferred.fromCoroutine(self._maildir(name).deliver(content))

    def _maildir(self, name: str) -> SharedMaildir:
        maildir = self._maildirs.get(name)
        if maildir is None:
            path = self._root / accountDirectory(name)
            maildir = SharedMaildir(Maildir(path, self._names), self._inThread)
            self._maildirs[name] = maildir
        return maildir
