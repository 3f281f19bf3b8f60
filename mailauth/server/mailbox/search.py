"""
What C{SEARCH} asks for (RFC 3501 section 6.4.4), as a question to one message. Owns which
messages match.
"""

from __future__ import annotations

import codecs
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parsedate_to_datetime
from quopri import decodestring

from twisted.mail.imap4 import IllegalClientResponse

from .message import Message
from .mime import Part, fields, parameters
from .syntax import Arguments, membership

MAX_DEPTH = 50
MAX_KEYS = 200
"""
How deep a search may nest, and how many keys it may have (DS12).
"""

Criterion = Callable[[int, Message], bool]
"""
Whether a message with this sequence number matches.
"""

_FLAGS = {
    b"ANSWERED": "\\Answered",
    b"DELETED": "\\Deleted",
    b"DRAFT": "\\Draft",
    b"FLAGGED": "\\Flagged",
    b"RECENT": "\\Recent",
    b"SEEN": "\\Seen",
}
_HEADERS = {b"BCC", b"CC", b"FROM", b"SUBJECT", b"TO"}
_SPACE = re.compile(r"\s+")
_SLOW_CODECS = {"idna", "punycode"}


class BadCharset(Exception):
    """
    A search in characters that we do not know.
    """


class SearchReader:
    """
    Reads one search.
    """

    def __init__(self, arguments: Arguments, lastNumber: int, lastUID: int) -> None:
        """
        @param lastNumber: the largest sequence number in use.
        @param lastUID: the largest UID in use.
        """
        self._arguments = arguments
        self._lastNumber = lastNumber
        self._lastUID = lastUID
        self._depth = 0
        self._keys = 0

    def read(self) -> Criterion:
        """
        Read all of it.

        @raise BadCharset: it is not in UTF-8 or US-ASCII.
        """
        if self._arguments.skip(b"CHARSET "):
            if self._arguments.astring().upper() not in {b"UTF-8", b"US-ASCII"}:
                raise BadCharset
            self._arguments.space()
        criterion = _all(self._arguments.separated(self._key))
        self._arguments.end()
        return criterion

    def _key(self) -> Criterion:
        self._keys += 1
        if self._depth >= MAX_DEPTH or self._keys > MAX_KEYS:
            raise IllegalClientResponse("Search too complex")
        self._depth += 1
        try:
            return self._readKey()
        finally:
            self._depth -= 1

    def _readKey(self) -> Criterion:
        arguments = self._arguments
        if arguments.startsWith(b"("):
            return _all(arguments.parenthesized(self._key))
        if arguments.startsWith(b"0123456789*"):
            return self._among(self._lastNumber, lambda number, message: number)
        key = arguments.atom()
        if key == b"ALL":
            return lambda number, message: True
        if key == b"UID":
            arguments.space()
            return self._among(self._lastUID, lambda number, message: message.uid)
        if key == b"NOT":
            return _not(self._argument())
        if key == b"OR":
            return _any(self._argument(), self._argument())
        if key in {b"KEYWORD", b"UNKEYWORD"}:
            arguments.space()
            return _flag(arguments.flag(), key == b"KEYWORD")
        return _simple(key) or self._costly(key)

    def _argument(self) -> Criterion:
        self._arguments.space()
        return self._key()

    def _among(self, last: int, numberOf: Callable[[int, Message], int]) -> Criterion:
        isWanted = membership(self._arguments.sequenceSet(), last)
        return lambda number, message: isWanted(numberOf(number, message))

    def _costly(self, key: bytes) -> Criterion:
        """
        A key for which the file is looked at.
        """
        arguments = self._arguments
        arguments.space()
        if key in {b"LARGER", b"SMALLER"}:
            size = arguments.number()
            if key == b"LARGER":
                return lambda number, message: message.getSize() > size
            return lambda number, message: message.getSize() < size
        if key in _HEADERS:
            return _header(key.lower(), _fold(_decode(arguments.astring())))
        if key == b"HEADER":
            name = arguments.astring().lower()
            arguments.space()
            return _header(name, _fold(_decode(arguments.astring())))
        if key in {b"BODY", b"TEXT"}:
            wanted = _fold(_decode(arguments.astring()))
            withHeader = key == b"TEXT"
            return lambda number, message: wanted in _readable(message.root, withHeader)
        return self._dated(key)

    def _dated(self, key: bytes) -> Criterion:
        """
        A key that compares a date, disregarding time and time zone.
        """
        dateOf = _sentDate if key.startswith(b"SENT") else _internalDate
        relation = key.removeprefix(b"SENT")
        if relation not in {b"BEFORE", b"ON", b"SINCE"}:
            raise IllegalClientResponse("Unknown search key")
        day = self._arguments.date()

        def compare(number: int, message: Message) -> bool:
            found = dateOf(message)
            if found is None:
                return False
            if relation == b"ON":
                return found == day
            return found < day if relation == b"BEFORE" else found >= day

        return compare


