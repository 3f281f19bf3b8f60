"""
Tests for L{mailauth.server.passkeys}.
"""

from __future__ import annotations

import json
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.records import Passkey
from mailauth.server.passkeys import (
    CHALLENGE_LIFETIME,
    MAX_PASSKEYS,
    CannotRegister,
    InvalidPasskey,
    Passkeys,
)
from mailauth.server.sealing import KEY_OCTETS, ServerSecret
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account

from .authenticator import Authenticator, decode, encode

NOW = 1_800_000_000.0
ALICE, BOB = "alice@example.test", "bob@example.test"
ISSUER = "https://mail.example.test:1443/auth"
ORIGIN = "https://mail.example.test:1443"
BROWSER = "the cookie of a browser"


class PasskeysTestCase(SynchronousTestCase):
    """
    Stores, a clock, and an authenticator of alice's.
    """

    def setUp(self) -> None:
        """
        Let alice and bob have accounts.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        self.stores = MemoryStores(self.clock.seconds)
        for name in (ALICE, BOB):
            self.successResultOf(self.stores.accounts.add(Account(name)))
        self.passkeys = self.makePasskeys()
        self.authenticator = Authenticator(ORIGIN)

    def makePasskeys(self, issuer: str = ISSUER) -> Passkeys:
        """
        The passkeys of an issuer.
        """
        secret = ServerSecret(bytes(KEY_OCTETS))
        return Passkeys(
            issuer,
            self.stores.factors,
            self.stores.spent,
            secret.sealer("passkey-challenges"),
            secret.sealer("user-handles"),
            self.clock.seconds,
        )

    def got(self, coroutine: Any) -> Any:
        """
        What a coroutine returns.
        """
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def refused(self, error: type[Exception], coroutine: Any) -> None:
        """
        A coroutine raises that.
        """
        self.failureResultOf(Deferred.fromCoroutine(coroutine), error)

    def register(self, account: str = ALICE, name: str = "laptop") -> Passkey:
        """
        Add what the authenticator holds.
        """
        options, sealed = self.got(self.passkeys.registrationOptions(account, BROWSER))
        response = self.authenticator.create(options)
        passkey: Passkey = self.got(
            self.passkeys.register(account, sealed, response, name, BROWSER)
        )
        return passkey


class RegistrationTests(PasskeysTestCase):
    """
    L{Passkeys.registrationOptions} and L{Passkeys.register}.
    """

    def test_options(self) -> None:
        """
        A browser is asked for a passkey that is found without a name and verifies its holder.
        """
        options, _ = self.got(self.passkeys.registrationOptions(ALICE, BROWSER))

        asked = json.loads(options)
        self.assertEqual("mail.example.test", asked["rp"]["id"])
        self.assertEqual(ALICE, asked["user"]["name"])
        self.assertEqual("required", asked["authenticatorSelection"]["residentKey"])
        self.assertEqual("required", asked["authenticatorSelection"]["userVerification"])

    def test_handle(self) -> None:
        """
        What an authenticator knows an account by says nothing about its owner, and is the same
        each time.
        """
        handles = [
            decode(json.loads(options)["user"]["id"])
            for options, _ in (
                self.got(self.passkeys.registrationOptions(account, BROWSER))
                for account in (ALICE, ALICE, BOB)
            )
        ]

        self.assertEqual(handles[0], handles[1])
        self.assertNotEqual(handles[0], handles[2])
        self.assertNotIn(b"alice", handles[0])

    def test_registered(self) -> None:
        """
        The passkey is the account's, under the name that its owner gave it.
        """
        passkey = self.register(name="my phone " * 20)

        self.assertEqual(ALICE, passkey.account)
        self.assertEqual(("my phone " * 20)[:64], passkey.name)
        self.assertEqual(NOW, passkey.created)
        self.assertEqual((passkey,), self.successResultOf(self.stores.factors.listPasskeys(ALICE)))

    def test_selfAttestation(self) -> None:
        """
        An authenticator may sign for itself, if it does so rightly.
        """
        self.authenticator.attestation = "packed"
        self.register()

        other = Authenticator(ORIGIN, attestation="packed")
        options, sealed = self.got(self.passkeys.registrationOptions(ALICE, BROWSER))
        honest = json.loads(other.create(options))
        attestation = decode(honest["response"]["attestationObject"])
        signature = attestation.index(b"csig") + 20
        forged = (
            attestation[:signature]
            + bytes([attestation[signature] ^ 1])
            + attestation[signature + 1 :]
        )
        honest["response"]["attestationObject"] = encode(forged)
        self.refused(
            CannotRegister,
            self.passkeys.register(ALICE, sealed, json.dumps(honest), "forged", BROWSER),
        )

    def test_knownAreExcluded(self) -> None:
        """
        An authenticator that has a passkey for the account is told not to make another one.
        """
        passkey = self.register()

        options, _ = self.got(self.passkeys.registrationOptions(ALICE, BROWSER))

        excluded = [decode(each["id"]) for each in json.loads(options)["excludeCredentials"]]
        self.assertEqual([passkey.credentialId], excluded)

    def test_notTwice(self) -> None:
        """
        A passkey that is somebody's is nobody else's.
        """
        self.register()
        options, sealed = self.got(self.passkeys.registrationOptions(BOB, BROWSER))
        response = self.authenticator.create(options)

        self.refused(CannotRegister, self.passkeys.register(BOB, sealed, response, "mine", BROWSER))

    def test_notTooMany(self) -> None:
        """
        An account has a bounded number of passkeys.
        """
        for number in range(MAX_PASSKEYS):
            passkey = Passkey(bytes([number]), ALICE, "one of many", b"")
            self.successResultOf(self.stores.factors.addPasskey(passkey))

        self.refused(CannotRegister, self.passkeys.registrationOptions(ALICE, BROWSER))

    def test_notTooManyAtOnce(self) -> None:
        """
        However many registrations are under way.
        """
        for number in range(MAX_PASSKEYS - 1):
            passkey = Passkey(bytes([number]), ALICE, "one of many", b"")
            self.successResultOf(self.stores.factors.addPasskey(passkey))
        begun = [self.got(self.passkeys.registrationOptions(ALICE, BROWSER)) for _ in range(2)]
        (first, sealed), (second, alsoSealed) = begun
        response = self.authenticator.create(first)
        self.got(self.passkeys.register(ALICE, sealed, response, "the last", BROWSER))

        response = Authenticator(ORIGIN).create(second)
        self.refused(
            CannotRegister,
            self.passkeys.register(ALICE, alsoSealed, response, "one too many", BROWSER),
        )

    def test_refused(self) -> None:
        """
        Of another origin, for another relying party, without verifying its holder, or no response
        at all: nothing is added (O 59).
        """
        options, sealed = self.got(self.passkeys.registrationOptions(ALICE, BROWSER))
        honest = self.authenticator.create(options)
        responses = {
            "origin": attrs.evolve(self.authenticator, origin="https://mail.example.test").create(
                options
            ),
            "look-alike": attrs.evolve(
                self.authenticator, origin="https://mail.example.test:1443.evil.test"
            ).create(options),
            "relying party": attrs.evolve(self.authenticator, rpId="example.test").create(options),
            "unverified": attrs.evolve(self.authenticator, verifies=False).create(options),
            "other kind": self.authenticator.get(self.passkeys.authenticationOptions(BROWSER)[0]),
            "empty": "",
            "no object": "[]",
            "null": "null",
            "deep": "[" * 10_000,
            "not strings": json.dumps({**json.loads(honest), "response": {"clientDataJSON": 1}}),
        }

        for name, response in responses.items():
            with self.subTest(name):
                self.refused(
                    CannotRegister,
                    self.passkeys.register(ALICE, sealed, response, "forged", BROWSER),
                )
        self.assertEqual((), self.successResultOf(self.stores.factors.listPasskeys(ALICE)))

    def test_challenge(self) -> None:
        """
        A challenge is good in one browser, for one account, for ten minutes, once, and not for
        signing in (O 59).
        """
        options, sealed = self.got(self.passkeys.registrationOptions(ALICE, BROWSER))
        response = self.authenticator.create(options)

        def register(account: str = ALICE, challenge: str = sealed, browser: str = BROWSER) -> Any:
            return self.passkeys.register(account, challenge, response, "laptop", browser)

        self.refused(CannotRegister, register(account=BOB))
        self.refused(CannotRegister, register(browser="another"))
        self.refused(CannotRegister, register(challenge=""))
        self.refused(
            CannotRegister, register(challenge=self.passkeys.authenticationOptions(BROWSER)[1])
        )
        passkey = self.got(register())
        self.successResultOf(self.stores.factors.removePasskey(ALICE, passkey.credentialId))
        self.refused(CannotRegister, register())
        options, late = self.got(self.passkeys.registrationOptions(ALICE, BROWSER))
        response = self.authenticator.create(options)
        self.clock.advance(CHALLENGE_LIFETIME)
        self.refused(CannotRegister, register(challenge=late))


class AuthenticationTests(PasskeysTestCase):
    """
    L{Passkeys.authenticationOptions} and L{Passkeys.verify}.
    """

    def setUp(self) -> None:
        """
        Let alice have a passkey.
        """
        super().setUp()
        self.passkey = self.register()

    def verify(self, authenticator: Authenticator | None = None) -> Any:
        """
        Sign in with what an authenticator answers, alice's if none is named.
        """
        options, sealed = self.passkeys.authenticationOptions(BROWSER)
        response = (authenticator or self.authenticator).get(options)
        return self.passkeys.verify(sealed, response, BROWSER)

    def test_options(self) -> None:
        """
        A browser is asked for any passkey that verifies its holder: nobody is told which an
        account has (O 53).
        """
        options, _ = self.passkeys.authenticationOptions(BROWSER)

        asked = json.loads(options)
        self.assertEqual("mail.example.test", asked["rpId"])
        self.assertEqual("required", asked["userVerification"])
        self.assertEqual([], asked.get("allowCredentials", []))

    def test_verified(self) -> None:
        """
        The passkey is found by itself, and its use is noted.
        """
        self.clock.advance(60)

        self.assertEqual(self.passkey, self.got(self.verify()))
        (found,) = self.successResultOf(self.stores.factors.listPasskeys(ALICE))
        self.assertEqual(NOW + 60, found.lastUse)

    def test_otherIssuers(self) -> None:
        """
        The origin is that of the issuer's address, with its port and without its path.
        """
        for issuer, origin in (
            ("https://localhost:1443", "https://localhost:1443"),
            ("https://mail.example.test/", "https://mail.example.test"),
        ):
            self.passkeys = self.makePasskeys(issuer)
            self.authenticator = Authenticator(origin)
            passkey = self.register()

            self.assertEqual(passkey, self.got(self.verify()))

    def test_refused(self) -> None:
        """
        Of another origin, for another relying party, without verifying its holder, of a key that
        is not the registered one, an unknown one, or one that takes the account for another's
        (O 59).
        """
        honest = self.authenticator
        other = Authenticator(ORIGIN)
        wrong = {
            "origin": attrs.evolve(honest, origin="https://mail.example.test"),
            "http": attrs.evolve(honest, origin="http://mail.example.test:1443"),
            "null": attrs.evolve(honest, origin="null"),
            "relying party": attrs.evolve(honest, rpId="example.test"),
            "unverified": attrs.evolve(honest, verifies=False),
            "other key": attrs.evolve(honest, key=other.key),
            "unknown": attrs.evolve(honest, credentialId=other.credentialId),
            "no handle": attrs.evolve(honest, userHandle=None),
            "bob's handle": attrs.evolve(honest, userHandle=encode(b"bob")),
        }

        for name, authenticator in wrong.items():
            with self.subTest(name):
                self.refused(InvalidPasskey, self.verify(authenticator))
        self.assertEqual(self.passkey, self.got(self.verify()))

    def test_malformed(self) -> None:
        """
        What is no response is refused like any other, whatever it is.
        """
        options, sealed = self.passkeys.authenticationOptions(BROWSER)
        honest = json.loads(self.authenticator.get(options))
        responses = [
            "",
            "{",
            "null",
            "[]",
            "{}",
            "[" * 10_000,
            json.dumps({**honest, "id": "other"}),
            json.dumps({**honest, "type": "password"}),
            json.dumps({**honest, "response": None}),
        ]
        responses += [
            json.dumps({**honest, "response": {**honest["response"], name: value}})
            for name in ("clientDataJSON", "authenticatorData", "signature", "userHandle")
            for value in (None, 7, "", "!", "AAAA", ["AAAA"])
        ]

        for response in responses:
            with self.subTest(response[:300]):
                self.refused(InvalidPasskey, self.passkeys.verify(sealed, response, BROWSER))

    def test_challengeOnce(self) -> None:
        """
        A challenge is answered once, though the answer may be good (WB11; O 59).
        """
        options, sealed = self.passkeys.authenticationOptions(BROWSER)
        response = self.authenticator.get(options)

        self.got(self.passkeys.verify(sealed, response, BROWSER))
        self.refused(InvalidPasskey, self.passkeys.verify(sealed, response, BROWSER))

    def test_challengeOfThisBrowser(self) -> None:
        """
        A challenge is worth nothing in another browser, later, for another challenge's answer, or
        made up (O 59).
        """
        options, sealed = self.passkeys.authenticationOptions(BROWSER)
        _, another = self.passkeys.authenticationOptions(BROWSER)
        _, registering = self.got(self.passkeys.registrationOptions(ALICE, BROWSER))
        response = self.authenticator.get(options)

        self.refused(InvalidPasskey, self.passkeys.verify(sealed, response, "another"))
        self.refused(InvalidPasskey, self.passkeys.verify(another, response, BROWSER))
        self.refused(InvalidPasskey, self.passkeys.verify(registering, response, BROWSER))
        self.refused(InvalidPasskey, self.passkeys.verify(encode(bytes(99)), response, BROWSER))
        self.clock.advance(CHALLENGE_LIFETIME)
        self.refused(InvalidPasskey, self.passkeys.verify(sealed, response, BROWSER))

    def test_counter(self) -> None:
        """
        A counter has to grow, or there is a copy of the authenticator (O 59).
        """
        self.authenticator = Authenticator(ORIGIN, counter=7)
        self.register(BOB)

        for counter, good in ((8, True), (8, False), (7, False), (0, False), (9, True)):
            authenticator = attrs.evolve(self.authenticator, counter=counter)
            with self.subTest(str(counter)):
                if good:
                    self.got(self.verify(authenticator))
                else:
                    self.refused(InvalidPasskey, self.verify(authenticator))

    def test_copiesAtOnce(self) -> None:
        """
        Of an authenticator and its copy that come at the same time, one is in (WB11; O 59).
        """
        self.authenticator = Authenticator(ORIGIN, counter=7)
        passkey = self.register(BOB)
        self.authenticator.counter = 8
        found: list[Deferred[Passkey | None]] = []

        def find(credentialId: bytes) -> Deferred[Passkey | None]:
            found.append(Deferred())
            return found[-1]

        self.stores.factors.findPasskey = find  # type: ignore[method-assign]
        first, second = (Deferred.fromCoroutine(self.verify()) for _ in range(2))
        for waiting in found:
            waiting.callback(passkey)

        self.assertEqual(passkey, self.successResultOf(first))
        error = self.failureResultOf(second, InvalidPasskey).value
        self.assertIn("counter", error.reason)

    def test_nothingIsWrittenForStrangers(self) -> None:
        """
        Whoever has no passkey spends nothing, so that he fills no table (DS14).
        """
        options, sealed = self.passkeys.authenticationOptions(BROWSER)
        forged = attrs.evolve(self.authenticator, key=Authenticator(ORIGIN).key).get(options)

        self.refused(InvalidPasskey, self.passkeys.verify(sealed, forged, BROWSER))

        honest = self.authenticator.get(options)
        self.assertEqual(self.passkey, self.got(self.passkeys.verify(sealed, honest, BROWSER)))
