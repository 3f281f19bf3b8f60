"""
What C{FETCH} asks for, and the answer (RFC 3501 sections 6.4.5 and 7.4.2). Owns the rendering of
a message as C{ENVELOPE}, C{BODYSTRUCTURE} and sections.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from email.utils import getaddresses
from itertools import islice

import attrs
from twisted.mail.imap4 import IllegalClientResponse
from twisted.python.failure import Failure

from .message import Message
from .mime import Part, fields, parameters
from .syntax import Arguments, astring, dateTime, listed, string

_MACROS: dict[bytes, tuple[bytes, ...]] = {
    b"FAST": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"),
    b"ALL": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE"),
    b"FULL": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE", b"BODY"),
}
_PLAIN = frozenset({b"UID", b"BODY", b"BODYSTRUCTURE", *_MACROS[b"ALL"]})
_NAME = re.compile(rb"[A-Z][A-Z0-9.]*", re.IGNORECASE)
_PART = re.compile(rb"[0-9]{1,9}(?:\.[0-9]{1,9}){0,99}")
_SPECIFIER = re.compile(rb"HEADER\.FIELDS\.NOT|HEADER\.FIELDS|HEADER|TEXT|MIME", re.IGNORECASE)
_PARTIAL = re.compile(rb"<([0-9]{1,10})\.([0-9]{1,10})>")

MAX_ATTRIBUTES = 100
"""
How many attributes one command may ask for (DS12).
"""

PIECE = 32768
"""
How many octets of an answer are read and sent at once: a turn is less than two such pieces, which
is what a transport takes before it wants to send it first.
"""

_TURN = 50
"""
How many pieces are rendered before others who use the folder have their turn.
"""

_ADDRESSES_LIMIT = 16384
"""
How much of an address field is taken apart for an C{ENVELOPE}.
"""


@attrs.frozen
class Section:
    """
    A part of the message's text.

    @ivar label: how the answer calls it.
    @ivar path: the part numbers.
    @ivar specifier: C{HEADER} and the like, or empty for all there is.
    @ivar fields: the names for C{HEADER.FIELDS}, in lower case.
    @ivar partial: the first octet and the number of octets, or C{None}.
    @ivar peek: whether the message stays unseen.
    """

    label: bytes
    path: tuple[int, ...] = ()
    specifier: bytes = b""
    fields: frozenset[bytes] = frozenset()
    partial: tuple[int, int] | None = None
    peek: bool = False


_RFC822 = {
    b"RFC822": Section(b"RFC822"),
    b"RFC822.HEADER": Section(b"RFC822.HEADER", specifier=b"HEADER", peek=True),
    b"RFC822.TEXT": Section(b"RFC822.TEXT", specifier=b"TEXT"),
}

Attribute = bytes | Section


def readAttributes(arguments: Arguments) -> list[Attribute]:
    """
    Read what is asked for.

    @return: names in upper case, and sections; each once.
    """
    if arguments.startsWith(b"("):
        found = arguments.parenthesized(lambda: _readAttribute(arguments))
    else:
        name = arguments.match(_NAME)[0].upper()
        found = list(_MACROS.get(name) or (_attribute(name, arguments),))
    arguments.end()
    attributes = list(dict.fromkeys(found))
    if len(attributes) > MAX_ATTRIBUTES:
        raise IllegalClientResponse("Too many FETCH attributes")
    return attributes


def _readAttribute(arguments: Arguments) -> Attribute:
    return _attribute(arguments.match(_NAME)[0].upper(), arguments)


def _attribute(name: bytes, arguments: Arguments) -> Attribute:
    if name in _RFC822:
        return _RFC822[name]
    if name in {b"BODY", b"BODY.PEEK"} and arguments.skip(b"["):
        return _readSection(arguments, name == b"BODY.PEEK")
    if name in _PLAIN:
        return name
    raise IllegalClientResponse("Unknown FETCH attribute")


def _readSection(arguments: Arguments, peek: bool) -> Section:
    path: tuple[int, ...] = ()
    specifier, names = b"", list[bytes]()
    if arguments.startsWith(b"0123456789"):
        path = tuple(map(int, arguments.match(_PART)[0].split(b".")))
    if 0 in path:
        raise IllegalClientResponse("Part numbers begin with 1")
    if not arguments.startsWith(b"]"):
        if path:
            arguments.expect(b".")
        specifier = arguments.match(_SPECIFIER)[0].upper()
        if specifier == b"MIME" and not path:
            raise IllegalClientResponse("MIME needs a part number")
        if specifier.startswith(b"HEADER.FIELDS"):
            arguments.space()
            arguments.expect(b"(")
            names = arguments.separated(arguments.astring)
            arguments.expect(b")")
    arguments.expect(b"]")
    partial = None
    if arguments.startsWith(b"<"):
        first, count = arguments.match(_PARTIAL).groups()
        partial = int(first), int(count)
    text = b".".join((*(b"%d" % number for number in path), *([specifier] if specifier else ())))
    if names:
        text += b" " + listed(map(astring, names))
    label = b"BODY[" + text + b"]" + (b"<%d>" % partial[0] if partial else b"")
    return Section(label, path, specifier, frozenset(n.lower() for n in names), partial, peek)


def marksSeen(attributes: Sequence[Attribute]) -> bool:
    """
    Whether whoever asks for this has read the message.
    """
    return any(isinstance(attribute, Section) and not attribute.peek for attribute in attributes)


def withFlags(attributes: Sequence[Attribute]) -> Sequence[Attribute]:
    """
    These attributes, and the flags in any case.
    """
    return attributes if b"FLAGS" in attributes else [*attributes, b"FLAGS"]


Answers = Generator[tuple[bytes, bool], None, None]
"""
The octets of answers in pieces, each with whether it is the last of its message.
"""


def answers(
    asked: Iterable[tuple[int, Message, Sequence[Attribute]]], failures: list[Failure]
) -> Answers:
    """
    The answers for some messages, with their sequence numbers. Each piece is read when its turn
    has come, so that of all that was asked for no more than one message is in memory, and no more
    than one file open.

    @param failures: why some could not be read is added here: one odd message must not hide the
        others. Once a piece of it has been sent, there is no other way than to fail.
    """
    for number, message, attributes in asked:
        begun = False
        try:
            for piece in _inPieces(_render(number, message, attributes)):
                begun = True
                yield piece
        except Exception:
            if begun:
                raise
            failures.append(Failure())
        finally:
            message.forget()


def nextTurn(rest: Answers) -> tuple[bytes, bool]:
    """
    What is to be sent next, and whether it ends where a message does; nothing at the end.
    """
    octets, isEnd = b"", True
    for piece, isLast in islice(rest, _TURN):
        octets += piece
        isEnd = isLast
        if len(octets) >= PIECE:
            break
    return octets, isEnd


def _inPieces(octets: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    held = bytearray()
    for run in octets:
        for start in range(0, len(run), PIECE):
            held += run[start : start + PIECE]
            if len(held) > PIECE:
                yield bytes(held[:PIECE]), False
                del held[:PIECE]
    yield bytes(held), True


def _render(number: int, message: Message, attributes: Sequence[Attribute]) -> Iterator[bytes]:
    # First what is short: if the message is gone, nothing has been said of it yet.
    plain = {name: _plain(message, name) for name in attributes if isinstance(name, bytes)}
    yield b"* %d FETCH (" % number
    for place, attribute in enumerate(attributes):
        if place:
            yield b" "
        if isinstance(attribute, Section):
            yield from _section(message, attribute)
        else:
            yield attribute + b" " + plain[attribute]
    yield b")\r\n"


def flagList(flags: frozenset[str]) -> bytes:
    """
    Flags, in parentheses.
    """
    return listed(flag.encode("latin-1") for flag in sorted(flags))


def _plain(message: Message, name: bytes) -> bytes:
    if name == b"UID":
        return b"%d" % message.getUID()
    if name == b"FLAGS":
        return flagList(message.getFlags())
    if name == b"INTERNALDATE":
        return dateTime(message.date())
    if name == b"RFC822.SIZE":
        return b"%d" % message.getSize()
    if name == b"ENVELOPE":
        return _envelope(message.header)
    return _structure(message.root, extended=name == b"BODYSTRUCTURE")


def _section(message: Message, section: Section) -> Iterator[bytes]:
    text = _sectionText(message, section)
    if text is None:
        yield section.label + b" NIL"
        return
    if section.partial:
        first, count = section.partial
        text = text[first : first + count]
    announced = section.label + b" {%d}\r\n" % len(text)
    if isinstance(text, bytes):
        yield announced + text
    else:
        yield announced
        yield from _run(message, text)


def _sectionText(message: Message, section: Section) -> bytes | range | None:
    """
    A header, or where in the file there is anything longer.
    """
    if not section.path:
        if section.specifier.startswith(b"HEADER"):
            return _headerText(message.header, section)
        return range(len(message.header) if section.specifier else 0, message.getSize())
    part = message.root.find(section.path)
    if part is None:
        return None
    if not section.specifier:
        return range(part.bodyStart, part.end)
    if section.specifier == b"MIME":
        return part.header
    if not part.holdsMessage:
        return None
    inner = part.parts[0]
    if section.specifier == b"TEXT":
        return range(inner.bodyStart, inner.end)
    return _headerText(inner.header, section)


def _run(message: Message, places: range) -> Iterator[bytes]:
    """
    What stands at these places of the file.
    """
    left = len(places)
    if left > PIECE:
        # The client may take its time over it.
        message.forget()
    with message.open() as file:
        file.seek(places.start)
        while left:
            octets = file.read(min(left, PIECE))
            if not octets:
                raise EOFError
            left -= len(octets)
            yield octets


def _headerText(header: bytes, section: Section) -> bytes:
    if section.specifier == b"HEADER":
        return header
    negate = section.specifier == b"HEADER.FIELDS.NOT"
    wanted = (
        octets for name, _, octets in fields(header) if (name in section.fields) is not negate
    )
    return b"".join(wanted) + b"\r\n"


def _envelope(header: bytes) -> bytes:
    values: dict[bytes, bytes] = {}
    for name, value, _ in fields(header):
        values.setdefault(name, value)
    sender = _addresses(values.get(b"from"))
    return listed(
        (
            string(values.get(b"date")),
            string(values.get(b"subject")),
            sender,
            _addresses(values.get(b"sender")) if values.get(b"sender") else sender,
            _addresses(values.get(b"reply-to")) if values.get(b"reply-to") else sender,
            _addresses(values.get(b"to")),
            _addresses(values.get(b"cc")),
            _addresses(values.get(b"bcc")),
            string(values.get(b"in-reply-to")),
            string(values.get(b"message-id")),
        )
    )


def _addresses(value: bytes | None) -> bytes:
    text = (value or b"")[:_ADDRESSES_LIMIT].decode("utf-8", "surrogateescape")
    try:
        # For showing only: this parser must never decide who somebody is.
        found = getaddresses([text])
    except (ValueError, IndexError, RecursionError):
        found = []
    rendered = [_address(name, address) for name, address in found if address]
    return b"(" + b"".join(rendered) + b")" if rendered else b"NIL"


def _address(name: str, address: str) -> bytes:
    mailbox, _, host = address.rpartition("@") if "@" in address else (address, "", "")
    encoded = (text.encode("utf-8", "surrogateescape") for text in (name, mailbox, host))
    displayName, localPart, domain = encoded
    # A host of NIL would begin a group.
    return listed((string(displayName or None), b"NIL", string(localPart), string(domain)))


def _structure(part: Part, extended: bool) -> bytes:
    """
    C{BODY}, or C{BODYSTRUCTURE} with its extension data.
    """
    values: dict[bytes, bytes] = {}
    for name, value, _ in fields(part.header):
        values.setdefault(name, value)
    extension = (
        _disposition(values.get(b"content-disposition")),
        string(values.get(b"content-language")),
        string(values.get(b"content-location")),
    )
    if part.isMultipart():
        described = [b"".join(_structure(child, extended) for child in part.parts)]
        described.append(string(part.type[1]))
        if extended:
            described += (_parameterList(part.contentType), *extension)
        return listed(described)
    # What was too deep to be taken apart is no multipart and no message.
    opaque = part.type[0] == b"multipart" or part.type == (b"message", b"rfc822")
    mainType, subType = part.type
    if opaque and not part.holdsMessage:
        mainType, subType = b"application", b"octet-stream"
    described = [
        string(mainType),
        string(subType),
        _parameterList(part.contentType),
        string(values.get(b"content-id")),
        string(values.get(b"content-description")),
        string(values.get(b"content-transfer-encoding", b"7bit")),
        b"%d" % part.getSize(),
    ]
    if part.holdsMessage:
        described += (_envelope(part.parts[0].header), _structure(part.parts[0], extended))
    if part.holdsMessage or mainType == b"text":
        described.append(b"%d" % part.lines)
    if extended:
        described += (string(values.get(b"content-md5")), *extension)
    return listed(described)


def _parameterList(value: bytes) -> bytes:
    pairs = [string(text) for pair in parameters(value) for text in pair]
    return listed(pairs) if pairs else b"NIL"


def _disposition(value: bytes | None) -> bytes:
    if not value:
        return b"NIL"
    return listed((string(value.partition(b";")[0].strip()), _parameterList(value)))
