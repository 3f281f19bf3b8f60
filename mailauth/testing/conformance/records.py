"""
Records to put into the stores that are tested.
"""

from __future__ import annotations

import hashlib

from ...oauth.records import (
    Authentication,
    AuthorizationCode,
    BrowserSession,
    DeviceCode,
    Grant,
    OpaqueToken,
    Passkey,
)
from ...oauth.tokens import AccessToken
from ...stores.records import Account, AppPassword

ALICE = Account("alice@example.test", created=1.0)
BOB = Account("bob@example.test", "hash of bob's", True, "web", 2.0)

ISSUER = "https://issuer.example"
"""
The authorization server whose clients and grants the stores keep.
"""

NOW = 1_800_000_000.0
"""
When the stores are opened.
"""

CLIENT = "a client"


def digestOf(name: str) -> bytes:
    """
    The digest of a secret of this name.
    """
    return hashlib.sha256(name.encode("utf-8")).digest()


def makeAppPassword(identifier: str, account: str = ALICE.name) -> AppPassword:
    """
    An app password whose secret is its identifier.
    """
    return AppPassword(identifier, account, "a phone", digest=digestOf(identifier), created=1.0)


def makeImported(identifier: str, account: str = ALICE.name) -> AppPassword:
    """
    An app password that was imported as a hash.
    """
    return AppPassword(identifier, account, "imported", imported="{BLF-CRYPT}$2b$...", created=1.0)


def makeGrant(grantId: str, account: str = ALICE.name, created: float = NOW) -> Grant:
    """
    A grant of an account, with a refresh token C{"first"}.
    """
    return Grant(
        grantId,
        Authentication(account, created - 5.0, frozenset({"pwd", "otp"}), "a browser session"),
        CLIENT,
        frozenset({"imap", "smtp"}),
        frozenset({"https://mail.example/"}),
        created=created,
        expires=created + 90 * 86400.0,
        keyThumbprint="a thumbprint",
        refreshDigest=digestOf("first"),
        rotated=created,
        refreshExpires=created + 30 * 86400.0,
        lastUse=created,
        address="192.0.2.1",
    )


def makeOpaqueToken(name: str, grant: Grant | None) -> OpaqueToken:
    """
    An opaque token of a grant, or of a client alone.
    """
    token = AccessToken(
        ISSUER,
        CLIENT if grant is None else grant.account,
        "" if grant is None else grant.account,
        frozenset({"imap"}),
        frozenset({"mail.example"}),
        NOW + 900.0,
        NOW,
        CLIENT,
        f"id of {name}",
        None if grant is None else grant.grantId,
        bound=True,
    )
    return OpaqueToken(digestOf(name), token, None if grant is None else grant.created)


def makeCode(name: str, grant: Grant) -> AuthorizationCode:
    """
    A code that lives for a minute.
    """
    return AuthorizationCode(
        digestOf(name), grant, "https://client.example/", "a challenge", "a nonce", NOW + 60.0
    )


def makeDeviceCode(name: str, userCode: str = "BCDFGHJK", created: float = NOW) -> DeviceCode:
    """
    A device that waits, for ten minutes.
    """
    return DeviceCode(
        digestOf(name),
        userCode,
        CLIENT,
        frozenset({"imap"}),
        frozenset({"https://mail.example/"}),
        created,
        created + 600.0,
        address="192.0.2.1",
    )


def makeBrowserSession(
    identifier: str, account: str = ALICE.name, created: float = NOW
) -> BrowserSession:
    """
    A browser in which somebody is signed in, for a day.
    """
    return BrowserSession(
        digestOf(identifier),
        Authentication(account, created, frozenset({"pwd"}), identifier),
        created,
        created + 86400.0,
        created,
        "192.0.2.1",
        "A Browser/1.0",
    )


def makePasskey(name: str, account: str = ALICE.name, signCount: int = 0) -> Passkey:
    """
    A passkey whose id is a digest of its name.
    """
    return Passkey(digestOf(name), account, name, b"\xa5\x00\xff", signCount, NOW)
