"""
Tests for L{mailauth.validators.keys}: on a clock, with a validator where it matters what becomes of
a token.
"""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from zope.interface.verify import verifyObject

from mailauth.caches.memory import MemoryCache
from mailauth.errors import InvalidToken, Outage
from mailauth.interfaces import IKeySource
from mailauth.oauth.jwt import Signer, VerifyingKey, makeJWKS
from mailauth.oauth.tokens import AccessToken
from mailauth.validators._http import Fetched, NotFetchable
from mailauth.validators.caching import CachingValidator
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.jwt import JWTValidator
from mailauth.validators.keys import MAX_MISSING, MAX_NAME, MISSING, FetchedKeys, StaticKeys
from mailauth.validators.refreshing import AHEAD, STALE, USUAL_LIFETIME

from ..jose import makeSigner
from .web import AUDIENCE, CONFIGURATION, GARBAGE, ISSUER, JWKS, WebTestCase, answer, jwks

OTHER = "https://other.example"
OTHER_JWKS = f"{OTHER}/jwks"
ONE, TWO, THREE = (makeSigner(kid=kid) for kid in ("1", "2", "3"))


class KeysTestCase(WebTestCase):
    """
    An issuer that publishes one key.
    """

    def setUp(self) -> None:
        """
        Nobody fetched it.
        """
        super().setUp()
        self.publish(ONE)
        self.keys = self.makeKeys()

    def makeKeys(self) -> FetchedKeys:
        """
        Its keys, of which nothing is known.
        """
        locate = partial(self.discovery.locate, "jwks_uri")
        return FetchedKeys(ISSUER, locate, self.web.get, self.clock.seconds)

    def publish(self, *signers: Signer) -> None:
        """
        The issuer has these keys, and no others.
        """
        self.web.says[JWKS] = jwks(*signers)

    def assertHas(self, *kids: str) -> None:
        """
        These are found.
        """
        for kid in kids:
            self.assertEqual(self.found(self.keys.find(kid)).kid, kid)

    def assertLacks(self, *kids: str) -> None:
        """
        These are not.
        """
        for kid in kids:
            self.invalid(self.keys.find(kid))


