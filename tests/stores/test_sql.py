"""
Tests for L{mailauth.stores.sql}, L{mailauth.stores.sqlrevocations} and
L{mailauth.stores.transactions}: the conformance suites on real files, and what other processes do.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, text
from twisted.internet.defer import Deferred, DeferredList
from twisted.trial.unittest import TestCase

from mailauth.credentials import accountTag
from mailauth.errors import Outage
from mailauth.stores.database import Database
from mailauth.stores.records import AppPasswordUse
from mailauth.stores.revocations import KEEP
from mailauth.stores.transactions import PRESSED, QUEUE
from mailauth.testing.stores import (
    ALICE,
    AccountsConformance,
    AliasesConformance,
    AppPasswordsConformance,
    EventsConformance,
    Heard,
    IdentitiesConformance,
    RevocationsConformance,
    SharingConformance,
    SigningKeysConformance,
    makeAppPassword,
)

from .files import HOLD, DatabaseTestCase, InDatabase, startProcess


class SQLRevocationsTests(InDatabase, RevocationsConformance, TestCase):
    """
    L{SQLRevocations<mailauth.stores.sqlrevocations.SQLRevocations>}.
    """


class SQLAccountsTests(InDatabase, AccountsConformance, TestCase):
    """
    L{SQLAccounts<mailauth.stores.sql.SQLAccounts>}.
    """


class SQLAppPasswordsTests(InDatabase, AppPasswordsConformance, TestCase):
    """
    L{SQLAppPasswords<mailauth.stores.sqlapppasswords.SQLAppPasswords>}.
    """


class SQLAliasesTests(InDatabase, AliasesConformance, TestCase):
    """
    L{SQLAliases<mailauth.stores.sqlaliases.SQLAliases>}.
    """


class SQLEventsTests(InDatabase, EventsConformance, TestCase):
    """
    L{SQLEvents<mailauth.stores.sqlevents.SQLEvents>}.
    """


class SQLIdentitiesTests(InDatabase, IdentitiesConformance, TestCase):
    """
    L{SQLIdentities<mailauth.stores.sqlidentities.SQLIdentities>}.
    """


class SQLSigningKeysTests(InDatabase, SigningKeysConformance, TestCase):
    """
    L{SQLSigningKeys<mailauth.stores.sql.SQLSigningKeys>}.
    """


class SQLSharingTests(InDatabase, SharingConformance, TestCase):
    """
    One file, opened twice.
    """


DISABLE = """
import sys
from twisted.internet import task
from twisted.internet.defer import Deferred
from mailauth.stores.database import Database

async def main(reactor):
    database = Database(sys.argv[1], reactor, "")
    await database.open()
    await database.accounts.disable(sys.argv[2])
    await database.close()

