"""
Tests of C{mailauth account totp} and C{mailauth account passkeys}, as processes of their own.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from mailauth.oauth.records import Passkey
from mailauth.server.config import Configuration, readConfiguration
from mailauth.server.factors import PURPOSE, RECOVERY, TOTP, SecondFactors
from mailauth.server.sealing import readKeyFile
from mailauth.stores.database import Database

from .deployment import deploy, run, told
from .test_cli import ALICE, addAlice


class FactorCommandsCase(TestCase):
    """
    A directory with an account, and a service that looks into it now and then.
    """

    directory: Path
    configuration: Configuration

    def setUp(self) -> None:
        """
        Make both.
        """
        self.directory = deploy(self, '[signin]\ndefault_domain = "example.test"')
        self.configuration = readConfiguration(self.directory / "mailauth.toml")
        addAlice(self.directory)

    def answered(self, *arguments: str) -> Any:
        """
        What a command answers to a program.
        """
        return json.loads(told(self.directory, "--json", "account", *arguments))

    def refused(self, *arguments: str) -> str:
        """
        Why a command is refused.
        """
        done = run(self.directory, "account", *arguments)
        self.assertEqual((1, ""), (done.returncode, done.stdout), done.stderr)
        return done.stderr.strip()

    async def inService(self, work: Callable[[Database], Awaitable[None]]) -> None:
        """
        Do something with the stores, as the service does.
        """
        threads: Any = reactor
        database = Database(self.configuration.database, threads, self.configuration.issuer)
        await database.open()
        try:
            await work(database)
        finally:
            await database.close()

    def factors(self, database: Database) -> SecondFactors:
        """
        The one-time codes, as the service knows them.
        """
        sealer = readKeyFile(self.configuration.keyFile).sealer(PURPOSE)
        return SecondFactors(database.factors, sealer, monotonic)


class TOTPCommandTests(FactorCommandsCase):
    """
    C{mailauth account totp}.
    """

    async def test_life(self) -> None:
        """
        An account needs a code from then on, of the authenticator that read the URI or of the list,
        and the secret is not in the database. With C{--remove} the password is enough again.
        """
        answer = self.answered("totp", "Alice")

        self.assertEqual(["name", "recovery_codes", "uri"], sorted(answer))
        self.assertEqual(ALICE, answer["name"])
        self.assertEqual(10, len(set(answer["recovery_codes"])))
        authenticator = pyotp.parse_uri(answer["uri"])
        assert isinstance(authenticator, pyotp.TOTP)
        self.assertEqual((ALICE, "mail.localhost"), (authenticator.name, authenticator.issuer))

        async def signIn(database: Database) -> None:
            factors = self.factors(database)
            self.assertEqual((TOTP, RECOVERY), await factors.kinds(ALICE))
            await factors.verify(ALICE, TOTP, authenticator.now())
            await factors.verify(ALICE, RECOVERY, answer["recovery_codes"][0])

        await self.inService(signIn)
        (secret,) = parse_qs(urlsplit(answer["uri"]).query)["secret"]
        for file in self.directory.glob("mailauth.db*"):
            self.assertNotIn(secret.encode("ascii"), file.read_bytes())
        self.assertEqual({"name": ALICE}, self.answered("totp", ALICE, "--remove"))

        async def signInAgain(database: Database) -> None:
            self.assertEqual((), await self.factors(database).kinds(ALICE))

        await self.inService(signInAgain)

    def test_person(self) -> None:
        """
        A person is shown a code for a camera, the URI, and ten codes for paper.
        """
        shown = told(self.directory, "account", "totp", ALICE).splitlines()

        self.assertTrue(any("\u2588" in line or "\u2580" in line for line in shown))
        self.assertEqual(1, len([line for line in shown if line.startswith("otpauth://totp/")]))
        for line in shown[-10:]:
            self.assertRegex(line, r"\A[0-9a-z]{4}(-[0-9a-z]{4}){5}\Z")

    def test_refused(self) -> None:
        """
        Who has no account gets no authenticator, and who has no authenticator cannot lose it.
        """
        self.assertIn("no account nobody@example.test", self.refused("totp", "nobody"))
        self.assertIn("has no authenticator", self.refused("totp", ALICE, "--remove"))


class PasskeysCommandTests(FactorCommandsCase):
    """
    C{mailauth account passkeys}.
    """

    async def test_life(self) -> None:
        """
        Passkeys are listed with ids that can be typed, and one is removed by its id.
        """

        async def add(database: Database) -> None:
            for number, name in enumerate(("laptop", "phone")):
                passkey = Passkey(bytes([number]) * 64, ALICE, name, b"key", created=1.8e9 + number)
                await database.factors.addPasskey(passkey)
            await database.factors.usePasskey(bytes([1]) * 64, 0, 1.8e9 + 60)

        await self.inService(add)

        laptop, phone = self.answered("passkeys", "alice")
        self.assertEqual(["created", "id", "last_used", "name"], sorted(laptop))
        self.assertEqual(
            ("laptop", "2027-01-15T08:00:00+00:00"), (laptop["name"], laptop["created"])
        )
        self.assertEqual(
            (None, "2027-01-15T08:01:00+00:00"), (laptop["last_used"], phone["last_used"])
        )
        self.assertRegex(laptop["id"], r"\A[0-9a-f]{8}\Z")
        self.assertIn("laptop", told(self.directory, "account", "passkeys", "alice"))
        removed = self.answered("passkeys", "alice", "--remove", laptop["id"])
        self.assertEqual({"id": laptop["id"]}, removed)
        self.assertEqual([phone], self.answered("passkeys", "alice"))
        self.assertIn("has no passkey", self.refused("passkeys", "alice", "--remove", laptop["id"]))

    def test_nobody(self) -> None:
        """
        Who has no account is refused.
        """
        self.assertIn("no account", self.refused("passkeys", "nobody"))
