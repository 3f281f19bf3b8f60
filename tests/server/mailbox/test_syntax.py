"""
L{mailauth.server.mailbox.syntax}.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.mail.imap4 import IllegalClientResponse, MessageSet
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.mailbox.syntax import Arguments, astring, dateTime, membership, string


def arguments(text: bytes) -> Arguments:
    return Arguments(text, {})


class ArgumentsTests(SynchronousTestCase):
    """
    L{Arguments}.
    """

    @given(st.binary(max_size=30).filter(lambda octets: b"\0" not in octets))
    def test_strings(self, octets: bytes) -> None:
        """
        What is written as a string is read back (RFC 3501 section 9).
        """
        for written in (string(octets), astring(octets)):
            if written.startswith(b"{"):
                announced, _, literal = written.partition(b"\r\n")
                parsed = Arguments(announced, {0: literal})
            else:
                parsed = arguments(written)
            self.assertEqual(octets, parsed.astring())
            self.assertTrue(parsed.atEnd())

    @given(st.binary(max_size=30))
    def test_total(self, octets: bytes) -> None:
        """
        Any octets are an argument, or a syntax error and nothing else (W13).
        """
        for read in (
            Arguments.astring,
            Arguments.listMailbox,
            Arguments.atom,
            Arguments.number,
            Arguments.flags,
            Arguments.sequenceSet,
            Arguments.date,
            Arguments.dateTime,
            Arguments.literal,
        ):
            try:
                read(arguments(octets))
            except IllegalClientResponse:
                pass

    def test_numbers(self) -> None:
        """
        Numbers are digits, and fit in 32 bits (W11).
        """
        self.assertEqual(4294967295, arguments(b"4294967295").number())
        for wrong in (b"", b"+1", b"-1", b" 1", b"4294967296", b"99999999999", "٣".encode()):
            self.assertRaises(IllegalClientResponse, arguments(wrong).number)

    def test_dates(self) -> None:
        """
        RFC 3501's C{date} and C{date-time}; days that do not exist are errors.
        """
        self.assertEqual(date(2026, 2, 1), arguments(b"1-Feb-2026").date())
        self.assertEqual(
            datetime(2026, 2, 1, 10, 0, tzinfo=UTC),
            arguments(b'" 1-feb-2026 11:30:00 +0130"').dateTime(),
        )
        for wrong in (b"30-Feb-2026", b"1-Xyz-2026", b'"1-Feb-2026', b"0-Feb-2026"):
            self.assertRaises(IllegalClientResponse, arguments(wrong).date)
        for wrong in (b'"01-Feb-2026 25:00:00 +0000"', b'"01-Feb-2026 10:00:00 +9999"'):
            self.assertRaises(IllegalClientResponse, arguments(wrong).dateTime)

    @given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)))
    def test_dateTimeComesBack(self, moment: datetime) -> None:
        """
        A moment that is written is read back, to the second.
        """
        read = arguments(dateTime(moment.timestamp())).dateTime()

        self.assertLess(moment - read, timedelta(seconds=1))
        self.assertLessEqual(read, moment)


class SequenceSetTests(SynchronousTestCase):
    """
    L{Arguments.sequenceSet} and L{membership}.
    """

    def test_examples(self) -> None:
        """
        Ranges may be written in any order, and C{*} is the last message there is.
        """
        for text, last, members in (
            (b"1", 9, {1}),
            (b"3:1,7", 9, {1, 2, 3, 7}),
            (b"*", 9, {9}),
            (b"8:*", 9, {8, 9}),
            (b"12:*", 9, {9}),
            (b"*:8", 9, {8, 9}),
            (b"1:2,2:3", 9, {1, 2, 3}),
            (b"*", 0, set()),
        ):
            isMember = membership(arguments(text).sequenceSet(), last)
            self.assertEqual(members, {n for n in range(1, 10) if isMember(n)}, text)

    def test_again(self) -> None:
        """
        Asking leaves the set as it was: the same is asked again when the mailbox has grown.
        """
        messages = MessageSet(1, None)

        self.assertFalse(membership(messages, 3)(4))
        self.assertTrue(membership(messages, 5)(4))
