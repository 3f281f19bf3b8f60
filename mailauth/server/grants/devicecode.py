"""
Device codes (RFC 8628 section 3.4). Owns how often a device may ask.
"""

from __future__ import annotations

from hashlib import sha256

import attrs
from twisted.logger import Logger

from ...oauth.interfaces import IDeviceCodes, IGrants
from ...oauth.records import DeviceCode, Grant, OpaqueToken
from ...oauth.responses import OAuthError
from .authorizationcode import REPLAYED
from .families import Families
from .pipeline import GrantType, Redemption, TokenRequest, invalidGrant

SLOWER = 5.0
"""
By how many seconds a device that asks too often has to wait longer (RFC 8628 section 3.5).
"""


@attrs.frozen(eq=False)
class DeviceCodeGrant(GrantType):
    """
    Redeems what somebody allowed a device.
    """

    name = "urn:ietf:params:oauth:grant-type:device_code"
    _log = Logger()

    deviceCodes: IDeviceCodes
    grants: IGrants
    families: Families

    async def find(self, request: TokenRequest) -> Redemption:
        """
        See L{GrantType.find}.
        """
        digest = sha256(request.form.required("device_code").encode("utf-8")).digest()
        code = await self.deviceCodes.find(digest)
        if code is None or code.clientId != request.client.clientId:
            raise invalidGrant("no such device code of this client")
        if code.denied:
            raise OAuthError("access_denied", "Somebody said no.")
        if code.used is None and code.expires <= request.now:
            raise OAuthError("expired_token", "The device code has expired. Ask for another.")
        if code.grant is None:
            raise await self._wait(code, request.now)
        grant, refreshToken = self.families.begin(code.grant, request)

        async def redeem(opaque: OpaqueToken | None) -> bool:
            return await self._redeem(code, grant, opaque, request.now)

        return Redemption(grant, grant.scope, redeem, refreshToken)

    async def _wait(self, code: DeviceCode, now: float) -> OAuthError:
        interval = code.interval
        early = now < code.polled + interval
        if early:
            interval += SLOWER
        await self.deviceCodes.polled(code.digest, now, interval)
        if early:
            return OAuthError("slow_down", "Ask five seconds less often.")
        return OAuthError("authorization_pending", "Nobody has decided yet.")

    async def _redeem(
        self, code: DeviceCode, grant: Grant, opaque: OpaqueToken | None, now: float
    ) -> bool:
        if code.used is not None:
            self._log.warn("a device code of {client} came again", client=grant.clientId)
            await self.grants.revoke(grant.grantId, REPLAYED)
            return False
        return await self.deviceCodes.redeem(code.digest, grant, opaque, now)
