"""
Tests of the other endpoints that programs call, on the wire.
"""

from __future__ import annotations

from typing import Any

from mailauth.oauth.jwt import parseToken
from mailauth.server.web.deviceauthorization import DeviceAuthorizationResource
from mailauth.server.web.introspect import IntrospectionResource
from mailauth.server.web.par import PushedRequestResource
from mailauth.server.web.revoke import RevocationResource
from mailauth.server.web.userinfo import UserInfoResource

from ..issuance import (
    ALICE,
    CHALLENGE,
    DOVECOT,
    ISSUER,
    PHONE,
    REDIRECT,
    SECRET,
    IssuanceCase,
    basic,
)
from .requests import FORM, Response, ask, post


class IntrospectionTests(IssuanceCase):
    """
    L{IntrospectionResource}.
    """

    def introspect(self, token: str, *headers: str) -> Response:
        """
        Ask about a token.
        """
        authorization = f"Authorization: {basic(DOVECOT).decode()}"
        resource = IntrospectionResource(self.introspection)
        return post(resource, {"token": token}, authorization, *headers)

    def test_active(self) -> None:
        """
        The answer is JSON that nobody keeps.
        """
        response = self.introspect(self.redeem()["access_token"])

        self.assertEqual((response.status, response.members["username"]), (200, ALICE))
        self.assertIs(response.members["active"], True)
        self.assertEqual(response.headers["content-type"], "application/json")
        self.assertEqual(response.headers["cache-control"], "no-store")

    def test_inactive(self) -> None:
        """
        About what is not good it is the same few octets (O 88).
        """
        for token in ("nonsense", "x" * 43, "x" * 64, "a.b.c", self.redeem()["refresh_token"]):
            response = self.introspect(token)
            self.assertEqual((response.status, response.body), (200, b'{"active":false}'))

    def test_large(self) -> None:
        """
        A megabyte is not read (O 88, DS10).
        """
        self.assertEqual(self.introspect("x" * 2**20).status, 413)

    def test_unauthenticated(self) -> None:
        """
        Who does not say who he is hears 401, and how to (O 87).
        """
        form = {"token": self.redeem()["access_token"]}
        resource = IntrospectionResource(self.introspection)
        for headers in ([], [f"Authorization: {basic(DOVECOT, 'wrong').decode()}"]):
            response = post(resource, form, *headers)
            self.assertEqual((response.status, response.members["error"]), (401, "invalid_client"))
            self.assertEqual(response.headers["www-authenticate"], 'Basic realm="mailauth"')

    def test_token(self) -> None:
        """
        The token itself proves nothing here, and in an address it is refused: Dovecot's modes
        C{auth} and C{get} are not for this endpoint (O 87, WB10).
        """
        token = self.redeem()["access_token"]
        resource = IntrospectionResource(self.introspection)

        self.assertEqual(ask(resource, "GET", f"?token={token}").status, 405)
        self.assertEqual(ask(resource, "GET", "", f"Authorization: Bearer {token}").status, 405)
        response = post(resource, {"token": token}, f"Authorization: Bearer {token}")
        self.assertEqual(response.status, 401)

    def test_signed(self) -> None:
        """
        Who accepts a signed answer gets one (O 89).
        """
        accept = "Accept: application/token-introspection+jwt"

        response = self.introspect(self.redeem()["access_token"], accept)

        self.assertEqual(response.headers["content-type"], "application/token-introspection+jwt")
        claims = parseToken(response.body).claims
        self.assertEqual((claims["iss"], claims["aud"]), (ISSUER, "dovecot"))
        self.assertEqual(claims["token_introspection"]["username"], ALICE)

    def test_crossOrigin(self) -> None:
        """
        No script of another origin has a secret to ask with.
        """
        response = self.introspect("x", "Origin: https://webmail.example")

        self.assertNotIn("access-control-allow-origin", response.headers)


