"""
Scopes: sets of tokens (RFC 6749 section 3.3), which of them opens which service, and what each
lets a client do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAIL_SCOPE = "urn:ietf:params:oauth:scope:mail"
"""
All mail services (draft-ietf-mailmaint-oauth-public).
"""

CONTACTS_SCOPE = "urn:ietf:params:oauth:scope:contacts"
CALENDARS_SCOPE = "urn:ietf:params:oauth:scope:calendars"

OFFLINE_SCOPE = "offline_access"
"""
An OpenID client's word for a refresh token (OpenID Connect Core 1.0 section 11).
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


def readOnlyScope(scope: str) -> str:
    """
    The scope that lets a client read what this one lets it change.
    """
    return f"{scope}:read"


READ_ONLY_SCOPES: Mapping[str, frozenset[str]] = {
    service: frozenset({readOnlyScope(MAIL_SCOPE), readOnlyScope(service)})
    for service in ("imap", "pop3", "jmap")
}
"""
For each service the scopes of which any one opens it for reading alone. Whoever sends mail does
more than read.
"""

MEANINGS: Mapping[str, str] = {
    MAIL_SCOPE: "scope.mail",
    "jmap": "scope.mail",
    "imap": "scope.imap",
    "pop3": "scope.pop3",
    "pop": "scope.pop3",
    "smtp": "scope.smtp",
    **dict.fromkeys(sorted(frozenset().union(*READ_ONLY_SCOPES.values())), "scope.mail.readonly"),
    CONTACTS_SCOPE: "scope.contacts",
    readOnlyScope(CONTACTS_SCOPE): "scope.contacts.readonly",
    CALENDARS_SCOPE: "scope.calendars",
    readOnlyScope(CALENDARS_SCOPE): "scope.calendars.readonly",
    "openid": "scope.openid",
    "email": "scope.email",
    "profile": "scope.profile",
    OFFLINE_SCOPE: "scope.offline_access",
}
"""
Every scope that the built-in issuer knows, and the key under which the pages say what it means: the
most important first.
"""

KNOWN_SCOPES = frozenset(MEANINGS)

_INCLUDED: Mapping[str, frozenset[str]] = {
    "scope.mail": frozenset({"scope.imap", "scope.pop3", "scope.smtp", "scope.mail.readonly"}),
    "scope.imap": frozenset({"scope.pop3", "scope.mail.readonly"}),
    "scope.contacts": frozenset({"scope.contacts.readonly"}),
    "scope.calendars": frozenset({"scope.calendars.readonly"}),
}


def meaningsOf(scope: frozenset[str]) -> tuple[str, ...]:
    """
    What a scope of L{KNOWN_SCOPES} lets a client do, for people: the keys of the sentences, the
    most important first. What another sentence says already is left out.
    """
    keys = {key: None for name, key in MEANINGS.items() if name in scope}
    said = frozenset().union(*(_INCLUDED.get(key, frozenset()) for key in keys))
    return tuple(key for key in keys if key not in said)


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