def _simple(key: bytes) -> Criterion | None:
    """
    A key without an argument.
    """
    if key == b"NEW":
        return _all([_flag("\\Recent", True), _flag("\\Seen", False)])
    if key == b"OLD":
        return _flag("\\Recent", False)
    if key in _FLAGS:
        return _flag(_FLAGS[key], True)
    unset = key.removeprefix(b"UN")
    if unset != key and unset in _FLAGS and unset != b"RECENT":
        return _flag(_FLAGS[unset], False)
    return None


def _all(criteria: list[Criterion]) -> Criterion:
    return lambda number, message: all(criterion(number, message) for criterion in criteria)


def _any(*criteria: Criterion) -> Criterion:
    return lambda number, message: any(criterion(number, message) for criterion in criteria)


def _not(criterion: Criterion) -> Criterion:
    return lambda number, message: not criterion(number, message)


def _flag(flag: str, wanted: bool) -> Criterion:
    folded = flag.lower()
    return lambda number, message: (
        any(have.lower() == folded for have in message.getFlags()) is wanted
    )


def _header(name: bytes, wanted: str) -> Criterion:
    def look(number: int, message: Message) -> bool:
        return any(
            wanted in _fold(_decodeWords(value))
            for found, value, _ in fields(message.header)
            if found == name
        )

    return look


def _internalDate(message: Message) -> date | None:
    return datetime.fromtimestamp(message.date(), UTC).date()


def _sentDate(message: Message) -> date | None:
    value = next((v for name, v, _ in fields(message.header) if name == b"date"), b"")
    try:
        return parsedate_to_datetime(value.decode("ascii", "replace")).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _fold(text: str) -> str:
    """
    What is compared: case and the amount of white space make no difference.
    """
    return _SPACE.sub(" ", text).casefold()


def _decode(octets: bytes, charset: str = "") -> str:
    """
    Text, whatever happens.
    """
    try:
        codec = codecs.lookup(charset or "utf-8").name
        return octets.decode("latin-1" if codec in _SLOW_CODECS else codec, "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")


def _decodeWords(value: bytes) -> str:
    """
    Decode the encoded words of a header value (RFC 2047), as far as they can be.
    """
    text = _decode(value)
    if "=?" not in text:
        return text
    try:
        return "".join(
            piece if isinstance(piece, str) else _decode(piece, charset or "latin-1")
            for piece, charset in decode_header(text)
        )
    except (HeaderParseError, ValueError):
        return text


def _readable(part: Part, withHeader: bool) -> str:
    """
    The text of a message and of its parts.
    """
    pieces = [_fold(_decodeWords(part.header))] if withHeader else []
    if part.parts:
        pieces += [_readable(child, withHeader) for child in part.parts]
    elif part.type[0] == b"text":
        pieces.append(_fold(_decodeBody(part)))
    return "\n".join(pieces)


def _decodeBody(part: Part) -> str:
    headers = part.getHeaders(False, "content-transfer-encoding")
    encoding = headers.get("content-transfer-encoding", "").lower()
    charset = next((v for k, v in parameters(part.contentType) if k.lower() == b"charset"), b"")
    body = part.body
    try:
        if encoding == "base64":
            body = b64decode(body)
        elif encoding == "quoted-printable":
            body = decodestring(body)
    except ValueError:
        # Then it is searched as it is.
        pass
    return _decode(body, charset.decode("latin-1"))
