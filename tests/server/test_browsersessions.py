"""
Tests for L{mailauth.server.browsersessions}.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from mailauth.credentials import grantTag, subjectTag
from mailauth.errors import InvalidCredentials, Outage
from mailauth.oauth.records import Authentication, BrowserSession
from mailauth.server.browsersessions import BrowserSessions
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account

NOW = 1_800_000_000.0
ALICE, BOB = "alice@example.test", "bob@example.test"
LIFETIME = 43200.0


class BrowserSessionsTests(SynchronousTestCase):
    """
    L{BrowserSessions}.
    """

    def setUp(self) -> None:
        """
        Let alice and bob have accounts.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        self.stores = MemoryStores(self.clock.seconds)
        self.sessions = BrowserSessions(
            self.stores.browserSessions, self.stores.revocations, LIFETIME, self.clock.seconds
        )
        for name in (ALICE, BOB):
            self.successResultOf(self.stores.accounts.add(Account(name)))

    def got(self, coroutine: Any) -> Any:
        """
        What a coroutine returns.
        """
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def make(
        self, account: str = ALICE, replaced: BrowserSession | None = None
    ) -> tuple[str, BrowserSession]:
        """
        Somebody signs in.
        """
        authentication = Authentication(account, self.clock.seconds(), frozenset({"pwd"}))
        secret, session = self.got(
            self.sessions.make(authentication, "192.0.2.1", "Firefox", replaced)
        )
        return secret, session

    def find(self, secret: str | None) -> Any:
        """
        Come with a cookie.
        """
        return self.got(self.sessions.find(secret))

    def test_elsewhere(self) -> None:
        """
        Who signed in through another issuer is signed out with his session there, and with who he
        is there; that others are, or that he was before, does not concern him (TK18).
        """
        issuer, revocations = "https://idp.example", self.stores.revocations
        mine, others = "my session", "another"
        for tag, ends in (
            (grantTag(issuer, mine), True),
            (grantTag(issuer, others), False),
            (subjectTag(issuer, "alice"), True),
            (subjectTag(issuer, "bob"), False),
            (subjectTag("https://other.example", "alice"), False),
        ):
            self.successResultOf(revocations.revoke([tag], "Before."))
            self.clock.advance(1)
            authentication = Authentication(
                ALICE, self.clock.seconds(), issuer=issuer, subject="alice", issuerSession=mine
            )
            secret, session = self.got(self.sessions.make(authentication, None, None))
            self.assertEqual(session, self.find(secret))
            self.successResultOf(revocations.revoke([tag], "After."))
            self.assertEqual(ends, self.find(secret) is None, tag)

    def test_made(self) -> None:
        """
        A session is who signed in, when, how, from where and with what, for as long as the
        configuration says.
        """
        secret, session = self.make()

        self.assertEqual(session, self.find(secret))
        self.assertEqual(
            (ALICE, NOW), (session.authentication.account, session.authentication.when)
        )
        self.assertEqual({"pwd"}, session.authentication.methods)
        self.assertEqual(session.identifier, session.authentication.browserSession)
        self.assertEqual(("192.0.2.1", "Firefox"), (session.address, session.browser))
        self.assertEqual((NOW, NOW + LIFETIME), (session.created, session.expires))

    def test_secret(self) -> None:
        """
        The cookie has 256 bits, and the store does not know them.
        """
        secret, session = self.make()

        self.assertGreaterEqual(len(secret), 43)
        self.assertEqual(sha256(secret.encode()).digest(), session.digest)
        self.assertNotIn(secret, repr(session))
        self.assertNotIn(session.identifier, secret)

    def test_longName(self) -> None:
        """
        What a browser calls itself is bounded.
        """
        authentication = Authentication(ALICE, NOW)
        _, session = self.got(self.sessions.make(authentication, None, "x" * 10_000))

        self.assertEqual("x" * 200, session.browser)

    def test_nobody(self) -> None:
        """
        No cookie, or one that nobody was given, is nobody.
        """
        self.make()

        for secret in (None, "", "x", "x" * 43, "\u20ac"):
            self.assertIs(None, self.find(secret))

    def test_fixation(self) -> None:
        """
        Whoever signs in gets another secret than the one he came with, which is worth nothing from
        then on (WB2; O 52).
        """
        old, before = self.make()
        new, after = self.make(replaced=before)

        self.assertNotEqual(old, new)
        self.assertIs(None, self.find(old))
        self.assertEqual(after, self.find(new))

    def test_replacedBySameAccount(self) -> None:
        """
        Who signs in again goes on with his session, so that what was granted in it is still told
        when it ends; who signs in as somebody else does not.
        """
        _, first = self.make()
        _, second = self.make(replaced=first)
        _, other = self.make(BOB, replaced=second)

        self.assertEqual(first.identifier, second.identifier)
        self.assertNotEqual(second.identifier, other.identifier)
        self.assertEqual((), self.successResultOf(self.stores.browserSessions.list(ALICE)))

    def test_expires(self) -> None:
        """
        A session ends, however much it is used.
        """
        secret, _ = self.make()

        self.clock.advance(LIFETIME - 1)
        self.assertIsNot(None, self.find(secret))
        self.clock.advance(1)
        self.assertIs(None, self.find(secret))

    def test_expiresSooner(self) -> None:
        """
        Where sessions live less long than they did when it was made, it ends as soon: no revocation
        is kept for longer (TK18).
        """
        secret, _ = self.make()
        stores = self.stores
        self.sessions = BrowserSessions(
            stores.browserSessions, stores.revocations, LIFETIME / 2, self.clock.seconds
        )

        self.clock.advance(LIFETIME / 2 - 1)
        self.assertIsNot(None, self.find(secret))
        self.clock.advance(1)
        self.assertIs(None, self.find(secret))

    def test_ended(self) -> None:
        """
        A session that was ended is nobody's.
        """
        secret, session = self.make()
        other, _ = self.make()

        self.got(self.sessions.end(session))

        self.assertIs(None, self.find(secret))
        self.assertIsNot(None, self.find(other))

    def test_revoked(self) -> None:
        """
        A changed password, a disabled and a removed account end all sessions of the account and no
        other's; who signs in afterwards is in (CS2, TK18).
        """
        accounts = self.stores.accounts
        for revoke in (
            lambda: accounts.setPassword(ALICE, "x"),
            lambda: accounts.disable(ALICE),
            lambda: accounts.remove(ALICE),
        ):
            secret, _ = self.make()
            other, _ = self.make(BOB)
            self.clock.advance(1)
            self.successResultOf(revoke())
            self.assertIs(None, self.find(secret))
            self.assertIsNot(None, self.find(other))
            self.clock.advance(1)
        self.successResultOf(accounts.add(Account(ALICE)))
        self.assertIsNot(None, self.find(self.make()[0]))

    def test_revokedMeanwhile(self) -> None:
        """
        Whoever is revoked between showing his password and getting his cookie is not in.
        """
        authentication = Authentication(ALICE, NOW)
        self.successResultOf(self.stores.accounts.setPassword(ALICE, "x"))
        self.clock.advance(1)

        secret, _ = self.got(self.sessions.make(authentication, None, None))

        self.assertIs(None, self.find(secret))

    def test_gone(self) -> None:
        """
        Whose account was removed meanwhile is refused.
        """
        self.successResultOf(self.stores.accounts.remove(ALICE))
        made = self.sessions.make(Authentication(ALICE, NOW), None, None)

        self.failureResultOf(Deferred.fromCoroutine(made), InvalidCredentials)

    def test_lastUse(self) -> None:
        """
        Its use is noted, though not of every page.
        """
        secret, _ = self.make()
        for seconds, noted in ((299, NOW), (1, NOW + 300), (299, NOW + 300), (1, NOW + 600)):
            self.clock.advance(seconds)
            self.find(secret)
            self.assertEqual(noted, self.find(secret).lastUse)

    def test_useNotNoted(self) -> None:
        """
        Nobody is kept waiting, or out, because his use cannot be noted.
        """
        secret, _ = self.make()
        self.clock.advance(300)
        self.stores.browserSessions.touch = (  # type: ignore[method-assign]
            lambda digest, now: fail(Outage("the disk is full"))
        )

        with capturedLogs() as events:
            self.assertIsNot(None, self.find(secret))

        self.assertEqual(["the disk is full"], [event["reason"] for event in events])
