"""
Tests of what the command does by the actions that no other test has: beside a service or without
one, as a process of its own.
"""

from __future__ import annotations

import json
import os
from time import time

import bcrypt
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest, TestCase

from mailauth.server.commands.delivering import delivering
from mailauth.server.mailbox.names import accountDirectory

from .deployment import ServiceCase, makeDirectory, run, told
from .test_cli import ALICE, ISO_TIME, CommandCase, addAlice

BOB = "bob@example.test"


class AddressCommandTests(CommandCase):
    """
    C{mailauth account alias}, C{mailauth account quota} and what shows them.
    """

    more = '[signin]\ndefault_domain = "example.test"'

    def test_aliases(self) -> None:
        """
        An alias is added, shown, found and removed; one that somebody has is refused.
        """
        addAlice(self.directory)
        added = self.answered("account", "alias", "add", "alice", "Info")

        self.assertEqual({"name": ALICE, "alias": "info@example.test"}, added)
        self.assertEqual(["info@example.test"], self.answered("account", "show", ALICE)["aliases"])
        [row] = self.answered("account", "list", "--search", "INFO")
        self.assertEqual(ALICE, row["name"])
        self.assertIn("alias of", self.refused("account", "add", "info", "--no-password"))
        self.assertIn("info", self.told("account", "alias", "list", ALICE))
        self.answered("account", "alias", "remove", ALICE, "info")
        self.assertEqual([], self.answered("account", "alias", "list", ALICE))
        self.assertEqual([], self.answered("account", "list", "--search", "info"))

    def test_quota(self) -> None:
        """
        An account has as many app passwords as it may; one more is refused, with what to do.
        """
        addAlice(self.directory)
        self.answered("account", "quota", ALICE, "1")
        self.answered("app-password", "add", ALICE, "--name", "phone")

        says = self.refused("app-password", "add", ALICE, "--name", "laptop")

        self.assertIn("Revoke one", says)
        shown = self.answered("account", "show", ALICE)
        self.assertEqual((1, 1), (shown["app_passwords"], shown["app_password_limit"]))
        self.answered("account", "quota", ALICE, "default")
        self.assertEqual(50, self.answered("account", "show", ALICE)["app_password_limit"])
        self.misused("account", "quota", ALICE, "many")
        self.assertIn("1000", self.refused("account", "quota", ALICE, "1001"))

    def test_sendOnly(self) -> None:
        """
        An app password that may only send is made, and shown, by that name.
        """
        addAlice(self.directory)

        made = self.answered("app-password", "add", ALICE, "--name", "scanner", "--send-only")

        self.assertEqual((["smtp"], True), (made["services"], made["send_only"]))
        both = ("--send-only", "--service", "imap")
        self.misused("app-password", "add", ALICE, "--name", "x", *both)

    def test_clearedPassword(self) -> None:
        """
        An account can be left without a password.
        """
        addAlice(self.directory)
        self.answered("account", "password", ALICE, say="a password\n")

        self.assertEqual({"name": ALICE}, self.answered("account", "password", ALICE, "--none"))

        self.assertFalse(self.answered("account", "show", ALICE)["has_password"])


class ImportFileTests(CommandCase):
    """
    C{mailauth app-password import FILE}.
    """

    def test_file(self) -> None:
        """
        Of each line it is said what came of it; good ones are taken, and the status says that one
        was bad.
        """
        addAlice(self.directory)
        hashed = "{BLF-CRYPT}" + bcrypt.hashpw(b"old secret", bcrypt.gensalt(4)).decode()
        path = self.directory / "old.txt"
        path.write_bytes(f"{ALICE}:{hashed}:the phone\n\n# nobody\n{BOB}:{hashed}\n".encode())

        done = run(self.directory, "--json", "app-password", "import", str(path))

        self.assertEqual(1, done.returncode)
        first, second = json.loads(done.stdout)
        self.assertEqual((1, ALICE, None), (first["line"], first["account"], first["problem"]))
        self.assertEqual((4, BOB, None), (second["line"], second["account"], second["id"]))
        self.assertIn(BOB, second["problem"])
        [listed] = self.answered("app-password", "list", ALICE)
        self.assertEqual(("the phone", first["id"]), (listed["name"], listed["id"]))
        self.assertNotIn(hashed, done.stdout + done.stderr)

        mended = self.answered("app-password", "import", "-", say=f"{ALICE}:{hashed}:the phone\n")
        self.assertEqual([first["id"]], [row["id"] for row in mended])
        self.assertIn("cannot be read", self.refused("app-password", "import", str(path) + "x"))


