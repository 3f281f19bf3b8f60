"""
Tests of when a token is used again, and of what happens if it cannot be kept.
"""

from __future__ import annotations

import attrs
import keyring
from keyring.backend import KeyringBackend
from keyring.errors import PasswordSetError
from twisted.trial.unittest import SynchronousTestCase

from mailauth.tokenclient.failures import Outage, Refusal
from mailauth.tokenclient.fresh import freshToken, keepTokens
from mailauth.tokenclient.signins import SignIn, SignIns

from ..server.deployment import makeDirectory
from .otherserver import OtherServer, Said, inJSON
from .test_signins import ALICE
from .test_tokens import GOOD


class Ring(KeyringBackend):
    """
    A keyring that can be locked.
    """

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        """
        See the parent.
        """
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """
        See the parent.
        """
        if self.locked:
            raise PasswordSetError
        self.secrets[service, username] = password


class FreshTests(SynchronousTestCase):
    """
    Alice is signed in, at the time 1000 for 900 seconds.
    """

    def setUp(self) -> None:
        """
        Her server.
        """
        self.server = OtherServer(makeDirectory(self))
        self.addCleanup(self.server.close)
        self.signIns = SignIns(makeDirectory(self) / "state")
        self.alice = attrs.evolve(
            ALICE,
            tokenEndpoint=f"{self.server.issuer}/token",
            authority=self.server.authority,
        )
        self.save(self.alice)

    def save(self, signIn: SignIn) -> None:
        """
        Keep it.
        """
        self.signIns.save(signIn)

    def token(self, now: float, *said: Said) -> str:
        """
        The token at a time, with these answers of the server.
        """
        self.server.answers["/token"] = [*said] or [Said(503, b"")]
        return freshToken(self.signIns, ALICE.address, lambda: now)

    def test_used(self) -> None:
        """
        It is used until a minute before its end; then there is another one, from that time on.
        """
        for now in (1000.0, 1839.9):
            self.assertEqual("an access token", self.token(now))
        self.assertEqual("a.b-c", self.token(1840.0, inJSON(GOOD)))
        self.assertEqual("a.b-c", self.token(2600.0))
        self.assertEqual(1, len(self.server.forms))

    def test_short(self) -> None:
        """
        One that lives for less than two minutes is used for the first half of that.
        """
        self.save(attrs.evolve(self.alice, lifetime=50.0))

        self.assertEqual("an access token", self.token(1024.9))
        self.assertEqual("a.b-c", self.token(1025.0, inJSON({**GOOD, "expires_in": 0})))
        # One that nobody knows the life of is used once.
        self.assertEqual("d", self.token(1025.0, inJSON({**GOOD, "access_token": "d"})))

    def test_outage(self) -> None:
        """
        While there is no answer it is used to its end, and nothing is forgotten.
        """
        self.assertEqual("an access token", self.token(1899.9))
        self.assertRaises(Outage, self.token, 1900.0)
        self.assertEqual(self.alice, self.signIns.get(ALICE.address))

    def test_over(self) -> None:
        """
        A refusal of the refresh token or of the client ends it; any other changes nothing.
        """
        for code in ("invalid_grant", "invalid_client", "unauthorized_client"):
            self.save(self.alice)
            self.assertRaises(Refusal, self.token, 1900.0, inJSON({"error": code}, 400))
            kept = self.signIns.get(ALICE.address)
            assert kept is not None
            self.assertTrue(kept.over)
            self.assertIsNone(kept.accessToken)
        self.save(self.alice)
        for code in ("invalid_scope", "invalid_request"):
            self.assertRaises(Refusal, self.token, 1900.0, inJSON({"error": code}, 400))
            self.assertEqual(self.alice, self.signIns.get(ALICE.address))

    def test_full(self) -> None:
        """
        Where nothing can be written no refresh token is spent.
        """
        (self.signIns.directory / f"{self.signIns.path(ALICE.address).name}.new").mkdir()

        self.assertRaises(Outage, self.token, 1900.0, inJSON(GOOD))

        self.assertEqual([], self.server.forms)

    def test_keyring(self) -> None:
        """
        A refresh token that is in the keyring is rotated there. If the keyring does not take the
        next one the file has it, and it goes on.
        """
        ring = Ring()
        self.addCleanup(keyring.set_keyring, keyring.get_keyring())
        keyring.set_keyring(ring)
        kept = keepTokens(self.signIns, attrs.evolve(self.alice, keyring=True))
        self.assertEqual((True, None), (kept.keyring, kept.refreshToken))
        self.assertEqual(["a refresh token"], [*ring.secrets.values()])

        self.token(1900.0, inJSON(GOOD))

        self.assertEqual("a refresh token", self.server.forms[0]["refresh_token"])
        self.assertEqual(["r2"], [*ring.secrets.values()])
        self.assertNotIn("r2", self.signIns.path(ALICE.address).read_text())
        ring.locked = True
        self.token(2900.0, inJSON({**GOOD, "refresh_token": "r3"}))
        self.token(3900.0, inJSON({**GOOD, "refresh_token": "r4"}))
        self.assertEqual(["r2", "r3"], [form["refresh_token"] for form in self.server.forms[1:]])
        last = self.signIns.get(ALICE.address)
        assert last is not None
        self.assertEqual((False, "r4"), (last.keyring, last.refreshToken))
