"""
Tests for L{mailauth.stores.migrating}.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from twisted.trial.unittest import TestCase

from mailauth.stores.migrating import migrate
from mailauth.stores.records import CannotOpen
from mailauth.stores.schema import REVISION, metadata
from mailauth.stores.sqlite import connect, prepareFile
from mailauth.stores.transactions import begin

from .files import makeDirectory, openDatabase


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

    def test_killed(self) -> None:
        """
        A migration killed at any statement leaves what was there before; the next one completes
        it (CS12).
        """
        whole = self.path.with_name("whole.db")
        migrate(self.connectTo(whole))
        survived = 0
        for last in range(1, 100):
            path = self.path.with_name(f"killed-{last}.db")
            database = self.connectTo(path)
            event.listen(database, "before_cursor_execute", KillAt(last))
            try:
                migrate(database)
            except Killed:
                survived += 1
                database.dispose()
                self.assertEqual({}, self.statements(path))
                migrate(self.connectTo(path))
                self.assertEqual(self.statements(whole), self.statements(path))
            else:
                break

        self.assertGreater(survived, 10)

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
