"""
What the authorization server asks of a store, in prose.

Each method answers when what it did would survive a loss of power, and fails with
L{Outage<mailauth.errors.Outage>} when the store cannot be reached. What says I{whether} is one
transaction: of any number of callers at once, in any number of processes, one hears C{True}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from .records import (
        AuthorizationCode,
        BrowserSession,
        Client,
        DeviceCode,
        Grant,
        OpaqueToken,
        Passkey,
        TOTPSecret,
    )


class IClients(Interface):
    """
    The clients that an administrator registered. Those that register themselves need no record.
    """

    def add(client: Client) -> Deferred[None]:
        """
        Keep it, and touch its tag: whoever keeps a copy of them hears of it.

        @raise AlreadyExists: the id is taken.
        """

    def get(clientId: str) -> Deferred[Client | None]:
        """
        The client of that id.
        """

    def list() -> Deferred[tuple[Client, ...]]:
        """
        All of them, by id.
        """

    def remove(clientId: str) -> Deferred[None]:
        """
        Remove it with every grant it has, and revoke its tag.

        @raise NotFound: there is no such client.
        """


class IGrants(Interface):
    """
    Codes, grants and what they are redeemed for.

    Redeeming consumes and issues in one transaction: there is no moment at which a code is spent
    and its grant is not there, nor one at which both could be had.
    """

    def addCode(code: AuthorizationCode) -> Deferred[None]:
        """
        Keep it until an hour after it expires, so that a replay is known for one.

        @raise NotFound: there is no such account.
        """

    def findCode(digest: bytes) -> Deferred[AuthorizationCode | None]:
        """
        A code, also one that is used or expired.
        """

    def redeemCode(
        digest: bytes, grant: Grant, opaque: OpaqueToken | None, now: float
    ) -> Deferred[bool]:
        """
        Whether the code was neither used nor expired. If so it is used now, and the grant and the
        opaque access token are there.
        """

    def get(grantId: str) -> Deferred[Grant | None]:
        """
        A grant that was not revoked.
        """

    def list(account: str) -> Deferred[tuple[Grant, ...]]:
        """
        Those of one account, newest first.
        """

    def rotate(
        grantId: str,
        presented: bytes,
        successor: bytes,
        refreshExpires: float | None,
        opaque: OpaqueToken | None,
        now: float,
        address: str | None,
    ) -> Deferred[bool]:
        """
        Whether C{presented} was the digest of the current refresh token. If so, it is the previous
        one now and C{successor} is current, and the opaque access token is there.
        """

    def revoke(grantId: str, reason: str) -> Deferred[None]:
        """
        Remove the grant with its opaque tokens, and revoke its tag. One that is not there is
        revoked all the same: its tokens may be under way.

        @param reason: see L{IRevocations.revoke<mailauth.interfaces.IRevocations.revoke>}.
        """

    def purge(now: float) -> Deferred[None]:
        """
        Forget grants that have expired, and codes and opaque tokens that did an hour ago.
        """


class IOpaqueTokens(Interface):
    """
    Access tokens that say nothing by themselves.
    """

    def add(opaque: OpaqueToken) -> Deferred[None]:
        """
        Keep one that comes of no redemption.

        @raise NotFound: there is no such grant.
        """

    def find(digest: bytes) -> Deferred[OpaqueToken | None]:
        """
        A token, also one that has expired. Whether it was revoked, its tags say.
        """


class IDeviceCodes(Interface):
    """
    Devices that wait.
    """

    def add(code: DeviceCode) -> Deferred[None]:
        """
        Let a device wait.

        @raise AlreadyExists: the user code is somebody's who still waits.
        @raise LimitReached: too many wait.
        """

    def find(digest: bytes) -> Deferred[DeviceCode | None]:
        """
        A code by the device's half, also one that is used or expired.
        """

    def findUserCode(userCode: str) -> Deferred[DeviceCode | None]:
        """
        A code by the person's half, if nobody has decided about it.
        """

    def polled(digest: bytes, now: float, interval: float) -> Deferred[None]:
        """
        Note when the device asked, and how long it has to wait from now on.
        """

    def decide(digest: bytes, grant: Grant | None, now: float) -> Deferred[bool]:
        """
        Whether nobody had decided, the code had not expired and the grant's account is there. If
        so it is allowed by C{grant}, or denied if that is C{None}.
        """

    def redeem(
        digest: bytes, grant: Grant, opaque: OpaqueToken | None, now: float
    ) -> Deferred[bool]:
        """
        Whether the code was allowed, and neither used nor expired. See L{IGrants.redeemCode}.
        """


class IBrowserSessions(Interface):
    """
    Browsers in which somebody is signed in.
    """

    def add(session: BrowserSession) -> Deferred[None]:
        """
        Somebody signed in.

        @raise NotFound: there is no such account.
        """

    def find(digest: bytes) -> Deferred[BrowserSession | None]:
        """
        The session of a cookie, also one that has expired.
        """

    def get(identifier: str) -> Deferred[BrowserSession | None]:
        """
        The session of that id, also one that has expired.
        """

    def touch(digest: bytes, now: float) -> Deferred[None]:
        """
        Note that it was used. Nobody waits for this, and it may be left out.
        """

    def list(account: str) -> Deferred[tuple[BrowserSession, ...]]:
        """
        Those of one account, newest first.
        """

    def end(identifier: str) -> Deferred[BrowserSession | None]:
        """
        Remove the session of that id.

        @return: what it was.
        """

    def purge(now: float) -> Deferred[None]:
        """
        Forget those that have expired.
        """


class IFactors(Interface):
    """
    What an account signs in with besides its password.
    """

    def setTOTP(secret: TOTPSecret, recoveryCodes: tuple[bytes, ...]) -> Deferred[None]:
        """
        Set it and the digests of its recovery codes, in the place of what was there.

        @raise AlreadyExists: it is there: whoever sends a form twice has set it once.
        @raise NotFound: there is no such account.
        """

    def getTOTP(account: str) -> Deferred[TOTPSecret | None]:
        """
        The account's secret.
        """

    def useTOTP(account: str, step: int) -> Deferred[bool]:
        """
        Whether no code of this time step or a later one was used. It is now.
        """

    def removeTOTP(account: str) -> Deferred[None]:
        """
        Its recovery codes go, too.

        @raise NotFound: it has none.
        """

    def addPasskey(passkey: Passkey) -> Deferred[None]:
        """
        @raise AlreadyExists: the credential is somebody's.
        @raise NotFound: there is no such account.
        """

    def findPasskey(credentialId: bytes) -> Deferred[Passkey | None]:
        """
        The passkey of that id.
        """

    def listPasskeys(account: str) -> Deferred[tuple[Passkey, ...]]:
        """
        Those of one account, oldest first.
        """

    def usePasskey(credentialId: bytes, signCount: int, now: float) -> Deferred[bool]:
        """
        Whether the counter is larger than the one known, or both are 0. It is noted then.
        """

    def renamePasskey(account: str, credentialId: bytes, name: str) -> Deferred[None]:
        """
        @raise NotFound: the account has no such passkey.
        """

    def removePasskey(account: str, credentialId: bytes) -> Deferred[None]:
        """
        @raise NotFound: the account has no such passkey.
        """

    def setRecoveryCodes(account: str, digests: tuple[bytes, ...]) -> Deferred[None]:
        """
        Set them, in the place of those that are there.

        @param digests: the SHA-256 of each.
        @raise NotFound: there is no such account.
        """

    def useRecoveryCode(account: str, digest: bytes) -> Deferred[bool]:
        """
        Whether it was one of those left. It is gone now.
        """

    def countRecoveryCodes(account: str) -> Deferred[int]:
        """
        How many are left.
        """


class ISpent(Interface):
    """
    What may be used once: the C{jti} of an assertion, a consent, a request pushed before.
    """

    def spend(digest: bytes, expires: float, now: float) -> Deferred[bool]:
        """
        Whether it was not spent before.

        @param digest: SHA-256 of what it is and what it is for.
        @param expires: when nobody would take it anyway, and it may be forgotten.
        """
