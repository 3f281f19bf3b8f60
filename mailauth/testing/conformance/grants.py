"""
What a store of codes and grants must do.
"""

from __future__ import annotations

import attrs
from zope.interface.verify import verifyObject

from ...credentials import grantTag
from ...oauth.interfaces import IGrants
from ...oauth.records import EXPIRED_KNOWN, Authentication, Grant
from ...stores.records import NotFound
from .records import (
    ALICE,
    BOB,
    CLIENT,
    ISSUER,
    NOW,
    digestOf,
    makeCode,
    makeGrant,
    makeOpaqueToken,
)
from .suite import ConformanceWithAccounts, Heard, Stores


class GrantsConformance(ConformanceWithAccounts):
    """
    For L{IGrants}.
    """

    async def rotate(
        self, stores: Stores, presented: str, successor: str, opaque: str | None = None
    ) -> bool:
        """
        Rotate the refresh token of C{"grant"}, a minute later.
        """
        return bool(
            await stores.grants.rotate(
                "grant",
                digestOf(presented),
                digestOf(successor),
                NOW + 1000.0,
                None if opaque is None else makeOpaqueToken(opaque, makeGrant("grant")),
                NOW + 60.0,
                "192.0.2.2",
            )
        )

    async def test_grantsInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IGrants, stores.grants)

    async def test_addedCode(self) -> None:
        """
        A code is found by its digest, whole, with the grant that it is for; and so is one of which
        little is known.
        """
        grants = (await self.openStores()).grants
        code = makeCode("code", makeGrant("grant"))
        grant = Grant("small", Authentication(ALICE.name, NOW), CLIENT, frozenset())
        little = attrs.evolve(
            makeCode("small", grant), redirectURI=None, codeChallenge=None, nonce=None
        )
        await grants.addCode(code)
        await grants.addCode(little)

        self.assertEqual(code, await grants.findCode(digestOf("code")))
        self.assertEqual(little, await grants.findCode(digestOf("small")))
        self.assertIsNone(await grants.findCode(digestOf("Code")))
        self.assertIsNone(await grants.get("grant"))

    async def test_codeOfNobody(self) -> None:
        """
        There is no code without an account.
        """
        grants = (await self.openStores()).grants

        code = makeCode("code", makeGrant("grant", "nobody"))
        await self.assertFails(NotFound, grants.addCode(code))

        self.assertIsNone(await grants.findCode(digestOf("code")))

    async def test_redeemedCode(self) -> None:
        """
        A code that is redeemed is used, and its grant and the opaque token are there.
        """
        stores = await self.openStores()
        grant = makeGrant("grant")
        code, opaque = makeCode("code", grant), makeOpaqueToken("opaque", grant)
        await stores.grants.addCode(code)

        redeemed = await stores.grants.redeemCode(code.digest, grant, opaque, NOW + 30.0)

        self.assertIs(True, redeemed)
        self.assertEqual(
            attrs.evolve(code, used=NOW + 30.0), await stores.grants.findCode(code.digest)
        )
        self.assertEqual(grant, await stores.grants.get("grant"))
        self.assertEqual(opaque, await stores.opaqueTokens.find(opaque.digest))

    async def test_redeemedTwice(self) -> None:
        """
        A code is redeemed once, and whoever comes later gets nothing (O 61).
        """
        stores = await self.openStores()
        first, second = makeGrant("first"), makeGrant("second")
        code = makeCode("code", first)
        await stores.grants.addCode(code)
        await stores.grants.redeemCode(code.digest, first, None, NOW)

        for later in (0.0, 30.0, 3600.0):
            opaque = makeOpaqueToken("opaque", second)
            again = await stores.grants.redeemCode(code.digest, second, opaque, NOW + later)

            self.assertIs(False, again)
        self.assertEqual((first,), await stores.grants.list(ALICE.name))
        self.assertIsNone(await stores.opaqueTokens.find(digestOf("opaque")))
        self.assertEqual(attrs.evolve(code, used=NOW), await stores.grants.findCode(code.digest))

    async def test_notRedeemed(self) -> None:
        """
        A code that has expired, or is none, is worth nothing (O 62).
        """
        stores = await self.openStores()
        grant = makeGrant("grant")
        code = makeCode("code", grant)
        await stores.grants.addCode(code)

        expired = await stores.grants.redeemCode(code.digest, grant, None, code.expires)
        unknown = await stores.grants.redeemCode(digestOf("no code"), grant, None, NOW)

        self.assertIs(False, expired)
        self.assertIs(False, unknown)
        self.assertIsNone(await stores.grants.get("grant"))
        self.assertEqual(code, await stores.grants.findCode(code.digest))

    async def test_listedGrants(self) -> None:
        """
        Those of one account are listed, newest first.
        """
        stores = await self.openStores()
        older, newer = makeGrant("a"), makeGrant("z", created=NOW + 1.0)
        await self.addGrant(stores, older)
        await self.addGrant(stores, newer)
        await self.addGrant(stores, makeGrant("of bob", BOB.name))

        self.assertEqual((newer, older), await stores.grants.list(ALICE.name))
        self.assertEqual((), await stores.grants.list("nobody"))

    async def test_rotated(self) -> None:
        """
        The successor is current, what was presented is the one before it, and no more is known of
        the family (O 66).
        """
        stores = await self.openStores()
        grant = makeGrant("grant")
        await self.addGrant(stores, grant)
        await self.addGrant(stores, makeGrant("another"))

        first = await self.rotate(stores, "first", "second")
        second = await self.rotate(stores, "second", "third", "opaque")

        self.assertEqual((True, True), (first, second))
        expected = attrs.evolve(
            grant,
            refreshDigest=digestOf("third"),
            previousDigest=digestOf("second"),
            rotated=NOW + 60.0,
            refreshExpires=NOW + 1000.0,
            lastUse=NOW + 60.0,
            address="192.0.2.2",
        )
        self.assertEqual(expected, await stores.grants.get("grant"))
        self.assertEqual(makeGrant("another"), await stores.grants.get("another"))
        self.assertIsNotNone(await stores.opaqueTokens.find(digestOf("opaque")))

    async def test_notRotated(self) -> None:
        """
        A refresh token that is not current changes nothing and gets nothing: one that was, one
        that never was, one of a grant that has none, one of a grant that is not there (O 66).
        """
        stores = await self.openStores()
        await self.addGrant(stores, makeGrant("grant"))
        await self.rotate(stores, "first", "second")
        before = await stores.grants.get("grant")
        without = attrs.evolve(makeGrant("without"), refreshDigest=None)
        await self.addGrant(stores, without)
        opaque = makeOpaqueToken("opaque", makeGrant("grant"))

        for grantId, presented in (
            ("grant", "first"),
            ("grant", "third"),
            ("without", "first"),
            ("nothing", "second"),
        ):
            rotated = await stores.grants.rotate(
                grantId, digestOf(presented), digestOf("stolen"), None, opaque, NOW, None
            )
            self.assertIs(False, rotated)

        self.assertEqual(before, await stores.grants.get("grant"))
        self.assertEqual(without, await stores.grants.get("without"))
        self.assertIsNone(await stores.opaqueTokens.find(opaque.digest))

    async def test_revokedGrant(self) -> None:
        """
        A revoked grant is gone with its opaque tokens, its tag is revoked for the reason that is
        given, and it cannot be rotated; no other grant is touched.
        """
        stores = await self.openStores()
        await self.addGrant(stores, makeGrant("grant"), "one", "two")
        await self.addGrant(stores, makeGrant("another"), "another's")
        heard = Heard(stores.revocations)

        await stores.grants.revoke("grant", "You signed out.")

        self.assertIsNone(await stores.grants.get("grant"))
        self.assertEqual((makeGrant("another"),), await stores.grants.list(ALICE.name))
        self.assertIsNone(await stores.opaqueTokens.find(digestOf("one")))
        self.assertIsNone(await stores.opaqueTokens.find(digestOf("two")))
        self.assertIsNotNone(await stores.opaqueTokens.find(digestOf("another's")))
        self.assertRevoked(stores, grantTag(ISSUER, "grant"))
        self.assertEqual([({grantTag(ISSUER, "grant")}, "You signed out.")], heard.news)
        self.assertFalse(await self.rotate(stores, "first", "second"))

    async def test_revokedUnknown(self) -> None:
        """
        A grant that is not there is revoked all the same: its tokens may be under way.
        """
        stores = await self.openStores()

        await stores.grants.revoke("gone", "You signed out.")

        self.assertRevoked(stores, grantTag(ISSUER, "gone"))

    async def test_removedAccountsGrants(self) -> None:
        """
        An account that is removed takes its codes and grants along: a later one of the same name
        has none of them.
        """
        stores = await self.openStores()
        bobs = makeGrant("of bob", BOB.name)
        code = makeCode("code", makeGrant("grant"))
        await self.addGrant(stores, bobs)
        await self.addGrant(stores, makeGrant("redeemed"), "opaque")
        await stores.grants.addCode(code)

        await stores.accounts.remove(ALICE.name)
        await stores.accounts.add(ALICE)

        self.assertEqual((), await stores.grants.list(ALICE.name))
        self.assertIsNone(await stores.grants.get("redeemed"))
        self.assertIsNone(await stores.opaqueTokens.find(digestOf("opaque")))
        self.assertIsNone(await stores.grants.findCode(code.digest))
        self.assertFalse(await stores.grants.redeemCode(code.digest, code.grant, None, NOW))
        self.assertEqual((bobs,), await stores.grants.list(BOB.name))

    async def test_purgedGrants(self) -> None:
        """
        A grant is forgotten when it ends or when its refresh token was not used in time, and not
        before; one without an end stays.
        """
        stores = await self.openStores()
        endless = attrs.evolve(makeGrant("endless"), expires=None, refreshExpires=None)
        ending = attrs.evolve(endless, grantId="ending", expires=NOW + 100.0)
        idle = attrs.evolve(endless, grantId="idle", refreshExpires=NOW + 100.0)
        for grant in (endless, ending, idle):
            await self.addGrant(stores, grant, f"token of {grant.grantId}")

        await stores.grants.purge(NOW + 99.0)
        before = await stores.grants.list(ALICE.name)
        await stores.grants.purge(NOW + 100.0)

        self.assertEqual({endless, ending, idle}, set(before))
        self.assertEqual((endless,), await stores.grants.list(ALICE.name))
        self.assertIsNone(await stores.opaqueTokens.find(digestOf("token of idle")))
        self.assertIsNotNone(await stores.opaqueTokens.find(digestOf("token of endless")))

    async def test_purgedCodes(self) -> None:
        """
        A code, also one that was used, is known for an hour after it expired, and an opaque token
        is: a replay is known for one, and who comes late hears that it has expired (O 61).
        """
        stores = await self.openStores()
        await self.addGrant(stores, makeGrant("grant"))
        used, unused = digestOf("code of grant"), makeCode("unused", makeGrant("other"))
        await stores.grants.addCode(unused)
        opaque = makeOpaqueToken("opaque", None)
        await stores.opaqueTokens.add(opaque)

        async def known() -> list[bool]:
            codes = stores.grants
            return [
                await codes.findCode(used) is not None,
                await codes.findCode(unused.digest) is not None,
                await stores.opaqueTokens.find(opaque.digest) is not None,
            ]

        await stores.grants.purge(unused.expires + EXPIRED_KNOWN - 1.0)
        self.assertEqual([True, True, True], await known())
        await stores.grants.purge(unused.expires + EXPIRED_KNOWN)
        self.assertEqual([False, False, True], await known())
        await stores.grants.purge(opaque.token.expires + EXPIRED_KNOWN)
        self.assertEqual([False, False, False], await known())
