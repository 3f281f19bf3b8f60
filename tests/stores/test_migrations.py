"""
Tests for L{mailauth.stores.migrating}.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from twisted.trial.unittest import TestCase

from mailauth.stores.migrating import migrate
from mailauth.stores.records import (
    Alias,
    AlreadyExists,
    AppPassword,
    AppPasswordUse,
    CannotOpen,
    Identity,
    SigningKey,
)
from mailauth.stores.schema import REVISION, metadata
from mailauth.stores.sqlite import connect, prepareFile
from mailauth.stores.transactions import begin
from mailauth.testing.stores import ALICE, makeBrowserSession

from .files import makeDirectory, openDatabase

FIRST = (Path(__file__).parent / "first.sql").read_text("utf-8")
"""
What C{.dump} of SQLite's says of a database of revision 0001, with a record in each table.
"""


class Killed(BaseException):
    """
    The process ends here.
    """


class KillAt:
    """
    Ends the process at a statement.
    """

    def __init__(self, last: int) -> None:
        self.left = last

    def __call__(self, *ignored: object) -> None:
        self.left -= 1
        if not self.left:
            raise Killed


def makeFirst(path: Path) -> None:
    """
    A database as the first mailauth left it.
    """
    prepareFile(path)
    connection = connect(path, 0.0)
    connection.executescript(FIRST)
    connection.close()


class MigrationTests(TestCase):
    """
    L{migrate}.
    """

    def setUp(self) -> None:
        self.path = makeDirectory(self) / "mailauth.db"

    def connectTo(self, path: Path) -> Engine:
        """
        SQLAlchemy's way to a file, as L{Database<mailauth.stores.database.Database>} sets it.
        """
        prepareFile(path)
        database = create_engine("sqlite://", creator=lambda: connect(path, 5.0))
        event.listen(database, "begin", begin)
        self.addCleanup(database.dispose)
        return database

    def statements(self, path: Path) -> dict[str, str]:
        """
        How SQLite would make everything in a file.
        """
        connection = sqlite3.connect(path)
        try:
            return dict(
                connection.execute(
                    "SELECT name, sql FROM sqlite_master "
                    "WHERE sql IS NOT NULL AND name != 'alembic_version'"
                )
            )
        finally:
            connection.close()

    def test_schema(self) -> None:
        """
        The migrations make what the schema says, by Alembic's comparison and letter by letter.
        """
        database = self.connectTo(self.path)
        migrate(database)
        direct = self.path.with_name("direct.db")
        metadata.create_all(self.connectTo(direct))

        with database.connect() as connection:
            context = MigrationContext.configure(connection)
            self.assertEqual([], compare_metadata(context, metadata))
            self.assertEqual(REVISION, context.get_current_revision())
        self.assertEqual(self.statements(direct), self.statements(self.path))

    def test_head(self) -> None:
        """
        The schema's revision is that of the last migration, and there is one line of them.
        """
        config = Config()
        config.set_main_option("script_location", "mailauth.stores:migrations")

        self.assertEqual([REVISION], ScriptDirectory.from_config(config).get_heads())

    def test_again(self) -> None:
        """
        A database that is up to date is only read.
        """
        database = self.connectTo(self.path)
        migrate(database)
        written: list[str] = []
        event.listen(
            database,
            "before_cursor_execute",
            lambda connection, cursor, statement, *rest: written.append(statement),
        )

        migrate(database)

        self.assertEqual(
            [], [one for one in written if not one.startswith(("PRAGMA", "SELECT", "BEGIN"))]
        )
        self.assertNotIn("BEGIN IMMEDIATE", written)

    def killEverywhere(self, prepare: Callable[[Path], None]) -> int:
        """
        Kill a migration at each of its statements. What was there before has to be there, and the
        next migration has to complete it.

        @param prepare: makes the file that is migrated.
        @return: how many statements there are.
        """
        prepare(self.path)
        before = self.statements(self.path)
        migrate(self.connectTo(self.path))
        for last in count(1):
            path = self.path.with_name(f"killed-{last}.db")
            prepare(path)
            database = self.connectTo(path)
            event.listen(database, "before_cursor_execute", KillAt(last))
            try:
                migrate(database)
            except Killed:
                database.dispose()
                self.assertEqual(before, self.statements(path))
                migrate(self.connectTo(path))
                self.assertEqual(self.statements(self.path), self.statements(path))
            else:
                return last - 1
        raise AssertionError("there is no end")

    def test_killed(self) -> None:
        """
        A migration killed at any statement leaves what was there before; the next one completes
        it (CS12).
        """
        self.assertGreater(self.killEverywhere(prepareFile), 40)

    def test_killedUpgrade(self) -> None:
        """
        So does one of a database of an earlier mailauth (CS12).
        """
        self.assertGreater(self.killEverywhere(makeFirst), 20)

    async def test_upgraded(self) -> None:
        """
        A database of the first mailauth is brought up to date with all that is in it.
        """
        makeFirst(self.path)

        database = await openDatabase(self, self.path)

        phone = AppPassword(
            "phone",
            ALICE.name,
            "a phone",
            digest=b"\x01" * 32,
            services=frozenset({"imap"}),
            created=2.0,
            networks=("192.0.2.0/24",),
            lastUse=AppPasswordUse(3.0, "imap", "192.0.2.1"),
        )
        self.assertEqual((ALICE,), await database.accounts.list())
        self.assertEqual((phone,), await database.appPasswords.list(ALICE.name))
        self.assertEqual(
            (SigningKey("a key", "ES256", b"a private key", 4.0),),
            await database.signingKeys.list(),
        )
        self.assertTrue(database.revocations.covers(["app-password:laptop"], 5.0))
        await database.identities.link(Identity("https://idp.example", "1", ALICE.name))
        self.assertEqual(1, len(await database.identities.list(ALICE.name)))
        # The names that there were are addresses that somebody has.
        await database.aliases.add(Alias("info@example.test", ALICE.name))
        with self.assertRaises(AlreadyExists):
            await database.aliases.add(Alias(ALICE.name, ALICE.name))
        await database.browserSessions.add(makeBrowserSession("one"))
        self.assertEqual(1, len(await database.browserSessions.list(ALICE.name)))

    async def test_newer(self) -> None:
        """
        A database of a later mailauth is refused, and left as it is.
        """
        database = await openDatabase(self, self.path)
        await database.close()
        connection = sqlite3.connect(self.path)
        self.addCleanup(connection.close)
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

        with self.assertRaisesRegex(CannotOpen, "update mailauth"):
            await openDatabase(self, self.path)

        self.assertEqual(
            [("9999",)], connection.execute("SELECT version_num FROM alembic_version").fetchall()
        )
