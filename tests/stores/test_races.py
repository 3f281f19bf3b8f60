"""
Tests of what has one use: that it is had once, however many come at once and whoever is killed
meanwhile. C{make races} runs many more than the 500 races of each run of the tests.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from subprocess import PIPE, Popen

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.trial.unittest import TestCase

from mailauth.stores.database import Database
from mailauth.testing.stores import ALICE, NOW, digestOf

from . import contender, redeemer
from .files import makeFile, openDatabase

RACES = int(os.environ.get("MAILAUTH_RACES", "500"))

KILLS = max(8, RACES // 100)
"""
How many processes are killed.
"""

AT_ONCE = 16
"""
How many races there are at once.
"""

Attempt = Callable[[str, str, str], Deferred[bool]]


class OtherProcess(ProcessProtocol):
    """
    A L{contender} in a process of its own.

    @ivar opened: fires when it is ready.
    @ivar ended: fires when it is no more.
    """

    def __init__(self) -> None:
        self.opened: Deferred[None] = Deferred()
        self.ended: Deferred[None] = Deferred()
        self._answers: dict[str, Deferred[bool]] = {}
        self._received = b""

    def attempt(self, kind: str, race: str, name: str) -> Deferred[bool]:
        """
        See L{contender.attempt}.
        """
        answer: Deferred[bool] = Deferred()
        self._answers[name] = answer
        assert self.transport is not None
        self.transport.write(f"{kind} {race} {name}\n".encode())
        return answer

    def end(self) -> Deferred[None]:
        """
        Let it finish.
        """
        assert self.transport is not None
        self.transport.closeStdin()
        return self.ended

    def outReceived(self, data: bytes) -> None:
        """
        Hear the answers.
        """
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            if line == b"open":
                self.opened.callback(None)
            else:
                name, answer = line.decode().split()
                self._answers.pop(name).callback(answer == "won")

    def processEnded(self, reason: object) -> None:
        """
        Let go of whoever waits.
        """
        self.ended.callback(None)


class RaceTests(TestCase):
    """
    A code, a device code and a refresh token, from several connections and processes.
    """

    timeout = 60 + RACES

    async def openAll(self) -> None:
        """
        Open one file four times here, and once in each of two other processes.
        """
        self.path = makeFile(self)
        databases = [
            await openDatabase(self, self.path, busyTimeout=contender.PATIENCE) for _ in range(4)
        ]
        self.database = databases[0]
        await self.database.accounts.add(ALICE)
        self.here: list[Attempt] = [partial(contender.attempt, one) for one in databases]
        processes = [OtherProcess() for _ in range(2)]
        for process in processes:
            IReactorProcess(reactor).spawnProcess(
                process,
                sys.executable,
                [sys.executable, contender.__file__, str(self.path)],
                env=os.environ,
                childFDs={0: "w", 1: "r", 2: 2},
            )
            self.addCleanup(process.end)
        await gatherResults([process.opened for process in processes])
        self.everywhere = [*self.here, *(process.attempt for process in processes)]

    async def race(self, random: Random, kind: str, race: str) -> tuple[str, int]:
        """
        Let two to eight try to have one thing.

        @return: what was issued to the winner, and the winner's place at the start.
        """
        await contender.prepare(self.database, kind, race)
        # One race in four crosses processes: those take their time.
        places = self.everywhere if random.random() < 0.25 else self.here
        names = [f"{race}.{number}" for number in range(random.randint(2, 8))]
        answers = [random.choice(places)(kind, race, name) for name in names]
        won = [name for name, answer in zip(names, answers, strict=True) if await answer]
        self.assertEqual(1, len(won), (kind, won))
        return won[0], names.index(won[0])

    async def test_oneWinner(self) -> None:
        """
        Each race has one winner, and a loser leaves nothing behind: neither a grant nor an opaque
        token, and no refresh token that is current (C5, TK18; O 61, O 66, O 77).
        """
        await self.openAll()
        random = Random(6749)
        numbers = iter(range(RACES))
        issued: dict[str, set[str]] = {kind: set() for kind in contender.KINDS}
        places: Counter[int] = Counter()
        families = {}

        async def raceOn() -> None:
            for number in numbers:
                kind, race = contender.KINDS[number % 3], f"race-{number}"
                winner, place = await self.race(random, kind, race)
                issued[kind].add(winner)
                places[place] += 1
                if kind == "refresh-token":
                    families[race] = digestOf(winner)

        await gatherResults(
            [Deferred.fromCoroutine(raceOn()) for _ in range(AT_ONCE)], consumeErrors=True
        )

        connection = sqlite3.connect(self.path)
        self.addCleanup(connection.close)
        grants = dict(connection.execute("SELECT grant_id, refresh_digest FROM grants"))
        tokens = {digest for (digest,) in connection.execute("SELECT digest FROM opaque_tokens")}
        redeemed = {name: digestOf("first") for name in issued["code"] | issued["device-code"]}
        self.assertEqual(redeemed | families, grants)
        self.assertEqual({digestOf(name) for name in set().union(*issued.values())}, tokens)
        self.assertEqual(RACES, sum(places.values()))
        # Or they did not race at all.
        self.assertGreater(len(places), 1)


class SuddenDeathTests(TestCase):
    """
    A process that is killed while it redeems.
    """

    timeout = 60 + 5 * KILLS

    async def test_killed(self) -> None:
        """
        After kill -9 a code is unused and there is nothing of its grant, or it is used and there
        is all of it; a family has one current refresh token, and an opaque token for each
        rotation and no other; and what was acknowledged is there (C5, D1; O 74, O 109).
        """
        self.path = makeFile(self)
        before = await openDatabase(self, self.path)
        await before.accounts.add(ALICE)
        await before.close()
        acknowledged = self.redeemAndKill()
        database = await openDatabase(self, self.path)

        connection = sqlite3.connect(self.path)
        self.addCleanup(connection.close)
        self.assertEqual([("ok",)], connection.execute("PRAGMA integrity_check").fetchall())
        found = {}
        for name in self.issuedNames(connection):
            found[name] = await self.assertWhole(database, connection, name)

        self.assertGreater(len(acknowledged), KILLS)
        for name, rotations in acknowledged.items():
            self.assertGreaterEqual(found[name], rotations)
        # Otherwise nobody was killed in the middle of anything.
        self.assertLess(min(found.values()), redeemer.ROTATIONS)

    def redeemAndKill(self) -> dict[str, int]:
        """
        Let several redeem, one after the other, and kill each.

        @return: for each code that was acknowledged what was acknowledged of it last, as
            L{redeemer} writes it.
        """
        random = Random(7009)
        lines: list[bytes] = []
        for life in range(KILLS):
            process = Popen(
                [sys.executable, redeemer.__file__, str(self.path), f"life-{life}"], stdout=PIPE
            )
            assert process.stdout is not None
            with process:
                for _ in range(random.randrange(1, 100)):
                    lines.append(process.stdout.readline())
                process.kill()
                lines.extend(process.stdout)
        return {name.decode(): int(rotations) for name, rotations in map(bytes.split, lines)}

    def issuedNames(self, connection: sqlite3.Connection) -> list[str]:
        """
        The names of all codes that are there.
        """
        documents = connection.execute("SELECT document FROM authorization_codes")
        return [json.loads(document)["grant"]["grantId"] for (document,) in documents]

    async def assertWhole(
        self, database: Database, connection: sqlite3.Connection, name: str
    ) -> int:
        """
        There is all of a grant or nothing, and what is unused can be used.

        @return: what L{redeemer} would write of it.
        """
        code = await database.grants.findCode(digestOf(name))
        assert code is not None
        grant = await database.grants.get(name)
        opaque = {
            digest
            for (digest,) in connection.execute(
                "SELECT digest FROM opaque_tokens WHERE grant_id = ?", (name,)
            )
        }
        self.assertIsNotNone(await database.browserSessions.find(digestOf(name)))
        tokens = [redeemer.refreshToken(name, number) for number in range(redeemer.ROTATIONS + 1)]
        if code.used is None:
            self.assertIsNone(grant)
            self.assertEqual(set(), opaque)
            self.assertTrue(await database.grants.redeemCode(code.digest, code.grant, None, NOW))
            return -1
        assert grant is not None
        rotated = [digestOf(token) for token in tokens].index(grant.refreshDigest or b"")
        self.assertEqual({digestOf(token + name) for token in tokens[: rotated + 1]}, opaque)
        self.assertFalse(await database.grants.redeemCode(code.digest, code.grant, None, NOW))
        self.assertTrue(
            await database.grants.rotate(
                name, digestOf(tokens[rotated]), digestOf("next"), None, None, NOW, None
            )
        )
        return rotated
