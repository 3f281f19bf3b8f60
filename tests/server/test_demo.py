"""
Tests of C{mailauth demo}.
"""

from __future__ import annotations

import json
import os
import poplib
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from imaplib import IMAP4, IMAP4_SSL
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailauth.passwords import digestAppPassword, makeAppPassword
from mailauth.server.config import LISTENERS, STANDARD_PORTS, Address, readConfiguration
from mailauth.server.demo import Demo, describe, describeJSON, populate, prepare
from mailauth.stores.records import Account

from ..interop.demo import MAILAUTH, startDemo
from .deployment import (
    PATIENCE,
    Client,
    ServiceCase,
    bearer,
    imapLogin,
    makeDirectory,
    told,
    trust,
)

ALICE = "alice@example.test"
BOB = "bob@example.test"


class PrepareTests(SynchronousTestCase):
    """
    The directory of a demo.
    """

    def setUp(self) -> None:
        """
        A place for it.
        """
        self.directory = makeDirectory(self) / "demo"

    def test_private(self) -> None:
        """
        It is for its owner alone, and so is everything secret in it (OA17, CS13).
        """
        prepare(self.directory, 1000, False)

        for name in (".", "server.key", "demo-passwords.json"):
            mode = stat.S_IMODE((self.directory / name).stat().st_mode)
            self.assertEqual(mode & 0o077, 0, name)

    def test_notADemo(self) -> None:
        """
        A directory with somebody's real configuration is left as it is.
        """
        self.directory.mkdir()
        path = self.directory / "mailauth.toml"
        path.write_text("precious")

        self.assertRaises(FileExistsError, prepare, self.directory, 1000, False)

        self.assertEqual("precious", path.read_text())

    def test_configuration(self) -> None:
        """
        Its configuration is one like any other: on loopback, on the standard ports plus a number.
        """
        demo = prepare(self.directory, 2000, False)

        self.assertEqual(demo.configuration, readConfiguration(self.directory / "mailauth.toml"))
        self.assertEqual(
            demo.configuration.listen,
            {
                name: (Address("127.0.0.1", port + 2000), Address("::1", port + 2000))
                for name, port in STANDARD_PORTS.items()
            },
        )
        self.assertEqual(demo.configuration.hostname, "mail.localhost")
        self.assertEqual(demo.configuration.issuer, "https://localhost:2443")
        self.assertEqual(demo.configuration.passwordRule, "web")
        self.assertFalse(demo.configuration.insecureLoopback)
        self.assertTrue(prepare(self.directory, 2000, True).configuration.insecureLoopback)

    def test_again(self) -> None:
        """
        Everything that was made stays, whatever else is said the second time.
        """
        first = prepare(self.directory, 1000, False)
        made = {path: path.read_bytes() for path in self.directory.iterdir()}

        second = prepare(self.directory, 3000, True)

        self.assertEqual(second.secrets, first.secrets)
        for path, content in made.items():
            if path.name != "mailauth.toml":
                self.assertEqual(path.read_bytes(), content, path)

    def test_secrets(self) -> None:
        """
        Each demo has passwords of its own, which are not in its repr (LG1).
        """
        one = prepare(self.directory, 1000, False)
        other = prepare(self.directory.parent / "other", 1000, False)

        self.assertEqual(
            {name: sorted(secrets) for name, secrets in one.secrets.items()},
            {ALICE: ["app_password", "password"], BOB: ["password"]},
        )
        self.assertIsNotNone(digestAppPassword(one.secrets[ALICE]["app_password"].encode()))
        for secrets in one.secrets.values():
            for secret in secrets.values():
                self.assertNotIn(secret, repr(one))
                self.assertNotIn(secret, json.dumps(other.secrets))

    def test_text(self) -> None:
        """
        A person is told the addresses, the page and the passwords.
        """
        demo = prepare(self.directory, 1000, False)
        ports = {name: port + 1000 for name, port in STANDARD_PORTS.items()}

        text = describe(demo, ports, "PATH=/x")

        for port in set(ports.values()) - {ports["https"]}:
            self.assertIn(str(port), text)
        self.assertIn("https://localhost:1443/account/", text)
        self.assertIn("mail.localhost", text)
        for secrets in demo.secrets.values():
            for secret in secrets.values():
                self.assertIn(secret, text)
        self.assertIn(str(demo.authority), text)

    def test_json(self) -> None:
        """
        A program is told the same in one line.
        """
        demo = prepare(self.directory, 1000, False)
        ports = {name: port + 1000 for name, port in STANDARD_PORTS.items()}

        line = describeJSON(demo, ports)

        self.assertNotIn("\n", line)
        directory = self.directory.resolve()
        self.assertEqual(
            json.loads(line),
            {
                "ready": True,
                "pid": os.getpid(),
                "data": str(directory),
                "ca": str(directory / "ca.pem"),
                "issuer": "https://localhost:1443",
                "ports": ports,
                "accounts": demo.secrets,
            },
        )


