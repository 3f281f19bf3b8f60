"""
Databases for these tests: real files, and other processes that use them.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from sqlalchemy import create_engine
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailauth.errors import Outage
from mailauth.stores.database import Database
from mailauth.stores.migrating import migrate
from mailauth.stores.sqlite import connect, prepareFile
from mailauth.testing.stores import ALICE, ISSUER, Conformance, Stores

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
"""
A program that holds the write lock of a file until its standard input ends.
"""


def makeDirectory(test: SynchronousTestCase) -> Path:
    """
    A directory that nobody else can use.
    """
    directory = tempfile.TemporaryDirectory()
    test.addCleanup(directory.cleanup)
    return Path(directory.name)


async def openDatabase(test: TestCase, path: Path, **settings: Any) -> Database:
    """
    Open it until the test ends.
    """
    database = Database(path, reactor, ISSUER, **settings)  # type: ignore[arg-type] # it is a module
    await database.open()
    test.addCleanup(lambda: Deferred.fromCoroutine(database.close()))
    return database


def startProcess(test: TestCase, program: str, *arguments: str) -> Popen[bytes]:
    """
    Run a Python program until the test ends.
    """
    process = Popen(
        [sys.executable, "-c", program, *arguments], stdin=PIPE, stdout=PIPE, stderr=PIPE
    )

    def end() -> None:
        process.kill()
        process.communicate()

    test.addCleanup(end)
    return process


@cache
def emptyDatabase() -> bytes:
    """
    A file with all tables and nothing in them, made once.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "mailauth.db"
        prepareFile(path)
        database = create_engine("sqlite://", creator=lambda: connect(path, 0.0))
        migrate(database)
        database.dispose()
        return path.read_bytes()


def makeFile(test: SynchronousTestCase) -> Path:
    """
    A file of its own for a test, with all tables and nothing in them.
    """
    path = makeDirectory(test) / "mailauth.db"
    path.touch(0o600)
    path.write_bytes(emptyDatabase())
    return path


class DatabaseTestCase(TestCase):
    """
    A test with one database.
    """

    async def openWithAlice(self, **settings: Any) -> Database:
        """
        A database with one account.
        """
        self.path = makeFile(self)
        database = await openDatabase(self, self.path, **settings)
        await database.accounts.add(ALICE)
        return database

    async def outage(self, answer: Awaitable[object]) -> Outage:
        """
        What an answer that must be an outage failed with.
        """
        with self.assertRaises(Outage) as caught:
            await answer
        error: Outage = caught.exception
        return error

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """
        What somebody else does to the file.
        """
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()


class InDatabase(Conformance):
    """
    Stores in one SQLite file for each test.
    """

    path: Path | None = None

    def makeStores(self, now: Callable[[], float]) -> Deferred[Stores]:
        """
        Open the test's database, once more at each call.
        """
        if self.path is None:
            self.path = makeFile(self)
        return Deferred.fromCoroutine(openDatabase(self, self.path, now=now))
