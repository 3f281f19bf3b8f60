"""
What a login brings in, and what a checker answers.

Secrets are held in fields that C{repr} leaves out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Self

import attrs
from twisted.cred.credentials import IUsernamePassword
from zope.interface import implementer

from .interfaces import IBearerToken, IDelegatedPassword


@attrs.frozen
class LoginContext:
    """
    Where an attempt comes from.

    @ivar service: what it is for: C{"imap"}, C{"smtp"}, C{"pop3"}, C{"jmap"} or C{"web"}.
    @ivar peer: the IP address of the other end, or C{None} where there is none.
    @ivar secure: whether nobody on the way can read along.
    @ivar mailClient: what the mail client calls itself (IMAP ID, EHLO name), which nobody
        verified, or C{None}.
    """

    service: str
    peer: str | None = None
    secure: bool = False
    mailClient: str | None = None


@implementer(IBearerToken)
@attrs.define(eq=False)
class BearerToken:
    """
    An access token, and the account it is presented for.

    @ivar token: the access token (RFC 6750 section 2.1 C{b64token}).
    @ivar authzid: the authorization identity in UTF-8, as sent; C{None} means the token's owner.
    @ivar context: where it came from. The wire sets it, for a mechanism cannot know.
    """

    token: bytes = attrs.field(repr=False)
    authzid: bytes | None = None
    context: LoginContext | None = None


@implementer(IUsernamePassword)
@attrs.define(eq=False)
class UsernamePassword:
    """
    A login name and a password. It provides cred's C{IUsernamePassword}, so that any checker
    of cred can be used behind our servers.

    @ivar username: the login name as typed, in UTF-8 (the authcid of RFC 4616).
    @ivar password: the password as typed.
    @ivar context: where it came from. The wire sets it, for a mechanism cannot know.
    """

    username: bytes
    password: bytes = attrs.field(repr=False)
    context: LoginContext | None = None

    def checkPassword(self, password: bytes) -> bool:
        """
        Compare with a clear password, in constant time. Only cred's own checkers call this.
        """
        return secrets.compare_digest(self.password, password)


@implementer(IDelegatedPassword)
@attrs.define(eq=False)
class DelegatedPassword:
    """
    A login name, its password, and another account to act as (RFC 4616's authzid).

    It does not provide C{IUsernamePassword}: a checker that has never heard of authorization
    identities would let the holder of one account into every other.

    @ivar username: the login name whose password this is.
    @ivar password: the password as typed.
    @ivar authzid: the account to act as, as typed.
    @ivar context: where it came from.
    """

    username: bytes
    password: bytes = attrs.field(repr=False)
    authzid: bytes
    context: LoginContext | None = None


def accountTag(name: str) -> str:
    """
    The tag that every credential of one account bears.

    @param name: the account's name in its canonical form.
    """
    return f"account:{name}"


def appPasswordTag(identifier: str) -> str:
    """
    The tag of one app password.
    """
    return f"app-password:{identifier}"


def tokenTag(issuer: str, tokenId: str) -> str:
    """
    The tag of one access token: issuers choose their token ids without asking each other.
    """
    return f"token:{issuer}#{tokenId}"


def isTokenTag(tag: str) -> bool:
    """
    Whether a tag is that of one access token, under which nothing else will ever be issued.
    """
    return tag.startswith("token:")


def grantTag(issuer: str, grantId: str) -> str:
    """
    The tag of every token that came from one act of granting.
    """
    return f"grant:{issuer}#{grantId}"


def clientTag(issuer: str, clientId: str) -> str:
    """
    The tag of every token that one client holds.
    """
    return f"client:{issuer}#{clientId}"


def subjectTag(issuer: str, subject: str) -> str:
    """
    The tag of every token about one subject of an external issuer.
    """
    return f"subject:{issuer}#{subject}"


def keyTag(issuer: str, kid: str) -> str:
    """
    The tag of every token that one key signed.
    """
    return f"key:{issuer}#{kid}"


class AvatarId(bytes):
    """
    The account name that a checker settled on. Any realm can use it as C{bytes}; ours also read
    what the credential that earned it was.

    @ivar tags: what a revocation has to name to end this login.
    @ivar readOnly: the credential may read, and change or send nothing.
    @ivar expires: when the credential ends by itself, in seconds since the epoch, or C{None}.
    @ivar credential: what it was, for people to read, such as C{"app password 'phone'"}.
    """

    tags: frozenset[str]
    readOnly: bool
    expires: float | None
    credential: str

    def __new__(
        cls,
        account: str,
        tags: Iterable[str] = (),
        readOnly: bool = False,
        expires: float | None = None,
        credential: str = "",
    ) -> Self:
        """
        @param account: the account name in its canonical form.
        """
        self = super().__new__(cls, account.encode("utf-8"))
        self.tags = frozenset((accountTag(account), *tags))
        self.readOnly = readOnly
        self.expires = expires
        self.credential = credential
        return self

    @property
    def account(self) -> str:
        """
        The account name as text.
        """
        return self.decode("utf-8")
