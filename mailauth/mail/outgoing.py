"""
A message on its way out, as POP3 sends it. Owns the line ends and the dots.

Everything is read in pieces, and no piece ends between CR and LF.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from .lines import CRLF

PIECE = 64 * 1024
"""
How many octets are read at a time.
"""


def wireForm(message: IO[bytes], bodyLines: int | None) -> Iterator[bytes]:
    """
    A stored message as the lines of a long answer (RFC 1939 section 3), in pieces.

    @param message: with CRLF or LF at its line ends.
    @param bodyLines: how many lines of its body are wanted, or C{None} for all of it.
    """
    pieces = _inCRLF(message)
    if bodyLines is not None:
        pieces = _top(pieces, bodyLines)
    return _dotStuffed(pieces)


def _inCRLF(message: IO[bytes]) -> Iterator[bytes]:
    """
    The same with the line ends of the wire, and one at its end.
    """
    piece = held = b""
    while octets := message.read(PIECE):
        octets = held + octets
        held = b"\r" if octets.endswith(b"\r") else b""
        piece = octets[: len(octets) - len(held)].replace(CRLF, b"\n").replace(b"\n", CRLF)
        if piece:
            yield piece
    if held or not piece.endswith(CRLF):
        yield held + CRLF


def _top(pieces: Iterable[bytes], bodyLines: int) -> Iterator[bytes]:
    """
    The header, the empty line, and so many lines of the body (RFC 1939 section 7).
    """
    lineStart, inHeader = True, True
    for piece in pieces:
        position = 0
        if inHeader:
            position = _headerEnd(piece, lineStart)
            lineStart = piece.endswith(CRLF)
            inHeader = position == 0
        if not inHeader:
            lines = piece.count(CRLF, position)
            if lines >= bodyLines:
                for _ in range(bodyLines):
                    position = piece.index(CRLF, position) + 2
                yield piece[:position]
                return
            bodyLines -= lines
        yield piece


def _headerEnd(piece: bytes, lineStart: bool) -> int:
    """
    The position behind the first empty line, or 0 if there is none.

    @param lineStart: whether the piece begins a line.
    """
    if lineStart and piece.startswith(CRLF):
        return 2
    end = piece.find(CRLF + CRLF)
    return end + 4 if end >= 0 else 0


def _dotStuffed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """
    Double each dot that begins a line, also where a piece begins (W8).
    """
    lineStart = True
    for piece in pieces:
        stuffed = piece.replace(b"\r\n.", b"\r\n..")
        if lineStart and piece.startswith(b"."):
            stuffed = b"." + stuffed
        lineStart = piece.endswith(CRLF)
        yield stuffed
