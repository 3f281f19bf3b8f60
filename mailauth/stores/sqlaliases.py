"""
Aliases in SQL. They are rows of one table with the names of the accounts, whose primary key is what
keeps an address from being two people's.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..interfaces import IAliases
from . import rows, schema
from .records import Alias, NotFound
from .statements import alreadyTaken, ownerOf, requireAccount
from .transactions import Transactions

_COLUMNS = schema.addresses.c
_IS_ALIAS = _COLUMNS.address != _COLUMNS.account
_GET = select(schema.addresses).where(_COLUMNS.address == bindparam("which"), _IS_ALIAS)


@implementer(IAliases)
class SQLAliases:
    """
    Aliases in a database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, alias: Alias) -> Deferred[None]:
        """
        See L{IAliases.add}.
        """

        def work(connection: Connection) -> None:
            requireAccount(connection, alias.account)
            try:
                connection.execute(insert(schema.addresses).values(rows.aliasRow(alias)))
            except IntegrityError:
                raise alreadyTaken(alias.address, ownerOf(connection, alias.address)) from None

        return self._transactions.write(work)

    def get(self, address: str) -> Deferred[Alias | None]:
        """
        See L{IAliases.get}.
        """
        return self._transactions.findOne(_GET, rows.alias, which=address)

    def list(self, account: str) -> Deferred[tuple[Alias, ...]]:
        """
        See L{IAliases.list}.
        """
        asked = (
            select(schema.addresses)
            .where(_COLUMNS.account == account, _IS_ALIAS)
            .order_by(_COLUMNS.address)
        )
        return self._transactions.findAll(asked, rows.alias)

    def remove(self, account: str, address: str) -> Deferred[None]:
        """
        See L{IAliases.remove}.
        """
        removing = delete(schema.addresses).where(
            _COLUMNS.account == account, _COLUMNS.address == address, _IS_ALIAS
        )

        def work(connection: Connection) -> None:
            if not connection.execute(removing).rowcount:
                raise NotFound(f"{account} has no alias {address}.")

        return self._transactions.write(work)
