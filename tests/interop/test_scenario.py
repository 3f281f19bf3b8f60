"""
What somebody can do once C{mailauth demo} runs, from the first token to its revocation.
"""

from __future__ import annotations

from time import time

from sqlalchemy import create_engine, select

from mailauth.oauth.jwt import Signer
from mailauth.server.config import DATABASE, KEY_FILE
from mailauth.server.keys import PURPOSE
from mailauth.server.sealing import readKeyFile
from mailauth.stores import schema
from mailauth.testing.issuer import MemoryIssuer

from . import ALICE, BOB
from .attempts import Outcome, curl, openIMAP, python
from .demo import LISTENERS, DemoTestCase
from .programs import TIMEOUT, need

MESSAGE = b"Subject: Hello\r\n\r\nHello Bob.\r\n"


class ScenarioTests(DemoTestCase):
    """
    The README, as a test.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("curl")
        super().setUp()
        self.message = self.directory / "hello.eml"
        self.message.write_bytes(MESSAGE)

    def assertOpensAll(self, mechanism: str, secret: str) -> None:
        """
        The secret reads alice's mail and sends to bob, on every port, by curl.
        """
        [welcome] = self.inbox(ALICE)
        before = len(self.inbox(BOB))
        for listener, (protocol, _) in LISTENERS.items():
            outcome = curl(self.attempt(listener, mechanism, secret, message=self.message))

            content = b"" if protocol == "smtp" else welcome
            self.assertEqual(Outcome(content), outcome, listener)
        received = self.inbox(BOB)[before:]
        self.assertEqual([True, True], [each.endswith(MESSAGE) for each in received])

    def assertRefusedAll(self, token: str, text: bytes = b"The access token was not") -> None:
        """
        The token gets the error document on all three protocols, with all that a client needs to
        find its way to a better one.
        """
        document = {"status": "invalid_token", **self.demo.scopeAndDiscovery}
        for listener in ("imaps", "submissions", "pop3s"):
            attempt = self.attempt(listener, "OAUTHBEARER", token, message=self.message)
            outcome = curl(attempt)

            self.assertEqual([document], outcome.documents, listener)
            self.assertIn(text, outcome.refusal or b"", listener)
        self.assertEqual([], self.inbox(BOB))

    def test_token(self) -> None:
        """
        A token of alice's reads her mail and sends to bob, who reads it with one of his.
        """
        self.assertOpensAll("OAUTHBEARER", self.demo.token())

        received = self.inbox(BOB)[0]
        token = self.demo.token(BOB)
        for listener in ("imap", "imaps", "pop3", "pop3s"):
            read = curl(self.attempt(listener, "OAUTHBEARER", token, name=BOB))
            self.assertEqual(Outcome(received), read, listener)

    def test_appPassword(self) -> None:
        """
        The app password does the same with an ordinary login.
        """
        self.assertOpensAll("PLAIN", self.demo.appPassword)

    def test_accountPassword(self) -> None:
        """
        The account password does not, and the refusal says what to use, and where to get it.
        """
        password = self.demo.accounts[ALICE]["password"]
        help = f"Use OAuth or an app password: {self.demo.issuer}/account/".encode()
        for listener in LISTENERS:
            outcome = curl(self.attempt(listener, "PLAIN", password, message=self.message))

            self.assertIn(help, outcome.refusal or b"", listener)
        self.assertEqual([], self.inbox(BOB))

    def test_wrongToken(self) -> None:
        """
        What is no token at all is refused with the address of the issuer.
        """
        self.assertRefusedAll("wrong")

    def test_foreignToken(self) -> None:
        """
        The token of an issuer that nobody here trusts is refused in the same way.
        """
        self.assertRefusedAll(MemoryIssuer().issue(ALICE).decode())

    def test_tokenOfAnother(self) -> None:
        """
        Bob's token opens nothing of alice's.
        """
        token = self.demo.token(BOB)
        for listener in ("imaps", "submissions", "pop3s"):
            outcome = curl(self.attempt(listener, "OAUTHBEARER", token, message=self.message))
            self.assertIn(b"These credentials belong to another account.", outcome.refusal or b"")

    def test_expiredToken(self) -> None:
        """
        A token that the demo itself signed, an hour ago, for a minute, is refused in the same way.
        """
        database = create_engine(f"sqlite:///{self.demo.directory / DATABASE}")
        self.addCleanup(database.dispose)
        with database.connect() as connection:
            key = connection.execute(select(schema.signingKeys)).one()
        sealer = readKeyFile(self.demo.directory / KEY_FILE).sealer(PURPOSE)
        pem = sealer.unseal(key.sealed, key.kid.encode())
        issuer = MemoryIssuer(self.demo.issuer, self.demo.issuer, now=lambda: time() - 3600)
        issuer.signer = Signer.fromPEM(key.kid, key.algorithm, pem)
        token = issuer.issue(ALICE, lifetime=60)

        self.assertRefusedAll(token.decode(), b"The access token has expired.")

    def test_revokedToken(self) -> None:
        """
        A token that another process revokes is refused at the next attempt.
        """
        token = self.demo.token()
        self.assertIsNone(curl(self.attempt("imaps", "OAUTHBEARER", token)).refusal)

        self.demo.command("token", "revoke", stdin=token.encode())

        self.assertRefusedAll(token)

    def test_revokedAppPassword(self) -> None:
        """
        An app password that another process revokes opens nothing any more, and the connection
        that it opened ends with a goodbye.
        """
        made = self.demo.command("app-password", "add", ALICE, "--name", "phone")
        attempt = self.attempt("imaps", "LOGIN", made["secret"])
        client = openIMAP(attempt)
        self.addCleanup(client.shutdown)
        client.sock.settimeout(TIMEOUT)
        client.login(ALICE, attempt.secret)
        client.select()

        self.demo.command("app-password", "revoke", ALICE, made["id"])

        self.assertEqual(b"* BYE ", client.readline()[:6])
        self.assertEqual(b"", client.read(1))
        self.assertIn(b"[AUTHENTICATIONFAILED]", python(attempt).refusal or b"")
