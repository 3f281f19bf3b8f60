"""
Tests for L{mailauth.validators.caching}.
"""

from __future__ import annotations

import gc
from hashlib import sha256

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailauth.caches.memory import MemoryCache
from mailauth.errors import ExpiredToken, InvalidToken, Outage
from mailauth.interfaces import ITokenValidator
from mailauth.oauth.tokens import AccessToken
from mailauth.testing.issuer import MemoryIssuer
from mailauth.validators.caching import NEGATIVE, POSITIVE, CachingValidator


def makeToken(expires: float = 10_000.0) -> AccessToken:
    """
    A good token.
    """
    return AccessToken(
        "https://issuer.example",
        "alice",
        "alice",
        frozenset({"imap"}),
        frozenset({"mail.example"}),
        expires,
        0.0,
        clientId="thunderbird",
        tokenId="7",
    )


@implementer(ITokenValidator)
class SlowValidator:
    """
    Answers when it is told to.

    @ivar asked: every question, with the Deferred of its answer.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, Deferred[AccessToken]]] = []

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        Keep the question.
        """
        answer: Deferred[AccessToken] = Deferred()
        self.asked.append((token, answer))
        return answer

    def accept(self, token: AccessToken) -> None:
        """
        Answer the last question.
        """
        self.asked[-1][1].callback(token)

    def fail(self, error: Exception) -> None:
        """
        Answer the last question.
        """
        self.asked[-1][1].errback(error)


