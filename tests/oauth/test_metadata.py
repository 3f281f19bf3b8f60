"""
Tests for L{mailauth.oauth.metadata}.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.metadata import (
    AUTHORIZATION_SERVER,
    OPENID_CONFIGURATION,
    PROTECTED_RESOURCE,
    authorizationServerMetadata,
    protectedResourceMetadata,
    wellKnownPath,
)
from mailauth.oauth.responses import writeJSON
from mailauth.scopes import KNOWN_SCOPES, MAIL_SCOPE

ISSUER = "https://login.example"


class AuthorizationServerTests(SynchronousTestCase):
    """
    The metadata of the issuer.
    """

    def describe(self, issuer: str = ISSUER, **options: bool) -> dict[str, Any]:
        """
        An issuer that signs with two algorithms.
        """
        return authorizationServerMetadata(issuer, KNOWN_SCOPES, {"RS256", "ES256"}, **options)

    def test_profile(self) -> None:
        """
        What mail clients look for (draft-ietf-mailmaint-oauth-public): codes with C{S256} and
        refresh tokens, no client authentication, registration, C{iss} in the answer, the scopes
        (O 92).
        """
        members = self.describe()

        self.assertEqual(ISSUER, members["issuer"])
        self.assertEqual(["code"], members["response_types_supported"])
        self.assertEqual(["query"], members["response_modes_supported"])
        self.assertEqual(["S256"], members["code_challenge_methods_supported"])
        self.assertIs(True, members["authorization_response_iss_parameter_supported"])
        self.assertEqual(f"{ISSUER}/register", members["registration_endpoint"])
        self.assertEqual(KNOWN_SCOPES, set(members["scopes_supported"]))
        for name in ("token_endpoint", "revocation_endpoint"):
            self.assertIn("none", members[f"{name}_auth_methods_supported"])
        self.assertLessEqual(
            {"authorization_code", "refresh_token"}, set(members["grant_types_supported"])
        )

    def test_endpoints(self) -> None:
        """
        Every endpoint is below the issuer, whether that ends in a slash or not, and no address is
        there twice (O 92).
        """
        for issuer in (ISSUER, f"{ISSUER}/", f"{ISSUER}/tenant", f"{ISSUER}:1443/tenant/"):
            members = self.describe(issuer)
            base = issuer.rstrip("/")
            self.assertEqual(issuer, members["issuer"])
            self.assertEqual(f"{base}/authorize", members["authorization_endpoint"])
            self.assertEqual(f"{base}/token", members["token_endpoint"])
            self.assertEqual(f"{base}/jwks.json", members["jwks_uri"])
            addresses = [
                value for name, value in members.items() if name.endswith(("_endpoint", "_uri"))
            ]
            self.assertEqual(10, len(set(addresses)))
            for address in addresses:
                self.assertRegex(address, rf"\A{base}/[a-z_.]+\Z")

    def test_openID(self) -> None:
        """
        What OpenID Connect Discovery 1.0 section 3 requires is there, and what is not done is not
        left to a default that says it were (O 92).
        """
        members = self.describe()

        self.assertEqual(["public"], members["subject_types_supported"])
        self.assertEqual(["ES256", "RS256"], members["id_token_signing_alg_values_supported"])
        self.assertEqual(
            ["none", "login", "consent", "select_account"], members["prompt_values_supported"]
        )
        self.assertIn("sub", members["claims_supported"])
        for name in ("claims_parameter", "request_parameter", "request_uri_parameter"):
            self.assertIs(False, members[f"{name}_supported"])
        for name in ("backchannel_logout", "backchannel_logout_session"):
            self.assertIs(True, members[f"{name}_supported"])

    def test_noSymmetricAlgorithms(self) -> None:
        """
        Nothing is signed with a shared secret, or not at all (TK1, TK2).
        """
        for name, values in self.describe().items():
            if "alg_values" in name:
                self.assertTrue(values)
                for value in values:
                    self.assertRegex(value, r"\A(ES|RS|PS|Ed)")

    def test_introspectionIsForTheKnown(self) -> None:
        """
        Whoever introspects proves who he is (OA13; O 87).
        """
        methods = self.describe()["introspection_endpoint_auth_methods_supported"]

        self.assertNotIn("none", methods)
        self.assertIn("client_secret_basic", methods)

    def test_nothingThatIsGone(self) -> None:
        """
        What OAuth 2.1 took away is not there (OA8).
        """
        document = writeJSON(self.describe())

        for word in (b"implicit", b'"password"', b"plain", b"token id_token", b"fragment"):
            self.assertNotIn(word, document)

    def test_options(self) -> None:
        """
        What can be switched off is not offered then.
        """
        self.assertNotIn("registration_endpoint", self.describe(registration=False))
        self.assertNotIn("client_id_metadata_document_supported", self.describe())
        self.assertIs(
            True, self.describe(clientDocuments=True)["client_id_metadata_document_supported"]
        )


class ProtectedResourceTests(SynchronousTestCase):
    """
    The metadata of a resource.
    """

    def test_members(self) -> None:
        """
        A resource says where its tokens come from, and that they go into a header (O 92).
        """
        members = protectedResourceMetadata("https://mail.example/jmap/", ISSUER, {MAIL_SCOPE})

        self.assertEqual("https://mail.example/jmap/", members["resource"])
        self.assertEqual([ISSUER], members["authorization_servers"])
        self.assertEqual([MAIL_SCOPE], members["scopes_supported"])
        self.assertEqual(["header"], members["bearer_methods_supported"])


class WellKnownTests(SynchronousTestCase):
    """
    Where the documents are.
    """

    def test_paths(self) -> None:
        """
        The path of an issuer stands behind OAuth's name and before OpenID Connect's (RFC 8414
        section 3.1, Discovery 1.0 section 4.1, RFC 9728 section 3.1; O 92).
        """
        oauth = f"/.well-known/{AUTHORIZATION_SERVER}"
        openID = f"/.well-known/{OPENID_CONFIGURATION}"
        resource = f"/.well-known/{PROTECTED_RESOURCE}"
        for identifier, name, expected in [
            ("https://a.example", AUTHORIZATION_SERVER, oauth),
            ("https://a.example/", AUTHORIZATION_SERVER, oauth),
            ("https://a.example:1443", AUTHORIZATION_SERVER, oauth),
            ("https://a.example/issuer1", AUTHORIZATION_SERVER, f"{oauth}/issuer1"),
            ("https://a.example/issuer1/", AUTHORIZATION_SERVER, f"{oauth}/issuer1"),
            ("https://a.example/a/b", AUTHORIZATION_SERVER, f"{oauth}/a/b"),
            ("https://a.example", OPENID_CONFIGURATION, openID),
            ("https://a.example/issuer1", OPENID_CONFIGURATION, f"/issuer1{openID}"),
            ("https://a.example/issuer1/", OPENID_CONFIGURATION, f"/issuer1{openID}"),
            ("https://a.example/jmap/", PROTECTED_RESOURCE, f"{resource}/jmap"),
            ("https://a.example", PROTECTED_RESOURCE, resource),
        ]:
            self.assertEqual(expected, wellKnownPath(identifier, name))
