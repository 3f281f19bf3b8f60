"""
Events in SQL. Owns how they are looked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, insert, or_, select
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..interfaces import IEvents
from . import rows, schema
from .events import Event, EventSearch
from .statements import forgetAll
from .transactions import Transactions

_COLUMNS = schema.events.c


@implementer(IEvents)
class SQLEvents:
    """
    Events in a database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, event: Event) -> Deferred[None]:
        """
        See L{IEvents.add}.
        """

        def work(connection: Connection) -> None:
            connection.execute(insert(schema.events).values(rows.eventRow(event)))

        return self._transactions.write(work)

    def find(
        self, search: EventSearch, limit: int, before: int | None = None
    ) -> Deferred[tuple[Event, ...]]:
        """
        See L{IEvents.find}.
        """
        asked = select(schema.events).where(*_which(search))
        if before is not None:
            asked = asked.where(_COLUMNS.number < before)
        newestFirst = asked.order_by(_COLUMNS.number.desc()).limit(limit)
        return self._transactions.findAll(newestFirst, rows.event)

    def purge(self, until: float) -> Deferred[None]:
        """
        See L{IEvents.purge}.
        """
        return Deferred.fromCoroutine(
            forgetAll(self._transactions, schema.events, _COLUMNS.time < until)
        )


def _which(search: EventSearch) -> Iterator[ColumnElement[bool]]:
    """
    The conditions of what is looked for.
    """
    for column, wanted in (
        (_COLUMNS.account, search.account),
        (_COLUMNS.kind, search.kind),
        (_COLUMNS.who, search.who),
    ):
        if wanted is not None:
            yield column == wanted
    if search.since is not None:
        yield _COLUMNS.time >= search.since
    if search.until is not None:
        yield _COLUMNS.time < search.until
    if search.word is not None:
        yield or_(
            *(
                column.icontains(search.word, autoescape=True)
                for column in (_COLUMNS.text, _COLUMNS.account, _COLUMNS.who, _COLUMNS.address)
            )
        )
