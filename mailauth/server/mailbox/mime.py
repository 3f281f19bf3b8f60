"""
The MIME structure of a message (RFC 5322, 2045, 2046). Owns the places where its parts begin and
end; the octets stay what they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from itertools import islice

from twisted.mail.imap4 import IMessagePart
from zope.interface import implementer

MAX_DEPTH = 100
MAX_PARTS = 1000
"""
What nests deeper, and what is beyond this number, is not taken apart (DS11).
"""

HEADER_END = re.compile(rb"\n\r?\n")
# In a part no header line begins with two hyphens: a delimiter ends a header that has no end.
_PART_HEADER_END = re.compile(rb"\n(?:\r?\n|(?=--))")
_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)")
_TYPE = re.compile(rb"\s*([!-.0-~]+)/([!-.0-:<-~]+)")
_DASHED = re.compile(rb"\n--([^\n]*+)")
_PARAMETER = re.compile(rb';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*+)"|([^;\s]*))', re.DOTALL)
_PARAMETER_LIMIT = 100


def headerEnd(content: bytes, start: int = 0, end: re.Pattern[bytes] = HEADER_END) -> int:
    """
    Where the body begins: behind the first empty line, or at the end if there is none.

    @param end: what else ends a header.
    """
    if content[start : start + 1] == b"\n":
        return start + 1
    if content[start : start + 2] == b"\r\n":
        return start + 2
    match = end.search(content, start)
    return len(content) if match is None else match.end()


def fields(header: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """
    The fields of a header in their order: the name in lower case, the unfolded value, and the
    octets as they are. What is no field is passed over.
    """
    place = 0
    while place < len(header):
        match = _FIELD.match(header, place)
        if match is None:
            place = header.find(b"\n", place) + 1 or len(header)
        else:
            place = match.end()
            value = match[2].replace(b"\r\n", b"").replace(b"\n", b"").strip()
            yield match[1].lower(), value, match[0]


def parameters(value: bytes) -> Iterator[tuple[bytes, bytes]]:
    """
    The parameters behind the first word of a header value, unquoted.
    """
    for match in islice(_PARAMETER.finditer(value), _PARAMETER_LIMIT):
        quoted = match[2]
        yield match[1], match[3] if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted)


@implementer(IMessagePart)
class Part:
    """
    An entity with a header and a body: a whole message, or a part of one.

    @ivar start: where its header begins.
    @ivar bodyStart: where its body begins.
    @ivar end: where it ends.
    @ivar type: the media type and subtype, in lower case.
    @ivar parts: what it consists of. A C{message/rfc822} has one: the message it holds.
    """

    def __init__(self, content: bytes, start: int, bodyStart: int, defaultType: bytes) -> None:
        self.content = content
        self.start = start
        self.bodyStart = bodyStart
        self.end = len(content)
        self.parts: list[Part] = []
        self.contentType = next(
            (v for name, v, _ in fields(self.header) if name == b"content-type"), defaultType
        )
        match = _TYPE.match(self.contentType)
        # RFC 2045 section 5.2: what cannot be understood is plain text.
        self.type = (match[1].lower(), match[2].lower()) if match else (b"text", b"plain")

    @property
    def header(self) -> bytes:
        """
        The header with the empty line behind it.
        """
        return self.content[self.start : min(self.bodyStart, self.end)]

    @property
    def body(self) -> bytes:
        """
        The body, encoded as it is.
        """
        return self.content[self.bodyStart : self.end]

    @property
    def holdsMessage(self) -> bool:
        """
        Whether it is a C{message/rfc822} that was taken apart.
        """
        return bool(self.parts) and not self.isMultipart()

    def find(self, path: Sequence[int]) -> Part | None:
        """
        The part with these numbers (RFC 3501 section 6.4.5).
        """
        part = self
        for depth, number in enumerate(path):
            holder = part.parts[0] if depth and part.holdsMessage else part
            if holder.isMultipart():
                if number > len(holder.parts):
                    return None
                part = holder.parts[number - 1]
            elif number == 1:
                part = holder
            else:
                return None
        return part

    def getHeaders(self, negate: bool, *names: str) -> dict[str, str]:
        """
        See L{IMessagePart}. The first field of a name counts. Octets that are not UTF-8 become
        surrogates.
        """
        wanted = {name.lower() for name in names}
        found: dict[str, str] = {}
        for octets, value, _ in fields(self.header):
            name = octets.decode("ascii")
            if (name in wanted) is not negate:
                found.setdefault(name, value.decode("utf-8", "surrogateescape"))
        return found

    def getBodyFile(self) -> BytesIO:
        """
        See L{IMessagePart}.
        """
        return BytesIO(self.body)

    def getSize(self) -> int:
        """
        The octets of the body, which is what a C{BODYSTRUCTURE} counts.
        """
        return max(self.end - self.bodyStart, 0)

    @cached_property
    def lines(self) -> int:
        """
        The line breaks in the body. None is looked at twice, however deep the parts nest (DS11).
        """
        place, count = self.bodyStart, 0
        for part in self.parts:
            count += self.content.count(b"\n", place, min(part.bodyStart, self.end)) + part.lines
            place = max(part.bodyStart, part.end)
        return count + self.content.count(b"\n", place, self.end)

    def isMultipart(self) -> bool:
        """
        See L{IMessagePart}.
        """
        return self.type[0] == b"multipart" and bool(self.parts)

    def getSubPart(self, part: int) -> Part:
        """
        See L{IMessagePart}.
        """
        return self.parts[part]


def parse(content: bytes) -> Part:
    """
    Take a message apart, in one pass over it.
    """
    return _Parser(content).parse()


class _Parser:
    """
    The parts that are open form a path; the delimiter of an outer one also ends the inner ones.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._path: list[Part] = []
        self._boundaries: dict[bytes, int] = {}
        self._count = 0

    def parse(self) -> Part:
        root = self._open(0, b"text/plain")
        place = self._path[-1].bodyStart
        while (found := self._nextDelimiter(place)) is not None:
            match, boundary, isLast = found
            place = min(match.end() + 1, len(self._content))
            depth = self._boundaries[boundary]
            # The line break before a delimiter belongs to it (RFC 2046 section 5.1.1).
            lineBreak = match.start()
            if self._content[lineBreak - 1 : lineBreak] == b"\r":
                lineBreak -= 1
            self._closeBelow(depth, lineBreak)
            if isLast or self._count >= MAX_PARTS:
                del self._boundaries[boundary]
            else:
                digest = self._path[depth].type[1] == b"digest"
                self._open(place, b"message/rfc822" if digest else b"text/plain")
                place = self._path[-1].bodyStart
        self._closeBelow(-1, len(self._content))
        return root

    def _nextDelimiter(self, place: int) -> tuple[re.Match[bytes], bytes, bool] | None:
        """
        The next line that delimits an open multipart: the match, the boundary, and whether no
        part follows. It is looked up, for a pattern of all boundaries would have to be compiled
        anew with each that opens or closes (DS11).
        """
        if self._boundaries:
            for match in _DASHED.finditer(self._content, max(place - 1, 0)):
                line = match[1].removesuffix(b"\r").rstrip(b" \t")
                if line in self._boundaries:
                    return match, line, False
                if line.removesuffix(b"--") in self._boundaries:
                    return match, line.removesuffix(b"--"), True
        return None

    def _open(self, start: int, defaultType: bytes) -> Part:
        end = _PART_HEADER_END if self._path else HEADER_END
        part = Part(self._content, start, headerEnd(self._content, start, end), defaultType)
        self._count += 1
        if self._path:
            self._path[-1].parts.append(part)
        self._path.append(part)
        if len(self._path) < MAX_DEPTH and self._count < MAX_PARTS:
            if part.type[0] == b"multipart":
                self._openMultipart(part)
            elif part.type == (b"message", b"rfc822"):
                self._open(part.bodyStart, b"text/plain")
        return part

    def _openMultipart(self, part: Part) -> None:
        boundary = next(
            (v for k, v in parameters(part.contentType) if k.lower() == b"boundary"), b""
        )
        boundary = boundary.rstrip()
        if boundary and boundary not in self._boundaries:
            self._boundaries[boundary] = len(self._path) - 1

    def _closeBelow(self, depth: int, end: int) -> None:
        for part in self._path[depth + 1 :]:
            part.end = max(min(part.end, end), part.start)
        del self._path[depth + 1 :]
        if any(place > depth for place in self._boundaries.values()):
            self._boundaries = {b: place for b, place in self._boundaries.items() if place <= depth}
