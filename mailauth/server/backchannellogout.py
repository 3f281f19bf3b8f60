"""
What external issuers say when somebody signs out there (OpenID Connect Back-Channel Logout 1.0).
Owns what that ends here: with one session what came of that, or else everything of one person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time

import attrs

from ..credentials import grantTag, subjectTag
from ..errors import InvalidToken
from ..interfaces import IRevocations
from ..oauth.interfaces import ISpent
from ..oauth.jwt import MalformedToken, parseToken
from ..oauth.logouttokens import EVENT, TYPE
from ..oauth.requests import Form
from ..oauth.responses import OAuthError
from ..oauth.tokens import LEEWAY
from ..validators.claims import optionalString, requiredString
from .issuerstatements import readStatement
from .reachedissuers import ReachedIssuer
from .sealing import digestOf

REASON = "You signed out"


@attrs.frozen(eq=False)
class BackchannelLogout:
    """
    Believes the issuers whose client we are.

    @ivar issuers: by their C{iss}.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    issuers: Mapping[str, ReachedIssuer]
    revocations: IRevocations
    spent: ISpent
    now: Callable[[], float] = time

    async def receive(self, form: Form) -> None:
        """
        Somebody signed out there.

        @raise OAuthError: the issuer does not say so.
        @raise Outage: nobody can tell, or it does not hold here yet.
        """
        try:
            tag = await self._read(form.required("logout_token"))
        except (MalformedToken, InvalidToken) as error:
            raise OAuthError(
                "invalid_request", "The logout_token was not accepted.", str(error)
            ) from None
        await self.revocations.revoke([tag], REASON)

    async def _read(self, text: str) -> str:
        """
        What the token ends, the first time that it comes (section 2.6).
        """
        token = parseToken(text.encode("utf-8"))
        issuer = self.issuers.get(str(token.claims.get("iss")))
        if issuer is None:
            raise InvalidToken("of no issuer that we know")
        claims = await readStatement(token, issuer, self.now(), TYPE, "JWT", None)
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
            raise InvalidToken("it tells of something else")
        if "nonce" in claims:
            raise InvalidToken("it has a nonce, as ID tokens have")
        url, session = issuer.settings.url, optionalString(claims, "sid")
        if session is None:
            tag = subjectTag(url, requiredString(claims, issuer.settings.subjectClaim))
        else:
            tag = grantTag(url, session)
        digest = digestOf("logout token", url, requiredString(claims, "jti"))
        if not await self.spent.spend(digest, claims["exp"] + LEEWAY, self.now()):
            raise InvalidToken("it was used before")
        return tag
