"""
Tests of C{/token} on the wire.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import attrs
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher

from mailauth.server.grants.authorizationcode import AuthorizationCodeGrant
from mailauth.server.web.token import TokenResource

from ..issuance import SECRET, VERIFIER, WEBMAIL, IssuanceCase, Unreachable, basic
from .requests import FORM, Response, ask, post


class TokenCase(IssuanceCase):
    """
    The endpoint.
    """

    def send(self, form: dict[str, Any]) -> Response:
        """
        Send what L{IssuanceCase} makes.
        """
        form = dict(form)
        headers = [
            f"{name}: {form.pop(key).decode()}"
            for name, key in (("Authorization", "authorization"), ("DPoP", "proof"))
            if form.get(key) is not None
        ]
        return post(TokenResource(self.tokens), form, *headers)


class TokenTests(TokenCase):
    """
    L{TokenResource}.
    """

    def test_answer(self) -> None:
        """
        A token is given in JSON that nobody keeps (O 71).
        """
        response = self.send(self.redeeming(self.code(self.grant())))

        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-type"], "application/json")
        self.assertEqual(response.headers["cache-control"], "no-store")
        self.assertEqual(response.headers["pragma"], "no-cache")
        self.assertEqual(response.members["token_type"], "Bearer")

    def test_peer(self) -> None:
        """
        Where it was given is kept with the grant.
        """
        grant = self.grant()
        self.send(self.redeeming(self.code(grant)))

        self.assertEqual(self.kept(grant.grantId).address, "192.0.2.7")

    def test_wire(self) -> None:
        """
        What is no form is refused before anything is looked at: GET, a query, JSON, repeats, NUL
        and Latin-1 (O 65, OA15).
        """
        code = self.code(self.grant())
        form = urlencode(self.redeeming(code))
        resource = TokenResource(self.tokens)
        refused = [
            ask(resource, "GET", f"?{form}"),
            ask(resource, "POST", f"?{form}", FORM),
            ask(resource, "POST", "?x=y", FORM, body=form.encode()),
            ask(resource, "POST", "", "Content-Type: application/json", body=b"{}"),
            ask(resource, "POST", "", FORM, body=f"{form}&grant_type=refresh_token".encode()),
            ask(resource, "POST", "", FORM, body=f"{form}&client_id=phone".encode()),
            ask(resource, "POST", "", FORM, body=f"{form}&x=%00".encode()),
            ask(resource, "POST", "", FORM, body=f"{form}&x=%E4".encode()),
        ]

        self.assertEqual([each.status for each in refused], [405, *[400] * 7])
        self.assertEqual({each.members["error"] for each in refused}, {"invalid_request"})
        self.assertEqual(self.send(self.redeeming(code)).status, 200)

    def test_large(self) -> None:
        """
        A megabyte is not read (O 65, DS10).
        """
        form = {"grant_type": "refresh_token", "refresh_token": "x" * 2**20}

        self.assertEqual(post(TokenResource(self.tokens), form).status, 413)

    def test_invalidClient(self) -> None:
        """
        A client that did not prove who it is hears how it could, and the same if there is none
        (O 64).
        """
        code = self.code(self.grant(WEBMAIL))
        said = set()
        for client in (WEBMAIL, attrs.evolve(WEBMAIL, clientId="nobody")):
            form = self.redeeming(code, authorization=basic(client, "wrong"))
            form["client_id"] = client.clientId
            response = self.send(form)
            self.assertEqual(response.status, 401)
            headers = tuple(sorted((k, v) for k, v in response.headers.items() if k != "date"))
            said.add((headers, response.body))

        ((headers, _),) = said
        self.assertEqual(dict(headers)["www-authenticate"], 'Basic realm="mailauth"')

    def test_invalidGrant(self) -> None:
        """
        A refresh token that is dead is answered with 400 and C{invalid_grant}: mail clients sign in
        again on nothing else.
        """
        response = self.send(self.refreshing("x" * 64))

        self.assertEqual((response.status, response.members["error"]), (400, "invalid_grant"))
        self.assertNotIn("www-authenticate", response.headers)

    def test_outage(self) -> None:
        """
        An outage is 503, with a time and without JSON: mail clients keep their refresh token then
        (OA4).
        """
        code = self.code(self.grant())
        store: Any = Unreachable(self.stores.grants, "redeemCode")
        failing = AuthorizationCodeGrant(store, self.families)
        self.tokens = attrs.evolve(self.tokens, grantTypes=(failing,))

        response = self.send(self.redeeming(code))

        self.assertEqual(response.status, 503)
        self.assertEqual(response.headers["retry-after"], "5")
        self.assertTrue(response.headers["content-type"].startswith("text/plain"))

    def test_characters(self) -> None:
        """
        What an error says has the characters of RFC 6749 section 5.2 alone, whatever was sent
        (O 72).
        """
        strange = '"\\\x7f\u00e4\u2028'
        for form in (
            {"grant_type": strange, "client_id": "phone"},
            {"grant_type": "refresh_token", "refresh_token": strange, "client_id": "phone"},
            {"grant_type": "refresh_token", "client_id": strange},
            self.refreshing(self.redeem()["refresh_token"], scope=strange),
            {strange: strange},
        ):
            response = self.send(form)
            self.assertGreaterEqual(response.status, 400)
            for value in response.members.values():
                self.assertRegex(value, r"\A[\x20\x21\x23-\x5b\x5d-\x7e]+\Z")

    def test_crossOrigin(self) -> None:
        """
        A script of another origin may ask, without cookies (O 71).
        """
        form = self.redeeming(self.code(self.grant()))
        response = post(TokenResource(self.tokens), form, "Origin: https://webmail.example")

        self.assertEqual(response.headers["access-control-allow-origin"], "*")
        self.assertNotIn("access-control-allow-credentials", response.headers)


class NonceTests(TokenCase):
    """
    Proofs that need a nonce (O 69).
    """

    needsNonce = True

    def test_nonce(self) -> None:
        """
        Whoever needs one gets it, and succeeds with it (RFC 9449 section 8).
        """
        code = self.code(self.grant())

        response = self.send(self.redeeming(code, proof=self.proof()))

        self.assertEqual((response.status, response.members["error"]), (400, "use_dpop_nonce"))
        proof = self.proof(nonce=response.headers["dpop-nonce"])
        self.assertEqual(self.send(self.redeeming(code, proof=proof)).members["token_type"], "DPoP")

    def test_twoProofs(self) -> None:
        """
        Two proofs prove nothing (RFC 9449 section 4.3).
        """
        code = self.code(self.grant())
        proofs = [f"DPoP: {self.proof().decode()}" for _ in range(2)]

        response = post(TokenResource(self.tokens), self.redeeming(code), *proofs)

        self.assertEqual((response.status, response.members["error"]), (400, "invalid_request"))


class LogTests(TokenCase):
    """
    What the log hears (O 71, O 29, LG1).
    """

    def test_noSecrets(self) -> None:
        """
        No token, code, verifier or secret is in the log, whether all goes well or not.
        """
        log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)  # type: ignore[arg-type]  # any case will do
        code, other = self.code(self.grant(scope="openid offline_access")), self.code(self.grant())
        answer = self.send(self.redeeming(code)).members
        webmail = self.code(self.grant(WEBMAIL))
        for form in (
            self.redeeming(webmail, WEBMAIL),
            self.redeeming(webmail, WEBMAIL, authorization=basic(WEBMAIL, "guessed-secret")),
            self.redeeming(other, code_verifier="w" * 43),
            self.refreshing(answer["refresh_token"]),
            self.refreshing(answer["refresh_token"], scope="imap"),
            self.redeeming(code),
            self.redeeming(code, proof=self.proof()),
        ):
            self.send(form)

        written = repr([*log])
        self.assertIn("invalid_grant", written)
        for secret in (
            code,
            other,
            webmail,
            VERIFIER,
            SECRET,
            "guessed-secret",
            "w" * 43,
            basic(WEBMAIL).decode().removeprefix("Basic "),
            *(answer[name] for name in ("access_token", "refresh_token", "id_token")),
        ):
            self.assertNotIn(secret, written)
