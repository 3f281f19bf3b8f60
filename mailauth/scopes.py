"""
Scopes: sets of tokens (RFC 6749 section 3.3), and which of them opens which service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAIL_SCOPE = "urn:ietf:params:oauth:scope:mail"
"""
All mail services (draft-ietf-mailmaint-oauth-public).
"""

# RFC 6749 section 3.3:
#
#   scope       = scope-token *( SP scope-token )
#   scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")

MAIL_SERVICES = ("imap", "smtp", "pop3", "jmap")

SERVICE_SCOPES: Mapping[str, frozenset[str]] = {
    "imap": frozenset({MAIL_SCOPE, "imap"}),
    "smtp": frozenset({MAIL_SCOPE, "smtp"}),
    "pop3": frozenset({MAIL_SCOPE, "pop3", "pop"}),
    "jmap": frozenset({MAIL_SCOPE, "jmap"}),
}
"""
For each service the scopes of which any one is enough.
"""


def parseScope(text: str) -> frozenset[str]:
    """
    Read a scope.

    @raise ValueError: it does not follow RFC 6749's grammar.
    """
    if not text:
        return frozenset()
    if SCOPE.fullmatch(text) is None:
        raise ValueError("a scope is a list of words of printable ASCII, one space between them")
    return frozenset(text.split(" "))


def formatScope(scope: frozenset[str]) -> str:
    """
    Write a scope, always in the same order.
    """
    return " ".join(sorted(scope))
