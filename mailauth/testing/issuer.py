"""
An authorization server that lives in memory: it signs whatever a test asks for, and its own
resource server believes it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from time import time
from typing import Any

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
