"""
What several stores do with their tables. Owns how an account is held while something of it is
added, and how what has expired is forgotten.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Delete, Table, bindparam, delete, select

from .records import NotFound
from .schema import accounts
from .transactions import Transactions

BATCH = 500
"""
How many rows one transaction forgets, so that nobody waits long for it.
"""


# Locked, so that what is counted stays so, where there can be other writers.
_OWNER = select(accounts.c.name).where(accounts.c.name == bindparam("owner")).with_for_update()


def requireAccount(connection: Connection, name: str) -> None:
    """
    Make sure of an account until the transaction ends.

    @raise NotFound: there is none of this name.
    """
    if connection.scalar(_OWNER, {"owner": name}) is None:
        raise NotFound(f"There is no account {name}.")


def batchOf(table: Table, *which: ColumnElement[bool]) -> Delete:
    """
    What deletes some of these rows, L{BATCH} at most.
    """
    (key,) = table.primary_key
    return delete(table).where(key.in_(select(key).where(*which).limit(BATCH)))


async def forgetAll(transactions: Transactions, table: Table, *which: ColumnElement[bool]) -> None:
    """
    Delete all of these rows, one batch after the other.
    """
    batch = batchOf(table, *which)
    while await transactions.write(lambda connection: connection.execute(batch).rowcount) == BATCH:
        pass
