"""
How a response travels: canonical base64, C{=} and C{*}.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import Cancelled, InvalidResponse
from mailauth.sasl.wire import decodeInitialResponse, decodeResponse, encodeChallenge


def canonical(line: bytes) -> bytes | None:
    """
    The oracle: the octets of which the line is the one and only encoding, if there are any.
    """
    try:
        decoded = b64decode(line, validate=True)
    except Error:
        return None
    return decoded if b64encode(decoded) == line else None


def decodedOrNone(line: bytes) -> bytes | None:
    """
    What is under test, in the oracle's terms.
    """
    try:
        return decodeResponse(line)
    except InvalidResponse:
        return None


class WireTests(SynchronousTestCase):
    """
    L{mailauth.sasl.wire}.
    """

    def test_everyShortLine(self) -> None:
        """
        Of all lines up to five octets over the letters that matter, those that are the encoding
        of something are decoded, and no other (SA2).
        """
        for length in range(6):
            for octets in product(b"AQBgw/+=-* \n", repeat=length):
                line = bytes(octets)
                if line != b"*":
                    self.assertEqual(canonical(line), decodedOrNone(line), line)

    def test_paddingBehindWholeGroups(self) -> None:
        """
        Padding that pads nothing is refused, which Python's strict mode lets through (SA2).
        """
        for line in (b"AAAA=", b"AAAA==", b"AAAA====", b"=", b"==", b"====", b"AB==", b"AAB="):
            with self.subTest(line):
                self.assertRaises(InvalidResponse, decodeResponse, line)

    @given(st.binary(max_size=400))
    def test_anyOctets(self, line: bytes) -> None:
        """
        No octets raise anything else, and what is decoded encodes to the same line (W13).
        """
        if line != b"*":
            self.assertEqual(canonical(line), decodedOrNone(line))

    @given(st.binary(max_size=400))
    def test_decodeUndoesEncode(self, octets: bytes) -> None:
        """
        Whatever is encoded is one line, and comes back.
        """
        line = encodeChallenge(octets)

        self.assertNotIn(b"\n", line)
        self.assertEqual(octets, decodeResponse(line))

    def test_cancel(self) -> None:
        """
        An asterisk cancels, as a response and as an initial response (SA4).
        """
        self.assertRaises(Cancelled, decodeResponse, b"*")
        self.assertRaises(Cancelled, decodeInitialResponse, b"*")

    def test_empty(self) -> None:
        """
        An empty line is an empty response; as an initial response it is written C{=}, which as
        a response is malformed (SA4).
        """
        self.assertEqual(b"", decodeResponse(b""))
        self.assertEqual(b"", decodeInitialResponse(b"="))
        self.assertRaises(InvalidResponse, decodeResponse, b"=")
