"""
Tests of the validator of opaque tokens.
"""

from __future__ import annotations

from hashlib import sha256

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailauth.errors import ExpiredToken, InvalidToken, Outage
from mailauth.interfaces import ITokenValidator
from mailauth.oauth.interfaces import IOpaqueTokens
from mailauth.oauth.records import OpaqueToken
from mailauth.oauth.tokens import LEEWAY, AccessToken
from mailauth.testing.issuer import MemoryIssuer
from mailauth.testing.tokens import MemoryTokens
from mailauth.validators.opaque import OpaqueTokenValidator, OursFirst, SignedOrOpaque

NOW = 1_800_000_000.0
SECRET = b"x" * 43
TOKEN = AccessToken(
    issuer="https://id.example",
    subject="alice@example.test",
    owner="alice@example.test",
    scope=frozenset({"imap"}),
    audience=frozenset({"mail"}),
    expires=NOW + 900,
    issued=NOW,
)


@implementer(IOpaqueTokens)
class OneToken:
    """
    A store of one token that counts look-ups.
    """

    reachable = True
    token = TOKEN

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def add(self, opaque: OpaqueToken) -> Deferred[None]:
        """
        See L{IOpaqueTokens.add}.
        """
        return succeed(None)

    def find(self, digest: bytes) -> Deferred[OpaqueToken | None]:
        """
        See L{IOpaqueTokens.find}.
        """
        self.asked.append(digest)
        if not self.reachable:
            return fail(Outage("the store is out of reach"))
        known = OpaqueToken(digest, self.token)
        return succeed(known if digest == sha256(SECRET).digest() else None)


class OpaqueTokenValidatorTests(SynchronousTestCase):
    """
    L{OpaqueTokenValidator}.
    """

    def setUp(self) -> None:
        """
        A validator.
        """
        self.store = OneToken()
        self.validator = OpaqueTokenValidator(self.store, lambda: NOW)

    def test_interface(self) -> None:
        """
        It is a validator.
        """
        verifyObject(ITokenValidator, self.validator)
        verifyObject(ITokenValidator, SignedOrOpaque(self.validator, self.validator))
        verifyObject(ITokenValidator, OursFirst(self.validator, self.validator))

    def test_known(self) -> None:
        """
        A token that was kept means what was kept, and is looked up by its digest.
        """
        self.assertEqual(self.successResultOf(self.validator.validate(SECRET)), TOKEN)
        self.assertEqual(self.store.asked, [sha256(SECRET).digest()])

    def test_unknown(self) -> None:
        """
        Any other is refused.
        """
        self.failureResultOf(self.validator.validate(b"y" * 43), InvalidToken)

    @given(st.binary(max_size=100).filter(lambda token: len(token) != 43))
    def test_form(self, token: bytes) -> None:
        """
        What has not 43 characters is refused without asking anybody (O 88).
        """
        asked = len(self.store.asked)

        self.failureResultOf(self.validator.validate(token), InvalidToken)

        self.assertEqual(len(self.store.asked), asked)

    def test_almost(self) -> None:
        """
        So is what has 43, and others than base64url's.
        """
        for token in (b"x" * 42 + b"\n", b"x" * 42 + b"=", b"x" * 42 + b"+", b"\xff" * 43):
            self.failureResultOf(self.validator.validate(token), InvalidToken)
        self.assertEqual(self.store.asked, [])

    def test_expired(self) -> None:
        """
        It lives as long as a signed one does, and not a second longer.
        """
        for expires, alive in ((NOW - LEEWAY + 1, True), (NOW - LEEWAY, False)):
            self.store.token = attrs.evolve(TOKEN, expires=expires)
            validating = self.validator.validate(SECRET)
            if alive:
                self.successResultOf(validating)
            else:
                self.failureResultOf(validating, ExpiredToken)

    def test_outage(self) -> None:
        """
        That the store cannot be asked is no refusal (O 28).
        """
        self.store.reachable = False

        self.failureResultOf(self.validator.validate(SECRET), Outage)


