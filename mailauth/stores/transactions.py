"""
Runs work on the database, off the reactor. Owns the transaction around it and what an error of the
database means to the caller.

Making a statement costs SQLAlchemy twice what running it does. So what many requests run is made
once, with parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, Select, UpdateBase, event
from sqlalchemy.exc import DBAPIError
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..errors import Outage
from .records import AlreadyExists, LimitReached, NotFound
from .threads import BoundedThreads, ThreadedReactor

T = TypeVar("T")

QUEUE = 256
"""
How many reads, and how many writes, may wait. A read takes some 200 us, a write one flush of the
disk.
"""

PRESSED = 16
"""
With so many writes waiting, what can be left out is.
"""


class Transactions:
    """
    Each piece of work is one transaction. Reading never waits for writing: WAL lets them be at
    once, and they have different threads. There is one for writing, for SQLite has one writer.
    """

    _log = Logger()

    def __init__(
        self, database: Engine, reactor: ThreadedReactor, threads: int, patience: float
    ) -> None:
        """
        @param database: SQLAlchemy's.
        @param threads: how many are for reading.
        @param patience: how long work may wait for a thread, in seconds. It may wait as long
            again for another process that is writing.
        """
        self._database = database
        # Locking at the start is what makes every decision inside the transaction a sound one.
        self._writable = database.execution_options(mailauth_begin="BEGIN IMMEDIATE")
        self._readers = BoundedThreads(reactor, "store-read", threads, QUEUE, patience)
        self._writer = BoundedThreads(reactor, "store-write", 1, QUEUE, patience)
        event.listen(database, "begin", begin)

    @property
    def pressed(self) -> bool:
        """
        Whether so much waits to be written that what can be left out should be.
        """
        return self._writer.waiting >= PRESSED

    def start(self) -> None:
        """
        Take work from now on.
        """
        self._readers.start()
        self._writer.start()

    async def stop(self) -> None:
        """
        Finish the work there is, and close every connection.
        """
        await self._readers.stop()
        await self._writer.stop()
        self._database.dispose()

    def read(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """
        @param work: reads by the connection, in a thread.
        @raise Outage: the database could not be read.
        """
        return self._readers.call(partial(self._transact, self._database, work))

    def write(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """
        @param work: writes by the connection, in a thread. If it raises, nothing was written.
        @raise Outage: nobody knows whether it was written.
        """
        return self._writer.call(partial(self._transact, self._writable, work))

    def findOne(
        self, asked: Select[Any], record: Callable[[Row[Any]], T], **parameters: object
    ) -> Deferred[T | None]:
        """
        Read what there is one of at most.

        @param record: makes a record of the row.
        @param parameters: those of the statement.
        @raise Outage: the database could not be read.
        """

        def work(connection: Connection) -> T | None:
            row = connection.execute(asked, parameters).one_or_none()
            return None if row is None else record(row)

        return self.read(work)

    def findAll(
        self, asked: Select[Any], record: Callable[[Row[Any]], T]
    ) -> Deferred[tuple[T, ...]]:
        """
        Read all of a kind.

        @param record: makes a record of a row.
        @raise Outage: the database could not be read.
        """
        return self.read(lambda connection: tuple(map(record, connection.execute(asked))))

    def change(self, changing: UpdateBase) -> Deferred[bool]:
        """
        Whether the statement found a row to change.

        @raise Outage: nobody knows whether it was changed.
        """
        return self.write(lambda connection: connection.execute(changing).rowcount > 0)

    def prepare(self, work: Callable[[Engine], None]) -> Deferred[None]:
        """
        @param work: looks after its own transactions and errors, in the thread that writes.
        """
        return self._writer.call(partial(work, self._writable))

    def _transact(self, database: Engine, work: Callable[[Connection], T]) -> T:
        try:
            with database.connect() as connection:
                try:
                    with connection.begin():
                        return work(connection)
                except DBAPIError:
                    # Whatever state it is in, the next one starts with another.
                    connection.invalidate()
                    raise
        except (AlreadyExists, LimitReached, NotFound):
            raise
        except DBAPIError as error:
            # Its own text quotes the parameters, and there are secrets among them.
            raise Outage(f"the store failed: {error.orig}") from None
        except Exception:
            self._log.failure("unexpected in the store")
            raise Outage("unexpected in the store") from None


def begin(connection: Connection) -> None:
    """
    Python's sqlite3 begins nothing by itself the way it is set, which leaves us to say how.
    """
    connection.exec_driver_sql(connection.get_execution_options().get("mailauth_begin", "BEGIN"))
