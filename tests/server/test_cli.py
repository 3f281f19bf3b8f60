"""
Tests of the C{mailauth} command, as a process of its own.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bcrypt
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.jwt import parseToken, publicKeyFromPEM, verifySignature
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.certificates import makeCertificates
from mailauth.server.cli import main

from .deployment import NAMES, configure, deploy, run, told

ALICE = "alice@example.test"
ISO_TIME = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\+00:00")


class CommandCase(SynchronousTestCase):
    """
    A test with a directory that commands work on.
    """

    more = ""

    def setUp(self) -> None:
        """
        A configuration, and nothing else.
        """
        self.directory = deploy(self, self.more)

    def misused(self, *arguments: str) -> str:
        """
        Arguments that are wrong usage, which is found out before anything is done: so it needs no
        process of its own.

        @return: what is said.
        """
        done = CliRunner().invoke(main, ["--data", str(self.directory), *arguments])
        self.assertEqual((done.exit_code, done.stdout), (2, ""), done.stderr)
        return done.stderr

    def told(self, *arguments: str, say: str = "") -> str:
        """
        What a command says that does its work.
        """
        return told(self.directory, *arguments, say=say)

    def answered(self, *arguments: str, say: str = "") -> Any:
        """
        What a command answers to a program.
        """
        return json.loads(self.told("--json", *arguments, say=say))

    def refused(self, *arguments: str, say: str = "") -> str:
        """
        A command that is refused: it says nothing but the reason, in a sentence, on standard
        error.

        @return: the reason.
        """
        done = run(self.directory, *arguments, say=say)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertNotIn("Traceback", done.stderr)
        return done.stderr.strip()

    def shapes(self, answer: Any, **expected: Any) -> None:
        """
        An object has these members and no others; a type or an expression stands for any value
        of its kind.
        """
        self.assertEqual(sorted(answer), sorted(expected))
        for name, value in expected.items():
            if isinstance(value, re.Pattern):
                self.assertRegex(answer[name], value)
            elif isinstance(value, type):
                self.assertIsInstance(answer[name], value)
            else:
                self.assertEqual(answer[name], value, name)


class AccountTests(CommandCase):
    """
    C{mailauth account}.
    """

    more = '[signin]\ndefault_domain = "example.test"'

    def test_life(self) -> None:
        """
        An account is made, shown, changed and removed, and each step is seen by the next.
        """
        self.assertEqual(
            self.answered("account", "add", "Alice", say="a password\n"), {"name": ALICE}
        )
        [listed] = self.answered("account", "list")
        self.shapes(
            listed,
            name=ALICE,
            enabled=True,
            has_password=True,
            password_rule=None,
            created=ISO_TIME,
        )
        self.assertEqual(
            self.answered("account", "password-rule", ALICE, "everywhere"), {"name": ALICE}
        )
        self.assertEqual(self.answered("account", "disable", ALICE), {"name": ALICE})
        shown = self.answered("account", "show", ALICE)
        self.assertEqual((shown["enabled"], shown["password_rule"]), (False, "everywhere"))
        self.told("account", "enable", ALICE)
        self.told("account", "password-rule", ALICE, "domain")
        text = self.told("account", "show", "alice").splitlines()
        self.assertIn("enabled: yes", text)
        self.assertIn("password_rule: -", text)
        self.assertEqual(self.answered("account", "remove", "--yes", ALICE), {"name": ALICE})
        self.assertEqual(self.answered("account", "list"), [])

    def test_table(self) -> None:
        """
        A person sees a table.
        """
        self.told("account", "add", "--no-password", "--password-rule", "web", "bob@example.test")
        self.told("account", "add", "--no-password", ALICE)

        heading, *lines = self.told("account", "list").splitlines()

        self.assertEqual(heading.split(), ["name", "enabled", "password_rule", "created"])
        self.assertEqual(
            sorted(line.split()[:3] for line in lines),
            [[ALICE, "yes", "-"], ["bob@example.test", "yes", "web"]],
        )
        self.assertEqual(len({line.index("yes") for line in lines}), 1)

    def test_refused(self) -> None:
        """
        What cannot be done is refused with the reason.
        """
        self.told("account", "add", "--no-password", ALICE)

        self.assertIn(ALICE, self.refused("account", "add", "--no-password", ALICE))
        self.assertIn("cannot be the name", self.refused("account", "show", "a b@example.test"))
        for verb in ("show", "disable", "enable"):
            self.assertIn("nobody@example.test", self.refused("account", verb, "nobody"))

    def test_passwords(self) -> None:
        """
        A password that cannot be set is refused, and nothing is made or changed.
        """
        self.assertIn("empty", self.refused("account", "add", ALICE, say="\n"))
        self.assertIn("72", self.refused("account", "add", ALICE, say="x" * 73 + "\n"))
        self.assertEqual(self.answered("account", "list"), [])
        self.told("account", "add", "--no-password", ALICE)
        self.assertIn("empty", self.refused("account", "password", ALICE))
        self.assertEqual(self.answered("account", "show", ALICE)["has_password"], False)
        self.assertEqual(
            self.answered("account", "password", ALICE, say="good enough"), {"name": ALICE}
        )
        self.assertEqual(self.answered("account", "show", ALICE)["has_password"], True)

    def test_removeAsks(self) -> None:
        """
        Removing is asked about at a terminal, and nowhere else: a script has said what it wants.
        """
        self.told("account", "add", "--no-password", ALICE)

        for answer, status, left in ((b"n\n", 1, 1), (b"y\n", 0, 0)):
            ended, shown = self.atTerminal(answer, "account", "remove", ALICE)
            self.assertEqual((ended, shown.count(b"Go on?")), (status, 1), shown)
            self.assertEqual(len(self.answered("account", "list")), left)

        self.told("account", "add", "--no-password", ALICE)
        self.assertEqual(self.answered("account", "remove", ALICE), {"name": ALICE})

    def test_terminal(self) -> None:
        """
        At a terminal the password is asked for twice, and not shown.
        """
        status, shown = self.atTerminal(b"what alice chose\n", "account", "add", ALICE)

        self.assertEqual(status, 0, shown)
        self.assertEqual(self.answered("account", "show", ALICE)["has_password"], True)
        self.assertEqual(shown.count(b": "), 2, shown)
        self.assertNotIn(b"what alice chose", shown)

    def atTerminal(self, answer: bytes, *arguments: str) -> tuple[int, bytes]:
        """
        Run a command at a terminal.

        @param answer: what is typed whenever it asks.
        @return: its status, and what the terminal showed.
        """
        command = ["script", "-qec", shlex.join(self.command(*arguments)), "/dev/null"]
        shown = b""
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        ) as terminal:
            assert terminal.stdin is not None and terminal.stdout is not None
            while octets := terminal.stdout.read(1000):
                shown += octets
                if shown.endswith(b": "):
                    # What is typed before the prompt is thrown away.
                    terminal.stdin.write(answer)
        return terminal.returncode, shown

    def command(self, *arguments: str) -> list[str]:
        """
        A command line.
        """
        return [sys.executable, "-m", "mailauth", "--data", str(self.directory), *arguments]


class AppPasswordTests(CommandCase):
    """
    C{mailauth app-password}.
    """

    def setUp(self) -> None:
        """
        An account.
        """
        super().setUp()
        addAlice(self.directory)

    def test_life(self) -> None:
        """
        An app password is made with its limits and shown once, listed without its secret, and
        revoked.
        """
        made = self.answered(
            *("app-password", "add", ALICE, "--name", "phone", "--service", "smtp"),
            *("--service", "imap", "--read-only", "--expires", "2099-01-31"),
            *("--from", "192.0.2.77/24", "--from", "2001:db8::/32"),
        )
        limits: dict[str, Any] = {
            "id": re.compile("[0-9a-f]{8}"),
            "name": "phone",
            "services": ["imap", "smtp"],
            "read_only": True,
            "send_only": False,
            "created": ISO_TIME,
            "expires": "2099-01-31T00:00:00+00:00",
            "from": ["192.0.2.0/24", "2001:db8::/32"],
            "imported": False,
            "last_used": None,
            "last_service": None,
            "last_from": None,
            "last_mail_client": None,
        }
        self.shapes(made, **limits, secret=re.compile("([0-9a-z]{4}-){5}[0-9a-z]{4}"))
        [listed] = self.answered("app-password", "list", ALICE)
        self.shapes(listed, **limits)
        self.assertEqual(
            self.answered("app-password", "revoke", ALICE, made["id"]), {"id": made["id"]}
        )
        self.assertEqual(self.answered("app-password", "list", ALICE), [])
        self.assertIn(made["id"], self.refused("app-password", "revoke", ALICE, made["id"]))

    def test_defaults(self) -> None:
        """
        Without limits it is for everything, for ever, from everywhere; a person is shown the
        secret alone, to copy, and a table without it.
        """
        secret = self.told("app-password", "add", ALICE, "--name", "laptop")

        self.assertRegex(secret, r"\A([0-9a-z]{4}-){5}[0-9a-z]{4}\Z")
        table = self.told("app-password", "list", ALICE)
        self.assertNotIn(secret, table)
        heading, line = table.splitlines()
        self.assertEqual(heading.split()[:4], ["id", "name", "services", "read_only"])
        self.assertEqual(line.split()[1:], ["laptop", "-", "no", "no", "-", "-", "-", "-"])

    def test_import(self) -> None:
        """
        A hash of another system is taken over as an app password, five of them at most.
        """
        hashed = "{BLF-CRYPT}" + bcrypt.hashpw(b"old secret", bcrypt.gensalt(4)).decode()
        imported = self.answered(
            "app-password", "import", ALICE, "--hash", hashed, "--name", "old", "--expires", "90d"
        )

        self.assertEqual((imported["imported"], imported["name"]), (True, "old"))
        self.assertRegex(imported["expires"], ISO_TIME)
        self.assertNotIn("secret", imported)
        self.assertNotIn(hashed, self.told("--json", "app-password", "list", ALICE))
        broken = self.refused("app-password", "import", ALICE, "--hash", "{MD5}x", "--name", "x")
        self.assertNotIn("{MD5}x", broken)

    def test_wrong(self) -> None:
        """
        Limits that are none are wrong usage, which says what could stand there; an account that
        is not there is a refusal.
        """
        add = ("app-password", "add", ALICE, "--name", "x")
        for options, says in (
            (("--expires", "soon"), "90d"),
            (("--expires", "2027-02-30"), "2027-01-31"),
            (("--expires", "999999999999d"), "90d"),
            (("--from", "192.0.2"), "192.0.2.0/24"),
            (("--service", "ftp"), "pop3"),
        ):
            self.assertIn(says, self.misused(*add, *options))
        self.assertIn("--name", self.misused("app-password", "add", ALICE))
        self.assertIn(
            "nobody@example.test",
            self.refused("app-password", "add", "nobody@example.test", "--name", "x"),
        )


class TokenTests(CommandCase):
    """
    C{mailauth token} and C{mailauth key}.
    """

    def setUp(self) -> None:
        """
        An account, and a key to sign with.
        """
        super().setUp()
        addAlice(self.directory)

    def rotate(self, *options: str) -> str:
        """
        A new key.
        """
        identifier: str = self.answered("key", "rotate", *options)["id"]
        return identifier

    def test_issue(self) -> None:
        """
        A token is issued for an account, in the shape of RFC 6749 section 5.1, for what and for
        how long one says.
        """
        kid = self.rotate()

        issued = self.answered("token", "issue", ALICE)
        self.shapes(issued, access_token=str, expires_in=3600, scope=MAIL_SCOPE)
        parsed = parseToken(issued["access_token"].encode())
        self.assertEqual(parsed.header["kid"], kid)
        self.assertEqual(parsed.claims["sub"], ALICE)
        self.assertEqual(parsed.claims["iss"], "https://mail.localhost")

        issued = self.answered("token", "issue", ALICE, "--scope", "smtp imap", "--lifetime", "90s")
        self.shapes(issued, access_token=str, expires_in=90, scope="imap smtp")
        self.assertEqual(
            parseToken(self.told("token", "issue", ALICE).encode()).claims["aud"],
            "https://mail.localhost",
        )

    def test_count(self) -> None:
        """
        Many are issued at once, one object a line.
        """
        self.rotate()

        lines = self.told("--json", "token", "issue", ALICE, "--count", "20").splitlines()

        tokens = {json.loads(line)["access_token"] for line in lines}
        self.assertEqual(len(tokens), 20)

    def test_inspect(self) -> None:
        """
        A token says what it is until it is revoked, and what is no token is not accepted.
        """
        self.rotate()
        token = self.told("token", "issue", ALICE)

        self.shapes(
            self.answered("token", "inspect", say=token),
            issuer="https://mail.localhost",
            owner=ALICE,
            client_id="mailauth-command",
            scope=MAIL_SCOPE,
            services=["imap", "smtp", "pop3", "jmap"],
            issued=ISO_TIME,
            expires=ISO_TIME,
        )
        self.assertIn(f"owner: {ALICE}", self.told("token", "inspect", say=token))
        identifier = parseToken(token.encode()).claims["jti"]
        self.assertEqual(self.answered("token", "revoke", say=token), {"id": identifier})
        self.assertEqual(self.refused("token", "inspect", say=token), "not accepted: revoked")
        for wrong in (token[:-4] + "AAAA", "made-up", ""):
            reason = self.refused("token", "inspect", say=wrong)
            self.assertTrue(reason.startswith("not accepted: "), reason)

    def test_inspectScope(self) -> None:
        """
        It is said which services the token opens; one that opens none is not accepted.
        """
        self.rotate()
        narrow = self.told("token", "issue", ALICE, "--scope", "pop3 imap")
        useless = self.told("token", "issue", ALICE, "--scope", "calendar")

        answer = self.answered("token", "inspect", say=narrow)

        self.assertEqual(answer["services"], ["imap", "pop3"])
        self.assertIn("services: imap, pop3", self.told("token", "inspect", say=narrow))
        self.assertIn("scope", self.refused("token", "inspect", say=useless))

    def test_inspectAccount(self) -> None:
        """
        A token is not accepted where the server would not accept it for its account's sake: that is
        disabled, has another password since, or is gone.
        """
        self.rotate()
        token = self.told("token", "issue", ALICE)
        for command, reason in (
            ("password", "revoked"),
            ("disable", "disabled"),
            ("enable", "revoked"),
            ("remove", "the owner has no account"),
        ):
            self.told("account", command, ALICE, say="another one\n")
            said = self.refused("token", "inspect", say=token)
            self.assertTrue(said.startswith(f"not accepted: {reason}"), said)

    def test_opaque(self) -> None:
        """
        A token that says nothing by itself is known, too, until it is revoked.
        """
        self.rotate()
        token = self.told("token", "issue", ALICE, "--opaque", "--scope", "imap")
        self.assertEqual(len(token), 43)
        answer = self.answered("token", "inspect", say=token)
        self.assertEqual((answer["owner"], answer["services"]), (ALICE, ["imap"]))

        self.told("token", "revoke", say=token)

        self.assertEqual(self.refused("token", "inspect", say=token), "not accepted: revoked")

    def test_revokeWrong(self) -> None:
        """
        What is no token cannot be revoked, nor can one without a name of its own.
        """
        nameless = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiJ9.e30.AAAA"
        for token in ("made-up", nameless):
            self.refused("token", "revoke", say=token)

    def test_issueWrong(self) -> None:
        """
        Without a key there is no token, nor for somebody who is not there, nor in a scope or for
        a time that is none.
        """
        self.assertIn("mailauth key rotate", self.refused("token", "issue", ALICE))
        self.assertIn("nobody", self.refused("token", "issue", "nobody@example.test"))
        for options in (
            ("--scope", 'a"b'),
            ("--lifetime", "long"),
            ("--lifetime", "25h"),
            ("--lifetime", "0"),
            ("--count", "0"),
        ):
            self.misused("token", "issue", ALICE, *options)

    def test_keys(self) -> None:
        """
        A new key is published before it signs, unless one is in a hurry, and tokens of both are
        good (O 93).
        """
        first = self.rotate()
        old = self.told("token", "issue", ALICE)
        self.assertIn("signs from", self.told("key", "rotate", "--algorithm", "EdDSA"))
        second = self.answered("key", "list")[0]["id"]
        self.assertEqual([key["signs"] for key in self.answered("key", "list")], [False, True])
        third = self.rotate("--now")

        new, _, retired = self.answered("key", "list")

        shape = {"algorithm": "ES256", "created": ISO_TIME}
        self.shapes(new, id=third, signs=True, retired=None, **shape)
        self.shapes(retired, id=first, signs=False, retired=ISO_TIME, **shape)
        for token in (old, self.told("token", "issue", ALICE)):
            self.assertEqual(self.answered("token", "inspect", say=token)["owner"], ALICE)
        self.assertIn(second, self.told("key", "list"))

    def test_revokeKey(self) -> None:
        """
        A key that is in wrong hands is good for nothing from now on, and another one signs.
        """
        first = self.rotate()
        old = self.told("token", "issue", ALICE)

        self.assertIn(first, self.told("key", "revoke", first))

        self.assertIn("not accepted", self.refused("token", "inspect", say=old))
        new = self.told("token", "issue", ALICE)
        self.assertEqual(self.answered("token", "inspect", say=new)["owner"], ALICE)
        self.assertIn("no signing key", self.refused("key", "revoke", "made-up"))

    def test_exportKeys(self) -> None:
        """
        Whoever has the exported keys can verify what any of them signs, also from a directory with
        the keys of last time; but nothing of a key that was revoked.
        """
        directory = self.directory / "keys"
        revoked = self.rotate()
        self.answered("key", "export", str(directory))
        self.told("key", "revoke", revoked)
        tokens = [self.told("token", "issue", ALICE)]
        self.rotate("--now", "--algorithm", "RS256")
        tokens.append(self.told("token", "issue", ALICE))

        answer = self.answered("key", "export", str(directory))

        paths = sorted(path for path in directory.rglob("*") if path.is_file())
        self.shapes(answer, directory=str(directory), ids=list)
        self.assertEqual(sorted(path.name for path in paths), sorted(answer["ids"]))
        self.assertNotIn(revoked, answer["ids"])
        for token in map(parseToken, map(str.encode, tokens)):
            algorithm, kid = token.header["alg"], token.header["kid"]
            key = publicKeyFromPEM((directory / "default" / algorithm / kid).read_bytes())
            verifySignature(token, key, algorithm)
        self.assertIn(f"2 keys are in {directory}", self.told("key", "export", str(directory)))

    def test_exportKeysNowhere(self) -> None:
        """
        It is said where nothing can be written.
        """
        self.rotate()
        (self.directory / "default").touch()

        self.assertIn("default", self.refused("key", "export", str(self.directory)))


class ConfigurationTests(CommandCase):
    """
    Which configuration, and what is wrong with it.
    """

    def mailauth(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """
        Run the command without C{--data}.
        """
        return subprocess.run(
            [sys.executable, "-m", "mailauth", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
            timeout=60,
        )

    def test_good(self) -> None:
        """
        A good configuration is said to be good, wherever it was named.
        """
        path = str(self.directory / "mailauth.toml")

        self.assertEqual(self.answered("config", "check"), {"ok": True})
        for done in (
            self.mailauth("--config", path, "config", "check"),
            self.mailauth("config", "check", MAILAUTH_CONFIG=path),
        ):
            self.assertEqual((done.returncode, done.stdout.strip()), (0, f"{path} is good."))

    def test_mistakes(self) -> None:
        """
        Every mistake is a line with its key.
        """
        configure(self.directory, "waiting_conections = 3\n[signin]\naccount_password = 'x'")

        for command in (("config", "check"), ("account", "list")):
            keys = [line.partition(":")[0] for line in self.refused(*command).splitlines()]
            self.assertEqual(sorted(keys), ["limits.waiting_conections", "signin.account_password"])

    def test_certificate(self) -> None:
        """
        A certificate that cannot be used is a mistake, too, though its file can be read.
        """
        (self.directory / "server.pem").write_text("nothing")

        self.assertIn("server.pem", self.refused("config", "check"))

    def test_missing(self) -> None:
        """
        A configuration that is not there is named.
        """
        done = self.mailauth("--config", "/nowhere/mailauth.toml", "account", "list")

        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            done.stderr.strip(),
            "/nowhere/mailauth.toml: cannot be read: No such file or directory; "
            "name another with --config",
        )

    def test_database(self) -> None:
        """
        A database that others can read is not used (CS13).
        """
        self.told("account", "list")
        (self.directory / "mailauth.db").chmod(0o644)

        self.assertIn("chmod 0600", self.refused("account", "list"))

    def test_usage(self) -> None:
        """
        Wrong usage has a status of its own. A secret is none of the arguments.
        """
        done = run(self.directory, "account", "add", ALICE, "a secret")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        for arguments in (
            (),
            ("nonsense",),
            ("account",),
            ("account", "add"),
            ("account", "add", ALICE, "--password", "a secret"),
            ("account", "list", "--nonsense"),
        ):
            self.misused(*arguments)


@cache
def aliceDatabase() -> bytes:
    """
    A database with alice in it, made once.
    """
    with TemporaryDirectory() as name:
        directory = Path(name)
        makeCertificates(directory, NAMES)
        configure(directory)
        told(directory, "account", "add", "--no-password", ALICE)
        return (directory / "mailauth.db").read_bytes()


def addAlice(directory: Path) -> None:
    """
    Make an account.
    """
    database = directory / "mailauth.db"
    database.touch(0o600)
    database.write_bytes(aliceDatabase())


def nouns(text: str) -> Iterable[str]:
    """
    The commands that a help text lists.
    """
    return re.findall(r"(?m)^  ([a-z-]+)  ", text.partition("Commands:")[2])


class HelpTests(SynchronousTestCase):
    """
    What the command says of itself.
    """

    def test_help(self) -> None:
        """
        Every command is listed with a sentence, and the version is that of the package.
        """
        text = told(Path("/nowhere"), "--help")

        self.assertEqual(
            list(nouns(text)),
            [
                *("account", "app-password", "audit", "client", "config", "demo", "dns"),
                *("doctor", "health", "issuer", "key", "session", "token"),
            ],
        )
        setup = (Path(__file__).parents[2] / "setup.cfg").read_text()
        [version] = re.findall(r"(?m)^version = (.*)", setup)
        self.assertIn(version, told(Path("/nowhere"), "--version"))
