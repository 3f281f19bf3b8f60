"""
Tests for L{mailauth.stores.sqlgrants}, L{mailauth.stores.sqldevicecodes} and
L{mailauth.stores.sqlsignin}: the conformance suites on real files, and what they forget and keep.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, event
from twisted.internet.defer import DeferredList
from twisted.trial.unittest import TestCase

from mailauth.oauth.records import OpaqueToken
from mailauth.stores.database import Database
from mailauth.stores.statements import BATCH
from mailauth.stores.transactions import PRESSED
from mailauth.testing.stores import (
    ALICE,
    NOW,
    BrowserSessionsConformance,
    ClientsConformance,
    DeviceCodesConformance,
    FactorsConformance,
    GrantsConformance,
    OpaqueTokensConformance,
    SpentConformance,
    digestOf,
    makeBrowserSession,
    makeCode,
    makeDeviceCode,
    makeGrant,
    makeOpaqueToken,
)

from .files import DatabaseTestCase, InDatabase


class SQLClientsTests(InDatabase, ClientsConformance, TestCase):
    """
    L{SQLClients<mailauth.stores.sqlgrants.SQLClients>}.
    """


class SQLGrantsTests(InDatabase, GrantsConformance, TestCase):
    """
    L{SQLGrants<mailauth.stores.sqlgrants.SQLGrants>}.
    """


class SQLOpaqueTokensTests(InDatabase, OpaqueTokensConformance, TestCase):
    """
    L{SQLOpaqueTokens<mailauth.stores.sqlgrants.SQLOpaqueTokens>}.
    """


class SQLDeviceCodesTests(InDatabase, DeviceCodesConformance, TestCase):
    """
    L{SQLDeviceCodes<mailauth.stores.sqldevicecodes.SQLDeviceCodes>}.
    """


class SQLBrowserSessionsTests(InDatabase, BrowserSessionsConformance, TestCase):
    """
    L{SQLBrowserSessions<mailauth.stores.sqlsignin.SQLBrowserSessions>}.
    """


class SQLFactorsTests(InDatabase, FactorsConformance, TestCase):
    """
    L{SQLFactors<mailauth.stores.sqlsignin.SQLFactors>}.
    """


class SQLSpentTests(InDatabase, SpentConformance, TestCase):
    """
    L{SQLSpent<mailauth.stores.sqlsignin.SQLSpent>}.
    """


class TouchTests(DatabaseTestCase):
    """
    Uses of browser sessions.
    """

    async def lastUse(self, database: Database) -> float:
        """
        When the session was used last, for all the store knows.
        """
        [session] = await database.browserSessions.list(ALICE.name)
        return session.lastUse

    async def test_coalesced(self) -> None:
        """
        Of the uses within a minute the first is written, for each session by itself.
        """
        database = await self.openWithAlice()
        session = makeBrowserSession("one")
        await database.browserSessions.add(session)
        await database.browserSessions.touch(digestOf("another"), NOW)
        written = []
        for seconds in (1.0, 2.0, 60.0, 61.0):
            await database.browserSessions.touch(session.digest, NOW + seconds)
            written.append(await self.lastUse(database) - NOW)

        self.assertEqual([1.0, 1.0, 1.0, 61.0], written)

    async def test_leftOutUnderLoad(self) -> None:
        """
        A use is left out while many changes wait, and nobody waits behind them for it.
        """
        database = await self.openWithAlice()
        session = makeBrowserSession("one")
        await database.browserSessions.add(session)
        changes = [database.accounts.enable(ALICE.name) for _ in range(PRESSED)]

        self.successResultOf(database.browserSessions.touch(session.digest, NOW + 1.0))
        await DeferredList(changes, fireOnOneErrback=True)

        self.assertEqual(NOW, await self.lastUse(database))


class ForgettingTests(DatabaseTestCase):
    """
    What is forgotten when it has expired.
    """

    def count(self, table: str) -> int:
        """
        How many rows there are.
        """
        [(rows,)] = self.execute(f"SELECT count(*) FROM {table}")
        return int(rows)

    def addMany(self, table: str, columns: str, rows: int) -> None:
        """
        Add rows that differ in the first column.
        """
        self.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
            f" WHERE n < {rows}) INSERT INTO {table} SELECT {columns} FROM numbers"
        )

    async def test_inBatches(self) -> None:
        """
        However much has expired, all of it is forgotten, and nobody waits for more than a batch:
        what is written meanwhile is written in between.
        """
        database = await self.openWithAlice()
        self.addMany(
            "authorization_codes",
            "CAST(n AS BLOB), 'alice@example.test', 1.0, 2.0, '{}'",
            3 * BATCH,
        )
        left = []

        purging = database.grants.purge(NOW)
        for _ in range(3):
            await database.accounts.enable(ALICE.name)
            left.append(self.count("authorization_codes"))
        await purging

        self.assertEqual([2 * BATCH, BATCH, 0], left)

    async def test_spending(self) -> None:
        """
        Spending forgets a batch of what may be forgotten, and no more.
        """
        database = await self.openWithAlice()
        self.addMany("spent", "CAST(n AS BLOB), 1.0", 2 * BATCH)

        await database.spent.spend(digestOf("one"), NOW + 60.0, NOW)

        self.assertEqual(BATCH + 1, self.count("spent"))

    async def test_indexed(self) -> None:
        """
        What has expired is found without reading what has not.
        """
        database = await self.openWithAlice()
        statements: list[str] = []

        def note(connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
            if statement.startswith("DELETE FROM"):
                statements.append(statement)

        event.listen(database._transactions._database, "before_cursor_execute", note)
        await database.grants.purge(NOW)
        await database.browserSessions.purge(NOW)
        await database.spent.spend(digestOf("one"), NOW + 60.0, NOW)
        await database.deviceCodes.add(makeDeviceCode("device"))

        self.assertEqual(8, len(statements))
        for statement in statements:
            values = [None] * statement.count("?")
            connection = sqlite3.connect(self.path)
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            connection.close()
            self.assertEqual([], [step for *_, step in plan if step.startswith("SCAN")])


class RedemptionTests(DatabaseTestCase):
    """
    Redemptions that fail half-way.
    """

    async def test_nothingIssued(self) -> None:
        """
        What cannot be issued consumes nothing: the code, the device code and the refresh token can
        be had after it (O 74).
        """
        database = await self.openWithAlice()
        grant, taken = makeGrant("grant"), makeOpaqueToken("taken", None)
        device, opaque = makeDeviceCode("device"), makeOpaqueToken("opaque", grant)
        await database.opaqueTokens.add(taken)
        await database.grants.addCode(makeCode("code", grant))
        await database.deviceCodes.add(device)
        await database.deviceCodes.decide(device.digest, makeGrant("device's"), NOW)

        async def rotate(opaque: OpaqueToken) -> bool:
            return await database.grants.rotate(
                "grant", digestOf("first"), digestOf("second"), None, opaque, NOW, None
            )

        await self.outage(database.grants.redeemCode(digestOf("code"), grant, taken, NOW))
        await self.outage(
            database.deviceCodes.redeem(device.digest, makeGrant("device's"), taken, NOW)
        )
        self.assertEqual((), await database.grants.list(ALICE.name))

        self.assertTrue(await database.grants.redeemCode(digestOf("code"), grant, None, NOW))
        self.assertTrue(
            await database.deviceCodes.redeem(device.digest, makeGrant("device's"), None, NOW)
        )
        await self.outage(rotate(taken))
        self.assertEqual(grant, await database.grants.get("grant"))
        self.assertTrue(await rotate(opaque))