@implementer(ITokenValidator)
class RaisingValidator:
    """
    Breaks its promise.
    """

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        Raise.
        """
        raise RuntimeError("broken")


class CachingValidatorTests(SynchronousTestCase):
    """
    A validator that remembers.
    """

    def setUp(self) -> None:
        """
        Put a cache before a slow validator.
        """
        self.clock = Clock()
        self.cache = MemoryCache(self.clock.seconds)
        self.slow = SlowValidator()
        self.validator = CachingValidator(self.slow, self.cache, self.clock.seconds)

    def assertAsks(self, times: int, token: bytes = b"token") -> None:
        """
        The token is known exactly if nobody has to be asked.
        """
        before = len(self.slow.asked)
        self.validator.validate(token).addErrback(lambda failure: None)
        self.assertEqual(len(self.slow.asked) - before, times)

    def test_interface(self) -> None:
        """
        It is a validator.
        """
        verifyObject(ITokenValidator, self.validator)

    def test_remembers(self) -> None:
        """
        A good token is asked about once.
        """
        first = self.validator.validate(b"token")
        self.slow.accept(makeToken())

        second = self.validator.validate(b"token")

        self.assertEqual(self.successResultOf(first), makeToken())
        self.assertEqual(self.successResultOf(second), makeToken())
        self.assertEqual([token for token, _ in self.slow.asked], [b"token"])

    def test_otherToken(self) -> None:
        """
        Each token is asked about for itself (CS1).
        """
        self.validator.validate(b"token")
        self.slow.accept(makeToken())

        self.assertAsks(1, b"token2")
        self.assertAsks(1, b"toke")
        self.assertAsks(1, b"")

    def test_positiveEnds(self) -> None:
        """
        A good token is remembered for four minutes.
        """
        self.validator.validate(b"token")
        self.slow.accept(makeToken())

        self.clock.advance(POSITIVE - 1)
        self.assertAsks(0)
        self.clock.advance(1)
        self.assertAsks(1)

    def test_expiryEnds(self) -> None:
        """
        No token is remembered past its end (O 27).
        """
        self.validator.validate(b"token")
        self.slow.accept(makeToken(expires=100.0))

        self.clock.advance(99)
        self.assertAsks(0)
        self.clock.advance(1)
        self.assertAsks(1)

    def test_alreadyExpired(self) -> None:
        """
        A token that only the leeway keeps alive is not remembered.
        """
        self.clock.advance(110)
        self.validator.validate(b"token")
        self.slow.accept(makeToken(expires=100.0))

        self.assertEqual(len(self.cache), 0)
        self.assertAsks(1)

    def test_negative(self) -> None:
        """
        A bad token is remembered for half a minute, with its kind, its reason and its issuer.
        """
        for kind in (InvalidToken, ExpiredToken):
            token = kind.__name__.encode()
            error = kind("why", openidConfiguration="https://id.test/discovery")
            self.failureResultOf(self.validate(token, error), kind)

            known = self.failureResultOf(self.validator.validate(token), kind)
            self.assertIs(known.type, kind)
            self.assertEqual(known.value.reason, "why")
            self.assertEqual(known.value.openidConfiguration, "https://id.test/discovery")
            self.clock.advance(NEGATIVE - 1)
            self.assertAsks(0, token)
            self.clock.advance(1)
            self.assertAsks(1, token)

    def validate(self, token: bytes, error: Exception) -> Deferred[AccessToken]:
        """
        Ask, and have it answered by an error.
        """
        asked = self.validator.validate(token)
        self.slow.fail(error)
        return asked

    def test_outage(self) -> None:
        """
        That nobody could tell is not remembered, and neither is any other fault (O 28).
        """
        for error in (Outage("down"), RuntimeError("a bug")):
            self.failureResultOf(self.validate(b"token", error), type(error))

            self.assertEqual(len(self.cache), 0)

    def test_outageAfterwards(self) -> None:
        """
        A good token whose time in the cache is over is not good because nobody can tell (CS3).
        """
        self.validator.validate(b"token")
        self.slow.accept(makeToken())
        self.clock.advance(POSITIVE)

        self.failureResultOf(self.validate(b"token", Outage("down")), Outage)

    def test_raises(self) -> None:
        """
        A validator that raises at once is asked again the next time, and nobody waits for ever.
        """
        validator = CachingValidator(RaisingValidator(), self.cache, self.clock.seconds)

        for _ in range(2):
            self.failureResultOf(validator.validate(b"token"), RuntimeError)

    def test_singleFlight(self) -> None:
        """
        A hundred who ask at the same time share one answer, whatever it is (O 24).
        """
        for answer in (makeToken(), Outage("down"), InvalidToken("bad")):
            token = repr(answer).encode()
            waiting = [self.validator.validate(token) for _ in range(100)]
            self.assertEqual([asked for asked, _ in self.slow.asked].count(token), 1)

            if isinstance(answer, AccessToken):
                self.slow.accept(answer)
                self.assertEqual({self.successResultOf(each) for each in waiting}, {answer})
            else:
                self.slow.fail(answer)
                for each in waiting:
                    self.failureResultOf(each, type(answer))

    def test_cancelledWaiter(self) -> None:
        """
        Whoever stops waiting, the first one or another, leaves the question to the others (O 25).
        """
        waiting = [self.validator.validate(b"token") for _ in range(3)]
        for left in waiting[:2]:
            left.cancel()
            self.failureResultOf(left, CancelledError)
        self.assertNoResult(waiting[2])

        self.slow.accept(makeToken())

        self.assertEqual(self.successResultOf(waiting[2]), makeToken())
        self.assertAsks(0)

    def test_nobodyWaits(self) -> None:
        """
        An answer that nobody waits for any more is remembered all the same, and a failure that
        nobody waits for is not logged.
        """
        for answer in (makeToken(), Outage("down")):
            token = repr(answer).encode()
            waiter = self.validator.validate(token)
            waiter.cancel()
            self.failureResultOf(waiter, CancelledError)
            if isinstance(answer, AccessToken):
                self.slow.accept(answer)
            else:
                self.slow.fail(answer)
        del waiter
        gc.collect()

        self.assertAsks(0, repr(makeToken()).encode())
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_askedAgainFromTheAnswer(self) -> None:
        """
        Whoever asks again while the answer is being given finds it in the cache.
        """
        again: list[AccessToken] = []
        first = self.validator.validate(b"token")
        first.addCallback(lambda _: self.validator.validate(b"token").addCallback(again.append))

        self.slow.accept(makeToken())

        self.assertEqual(again, [makeToken()])
        self.assertEqual(len(self.slow.asked), 1)

    def test_droppedMeanwhile(self) -> None:
        """
        An answer that was on its way when something was revoked is given, for the checker to
        decide, and not remembered (CS2; O 26).
        """
        for answer in (makeToken(), InvalidToken("bad")):
            token = repr(answer).encode()
            asked = self.validator.validate(token)
            self.cache.drop(["account:somebody"])
            if isinstance(answer, AccessToken):
                self.slow.accept(answer)
                self.successResultOf(asked)
            else:
                self.slow.fail(answer)
                self.failureResultOf(asked, InvalidToken)

            self.assertAsks(1, token)

    def test_droppedAfterwards(self) -> None:
        """
        A token is forgotten when any of its tags is dropped (CS2).
        """
        for tag in makeToken().tags:
            asked = self.validator.validate(tag.encode())
            self.slow.accept(makeToken())
            self.successResultOf(asked)

            self.cache.drop([tag])
            self.assertAsks(1, tag.encode())

    def test_noSecrets(self) -> None:
        """
        The token is nowhere in the cache or the validator: neither its octets, nor its signature,
        nor the part that is signed (LG1; O 29).
        """
        issuer = MemoryIssuer(now=self.clock.seconds)
        validator = CachingValidator(issuer.validator(), self.cache, self.clock.seconds)
        good = issuer.issue("alice@example.test")
        forged = good[:-8] + b"AAAAAAAA"
        self.successResultOf(validator.validate(good))
        self.failureResultOf(validator.validate(forged), InvalidToken)
        self.assertEqual(len(self.cache), 2)

        held = repr((vars(self.cache), vars(validator)))
        for token in (good, forged):
            for part in (*token.split(b"."), token.hex().encode()):
                self.assertNotIn(part.decode("ascii"), held)
        self.assertIn(repr(sha256(good).digest()), held)
