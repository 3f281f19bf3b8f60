"""
Tests of the built-in issuer's keys.
"""

from __future__ import annotations

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.errors import InvalidToken, Outage
from mailauth.interfaces import IKeySource
from mailauth.oauth.jwt import Signer, UnusableKey, VerifyingKey, makePrivateKey
from mailauth.server.keys import (
    MAX_TOKEN_LIFETIME,
    PUBLISHED_FIRST,
    PURPOSE,
    UNKNOWN_INTERVAL,
    StoredKeys,
    newSigningKey,
    rotate,
    sealPlainKeys,
)
from mailauth.server.sealing import KEY_OCTETS, ServerSecret
from mailauth.stores.memory import MemoryRevocations, MemorySigningKeys
from mailauth.stores.records import CannotOpen, SigningKey

NOW = 1_800_000_000.0

SEALER = ServerSecret(b"\1" * KEY_OCTETS).sealer(PURPOSE)


class FailingKeys(MemorySigningKeys):
    """
    A store that can be out of reach, and counts how often it is read.
    """

    failing = False
    reads = 0

    def list(self) -> Deferred[tuple[SigningKey, ...]]:
        """
        Read, or fail.
        """
        self.reads += 1
        return fail(Outage("the disk is gone")) if self.failing else super().list()


class NewSigningKeyTests(SynchronousTestCase):
    """
    Making a key.
    """

    def test_name(self) -> None:
        """
        Its name says its algorithm and when it was made, and its secret is not in its repr.
        """
        key = newSigningKey(SEALER, NOW, "EdDSA")

        self.assertEqual(key.kid, f"eddsa-{int(NOW * 1000):x}")
        self.assertEqual((key.algorithm, key.created, key.retired), ("EdDSA", NOW, None))
        self.assertNotIn("PRIVATE", repr(key))

    def test_unknown(self) -> None:
        """
        No key is made for an algorithm that nobody signs with.
        """
        self.assertRaises(UnusableKey, newSigningKey, SEALER, NOW, "HS256")


