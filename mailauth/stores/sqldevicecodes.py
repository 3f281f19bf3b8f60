"""
Device codes in SQL. Owns the bound on how many wait.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..oauth.interfaces import IDeviceCodes
from ..oauth.records import EXPIRED_KNOWN, WAITING_LIMIT, DeviceCode, Grant, OpaqueToken
from . import oauthrows, schema
from .documents import toDocument
from .records import AlreadyExists, LimitReached
from .sqlgrants import issue
from .statements import batchOf
from .transactions import Transactions

_columns = schema.deviceCodes.c


@implementer(IDeviceCodes)
class SQLDeviceCodes:
    """
    Device codes in a database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, code: DeviceCode) -> Deferred[None]:
        """
        See L{IDeviceCodes.add}. Those that expired long ago are forgotten on this occasion.
        """
        now = code.created
        waiting = select(func.count()).where(_columns.decided.is_(None), _columns.expires > now)
        old = batchOf(schema.deviceCodes, _columns.expires <= now - EXPIRED_KNOWN)
        # One that nobody decided about in time stands in nobody's way.
        gone = delete(schema.deviceCodes).where(
            _columns.user_code == code.userCode,
            _columns.decided.is_(None),
            _columns.expires <= now,
        )

        def work(connection: Connection) -> None:
            connection.execute(old)
            if connection.scalars(waiting).one() >= WAITING_LIMIT:
                raise LimitReached(f"{WAITING_LIMIT} devices wait already")
            connection.execute(gone)
            try:
                connection.execute(insert(schema.deviceCodes).values(oauthrows.waitingRow(code)))
            except IntegrityError:
                raise AlreadyExists("there is such a device code already") from None

        return self._transactions.write(work)

    def find(self, digest: bytes) -> Deferred[DeviceCode | None]:
        """
        See L{IDeviceCodes.find}.
        """
        return self._found(_columns.digest == digest)

    def findUserCode(self, userCode: str) -> Deferred[DeviceCode | None]:
        """
        See L{IDeviceCodes.findUserCode}.
        """
        return self._found(_columns.user_code == userCode, _columns.decided.is_(None))

    def polled(self, digest: bytes, now: float, interval: float) -> Deferred[None]:
        """
        See L{IDeviceCodes.polled}.
        """
        noted = (
            update(schema.deviceCodes)
            .where(_columns.digest == digest)
            .values(polled=now, poll_interval=interval)
        )

        def work(connection: Connection) -> None:
            connection.execute(noted)

        return self._transactions.write(work)

    def decide(self, digest: bytes, grant: Grant | None, now: float) -> Deferred[bool]:
        """
        See L{IDeviceCodes.decide}.
        """
        deciding = (
            update(schema.deviceCodes)
            .where(_columns.digest == digest, _columns.decided.is_(None), _columns.expires > now)
            .values(decided=now)
        )
        if grant is not None:
            deciding = deciding.where(
                exists().where(schema.accounts.c.name == grant.account)
            ).values(granted=toDocument(grant), account=grant.account)
        return self._transactions.change(deciding)

    def redeem(
        self, digest: bytes, grant: Grant, opaque: OpaqueToken | None, now: float
    ) -> Deferred[bool]:
        """
        See L{IDeviceCodes.redeem}.
        """
        using = (
            update(schema.deviceCodes)
            .where(
                _columns.digest == digest,
                _columns.granted.is_not(None),
                _columns.used.is_(None),
                _columns.expires > now,
            )
            .values(used=now)
        )

        def work(connection: Connection) -> bool:
            if not connection.execute(using).rowcount:
                return False
            issue(connection, grant, opaque)
            return True

        return self._transactions.write(work)

    def _found(self, *which: ColumnElement[bool]) -> Deferred[DeviceCode | None]:
        asked = select(schema.deviceCodes).where(*which)
        return self._transactions.findOne(asked, oauthrows.deviceCode)
