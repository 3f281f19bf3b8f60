"""
Tests for L{mailauth.server.actions.factors}, L{mailauth.server.actions.keys} and
L{mailauth.server.actions.identities}.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pyotp

from mailauth.credentials import keyTag, subjectTag
from mailauth.server.actions.factors import AccountFactors, passkeyId
from mailauth.server.factors import WrongCode
from mailauth.server.keys import MAX_TOKEN_LIFETIME, PUBLISHED_FIRST
from mailauth.stores.records import Identity, NotFound
from mailauth.testing.stores import NOW, makePasskey

from .case import ADMINISTRATOR, ALICE, BOB, ISSUER, OWNER, AdministrationCase

COMPANY = "https://idp.example"


class FactorActionsTests(AdministrationCase):
    """
    What an account signs in with besides its password.
    """

    def setUp(self) -> None:
        """
        The actions.
        """
        super().setUp()
        self.factors = self.administration.factors

    def test_totp(self) -> None:
        """
        An authenticator is given and taken away, and the owner hears of both by mail.
        """
        enrolment = self.got(self.factors.enrolTOTP(OWNER, ALICE))
        self.assertEqual(AccountFactors(NOW, 10, ()), self.got(self.factors.list(ALICE)))
        self.assertIn("mail.example.test", enrolment.uri)

        self.got(self.factors.removeTOTP(ADMINISTRATOR, ALICE))
        self.refused(NotFound, self.factors.removeTOTP(ADMINISTRATOR, ALICE))

        self.assertEqual(AccountFactors(None, 0, ()), self.got(self.factors.list(ALICE)))
        self.assertEqual(["totp_set", "totp_removed"], self.kinds())
        self.assertEqual([ALICE, ALICE], [account for account, _ in self.delivered])
        for secret in (*enrolment.recoveryCodes, _secretOf(enrolment.uri)):
            self.assertNotIn(secret, str(self.delivered) + str(self.events()))

    def test_proposedTOTP(self) -> None:
        """
        One that is proposed counts with its first code, and is an event only then.
        """
        proposal = self.factors.proposeTOTP(ALICE, "browser")
        code = pyotp.TOTP(_secretOf(proposal.uri)).at(int(NOW))

        self.refused(
            WrongCode, self.factors.confirmTOTP(OWNER, ALICE, proposal.sealed, "000", "browser")
        )
        self.assertEqual([], self.events())
        self.got(self.factors.confirmTOTP(OWNER, ALICE, proposal.sealed, code, "browser"))

        self.assertEqual(NOW, self.got(self.factors.list(ALICE)).totp)
        self.assertEqual([("totp_set", OWNER, ALICE, "")], self.events())

    def test_recoveryCodes(self) -> None:
        """
        Recovery codes are made anew for whoever has an authenticator that could be lost.
        """
        self.refused(NotFound, self.factors.renewRecoveryCodes(OWNER, ALICE))
        old = self.got(self.factors.enrolTOTP(OWNER, ALICE)).recoveryCodes

        new = self.got(self.factors.renewRecoveryCodes(OWNER, ALICE))

        self.assertTrue(frozenset(old).isdisjoint(new))
        self.assertEqual(10, self.got(self.factors.list(ALICE)).recoveryCodes)
        self.assertEqual(["totp_set", "recovery_codes_made"], self.kinds())

    def test_passkeys(self) -> None:
        """
        A passkey is renamed and removed by its short id, and only from its own account.
        """
        passkey = makePasskey("telephone", ALICE)
        self.got(self.stores.factors.addPasskey(passkey))
        identifier = passkeyId(passkey)

        self.refused(NotFound, self.factors.removePasskey(OWNER, BOB, identifier))
        self.refused(NotFound, self.factors.renamePasskey(OWNER, BOB, identifier, "x"))
        self.got(self.factors.renamePasskey(OWNER, ALICE, identifier, "My telephone"))
        [renamed] = self.got(self.factors.list(ALICE)).passkeys
        self.got(self.factors.removePasskey(OWNER, ALICE, identifier))

        self.assertEqual("My telephone", renamed.name)
        self.assertEqual((), self.got(self.factors.list(ALICE)).passkeys)
        self.assertEqual(["passkey_renamed", "passkey_removed"], self.kinds())
        [(_, message)] = self.delivered
        self.assertIn("The passkey 'My telephone'", message)

    def test_nobody(self) -> None:
        """
        An account that is not there signs in with nothing.
        """
        self.refused(NotFound, self.factors.list("nobody"))
        self.refused(NotFound, self.factors.enrolTOTP(ADMINISTRATOR, "nobody"))
        self.assertEqual([], self.events())


def _secretOf(uri: str) -> str:
    return parse_qs(urlsplit(uri).query)["secret"][0]


class KeyActionsTests(AdministrationCase):
    """
    Signing keys.
    """

    def test_rotated(self) -> None:
        """
        The first key signs at once; the next is published for an hour before it does, or is told
        not to wait.
        """
        keys = self.administration.keys
        first = self.got(keys.rotate(ADMINISTRATOR))
        self.clock.advance(60.0)
        second = self.got(keys.rotate(ADMINISTRATOR, "RS256"))
        self.assertEqual((True, False), (first.signs, second.signs))
        self.assertEqual(NOW + 60.0 + PUBLISHED_FIRST, second.signsFrom)

        self.clock.advance(60.0)
        third = self.got(keys.rotate(ADMINISTRATOR, atOnce=True))

        listed = self.got(keys.list())
        self.assertEqual([third.key.kid, second.key.kid, first.key.kid], _kids(listed))
        self.assertEqual([True, False, False], [state.signs for state in listed])
        self.assertEqual(
            [("key_rotated", ADMINISTRATOR, None, kid) for kid in _kids(listed)[::-1]],
            self.events(),
        )

    def test_revoked(self) -> None:
        """
        Of a key that is in wrong hands nothing is believed any more, and another signs.
        """
        keys = self.administration.keys
        kid = self.got(keys.rotate(ADMINISTRATOR)).key.kid
        self.clock.advance(60.0)

        new = self.got(keys.revoke(ADMINISTRATOR, kid))
        self.refused(NotFound, keys.revoke(ADMINISTRATOR, "made-up"))
        again = self.got(keys.revoke(ADMINISTRATOR, kid))

        assert new is not None
        signing, revoked = self.got(keys.list())
        self.assertEqual((new.kid, True), (signing.key.kid, signing.signs))
        self.assertEqual(NOW + 60.0 - MAX_TOKEN_LIFETIME, revoked.key.retired)
        self.assertIsNone(again)
        self.assertTrue(self.stores.revocations.covers([keyTag(ISSUER, kid)], NOW))
        self.assertEqual(["key_rotated", "key_revoked", "key_revoked"], self.kinds())


def _kids(states: object) -> list[str]:
    assert isinstance(states, tuple)
    return [state.key.kid for state in states]


class IdentityActionsTests(AdministrationCase):
    """
    Who people are to others.
    """

    def test_linked(self) -> None:
        """
        An account is linked with a subject and unlinked from it, and from no other.
        """
        identities = self.administration.identities
        self.got(identities.link(ADMINISTRATOR, ALICE, COMPANY, "1"))
        linked = self.got(identities.list(ALICE))

        self.refused(NotFound, identities.unlink(ADMINISTRATOR, BOB, COMPANY, "1"))
        self.refused(NotFound, identities.unlink(ADMINISTRATOR, ALICE, COMPANY, "2"))
        self.got(identities.unlink(ADMINISTRATOR, ALICE, COMPANY, "1"))

        self.assertEqual((Identity(COMPANY, "1", ALICE, NOW),), linked)
        self.assertEqual((), self.got(identities.list(ALICE)))
        self.assertTrue(self.stores.revocations.covers([subjectTag(COMPANY, "1")], NOW))
        self.assertEqual(
            [
                ("identity_linked", ADMINISTRATOR, ALICE, f"1 of {COMPANY}"),
                ("identity_unlinked", ADMINISTRATOR, ALICE, f"1 of {COMPANY}"),
            ],
            self.events(),
        )

    def test_unknown(self) -> None:
        """
        What is neither a name of an issuer nor an address is said to be none.
        """
        identities = self.administration.identities

        self.assertIn(
            "company", self.refused(NotFound, identities.link(ADMINISTRATOR, ALICE, "company", "1"))
        )
        self.refused(NotFound, identities.list("nobody"))
        self.refused(NotFound, identities.link(ADMINISTRATOR, "nobody", COMPANY, "1"))
        self.assertEqual([], self.events())
