"""
Clients, grants and opaque tokens in SQL. Owns the transactions that consume and issue: what has
one use is used by an UPDATE whose condition is that it was not.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..credentials import clientTag, grantTag
from ..oauth.interfaces import IClients, IGrants, IOpaqueTokens
from ..oauth.records import EXPIRED_KNOWN, AuthorizationCode, Client, Grant, OpaqueToken
from . import oauthrows, schema
from .records import AlreadyExists, NotFound
from .revocations import CLIENT_REMOVED
from .sqlrevocations import SQLRevocations
from .statements import forgetAll, requireAccount
from .transactions import Transactions


@implementer(IClients)
class SQLClients:
    """
    Clients in a database.
    """

    def __init__(
        self, transactions: Transactions, revocations: SQLRevocations, issuer: str
    ) -> None:
        """
        @param issuer: whose clients they are, as their tags name it.
        """
        self._transactions = transactions
        self._revocations = revocations
        self._issuer = issuer

    def add(self, client: Client) -> Deferred[None]:
        """
        See L{IClients.add}.
        """

        def work(connection: Connection) -> None:
            try:
                connection.execute(insert(schema.clients).values(oauthrows.clientRow(client)))
            except IntegrityError:
                raise AlreadyExists(f"There is a client {client.clientId} already.") from None
            tag = clientTag(self._issuer, client.clientId)
            self._revocations.publish(connection, [tag], None)

        return self._revocations.publishing(work)

    def get(self, clientId: str) -> Deferred[Client | None]:
        """
        See L{IClients.get}.
        """
        asked = select(schema.clients).where(schema.clients.c.client_id == clientId)
        return self._transactions.findOne(asked, oauthrows.client)

    def list(self) -> Deferred[tuple[Client, ...]]:
        """
        See L{IClients.list}.
        """
        asked = select(schema.clients).order_by(schema.clients.c.client_id)
        return self._transactions.findAll(asked, oauthrows.client)

    def remove(self, clientId: str) -> Deferred[None]:
        """
        See L{IClients.remove}.
        """

        def work(connection: Connection) -> None:
            removed = connection.execute(
                delete(schema.clients).where(schema.clients.c.client_id == clientId)
            )
            if not removed.rowcount:
                raise NotFound(f"There is no client {clientId}.")
            connection.execute(delete(schema.grants).where(schema.grants.c.client_id == clientId))
            tag = clientTag(self._issuer, clientId)
            self._revocations.publish(connection, [tag], CLIENT_REMOVED)

        return self._revocations.publishing(work)


@implementer(IGrants)
class SQLGrants:
    """
    Codes and grants in a database.
    """

    def __init__(
        self, transactions: Transactions, revocations: SQLRevocations, issuer: str
    ) -> None:
        """
        @param issuer: whose grants they are, as their tags name it.
        """
        self._transactions = transactions
        self._revocations = revocations
        self._issuer = issuer

    def addCode(self, code: AuthorizationCode) -> Deferred[None]:
        """
        See L{IGrants.addCode}.
        """

        def work(connection: Connection) -> None:
            requireAccount(connection, code.grant.account)
            connection.execute(insert(schema.authorizationCodes).values(oauthrows.codeRow(code)))

        return self._transactions.write(work)

    def findCode(self, digest: bytes) -> Deferred[AuthorizationCode | None]:
        """
        See L{IGrants.findCode}.
        """
        codes = schema.authorizationCodes
        asked = select(codes).where(codes.c.digest == digest)
        return self._transactions.findOne(asked, oauthrows.code)

    def redeemCode(
        self, digest: bytes, grant: Grant, opaque: OpaqueToken | None, now: float
    ) -> Deferred[bool]:
        """
        See L{IGrants.redeemCode}.
        """
        codes = schema.authorizationCodes
        using = (
            update(codes)
            .where(codes.c.digest == digest, codes.c.used.is_(None), codes.c.expires > now)
            .values(used=now)
        )

        def work(connection: Connection) -> bool:
            if not connection.execute(using).rowcount:
                return False
            issue(connection, grant, opaque)
            return True

        return self._transactions.write(work)

    def get(self, grantId: str) -> Deferred[Grant | None]:
        """
        See L{IGrants.get}.
        """
        asked = select(schema.grants).where(schema.grants.c.grant_id == grantId)
        return self._transactions.findOne(asked, oauthrows.grant)

    def list(self, account: str) -> Deferred[tuple[Grant, ...]]:
        """
        See L{IGrants.list}.
        """
        columns = schema.grants.c
        asked = (
            select(schema.grants)
            .where(columns.account == account)
            .order_by(columns.created.desc(), columns.grant_id)
        )
        return self._transactions.findAll(asked, oauthrows.grant)

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
        columns = schema.grants.c
        rotating = (
            update(schema.grants)
            .where(columns.grant_id == grantId, columns.refresh_digest == presented)
            .values(
                refresh_digest=successor,
                previous_digest=presented,
                rotated=now,
                refresh_expires=refreshExpires,
                last_use=now,
                address=address,
            )
        )

        def work(connection: Connection) -> bool:
            if not connection.execute(rotating).rowcount:
                return False
            addOpaqueToken(connection, opaque)
            return True

        return self._transactions.write(work)

    def revoke(self, grantId: str, reason: str) -> Deferred[None]:
        """
        See L{IGrants.revoke}.
        """

        def work(connection: Connection) -> None:
            # Its opaque tokens go with it, by their foreign key.
            connection.execute(delete(schema.grants).where(schema.grants.c.grant_id == grantId))
            self._revocations.publish(connection, [grantTag(self._issuer, grantId)], reason)

        return self._revocations.publishing(work)

    def purge(self, now: float) -> Deferred[None]:
        """
        See L{IGrants.purge}.
        """
        codes, grants, opaque = schema.authorizationCodes, schema.grants, schema.opaqueTokens

        async def forget() -> None:
            await forgetAll(self._transactions, codes, codes.c.expires <= now - EXPIRED_KNOWN)
            await forgetAll(self._transactions, opaque, opaque.c.expires <= now - EXPIRED_KNOWN)
            await forgetAll(self._transactions, grants, grants.c.expires <= now)
            await forgetAll(self._transactions, grants, grants.c.refresh_expires <= now)

        return Deferred.fromCoroutine(forget())


@implementer(IOpaqueTokens)
class SQLOpaqueTokens:
    """
    Opaque tokens in a database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, opaque: OpaqueToken) -> Deferred[None]:
        """
        See L{IOpaqueTokens.add}.
        """

        def work(connection: Connection) -> None:
            grantId = opaque.token.grantId
            if grantId is not None:
                granted = select(schema.grants.c.grant_id)
                asked = granted.where(schema.grants.c.grant_id == grantId).with_for_update()
                if connection.scalar(asked) is None:
                    raise NotFound(f"There is no grant {grantId}.")
            addOpaqueToken(connection, opaque)

        return self._transactions.write(work)

    def find(self, digest: bytes) -> Deferred[OpaqueToken | None]:
        """
        See L{IOpaqueTokens.find}.
        """
        asked = select(schema.opaqueTokens).where(schema.opaqueTokens.c.digest == digest)
        return self._transactions.findOne(asked, oauthrows.opaqueToken)


def issue(connection: Connection, grant: Grant, opaque: OpaqueToken | None) -> None:
    """
    What redeeming yields, in the transaction that consumed.
    """
    connection.execute(insert(schema.grants).values(oauthrows.grantRow(grant)))
    addOpaqueToken(connection, opaque)


def addOpaqueToken(connection: Connection, opaque: OpaqueToken | None) -> None:
    """
    Add one, if there is one.
    """
    if opaque is not None:
        connection.execute(insert(schema.opaqueTokens).values(oauthrows.opaqueTokenRow(opaque)))
