"""
What happened, for whoever has to find out later: frozen values. Owns the kinds of events, and that
none holds a secret, a line break or a megabyte by way of a name (LG1, LG2).
"""

from __future__ import annotations

from enum import StrEnum, auto

import attrs

MAX_NAME = 320
"""
How many characters of a name are kept: that is as long as an account's can be.
"""

MAX_TEXT = 500

COMMAND = "command"
"""
Who the C{mailauth} command is, and by what way it acts.
"""

ACCOUNT_SITE, ADMIN_SITE, SIGN_IN = "account", "admin", "web"
"""
The other ways: the site where people manage their accounts, the one for administrators, and the
pages where somebody signs in and consents.
"""


class Kind(StrEnum):
    """
    What can happen.
    """

    ACCOUNT_CREATED = auto()
    ACCOUNT_REMOVED = auto()
    ACCOUNT_DISABLED = auto()
    ACCOUNT_ENABLED = auto()
    PASSWORD_SET = auto()
    PASSWORD_CLEARED = auto()
    PASSWORD_RULE_SET = auto()
    ALIAS_ADDED = auto()
    ALIAS_REMOVED = auto()
    QUOTA_SET = auto()
    APP_PASSWORD_MADE = auto()
    APP_PASSWORD_IMPORTED = auto()
    APP_PASSWORD_REVOKED = auto()
    APPLICATION_ALLOWED = auto()
    APPLICATION_ENDED = auto()
    BROWSER_ENDED = auto()
    CONNECTION_ENDED = auto()
    ALL_ENDED = auto()
    TOTP_SET = auto()
    TOTP_REMOVED = auto()
    RECOVERY_CODES_MADE = auto()
    PASSKEY_ADDED = auto()
    PASSKEY_RENAMED = auto()
    PASSKEY_REMOVED = auto()
    CLIENT_ADDED = auto()
    CLIENT_REMOVED = auto()
    CLIENT_DENIED = auto()
    KEY_ROTATED = auto()
    KEY_REVOKED = auto()
    IDENTITY_LINKED = auto()
    IDENTITY_UNLINKED = auto()
    TOKEN_ISSUED = auto()
    TOKEN_REVOKED = auto()
    SIGNED_IN = auto()
    SIGN_IN_REFUSED = auto()
    NOTICE_FAILED = auto()


def printable(text: str) -> str:
    """
    A text without what ends a line, moves a cursor or turns the direction of writing (WB4).
    """
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _name(value: str) -> str:
    return printable(value[:MAX_NAME])


def _optionalName(value: str | None) -> str | None:
    return None if value is None else _name(value)


def _text(value: str) -> str:
    return printable(value[:MAX_TEXT])


@attrs.frozen
class Actor:
    """
    Who does something.

    @ivar who: the name of his account, or L{COMMAND}.
    @ivar via: by what way: L{COMMAND}, L{ACCOUNT_SITE}, L{ADMIN_SITE} or L{SIGN_IN}.
    @ivar address: the IP address he comes from, if there is one.
    """

    who: str = attrs.field(converter=_name)
    via: str = attrs.field(
        validator=attrs.validators.in_((COMMAND, ACCOUNT_SITE, ADMIN_SITE, SIGN_IN))
    )
    address: str | None = attrs.field(default=None, converter=_optionalName)


THE_COMMAND = Actor(COMMAND, COMMAND)


@attrs.frozen
class Event:
    """
    One thing that happened.

    @ivar kind: what.
    @ivar actor: who did it.
    @ivar time: when, in seconds since the epoch.
    @ivar account: whose account it concerns, C{None} if nobody's.
    @ivar text: more about it, for people. It has no secret in it.
    @ivar number: events are numbered in the order in which they were kept; 0 before.
    """

    kind: Kind
    actor: Actor
    time: float
    account: str | None = attrs.field(default=None, converter=_optionalName)
    text: str = attrs.field(default="", converter=_text)
    number: int = 0


@attrs.frozen
class EventSearch:
    """
    Which events somebody looks for. What is C{None} does not matter.

    @ivar account: whose account they concern.
    @ivar kind: what happened.
    @ivar who: who did it: see L{Actor.who}.
    @ivar since: from then on.
    @ivar until: before that.
    @ivar word: what stands in the text, the account, who did it or the address, whether in capitals
        or not, if it is ASCII.
    """

    account: str | None = None
    kind: Kind | None = None
    who: str | None = None
    since: float | None = None
    until: float | None = None
    word: str | None = None
