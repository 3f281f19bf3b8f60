"""
Tests of the service with the tokens of somebody else's authorization server, and of the commands
about it.
"""

from __future__ import annotations

import json
from time import time
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from mailauth.scopes import MAIL_SCOPE

from .deployment import Client, ServiceCase, bearer, imapLogin, run, told
from .otherissuer import CLIENT, SECRET, OtherIssuer
from .test_cli import CommandCase

ALICE = "alice@example.test"

CONFIGURATION = """
[external_issuers.company]
url = "{url}"
audience = "mail"
domains = ["example.test"]
username_claim = "name"
certificate_authority = "company-ca.pem"
"""


class OtherIssuerCase(ServiceCase):
    """
    The service, and an issuer.
    """

    async def startBoth(self, more: str = "") -> None:
        """
        Start them.

        @param more: what is configured besides.
        """
        self.issuer = OtherIssuer(self, reactor)
        files = {
            "company-ca.pem": self.issuer.authority,
            "company.secret": SECRET.encode(),
        }
        await self.start(CONFIGURATION.format(url=self.issuer.url) + more, files=files)

    def present(self, subject: str, name: str = ALICE, **claims: Any) -> str:
        """
        A token of the issuer's.
        """
        return self.issuer.tokens.issue(subject, name=name, **claims).decode()

    async def login(self, token: str, name: str = ALICE) -> tuple[Client, bytes]:
        """
        Log in by IMAP.

        @return: the connection, and the verdict.
        """
        client = await self.connect("imaps")
        verdict = await self.inThread(imapLogin, client, bearer(name, token), b"OAUTHBEARER")
        return client, verdict

    async def answered(self, *arguments: str) -> Any:
        """
        What a command answers to a program.
        """
        return json.loads(await self.inThread(told, self.directory, "--json", *arguments))


