"""
Whether what was issued is still good. Owns the one decision, for every path that is not a mail
server's: refreshing, introspection, userinfo (TK18).
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

import attrs

from ..credentials import accountTag, clientTag, grantTag
from ..errors import ExpiredToken, InvalidToken
from ..interfaces import IAccounts, IRevocations, ITokenValidator
from ..oauth.records import BrowserSession, Grant
from ..oauth.tokens import AccessToken
from ..scopes import OFFLINE_SCOPE

_CLIENT = "client:"


def clientSubject(clientId: str) -> str:
    """
    Whose a token is that nobody granted: the client's own. No account has a colon in its name, so
    that no client passes for one (RFC 9068 section 5).
    """
    return _CLIENT + clientId


def isClientSubject(subject: str) -> bool:
    """
    Whether a token is a client's own.
    """
    return subject.startswith(_CLIENT)


def grantTags(grant: Grant, issuer: str) -> frozenset[str]:
    """
    What a revocation has to name to end a grant.
    """
    return frozenset(
        {
            *grant.authentication.tags,
            clientTag(issuer, grant.clientId),
            grantTag(issuer, grant.grantId),
        }
    )


def isRevoked(grant: Grant, issuer: str, revocations: IRevocations) -> bool:
    """
    Whether a grant was revoked, as far as is known: with whoever gave it since he signed in, or by
    itself or with its client since it was given.
    """
    giver = grant.authentication.tags
    return revocations.covers(giver, grant.authentication.when) or revocations.covers(
        grantTags(grant, issuer) - giver, grant.created
    )


def endsWith(session: BrowserSession, grant: Grant) -> bool:
    """
    Whether a grant ends when somebody signs out of a browser: it was given there, and only to know
    who is signed in (Back-Channel Logout 1.0 section 2.7).
    """
    return (
        grant.authentication.browserSession == session.identifier
        and "openid" in grant.scope
        and OFFLINE_SCOPE not in grant.scope
    )


@attrs.frozen(eq=False)
class Liveness:
    """
    Decides about grants and access tokens of the built-in issuer.

    @ivar issuer: its C{iss}.
    @ivar validator: says what an access token is.
    @ivar accounts: who may use anything at all.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    issuer: str
    validator: ITokenValidator
    accounts: IAccounts
    revocations: IRevocations
    now: Callable[[], float] = time

    async def isLive(self, grant: Grant) -> bool:
        """
        Whether somebody may still be given tokens for a grant: it has not ended, he may use his
        account, and has not changed his password since he signed in.

        @raise Outage: nobody can tell.
        """
        began = self.revocations.catchUp()
        if grant.expires is not None and grant.expires <= self.now():
            return False
        if not await self._isEnabled(grant.account):
            return False
        return not (
            isRevoked(grant, self.issuer, self.revocations)
            or self.revocations.revokedSince(grantTags(grant, self.issuer), began)
        )

    async def validate(self, secret: bytes, asked: float | None = None) -> AccessToken:
        """
        What an access token of ours means that is good now.

        @param asked: when whoever shows it asked for it, if he knows: the token itself says its
            whole second, and counts as revoked if its account was in the same one.
        @raise InvalidToken: it is none, or is good no longer.
        @raise Outage: nobody can tell.
        """
        began = self.revocations.catchUp()
        token = await self.validator.validate(secret)
        if token.issuer != self.issuer:
            raise InvalidToken("of another issuer")
        if token.expires <= self.now():
            raise ExpiredToken("expired")
        tags = token.tags
        if not isClientSubject(token.subject):
            tags |= {accountTag(token.subject)}
            if not await self._isEnabled(token.subject):
                raise InvalidToken("the owner has no account, or may not use it")
        revocations = self.revocations
        issued = token.issued if asked is None else asked
        if revocations.covers(tags, issued) or revocations.revokedSince(tags, began):
            raise InvalidToken("revoked")
        return token

    async def _isEnabled(self, name: str) -> bool:
        account = await self.accounts.get(name)
        return account is not None and account.enabled
