"""
Accounts, app passwords and signing keys in SQL. Owns the statements: what is one change is one
transaction, together with the revocation that it implies.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..credentials import accountTag, appPasswordTag
from ..interfaces import IAccounts, IAppPasswords, ISigningKeys
from . import rows, schema
from .records import (
    APP_PASSWORD_LIMIT,
    IMPORTED_LIMIT,
    SIGNING_KEYS_TAG,
    Account,
    AlreadyExists,
    AppPassword,
    AppPasswordUse,
    LimitReached,
    NotFound,
    SigningKey,
    tooMany,
)
from .revocations import CHANGED, DISABLED, REMOVED, REVOKED
from .sqlrevocations import SQLRevocations
from .statements import insertAccount, requireAccount
from .transactions import Transactions
from .uses import Uses


@implementer(IAccounts)
class SQLAccounts:
    """
    Accounts in a database.
    """

    def __init__(self, transactions: Transactions, revocations: SQLRevocations) -> None:
        self._transactions = transactions
        self._revocations = revocations

    def add(self, account: Account) -> Deferred[None]:
        """
        See L{IAccounts.add}.
        """

        def work(connection: Connection) -> None:
            insertAccount(connection, account)
            self._revocations.publish(connection, [accountTag(account.name)], None)

        return self._revocations.publishing(work)

    def get(self, name: str) -> Deferred[Account | None]:
        """
        See L{IAccounts.get}.
        """
        asked = select(schema.accounts).where(schema.accounts.c.name == name)
        return self._transactions.findOne(asked, rows.account)

    def list(self) -> Deferred[tuple[Account, ...]]:
        """
        See L{IAccounts.list}.
        """
        asked = select(schema.accounts).order_by(schema.accounts.c.name)
        return self._transactions.findAll(asked, rows.account)

    def count(self) -> Deferred[int]:
        """
        See L{IAccounts.count}.
        """

        def work(connection: Connection) -> int:
            counted = select(func.count()).select_from(schema.accounts)
            return connection.execute(counted).scalar_one()

        return self._transactions.read(work)

    def find(self, word: str, after: str, limit: int) -> Deferred[tuple[Account, ...]]:
        """
        See L{IAccounts.find}.
        """
        name, addresses = schema.accounts.c.name, schema.addresses.c
        found = select(addresses.account).where(addresses.address.contains(word, autoescape=True))
        asked = (
            select(schema.accounts).where(name > after, name.in_(found)).order_by(name).limit(limit)
        )
        return self._transactions.findAll(asked, rows.account)

    def disable(self, name: str) -> Deferred[None]:
        """
        See L{IAccounts.disable}.
        """
        return self._change(name, DISABLED, enabled=False)

    def enable(self, name: str) -> Deferred[None]:
        """
        See L{IAccounts.enable}.
        """
        return self._change(name, None, enabled=True)

    def remove(self, name: str) -> Deferred[None]:
        """
        See L{IAccounts.remove}.
        """

        def work(connection: Connection) -> None:
            # Its app passwords and aliases go with it, by their foreign keys.
            removed = connection.execute(
                delete(schema.accounts).where(schema.accounts.c.name == name)
            )
            if not removed.rowcount:
                raise NotFound(f"There is no account {name}.")
            self._revocations.publish(connection, [accountTag(name)], REMOVED)

        return self._revocations.publishing(work)

    def setPassword(self, name: str, passwordHash: str | None) -> Deferred[None]:
        """
        See L{IAccounts.setPassword}.
        """
        return self._change(name, CHANGED, password_hash=passwordHash)

    def setPasswordRule(self, name: str, rule: str | None) -> Deferred[None]:
        """
        See L{IAccounts.setPasswordRule}.
        """
        return self._change(name, None, password_rule=rule)

    def _change(self, name: str, reason: str | None, **values: object) -> Deferred[None]:
        """
        Change the record, and revoke its tag for that reason, or touch it.
        """

        def work(connection: Connection) -> None:
            changed = connection.execute(
                update(schema.accounts).where(schema.accounts.c.name == name).values(**values)
            )
            if not changed.rowcount:
                raise NotFound(f"There is no account {name}.")
            self._revocations.publish(connection, [accountTag(name)], reason)

        return self._revocations.publishing(work)


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


@implementer(ISigningKeys)
class SQLSigningKeys:
    """
    Signing keys in a database.
    """

    def __init__(self, transactions: Transactions, revocations: SQLRevocations) -> None:
        self._transactions = transactions
        self._revocations = revocations

    def add(self, key: SigningKey) -> Deferred[None]:
        """
        See L{ISigningKeys.add}.
        """

        def work(connection: Connection) -> None:
            try:
                connection.execute(insert(schema.signingKeys).values(rows.signingKeyRow(key)))
            except IntegrityError:
                raise AlreadyExists(f"there is a signing key {key.kid} already") from None
            self._revocations.publish(connection, [SIGNING_KEYS_TAG], None)

        return self._revocations.publishing(work)

    def list(self) -> Deferred[tuple[SigningKey, ...]]:
        """
        See L{ISigningKeys.list}.
        """
        columns = schema.signingKeys.c
        asked = select(schema.signingKeys).order_by(columns.created.desc(), columns.kid)
        return self._transactions.findAll(asked, rows.signingKey)

    def retire(self, kid: str, when: float) -> Deferred[None]:
        """
        See L{ISigningKeys.retire}.
        """
        return self._change(kid, retired=when)

    def reseal(self, kid: str, sealed: bytes) -> Deferred[None]:
        """
        See L{ISigningKeys.reseal}.
        """
        return self._change(kid, sealed=sealed)

    def _change(self, kid: str, **columns: Any) -> Deferred[None]:
        def work(connection: Connection) -> None:
            changed = connection.execute(
                update(schema.signingKeys).where(schema.signingKeys.c.kid == kid).values(**columns)
            )
            if not changed.rowcount:
                raise NotFound(f"there is no signing key {kid}")
            self._revocations.publish(connection, [SIGNING_KEYS_TAG], None)

        return self._revocations.publishing(work)


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
