"""
Clients, grants and opaque tokens that live and die with the process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..credentials import clientTag, grantTag
from ..interfaces import IRevocations
from ..oauth.interfaces import IClients, IGrants, IOpaqueTokens
from ..oauth.records import EXPIRED_KNOWN, AuthorizationCode, Client, Grant, OpaqueToken
from .records import AlreadyExists, NotFound
from .revocations import CLIENT_REMOVED

if TYPE_CHECKING:
    from .memory import MemoryAccounts


@implementer(IGrants)
class MemoryGrants:
    """
    Codes and grants of this process alone.
    """

    def __init__(self, revocations: IRevocations, accounts: MemoryAccounts, issuer: str) -> None:
        """
        @param accounts: those that may have grants.
        @param issuer: whose grants they are, as their tags name it.
        """
        self._revocations = revocations
        self._accounts = accounts
        self._issuer = issuer
        self._codes: dict[bytes, AuthorizationCode] = {}
        self._grants: dict[str, Grant] = {}
        self._opaqueTokens: dict[bytes, OpaqueToken] = {}
        accounts.removed.append(self._forgetAccount)

    def __contains__(self, grantId: str) -> bool:
        return grantId in self._grants

    def addCode(self, code: AuthorizationCode) -> Deferred[None]:
        """
        See L{IGrants.addCode}.
        """
        if code.grant.account not in self._accounts:
            return fail(NotFound(f"There is no account {code.grant.account}."))
        self._codes[code.digest] = code
        return succeed(None)

    def findCode(self, digest: bytes) -> Deferred[AuthorizationCode | None]:
        """
        See L{IGrants.findCode}.
        """
        return succeed(self._codes.get(digest))

    def redeemCode(
        self, digest: bytes, grant: Grant, opaque: OpaqueToken | None, now: float
    ) -> Deferred[bool]:
        """
        See L{IGrants.redeemCode}.
        """
        code = self._codes.get(digest)
        if code is None or code.used is not None or code.expires <= now:
            return succeed(False)
        self._codes[digest] = attrs.evolve(code, used=now)
        self.issue(grant, opaque)
        return succeed(True)

    def get(self, grantId: str) -> Deferred[Grant | None]:
        """
        See L{IGrants.get}.
        """
        return succeed(self._grants.get(grantId))

    def list(self, account: str) -> Deferred[tuple[Grant, ...]]:
        """
        See L{IGrants.list}.
        """
        found = (one for one in self._grants.values() if one.account == account)
        return succeed(tuple(sorted(found, key=lambda one: (-one.created, one.grantId))))

    def rotate(
        self,
        grantId: str,
        presented: bytes,
        successor: bytes,
        refreshExpires: float | None,
        opaque: OpaqueToken | None,
        now: float,
        address: str | None,
    ) -> Deferred[bool]:
        """
        See L{IGrants.rotate}.
        """
        grant = self._grants.get(grantId)
        if grant is None or grant.refreshDigest != presented:
            return succeed(False)
        rotated = attrs.evolve(
            grant,
            refreshDigest=successor,
            previousDigest=presented,
            rotated=now,
            refreshExpires=refreshExpires,
            lastUse=now,
            address=address,
        )
        self.issue(rotated, opaque)
        return succeed(True)

    def revoke(self, grantId: str, reason: str) -> Deferred[None]:
        """
        See L{IGrants.revoke}.
        """
        self.forget(lambda grant: grant.grantId == grantId)
        return self._revocations.revoke([grantTag(self._issuer, grantId)], reason)

    def purge(self, now: float) -> Deferred[None]:
        """
        See L{IGrants.purge}.
        """
        known = now - EXPIRED_KNOWN
        for code in [one for one in self._codes.values() if one.expires <= known]:
            del self._codes[code.digest]
        for opaque in [one for one in self._opaqueTokens.values() if one.token.expires <= known]:
            del self._opaqueTokens[opaque.digest]
        self.forget(
            lambda grant: any(
                expires is not None and expires <= now
                for expires in (grant.expires, grant.refreshExpires)
            )
        )
        return succeed(None)

    def issue(self, grant: Grant, opaque: OpaqueToken | None) -> None:
        """
        Keep what redeeming yields.
        """
        self._grants[grant.grantId] = grant
        if opaque is not None:
            self.addOpaqueToken(opaque)

    def addOpaqueToken(self, opaque: OpaqueToken) -> None:
        """
        Keep it as long as its grant.
        """
        self._opaqueTokens[opaque.digest] = opaque

    def findOpaqueToken(self, digest: bytes) -> OpaqueToken | None:
        """
        A token that was added.
        """
        return self._opaqueTokens.get(digest)

    def forget(self, gone: Callable[[Grant], bool]) -> None:
        """
        Forget grants, with their opaque tokens.
        """
        for grant in [one for one in self._grants.values() if gone(one)]:
            del self._grants[grant.grantId]
        for opaque in [*self._opaqueTokens.values()]:
            grantId = opaque.token.grantId
            if grantId is not None and grantId not in self._grants:
                del self._opaqueTokens[opaque.digest]

    def _forgetAccount(self, account: str) -> None:
        self.forget(lambda grant: grant.account == account)
        for code in [one for one in self._codes.values() if one.grant.account == account]:
            del self._codes[code.digest]


@implementer(IClients)
class MemoryClients:
    """
    Clients of this process alone.
    """

    def __init__(self, revocations: IRevocations, grants: MemoryGrants, issuer: str) -> None:
        """
        @param grants: those that the clients have.
        @param issuer: whose clients they are, as their tags name it.
        """
        self._revocations = revocations
        self._grants = grants
        self._issuer = issuer
        self._clients: dict[str, Client] = {}

    def add(self, client: Client) -> Deferred[None]:
        """
        See L{IClients.add}.
        """
        if client.clientId in self._clients:
            return fail(AlreadyExists(f"There is a client {client.clientId} already."))
        self._clients[client.clientId] = client
        return self._revocations.touch([clientTag(self._issuer, client.clientId)])

    def get(self, clientId: str) -> Deferred[Client | None]:
        """
        See L{IClients.get}.
        """
        return succeed(self._clients.get(clientId))

    def list(self) -> Deferred[tuple[Client, ...]]:
        """
        See L{IClients.list}.
        """
        return succeed(tuple(client for _, client in sorted(self._clients.items())))

    def remove(self, clientId: str) -> Deferred[None]:
        """
        See L{IClients.remove}.
        """
        if self._clients.pop(clientId, None) is None:
            return fail(NotFound(f"There is no client {clientId}."))
        self._grants.forget(lambda grant: grant.clientId == clientId)
        return self._revocations.revoke([clientTag(self._issuer, clientId)], CLIENT_REMOVED)


@implementer(IOpaqueTokens)
class MemoryOpaqueTokens:
    """
    Opaque tokens of this process alone, which live with their grants.
    """

    def __init__(self, grants: MemoryGrants) -> None:
        self._grants = grants

    def add(self, opaque: OpaqueToken) -> Deferred[None]:
        """
        See L{IOpaqueTokens.add}.
        """
        grantId = opaque.token.grantId
        if grantId is not None and grantId not in self._grants:
            return fail(NotFound(f"There is no grant {grantId}."))
        self._grants.addOpaqueToken(opaque)
        return succeed(None)

    def find(self, digest: bytes) -> Deferred[OpaqueToken | None]:
        """
        See L{IOpaqueTokens.find}.
        """
        return succeed(self._grants.findOpaqueToken(digest))
