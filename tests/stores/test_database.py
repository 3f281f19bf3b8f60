"""
Tests for L{mailauth.stores.database} and L{mailauth.stores.sqlite}: what is opened, what is
refused, and what survives.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from mailauth.errors import Outage
from mailauth.stores import sqlite
from mailauth.stores.database import Database
from mailauth.stores.records import Account, CannotOpen
from mailauth.testing.stores import ALICE

from .files import HOLD, makeDirectory, openDatabase, startProcess


class OpeningTests(TestCase):
    """
    L{Database.open}.
    """

    async def refused(self, path: Path) -> str:
        """
        Why it cannot be opened.
        """
        with self.assertRaises(CannotOpen) as caught:
            await openDatabase(self, path)
        return str(caught.exception)

    async def test_made(self) -> None:
        """
        A database that is not there is made, for its owner alone, whatever the umask (CS13).
        """
        path = makeDirectory(self) / "mailauth.db"
        self.addCleanup(os.umask, os.umask(0))

        await openDatabase(self, path)

        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
        self.assertEqual(
            {"mailauth.db": 0o600, "mailauth.db-wal": 0o600, "mailauth.db-shm": 0o600}, modes
        )

    async def test_again(self) -> None:
        """
        What was stored is there when it is opened again, and the file is checked again.
        """
        path = makeDirectory(self) / "mailauth.db"
        first = await openDatabase(self, path)
        await first.accounts.add(ALICE)
        await first.close()

        second = await openDatabase(self, path)

        self.assertEqual(ALICE, await second.accounts.get(ALICE.name))

    async def test_closed(self) -> None:
        """
        A database that is closed, or was not opened, is an outage; closing twice is no error.
        """
        database = Database(makeDirectory(self) / "mailauth.db", reactor, "")  # type: ignore[arg-type] # it is a module
        await self.assertFailure(database.accounts.add(ALICE), Outage)
        await database.open()
        await database.accounts.add(ALICE)

        await database.close()
        await database.close()

        await self.assertFailure(database.accounts.add(ALICE), Outage)

    async def test_closingFinishes(self) -> None:
        """
        Closing waits for what was begun.
        """
        path = makeDirectory(self) / "mailauth.db"
        database = await openDatabase(self, path)
        adding = [database.accounts.add(Account(str(number))) for number in range(20)]

        await database.close()

        for answer in adding:
            self.successResultOf(answer)
        again = await openDatabase(self, path)
        self.assertEqual(20, len(await again.accounts.list()))

    async def test_durable(self) -> None:
        """
        Every connection syncs each commit, and keeps foreign keys (CS8).
        """
        path = makeDirectory(self) / "mailauth.db"
        database = await openDatabase(self, path)

        settings = await database._transactions.read(
            lambda connection: [
                connection.exec_driver_sql(f"PRAGMA {setting}").scalar()
                for setting in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        )

        self.assertEqual(["wal", 2, 1, 5000], settings)

    async def test_url(self) -> None:
        """
        A URL of SQLAlchemy's names a file as well as a path does; other databases are refused.
        """
        path = makeDirectory(self) / "mailauth.db"
        database = Database(f"sqlite:///{path}", reactor, "")  # type: ignore[arg-type] # it is a module
        await database.open()
        await database.close()

        self.assertTrue(path.exists())
        for location in ("postgresql://localhost/mailauth", "sqlite://"):
            with self.assertRaises(CannotOpen):
                Database(location, reactor, "")  # type: ignore[arg-type] # it is a module

    async def test_noDirectory(self) -> None:
        """
        The directory must be there.
        """
        path = makeDirectory(self) / "missing" / "mailauth.db"

        self.assertIn("make it with mode 0700", await self.refused(path))

    async def test_directoryOfOthers(self) -> None:
        """
        A directory in which others can put files is refused (CS13).
        """
        path = makeDirectory(self) / "mailauth.db"
        path.parent.chmod(0o770)

        self.assertIn(f"chmod go-w {path.parent}", await self.refused(path))

    async def test_directoryLink(self) -> None:
        """
        A symbolic link is no directory (CS13).
        """
        directory = makeDirectory(self)
        (directory / "real").mkdir(0o700)
        (directory / "link").symlink_to(directory / "real")

        self.assertIn("is not a directory", await self.refused(directory / "link" / "mailauth.db"))

    async def test_readable(self) -> None:
        """
        A database that others can read is refused, and so is its write-ahead log (CS13).
        """
        path = makeDirectory(self) / "mailauth.db"
        database = await openDatabase(self, path)
        await database.close()

        path.chmod(0o640)
        self.assertIn(f"chmod 0600 {path}", await self.refused(path))

        path.chmod(0o600)
        log = path.with_name("mailauth.db-wal")
        log.touch(0o644)
        self.assertIn(f"chmod 0600 {log}", await self.refused(path))

    async def test_link(self) -> None:
        """
        A symbolic link is no database, wherever it leads (CS13).
        """
        directory = makeDirectory(self)
        for target in ("elsewhere.db", "missing.db"):
            path = directory / f"to-{target}"
            path.symlink_to(directory / target)
            (directory / "elsewhere.db").touch(0o600)

            self.assertIn("is not a file", await self.refused(path))
            self.assertFalse((directory / "missing.db").exists())

    async def test_ofOthers(self) -> None:
        """
        A database of somebody else than its directory's owner is refused (CS13).
        """
        if os.geteuid() != 0:
            raise SkipTest("needs root")
        path = makeDirectory(self) / "mailauth.db"
        path.touch(0o600)
        os.chown(path, 12345, -1)

        self.assertIn("does not belong", await self.refused(path))

    async def test_asRoot(self) -> None:
        """
        What root makes in the service's directory is the service's.
        """
        if os.geteuid() != 0:
            raise SkipTest("needs root")
        path = makeDirectory(self) / "mailauth.db"
        os.chown(path.parent, 12345, -1)

        await openDatabase(self, path)

        self.assertEqual({12345}, {one.stat().st_uid for one in path.parent.iterdir()})

    async def test_directoryOfAnother(self) -> None:
        """
        A directory of another user is refused, unless to root (CS13).
        """
        if os.geteuid() == 0:
            os.seteuid(12345)
            self.addCleanup(os.seteuid, 0)

        self.assertIn("belongs to another user", await self.refused(Path("/mailauth.db")))

    async def test_name(self) -> None:
        """
        A name that the file system does not take is refused, and so is one that leaves no room
        for the write-ahead log's.
        """
        directory = makeDirectory(self)

        self.assertIn("cannot be made", await self.refused(directory / ("x" * 256)))
        long = directory / ("x" * 253)
        long.touch(0o600)
        self.assertIn("-wal: File name too long", await self.refused(long))

    async def test_held(self) -> None:
        """
        A file that another process keeps to itself is an outage: it may be opened later.
        """
        path = makeDirectory(self) / "mailauth.db"
        path.touch(0o600)
        holder = startProcess(self, HOLD, str(path))
        assert holder.stdout is not None
        self.assertEqual(b"held\n", holder.stdout.readline())

        with self.assertRaises(Outage):
            await openDatabase(self, path, busyTimeout=0.1)

        holder.communicate(b"")
        await openDatabase(self, path)

    async def test_noDatabase(self) -> None:
        """
        A file of something else is refused, and left as it is.
        """
        path = makeDirectory(self) / "mailauth.db"
        path.touch(0o600)
        path.write_bytes(b"Dear diary, " * 1000)

        self.assertIn("restore it from a backup", await self.refused(path))

        self.assertEqual(b"Dear diary, " * 1000, path.read_bytes())

    async def test_damagedPages(self) -> None:
        """
        From a damaged page there is an outage, never an answer.
        """
        path = makeDirectory(self) / "mailauth.db"
        database = await openDatabase(self, path)
        await database.accounts.add(ALICE)
        await database.close()
        connection = sqlite3.connect(path)
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'accounts'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.close()
        with path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(bytes(size))

        database = await openDatabase(self, path)

        await self.assertFailure(database.accounts.get(ALICE.name), Outage)

    async def test_twoAtOnce(self) -> None:
        """
        Two that come first at the same time make one database.
        """
        for _ in range(5):
            path = makeDirectory(self) / "mailauth.db"
            opening = [Deferred.fromCoroutine(openDatabase(self, path)) for _ in range(2)]
            one, two = [await database for database in opening]

            await one.accounts.add(ALICE)
            self.assertEqual(ALICE, await two.accounts.get(ALICE.name))


class MakingTests(SynchronousTestCase):
    """
    L{sqlite.prepareFile}.
    """

    def test_manyAtOnce(self) -> None:
        """
        Of many that make the same file at once one does, the others take it, and nothing else is
        left.
        """
        path = makeDirectory(self) / "mailauth.db"
        start = Barrier(8)

        def make() -> None:
            start.wait()
            sqlite.prepareFile(path)

        with ThreadPoolExecutor(8) as threads:
            for making in [threads.submit(make) for _ in range(8)]:
                making.result()

        self.assertEqual([path], [*path.parent.iterdir()])


class SettingsTests(SynchronousTestCase):
    """
    L{sqlite.requireNeeded}.
    """

    def connectTo(self, path: str) -> sqlite3.Connection:
        """
        A connection as SQLite gives it.
        """
        connection = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(connection.close)
        return connection

    def test_lessThanFull(self) -> None:
        """
        A connection that does not sync each commit is refused (CS8).
        """
        connection = self.connectTo(str(makeDirectory(self) / "x.db"))
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=NORMAL")

        with self.assertRaisesRegex(CannotOpen, "synchronous=1 where mailauth needs 2"):
            sqlite.requireNeeded(connection)

        connection.execute("PRAGMA synchronous=FULL")
        sqlite.requireNeeded(connection)

    def test_noLog(self) -> None:
        """
        Where SQLite can keep no write-ahead log it is refused.
        """
        with self.assertRaisesRegex(CannotOpen, "journal_mode=memory"):
            sqlite.requireNeeded(self.connectTo(":memory:"))

    def test_noForeignKeys(self) -> None:
        """
        Without foreign keys, app passwords would outlive their account.
        """
        connection = self.connectTo(str(makeDirectory(self) / "x.db"))
        connection.execute("PRAGMA journal_mode=WAL")

        with self.assertRaisesRegex(CannotOpen, "foreign_keys=0"):
            sqlite.requireNeeded(connection)


FULL = """
import resource, sys
from twisted.internet import task
from twisted.internet.defer import Deferred
from mailauth.errors import Outage
from mailauth.stores.database import Database
from mailauth.stores.records import Account

