"""
The arguments of an IMAP command, read from left to right (RFC 3501 section 9), and the strings of
a response. Owns the grammar that all commands share.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, TypeVar

from twisted.mail.imap4 import IllegalClientResponse, MessageSet

Read = TypeVar("Read")

MAX_NUMBER = 2**32 - 1
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# atom = 1*ATOM-CHAR; an astring may also hold "]", a list-mailbox also "]", "%" and "*". Octets
# over 0x7f are nobody's, but clients send them in search strings.
_ATOM = re.compile(rb'[^(){%*"\\\]\x00-\x20\x7f]+')
_ASTRING = re.compile(rb'[^(){%*"\\\x00-\x20\x7f]+')
_LIST_MAILBOX = re.compile(rb'[^(){"\\\x00-\x20\x7f]+')
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_ESCAPED = re.compile(rb'\\(["\\])')
_FLAG = re.compile(rb'\\?[^(){%*"\\\]\x00-\x20\x7f]+')
_NUMBER = re.compile(rb"[0-9]{1,10}")
_SEQUENCE_SET = re.compile(rb"[0-9*][0-9*:,]*")
_DATE = re.compile(rb'("?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1')
_DATE_TIME = re.compile(
    rb'"([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) '
    rb'([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"'
)

LITERAL = re.compile(rb"\{([0-9]{1,10})(\+?)\}\Z")
"""
What a line ends with that a literal follows; C{+} if it follows unasked (RFC 7888).
"""

_QUOTABLE = re.compile(rb"[\x20-\x7e]{0,1000}")


class Arguments:
    """
    What is left of a command.

    @ivar text: the lines of the command behind its name, joined, without the literals.
    @ivar literals: the literals, by the places in C{text} where they are announced.
    """

    def __init__(self, text: bytes, literals: Mapping[int, Any]) -> None:
        self._text = text
        self._literals = literals
        self._place = 0

    def atEnd(self) -> bool:
        """
        Whether nothing is left.
        """
        return self._place == len(self._text)

    def end(self) -> None:
        """
        Nothing may be left.
        """
        if not self.atEnd():
            raise IllegalClientResponse("Too many arguments")

    def skip(self, expected: bytes) -> bool:
        """
        Go past these octets, in any case, if they are next.
        """
        end = self._place + len(expected)
        if self._text[self._place : end].upper() != expected:
            return False
        self._place = end
        return True

    def expect(self, expected: bytes) -> None:
        """
        These octets must be next.
        """
        if not self.skip(expected):
            raise IllegalClientResponse("Missing argument")

    def space(self) -> None:
        """
        One space must be next; some clients send more.
        """
        self.expect(b" ")
        while self.skip(b" "):
            pass

    def startsWith(self, characters: bytes) -> bool:
        """
        Whether one of these characters is next.
        """
        return not self.atEnd() and self._text[self._place] in characters

    def match(self, grammar: re.Pattern[bytes]) -> re.Match[bytes]:
        """
        What is next must follow this grammar.
        """
        match = grammar.match(self._text, self._place)
        if match is None:
            raise IllegalClientResponse("Malformed argument")
        self._place = match.end()
        return match

    def atom(self) -> bytes:
        """
        An atom, in upper case.
        """
        return self.match(_ATOM)[0].upper()

    def number(self) -> int:
        """
        A number of 32 bits.
        """
        return _number(self.match(_NUMBER)[0])

    def astring(self) -> bytes:
        """
        An atom, a quoted string or a literal.
        """
        return self._string(_ASTRING)

    def listMailbox(self) -> bytes:
        """
        An astring that may hold wildcards.
        """
        return self._string(_LIST_MAILBOX)

    def literal(self) -> Any:
        """
        A literal, in whatever its octets were put.
        """
        announced = self._literals.get(self._place)
        if announced is None:
            raise IllegalClientResponse("Missing literal")
        self._place = self._text.index(b"}", self._place) + 1
        return announced

    def flags(self) -> list[str]:
        """
        Flags, in parentheses or without.
        """
        if self.startsWith(b"("):
            return self.parenthesized(self.flag)
        return self.separated(self.flag)

    def flag(self) -> str:
        """
        One flag.
        """
        return self.match(_FLAG)[0].decode("latin-1")

    def parenthesized(self, one: Callable[[], Read]) -> list[Read]:
        """
        Any number in parentheses, also none.
        """
        self.expect(b"(")
        if self.skip(b")"):
            return []
        found = self.separated(one)
        self.expect(b")")
        return found

    def separated(self, one: Callable[[], Read]) -> list[Read]:
        """
        One or more with spaces between.
        """
        found = [one()]
        while self.startsWith(b" "):
            self.space()
            found.append(one())
        return found

    def sequenceSet(self) -> MessageSet:
        """
        Message numbers, or UIDs. C{*} is open until the mailbox sets the last.
        """
        ranges = []
        for piece in self.match(_SEQUENCE_SET)[0].split(b","):
            ends = [None if end == b"*" else _positive(end) for end in piece.split(b":")]
            if len(ends) > 2:
                raise IllegalClientResponse("Malformed sequence set")
            ends.sort(key=lambda end: MAX_NUMBER + 1 if end is None else end)
            ranges.append((ends[0], ends[-1]))
        return MessageSet(ranges)

    def date(self) -> date:
        """
        A day.
        """
        _, day, month, year = self.match(_DATE).groups()
        try:
            return date(int(year), _month(month), int(day))
        except ValueError:
            raise IllegalClientResponse("No such date")

    def dateTime(self) -> datetime:
        """
        A moment.
        """
        day, month, year, hour, minute, second, sign, hours, minutes = self.match(
            _DATE_TIME
        ).groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        try:
            zone = timezone(-offset if sign == b"-" else offset)
            return datetime(
                int(year), _month(month), int(day), int(hour), int(minute), int(second), 0, zone
            )
        except ValueError:
            raise IllegalClientResponse("No such time")

    def _string(self, unquoted: re.Pattern[bytes]) -> bytes:
        if self.startsWith(b'"'):
            return _ESCAPED.sub(rb"\1", self.match(_QUOTED)[1])
        if self.startsWith(b"{"):
            literal: bytes = self.literal()
            return literal
        return self.match(unquoted)[0]


def _number(digits: bytes) -> int:
    number = int(digits)
    if number > MAX_NUMBER:
        raise IllegalClientResponse("Number too large")
    return number


def _positive(digits: bytes) -> int:
    if _NUMBER.fullmatch(digits) is None or not _number(digits):
        raise IllegalClientResponse("Malformed sequence set")
    return int(digits)


def _month(name: bytes) -> int:
    return MONTHS.index(name.decode("ascii").title()) + 1


def membership(messages: MessageSet, last: int) -> Callable[[int], bool]:
    """
    Whether numbers are in a set, each found in logarithmic time: a set may have thousands of
    ranges, and any of them millions of numbers that no message has (DS12).

    @param last: what C{*} is.
    """
    numbered = MessageSet(messages.ranges)
    numbered.last = last
    ranges: list[tuple[int, int]] = numbered.ranges
    starts = [start for start, _ in ranges]

    def isMember(number: int) -> bool:
        place = bisect(starts, number) - 1
        return place >= 0 and number <= ranges[place][1]

    return isMember


def astring(octets: bytes) -> bytes:
    """
    An atom where it is one, or else a string.
    """
    return octets if _ATOM.fullmatch(octets) and octets.isascii() else string(octets)


def string(octets: bytes | None) -> bytes:
    """
    An C{nstring}: quoted where it can be, or else a literal.
    """
    if octets is None:
        return b"NIL"
    if _QUOTABLE.fullmatch(octets):
        return b'"' + re.sub(rb'(["\\])', rb"\\\1", octets) + b'"'
    # No literal may hold NUL (RFC 3501 section 9, CHAR8).
    octets = octets.replace(b"\0", b"?")
    return b"{%d}\r\n%b" % (len(octets), octets)


def listed(pieces: Iterable[bytes]) -> bytes:
    """
    A parenthesized list.
    """
    return b"(" + b" ".join(pieces) + b")"


def dateTime(seconds: float) -> bytes:
    """
    A C{date-time}, in UTC.

    @param seconds: since the epoch.
    """
    moment = datetime.fromtimestamp(seconds, UTC)
    return (
        f'"{moment.day:2d}-{MONTHS[moment.month - 1]}-{moment.year:04d} {moment:%H:%M:%S} +0000"'
    ).encode("ascii")