class AuditCommandTests(CommandCase):
    """
    C{mailauth audit} and C{mailauth health}.
    """

    def test_audit(self) -> None:
        """
        What the command did is found, the last first, by what is asked for.
        """
        addAlice(self.directory)
        self.told("account", "disable", ALICE)
        self.told("key", "rotate", "--now")

        rows = self.answered("audit")

        self.assertEqual(
            ["key_rotated", "account_disabled", "account_created"], [row["kind"] for row in rows]
        )
        for row in rows:
            self.assertRegex(row["time"], ISO_TIME)
            self.assertEqual(("command", "command", None), (row["by"], row["via"], row["address"]))
        for options, count in (
            (("--account", ALICE), 2),
            (("--kind", "key_rotated"), 1),
            (("--search", "disable"), 0),
            (("--by", "command", "--limit", "1"), 1),
            (("--since", "1h"), 3),
            (("--until", "2026-01-31"), 0),
        ):
            self.assertEqual(count, len(self.answered("audit", *options)), options)
        self.assertIn("account_created", self.told("audit"))
        self.misused("audit", "--kind", "made-up")
        self.misused("audit", "--since", "soon")
        self.misused("audit", "--logins", "--kind", "key_rotated")

    def test_logins(self) -> None:
        """
        Logins are shown among the events, by their time.
        """
        addAlice(self.directory)
        login = {
            "time": "2026-01-01T00:00:00.000+00:00",
            "login": "refused",
            "service": "imap",
            "name": ALICE,
            "peer": "192.0.2.1",
            "mailClient": "A Client",
            "reason": "wrong\x1b",
        }
        (self.directory / "logins.jsonl").write_text(json.dumps(login) + "\n")

        made, refused = self.answered("audit", "--logins", "--account", ALICE)

        self.assertEqual("account_created", made["kind"])
        self.assertEqual(
            {
                "time": "2026-01-01T00:00:00+00:00",
                "kind": "login_refused",
                "account": None,
                "by": ALICE,
                "via": "imap",
                "address": "192.0.2.1",
                "text": "wrong\x1b; A Client",
            },
            refused,
        )
        self.assertNotIn("\x1b", self.told("audit", "--logins"))

    def test_health(self) -> None:
        """
        Without a service nobody can log in, which the status says; the rest is said all the same.
        """
        done = run(self.directory, "--json", "health")

        self.assertEqual(1, done.returncode, done.stderr)
        said = json.loads(done.stdout)
        self.assertIsNone(said["running_since"])
        self.assertEqual(("good", 0, {}), (said["database"], said["connections"], said["issuers"]))
        self.assertRegex(said["certificate_ends"], ISO_TIME)


class BesideServiceTests(ServiceCase):
    """
    The command, while the service runs.
    """

    async def _notice(self) -> None:
        began = time()
        await self.start()
        await self.addAccount(ALICE)

        await self.inThread(told, self.directory, "app-password", "add", ALICE, "--name", "phone")

        [message] = self.inbox(ALICE)
        self.assertIn("'phone'", message)
        self.assertIn("an administrator of this server", message)
        rows = json.loads(await self.inThread(told, self.directory, "--json", "audit"))
        self.assertEqual(["app_password_made"], [row["kind"] for row in rows])
        said = json.loads(await self.inThread(told, self.directory, "--json", "health"))
        self.assertGreaterEqual(said["running_since"], "2026")
        self.assertLessEqual(began, self.service.administration.health.connections.since() or 0.0)

    def inbox(self, account: str) -> list[str]:
        """
        The new messages of an account.
        """
        new = self.directory / "mail" / accountDirectory(account) / "new"
        return [path.read_text("utf-8") for path in new.iterdir()]

    def test_notice(self) -> Deferred[None]:
        """
        What the command makes, the owner hears of by mail, and the service's health is asked of it.
        """
        return Deferred.fromCoroutine(self._notice())


class DeliveringTests(TestCase):
    """
    What the command writes into a mailbox.
    """

    async def _asRoot(self) -> None:
        if os.geteuid() != 0:
            raise SkipTest("only root can give a directory away")
        directory = makeDirectory(self)
        os.chown(directory, 12345, 12346)

        await delivering(directory)(ALICE, b"Subject: x\r\n\r\n")

        made = [path.lstat() for path in (directory / "mail").rglob("*")]
        self.assertGreater(len(made), 4)
        self.assertEqual({(12345, 12346)}, {(one.st_uid, one.st_gid) for one in made})
        self.assertEqual((0, 0), (os.geteuid(), os.getegid()))

    def test_asRoot(self) -> Deferred[None]:
        """
        Mail that root delivers belongs to whom the data does, and root is root again then.
        """
        return Deferred.fromCoroutine(self._asRoot())

    async def _again(self) -> None:
        directory = makeDirectory(self)

        await delivering(directory)(ALICE, b"Subject: x\r\n\r\n")
        await delivering(directory)(ALICE, b"Subject: x\r\n\r\n")

        new = directory / "mail" / accountDirectory(ALICE) / "new"
        self.assertEqual(2, len(list(new.iterdir())))

    def test_again(self) -> Deferred[None]:
        """
        A mailbox that nobody has opened yet is made.
        """
        return Deferred.fromCoroutine(self._again())
