"""
Roundcube, in which people sign in with us and read their mail: with the configuration that the
server writes for it.
"""

from __future__ import annotations

import shlex
from time import time
from unittest import SkipTest

from . import ALICE, BOB
from .demo import DemoTestCase
from .documents import blocksOf, filledIn
from .person import Person
from .programs import need
from .roundcube import ADDRESS, INSTALLED, Response, Roundcube

LIST = "/?_task=mail&_action=list&_mbox=INBOX&_remote=1"
COMPOSE = "/?_task=mail&_action=compose"
SEND = "/?_task=mail&_action=send&_unlock=1"


class RoundcubeTests(DemoTestCase):
    """
    Roundcube before the demo.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("php")
        if not INSTALLED.is_dir():
            raise SkipTest("needs roundcube-core")
        super().setUp()
        [command] = blocksOf("roundcube.md", "At mailauth")
        made = self.demo.command(*shlex.split(command)[1:])
        directory = self.directory / "roundcube"
        directory.mkdir()
        self.person = Person(self.demo)
        written = self.person.visit(f"{self.demo.issuer}/setup/roundcube.inc.php").body.decode()
        # Not every system knows the mail host.
        replacements = {"SECRET": made["client_secret"], "mail.localhost": "localhost"}
        self.roundcube = Roundcube(directory, self.demo.authority, filledIn(written, replacements))
        self.addCleanup(self.roundcube.stop)

    def signIn(self) -> Response:
        """
        Open it, sign in at the demo and come back.
        """
        location = self.person.answer(self.roundcube.get("/").location)
        self.assertEqual(location.partition("?")[0], f"{ADDRESS}/index.php/login/oauth")
        return self.roundcube.get(self.roundcube.get(location).location)

    def test_readsAndSends(self) -> None:
        """
        Who signs in without PKCE, which this client alone may do, has his mail, and can send
        (O 38).
        """
        inbox = self.signIn()

        self.assertEqual(200, inbox.status)
        self.assertEqual("INBOX", inbox.environment["mailbox"])
        self.assertIn("Welcome to mailauth", self.roundcube.get(LIST).body)
        compose = self.roundcube.get(self.roundcube.get(COMPOSE).location).environment
        [identity] = compose["identities"]
        self.assertEqual(ALICE, compose["identities"][identity]["email"])
        fields = {
            "_token": compose["request_token"],
            "_id": compose["compose_id"],
            "_from": identity,
            "_to": BOB,
            "_subject": "From Roundcube",
            "_message": "Hello Bob.",
        }
        self.assertIn("sent_successfully", self.roundcube.post(SEND, fields).body)
        [message] = self.inbox(BOB)
        self.assertIn(b"Hello Bob.", message)

    def test_denied(self) -> None:
        """
        Who does not allow it is not signed in.
        """
        location = self.person.answer(self.roundcube.get("/").location, "deny")

        self.assertIn("error=access_denied", location)
        self.assertNotIn("Welcome to mailauth", self.roundcube.get(location).body)
        self.assertNotIn("Welcome to mailauth", self.roundcube.get(LIST).body)

    def test_refreshes(self) -> None:
        """
        When its token is over it gets another one, again and again, and nobody notices (O 66).
        """
        self.signIn()

        for _ in range(3):
            self.roundcube.age()
            self.assertLess(self.roundcube.tokenExpires(), time())
            self.assertIn("Welcome to mailauth", self.roundcube.get(LIST).body)
            self.assertGreater(self.roundcube.tokenExpires(), time())

    def test_ended(self) -> None:
        """
        Who ended what he allowed has to sign in again when the token is over.
        """
        self.signIn()

        self.demo.command("session", "end", "--account", ALICE)
        self.roundcube.age()

        self.assertNotIn("Welcome to mailauth", self.roundcube.get(LIST).body)
        location = self.roundcube.get("/").location
        self.assertTrue(location.startswith(f"{self.demo.issuer}/authorize?"), location)
