"""
A company whose people sign in at an authorization server of its own, in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from twisted.internet.task import Clock

from mailauth.oauth.logouttokens import EVENT
from mailauth.policy import TokenPolicy
from mailauth.server.externalissuers import ExternalIssuer
from mailauth.server.reachedissuers import ReachedIssuer
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.clientauthentication import ClientSecret
from mailauth.validators.discovery import Discovery
from mailauth.validators.keys import FetchedKeys

from ..jose import makeSigner
from ..validators.web import ISSUER, JWKS, METADATA, Web, answer, jwks

TOKEN, USERINFO = METADATA["token_endpoint"], METADATA["userinfo_endpoint"]
CLIENT_ID = "mailauth"
SUBJECT, SESSION = "8e5f1c", "session-1"


class Company:
    """
    Its authorization server, and what we are to it.

    @ivar reached: how it is reached.
    @ivar policy: whom it may speak for.
    """

    def __init__(self, clock: Clock, now: Callable[[], float], **settings: Any) -> None:
        """
        @param settings: of the configuration, where they are not the usual ones.
        """
        self.now = now
        self.signer = makeSigner()
        self.web = Web(clock)
        self.web.says[JWKS] = jwks(self.signer)
        usual: dict[str, Any] = {
            "name": "company",
            "url": ISSUER,
            "audience": frozenset({"mail.example"}),
            "domains": frozenset({"example.test"}),
            "discovery": f"{ISSUER}/.well-known/openid-configuration",
            "usernameClaim": "email",
            "clientId": CLIENT_ID,
            "clientSecret": "a secret",
            "signIn": True,
        }
        self.settings = ExternalIssuer(**{**usual, **settings})
        fetcher: Any = self.web
        discovery = Discovery(ISSUER, self.web.get, clock.seconds)
        keys = FetchedKeys(
            ISSUER, lambda: discovery.locate("jwks_uri"), self.web.get, clock.seconds
        )
        self.reached = ReachedIssuer(
            self.settings,
            fetcher,
            discovery,
            TrustedIssuer(ISSUER, keys, self.settings.audience, external=True),
            ClientSecret(CLIENT_ID, "a secret"),
        )
        self.policy = TokenPolicy(
            domains={ISSUER: self.settings.domains},
            creating=frozenset({ISSUER} if self.settings.accounts == "create" else ()),
        )

    def claims(self, location: str, **claims: Any) -> dict[str, Any]:
        """
        What it says about somebody who was sent there, and signed in half an hour ago.

        @param location: where he was sent.
        @param claims: what it says otherwise; C{None} for what it does not.
        """
        now = self.now()
        usual = {
            "iss": ISSUER,
            "sub": SUBJECT,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "auth_time": now - 1800,
            "nonce": sentTo(location)["nonce"],
            "sid": SESSION,
            "amr": ["pwd", "otp"],
            "email": "alice@example.test",
            "email_verified": True,
        }
        said = {**usual, **claims}
        return {name: value for name, value in said.items() if value is not None}

    def idToken(self, location: str, **claims: Any) -> bytes:
        """
        The same, signed.
        """
        return self.signer.sign(self.claims(location, **claims), "JWT")

    def gives(self, location: str, **claims: Any) -> None:
        """
        Its token endpoint takes the code of whoever was sent there. See L{claims}.
        """
        token = self.idToken(location, **claims).decode("ascii")
        self.web.says[TOKEN] = answer({"access_token": "the access token", "id_token": token})

    def logoutToken(self, type: str = "logout+jwt", **claims: Any) -> bytes:
        """
        What it says when somebody signs out.
        """
        now = self.now()
        usual = {
            "iss": ISSUER,
            "sub": SUBJECT,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": "1",
            "events": {EVENT: {}},
            "sid": SESSION,
        }
        said = {**usual, **claims}
        return self.signer.sign(
            {name: value for name, value in said.items() if value is not None}, type
        )


def sentTo(location: str) -> dict[str, str]:
    """
    What somebody is sent to the issuer with.
    """
    return dict(parse_qsl(urlsplit(location).query))
