"""
A folder of a Maildir: a directory of message files (U{https://cr.yp.to/proto/maildir.html}). Owns
their names, in which the flags stand.

Everything here blocks, and runs in the server's threads;
L{SharedFolder<mailauth.server.mailbox.account.SharedFolder>} sees to it that two threads never
use one folder at once. Other programs may deliver into the same directories and read them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

import attrs
from twisted.mail.imap4 import NoSuchMailbox

from .files import UniqueNames, chunksOf, syncDirectory
from .uidlist import UIDList

FLAGS = {
    "\\Answered": "R",
    "\\Flagged": "F",
    "\\Deleted": "T",
    "\\Seen": "S",
    "\\Draft": "D",
    "$Forwarded": "P",
}
"""
The flags that a message can keep, and their letters in its file name.
"""

_SUBDIRECTORIES = ("tmp", "new", "cur")
_STALE = 36 * 3600
"""
After how many seconds a file in C{tmp} is one that nobody is writing any more.
"""

_SIZE = re.compile(r",S=([0-9]{1,18})(?:,|\Z)")


@attrs.frozen
class Entry:
    """
    One message of a folder.

    @ivar uid: its unique identifier (RFC 3501 section 2.3.1.1).
    @ivar directory: C{"new"} or C{"cur"}.
    @ivar fileName: its name there.
    """

    uid: int
    directory: str
    fileName: str

    @property
    def unique(self) -> str:
        """
        The part of the file name that never changes.
        """
        return self.fileName.partition(":")[0]

    @property
    def letters(self) -> str:
        """
        The flags as they stand in the file name, also those of other programs.
        """
        return self.fileName.partition(":2,")[2]

    @property
    def flags(self) -> frozenset[str]:
        """
        The flags.
        """
        letters = self.letters
        return frozenset(flag for flag, letter in FLAGS.items() if letter in letters)


class Folder:
    """
    One folder: three directories, and the list of its UIDs.

    @ivar messages: by UID, in ascending order. Never changed in place: whoever took it keeps what
        it was.
    """

    def __init__(self, path: Path, names: UniqueNames, nextUIDValidity: Callable[[], int]) -> None:
        """
        @param nextUIDValidity: gives one that no folder of this account ever had.
        """
        self.path = path
        self._names = names
        self._nextUIDValidity = nextUIDValidity
        self._uidList: UIDList | None = None
        self.messages: dict[int, Entry] = {}

    @property
    def uidList(self) -> UIDList:
        """
        The UIDs of a folder that was scanned.
        """
        assert self._uidList is not None
        return self._uidList

    def create(self) -> None:
        """
        Make the directories, or those of them that are missing.
        """
        for path in (self.path, *(self.path / name for name in _SUBDIRECTORIES)):
            path.mkdir(mode=0o700, exist_ok=True)
        syncDirectory(self.path)
        syncDirectory(self.path.parent)

    def scan(self) -> Self:
        """
        Take note of what is there, and give new messages their UIDs.

        @raise NoSuchMailbox: it was deleted.
        """
        try:
            found = self._listFiles()
            if self._uidList is None:
                self._uidList = UIDList(self.path, self._nextUIDValidity)
                self._removeStale()
            if not self._uidList.uids.keys() <= found.keys():
                # Another program may have renamed a file while the directory was being read.
                found = self._listFiles()
            self._uidList.update(found)
        except FileNotFoundError:
            raise NoSuchMailbox(self.path.name)
        uids = self._uidList.uids
        entries = {uids[unique]: Entry(uids[unique], *place) for unique, place in found.items()}
        messages = dict(sorted(entries.items()))
        if messages != self.messages:
            self.messages = messages
        return self

    def claim(self) -> set[int]:
        """
        Scan, and move what is new to where mail programs keep what they have seen: whoever does
        this is the one to whom these messages are recent (RFC 3501 section 2.3.2).

        @return: their UIDs.
        """
        self.scan()
        new = (entry for entry in self.messages.values() if entry.directory == "new")
        return self._rename({entry.uid: entry.letters for entry in new})

    def deliver(self, content: bytes | BinaryIO) -> None:
        """
        Store a new message. When this returns, it survives a loss of power.
        """
        self._write(content, "new", "", None)

    def append(self, content: bytes | BinaryIO, flags: Iterable[str], date: float | None) -> int:
        """
        Store a message that somebody has seen already. It is on disk when this returns.

        @param date: its internal date in seconds since the epoch, or C{None} for now.
        @return: its UID.
        """
        unique = self._write(content, "cur", ":2," + _lettersOf(flags), date)
        return self.scan().uidList.uids[unique]

    def copyTo(self, uids: Iterable[int], target: Folder) -> list[int]:
        """
        Copy messages into another folder, or into this one: all of them, or none.

        @return: the UIDs of the copies, in the same order.
        """
        made: list[Path] = []
        try:
            for uid in uids:
                entry = self._present(uid)
                size = _SIZE.search(entry.unique)
                unique = self._names.next() + (f",S={size[1]}" if size else "")
                path = target.path / "cur" / f"{unique}:2,{entry.letters}"
                # A message file never changes, so that two folders can share one.
                os.link(self._path(entry), path)
                made.append(path)
            syncDirectory(target.path / "cur")
            copies = target.scan().uidList.uids
        except OSError:
            for path in made:
                path.unlink(missing_ok=True)
            raise
        return [copies[path.name.partition(":")[0]] for path in made]

    def changeFlags(
        self, uids: Iterable[int], change: Callable[[frozenset[str]], frozenset[str]]
    ) -> None:
        """
        Change the flags of messages. It is on disk when this returns.
        """
        others = str.maketrans("", "", "".join(FLAGS.values()))
        letters = {}
        for uid in uids:
            if (entry := self.messages.get(uid)) is not None:
                letters[uid] = _lettersOf(change(entry.flags)) + entry.letters.translate(others)
        self._rename(letters)
        syncDirectory(self.path / "cur")

    def remove(self, uids: Iterable[int]) -> None:
        """
        Remove messages for good.
        """
        gone = set(uids)
        for uid in gone:
            with suppress(FileNotFoundError):
                self._path(self._present(uid)).unlink()
        self.messages = {uid: entry for uid, entry in self.messages.items() if uid not in gone}
        syncDirectory(self.path / "new")
        syncDirectory(self.path / "cur")

    def open(self, uid: int) -> BinaryIO:
        """
        Open the file of a message.

        @raise FileNotFoundError: it is gone.
        """
        return self._path(self._present(uid)).open("rb")

    def size(self, uid: int) -> int:
        """
        The octets of a message, from its file name if they stand there.

        @raise FileNotFoundError: it is gone.
        """
        entry = self._present(uid)
        size = _SIZE.search(entry.unique)
        return int(size[1]) if size else self._path(entry).stat().st_size

    def date(self, uid: int) -> float:
        """
        The internal date of a message, in seconds since the epoch.

        @raise FileNotFoundError: it is gone.
        """
        return self._path(self._present(uid)).stat().st_mtime

    def _path(self, entry: Entry) -> Path:
        return self.path / entry.directory / entry.fileName

    def _present(self, uid: int) -> Entry:
        """
        A message's entry; its file is there.
        """
        entry = self.messages.get(uid)
        if entry is None or not self._path(entry).exists():
            entry = self.scan().messages.get(uid)
        if entry is None:
            raise FileNotFoundError
        return entry

    def _rename(self, letters: Mapping[int, str]) -> set[int]:
        """
        Give messages these letters, in C{cur}.

        @return: the UIDs of those that were still there.
        """
        moved = {}
        for uid, wanted in letters.items():
            with suppress(FileNotFoundError):
                entry = self._present(uid)
                fileName = f"{entry.unique}:2,{''.join(sorted(wanted))}"
                moved[uid] = attrs.evolve(entry, directory="cur", fileName=fileName)
                self._path(entry).rename(self._path(moved[uid]))
        if moved:
            self.messages = self.messages | moved
        return set(moved)

    def _write(
        self, content: bytes | BinaryIO, directory: str, suffix: str, date: float | None
    ) -> str:
        name = self._names.next()
        temporary = self.path / "tmp" / name
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunksOf(content):
                    file.write(chunk)
                file.flush()
                if date is None:
                    date = self._names.wallClock()
                os.utime(descriptor, (date, date))
                size = file.tell()
                os.fsync(descriptor)
            unique = f"{name},S={size}"
            # Unlike a rename, a link cannot put one message in the place of another.
            os.link(temporary, self.path / directory / (unique + suffix))
        finally:
            temporary.unlink(missing_ok=True)
        syncDirectory(self.path / directory)
        return unique

    def _listFiles(self) -> dict[str, tuple[str, str]]:
        found = {}
        # In this order, for the way of a message is from "new" to "cur".
        for directory in ("new", "cur"):
            with os.scandir(self.path / directory) as files:
                for name in (file.name for file in files):
                    if not name.startswith(".") and "\n" not in name:
                        found[name.partition(":")[0]] = (directory, name)
        return found

    def _removeStale(self) -> None:
        """
        What a writer that was killed has left.
        """
        limit = self._names.wallClock() - _STALE
        for path in (self.path / "tmp").iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _lettersOf(flags: Iterable[str]) -> str:
    return "".join(sorted(FLAGS[flag] for flag in flags if flag in FLAGS))