class RevocationTests(IssuanceCase):
    """
    L{RevocationResource}.
    """

    def test_revoked(self) -> None:
        """
        There is nothing to say, for what was revoked and for what is unknown (O 90).
        """
        resource = RevocationResource(self.revocation)
        said = set()
        for token in (self.redeem()["refresh_token"], "nonsense", self.redeem()["access_token"]):
            response = post(resource, {"token": token, "client_id": "phone"})
            said.add((response.status, response.body, response.headers["content-length"]))

        self.assertEqual(said, {(200, b"", "0")})

    def test_crossOrigin(self) -> None:
        """
        A script of another origin may give its tokens back (O 71).
        """
        form = {"token": "x", "client_id": "phone"}
        response = post(RevocationResource(self.revocation), form, "Origin: https://a.example")

        self.assertEqual(response.headers["access-control-allow-origin"], "*")

    def test_refused(self) -> None:
        """
        Who says no client hears that.
        """
        response = post(RevocationResource(self.revocation), {"token": "x"})

        self.assertEqual((response.status, response.members["error"]), (401, "invalid_client"))


class UserInfoTests(IssuanceCase):
    """
    L{UserInfoResource}.
    """

    needsNonce = True

    def setUp(self) -> None:
        """
        A token.
        """
        super().setUp()
        self.resource = UserInfoResource(self.userInfo)
        self.token: str = self.redeem(scope="openid email")["access_token"]

    def assertChallenged(self, response: Response, status: int, said: str) -> None:
        """
        Both schemes are offered, with what was wrong.
        """
        self.assertEqual(response.status, status)
        bearer, _, proof = response.headers["www-authenticate"].partition(", DPoP")
        self.assertEqual(bearer, f'Bearer realm="mailauth"{said}')
        self.assertRegex(proof, rf'\A realm="mailauth", algs="[A-Za-z0-9 ]*ES256[^"]*"{said}\Z')

    def test_get(self) -> None:
        """
        It is asked with GET or POST, with the token in the header (O 91).
        """
        header = f"Authorization: Bearer {self.token}"
        for response in (
            ask(self.resource, "GET", "", header),
            ask(self.resource, "GET", "?schema=openid", header),
            post(self.resource, {}, header),
        ):
            self.assertEqual(
                response.members, {"sub": ALICE, "email": ALICE, "email_verified": True}
            )
            self.assertEqual(response.headers["cache-control"], "no-store")

    def test_headerOnly(self) -> None:
        """
        In an address or a form a token is refused, though it is good (O 91, WB10).
        """
        for response in (
            ask(self.resource, "GET", f"?access_token={self.token}"),
            post(self.resource, {"access_token": self.token}),
            post(
                self.resource, {"access_token": self.token}, f"Authorization: Bearer {self.token}"
            ),
        ):
            self.assertEqual((response.status, response.members["error"]), (400, "invalid_request"))

    def test_missing(self) -> None:
        """
        Without a token there is a challenge that says no error (O 91, RFC 6750 section 3.1).
        """
        self.assertChallenged(ask(self.resource, "GET"), 401, "")

    def test_invalid(self) -> None:
        """
        With a bad one it says which (O 91).
        """
        response = ask(self.resource, "GET", "", "Authorization: Bearer nonsense")

        self.assertChallenged(response, 401, ', error="invalid_token"')

    def test_insufficient(self) -> None:
        """
        With one for something else it says for what it would have to be (O 91).
        """
        token = self.redeem(scope="email")["access_token"]
        response = ask(self.resource, "GET", "", f"Authorization: Bearer {token}")

        self.assertChallenged(response, 403, ', error="insufficient_scope", scope="openid"')

    def test_twice(self) -> None:
        """
        Two tokens are none.
        """
        header = f"Authorization: Bearer {self.token}"

        self.assertEqual(ask(self.resource, "GET", "", header, header).status, 400)

    def test_proof(self) -> None:
        """
        A bound token comes with a proof, whose errors are 401 here; whoever needs a nonce gets one
        (RFC 9449 sections 7.1 and 9; O 69).
        """
        nonce = self.proofs.makeNonce()
        proof = self.proof("phone", nonce=nonce)
        token = self.redeem(scope="openid", proof=proof)["access_token"]
        claims: dict[str, Any] = {"htm": "POST", "htu": f"{ISSUER}/userinfo"}

        def request(*headers: str) -> Response:
            return ask(self.resource, "POST", "", FORM, f"Authorization: DPoP {token}", *headers)

        self.assertChallenged(request(), 401, ', error="invalid_dpop_proof"')
        proof = self.proof("phone", token, **claims)
        response = request(f"DPoP: {proof.decode()}")
        self.assertChallenged(response, 401, ', error="use_dpop_nonce"')
        proof = self.proof("phone", token, nonce=response.headers["dpop-nonce"], **claims)
        self.assertEqual(request(f"DPoP: {proof.decode()}").members, {"sub": ALICE})

    def test_crossOrigin(self) -> None:
        """
        A script of another origin may ask, and read why not (O 71).
        """
        response = ask(self.resource, "GET", "", "Origin: https://webmail.example")

        self.assertEqual(response.headers["access-control-allow-origin"], "*")
        self.assertIn("WWW-Authenticate", response.headers["access-control-expose-headers"])


