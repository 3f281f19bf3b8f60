"""
How a response travels on IMAP, SMTP and POP3: canonical base64, C{=} for an empty one, C{*} to
cancel (RFC 4954 section 4, RFC 4959, RFC 9051 section 6.2.2, RFC 5034 section 4).
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error, a2b_base64

from ..errors import Cancelled, InvalidResponse

_PADDING_BITS = {
    1: frozenset(b"AEIMQUYcgkosw048"),
    2: frozenset(b"AQgw"),
}
"""
What may stand before so many C{=}: the bits that the padding leaves over are zero (RFC 4648
section 3.5). Two texts for one response would let a token pass a list under another name (SA2).
"""


def decodeResponse(line: bytes) -> bytes:
    """
    Decode a line that answers a challenge.

    @param line: without its line end.
    @raise Cancelled: it is C{*}.
    @raise InvalidResponse: it is not canonical base64 (RFC 4648 sections 3.2, 3.3 and 3.5).
    """
    if line == b"*":
        raise Cancelled()
    if not line:
        return b""
    try:
        decoded = a2b_base64(line, strict_mode=True)
    except Error:
        raise InvalidResponse("not base64") from None
    padding = line.count(b"=", -2)
    if padding and line[-padding - 1] not in _PADDING_BITS[padding]:
        raise InvalidResponse("not canonical base64")
    return decoded


def decodeInitialResponse(argument: bytes) -> bytes:
    """
    Decode the argument of an AUTH command. It differs from a line in one thing: C{=} says that
    the response is there, and empty (RFC 4954 section 4).

    @raise Cancelled: it is C{*}.
    @raise InvalidResponse: it is not canonical base64.
    """
    return b"" if argument == b"=" else decodeResponse(argument)


def encodeChallenge(challenge: bytes) -> bytes:
    """
    Encode a challenge as one line without a break: several clients read no more than one.
    """
    return b64encode(challenge)