task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
"""


class OtherProcessTests(DatabaseTestCase):
    """
    Processes that share a database.
    """

    async def test_otherProcessDisables(self) -> None:
        """
        What another process revoked holds here when that process has its answer (C1, CS2).
        """
        database = await self.openWithAlice()
        heard = Heard(database.revocations)
        begun = database.revocations.catchUp()

        other = startProcess(self, DISABLE, str(self.path), ALICE.name)
        _, errors = other.communicate(timeout=60)
        self.assertEqual((0, b""), (other.returncode, errors))
        database.revocations.catchUp()

        tag = accountTag(ALICE.name)
        self.assertTrue(database.revocations.revokedSince([tag], begun))
        self.assertEqual([({tag}, "This account was disabled.")], heard.news)

    async def test_busy(self) -> None:
        """
        While another process holds the write lock, changes are an outage after the time to wait,
        and reading goes on (CS9).
        """
        database = await self.openWithAlice(busyTimeout=0.1)
        holder = startProcess(self, HOLD, str(self.path))
        assert holder.stdout is not None
        self.assertEqual(b"held\n", holder.stdout.readline())

        await self.outage(database.accounts.disable(ALICE.name))
        self.assertEqual(ALICE, await database.accounts.get(ALICE.name))
        database.revocations.catchUp()

        holder.communicate(b"")
        await database.accounts.disable(ALICE.name)
        self.assertTrue(database.revocations.covers([accountTag(ALICE.name)], 0))

    async def test_queuedBehindBusy(self) -> None:
        """
        Changes that queue up behind a held lock do not each wait in turn for it (CS9).
        """
        database = await self.openWithAlice(busyTimeout=0.2)
        holder = startProcess(self, HOLD, str(self.path))
        assert holder.stdout is not None
        self.assertEqual(b"held\n", holder.stdout.readline())

        answers = [database.accounts.disable(ALICE.name) for _ in range(20)]
        reasons = [(await self.outage(answer)).reason for answer in answers]

        self.assertGreaterEqual(reasons.count("waited too long for the store"), 17)


class TransactionTests(DatabaseTestCase):
    """
    A change and the revocation it implies hold together or not at all.
    """

    async def test_changeNeedsRevocation(self) -> None:
        """
        If the revocation cannot be written, nothing is changed; both succeed later (OA4).
        """
        database = await self.openWithAlice()
        await database.appPasswords.add(makeAppPassword("phone"))
        self.execute(
            "CREATE TRIGGER fault BEFORE INSERT ON revocations "
            "BEGIN SELECT RAISE(FAIL, 'full'); END"
        )

        for change in (
            lambda: database.accounts.disable(ALICE.name),
            lambda: database.accounts.setPassword(ALICE.name, "new"),
            lambda: database.accounts.remove(ALICE.name),
            lambda: database.appPasswords.revoke(ALICE.name, "phone"),
        ):
            await self.outage(change())

        self.assertEqual(ALICE, await database.accounts.get(ALICE.name))
        self.assertEqual(1, len(await database.appPasswords.list(ALICE.name)))

        self.execute("DROP TRIGGER fault")
        await database.accounts.remove(ALICE.name)

        self.assertIsNone(await database.accounts.get(ALICE.name))
        self.assertTrue(database.revocations.covers([accountTag(ALICE.name)], 0))

    async def test_outageNamesNoSecret(self) -> None:
        """
        The reason of an outage is the database's own, without what was to be written (LG1).
        """
        database = await self.openWithAlice()
        self.execute(
            "CREATE TRIGGER fault BEFORE UPDATE ON accounts BEGIN SELECT RAISE(FAIL, 'full'); END"
        )

        error = await self.outage(database.accounts.setPassword(ALICE.name, "planted-secret"))

        self.assertEqual("the store failed: full", error.reason)
        self.assertNotIn("planted-secret", repr(error))

    async def test_damaged(self) -> None:
        """
        A store that cannot be read is an outage, not an absent account; it recovers by itself
        (CS3).
        """
        database = await self.openWithAlice()
        self.execute("ALTER TABLE accounts RENAME TO elsewhere")
        self.execute("ALTER TABLE revocations RENAME TO nowhere")

        await self.outage(database.accounts.get(ALICE.name))
        await self.outage(database.accounts.list())
        self.assertRaises(Outage, database.revocations.catchUp)

        self.execute("ALTER TABLE elsewhere RENAME TO accounts")
        self.execute("ALTER TABLE nowhere RENAME TO revocations")

        self.assertEqual(ALICE, await database.accounts.get(ALICE.name))
        database.revocations.catchUp()

    async def test_unexpected(self) -> None:
        """
        What nobody expected is logged, and an outage for whoever asked.
        """
        database = await self.openWithAlice()

        await self.outage(database.accounts.get("\ud800"))

        self.assertEqual(1, len(self.flushLoggedErrors(UnicodeEncodeError)))

    async def test_lessDurableLater(self) -> None:
        """
        A connection that can no longer be set durable is not used (CS8).
        """
        database = await self.openWithAlice()
        await database.close()
        self.execute("PRAGMA journal_mode=DELETE")
        reader = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM accounts").fetchall()

        self.assertRaises(Outage, database.revocations.catchUp)

    async def test_full(self) -> None:
        """
        What would wait behind too many others is an outage at once (DS9).
        """
        database = await self.openWithAlice()

        asked = [database.accounts.get(ALICE.name) for _ in range(QUEUE + 10)]
        refused = [self.failureResultOf(answer, Outage) for answer in asked[QUEUE:]]
        answers = await DeferredList(asked[:QUEUE], fireOnOneErrback=True)

        self.assertEqual(10, len(refused))
        self.assertEqual([(True, ALICE)] * QUEUE, answers)


class PruningTests(DatabaseTestCase):
    """
    Entries of the past.
    """

    async def test_pruned(self) -> None:
        """
        Entries too old to matter leave the table with the next write; numbers are not used again.
        """
        moments = [1_800_000_000.0]
        database = await self.openWithAlice(now=lambda: moments[-1])
        await database.revocations.revoke(["old"], "Gone.")
        before = database.revocations.catchUp()
        moments.append(moments[-1] + KEEP + 1)

        await database.revocations.revoke(["young"], "Gone.")

        self.assertEqual([("young",)], self.execute("SELECT tag FROM revocations"))
        self.assertFalse(database.revocations.covers(["old"], 0))
        self.assertGreater(database.revocations.catchUp(), before)


class NoteUseTests(DatabaseTestCase):
    """
    Uses of app passwords.
    """

    async def openWithPhone(self, **settings: Any) -> Database:
        """
        A database with one app password.
        """
        database = await self.openWithAlice(**settings)
        await database.appPasswords.add(makeAppPassword("phone"))
        return database

    async def lastUsed(self, database: Database) -> float | None:
        """
        When the app password was used last, for all the store knows.
        """
        (phone,) = await database.appPasswords.list(ALICE.name)
        return None if phone.lastUse is None else phone.lastUse.time

    async def test_coalesced(self) -> None:
        """
        Of the uses within a minute the first is written; a later one is, and so is one after the
        clock was set back.
        """
        database = await self.openWithPhone()
        written = []
        for moment in (1000.0, 1001.0, 1059.0, 1060.0, 1119.0, 500.0):
            await database.appPasswords.noteUse("phone", AppPasswordUse(moment, "imap"))
            written.append(await self.lastUsed(database))

        self.assertEqual([1000.0, 1000.0, 1000.0, 1060.0, 1060.0, 500.0], written)

    async def test_leftOutWhenBusy(self) -> None:
        """
        A use that cannot be written is left out in silence, and the next one is written.
        """
        database = await self.openWithPhone(busyTimeout=0.05)
        holder = startProcess(self, HOLD, str(self.path))
        assert holder.stdout is not None
        self.assertEqual(b"held\n", holder.stdout.readline())

        await database.appPasswords.noteUse("phone", AppPasswordUse(1000.0, "imap"))
        self.assertIsNone(await self.lastUsed(database))

        holder.communicate(b"")
        await database.appPasswords.noteUse("phone", AppPasswordUse(1001.0, "imap"))
        self.assertEqual(1001.0, await self.lastUsed(database))

    async def test_leftOutUnderLoad(self) -> None:
        """
        A use is left out while many changes wait, and does not wait behind them.
        """
        database = await self.openWithPhone()
        changes = [database.accounts.enable(ALICE.name) for _ in range(PRESSED)]

        self.successResultOf(database.appPasswords.noteUse("phone", AppPasswordUse(1000.0, "imap")))
        await DeferredList(changes, fireOnOneErrback=True)

        self.assertIsNone(await self.lastUsed(database))
        await database.appPasswords.noteUse("phone", AppPasswordUse(1001.0, "imap"))
        self.assertEqual(1001.0, await self.lastUsed(database))


class BeginTests(DatabaseTestCase):
    """
    How transactions begin.
    """

    async def test_readsSeeOneMoment(self) -> None:
        """
        All that one piece of reading sees is of one moment, whatever others write meanwhile.
        """
        database = await self.openWithAlice()

        def work(connection: Connection) -> tuple[object, object]:
            counted = text("SELECT count(*) FROM accounts")
            before = connection.scalar(counted)
            self.execute("INSERT INTO accounts VALUES ('x', NULL, 1, NULL, 0.0)")
            return before, connection.scalar(counted)

        self.assertEqual((1, 1), await database._transactions.read(work))
        self.assertEqual(2, len(await database.accounts.list()))


class CancelTests(DatabaseTestCase):
    """
    Callers that leave.
    """

    async def test_cancelled(self) -> None:
        """
        A caller that was cancelled stops nothing and keeps nobody's place (SA3).
        """
        database = await self.openWithAlice()

        abandoned = [database.accounts.get(ALICE.name) for _ in range(QUEUE)]
        for answer in abandoned:
            answer.addErrback(lambda failure: None)
            answer.cancel()
        closing = Deferred.fromCoroutine(database.close())
        await closing

        await self.outage(database.accounts.get(ALICE.name))
