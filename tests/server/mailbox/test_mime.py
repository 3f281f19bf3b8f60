"""
L{mailauth.server.mailbox.mime}.
"""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from twisted.mail.imap4 import IMessagePart
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.server.mailbox.mime import MAX_DEPTH, MAX_PARTS, Part, fields, parse

NESTED = b"""From: a
Content-Type: multipart/mixed; boundary="b 1"

preamble
--b 1

hello
--b 1
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/html

<p>
--x--
--b 1
X: no empty line
--b 1--
epilogue
""".replace(b"\n", b"\r\n")

SOUP = st.lists(
    st.sampled_from(
        [
            b"Content-Type: multipart/mixed; boundary=b\r\n",
            b"Content-Type: multipart/digest; boundary=c\r\n",
            b"Content-Type: message/rfc822\r\n",
            b"--b\r\n",
            b"--c\r\n",
            b"--b--\r\n",
            b"--c--\r\n",
            b"\r\n",
            b"\n",
            b"text\r\n",
            b"a: b\r\n c\r\n",
            b"\xff\x00:",
        ]
    ),
    max_size=40,
).map(b"".join)


def everyPart(part: Part) -> list[Part]:
    return [part, *(below for child in part.parts for below in everyPart(child))]


class ParseTests(SynchronousTestCase):
    """
    L{parse}.
    """

    def test_nested(self) -> None:
        """
        Parts are found by their numbers, and hold exactly their octets (RFC 3501 section 6.4.5).
        """
        root = parse(NESTED)

        for path, body in (
            ((1,), b"hello"),
            ((2, 1), b"<p>"),
            ((3,), b""),
        ):
            part = root.find(path)
            assert part is not None
            self.assertEqual(body, part.body)
        for path in ((4,), (2, 2), (1, 2), (9, 9)):
            self.assertIsNone(root.find(path))
        forwarded = root.find((2,))
        assert forwarded is not None
        self.assertTrue(forwarded.holdsMessage)
        self.assertTrue(forwarded.body.startswith(b"Subject: inner\r\n"))
        self.assertTrue(forwarded.body.endswith(b"--x--"))

    def test_simple(self) -> None:
        """
        A message without parts is its own part 1.
        """
        root = parse(b"a: b\r\n\r\nbody\r\n")

        self.assertIs(root, root.find((1,)))
        self.assertEqual(b"body\r\n", root.body)
        self.assertEqual((b"text", b"plain"), root.type)
        self.assertTrue(verifyObject(IMessagePart, root))

    @given(st.binary(max_size=200) | SOUP)
    def test_total(self, content: bytes) -> None:
        """
        Any octets have a structure, whose parts lie within each other and change nothing (DS11).
        """
        root = parse(content)

        self.assertEqual(content, root.header + root.body)
        for part in everyPart(root):
            self.assertTrue(0 <= part.start <= part.end <= len(content))
            self.assertEqual(content[part.start : part.end], part.header + part.body)
            self.assertEqual(part.body.count(b"\n"), part.lines)
            for child in part.parts:
                self.assertTrue(part.start <= child.start and child.end <= part.end)

    def test_tooDeep(self) -> None:
        """
        Nesting ends at a depth, and the number of parts is limited (DS11).
        """
        multipart = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
        deep = b"".join(multipart % (n, n) for n in range(3 * MAX_DEPTH))
        messages = b"Content-Type: message/rfc822\r\n\r\n" * 3 * MAX_DEPTH
        wide = multipart % (1, 1) + b"\r\n--b1\r\n" * 3 * MAX_PARTS

        for content in (deep, messages):
            self.assertEqual(MAX_DEPTH, len(everyPart(parse(content))))
        self.assertEqual(MAX_PARTS, len(everyPart(parse(wide))))

    def test_linear(self) -> None:
        """
        A message made to be costly is taken apart in the time of one pass (DS5, DS11).
        """
        multipart = b"Content-Type: multipart/mixed; boundary=%s\n\n--%s\n"
        nested = b"".join(multipart % (2 * (b"%050d" % n,)) for n in range(MAX_DEPTH))
        forwarded = b"Content-Type: message/rfc822\n\n" * MAX_DEPTH
        deep = b"".join(multipart % (2 * (b"%0190d" % n,)) for n in range(MAX_DEPTH - 5))
        deepest = b"%0190d" % (MAX_DEPTH - 6)
        for content in (
            nested + b"--b\n" * 250_000,
            deep + b"".join(multipart % (b"%0190d" % n, deepest) for n in range(1000, 1890)),
            forwarded + b"\n" * 1_000_000,
            multipart % (b"b", b"b") + b"--b\nX: y\n" * 1000 + b"x\n" * 500_000,
            b"X:" + b"\n y" * 300_000,
            b"Content-Type: multipart/mixed;" + b';a="\\' * 200_000,
            b"x" * 1_000_000,
        ):
            began = time.process_time()
            sum(part.lines for part in everyPart(parse(content)))
            self.assertLess(time.process_time() - began, 1, content[:60])


class FieldsTests(SynchronousTestCase):
    """
    L{fields}.
    """

    def test_fields(self) -> None:
        """
        Fields come in their order, repeated ones too, unfolded and as they are.
        """
        header = b"A: 1\r\nb : 2\r\n  3\r\nno field\r\nA: \xff\r\n\r\n"

        self.assertEqual(
            [
                (b"a", b"1", b"A: 1\r\n"),
                (b"b", b"2  3", b"b : 2\r\n  3\r\n"),
                (b"a", b"\xff", b"A: \xff\r\n"),
            ],
            list(fields(header)),
        )