class FetchedKeysTests(KeysTestCase):
    """
    L{FetchedKeys}.
    """

    def test_interface(self) -> None:
        """
        It is a source of keys.
        """
        verifyObject(IKeySource, self.keys)

    def test_once(self) -> None:
        """
        The set is fetched once, however many look for a key.
        """
        for _ in range(10):
            self.assertHas("1")

        self.assertEqual((self.web.count(JWKS), self.web.count(CONFIGURATION)), (1, 1))
        self.assertIn("application/jwk-set+json", self.web.asked[-1].headers["Accept"])

    def test_singleFlight(self) -> None:
        """
        A hundred who look for a key at the same time wait for one fetch (O 24).
        """
        self.web.says[JWKS] = None
        waiting = [self.keys.find("1") for _ in range(100)]
        self.publish(ONE)
        self.web.answerWaiting()

        self.assertEqual({self.found(each).kid for each in waiting}, {"1"})
        self.assertEqual(self.web.count(JWKS), 1)

    def test_cancelled(self) -> None:
        """
        A login that is cancelled leaves the fetch to the others (O 25).
        """
        self.web.says[JWKS] = None
        first, second = self.keys.find("1"), self.keys.find("1")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.publish(ONE)
        self.web.answerWaiting()

        self.assertEqual(self.found(second).kid, "1")

    def test_newKey(self) -> None:
        """
        A new key works at once, though the set that we have is fresh (O 20).
        """
        self.assertHas("1")
        self.publish(ONE, TWO)
        self.assertHas("1")
        self.clock.advance(1)

        self.assertHas("2", "1")
        self.assertEqual(self.web.count(JWKS), 2)

    def test_retiredKey(self) -> None:
        """
        A key that a fresh set lacks is refused at once, and nobody is asked about it (O 20).
        """
        self.assertHas("1")
        self.publish(TWO)
        self.clock.advance(1)
        self.assertHas("2")
        fetches = self.web.count(JWKS)
        self.clock.advance(1)

        for _ in range(10):
            self.assertLacks("1")
        self.assertEqual(self.web.count(JWKS), fetches)

    def test_retiredByTime(self) -> None:
        """
        A key that is no longer published is refused when the lifetime of the set is over, even if
        nobody comes with a new one (O 20).
        """
        self.assertHas("1")
        self.publish(TWO)
        self.clock.advance(USUAL_LIFETIME * AHEAD - 1)
        self.assertHas("1")

        self.clock.advance(1)

        self.assertLacks("1")

    def test_emptySet(self) -> None:
        """
        An issuer that withdraws all its keys is believed.
        """
        self.assertHas("1")
        self.publish()
        self.clock.advance(USUAL_LIFETIME)

        self.assertLacks("1")

    def test_storm(self) -> None:
        """
        A thousand made-up key ids cost two fetches, and one more in each half minute. Whoever is
        not asked about is not refused: nobody knows (TK15; O 21).
        """
        self.assertHas("1")
        outcomes = []
        for number in range(1000):
            self.clock.advance(0.02)
            outcomes.append(type(_result(self.keys.find(f"forged-{number}"))))
            self.assertHas("1")
        self.assertEqual(outcomes, [InvalidToken] * 2 + [Outage] * 998)
        self.assertEqual(self.web.count(JWKS), 3)
        self.assertEqual(self.web.count(CONFIGURATION), 1)

        for number in range(500):
            self.clock.advance(0.5)
            _result(self.keys.find(f"forged-{number}-again"))
        self.assertLessEqual(self.web.count(JWKS), 3 + 250 / 30 + 1)

    def test_stormAtOnce(self) -> None:
        """
        A thousand who come while the set is on its way join that fetch, and the next one tells
        them (O 21).
        """
        self.assertHas("1")
        self.web.says[JWKS] = None
        self.clock.advance(1)
        first = self.keys.find("forged")
        self.clock.advance(1)
        storm = [self.keys.find(f"forged-{number}") for number in range(1000)]
        self.assertEqual(self.web.count(JWKS), 2)

        self.publish(ONE)
        self.web.answerWaiting()

        for each in (first, *storm):
            self.invalid(each)
        self.assertEqual(self.web.count(JWKS), 3)

    def test_newWhileFetching(self) -> None:
        """
        A key that became known after somebody had asked for the set is asked for once more, and
        not refused because of an answer that is older (O 20).
        """
        self.web.says[JWKS] = None
        first = self.keys.find("1")
        self.clock.advance(1)
        second = self.keys.find("2")
        self.publish(ONE)
        old = self.web.waiting.pop()[1]
        self.publish(ONE, TWO)
        old.callback(jwks(ONE))

        self.assertEqual(self.found(first).kid, "1")
        self.assertEqual(self.found(second).kid, "2")

    def test_manyOldTokens(self) -> None:
        """
        After a rotation, and a restart, many come with tokens of the old keys: they are refused,
        so that they get new ones, although only one fetch in half a minute is made for them.
        """
        self.publish(THREE)
        self.assertHas("3")
        self.clock.advance(1)
        self.assertLacks("1")
        self.clock.advance(1)
        self.assertLacks("2")
        for _ in range(200):
            self.clock.advance(1)
            self.assertLacks("1", "2")
        self.assertLessEqual(self.web.count(JWKS), 3 + 200 / MISSING + 1)

    def test_missingIsBounded(self) -> None:
        """
        So many names are remembered that are in no set, and no long ones.
        """
        self.web.says[JWKS] = None
        waiting = [self.keys.find(f"forged-{number}") for number in range(MAX_MISSING + 500)]
        waiting.append(self.keys.find("x" * (MAX_NAME + 1)))
        self.publish(ONE)
        self.web.answerWaiting()
        for each in waiting:
            self.invalid(each)

        self.assertEqual(len(self.keys._missing), MAX_MISSING)
        self.assertLessEqual(max(map(len, self.keys._missing)), MAX_NAME)

    def test_oddNames(self) -> None:
        """
        A key id is compared, whatever it looks like: it is part of no address (TK13; O 6).
        """
        for kid in (
            "../../etc/passwd",
            "' OR 1=1 --",
            "\0",
            "\ud800",
            "",
            "x" * 10_000,
            "1/",
            " 1",
        ):
            _result(self.keys.find(kid))

        self.assertEqual({asked.address for asked in self.web.asked}, {CONFIGURATION, JWKS})

    def test_noName(self) -> None:
        """
        A token without a key id is good for a set with one key. If there are more, nobody asks
        for another set.
        """
        self.assertEqual(self.found(self.keys.find(None)).kid, "1")
        self.publish(ONE, TWO)
        self.clock.advance(USUAL_LIFETIME)
        self.invalid(self.keys.find(None))
        self.assertEqual(self.web.count(JWKS), 2)

        self.assertHas("1")

    def test_outage(self) -> None:
        """
        While the issuer is down the keys that we have work, for a day longer than they are fresh.
        Whatever else is unknown: nobody can tell (O 22).
        """
        self.assertHas("1")
        self.web.says[JWKS] = Outage("down")
        self.clock.advance(1)
        self.outage(self.keys.find("2"))
        self.clock.advance(USUAL_LIFETIME + STALE - 2)
        self.assertHas("1")

        self.clock.advance(1)
        self.outage(self.keys.find("1"))

        self.publish(TWO)
        self.clock.advance(60)
        self.assertHas("2")
        self.assertLacks("1")

    def test_never(self) -> None:
        """
        While nothing was ever fetched, nobody can tell, and nothing is refused (O 22).
        """
        self.web.says[JWKS] = Outage("down")
        for _ in range(100):
            self.outage(self.keys.find("1"))
        self.assertEqual(self.web.count(JWKS), 1)

        self.publish(ONE)
        self.clock.advance(1)

        self.assertHas("1")

    def test_noDocument(self) -> None:
        """
        Whose metadata cannot be had has no keys that we could know.
        """
        self.web.says[CONFIGURATION] = Outage("down")

        reason = self.outage(self.keys.find("1"))

        self.assertIn("the key set of https://issuer.example cannot be fetched", reason)
        self.assertIn("the metadata of https://issuer.example cannot be fetched: down", reason)
        self.assertEqual(self.web.count(JWKS), 0)

    def test_notASet(self) -> None:
        """
        What is redirected, unchanged although nobody asked for a change, refused, huge, HTML or
        other garbage is no set: it is an outage, and leaves the last good one as it was (TK15;
        O 23).
        """
        good = jwks(ONE).content
        lies: list[Fetched | Exception] = [
            *(
                answer(good, status)
                for status in (201, 204, 206, 304, 400, 403, 404, 429, 500, 503)
            ),
            *(answer(good, status, Location=f"{ISSUER}/other") for status in (301, 302, 307, 308)),
            answer(good, 304, ETag='"1"'),
            *map(answer, GARBAGE.values()),
            NotFetchable("it is too large"),
            Outage("it took longer than 5 s"),
        ]
        for lie in lies:
            self.keys = self.makeKeys()
            self.web.says[JWKS] = lie
            self.outage(self.keys.find("1"))

            self.keys = self.makeKeys()
            self.publish(ONE)
            self.assertHas("1")
            self.web.says[JWKS] = lie
            self.clock.advance(USUAL_LIFETIME)
            self.assertHas("1")
            self.outage(self.keys.find("2"))

        self.assertEqual({asked.address for asked in self.web.asked}, {CONFIGURATION, JWKS})

    def test_otherTypes(self) -> None:
        """
        What a set is sent as does not matter (O 23).
        """
        for type in ("text/html", "text/plain", "application/octet-stream"):
            self.keys = self.makeKeys()
            self.web.says[JWKS] = answer(jwks(ONE).content, Content_Type=type)
            self.assertHas("1")

    def test_oneBadKey(self) -> None:
        """
        A key that cannot be used does not spoil the set (TK15).
        """
        content = makeJWKS([ONE.verifyingKey])[: -len(b"]}")] + b', {"kty": "oct", "k": "x"}, 7]}'
        self.web.says[JWKS] = answer(content)

        self.assertHas("1")


