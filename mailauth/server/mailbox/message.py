"""
One message as IMAP shows it. Owns how little of its file is read for a question.

What reads the file blocks, and runs in the server's threads.
"""

from __future__ import annotations

from email.utils import formatdate
from functools import cached_property
from io import BytesIO
from typing import BinaryIO

from twisted.mail.imap4 import IMessage, IMessageFile
from zope.interface import implementer

from .folder import Folder
from .mime import HEADER_END, Part, parse

_CHUNK = 65536


@implementer(IMessage, IMessageFile)
class Message:
    """
    A message of a mailbox.

    @ivar uid: its unique identifier.
    @ivar flags: as the connection sees them, with C{\\Recent}.
    """

    def __init__(self, folder: Folder, uid: int, flags: frozenset[str]) -> None:
        self._folder = folder
        self.uid = uid
        self.flags = flags

    @cached_property
    def header(self) -> bytes:
        """
        The header with the empty line behind it; no more of the file is read.
        """
        content = bytearray()
        with self.open() as file:
            while chunk := file.read(_CHUNK):
                # The end may lie across two chunks.
                start = max(len(content) - 3, 0)
                content += chunk
                if content.startswith((b"\n", b"\r\n")):
                    return bytes(content[: content.index(b"\n") + 1])
                end = HEADER_END.search(content, start)
                if end is not None:
                    return bytes(content[: end.end()])
        return bytes(content)

    @cached_property
    def root(self) -> Part:
        """
        The message taken apart; the whole file is read.
        """
        with self.open() as file:
            return parse(file.read())

    def forget(self) -> None:
        """
        Keep in memory nothing of what was read.
        """
        for name in ("header", "root"):
            self.__dict__.pop(name, None)

    def open(self) -> BinaryIO:
        """
        See L{IMessageFile}.
        """
        return self._folder.open(self.uid)

    def date(self) -> float:
        """
        The internal date, in seconds since the epoch.
        """
        return self._folder.date(self.uid)

    def getUID(self) -> int:
        """
        See L{IMessage}.
        """
        return self.uid

    def getFlags(self) -> frozenset[str]:
        """
        See L{IMessage}.
        """
        return self.flags

    def getInternalDate(self) -> bytes:
        """
        See L{IMessage}.
        """
        return formatdate(self.date()).encode("ascii")

    def getSize(self) -> int:
        """
        The octets of the whole message.
        """
        return self._folder.size(self.uid)

    def getHeaders(self, negate: bool, *names: str) -> dict[str, str]:
        """
        See L{IMessagePart<twisted.mail.imap4.IMessagePart>}.
        """
        return self.root.getHeaders(negate, *names)

    def getBodyFile(self) -> BytesIO:
        """
        See L{IMessagePart<twisted.mail.imap4.IMessagePart>}.
        """
        return self.root.getBodyFile()

    def isMultipart(self) -> bool:
        """
        See L{IMessagePart<twisted.mail.imap4.IMessagePart>}.
        """
        return self.root.isMultipart()

    def getSubPart(self, part: int) -> Part:
        """
        See L{IMessagePart<twisted.mail.imap4.IMessagePart>}.
        """
        return self.root.getSubPart(part)
