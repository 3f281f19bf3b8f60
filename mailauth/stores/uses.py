"""
When something was used last. Owns how seldom that is written: nobody waits for it, and it is the
first thing to be left out under load.
"""

from __future__ import annotations

from sqlalchemy import Connection, Update
from twisted.internet.defer import Deferred, succeed

from ..errors import Outage
from .transactions import Transactions

USE_INTERVAL = 60.0
"""
How often the use of one thing is written, in seconds of the uses' own times.
"""


class Uses:
    """
    Uses of one kind of thing.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        # What was used to the time of the use that was written last, the oldest first.
        self._noted: dict[str | bytes, float] = {}

    def note(self, used: str | bytes, now: float, noted: Update) -> Deferred[None]:
        """
        Write a use, unless it is within a minute of one that was written, would wait behind many
        writes, or cannot be written.

        @param noted: what writes it.
        """
        self._forget(now)
        if used in self._noted or self._transactions.pressed:
            return succeed(None)
        self._noted[used] = now

        def work(connection: Connection) -> None:
            connection.execute(noted)

        async def written() -> None:
            try:
                await self._transactions.write(work)
            except Outage:
                self._noted.pop(used, None)

        return Deferred.fromCoroutine(written())

    def _forget(self, now: float) -> None:
        while self._noted:
            oldest = next(iter(self._noted))
            # Either way: the wall clock may have been set back.
            if abs(now - self._noted[oldest]) < USE_INTERVAL:
                break
            del self._noted[oldest]