class PushedRequestTests(IssuanceCase):
    """
    L{PushedRequestResource} (O 45).
    """

    form = {
        "client_id": "phone",
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }

    def test_pushed(self) -> None:
        """
        A request that is taken is 201, and nobody keeps the answer.
        """
        response = post(PushedRequestResource(self.pushedRequests), self.form)

        self.assertEqual((response.status, response.members["expires_in"]), (201, 60))
        self.assertEqual(response.headers["cache-control"], "no-store")
        taking = self.pushedRequests.take(response.members["request_uri"], "phone")
        self.assertEqual(dict(self.wait(taking)), self.form)

    def test_method(self) -> None:
        """
        It is pushed by POST, and nothing stands in the address.
        """
        resource = PushedRequestResource(self.pushedRequests)
        query = "&".join(f"{name}={value}" for name, value in self.form.items())

        self.assertEqual(ask(resource, "GET", f"?{query}").status, 405)
        self.assertEqual(ask(resource, "POST", f"?{query}", FORM).status, 400)

    def test_refused(self) -> None:
        """
        What could not be answered is refused here, as JSON.
        """
        form = {name: value for name, value in self.form.items() if name != "code_challenge"}
        response = post(PushedRequestResource(self.pushedRequests), form)

        self.assertEqual((response.status, response.members["error"]), (400, "invalid_request"))

    def test_proof(self) -> None:
        """
        A proof is taken from its header, and whoever needs a nonce for it gets one (RFC 9449
        sections 8 and 10.1; O 69).
        """
        resource = PushedRequestResource(self.pushedRequests)

        def push(nonce: str) -> Response:
            proof = self.proof(htu=f"{ISSUER}/par", nonce=nonce)
            return post(resource, self.form, f"DPoP: {proof.decode()}")

        response = push("made up")
        self.assertEqual((response.status, response.members["error"]), (400, "use_dpop_nonce"))
        self.assertEqual(push(response.headers["dpop-nonce"]).status, 201)


class DeviceAuthorizationTests(IssuanceCase):
    """
    L{DeviceAuthorizationResource}.
    """

    def test_both(self) -> None:
        """
        A device asks by POST, or by GET as email-oauth2-proxy does.
        """
        resource = DeviceAuthorizationResource(self.devices)
        for response in (
            post(resource, {"client_id": "tv", "scope": "imap"}),
            ask(resource, "GET", "?client_id=tv&scope=imap&access_type=offline"),
        ):
            self.assertEqual(response.status, 200)
            code = self.wait(self.devices.find(response.members["user_code"], "browser"))
            assert code is not None
            self.assertEqual((code.scope, code.address), ({"imap"}, "192.0.2.7"))

    def test_secretInAddress(self) -> None:
        """
        A secret in an address is refused (WB10).
        """
        resource = DeviceAuthorizationResource(self.devices)
        for name in ("client_secret", "client_assertion"):
            response = ask(resource, "GET", f"?client_id=tv&{name}={SECRET.replace(' ', '+')}")
            self.assertEqual((response.status, response.members["error"]), (400, "invalid_request"))

    def test_refused(self) -> None:
        """
        A client that may not hears so (O 78).
        """
        response = post(DeviceAuthorizationResource(self.devices), {"client_id": PHONE.clientId})

        self.assertEqual((response.status, response.members["error"]), (400, "unauthorized_client"))
