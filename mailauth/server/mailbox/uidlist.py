"""
Which message has which UID. Owns the file that remembers it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from .files import replaceFile

_FILE_NAME = "mailauth-uidlist"


class UIDList:
    """
    The UIDs of one folder (RFC 3501 section 2.3.1.1). None is given out before it is on disk, so
    that none is ever given to another message.

    The file's first line is the UIDVALIDITY and the next UID; each other line a UID and the
    unique part of a file name.

    @ivar uidValidity: what must change if UIDs ever do.
    @ivar uidNext: larger than every UID that was ever given out.
    @ivar uids: by the unique parts of the file names.
    """

    def __init__(self, directory: Path, nextUIDValidity: Callable[[], int]) -> None:
        """
        Read the list. One that is missing or cannot be understood costs the mail programs their
        caches, no more.

        @param nextUIDValidity: gives one that no folder of this account ever had.
        """
        self._path = directory / _FILE_NAME
        try:
            self._parse(self._path.read_text("utf-8", "surrogateescape"))
        except (FileNotFoundError, ValueError):
            self.uidValidity, self.uidNext = nextUIDValidity(), 1
            self.uids: dict[str, int] = {}
            self._save(self.uidNext, self.uids)

    def update(self, present: Collection[str]) -> None:
        """
        Forget whatever is no longer present, and give what is new its UIDs in the order of
        delivery.

        @param present: the unique parts of all file names there are.
        """
        uids = {unique: uid for unique, uid in self.uids.items() if unique in present}
        uidNext = self.uidNext
        for unique in sorted((unique for unique in present if unique not in uids), key=_age):
            uids[unique] = uidNext
            uidNext += 1
        # A line of a message that is gone does no harm.
        if uidNext > self.uidNext:
            self._save(uidNext, uids)
        self.uidNext, self.uids = uidNext, uids

    def _parse(self, text: str) -> None:
        header, *lines = text.split("\n")
        uidValidity, uidNext = map(int, header.split(" "))
        uids = {}
        for line in lines[:-1]:
            uid, _, unique = line.partition(" ")
            uids[unique] = int(uid)
        if uidValidity < 1 or uidNext <= max(uids.values(), default=0):
            raise ValueError
        self.uidValidity, self.uidNext, self.uids = uidValidity, uidNext, uids

    def _save(self, uidNext: int, uids: dict[str, int]) -> None:
        lines = [f"{self.uidValidity} {uidNext}"]
        lines += [f"{uid} {unique}" for unique, uid in uids.items()]
        replaceFile(self._path, "\n".join(lines) + "\n")


def _age(unique: str) -> tuple[int, str]:
    """
    Sorts file names by the time they begin with.
    """
    seconds = unique.partition(".")[0]
    return (int(seconds) if seconds.isascii() and seconds.isdigit() else 0, unique)
