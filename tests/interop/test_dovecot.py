"""
Dovecot, which accepts our tokens for its own mailboxes: with the configuration that is in
C{docs/dovecot.md}.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp
from time import time
from typing import Any

import attrs

from mailauth.oauth.idtokens import TYPE
from mailauth.oauth.jwt import Signer, makePrivateKey, parseToken
from mailauth.server.keys import PURPOSE
from mailauth.server.sealing import readKeyFile

from . import ALICE, BOB
from .attempts import Attempt, Outcome, curl, python
from .demo import DemoTestCase
from .dovecot import (
    MESSAGE,
    Installation,
    newestInstallation,
    startDovecot,
    versionOfDovecot,
)
from .ports import freePort
from .programs import need

REFUSED = b"[AUTHENTICATIONFAILED]"
UNDECIDED = b"[UNAVAILABLE]"


class DovecotTestCase(DemoTestCase):
    """
    A Dovecot beside the demo.

    @ivar token: one of alice's.
    """

    installation = Installation()

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("dovecot")
        super().setUp()
        self.token = self.demo.token()

    def start(self, way: str, **replacements: str) -> None:
        """
        Start it.

        @param way: to find out what a token is worth, by the heading in the document.
        @param replacements: for what the document made up, besides the addresses.
        """
        self.home = home = Path(mkdtemp(dir=self.installation.root / "tmp"))
        self.addCleanup(shutil.rmtree, home)
        # It has users of its own.
        home.chmod(0o755)
        for name in ("ca.pem", "server.pem", "server.key"):
            shutil.copy(self.demo.directory / name, home)
        self.dovecot = startDovecot(
            home,
            way,
            {
                **replacements,
                "mail.example.org": self.demo.issuer.removeprefix("https://"),
                "/etc/ssl/certs/ca-certificates.crt": f"{self.installation.inside(home)}/ca.pem",
            },
            self.installation,
        )
        self.addCleanup(self.dovecot.stop)

    def logIn(self, token: str, mechanism: str = "XOAUTH2", name: str = ALICE) -> Outcome:
        """
        What comes of it.
        """
        attempt = Attempt(
            "imap", self.dovecot.port, True, self.demo.authority, mechanism, token, name=name
        )
        return python(attempt)

    def assertAccepted(self, token: str) -> None:
        """
        By both mechanisms; curl takes the first one that it knows.
        """
        for outcome in (
            self.logIn(token, "OAUTHBEARER"),
            self.logIn(token, "XOAUTH2"),
            curl(attrs.evolve(self.attempt("imaps", "OAUTHBEARER", token), port=self.dovecot.port)),
        ):
            self.assertEqual(Outcome(MESSAGE), attrs.evolve(outcome, documents=[]))

    def assertRefused(self, token: str, **others: Any) -> None:
        """
        By both mechanisms, of which one says where there are better tokens.
        """
        bearer = self.logIn(token, "OAUTHBEARER", **others)
        for outcome in (bearer, self.logIn(token, "XOAUTH2", **others)):
            self.assertIn(REFUSED, outcome.refusal or b"")
        # 2.4 shows its error document to nobody.
        if versionOfDovecot(self.installation) < (2, 4):
            [document] = bearer.documents
            discovery = self.demo.scopeAndDiscovery["openid-configuration"]
            self.assertEqual(discovery, document["openid-configuration"])

    def signer(self) -> Signer:
        """
        The demo's own, to sign what it never would.
        """
        with closing(sqlite3.connect(self.demo.directory / "mailauth.db")) as database:
            [row] = database.execute("SELECT kid, algorithm, sealed FROM signing_keys")
        kid, algorithm, sealed = row
        sealer = readKeyFile(self.demo.directory / "mailauth.key").sealer(PURPOSE)
        return Signer.fromPEM(kid, algorithm, sealer.unseal(sealed, kid.encode()))

    def wrongTokens(self) -> list[str]:
        """
        Made up, signed by somebody else, expired, of another issuer, not for mail, not for access
        at all, bob's.
        """
        claims = parseToken(self.token.encode()).claims
        names = ("iss", "sub", "iat", "exp")
        ours = self.signer()
        theirs = Signer.fromPEM(ours.kid, ours.algorithm, makePrivateKey(ours.algorithm))
        past = {"iat": int(time()) - 1800, "exp": int(time()) - 900}
        identity = {**{name: claims[name] for name in names}, "email": ALICE}
        signed = (
            theirs.sign(claims),
            ours.sign({**claims, **past}),
            ours.sign({**claims, "iss": "https://elsewhere.example"}),
            ours.sign({**claims, "scope": "openid"}),
            ours.sign({**identity, "aud": "application"}, TYPE),
            ours.sign({**identity, "aud": claims["aud"]}, TYPE),
            ours.sign({**claims, "sub": BOB}),
        )
        return ["made-up", *(token.decode() for token in signed)]


class IntrospectionTests(DovecotTestCase):
    """
    A Dovecot that asks.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        super().setUp()
        self.secret = self.demo.command(
            *("client", "add", "--id", "dovecot", "--name", "Dovecot"),
            *("--resource-server", "--confidential"),
        )["client_secret"]

    def test_accepts(self) -> None:
        """
        Signed and opaque tokens open the mailbox, and no other (TK12; O 14, O 87, O 88).
        """
        self.start("Introspection", SECRET=self.secret)
        opaque = self.demo.command("token", "issue", ALICE, "--opaque")["access_token"]

        for token in (self.token, opaque):
            self.assertAccepted(token)
            self.assertRefused(token, name=BOB)
        for token in self.wrongTokens():
            self.assertRefused(token)

    def test_revoked(self) -> None:
        """
        What was revoked is refused from the next login on (TK18, CS2).
        """
        self.start("Introspection", SECRET=self.secret)
        another = self.demo.token()
        self.assertAccepted(self.token)

        self.demo.command("token", "revoke", stdin=self.token.encode())

        self.assertRefused(self.token)
        self.assertAccepted(another)
        self.demo.command("account", "disable", ALICE)
        self.assertRefused(another)

    def test_outage(self) -> None:
        """
        If nobody can be asked, nobody is refused; but for a Dovecot which takes that for a refusal,
        as the document says.
        """
        expected = REFUSED if (2, 4) <= versionOfDovecot() < (2, 4, 2) else UNDECIDED
        nowhere = f"localhost:{freePort()}"
        self.start("Introspection", SECRET=self.secret, **{"mail.example.org/introspect": nowhere})

        for mechanism in ("OAUTHBEARER", "XOAUTH2"):
            self.assertIn(expected, self.logIn(self.token, mechanism).refusal or b"")


class KeysTests(DovecotTestCase):
    """
    A Dovecot that has a copy of the keys.
    """

    installation = newestInstallation()

    def setUp(self) -> None:
        """
        See the parent.
        """
        super().setUp()
        self.start("Keys")
        self.export()

    def export(self) -> None:
        """
        Give it the keys of now.
        """
        self.demo.command("key", "export", str(self.home / "mailauth-keys"))

    def test_accepts(self) -> None:
        """
        A signed token opens the mailbox, also if it is one of a new key. A Dovecot that is too old
        for the type of our tokens takes none, as the document says.
        """
        isNew = versionOfDovecot(self.installation) >= (2, 3, 21)
        check = self.assertAccepted if isNew else self.assertRefused

        check(self.token)
        self.demo.command("key", "rotate", "--now")
        self.export()
        check(self.demo.token())

    def test_refuses(self) -> None:
        """
        No other opens it, nor an ID token, though that has the type that an old Dovecot wants
        (TK12, TK14; O 14).
        """
        for token in self.wrongTokens():
            self.assertRefused(token)
        self.assertRefused(self.token, name=BOB)
