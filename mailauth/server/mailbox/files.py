"""
Files that survive a loss of power, and names that nobody else gives. Owns when something is on
disk.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

_CHUNK = 65536


def syncDirectory(path: Path) -> None:
    """
    See to it that the names in a directory survive a loss of power.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replaceFile(path: Path, text: str) -> None:
    """
    Replace a file: whatever happens, it holds the old text or the new one.
    """
    temporary = path.with_name(path.name + ".tmp")
    descriptor = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    syncDirectory(path.parent)


def chunksOf(content: bytes | BinaryIO) -> Iterator[bytes]:
    """
    The content in pieces; a file from its beginning.
    """
    if isinstance(content, bytes):
        yield content
    else:
        content.seek(0)
        while chunk := content.read(_CHUNK):
            yield chunk


class UniqueNames:
    """
    File names that no other delivery on any host makes.
    """

    def __init__(self, wallClock: Callable[[], float], host: str) -> None:
        """
        @param wallClock: seconds since the epoch.
        """
        self.wallClock = wallClock
        self._host = host.replace("/", "\\057").replace(":", "\\072").replace(",", "\\054")
        # A process id and a time may both come again: in a container, after the clock went back.
        self._run = secrets.token_hex(4)
        self._counter = count(1)

    def next(self) -> str:
        """
        Another one.
        """
        seconds, fraction = divmod(self.wallClock(), 1)
        process = f"P{os.getpid()}Q{next(self._counter):06}R{self._run}"
        return f"{int(seconds)}.M{int(fraction * 1e6):06}{process}.{self._host}"