def allow(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main(reactor):
    allow(0)
    try:
        await Database(sys.argv[1], reactor, "").open()
    except Outage:
        print("no room to make it")
    allow(resource.RLIM_INFINITY)
    database = Database(sys.argv[1], reactor, "")
    await database.open()
    allow(1_000_000)
    added = []
    try:
        while True:
            await database.accounts.add(Account(str(len(added)), "x" * 10_000))
            added.append(str(len(added)))
    except Outage:
        print("no room to add")
    assert {one.name for one in await database.accounts.list()} == set(added)
    allow(resource.RLIM_INFINITY)
    await database.accounts.add(Account("after"))
    await database.close()
    print(len(added) + 1)

task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
"""


class FullDiskTests(TestCase):
    """
    A disk with no room, as a process sees it that may not make its files larger.
    """

    async def test_full(self) -> None:
        """
        What finds no room is an outage and not there; all that was acknowledged is, reading goes
        on, and so does writing when there is room again.
        """
        path = makeDirectory(self) / "mailauth.db"

        output, errors = startProcess(self, FULL, str(path)).communicate(timeout=60)

        self.assertEqual(b"", errors)
        first, second, count = output.decode().splitlines()
        self.assertEqual(["no room to make it", "no room to add"], [first, second])
        database = await openDatabase(self, path)
        self.assertEqual(int(count), len(await database.accounts.list()))
        self.assertGreater(int(count), 10)
        self.assertEqual([], [*path.parent.glob("mailauth.db.*")])


WRITER = """
import sys
from twisted.internet import task
from twisted.internet.defer import Deferred
from mailauth.stores.database import Database
from mailauth.stores.records import Account, AppPassword

def say(what, name):
    # In one piece, or half a line is what it said last.
    print(f"{what} {name}\\n", end="", flush=True)

async def main(reactor):
    database = Database(sys.argv[1], reactor, "")
    await database.open()
    number = int(sys.argv[2])
    while True:
        number += 1
        name = str(number)
        await database.accounts.add(Account(name))
        say("add", name)
        await database.appPasswords.add(AppPassword(name, name, "", digest=name.encode()))
        say("app-password", name)
        await database.accounts.disable(name)
        say("disable", name)
        if number % 2:
            await database.appPasswords.revoke(name, name)
            say("revoke", name)

task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
"""

KILLS = 15


class SuddenDeathTests(TestCase):
    """
    A writer that is killed.
    """

    timeout = 180

    async def test_killed(self) -> None:
        """
        Whatever was acknowledged before kill -9 is there, and no change is there without its
        revocation (D1).
        """
        path = makeDirectory(self) / "mailauth.db"
        random = Random(7628)
        acknowledged: set[tuple[str, ...]] = set()
        for life in range(KILLS):
            writer = startProcess(self, WRITER, str(path), str(life * 1000))
            assert writer.stdout is not None
            for _ in range(random.randrange(1, 40)):
                acknowledged.add(tuple(writer.stdout.readline().decode().split()))
            writer.kill()
            acknowledged.update(tuple(line.decode().split()) for line in writer.stdout)

        database = await openDatabase(self, path)
        accounts = {account.name: account for account in await database.accounts.list()}
        revocations = database.revocations
        self.assertGreater(len(acknowledged), KILLS)
        for what, name in sorted(acknowledged):
            appPasswords = await database.appPasswords.list(name)
            if what == "add":
                self.assertIn(name, accounts)
            elif what == "app-password":
                gone = revocations.covers([f"app-password:{name}"], 0)
                self.assertEqual(0 if gone else 1, len(appPasswords))
            elif what == "disable":
                self.assertFalse(accounts[name].enabled)
            else:
                self.assertEqual((), appPasswords)
        for name, account in accounts.items():
            self.assertEqual(not account.enabled, revocations.covers([f"account:{name}"], 0))
        connection = sqlite3.connect(path)
        self.addCleanup(connection.close)
        (checked,) = connection.execute("PRAGMA integrity_check").fetchone()
        self.assertEqual("ok", checked)
