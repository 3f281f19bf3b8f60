"""
Opaque tokens in memory.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.checkers import BearerTokenChecker
from mailauth.credentials import BearerToken, LoginContext, tokenTag
from mailauth.errors import ExpiredToken, InsufficientScope, InvalidToken, Outage
from mailauth.interfaces import ITokenValidator
from mailauth.stores.memory import MemoryRevocations
from mailauth.testing.tokens import MemoryTokens

ALICE = "alice@example.test"


class MemoryTokensTests(SynchronousTestCase):
    """
    L{MemoryTokens} as a validator.
    """

    def setUp(self) -> None:
        """
        At some date.
        """
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.tokens = MemoryTokens("https://issuer.test", now=self.clock.seconds)

    def test_interface(self) -> None:
        """
        It is a token validator.
        """
        verifyObject(ITokenValidator, self.tokens)

    def test_issued(self) -> None:
        """
        A token that was issued is valid, and is what it was issued as.
        """
        token = self.tokens.issue(ALICE, "imap smtp", 60)

        valid = self.successResultOf(self.tokens.validate(token))

        self.assertEqual(ALICE, valid.owner)
        self.assertEqual("https://issuer.test", valid.issuer)
        self.assertEqual({"imap", "smtp"}, valid.scope)
        self.assertEqual(self.clock.seconds() + 60, valid.expires)

    def test_length(self) -> None:
        """
        A token is as long as it was asked to be, and no two are the same.
        """
        for length in (43, 140, 16_500):
            first, second = (self.tokens.issue(ALICE, length=length) for _ in range(2))
            self.assertEqual((length, length), (len(first), len(second)))
            self.assertNotEqual(first, second)

    def test_unknown(self) -> None:
        """
        A token that nobody issued is refused.
        """
        self.failureResultOf(self.tokens.validate(b"unknown"), InvalidToken)

    def test_expires(self) -> None:
        """
        A token expires, and is refused as one that was good once.
        """
        token = self.tokens.issue(ALICE, lifetime=60)
        self.clock.advance(91)

        self.failureResultOf(self.tokens.validate(token), ExpiredToken)

    def test_issuedExpired(self) -> None:
        """
        A token can be issued that has expired already.
        """
        token = self.tokens.issue(ALICE, lifetime=-60)

        self.failureResultOf(self.tokens.validate(token), ExpiredToken)

    def test_unreachable(self) -> None:
        """
        Where nobody can tell, a good token and a bad one are outages.
        """
        token = self.tokens.issue(ALICE)
        self.tokens.reachable = False

        self.failureResultOf(self.tokens.validate(token), Outage)
        self.failureResultOf(self.tokens.validate(b"unknown"), Outage)

    def test_checked(self) -> None:
        """
        The checker takes its tokens for the services that their scope names.
        """
        checker = BearerTokenChecker(self.tokens, now=self.clock.seconds)
        token = self.tokens.issue(ALICE, "imap")

        accepted = checker.requestAvatarId(BearerToken(token, context=LoginContext("imap")))
        refused = checker.requestAvatarId(BearerToken(token, context=LoginContext("smtp")))

        self.assertEqual(ALICE.encode(), self.successResultOf(accepted))
        self.failureResultOf(refused, InsufficientScope)

    def test_revoked(self) -> None:
        """
        Each token has an id, so that it alone can be revoked.
        """
        revocations = MemoryRevocations(self.clock.seconds)
        checker = BearerTokenChecker(self.tokens, revocations=revocations, now=self.clock.seconds)
        first, second = self.tokens.issue(ALICE), self.tokens.issue(ALICE)
        valid = self.successResultOf(self.tokens.validate(first))
        assert valid.tokenId is not None

        self.successResultOf(revocations.revoke([tokenTag(valid.issuer, valid.tokenId)], "Gone."))

        self.failureResultOf(checker.requestAvatarId(BearerToken(first)), InvalidToken)
        self.successResultOf(checker.requestAvatarId(BearerToken(second)))