class StoredKeysTests(SynchronousTestCase):
    """
    Keys that follow the store.
    """

    def setUp(self) -> None:
        """
        A store with one key.
        """
        self.seconds = 0.0
        self.now = NOW
        self.revocations = MemoryRevocations(lambda: self.now)
        self.store = FailingKeys(self.revocations)
        self.first = newSigningKey(SEALER, NOW)
        self.successResultOf(self.store.add(self.first))
        self.keys = StoredKeys(
            self.store, self.revocations, SEALER, lambda: self.seconds, lambda: self.now
        )

    def found(self, kid: str | None) -> VerifyingKey:
        """
        The key of that name.
        """
        return self.successResultOf(self.keys.find(kid))

    def signer(self) -> str:
        """
        The name of the key that signs.
        """
        return (
            self.successResultOf(Deferred.fromCoroutine(self.keys.signer())).verifyingKey.kid or ""
        )

    def rotate(self) -> SigningKey:
        """
        A new key for the old one.
        """
        self.now += 1
        new = newSigningKey(SEALER, self.now)
        self.successResultOf(self.store.add(new))
        self.successResultOf(self.store.retire(self.first.kid, self.now))
        return new

    def test_interface(self) -> None:
        """
        A validator can ask it.
        """
        self.assertTrue(verifyObject(IKeySource, self.keys))

    def test_find(self) -> None:
        """
        A key is found by its name, and read once.
        """
        self.assertEqual(self.found(self.first.kid).kid, self.first.kid)
        self.assertEqual(self.found(self.first.kid).kid, self.first.kid)
        self.assertEqual(self.store.reads, 1)

    def test_unknown(self) -> None:
        """
        A name that nobody knows, and no name, are refusals of the token.
        """
        for kid in ("made-up", None, ""):
            self.failureResultOf(self.keys.find(kid), InvalidToken)

    def test_flood(self) -> None:
        """
        However many names are made up, the store is read once in an interval.
        """
        for number in range(100):
            self.failureResultOf(self.keys.find(f"made-up-{number}"), InvalidToken)
        self.assertEqual(self.store.reads, 1)
        self.seconds += UNKNOWN_INTERVAL

        self.failureResultOf(self.keys.find("made-up"), InvalidToken)

        self.assertEqual(self.store.reads, 2)

    def test_rotated(self) -> None:
        """
        A new key is known, and published, as soon as the store says that there is one, also
        within the interval; and it signs.
        """
        self.found(self.first.kid)

        new = self.rotate()

        self.assertEqual([key.kid for key in self.keys.verifyingKeys()], [new.kid, self.first.kid])
        self.assertEqual(self.found(new.kid).kid, new.kid)
        self.assertEqual(self.signer(), new.kid)

    def test_retired(self) -> None:
        """
        A retired key verifies until the last token that it signed has expired, and is not
        published any longer than that.
        """
        new = self.rotate()
        self.found(self.first.kid)
        self.now += MAX_TOKEN_LIFETIME - 0.5
        self.assertEqual(self.found(self.first.kid).kid, self.first.kid)
        self.now += 0.5

        self.failureResultOf(self.keys.find(self.first.kid), InvalidToken)

        self.assertEqual([key.kid for key in self.keys.verifyingKeys()], [new.kid])

    def test_newestSigns(self) -> None:
        """
        Of several keys that are published for long enough the newest signs.
        """
        self.now += PUBLISHED_FIRST
        for age in (5, 1, 3):
            self.successResultOf(self.store.add(newSigningKey(SEALER, NOW - age)))

        self.assertEqual(self.signer(), self.first.kid)

    def test_published(self) -> None:
        """
        A new key is published for an hour before it signs, and then the old one signs nothing
        more: publish, wait, sign, retire (O 93).
        """
        self.now += 2 * PUBLISHED_FIRST
        new = newSigningKey(SEALER, self.now)

        self.successResultOf(Deferred.fromCoroutine(rotate(self.store, new, False)))

        self.assertEqual(self.signer(), self.first.kid)
        self.assertEqual([key.kid for key in self.keys.verifyingKeys()], [new.kid, self.first.kid])
        self.now += PUBLISHED_FIRST - 0.5
        self.assertEqual(self.signer(), self.first.kid)
        self.now += 0.5
        self.assertEqual(self.signer(), new.kid)
        self.now += MAX_TOKEN_LIFETIME
        self.assertEqual([key.kid for key in self.keys.verifyingKeys()], [new.kid])

    def test_rotatedAtOnce(self) -> None:
        """
        Whoever is in a hurry need not wait (O 93).
        """
        self.now += 1
        new = newSigningKey(SEALER, self.now)

        self.successResultOf(Deferred.fromCoroutine(rotate(self.store, new, True)))

        self.assertEqual(self.signer(), new.kid)

    def test_sealed(self) -> None:
        """
        The store has no private key that could be read without the key file, and a key under
        another's name cannot be used.
        """
        other = ServerSecret(b"\2" * KEY_OCTETS).sealer(PURPOSE)
        renamed = attrs.evolve(self.first, kid="renamed")
        for sealer, key in ((other, self.first), (SEALER, renamed)):
            store = MemorySigningKeys()
            self.successResultOf(store.add(key))
            keys = StoredKeys(store, self.revocations, sealer, lambda: 0.0, lambda: self.now)

            failure = self.failureResultOf(Deferred.fromCoroutine(keys.load()), CannotOpen)

            self.assertIn("another key file", str(failure.value))
        self.assertNotIn(b"PRIVATE", self.first.sealed)

    def test_sealPlain(self) -> None:
        """
        What an earlier version left as plain text is sealed, and goes on verifying.
        """
        pem = makePrivateKey()
        self.successResultOf(self.store.add(SigningKey("plain", "ES256", pem, NOW)))
        self.assertEqual(self.found("plain").kid, "plain")

        self.successResultOf(Deferred.fromCoroutine(sealPlainKeys(self.store, SEALER)))

        self.assertEqual(
            self.found("plain").key, Signer.fromPEM("plain", "ES256", pem).verifyingKey.key
        )
        for key in self.successResultOf(self.store.list()):
            self.assertNotIn(b"PRIVATE", key.sealed)

    def test_noneSigns(self) -> None:
        """
        Without a key nothing can be signed: an outage, which says what to do.
        """
        self.successResultOf(self.store.retire(self.first.kid, NOW))

        failure = self.failureResultOf(Deferred.fromCoroutine(self.keys.signer()), Outage)

        self.assertIn("mailauth key rotate", failure.value.reason)

    def test_outage(self) -> None:
        """
        While the store is out of reach the keys that are known go on being published, and nothing
        about a name is a refusal.
        """
        self.found(self.first.kid)
        self.store.failing = True
        self.seconds += UNKNOWN_INTERVAL

        self.failureResultOf(self.keys.find("made-up"), Outage)
        self.assertEqual(self.found(self.first.kid).kid, self.first.kid)
        self.successResultOf(self.revocations.touch(["signing-keys"]))
        self.failureResultOf(self.keys.find(self.first.kid), Outage)
        self.assertEqual(len(self.keys.verifyingKeys()), 1)

        self.store.failing = False
        self.assertEqual(self.found(self.first.kid).kid, self.first.kid)

    def test_otherTags(self) -> None:
        """
        What is none of its business does not make it read.
        """
        self.found(self.first.kid)

        self.successResultOf(self.revocations.revoke(["account:alice"], "gone"))
        self.found(self.first.kid)

        self.assertEqual(self.store.reads, 1)
