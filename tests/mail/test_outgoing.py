"""
L{mailauth.mail.outgoing}: how a stored message becomes the lines of an answer.
"""

from __future__ import annotations

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.mail.outgoing import PIECE, wireForm


class Drip(BytesIO):
    """
    A file that gives so many octets at a time, whatever is asked for.
    """

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        super().__init__(content)
        self.sizes = sizes

    def read(self, size: int | None = -1) -> bytes:
        """
        The next octets.
        """
        return super().read(self.sizes.pop(0) if self.sizes else size)


def expected(content: bytes, bodyLines: int | None) -> bytes:
    """
    The same by another way: line by line, with all of the message at hand.
    """
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    if lines[-1] == b"" and len(lines) > 1:
        lines.pop()
    if bodyLines is not None and b"" in lines:
        lines = lines[: lines.index(b"") + 1 + bodyLines]
    return b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines)


contents = st.lists(
    st.sampled_from([b"a", b".", b"..", b"\r", b"\n", b"\r\n", b"\r\n.", b"\r\n\r\n", b"x" * 9])
).map(b"".join)
cuts = st.lists(st.integers(min_value=1, max_value=7), max_size=40)


class WireFormTests(SynchronousTestCase):
    """
    L{wireForm}.
    """

    def test_dotAtTheBeginningOfAPiece(self) -> None:
        """
        A dot that begins a line is doubled, also where a piece begins, and one that begins a
        piece inside a line is not (W8).
        """
        line = b"x" * (PIECE - 2)
        for content, wire in (
            (line + b"\r\n.\r\n", line + b"\r\n..\r\n"),
            (line + b"xx.\r\n", line + b"xx.\r\n"),
            (line + b"x\r\n.\r\n", line + b"x\r\n..\r\n"),
        ):
            self.assertEqual(wire, b"".join(wireForm(BytesIO(content), None)))

    def test_empty(self) -> None:
        """
        A message of nothing is an empty line.
        """
        self.assertEqual(b"\r\n", b"".join(wireForm(BytesIO(b""), None)))

    def test_top(self) -> None:
        """
        So many lines of the body: none, one, all.
        """
        message = b"a: b\r\n\r\none\r\ntwo\r\n"
        for lines, wire in {
            0: b"a: b\r\n\r\n",
            1: b"a: b\r\n\r\none\r\n",
            2: message,
            9: message,
        }.items():
            self.assertEqual(wire, b"".join(wireForm(BytesIO(message), lines)))

    def test_topReadsNoMore(self) -> None:
        """
        Behind the lines that were asked for nothing is read.
        """
        message = BytesIO(b"a: b\r\n\r\n" + b"line\r\n" * 100000)

        list(wireForm(message, 3))

        self.assertEqual(PIECE, message.tell())

    @given(contents, cuts, st.none() | st.integers(min_value=0, max_value=5))
    def test_piecesDoNotMatter(
        self, content: bytes, sizes: list[int], bodyLines: int | None
    ) -> None:
        """
        However a message is read, every line is on the wire, ends in CRLF, is dot-stuffed, and
        none of them is a dot (W8).
        """
        wire = b"".join(wireForm(Drip(content, sizes), bodyLines))

        self.assertEqual(expected(content, bodyLines), wire)
        self.assertNotIn(b".", wire.split(b"\r\n"))