class SignedOrOpaqueTests(SynchronousTestCase):
    """
    L{SignedOrOpaque}.
    """

    def setUp(self) -> None:
        """
        Both kinds.
        """
        self.issuer = MemoryIssuer(now=lambda: NOW)
        self.store = OneToken()
        self.validator = SignedOrOpaque(
            self.issuer.validator(), OpaqueTokenValidator(self.store, lambda: NOW)
        )

    def test_signed(self) -> None:
        """
        A signed token is verified, and looked up nowhere.
        """
        token = self.successResultOf(self.validator.validate(self.issuer.issue("alice")))

        self.assertEqual(token.owner, "alice")
        self.assertEqual(self.store.asked, [])

    def test_opaque(self) -> None:
        """
        An opaque one is looked up.
        """
        self.assertEqual(self.successResultOf(self.validator.validate(SECRET)), TOKEN)

    def test_garbage(self) -> None:
        """
        What is neither is refused (O 88).
        """
        for token in (b"", b".", b"..", b"a.b.c", b"a", b"x" * 2**20, b"\xff" * 43):
            self.failureResultOf(self.validator.validate(token), InvalidToken)
        self.assertEqual(self.store.asked, [])

    def test_asked(self) -> None:
        """
        An issuer that has to be asked about its tokens is asked about those that are signed, too;
        everybody else's are verified. What only looks like one is opaque (O 20).
        """
        elsewhere = MemoryIssuer("https://asked.example", now=lambda: NOW)
        theirs = elsewhere.issue("bob")
        opaque = Recorder()
        asked = Recorder()
        validator = SignedOrOpaque(self.issuer.validator(), opaque, {elsewhere.issuer: asked})

        self.assertEqual(self.successResultOf(validator.validate(theirs)), TOKEN)
        ours = self.successResultOf(validator.validate(self.issuer.issue("alice")))
        self.assertEqual(ours.owner, "alice")
        self.assertEqual(asked.asked, [theirs])
        unknown = MemoryIssuer("https://unknown.example", now=lambda: NOW).issue("bob")
        unnamed = self.issuer.issue("alice", iss=["https://asked.example"])
        for token in (unknown, unnamed):
            self.failureResultOf(validator.validate(token), InvalidToken)
        self.assertEqual(opaque.asked, [])
        others = [SECRET, b"ya29.a0Af", b"a.b.c", b"a.b.c.d", b""]
        for token in others:
            self.successResultOf(validator.validate(token))
        self.assertEqual((asked.asked, opaque.asked), ([theirs], others))


@implementer(ITokenValidator)
class Recorder:
    """
    Takes every token, and keeps it.
    """

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        self.asked.append(token)
        return succeed(TOKEN)


class OursFirstTests(SynchronousTestCase):
    """
    L{OursFirst}.
    """

    def setUp(self) -> None:
        """
        Ours, and those of one other.
        """
        self.store = OneToken()
        self.elsewhere = MemoryTokens(now=lambda: NOW)
        self.validator = OursFirst(OpaqueTokenValidator(self.store, lambda: NOW), self.elsewhere)

    def test_both(self) -> None:
        """
        Ours is ours, whatever the other would say, and what is not may be the other's.
        """
        theirs = self.elsewhere.issue("bob")
        self.assertEqual(self.successResultOf(self.validator.validate(SECRET)), TOKEN)
        self.assertEqual(self.successResultOf(self.validator.validate(theirs)).owner, "bob")
        self.failureResultOf(self.validator.validate(b"y" * 43), InvalidToken)

        self.elsewhere.reachable = False
        self.assertEqual(self.successResultOf(self.validator.validate(SECRET)), TOKEN)
        self.failureResultOf(self.validator.validate(b"y" * 43), Outage)

    def test_expired(self) -> None:
        """
        Nobody else is asked about one of ours that has expired.
        """
        self.elsewhere.reachable = False
        self.store.token = attrs.evolve(TOKEN, expires=NOW - LEEWAY)

        self.failureResultOf(self.validator.validate(SECRET), ExpiredToken)

    def test_outage(self) -> None:
        """
        Nor about one that may be ours, while nobody can tell (O 28).
        """
        self.store.reachable = False

        self.failureResultOf(self.validator.validate(self.elsewhere.issue("bob")), Outage)
