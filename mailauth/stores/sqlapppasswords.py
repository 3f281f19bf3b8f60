"""
App passwords in SQL. Owns that there are never more than there may be: they are counted in the
transaction that adds one.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..credentials import appPasswordTag
from ..interfaces import IAppPasswords
from . import rows, schema
from .records import (
    APP_PASSWORD_LIMIT,
    IMPORTED_LIMIT,
    AlreadyExists,
    AppPassword,
    AppPasswordUse,
    LimitReached,
    NotFound,
    tooMany,
)
from .revocations import REVOKED
from .sqlrevocations import SQLRevocations
from .statements import requireAccount
from .transactions import Transactions
from .uses import Uses


@implementer(IAppPasswords)
class SQLAppPasswords:
    """
    App passwords in a database.
    """

    def __init__(
        self,
        transactions: Transactions,
        revocations: SQLRevocations,
        limit: int = APP_PASSWORD_LIMIT,
    ) -> None:
        """
        @param limit: how many an account may have for which nothing else is set.
        """
        self._transactions = transactions
        self._revocations = revocations
        self._limit = limit
        self._uses = Uses(transactions)

    def add(self, appPassword: AppPassword) -> Deferred[None]:
        """
        See L{IAppPasswords.add}.
        """

        def work(connection: Connection) -> None:
            account = appPassword.account
            requireAccount(connection, account)
            limit = self._limitOf(connection, account)
            if _count(connection, schema.appPasswords.c.account == account) >= limit:
                raise tooMany(account, limit)
            if (
                appPassword.imported is not None
                and _count(connection, *_importedBy(account)) >= IMPORTED_LIMIT
            ):
                raise LimitReached(f"{account} has {IMPORTED_LIMIT} imported app passwords")
            try:
                connection.execute(
                    insert(schema.appPasswords).values(rows.appPasswordRow(appPassword))
                )
            except IntegrityError:
                raise AlreadyExists("there is such an app password already") from None

        return self._transactions.write(work)

    def limit(self, account: str) -> Deferred[int]:
        """
        See L{IAppPasswords.limit}.
        """
        return self._transactions.read(lambda connection: self._limitOf(connection, account))

    def setLimit(self, account: str, limit: int | None) -> Deferred[None]:
        """
        See L{IAppPasswords.setLimit}.
        """
        limits = schema.appPasswordLimits

        def work(connection: Connection) -> None:
            requireAccount(connection, account)
            connection.execute(delete(limits).where(limits.c.account == account))
            if limit is not None:
                connection.execute(insert(limits).values(account=account, most=limit))

        return self._transactions.write(work)

    def find(self, digest: bytes) -> Deferred[AppPassword | None]:
        """
        See L{IAppPasswords.find}.
        """
        asked = select(schema.appPasswords).where(schema.appPasswords.c.digest == digest)
        return self._transactions.findOne(asked, rows.appPassword)

    def imported(self, account: str) -> Deferred[tuple[AppPassword, ...]]:
        """
        See L{IAppPasswords.imported}.
        """
        return self._listed(*_importedBy(account))

    def list(self, account: str) -> Deferred[tuple[AppPassword, ...]]:
        """
        See L{IAppPasswords.list}.
        """
        return self._listed(schema.appPasswords.c.account == account)

    def revoke(self, account: str, identifier: str) -> Deferred[None]:
        """
        See L{IAppPasswords.revoke}.
        """

        def work(connection: Connection) -> None:
            removed = connection.execute(
                delete(schema.appPasswords).where(
                    schema.appPasswords.c.account == account,
                    schema.appPasswords.c.identifier == identifier,
                )
            )
            if not removed.rowcount:
                raise NotFound(f"{account} has no app password {identifier}.")
            self._revocations.publish(connection, [appPasswordTag(identifier)], REVOKED)

        return self._revocations.publishing(work)

    def noteUse(self, identifier: str, use: AppPasswordUse) -> Deferred[None]:
        """
        See L{IAppPasswords.noteUse} and L{Uses.note}.
        """
        noted = (
            update(schema.appPasswords)
            .where(schema.appPasswords.c.identifier == identifier)
            .values(rows.useColumns(use))
        )
        return self._uses.note(identifier, use.time, noted)

    def _limitOf(self, connection: Connection, account: str) -> int:
        limits = schema.appPasswordLimits.c
        most = connection.scalar(select(limits.most).where(limits.account == account))
        return self._limit if most is None else int(most)

    def _listed(self, *which: ColumnElement[bool]) -> Deferred[tuple[AppPassword, ...]]:
        columns = schema.appPasswords.c
        ordered = (
            select(schema.appPasswords).where(*which).order_by(columns.created, columns.identifier)
        )
        return self._transactions.findAll(ordered, rows.appPassword)


def _count(connection: Connection, *which: ColumnElement[bool]) -> int:
    """
    How many app passwords there are of these.
    """
    return connection.scalars(
        select(func.count()).select_from(schema.appPasswords).where(*which)
    ).one()


def _importedBy(account: str) -> tuple[ColumnElement[bool], ...]:
    """
    Which app passwords an account imported.
    """
    columns = schema.appPasswords.c
    return columns.account == account, columns.imported.is_not(None)
