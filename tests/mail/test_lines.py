"""
L{mailauth.mail.lines}: how octets become lines.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.mail.lines import LineReader


class Reader(LineReader):
    """
    A reader that keeps what it is given, and pauses when a line tells it to.
    """

    MAX_LENGTH = 10

    def __init__(self) -> None:
        self.events: list[tuple[str, bytes]] = []

    def lineReceived(self, line: bytes) -> None:
        """
        Keep it.
        """
        self.events.append(("line", line))
        if line == b"pause":
            self.paused = True
        elif line == b"again":
            self.paused = True
            self.resume()

    def resume(self) -> None:
        """
        Go on, as L{mailauth.mail.flow.Flow} does.
        """
        self.paused = False
        self.dataReceived(b"")

    def lineTooLong(self, start: bytes) -> None:
        """
        Keep its start, which is never shorter than this.
        """
        self.events.append(("too long", start[:10]))

    @property
    def lines(self) -> list[bytes]:
        """
        The lines alone.
        """
        return [line for kind, line in self.events if kind == "line"]


def segments(octets: bytes, cuts: list[int]) -> list[bytes]:
    """
    Cut the octets at these places.
    """
    places = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    return [octets[a:b] for a, b in pairwise(places)]


class LineReaderTests(SynchronousTestCase):
    """
    L{LineReader}.
    """

    def test_onlyCRLFEndsALine(self) -> None:
        """
        Neither a bare LF nor a bare CR ends a line (W7).
        """
        reader = Reader()

        reader.dataReceived(b"a\nb\rc\r\nd\r\n")

        self.assertEqual([b"a\nb\rc", b"d"], reader.lines)

    def test_crlfAcrossSegments(self) -> None:
        """
        A line end may be cut in two.
        """
        reader = Reader()

        reader.dataReceived(b"one\r")
        reader.dataReceived(b"\ntwo\r\n")

        self.assertEqual([b"one", b"two"], reader.lines)

    def test_longestLine(self) -> None:
        """
        A line of C{MAX_LENGTH} is handed on, whether or not its end comes with it.
        """
        reader = Reader()

        reader.dataReceived(b"0123456789\r\n0123456789")
        reader.dataReceived(b"\r")
        reader.dataReceived(b"\n")

        self.assertEqual([b"0123456789"] * 2, reader.lines)

    def test_tooLongInOneSegment(self) -> None:
        """
        A line that is too long is announced, and the next one is handed on.
        """
        reader = Reader()

        reader.dataReceived(b"0123456789a\r\nnext\r\n")

        self.assertEqual([("too long", b"0123456789"), ("line", b"next")], reader.events)

    def test_endlessLine(self) -> None:
        """
        A line without end is announced once and kept nowhere, and after its end the reader is in
        step again (DS1, S2).
        """
        reader = Reader()

        for _ in range(64):
            reader.dataReceived(b"A" * 65536)
        kept = reader.clearLineBuffer()
        reader.dataReceived(b"A\r\nnext\r\n")

        self.assertEqual(b"", kept)
        self.assertEqual([("too long", b"A" * 10), ("line", b"next")], reader.events)

    def test_endOfALongLineIsCut(self) -> None:
        """
        The end of a line that is skipped is recognized, also if it comes in two parts.
        """
        reader = Reader()

        reader.dataReceived(b"A" * 30 + b"\r")
        reader.dataReceived(b"\nnext\r\n")

        self.assertEqual([b"next"], reader.lines)

    def test_pause(self) -> None:
        """
        The lines behind one that pauses wait.
        """
        reader = Reader()

        reader.dataReceived(b"pause\r\none\r\ntw")
        reader.dataReceived(b"o\r\n")

        self.assertEqual([b"pause"], reader.lines)
        reader.resume()
        self.assertEqual([b"pause", b"one", b"two"], reader.lines)

    def test_resumeFromInsideALine(self) -> None:
        """
        However many lines pause and resume at once, the reader does not call itself.
        """
        reader = Reader()

        reader.dataReceived(b"again\r\n" * 5000)

        self.assertEqual(5000, len(reader.lines))

    def test_clearLineBuffer(self) -> None:
        """
        What was read and not handed on can be taken away (W1).
        """
        reader = Reader()
        reader.dataReceived(b"pause\r\none\r\ntw")

        self.assertEqual(b"one\r\ntw", reader.clearLineBuffer())
        reader.resume()
        reader.dataReceived(b"three\r\n")
        self.assertEqual([b"pause", b"three"], reader.lines)

    def test_unfinished(self) -> None:
        """
        A line that has begun and not ended is told from none.
        """
        reader = Reader()

        states = []
        for segment in (b"one\r\n", b"tw", b"o\r\n", b"x" * 20, b"x", b"\r\n"):
            reader.dataReceived(segment)
            states.append(reader.unfinished())

        self.assertEqual([False, True, False, True, True, False], states)

    @given(
        st.lists(
            st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"0123456789", b"x" * 30, b"again"])
        ).map(b"".join),
        st.lists(st.integers(min_value=0)),
    )
    def test_segmentsDoNotMatter(self, octets: bytes, cuts: list[int]) -> None:
        """
        However the octets are cut, they are the same lines, the same ones are too long, and what
        waits is bounded (W7, DS1).
        """
        whole, cut = Reader(), Reader()

        whole.dataReceived(octets)
        for segment in segments(octets, cuts):
            cut.dataReceived(segment)

        self.assertEqual(whole.events, cut.events)
        expected = [line for line in octets.split(b"\r\n")[:-1] if len(line) <= 10]
        self.assertEqual(expected, cut.lines)
        self.assertLessEqual(len(cut.clearLineBuffer()), 11)
