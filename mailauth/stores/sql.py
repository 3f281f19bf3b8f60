"""
Accounts and signing keys in SQL. Owns the statements: what is one change is one transaction,
together with the revocation that it implies.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..credentials import accountTag
from ..interfaces import IAccounts, ISigningKeys
from . import rows, schema
from .records import SIGNING_KEYS_TAG, Account, AlreadyExists, NotFound, SigningKey
from .revocations import CHANGED, DISABLED, REMOVED
from .sqlrevocations import SQLRevocations
from .statements import insertAccount
from .transactions import Transactions


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
