"""
Tests of whether what was issued is still good. What ends a grant or a token is tested where it is
used.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailauth.credentials import accountTag, grantTag, subjectTag
from mailauth.errors import InvalidCredentials, InvalidToken
from mailauth.oauth.records import Authentication
from mailauth.server.liveness import clientSubject, isClientSubject
from mailauth.stores.records import Account
from mailauth.testing.issuer import MemoryIssuer
from mailauth.usernames import canonicalName

from .issuance import ALICE, AUDIENCE, BOB, NOW, PHONE, Held, IssuanceCase


class LivenessTests(IssuanceCase):
    """
    L{Liveness<mailauth.server.liveness.Liveness>}.
    """

    def test_live(self) -> None:
        """
        A grant lives until it has ended, to the second.
        """
        for expires, lives in ((None, True), (NOW + 1, True), (NOW, False)):
            grant = self.grant(expires=expires)
            self.assertIs(self.wait(self.liveness.isLive(grant)), lives)

    def test_revocationsOfOthers(self) -> None:
        """
        What is revoked for others, or was before, ends nothing.
        """
        before = self.grant()
        self.clock.advance(120)
        self.wait(self.stores.revocations.revoke([accountTag(ALICE)], "Revoked."))
        self.clock.advance(120)
        self.wait(self.stores.revocations.revoke([accountTag(BOB)], "Revoked."))

        self.assertTrue(self.wait(self.liveness.isLive(self.grant())))
        self.assertFalse(self.wait(self.liveness.isLive(before)))

    def test_sinceTheSignIn(self) -> None:
        """
        What counts for an account is when its owner signed in, and for a client when he allowed it:
        one that is removed and added again starts anew.
        """
        self.wait(self.stores.clients.remove("phone"))
        self.wait(self.stores.clients.add(PHONE))
        self.clock.advance(10)

        self.assertTrue(self.wait(self.liveness.isLive(self.grant())))
        self.wait(self.stores.accounts.setPassword(ALICE, "hash"))
        self.clock.advance(10)
        self.assertFalse(self.wait(self.liveness.isLive(self.grant())))

    def test_elsewhere(self) -> None:
        """
        What was granted by whoever signed in through another issuer ends with who he is there, and
        not when he signs out there: a mail program stays (TK18).
        """
        issuer = "https://idp.example"
        there = Authentication(ALICE, NOW, issuer=issuer, subject="1", issuerSession="session")
        grant = attrs.evolve(self.grant(), authentication=there)

        self.wait(self.stores.revocations.revoke([grantTag(issuer, "session")], "Signed out."))
        self.assertTrue(self.wait(self.liveness.isLive(grant)))
        self.wait(self.stores.revocations.revoke([subjectTag(issuer, "1")], "Unlinked."))
        self.assertFalse(self.wait(self.liveness.isLive(grant)))

    def test_meanwhile(self) -> None:
        """
        Whatever is revoked while somebody looks counts (O 26, CS2).
        """
        accounts = Held(self.stores.accounts, "get")
        asked: Any = accounts
        liveness = attrs.evolve(self.liveness, accounts=asked)
        token = self.redeem()["access_token"]
        living = self.waiting(liveness.isLive(self.grant()))
        validating = self.waiting(liveness.validate(token.encode()))
        self.clock.rightNow = NOW - 3600
        self.wait(self.stores.revocations.revoke([accountTag(ALICE)], "Revoked."))
        self.clock.rightNow = NOW

        accounts.release()

        self.assertFalse(self.successResultOf(living))
        self.failureResultOf(validating, InvalidToken)

    def test_otherIssuer(self) -> None:
        """
        A token of another issuer opens mailboxes, if the configuration says so, and nothing here.
        """
        external = MemoryIssuer("https://other.example", AUDIENCE, now=self.clock.seconds)
        liveness = attrs.evolve(self.liveness, validator=external.validator())

        validating = self.waiting(liveness.validate(external.issue(ALICE)))

        self.failureResultOf(validating, InvalidToken)

    def test_clientSubject(self) -> None:
        """
        A client's own tokens name what can be no account.
        """
        for clientId in ("robot", ALICE, ""):
            subject = clientSubject(clientId)
            self.assertTrue(isClientSubject(subject))
            self.assertRaises(InvalidCredentials, canonicalName, subject)
            self.assertRaises(InvalidCredentials, canonicalName, subject, "example.test")
        self.assertFalse(isClientSubject(Account(ALICE).name))
