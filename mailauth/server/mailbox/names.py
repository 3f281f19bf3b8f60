"""
Names: of mailboxes on the wire and as Maildir++ folders, and of accounts as directories. Owns the
promise that no name leaves its root and that no two names meet (W19).
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from base64 import b64decode, b64encode

from twisted.mail.imap4 import MailboxException

DELIMITER = "/"
INBOX = "INBOX"

_MAX_FOLDER = 240
"""
The longest folder name. File systems take 255 octets.
"""

# RFC 3501 section 5.1.3: printable US-ASCII stands for itself, but "&" is "&-", and everything
# else is base64 of UTF-16. On disk "." separates the levels, so there it is not printable.
_ENCODED_ON_WIRE = re.compile(r"[^\x20-\x7e]+|&")
_ENCODED_ON_DISK = re.compile(r"[^\x20-\x2d\x2f-\x7e]+|&")
_SHIFTED = re.compile(r"&([^-]*)-")


class InvalidName(MailboxException):
    """
    No mailbox can have this name.
    """


def fromWire(octets: bytes) -> str:
    """
    Decode a mailbox name, or a pattern of names, as IMAP carries it.

    @raise InvalidName: it is not modified UTF-7, or not the one spelling that modified UTF-7 has
        for it.
    """
    try:
        name = _decode(octets.decode("ascii"))
        canonicalSpelling = toWire(name)
    except (UnicodeError, binascii.Error):
        raise InvalidName
    if canonicalSpelling != octets:
        raise InvalidName
    return name


def toWire(name: str) -> bytes:
    """
    Encode a mailbox name for IMAP.
    """
    return _encode(name, _ENCODED_ON_WIRE).encode("ascii")


def canonicalMailbox(name: str) -> str:
    """
    The one name of a mailbox: the inbox is called INBOX in any case (RFC 3501 section 5.1), also
    as the parent of others.

    @raise InvalidName: an empty level, a control character, or longer than a file name can be.
    """
    levels = name.split(DELIMITER)
    if not all(levels) or any(_isForbidden(character) for character in name):
        raise InvalidName
    if levels[0].isascii() and levels[0].upper() == INBOX:
        levels[0] = INBOX
    canonical = DELIMITER.join(levels)
    if len(folderName(canonical)) > _MAX_FOLDER:
        raise InvalidName
    return canonical


def folderName(name: str) -> str:
    """
    The directory of a mailbox, below the one of its account.

    @param name: in canonical form.
    """
    if name == INBOX:
        return "."
    levels = name.split(DELIMITER)
    return "." + ".".join(_encode(level, _ENCODED_ON_DISK) for level in levels)


def mailboxName(directory: str) -> str | None:
    """
    The mailbox kept in a directory, or C{None} if it is none that L{folderName} makes.
    """
    try:
        name = DELIMITER.join(_decode(level) for level in directory[1:].split("."))
        return name if folderName(canonicalMailbox(name)) == directory else None
    except (UnicodeError, binascii.Error, InvalidName):
        return None


def accountDirectory(name: str) -> str:
    """
    The directory of an account, below the one of all mail.

    @raise InvalidName: longer than a file name can be.
    """
    directory = re.sub(
        rb"^\.|[^a-z0-9@._+-]", lambda match: b"%%%02X" % ord(match[0]), name.encode("utf-8")
    )
    if not 0 < len(directory) <= _MAX_FOLDER:
        raise InvalidName
    return directory.decode("ascii")


class Pattern:
    """
    A pattern of C{LIST} (RFC 3501 section 6.3.8): C{*} is anything, C{%} anything within a level.

    It runs all ways to match at once, a bit for each place in the pattern, so that its time is
    the length of the name and no pattern can make it longer (DS4).
    """

    def __init__(self, pattern: str) -> None:
        # Wildcards side by side are one: the widest of them.
        runs = re.sub(r"[*%]{2,}", lambda run: "*" if "*" in run[0] else "%", pattern)
        self._places: dict[str, int] = {}
        self._stars = self._percents = 0
        for place, character in enumerate(runs):
            if character == "*":
                self._stars |= 1 << place
            elif character == "%":
                self._percents |= 1 << place
            else:
                self._places[character] = self._places.get(character, 0) | 1 << place
        self._end = 1 << len(runs)

    def matches(self, name: str) -> bool:
        """
        Whether the whole name is one of the pattern's.
        """
        reached = self._skipWildcards(1)
        for character in name:
            kept = reached & self._stars
            if character != DELIMITER:
                kept |= reached & self._percents
            reached = self._skipWildcards(kept | (reached & self._places.get(character, 0)) << 1)
        return bool(reached & self._end)

    def _skipWildcards(self, reached: int) -> int:
        return reached | (reached & (self._stars | self._percents)) << 1


def _isForbidden(character: str) -> bool:
    # Controls, surrogates, line and paragraph separators.
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def _encode(text: str, encoded: re.Pattern[str]) -> str:
    def shift(run: re.Match[str]) -> str:
        if run[0] == "&":
            return "&-"
        octets = b64encode(run[0].encode("utf-16-be"), b"+,")
        return f"&{octets.decode('ascii').rstrip('=')}-"

    return encoded.sub(shift, text)


def _decode(text: str) -> str:
    def unshift(run: re.Match[str]) -> str:
        if not run[1]:
            return "&"
        padding = "=" * (-len(run[1]) % 4)
        return b64decode(run[1] + padding, b"+,", validate=True).decode("utf-16-be")

    return _SHIFTED.sub(unshift, text)
