"""
Identities in SQL. Owns that a subject is linked once: whether it may be is decided in the
transaction that does it.
"""

from __future__ import annotations

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..credentials import accountTag, subjectTag
from ..interfaces import IIdentities
from . import rows, schema
from .records import Account, Identity, NotFound
from .revocations import UNLINKED
from .sqlrevocations import SQLRevocations
from .statements import insertAccount, ownerOf, requireAccount
from .transactions import Transactions

_COLUMNS = schema.identities.c
_THIS = (_COLUMNS.issuer == bindparam("of"), _COLUMNS.subject == bindparam("who"))
_LINKED = select(_COLUMNS.account).where(*_THIS)
_OTHER = select(_COLUMNS.subject).where(
    _COLUMNS.account == bindparam("whose"), _COLUMNS.issuer == bindparam("of")
)
_EXISTS = select(schema.accounts.c.name).where(schema.accounts.c.name == bindparam("whose"))


@implementer(IIdentities)
class SQLIdentities:
    """
    Identities in a database.
    """

    def __init__(self, transactions: Transactions, revocations: SQLRevocations) -> None:
        self._transactions = transactions
        self._revocations = revocations

    def resolve(
        self, issuer: str, subject: str, account: str | None, now: float, create: bool
    ) -> Deferred[str | None]:
        """
        See L{IIdentities.resolve}. It writes the first time alone.
        """
        return Deferred.fromCoroutine(self._resolve(issuer, subject, account, now, create))

    async def _resolve(
        self, issuer: str, subject: str, account: str | None, now: float, create: bool
    ) -> str | None:
        this = {"of": issuer, "who": subject}
        linked = await self._transactions.findOne(_LINKED, _account, **this)
        if linked is not None or account is None:
            return linked

        def work(connection: Connection) -> str | None:
            # Somebody may have been faster.
            linked: str | None = connection.scalar(_LINKED, this)
            if linked is not None:
                return linked
            whose = {"of": issuer, "whose": account}
            if connection.scalar(_OTHER, whose) is not None:
                return None
            if connection.scalar(_EXISTS, {"whose": account}) is None:
                # Whose name is another's alias is nobody here.
                if not create or ownerOf(connection, account) is not None:
                    return None
                insertAccount(connection, Account(account, created=now))
                self._revocations.publish(connection, [accountTag(account)], None)
            row = rows.identityRow(Identity(issuer, subject, account, now))
            connection.execute(insert(schema.identities).values(row))
            return account

        return await self._revocations.publishing(work)

    def list(self, account: str) -> Deferred[tuple[Identity, ...]]:
        """
        See L{IIdentities.list}.
        """
        asked = (
            select(schema.identities).where(_COLUMNS.account == account).order_by(_COLUMNS.issuer)
        )
        return self._transactions.findAll(asked, rows.identity)

    def link(self, identity: Identity) -> Deferred[None]:
        """
        See L{IIdentities.link}.
        """
        issuer, subject, account = identity.issuer, identity.subject, identity.account

        def work(connection: Connection) -> None:
            requireAccount(connection, account)
            before = connection.execute(
                delete(schema.identities)
                .where(
                    _COLUMNS.issuer == issuer,
                    or_(_COLUMNS.subject == subject, _COLUMNS.account == account),
                )
                .returning(_COLUMNS.subject, _COLUMNS.account)
            )
            ended = {row.subject for row in before if tuple(row) != (subject, account)}
            connection.execute(insert(schema.identities).values(rows.identityRow(identity)))
            tags = [subjectTag(issuer, one) for one in sorted(ended)]
            self._revocations.publish(connection, tags, UNLINKED)

        return self._revocations.publishing(work)

    def unlink(self, issuer: str, subject: str) -> Deferred[None]:
        """
        See L{IIdentities.unlink}.
        """

        def work(connection: Connection) -> None:
            removed = connection.execute(delete(schema.identities).where(*_THIS), this)
            if not removed.rowcount:
                raise NotFound(f"{subject} of {issuer} is linked with no account.")
            self._revocations.publish(connection, [subjectTag(issuer, subject)], UNLINKED)

        this = {"of": issuer, "who": subject}
        return self._revocations.publishing(work)


def _account(row: Row[tuple[str]]) -> str:
    account: str = row.account
    return account
