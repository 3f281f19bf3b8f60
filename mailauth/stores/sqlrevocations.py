"""
Revocations in a table of numbered entries. Owns how the processes that share a database hear of
each other's.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sqlalchemy import Connection, delete, insert
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..errors import Outage
from ..interfaces import IRevocations
from .records import CannotOpen
from .revocations import KEEP, Entry, KnownRevocations
from .schema import revocations
from .sqlite import connect
from .transactions import T, Transactions

# With nothing new it costs what PRAGMA data_version costs (2 us), and less when somebody wrote
# something else.
NEWS = "SELECT seq, tag, at, reason FROM revocations WHERE seq > ? ORDER BY seq"

WAIT = 0.1
"""
How long the reactor may stand still for another process that recovers the database, in seconds.
Otherwise reading never waits under WAL.
"""


@implementer(IRevocations)
class SQLRevocations(KnownRevocations):
    """
    Revocations that hold in every process that shares the database. Call L{catchUp} before every
    decision; call it each second as well, and connections end within two, whoever revoked.
    """

    def __init__(
        self,
        path: Path,
        transactions: Transactions,
        now: Callable[[], float] = time.time,
        keep: float = KEEP,
    ) -> None:
        super().__init__(now, keep)
        self._path = path
        self._transactions = transactions
        self._reader: sqlite3.Connection | None = None

    def revoke(self, tags: Iterable[str], reason: str) -> Deferred[None]:
        """
        See L{IRevocations.revoke}.
        """
        named = tuple(tags)
        return self.publishing(lambda connection: self.publish(connection, named, reason))

    def touch(self, tags: Iterable[str]) -> Deferred[None]:
        """
        See L{IRevocations.touch}.
        """
        named = tuple(tags)
        return self.publishing(lambda connection: self.publish(connection, named, None))

    def catchUp(self) -> int:
        """
        See L{IRevocations.catchUp}. The first call learns all that is kept.

        It reads on the caller's thread, by a connection of its own: a few microseconds are less
        than the way to another thread.
        """
        try:
            if self._reader is None:
                self._reader = connect(self._path, WAIT)
            news = self._reader.execute(NEWS, (self._last,)).fetchall()
        except (sqlite3.Error, CannotOpen) as error:
            self.close()
            raise Outage(f"revocations cannot be read: {error}") from None
        if news:
            self._learn(map(Entry._make, news))
        return self._last

    def close(self) -> None:
        """
        Close the connection. The next L{catchUp} opens another.
        """
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def publish(self, connection: Connection, tags: Iterable[str], reason: str | None) -> None:
        """
        Add entries in somebody's transaction: a change and the revocation that it implies hold
        together or not at all.

        @param reason: C{None} for a mere touch.
        """
        at = self._now()
        rows = [{"tag": tag, "at": at, "reason": reason} for tag in tags]
        if rows:
            connection.execute(insert(revocations), rows)
        connection.execute(delete(revocations).where(revocations.c.at < at - self._keep))

    def publishing(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """
        Run a transaction that calls L{publish}. Our own listeners have heard when it answers.
        """

        def heard(result: T) -> T:
            self.catchUp()
            return result

        return self._transactions.write(work).addCallback(heard)
