"""
Clients, grants and opaque tokens in SQL. Owns the transactions that consume and issue: what has
one use is used by an UPDATE whose condition is that it was not.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select, update
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

_codes, _grants, _opaqueTokens = schema.authorizationCodes, schema.grants, schema.opaqueTokens

_CODE = select(_codes).where(_codes.c.digest == bindparam("secret"))
_GRANT = select(_grants).where(_grants.c.grant_id == bindparam("id"))
_OPAQUE_TOKEN = select(_opaqueTokens).where(_opaqueTokens.c.digest == bindparam("secret"))

# Each is taken by one transaction: of those that come at once the second finds no row any more.
_USE_CODE = (
    update(_codes)
    .where(
        _codes.c.digest == bindparam("secret"),
        _codes.c.used.is_(None),
        _codes.c.expires > bindparam("now"),
    )
    .values(used=bindparam("now"))
)
_ROTATE = (
    update(_grants)
    .where(
        _grants.c.grant_id == bindparam("id"), _grants.c.refresh_digest == bindparam("presented")
    )
    .values(
        refresh_digest=bindparam("successor"),
        previous_digest=bindparam("presented"),
        rotated=bindparam("now"),
        refresh_expires=bindparam("expiry"),
        last_use=bindparam("now"),
        address=bindparam("peer"),
    )
)


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
            connection.execute(delete(_grants).where(_grants.c.client_id == clientId))
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
            connection.execute(insert(_codes), oauthrows.codeRow(code))

        return self._transactions.write(work)

    def findCode(self, digest: bytes) -> Deferred[AuthorizationCode | None]:
        """
        See L{IGrants.findCode}.
        """
        return self._transactions.findOne(_CODE, oauthrows.code, secret=digest)

    def redeemCode(
        self, digest: bytes, grant: Grant, opaque: OpaqueToken | None, now: float
    ) -> Deferred[bool]:
        """
        See L{IGrants.redeemCode}.
        """

        def work(connection: Connection) -> bool:
            if not connection.execute(_USE_CODE, {"secret": digest, "now": now}).rowcount:
                return False
            issue(connection, grant, opaque)
            return True

        return self._transactions.write(work)

    def get(self, grantId: str) -> Deferred[Grant | None]:
        """
        See L{IGrants.get}.
        """
        return self._transactions.findOne(_GRANT, oauthrows.grant, id=grantId)

    def list(self, account: str) -> Deferred[tuple[Grant, ...]]:
        """
        See L{IGrants.list}.
        """
        columns = _grants.c
        asked = (
            select(_grants)
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
        changes = {
            "id": grantId,
            "presented": presented,
            "successor": successor,
            "expiry": refreshExpires,
            "now": now,
            "peer": address,
        }

        def work(connection: Connection) -> bool:
            if not connection.execute(_ROTATE, changes).rowcount:
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
            connection.execute(delete(_grants).where(_grants.c.grant_id == grantId))
            self._revocations.publish(connection, [grantTag(self._issuer, grantId)], reason)

        return self._revocations.publishing(work)

    def purge(self, now: float) -> Deferred[None]:
        """
        See L{IGrants.purge}.
        """
        known = now - EXPIRED_KNOWN

        async def forget() -> None:
            for table, late in (
                (_codes, _codes.c.expires <= known),
                (_opaqueTokens, _opaqueTokens.c.expires <= known),
                (_grants, _grants.c.expires <= now),
                (_grants, _grants.c.refresh_expires <= now),
            ):
                await forgetAll(self._transactions, table, late)

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
                asked = _GRANT.with_for_update()
                if connection.execute(asked, {"id": grantId}).one_or_none() is None:
                    raise NotFound(f"There is no grant {grantId}.")
            addOpaqueToken(connection, opaque)

        return self._transactions.write(work)

    def find(self, digest: bytes) -> Deferred[OpaqueToken | None]:
        """
        See L{IOpaqueTokens.find}.
        """
        return self._transactions.findOne(_OPAQUE_TOKEN, oauthrows.opaqueToken, secret=digest)


def issue(connection: Connection, grant: Grant, opaque: OpaqueToken | None) -> None:
    """
    What redeeming yields, in the transaction that consumed.
    """
    connection.execute(insert(_grants), oauthrows.grantRow(grant))
    addOpaqueToken(connection, opaque)


def addOpaqueToken(connection: Connection, opaque: OpaqueToken | None) -> None:
    """
    Add one, if there is one.
    """
    if opaque is not None:
        connection.execute(insert(_opaqueTokens), oauthrows.opaqueTokenRow(opaque))
