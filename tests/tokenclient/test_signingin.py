"""
Tests of the waiting for somebody with another computer, and of whom a token is for. The rest is
tested with the command.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.tokenclient.discovery import AuthorizationServer, fetchMetadata
from mailauth.tokenclient.failures import Outage, Refusal
from mailauth.tokenclient.signingin import Client, byBrowser, byDevice, checkOwner, register
from mailauth.tokenclient.tokens import Tokens
from mailauth.tokenclient.web import Web

from ..server.deployment import makeDirectory
from .otherserver import METADATA, OtherServer, Said, inJSON
from .test_tokens import GOOD

TOLD = {
    "device_code": "d",
    "user_code": "BCDF-GHJK",
    "verification_uri": "https://localhost/device",
    "expires_in": 600,
    "interval": 5,
}


def refused(code: str) -> Said:
    """
    A refusal.
    """
    return inJSON({"error": code}, 400)


class SigningInTestCase(SynchronousTestCase):
    """
    A server that knows everything but how to be asked.
    """

    def setUp(self) -> None:
        """
        It.
        """
        self.other = OtherServer(makeDirectory(self))
        self.addCleanup(self.other.close)
        self.other.answers[METADATA] = [inJSON(self.other.metadata)]
        self.web = Web(self.other.authority)
        self.server = fetchMetadata(self.web, self.other.issuer)
        self.told: list[str] = []
        self.client = Client(self.web, self.server, "client", self.told.append)


class DeviceTests(SigningInTestCase):
    """
    The code, and the waiting.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        super().setUp()
        self.pauses: list[float] = []
        self.other.answers["/device"] = [inJSON(TOLD)]

    def signIn(self, *said: Said) -> Tokens:
        """
        Sign in, with these answers of the token endpoint, in no time.
        """
        self.other.answers["/token"] = [*said]
        return byDevice(self.client, self.pauses.append, lambda: sum(self.pauses))

    def test_waits(self) -> None:
        """
        It asks as often as it was told, five seconds less often for each complaint, and half as
        often while there is no answer (RFC 8628 section 3.5).
        """
        pending, slower = refused("authorization_pending"), refused("slow_down")

        tokens = self.signIn(pending, slower, pending, slower, Said(503, b""), inJSON(GOOD))

        self.assertEqual("a.b-c", tokens.accessToken)
        self.assertEqual([5, 5, 10, 10, 15, 30], self.pauses)
        [told] = self.told
        self.assertIn("Go to https://localhost/device on any computer or phone,", told)
        self.assertIn("type BCDF-GHJK there.", told)
        self.assertEqual("d", self.other.forms[-1]["device_code"])

    def test_ends(self) -> None:
        """
        It ends when somebody said no, when the code is too old, says the server or the clock, and
        with any other refusal.
        """
        for code, sentence in (
            ("access_denied", "Nothing was allowed."),
            ("expired_token", "The code is too old now."),
            ("invalid_grant", "(invalid_grant)"),
            ("authorization_pending", "The code is too old now."),
        ):
            del self.pauses[:]
            error = self.assertRaises(Refusal, self.signIn, refused(code))
            self.assertIn(sentence, str(error))
        self.assertLess(sum(self.pauses), 600)

    def test_untrue(self) -> None:
        """
        Numbers that are none are those of the standard, one that is too small is made larger, and
        what has no end has one.
        """
        for interval in (None, -1, 0, 0.001, "1", True):
            del self.pauses[:]
            told = {**TOLD, "interval": interval, "expires_in": 1e12}
            self.other.answers["/device"] = [inJSON(told)]

            self.assertRaises(Refusal, self.signIn, refused("authorization_pending"))

            self.assertGreaterEqual(min(self.pauses), 1)
            self.assertLessEqual(sum(self.pauses), 1800)

    def test_useless(self) -> None:
        """
        An answer without a code, or that sends people where nothing is encrypted, is none.
        """
        for change in (
            {"device_code": None},
            {"user_code": 1},
            {"verification_uri": "http://localhost/device"},
            {"verification_uri": None},
        ):
            self.other.answers["/device"] = [inJSON({**TOLD, **change})]
            self.assertRaises(Outage, self.signIn, inJSON(GOOD))
        self.assertEqual([], self.told)

    def test_without(self) -> None:
        """
        A server that has no such endpoint is not asked.
        """
        server = AuthorizationServer("https://a.example", True, "https://a.example/token")
        client = Client(self.web, server, "client", self.told.append)

        self.assertRaises(Refusal, byDevice, client, self.pauses.append)
        self.assertRaises(Refusal, byBrowser, client, "alice@example.test", self.told.append)
        self.assertRaises(Refusal, register, self.web, server)


class OwnerTests(SigningInTestCase):
    """
    Whose token it is.
    """

    def check(self, said: Said) -> None:
        """
        Check it, with this answer of the userinfo endpoint.
        """
        self.other.metadata["userinfo_endpoint"] = f"{self.other.issuer}/userinfo"
        self.other.answers[METADATA] = [inJSON(self.other.metadata)]
        self.other.answers["/userinfo"] = [said]
        server = fetchMetadata(self.web, self.other.issuer)
        checkOwner(self.web, server, "token", "alice@example.test")

    def test_owner(self) -> None:
        """
        The owner is taken, and where nobody says who it is; another one is not, and an outage is no
        answer.
        """
        checkOwner(self.web, self.server, "token", "alice@example.test")
        self.check(inJSON({"email": "Alice@example.test"}))
        self.check(inJSON({"sub": "1"}))
        self.check(refused("insufficient_scope"))
        self.check(Said(404, b""))
        self.assertRaises(Refusal, self.check, inJSON({"email": "bob@example.test"}))
        self.assertRaises(Outage, self.check, Said(503, b""))
        self.assertRaises(Outage, self.check, Said(200, b"<html>"))
