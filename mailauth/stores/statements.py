"""
What several stores do with their tables. Owns how an account is held while something of it is
added, and how what has expired is forgotten.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from .records import NotFound
from .schema import accounts
from .transactions import Transactions

BATCH = 500
"""
How many rows one transaction forgets, so that nobody waits long for it.
"""


def requireAccount(connection: Connection, name: str) -> None:
    """
    Make sure of an account until the transaction ends.

    @raise NotFound: there is none of this name.
    """
    # Locked, so that what is counted stays so, where there can be other writers.
    owner = select(accounts.c.name).where(accounts.c.name == name).with_for_update()
    if connection.scalar(owner) is None:
        raise NotFound(f"There is no account {name}.")


def forgetSome(connection: Connection, table: Table, *which: ColumnElement[bool]) -> int:
    """
    Delete a batch of rows.

    @return: how many they were.
    """
    (key,) = table.primary_key
    some = select(key).where(*which).limit(BATCH)
    return connection.execute(delete(table).where(key.in_(some))).rowcount


async def forgetAll(transactions: Transactions, table: Table, *which: ColumnElement[bool]) -> None:
    """
    Delete rows, one batch after the other.
    """
    while (
        await transactions.write(lambda connection: forgetSome(connection, table, *which)) == BATCH
    ):
        pass