class PopulateTests(ServiceCase):
    """
    What a demo makes at its first start.
    """

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        """
        A service with nobody in it.
        """
        await self.start()
        self.secret = makeAppPassword()
        self.demo = Demo(
            self.directory,
            readConfiguration(self.directory / "mailauth.toml"),
            {ALICE: {"password": "one", "app_password": self.secret}, BOB: {"password": "two"}},
        )

    async def found(self) -> tuple[list[str], int, int]:
        """
        Which accounts there are, and how many app passwords and messages alice has.
        """
        database = self.service.database
        new = self.directory / "mail" / ALICE / "new"
        return (
            [account.name for account in await database.accounts.list()],
            len(await database.appPasswords.list(ALICE)),
            len(list(new.iterdir())) if new.exists() else 0,
        )

    async def test_first(self) -> None:
        """
        Two accounts, an app password and a message, which the second start finds.
        """
        for _ in range(2):
            await populate(self.demo, self.service)

            self.assertEqual(await self.found(), ([ALICE, BOB], 1, 1))
        digest = digestAppPassword(self.secret.encode())
        assert digest is not None
        self.assertIsNotNone(await self.service.database.appPasswords.find(digest))

    async def test_interrupted(self) -> None:
        """
        Whatever a first start had made when it was killed, the next one makes the rest.
        """
        database = self.service.database
        await database.accounts.add(Account(ALICE))

        await populate(self.demo, self.service)

        self.assertEqual(await self.found(), ([ALICE, BOB], 1, 1))
        await database.accounts.remove(BOB)

        await populate(self.demo, self.service)

        self.assertEqual(await self.found(), ([ALICE, BOB], 1, 1))

    async def test_revoked(self) -> None:
        """
        What was revoked or deleted since does not come back.
        """
        await populate(self.demo, self.service)
        database = self.service.database
        [appPassword] = await database.appPasswords.list(ALICE)
        await database.appPasswords.revoke(ALICE, appPassword.identifier)
        [message] = (self.directory / "mail" / ALICE / "new").iterdir()
        message.unlink()

        await populate(self.demo, self.service)

        self.assertEqual(await self.found(), ([ALICE, BOB], 0, 0))


class RunTests(SynchronousTestCase):
    """
    A demo that runs.
    """

    def setUp(self) -> None:
        """
        A place for it.
        """
        self.directory = makeDirectory(self) / "demo"

    @contextmanager
    def running(self, basePort: int, *options: str) -> Iterator[dict[str, Any]]:
        """
        Run it for a while.
        """
        where = ("--data", str(self.directory), "--base-port", str(basePort))
        process = subprocess.Popen(
            (*MAILAUTH, "demo", "--json", *where, *options), stdout=subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            self.assertEqual(ready["pid"], process.pid)
            yield ready
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)

    def uidValidity(self, port: int, secret: str) -> tuple[Any, Any]:
        """
        What of the inbox has to stay: its UIDVALIDITY and the UID of its message.
        """
        with IMAP4_SSL("localhost", port, ssl_context=trust(self.directory)) as client:
            client.login(ALICE, secret)
            client.select("INBOX")
            return client.response("UIDVALIDITY")[1], client.uid("SEARCH", "ALL")[1]

    def test_again(self) -> None:
        """
        A second start finds everything as it was left: passwords, certificates, mail and its
        identity, and tokens stay good. It stops with status 0.
        """
        first = startDemo(self.directory)
        basePort = first.ports["imap"] - 143
        self.assertEqual(list(first.ports), list(LISTENERS))
        before = self.uidValidity(first.ports["imaps"], first.appPassword)
        token = first.token()
        first.stop()

        with self.running(basePort) as second:
            self.assertEqual(second["ports"], first.ports)
            self.assertEqual(second["accounts"], first.accounts)
            port = second["ports"]["imaps"]
            self.assertEqual(self.uidValidity(port, first.appPassword), before)
            client = Client(port, self.directory)
            self.addCleanup(client.close)
            verdict = imapLogin(client, bearer(ALICE, token), b"OAUTHBEARER")
            self.assertTrue(verdict.startswith(b"a OK"), verdict)
            accounts = json.loads(told(self.directory, "--json", "account", "list"))
            self.assertEqual([account["name"] for account in accounts], [ALICE, BOB])

    def test_insecureLoopback(self) -> None:
        """
        C{--insecure-loopback} lets clients on this machine, by IPv4 and by IPv6, sign in without
        TLS; without it nobody may.
        """
        first = startDemo(self.directory)
        basePort = first.ports["imap"] - 143
        for host in ("127.0.0.1", "::1"):
            with IMAP4(host, first.ports["imap"]) as client:
                self.assertRaises(IMAP4.error, client.login, ALICE, first.appPassword)
        first.stop()

        with self.running(basePort, "--insecure-loopback") as ready:
            for host in ("127.0.0.1", "::1"):
                with IMAP4(host, ready["ports"]["imap"]) as client:
                    client.login(ALICE, first.appPassword)
                pop3 = poplib.POP3(host, ready["ports"]["pop3"])
                pop3.user(ALICE)
                self.assertTrue(pop3.pass_(first.appPassword).startswith(b"+OK"))
                pop3.quit()

    def test_unusableDirectory(self) -> None:
        """
        A directory that cannot be made is named in one line, and the status is 1.
        """
        file = self.directory.parent / "file"
        file.touch()

        finished = subprocess.run(
            (*MAILAUTH, "demo", "--data", file / "demo"), capture_output=True, text=True
        )

        self.assertEqual((finished.returncode, finished.stdout), (1, ""))
        self.assertEqual(finished.stderr, f"the demo cannot use {file}/demo: Not a directory\n")

    def test_portInUse(self) -> None:
        """
        A port that somebody else has is named in one line, and the status is 1.
        """
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            finished = subprocess.run(
                (*MAILAUTH, "demo", "--data", self.directory, "--base-port", str(port - 143)),
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )

        self.assertEqual((finished.returncode, finished.stdout), (1, ""))
        [line] = finished.stderr.splitlines()
        self.assertIn(str(port), line)
        self.assertIn("in use", line)
        self.assertIn("--base-port", line)
