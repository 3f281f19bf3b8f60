"""
An authorization server that lives in memory: it signs whatever a test asks for, and its own
resource server believes it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from time import time
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ..oauth.jwt import Signer, makeJWKS, makePrivateKey
from ..scopes import MAIL_SCOPE
from ..validators.claims import TrustedIssuer
from ..validators.jwt import JWTValidator
from ..validators.keys import StaticKeys


class MemoryIssuer:
    """
    Issues access tokens as RFC 9068 has them.

    @ivar issuer: its C{iss}.
    @ivar audience: for whom its tokens are, unless C{aud} says otherwise.
    @ivar signer: what it signs with, for tokens that no honest issuer would sign.
    """

    def __init__(
        self,
        issuer: str = "https://issuer.example",
        audience: str = "mail.example",
        algorithm: str = "ES256",
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param algorithm: C{"ES256"}, C{"RS256"} or C{"EdDSA"}.
        @param now: the wall clock, in seconds since the epoch.
        """
        self.issuer = issuer
        self.audience = audience
        self.signer = Signer.fromPEM("1", algorithm, makePrivateKey(algorithm))
        self._now = now
        self._tokenIds = count(1)

    def issue(
        self, subject: str, scope: str = MAIL_SCOPE, lifetime: float = 900.0, **claims: Any
    ) -> bytes:
        """
        Issue an access token.

        @param lifetime: in seconds; negative for a token that has expired.
        @param claims: more claims, or others than usual.
        """
        now = self._now()
        return self.signer.sign(
            {
                "iss": self.issuer,
                "sub": subject,
                "aud": self.audience,
                "iat": now,
                "exp": now + lifetime,
                "jti": str(next(self._tokenIds)),
                "client_id": "mail-client",
                "scope": scope,
                **claims,
            }
        )

    def jwks(self) -> bytes:
        """
        Its JWK set (RFC 7517 section 5).
        """
        return makeJWKS([self.signer.verifyingKey])

    def trusted(self) -> TrustedIssuer:
        """
        How a resource server is told of it.
        """
        keys = StaticKeys([self.signer.verifyingKey])
        return TrustedIssuer(self.issuer, keys, frozenset({self.audience}))

    def validator(self, now: Callable[[], float] | None = None) -> JWTValidator:
        """
        What validates its tokens.

        @param now: the wall clock of the resource server, or C{None} for the issuer's.
        """
        return JWTValidator([self.trusted()], now or self._now)


class KeycloakIssuer(MemoryIssuer):
    """
    Issues tokens of the shape that Keycloak gives them: all have one header, whatever they are, and
    say in a claim C{typ} what that is; the subject is a UUID, and the name is in another claim.
    """

    def __init__(
        self,
        issuer: str = "https://idp.example/realms/mail",
        audience: str = "mail",
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param audience: what its audience mapper is told to add.
        @param now: the wall clock, in seconds since the epoch.
        """
        super().__init__(issuer, audience, "RS256", now)

    def issueTo(self, username: str, kind: str = "Bearer", **claims: Any) -> bytes:
        """
        Issue a token.

        @param username: whose it is.
        @param kind: C{"Bearer"}, C{"ID"} or C{"Refresh"}.
        @param claims: more claims, or others than usual; C{None} leaves one out.
        """
        now = self._now()
        said = {
            "exp": now + 300,
            "iat": now,
            "jti": f"onrtac:{next(self._tokenIds)}",
            "iss": self.issuer,
            "aud": [self.audience, "account"],
            "sub": str(uuid5(NAMESPACE_URL, f"{self.issuer}#{username}")),
            "typ": kind,
            "azp": "thunderbird",
            "sid": "5a1e2b7c",
            "acr": "1",
            "realm_access": {"roles": ["offline_access", "uma_authorization"]},
            "resource_access": {"account": {"roles": ["manage-account", "view-profile"]}},
            "scope": f"openid profile email {MAIL_SCOPE}",
            "email_verified": True,
            "preferred_username": username,
            **claims,
        }
        return self._sign(said)

    def _sign(self, claims: dict[str, Any]) -> bytes:
        present = {name: value for name, value in claims.items() if value is not None}
        return self.signer.sign(present, "JWT")


class EntraIssuer(KeycloakIssuer):
    """
    Issues tokens of the shape that Microsoft Entra ID gives them, version 2.0: the subject is
    another for each client, who somebody is says C{oid}, and scopes are in C{scp}.
    """

    TENANT = "8c5bfd2e-2b8f-4e0a-9d2b-5a3f5f6f7a01"

    def __init__(
        self,
        issuer: str = f"https://login.microsoftonline.com/{TENANT}/v2.0",
        audience: str = "6e74172b-be56-4843-9ff4-e66a39bb12e3",
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param audience: the id of the application that exposes the API.
        @param now: the wall clock, in seconds since the epoch.
        """
        super().__init__(issuer, audience, now)

    def issueTo(self, username: str, kind: str = "Bearer", **claims: Any) -> bytes:
        """
        See L{KeycloakIssuer.issueTo}.

        @param kind: C{"Bearer"}, or C{"ID"} for an ID token, which is for the client and has no
            scope.
        """
        now = self._now()
        person = str(uuid5(NAMESPACE_URL, username))
        isID = kind == "ID"
        said = {
            "aud": "0c1b2a3d-client" if isID else self.audience,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 4000,
            "azp": None if isID else "0c1b2a3d-client",
            "azpacr": None if isID else "0",
            "name": "Alice",
            "oid": person,
            "preferred_username": username,
            "scp": None if isID else "IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send",
            "sub": f"{person}-for-this-client",
            "tid": self.TENANT,
            "uti": f"uti-{next(self._tokenIds)}",
            "ver": "2.0",
            **claims,
        }
        return self._sign(said)
