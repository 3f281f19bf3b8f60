"""
What a store of opaque tokens must do.
"""

from __future__ import annotations

from zope.interface.verify import verifyObject

from ...oauth.interfaces import IOpaqueTokens
from ...stores.records import NotFound
from .records import (
    digestOf,
    makeGrant,
    makeOpaqueToken,
)
from .suite import ConformanceWithAccounts


class OpaqueTokensConformance(ConformanceWithAccounts):
    """
    For L{IOpaqueTokens}.
    """

    async def test_opaqueTokensInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IOpaqueTokens, stores.opaqueTokens)

    async def test_addedToken(self) -> None:
        """
        A token is found by its digest, whole, whether it comes of a grant or not, and long after
        it expired.
        """
        stores = await self.openStores()
        await self.addGrant(stores, makeGrant("grant"))
        ofGrant = makeOpaqueToken("of grant", makeGrant("grant"))
        ofClient = makeOpaqueToken("of client", None)
        await stores.opaqueTokens.add(ofGrant)
        await stores.opaqueTokens.add(ofClient)
        self.clock.advance(86400)

        self.assertEqual(ofGrant, await stores.opaqueTokens.find(digestOf("of grant")))
        self.assertEqual(ofClient, await stores.opaqueTokens.find(digestOf("of client")))
        self.assertIsNone(await stores.opaqueTokens.find(digestOf("of nobody")))

    async def test_tokenOfNothing(self) -> None:
        """
        There is no token of a grant that is not there: it may just have been revoked.
        """
        opaqueTokens = (await self.openStores()).opaqueTokens
        token = makeOpaqueToken("opaque", makeGrant("gone"))

        await self.assertFails(NotFound, opaqueTokens.add(token))

        self.assertIsNone(await opaqueTokens.find(token.digest))
