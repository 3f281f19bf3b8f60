"""
Tests of what is made of the answers of a token endpoint.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.tokenclient.failures import OAuthRefusal, Outage
from mailauth.tokenclient.tokens import Tokens, refresh, revoke
from mailauth.tokenclient.web import Web

from ..server.deployment import makeDirectory
from .otherserver import OtherServer, Said, inJSON

GOOD = {"access_token": "a.b-c", "token_type": "bearer", "expires_in": 900, "refresh_token": "r2"}


class TokensTests(SynchronousTestCase):
    """
    A server that says this and that.
    """

    def setUp(self) -> None:
        """
        It.
        """
        self.server = OtherServer(makeDirectory(self))
        self.addCleanup(self.server.close)
        self.web = Web(self.server.authority)

    def refresh(self, *said: Said) -> Tokens:
        """
        Use a refresh token, with these answers.
        """
        self.server.answers["/token"] = [*said]
        return refresh(self.web, f"{self.server.issuer}/token", "client", "r1")

    def test_good(self) -> None:
        """
        A good answer is taken, and no secret of it is seen.
        """
        tokens = self.refresh(inJSON(GOOD))

        self.assertEqual(Tokens("a.b-c", "r2", 900.0), tokens)
        self.assertNotIn("a.b-c", repr(tokens))
        self.assertNotIn("r2", repr(tokens))
        form = {"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "client"}
        self.assertEqual([form], self.server.forms)

    def test_lifetime(self) -> None:
        """
        A life that is none, or absurd, is taken for nothing: the token is used at once, and never
        again.
        """
        lives: list[object] = [None, "900", True, -1, 1e300, float("nan"), float("inf"), []]
        for lifetime in lives:
            tokens = self.refresh(inJSON({**GOOD, "expires_in": lifetime}))
            self.assertEqual(0.0, tokens.lifetime, lifetime)

    def test_notRotated(self) -> None:
        """
        A server that does not rotate says nothing of the refresh token.
        """
        members = {name: value for name, value in GOOD.items() if name != "refresh_token"}

        self.assertIsNone(self.refresh(inJSON(members)).refreshToken)

    def test_outages(self) -> None:
        """
        What is no answer of a token endpoint decides nothing, nor does a token that could be more
        than a token where it is printed.
        """
        all = (
            *(Said(503, b"later"), Said(500, b""), Said(429, b""), Said(200, b"<html>")),
            *(Said(302, b""), Said(404, b"<html>"), Said(200, b"[]"), Said(400, b'"a"')),
            *(inJSON({"error": "temporarily_unavailable"}, 400), inJSON({"error": 1}, 400)),
            inJSON({"error": "invalid_grant"}, 503),
            inJSON({"error": "server_error"}, 400),
            inJSON({**GOOD, "token_type": "DPoP"}),
            *(inJSON({**GOOD, "access_token": bad}) for bad in ("", 'a"', "a\nb", "a b", "ä", 1)),
        )
        for said in all:
            self.assertRaises(Outage, self.refresh, said)
        # Who answered is not asked again.
        self.assertEqual(len(all), len(self.server.forms))

    def test_refused(self) -> None:
        """
        A refusal has its code, and its reason for a person, without what a terminal would obey.
        """
        members = {"error": "invalid_grant", "error_description": "It is\x1b[2J over."}

        error = self.assertRaises(OAuthRefusal, self.refresh, inJSON(members, 400))

        self.assertEqual("invalid_grant", error.code)
        self.assertIn("It is?[2J over. (invalid_grant)", str(error))

    def test_revoke(self) -> None:
        """
        To revoke is to send the refresh token; what does not work at the moment did not revoke it.
        """
        endpoint = f"{self.server.issuer}/revoke"
        self.server.answers["/revoke"] = [Said(200, b""), Said(503, b""), Said(201, b"{}")]

        revoke(self.web, endpoint, "client", "r1")

        form = {"token": "r1", "token_type_hint": "refresh_token", "client_id": "client"}
        self.assertEqual([form], self.server.forms)
        for _ in range(2):
            self.assertRaises(Outage, revoke, self.web, endpoint, "client", "r1")
        self.server.answers["/revoke"] = [inJSON({"error": "invalid_client"}, 401)]
        self.assertRaises(OAuthRefusal, revoke, self.web, endpoint, "client", "r1")
