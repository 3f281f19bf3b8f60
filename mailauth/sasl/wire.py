"""
How a response travels on IMAP, SMTP and POP3: canonical base64, C{=} for an empty one, C{*} to
cancel (RFC 4954 section 4, RFC 4959, RFC 9051 section 6.2.2, RFC 5034 section 4).
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from ..errors import Cancelled, InvalidResponse


def decodeResponse(line: bytes) -> bytes:
    """
    Decode a line that answers a challenge.

    @param line: without its line end.
    @raise Cancelled: it is C{*}.
    @raise InvalidResponse: it is not canonical base64 (RFC 4648 sections 3.2, 3.3 and 3.5).
    """
    if line == b"*":
        raise Cancelled()
    try:
        decoded = a2b_base64(line, strict_mode=True)
    except Error:
        raise InvalidResponse("not base64") from None
    # Two texts for one response would let a token pass a list under another name (SA2). Python's
    # strict mode alone takes "AAAA=" and "AB==", which differ at the end only: as many octets as
    # the last four letters hold are encoded again.
    end = decoded[(len(decoded) - 1) // 3 * 3 :]
    if len(line) % 4 or b2a_base64(end, newline=False) != line[-4:]:
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
    return b2a_base64(challenge, newline=False)