class FetchedKeysTests(OtherIssuerCase):
    """
    Signed tokens, verified with keys that are fetched.
    """

    async def test_life(self) -> None:
        """
        A person of the issuer's has an account from his first login on, and nobody else gets into
        it by its name. Unlinking him ends his connections (TK14).
        """
        await self.startBoth('accounts = "create"')
        client, verdict = await self.login(self.present("1"))
        self.assertIn(b" OK ", verdict)

        _, verdict = await self.login(self.present("2"))
        self.assertIn(b"NO [AUTHENTICATIONFAILED]", verdict)
        self.assertIn(b" OK ", (await self.login(self.present("1", "renamed")))[1])
        [row] = await self.answered("account", "identities", ALICE)
        self.assertEqual((row["issuer"], row["subject"]), (self.issuer.url, "1"))

        rows = await self.answered("account", "identities", ALICE, "--link", "company", "2")

        self.assertEqual([row["subject"] for row in rows], ["2"])
        said = await self.inThread(client.rest)
        self.assertIn(b"BYE", said)
        _, verdict = await self.login(self.present("1"))
        self.assertIn(b"NO [AUTHENTICATIONFAILED]", verdict)

    async def test_down(self) -> None:
        """
        While the issuer is down, nobody can tell what a token of its is, and everybody else logs in
        as ever.
        """
        await self.startBoth('accounts = "create"')
        await self.issuer.stop()
        await self.addAccount("bob@example.test")

        _, verdict = await self.login(self.present("1"))
        self.assertIn(b"NO [UNAVAILABLE]", verdict)
        ours = await self.issueToken("bob@example.test")
        _, verdict = await self.login(ours, "bob@example.test")
        self.assertIn(b" OK ", verdict)

        self.flushLoggedErrors()

    async def test_check(self) -> None:
        """
        The command finds the same out: what works, and why a token does not.
        """
        await self.startBoth()
        [listed] = await self.answered("issuer", "list")
        self.assertEqual((listed["name"], listed["url"]), ("company", self.issuer.url))

        checked = await self.answered("issuer", "check", "company")

        self.assertEqual(checked["issuer"], self.issuer.url)
        self.assertTrue(checked["works"])
        token = self.present("1")
        done = await self.inThread(
            run, self.directory, "issuer", "check", self.issuer.url, "--token", say=token
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("wrong: There is no account alice@example.test.", done.stdout)
        self.assertIn("account add", done.stdout)
        self.assertNotIn(token, done.stdout + done.stderr)
        # Without its authority, nobody vouches for it.
        unnamed = f"{self.issuer.url}/"
        done = await self.inThread(run, self.directory, "issuer", "check", unnamed)
        self.assertEqual(done.returncode, 1)
        self.assertIn("certificate", done.stdout)


class IntrospectionTests(OtherIssuerCase):
    """
    Opaque tokens, about which the issuer is asked.
    """

    more = f"""
validation = "introspection"
client_id = "{CLIENT}"
client_secret_file = "company.secret"
accounts = "create"
"""

    async def test_opaque(self) -> None:
        """
        The issuer is asked about a token that is none of ours, once; one of ours is looked up here.
        """
        await self.startBoth(self.more)
        self.issuer.opaque["theirs"] = {
            "active": True,
            "sub": "1",
            "name": ALICE,
            "aud": "mail",
            "scope": MAIL_SCOPE,
            "exp": int(time()) + 600,
        }

        for _ in range(2):
            self.assertIn(b" OK ", (await self.login("theirs"))[1])
        self.assertEqual(self.issuer.asked, ["theirs"])
        issued = await self.answered("token", "issue", ALICE, "--opaque")
        self.assertIn(b" OK ", (await self.login(issued["access_token"]))[1])
        self.assertEqual(self.issuer.asked, ["theirs"])
        _, verdict = await self.login("made.up")
        self.assertIn(b"NO [AUTHENTICATIONFAILED]", verdict)
        self.assertEqual(self.issuer.asked, ["theirs", "made.up"])

    async def test_slow(self) -> None:
        """
        While the issuer takes its time about some, everybody else logs in as ever.
        """
        await self.startBoth(self.more)
        await self.addAccount(ALICE)
        ours = await self.answered("token", "issue", ALICE, "--opaque")
        await self.login("made.up")
        self.issuer.waiting = []
        slow = [Deferred.fromCoroutine(self.login(f"theirs-{number}")) for number in range(5)]
        while len(self.issuer.waiting) < len(slow):
            await deferLater(reactor, 0.01)

        self.assertIn(b" OK ", (await self.login(ours["access_token"]))[1])

        self.assertFalse(any(each.called for each in slow))
        self.issuer.speak()
        for each in slow:
            self.assertIn(b"NO [AUTHENTICATIONFAILED]", (await each)[1])

    async def test_signed(self) -> None:
        """
        So it is about one that is signed: that the signature is good does not say that it is not
        revoked.
        """
        await self.startBoth(self.more)
        token = self.present("1")

        _, verdict = await self.login(token)

        self.assertIn(b"NO [AUTHENTICATIONFAILED]", verdict)
        self.assertEqual(self.issuer.asked, [token])


class CommandTests(CommandCase):
    """
    What the commands refuse.
    """

    def test_unknownIssuer(self) -> None:
        """
        An issuer that the configuration does not name can be checked by its URL alone.
        """
        self.assertIn("no external issuer company", self.refused("issuer", "check", "company"))
        self.assertEqual(self.answered("issuer", "list"), [])

    def test_identities(self) -> None:
        """
        Identities are those of an account that is there, and of issuers; what is not linked cannot
        be unlinked.
        """
        self.told("account", "add", "--no-password", ALICE)
        url = "https://idp.example"
        self.assertIn(
            "no account bob", self.refused("account", "identities", "bob", "--link", url, "1")
        )
        identities = ("account", "identities", ALICE)
        self.assertIn(
            "no external issuer company", self.refused(*identities, "--link", "company", "1")
        )
        self.assertIn(
            "cannot both", self.misused(*identities, "--link", url, "1", "--unlink", url, "2")
        )
        [row] = self.answered(*identities, "--link", url, "1")
        self.assertEqual((row["issuer"], row["subject"]), (url, "1"))

        self.assertIn("is not linked with 2", self.refused(*identities, "--unlink", url, "2"))
        self.assertEqual(self.answered(*identities, "--unlink", url, "1"), [])
