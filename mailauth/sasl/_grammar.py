"""
The grammar of the mechanisms' messages, each expression under its ABNF.

Only C{fullmatch}: C{$} would also match before a line feed. Every expression is linear: no two
neighbours in it can match the same octet.
"""

from __future__ import annotations

import re
import string

# RFC 5801 section 4, as RFC 7628 section 3.1 uses it. The octets of a saslname are checked as
# UTF-8 where the name is canonicalized; here it ends at the next comma.
#
#   gs2-header  = [gs2-nonstd-flag ","] gs2-cb-flag "," [gs2-authzid] ","
#   gs2-cb-flag = ("p=" cb-name) / "n" / "y"
#   gs2-authzid = "a=" saslname
#   saslname    = 1*(UTF8-char-safe / "=2C" / "=3D")
#
# No channel binding can be verified here, so "p=" does not match. RFC 5801 makes "F," the mark
# of a mechanism that is not a GSS-API one; OAUTHBEARER clients never send it.
GS2_HEADER = re.compile(rb"[ny],(?:a=(?P<authzid>(?:[^\x00\x01,=]++|=2C|=3D)++))?,")

# RFC 7628 section 3.1, with the pairs taken apart afterwards:
#
#   client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
#   kvpair      = key "=" value kvsep
#   key         = 1*(ALPHA)
#   value       = *(VCHAR / SP / HTAB / CR / LF)
#   kvsep       = %x01
KVPAIR = re.compile(rb"(?P<key>[A-Za-z]+)=(?P<value>[\x21-\x7e \t\r\n]*)")
KVSEP = b"\x01"

# Google's XOAUTH2 sends the user as a pair of the same form; unlike RFC 7628's values it may
# hold UTF-8, which is a login name and is checked as one.
XOAUTH2_USER = re.compile(rb"user=(?P<user>[^\x00\x01]*)")

# RFC 6750 section 2.1, with the scheme of RFC 7235 section 2.1 in any case:
#
#   credentials = "Bearer" 1*SP b64token
#   b64token    = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_B64TOKEN = string.ascii_letters.encode() + string.digits.encode() + b"-._~+/"


def isB64token(token: bytes) -> bool:
    """
    Whether this is a C{b64token}. It is no expression, because to delete octets from a token of a
    kilobyte takes a quarter of the time of matching them.
    """
    stem = token.rstrip(b"=")
    return bool(stem) and not stem.translate(None, _B64TOKEN)


# RFC 4616 section 2. The octets of the three parts are checked where they are used.
#
#   message = [authzid] UTF8NUL authcid UTF8NUL passwd
PLAIN_MESSAGE = re.compile(
    rb"(?P<authzid>[^\x00]*)\x00(?P<authcid>[^\x00]+)\x00(?P<password>[^\x00]+)"
)
