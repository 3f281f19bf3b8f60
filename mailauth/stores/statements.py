"""
What several stores do with their tables. Owns how an account is held while something of it is
added, and how what has expired is forgotten.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Delete, Table, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from . import rows
from .records import Account, Alias, AlreadyExists, NotFound
from .schema import accounts, addresses
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


def insertAccount(connection: Connection, account: Account) -> None:
    """
    Make an account, whose name is the first of its addresses.

    @raise AlreadyExists: somebody has this address.
    """
    address = Alias(account.name, account.name, account.created)
    try:
        connection.execute(insert(accounts).values(rows.accountRow(account)))
        connection.execute(insert(addresses).values(rows.aliasRow(address)))
    except IntegrityError:
        raise alreadyTaken(account.name, ownerOf(connection, account.name)) from None


def ownerOf(connection: Connection, address: str) -> str | None:
    """
    Whose an address is, if it is somebody's.
    """
    asked = select(addresses.c.account).where(addresses.c.address == address)
    owner: str | None = connection.scalar(asked)
    return owner


def alreadyTaken(address: str, owner: str | None) -> AlreadyExists:
    """
    What is said of an address that somebody has.
    """
    if owner == address:
        return AlreadyExists(f"There is an account {address} already.")
    return AlreadyExists(f"{address} is an alias of {owner} already.")


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
