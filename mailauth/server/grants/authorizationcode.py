"""
Authorization codes (RFC 6749 section 4.1.3). Owns what has to be right about one, and what happens
when it comes twice.
"""

from __future__ import annotations

from hashlib import sha256

import attrs
from twisted.logger import Logger

from ...oauth.interfaces import IGrants
from ...oauth.pkce import verifyChallenge
from ...oauth.records import AuthorizationCode, Grant, OpaqueToken
from .families import Families
from .pipeline import GrantType, Redemption, TokenRequest, invalidGrant

REPLAYED = "Access was revoked because its code was used twice."


@attrs.frozen(eq=False)
class AuthorizationCodeGrant(GrantType):
    """
    Redeems a code.
    """

    name = "authorization_code"
    _log = Logger()

    grants: IGrants
    families: Families

    async def find(self, request: TokenRequest) -> Redemption:
        """
        See L{GrantType.find}. Only the client that has the code's verifier is told more than no,
        and ends anything by sending it again.
        """
        digest = sha256(request.form.required("code").encode("utf-8")).digest()
        code = await self.grants.findCode(digest)
        if code is None or code.grant.clientId != request.client.clientId:
            raise invalidGrant("no such code of this client")
        redirectURI = request.form.get("redirect_uri")
        # OAuth 2.1 leaves it out: the verifier proves more than it did.
        leftOut = redirectURI is None and code.codeChallenge is not None
        if redirectURI != code.redirectURI and not leftOut:
            raise invalidGrant("another redirect_uri than the code was sent to")
        verifyChallenge(code.codeChallenge, request.form.get("code_verifier"))
        grant, refreshToken = self.families.begin(code.grant, request)

        async def redeem(opaque: OpaqueToken | None) -> bool:
            return await self._redeem(code, grant, opaque, request.now)

        return Redemption(grant, grant.scope, redeem, refreshToken, code.nonce)

    async def _redeem(
        self, code: AuthorizationCode, grant: Grant, opaque: OpaqueToken | None, now: float
    ) -> bool:
        if code.used is not None:
            # It leaked, or its client is broken: what it gave is taken back (RFC 6749 section
            # 4.1.2). A race that was lost only now is neither.
            self._log.warn("a code of {client} came again", client=grant.clientId)
            await self.grants.revoke(grant.grantId, REPLAYED)
            return False
        return await self.grants.redeemCode(code.digest, grant, opaque, now)
