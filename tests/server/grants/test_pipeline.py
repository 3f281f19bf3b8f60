"""
Tests of the steps that all grants take.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailauth.errors import Outage
from mailauth.oauth.dpop import NONCE_LIFETIME, PROOF_LIFETIME
from mailauth.oauth.jwt import Signer, parseToken, thumbprint
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.grants.authorizationcode import AuthorizationCodeGrant

from ...jose import makeSigner
from ..issuance import HOST, ISSUER, NOW, PHONE, WEBMAIL, IssuanceCase, Unreachable, basic


def thumbprintOf(key: str) -> str:
    """
    Of one of the tests' keys.
    """
    return thumbprint(makeSigner("ES256", key).verifyingKey)


class GrantTypeTests(IssuanceCase):
    """
    Which way of asking it is.
    """

    def test_unknown(self) -> None:
        """
        What OAuth 2.1 took away is not there, nor is what is not implemented.
        """
        for name in ("password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "Code"):
            asking = self.ask(grant_type=name, client_id="phone", username="a", password="b")
            self.refused(asking, "unsupported_grant_type")

    def test_missing(self) -> None:
        """
        Whoever names none has forgotten something.
        """
        self.refused(self.ask(client_id="phone"), "invalid_request")

    def test_clientFirst(self) -> None:
        """
        Nobody hears anything about grants before he said who he is.
        """
        self.refused(self.ask(grant_type="password"), "invalid_client")
        self.refused(self.ask(grant_type="password", client_id="nobody"), "invalid_client")
        wrong = basic(WEBMAIL, "wrong")
        self.refused(self.ask(grant_type="password", authorization=wrong), "invalid_client")

    def test_notForThisClient(self) -> None:
        """
        A client may do what it registered for.
        """
        self.wait(self.stores.clients.remove("phone"))
        grantTypes = frozenset({"refresh_token"})
        self.wait(self.stores.clients.add(attrs.evolve(PHONE, grantTypes=grantTypes)))

        code = self.code(self.grant())
        self.refused(self.ask(**self.redeeming(code)), "unauthorized_client")


class ResourceTests(IssuanceCase):
    """
    For what a token is asked (RFC 8707).
    """

    def test_ours(self) -> None:
        """
        Any of ours can be named, several too: the token is the same (O 70).
        """
        for resources in (
            (),
            (HOST,),
            (f"imap://{HOST}", f"smtp://{HOST}", f"https://{HOST}/jmap/"),
        ):
            answer = self.redeem(resources=resources)
            self.assertEqual(
                parseToken(answer["access_token"].encode()).claims["aud"],
                "https://mail.example.test",
            )

    def test_unknown(self) -> None:
        """
        One that is not ours is refused, and the code stays good (O 70).
        """
        code = self.code(self.grant())
        for resources in (("https://evil.example",), (HOST, "imap://evil.example")):
            asking = self.ask(**self.redeeming(code, resources=resources))
            self.refused(asking, "invalid_target")

        self.assertIn("access_token", self.wait(self.ask(**self.redeeming(code))))

    def test_granted(self) -> None:
        """
        Where some were granted, no other can be had (O 70).
        """
        code = self.code(self.grant(resources=frozenset({f"imap://{HOST}"})))

        asking = self.ask(**self.redeeming(code, resources=(f"smtp://{HOST}",)))
        self.refused(asking, "invalid_target")

        redeeming = self.redeeming(code, resources=(f"imap://{HOST}",))
        self.assertIn("access_token", self.wait(self.ask(**redeeming)))


class OutageTests(IssuanceCase):
    """
    What happens when it cannot be decided.
    """

    def test_store(self) -> None:
        """
        If the store cannot say that the code is used, nobody gets anything, and the code is not
        spent (OA4).
        """
        code = self.code(self.grant())
        usual = self.tokens
        for method in ("findCode", "redeemCode"):
            store: Any = Unreachable(self.stores.grants, method)
            failing = AuthorizationCodeGrant(store, self.families)
            self.tokens = attrs.evolve(usual, grantTypes=(failing,))
            self.failureResultOf(self.waiting(self.ask(**self.redeeming(code))), Outage)

        self.tokens = usual
        self.assertIn("access_token", self.wait(self.ask(**self.redeeming(code))))

    def test_signer(self) -> None:
        """
        If there is no key to sign with, the code is not spent either.
        """
        code = self.code(self.grant())
        usual = self.tokens

        async def noSigner() -> Signer:
            raise Outage("no key")

        accessTokens = attrs.evolve(usual.accessTokens, signer=noSigner)
        self.tokens = attrs.evolve(
            usual, grantTypes=usual.grantTypes.values(), accessTokens=accessTokens
        )
        self.failureResultOf(self.waiting(self.ask(**self.redeeming(code))), Outage)

        self.tokens = usual
        self.assertIn("access_token", self.wait(self.ask(**self.redeeming(code))))


class ProofTests(IssuanceCase):
    """
    Tokens that are bound to a key (RFC 9449 section 5; O 69).
    """

    def test_bound(self) -> None:
        """
        Whoever proves that he has a key gets a token that is worth nothing without it.
        """
        answer = self.redeem(proof=self.proof("phone"))

        self.assertEqual(answer["token_type"], "DPoP")
        claims = parseToken(answer["access_token"].encode()).claims
        self.assertEqual(claims["cnf"], {"jkt": thumbprintOf("phone")})

    def test_boundOpaque(self) -> None:
        """
        So does whoever gets an opaque one.
        """
        pine = attrs.evolve(PHONE, clientId="pine", opaqueTokens=True)
        self.wait(self.stores.clients.add(pine))

        answer = self.redeem(pine, proof=self.proof("phone"))

        token = self.wait(self.validator.validate(answer["access_token"].encode()))
        self.assertTrue(token.bound)
        self.assertEqual(token.keyThumbprint, thumbprintOf("phone"))

    def test_refused(self) -> None:
        """
        A proof for another method or address, too old or too young, or none at all is refused, and
        the code stays good.
        """
        code = self.code(self.grant())
        for proof in (
            self.proof(htm="GET"),
            self.proof(htu=f"{ISSUER}/userinfo"),
            self.proof(htu="https://evil.example/token"),
            self.proof(iat=NOW - PROOF_LIFETIME - 1),
            self.proof(iat=NOW + PROOF_LIFETIME + 1),
            b"nonsense",
            b"",
        ):
            self.refused(self.ask(**self.redeeming(code, proof=proof)), "invalid_dpop_proof")

        self.assertIn("access_token", self.wait(self.ask(**self.redeeming(code))))

    def test_replay(self) -> None:
        """
        A proof counts once, also one of another request.
        """
        proof = self.proof()
        self.redeem(proof=proof)

        code = self.code(self.grant())
        self.refused(self.ask(**self.redeeming(code, proof=proof)), "invalid_dpop_proof")

    def test_samePlace(self) -> None:
        """
        Two keys may give their proofs the same name.
        """
        for key in ("one", "two"):
            self.assertEqual(self.redeem(proof=self.proof(key, jti="1"))["token_type"], "DPoP")

    def test_codeOfAnotherKey(self) -> None:
        """
        A code that was asked for with one key is redeemed with no other, and not without one
        (RFC 9449 section 10).
        """
        code = self.code(self.grant(keyThumbprint=thumbprintOf("phone")))
        for proof in (None, self.proof("thief")):
            self.refused(self.ask(**self.redeeming(code, proof=proof)), "invalid_dpop_proof")

        redeeming = self.redeeming(code, proof=self.proof("phone"))
        self.assertEqual(self.wait(self.ask(**redeeming))["token_type"], "DPoP")

    def test_foreignNonce(self) -> None:
        """
        Nobody has to put a nonce of ours into a proof; but if there is one, it is one of ours.
        """
        code = self.code(self.grant())
        asking = self.ask(**self.redeeming(code, proof=self.proof(nonce="made up")))
        self.refused(asking, "use_dpop_nonce")

        proof = self.proof(nonce=self.proofs.makeNonce())
        self.assertIn("access_token", self.wait(self.ask(**self.redeeming(code, proof=proof))))


class NonceTests(IssuanceCase):
    """
    An issuer that wants its nonces in proofs (RFC 9449 section 8; O 69).
    """

    needsNonce = True

    def test_needed(self) -> None:
        """
        Without one, or with an old one, there is no token.
        """
        code = self.code(self.grant())
        old = self.proofs.makeNonce()
        self.clock.advance(NONCE_LIFETIME + 1)
        code = self.code(self.grant())
        for nonce in ({}, {"nonce": old}, {"nonce": "x" * 32}):
            asking = self.ask(**self.redeeming(code, proof=self.proof(**nonce)))
            self.refused(asking, "use_dpop_nonce")

        proof = self.proof(nonce=self.proofs.makeNonce())
        self.assertIn("access_token", self.wait(self.ask(**self.redeeming(code, proof=proof))))

    def test_notForBearers(self) -> None:
        """
        Whoever binds nothing needs none.
        """
        self.assertEqual(self.redeem()["token_type"], "Bearer")


class SayingTests(IssuanceCase):
    """
    What refusals say.
    """

    def test_oneAnswer(self) -> None:
        """
        Every code and refresh token that is good for nothing gets the same answer, in characters
        that RFC 6749 section 5.2 allows (O 72).
        """
        used = self.code(self.grant())
        first = self.wait(self.ask(**self.redeeming(used)))["refresh_token"]
        self.refresh(self.refresh(first)["refresh_token"])
        expired = self.code(self.grant(), expires=NOW)
        dead = self.code(self.grant(scope=MAIL_SCOPE, expires=NOW))
        said = set()
        for form in (
            self.redeeming("nonsense"),
            self.redeeming(expired),
            self.redeeming(dead),
            self.redeeming(self.code(self.grant(WEBMAIL))),
            self.refreshing("nonsense"),
            self.refreshing(first),
            self.redeeming(used),
        ):
            error = self.failureResultOf(self.waiting(self.ask(**form)), OAuthError).value
            said.add(tuple(error.members().items()))

        ((code, description),) = said
        self.assertEqual(code, ("error", "invalid_grant"))
        self.assertRegex(description[1], r"\A[\x20\x21\x23-\x5b\x5d-\x7e]+\Z")