class StaticKeysTests(KeysTestCase):
    """
    L{StaticKeys}.
    """

    def test_names(self) -> None:
        """
        Keys are found by their names, and are never fetched.
        """
        keys = StaticKeys([ONE.verifyingKey, TWO.verifyingKey])

        self.assertEqual(keys.names, {"1", "2"})
        self.assertEqual(self.found(keys.find("2")), TWO.verifyingKey)
        for kid in ("3", "", None):
            self.assertIsNone(keys.named(kid))
            self.invalid(keys.find(kid))
        self.assertEqual(self.web.asked, [])

    def test_noName(self) -> None:
        """
        One key needs no name, on either side.
        """
        nameless = VerifyingKey(None, ONE.verifyingKey.algorithms, ONE.verifyingKey.key)
        self.assertIs(StaticKeys([nameless]).named("1"), nameless)
        self.assertIs(StaticKeys([nameless]).named(None), nameless)
        self.assertIsNone(StaticKeys([nameless, TWO.verifyingKey]).named("1"))


class RotationTests(KeysTestCase):
    """
    What becomes of tokens, fifty logins a second, whatever the issuer does.
    """

    def setUp(self) -> None:
        """
        Two issuers, one of which behaves.
        """
        super().setUp()
        self.random = random.Random(4)
        self.now_ = self.now
        self.web.says[OTHER_JWKS] = jwks(ONE)
        other = self.discover(OTHER, addresses={"jwks_uri": OTHER_JWKS})
        otherKeys = FetchedKeys(
            OTHER, partial(other.locate, "jwks_uri"), self.web.get, self.clock.seconds
        )
        audience = frozenset({AUDIENCE})
        self.cache = MemoryCache(lambda: self.now_(), limit=100)
        self.validator = CachingValidator(
            JWTValidator(
                [
                    TrustedIssuer(ISSUER, self.keys, audience),
                    TrustedIssuer(OTHER, otherKeys, audience),
                ],
                lambda: self.now_(),
            ),
            self.cache,
            lambda: self.now_(),
        )
        self.serial = 0

    def sign(self, signer: Signer, issuer: str = ISSUER) -> bytes:
        """
        A new token.
        """
        self.serial += 1
        now = self.now()
        claims: dict[str, Any] = {
            "iss": issuer,
            "sub": "alice",
            "aud": AUDIENCE,
            "jti": self.serial,
        }
        return signer.sign({**claims, "jti": str(self.serial), "iat": now, "exp": now + 900})

    def login(self, signer: Signer, issuer: str = ISSUER) -> Exception | AccessToken | None:
        """
        Come with a new token.
        """
        outcome: Exception | AccessToken | None = _result(
            self.validator.validate(self.sign(signer, issuer))
        )
        return outcome

    def assertAccepted(self, outcome: object) -> None:
        """
        It was.
        """
        self.assertIsInstance(outcome, AccessToken)

    def test_rotatedAHundredTimes(self) -> None:
        """
        A hundred rotations, half a minute to ten minutes apart, at fifty logins a second with the
        key of the time: every one of them gets in. A key that was retired opens nothing once we
        have heard of a newer one, and one that was never published nothing at all (O 20).
        """
        forger = makeSigner(kid="100")
        signers = [makeSigner(kid=str(number)) for number in range(101)]
        self.publish(signers[0])
        self.assertAccepted(self.login(signers[0]))
        for old, new in pairwise(signers):
            self.clock.advance(self.random.uniform(31, 600))
            self.publish(new)
            for _ in range(50):
                self.clock.advance(0.02)
                self.assertAccepted(self.login(new))
            self.assertIsInstance(self.login(old), InvalidToken)
        forged = Signer(signers[-1].kid, forger.algorithm, makeSigner(kid="forger").key)
        self.assertIsInstance(self.login(forged), InvalidToken)
        self.assertLess(self.web.count(JWKS), 350)

    def test_rotatedInAStorm(self) -> None:
        """
        The same with the next key published for half a minute before it signs, and somebody who
        makes up key ids all the time: every login gets in (O 20, O 21).
        """
        signers = [makeSigner(kid=str(number)) for number in range(101)]
        self.publish(signers[0])
        for old, new in pairwise(signers):
            self.publish(old, new)
            for _ in range(35):
                self.clock.advance(self.random.uniform(0.9, 1.1))
                self.login(makeSigner(kid=f"forged-{self.serial % 7}"))
                self.assertAccepted(self.login(old))
            self.publish(new)
            for _ in range(10):
                self.clock.advance(0.02)
                self.assertAccepted(self.login(new))

    def test_rotatedAtOnceInAStorm(self) -> None:
        """
        A key that signs as soon as it is published, while somebody makes up key ids: logins with
        it may have to come again, but none is refused, and none of the forger's gets in (O 21).
        """
        for number in range(100):
            new = makeSigner(kid=str(number))
            self.publish(new)
            accepted = False
            for _ in range(32):
                self.clock.advance(1)
                forged = self.login(makeSigner(kid=f"forged-{self.serial % 7}"))
                self.assertIsInstance(forged, InvalidToken | Outage)
                outcome = self.login(new)
                self.assertIsInstance(outcome, AccessToken if accepted else AccessToken | Outage)
                accepted = accepted or isinstance(outcome, AccessToken)
            self.assertTrue(accepted)

    def assertHarmless(self, lies: Sequence[Fetched | Exception | None]) -> None:
        """
        An hour in which the issuer says, in turn, each of these: its users get in, forgers do not,
        it is not asked without end, no more is held at the end than after half of it, and the users
        of another issuer notice nothing.
        """
        forger = makeSigner(kid="forger")
        self.publish(ONE)
        self.assertAccepted(self.login(ONE))
        held = 0
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for step in range(720):
            self.clock.advance(5)
            self.web.says[JWKS] = lies[step % len(lies)]
            self.assertAccepted(self.login(ONE))
            self.assertAccepted(self.login(ONE, OTHER))
            forged = self.login(Signer(f"forged-{step}", forger.algorithm, forger.key))
            self.assertNotIsInstance(forged, AccessToken)
            self.web.waiting.clear()
            if step == 360:
                held = _octetsHeld()
        self.assertLess(self.web.count(JWKS), 3600 / 20)
        # A thousand logins since, and what the test itself notes down: who asked, and the log.
        self.assertLess(_octetsHeld() - held, 250_000)

        self.publish(TWO)
        self.clock.advance(60)
        self.assertAccepted(self.login(TWO))

    def test_down(self) -> None:
        """
        An issuer that is down for an hour is not missed (O 22).
        """
        self.assertHarmless([Outage("down")])

    def test_slow(self) -> None:
        """
        An issuer that never answers keeps nobody waiting who has a known key, and no other
        issuer's users (O 23).
        """
        self.assertHarmless([None])

    def test_lying(self) -> None:
        """
        One that answers with ten kinds of garbage neither loses its keys nor gets others in
        (TK15).
        """
        self.assertHarmless([answer(content) for content in GARBAGE.values()])

    def test_lyingFromTheStart(self) -> None:
        """
        One that has never said anything else has nobody refused; it is asked once a step, and the
        users of another issuer notice nothing (TK15; O 28).
        """
        self.web.says[JWKS] = answer(GARBAGE["HTML"])
        for _ in range(50 * 60):
            self.clock.advance(0.02)
            self.assertIsInstance(self.login(ONE), Outage)
            self.assertAccepted(self.login(ONE, OTHER))
        self.assertEqual(self.web.count(JWKS), 6)

        self.publish(ONE)
        self.clock.advance(60)
        self.assertAccepted(self.login(ONE))

    def test_outageIsNotRemembered(self) -> None:
        """
        A token that could not be checked is good as soon as it can (O 28).
        """
        self.web.says[JWKS] = Outage("down")
        token = self.sign(ONE)
        self.outage(self.validator.validate(token))
        self.assertEqual(len(self.cache), 0)

        self.publish(ONE)
        self.clock.advance(1)

        self.assertAccepted(_result(self.validator.validate(token)))

    def test_revokedMeanwhile(self) -> None:
        """
        A token that was waiting for its key when something was revoked is not remembered (O 26).
        """
        self.web.says[JWKS] = None
        waiting = self.validator.validate(self.sign(ONE))
        self.cache.drop(["account:somebody"])
        self.publish(ONE)
        self.web.answerWaiting()

        self.assertAccepted(_result(waiting))
        self.assertEqual(len(self.cache), 0)

    def test_expires(self) -> None:
        """
        A token whose key had to be fetched is remembered until it expires, and no longer (O 27).
        """
        now = self.now()
        claims = {"iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "iat": now, "exp": now + 100}
        token = ONE.sign(claims)
        self.assertAccepted(_result(self.validator.validate(token)))
        self.assertEqual(len(self.cache), 1)

        self.clock.advance(100 + 31)

        self.assertIsInstance(_result(self.validator.validate(token)), InvalidToken)

    def test_clockSetBack(self) -> None:
        """
        When the wall clock is set back, keys grow no younger: one that was retired stays so, and
        nobody is locked out of fetching (TK17; O 30).
        """
        self.assertAccepted(self.login(ONE))
        self.publish(TWO)
        self.now_ = lambda: self.now() - 7200
        self.clock.advance(USUAL_LIFETIME)
        old = ONE.sign({"iss": ISSUER, "sub": "a", "aud": AUDIENCE, "exp": self.now_() + 900})

        self.assertIsInstance(_result(self.validator.validate(old)), InvalidToken)
        self.assertHas("2")

    def test_sameUserOfTwo(self) -> None:
        """
        Two issuers that name a key, a token and a person alike: each keeps its own (O 31).
        """
        self.assertAccepted(self.login(ONE))
        self.serial = 0
        mine, others = self.login(ONE), self.login(ONE, OTHER)
        assert isinstance(mine, AccessToken) and isinstance(others, AccessToken)
        self.assertNotEqual((mine.issuer, mine.subject), (others.issuer, others.subject))
        self.assertFalse(mine.tags & others.tags)

        self.web.says[OTHER_JWKS] = jwks(TWO)
        self.clock.advance(USUAL_LIFETIME)
        self.assertAccepted(self.login(ONE))
        self.assertIsInstance(self.login(ONE, OTHER), InvalidToken)

    def test_noSecrets(self) -> None:
        """
        A token that waits for its key, or did, is in nothing that is held or said (LG1; O 29).
        """
        self.web.says[JWKS] = Outage("down")
        token = self.sign(ONE)
        failure = self.failureResultOf(self.validator.validate(token), Outage)

        held = repr((vars(self.keys), vars(self.discovery), vars(self.validator), self.web.asked))
        said = held + str(failure.value) + failure.getTraceback() + repr(failure)
        for part in token.split(b"."):
            self.assertNotIn(part.decode("ascii"), said)


def _result(pending: Deferred[Any]) -> Any:
    """
    What came of it: a value, an exception, or C{None} as long as nothing did.
    """
    results: list[Any] = []
    pending.addCallbacks(results.append, lambda failure: results.append(failure.value))
    return results[0] if results else None


def _octetsHeld() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
