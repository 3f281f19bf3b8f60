"""
What stores must do that several processes share.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
from twisted.internet.defer import Deferred, DeferredList

from ...credentials import accountTag, grantTag
from ...oauth.records import TOTPSecret
from ...stores.records import IMPORTED_LIMIT, Account, Alias, AlreadyExists, Identity
from .records import (
    ALICE,
    BOB,
    ISSUER,
    NOW,
    digestOf,
    makeAppPassword,
    makeCode,
    makeDeviceCode,
    makeGrant,
    makeImported,
    makeOpaqueToken,
    makePasskey,
)
from .suite import ConformanceWithAccounts, Heard, Stores


class SharingConformance(ConformanceWithAccounts):
    """
    For stores that several processes may share: C{makeStores} opens the same ones at each call.
    """

    async def openBoth(self) -> tuple[Stores, Stores]:
        """
        The same stores, as two processes open them, with two accounts.
        """
        here = await self.openStores()
        there = await self.makeStores(self.clock.seconds)
        there.revocations.catchUp()
        return here, there

    async def test_otherRevokes(self) -> None:
        """
        What another revoked is known after the next C{catchUp}, and its listeners were told (C1,
        CS2).
        """
        here, there = await self.openBoth()
        heard = Heard(there.revocations)
        begun = there.revocations.catchUp()

        await here.revocations.revoke(["a", "b"], "Gone.")
        await here.accounts.disable(ALICE.name)
        there.revocations.catchUp()

        self.assertRevoked(there, "a")
        self.assertRevoked(there, accountTag(ALICE.name))
        self.assertTrue(there.revocations.revokedSince(["b"], begun))
        self.assertEqual(
            [({"a", "b"}, "Gone."), ({accountTag(ALICE.name)}, "This account was disabled.")],
            heard.news,
        )
        self.assertEqual(attrs.evolve(ALICE, enabled=False), await there.accounts.get(ALICE.name))

    async def test_openedLater(self) -> None:
        """
        Whoever comes later knows what was revoked before.
        """
        here = await self.openStores()
        await here.revocations.revoke(["a"], "Gone.")

        there = await self.makeStores(self.clock.seconds)

        self.assertRevoked(there, "a")
        self.assertEqual(here.revocations.catchUp(), there.revocations.catchUp())

    async def test_oneWinner(self) -> None:
        """
        Of many who add the same at once, one does, and all others hear that it is there.
        """
        here, there = await self.openBoth()

        carol = Account("carol@example.test")
        adding = [stores.accounts.add(carol) for _ in range(10) for stores in (here, there)]
        losers = 0
        for answer in adding:
            try:
                await answer
            except AlreadyExists:
                losers += 1

        self.assertEqual(len(adding) - 1, losers)

    async def test_limitHolds(self) -> None:
        """
        The limit of imported app passwords holds when many are added at once (PW5).
        """
        here, there = await self.openBoth()

        await DeferredList(
            [
                stores.appPasswords.add(makeImported(f"{number}-{side}"))
                for number in range(IMPORTED_LIMIT)
                for side, stores in enumerate((here, there))
            ],
            consumeErrors=True,
        )

        self.assertEqual(IMPORTED_LIMIT, len(await here.appPasswords.imported(ALICE.name)))

    async def test_quotaHolds(self) -> None:
        """
        So does the limit of all app passwords.
        """
        here, there = await self.openBoth()
        await here.appPasswords.setLimit(ALICE.name, 3)

        await DeferredList(
            [
                stores.appPasswords.add(makeAppPassword(f"{number}-{side}"))
                for number in range(3)
                for side, stores in enumerate((here, there))
            ],
            consumeErrors=True,
        )

        self.assertEqual(3, len(await here.appPasswords.list(ALICE.name)))

    async def test_addressRace(self) -> None:
        """
        Of many who want an address at once, as the name of an account or as an alias, one gets it.
        """
        here, there = await self.openBoth()
        address = "info@example.test"

        wanting = [
            want
            for _ in range(5)
            for want in (
                here.accounts.add(Account(address)),
                there.aliases.add(Alias(address, ALICE.name)),
                here.aliases.add(Alias(address, BOB.name)),
            )
        ]
        wanted = await DeferredList(wanting, consumeErrors=True)

        self.assertEqual(1, [got for got, _ in wanted].count(True))

    async def test_nothingLost(self) -> None:
        """
        Each of many revocations at once is heard, once, on both sides.
        """
        here, there = await self.openBoth()
        sides = [Heard(here.revocations), Heard(there.revocations)]

        await DeferredList(
            [
                stores.revocations.revoke([f"{number}-{side}"], f"{number}-{side}")
                for number in range(20)
                for side, stores in enumerate((here, there))
            ],
            fireOnOneErrback=True,
        )
        here.revocations.catchUp()
        there.revocations.catchUp()

        expected = sorted(f"{number}-{side}" for number in range(20) for side in (0, 1))
        for heard in sides:
            self.assertEqual(expected, sorted(reason or "" for _, reason in heard.news))

    async def winners(
        self, stores: tuple[Stores, Stores], attempt: Callable[[Stores, str], Deferred[bool]]
    ) -> list[str]:
        """
        Let eight attempts be made at once, half of them on either side.

        @param attempt: makes one, by a name of its own.
        @return: the names of those that were told that it was theirs.
        """
        names = [f"attempt {number}" for number in range(8)]
        answers = [attempt(stores[number % 2], name) for number, name in enumerate(names)]
        return [name for name, answer in zip(names, answers, strict=True) if await answer]

    async def assertOneIssued(self, stores: Stores, winners: list[str]) -> None:
        """
        There was one winner, and nobody else has a grant or an opaque token.
        """
        self.assertEqual(1, len(winners), winners)
        granted = [grant.grantId for grant in await stores.grants.list(ALICE.name)]
        self.assertEqual(winners, granted)
        for number in range(8):
            name = f"attempt {number}"
            opaque = await stores.opaqueTokens.find(digestOf(name))
            self.assertEqual(name in winners, opaque is not None)

    async def test_codeRace(self) -> None:
        """
        Of many who redeem a code at once, one does (O 61).
        """
        here, there = await self.openBoth()
        await here.grants.addCode(makeCode("code", makeGrant("grant")))

        def attempt(stores: Stores, name: str) -> Deferred[bool]:
            grant = makeGrant(name)
            return stores.grants.redeemCode(
                digestOf("code"), grant, makeOpaqueToken(name, grant), NOW
            )

        await self.assertOneIssued(there, await self.winners((here, there), attempt))

    async def test_deviceCodeRace(self) -> None:
        """
        Of many who redeem a device code at once, one does (O 77).
        """
        here, there = await self.openBoth()
        await here.deviceCodes.add(makeDeviceCode("device"))
        await here.deviceCodes.decide(digestOf("device"), makeGrant("grant"), NOW)

        def attempt(stores: Stores, name: str) -> Deferred[bool]:
            grant = makeGrant(name)
            return stores.deviceCodes.redeem(
                digestOf("device"), grant, makeOpaqueToken(name, grant), NOW
            )

        await self.assertOneIssued(there, await self.winners((here, there), attempt))

    async def test_rotationRace(self) -> None:
        """
        Of many who rotate a refresh token at once, one does: there are never two that are current
        (O 66).
        """
        here, there = await self.openBoth()
        grant = makeGrant("grant")
        await self.addGrant(here, grant)

        def attempt(stores: Stores, name: str) -> Deferred[bool]:
            return stores.grants.rotate(
                "grant",
                digestOf("first"),
                digestOf(name),
                None,
                makeOpaqueToken(name, grant),
                NOW,
                None,
            )

        [winner] = await self.winners((here, there), attempt)

        rotated = await there.grants.get("grant")
        assert rotated is not None
        self.assertEqual(digestOf(winner), rotated.refreshDigest)
        for number in range(8):
            opaque = await there.opaqueTokens.find(digestOf(f"attempt {number}"))
            self.assertEqual(winner == f"attempt {number}", opaque is not None)

    async def test_decisionRace(self) -> None:
        """
        Of many who decide about a device at once, one does (O 79).
        """
        here, there = await self.openBoth()
        await here.deviceCodes.add(makeDeviceCode("device"))

        def attempt(stores: Stores, name: str) -> Deferred[bool]:
            return stores.deviceCodes.decide(digestOf("device"), makeGrant(name), NOW)

        [winner] = await self.winners((here, there), attempt)

        decided = await there.deviceCodes.find(digestOf("device"))
        assert decided is not None
        self.assertEqual(makeGrant(winner), decided.grant)

    async def test_factorRaces(self) -> None:
        """
        A one-time code, a recovery code and a passkey's counter count once, however many come at
        once (O 59, O 60, PW10).
        """
        here, there = await self.openBoth()
        passkey = makePasskey("passkey")
        await here.factors.setTOTP(TOTPSecret(ALICE.name, b"sealed", NOW), (b"one", b"two"))
        await here.factors.addPasskey(passkey)
        attempts: tuple[Callable[[Stores, str], Deferred[bool]], ...] = (
            lambda stores, name: stores.factors.useTOTP(ALICE.name, 1),
            lambda stores, name: stores.factors.useRecoveryCode(ALICE.name, b"one"),
            lambda stores, name: stores.factors.usePasskey(passkey.credentialId, 1, NOW),
        )

        for attempt in attempts:
            self.assertEqual(1, len(await self.winners((here, there), attempt)))

        self.assertEqual(1, await there.factors.countRecoveryCodes(ALICE.name))

    async def test_spendingRace(self) -> None:
        """
        Of many who spend the same at once, one does (O 45, O 51).
        """
        here, there = await self.openBoth()

        def attempt(stores: Stores, name: str) -> Deferred[bool]:
            return stores.spent.spend(digestOf("one"), NOW + 60.0, NOW)

        self.assertEqual(1, len(await self.winners((here, there), attempt)))

    async def test_linkRace(self) -> None:
        """
        Of many subjects of an issuer that come at once by the name of one account, which is made
        for them, one is linked with it (TK14); and one that comes many times is linked once.
        """
        here, there = await self.openBoth()
        carol = "carol@example.test"

        def attempt(stores: Stores, name: str) -> Deferred[bool]:
            resolved = stores.identities.resolve("https://idp.example", name, carol, NOW, True)
            return resolved.addCallback(lambda account: account == carol)

        [winner] = await self.winners((here, there), attempt)

        linked = Identity("https://idp.example", winner, carol, NOW)
        self.assertEqual((linked,), await there.identities.list(carol))
        self.assertEqual(
            8, len(await self.winners((here, there), lambda stores, name: attempt(stores, winner)))
        )

        def attemptSame(stores: Stores, name: str) -> Deferred[bool]:
            resolved = stores.identities.resolve(
                "https://other.example", "1", ALICE.name, NOW, False
            )
            return resolved.addCallback(lambda account: account == ALICE.name)

        self.assertEqual(8, len(await self.winners((here, there), attemptSame)))

    async def test_otherRevokesGrant(self) -> None:
        """
        A grant that another revoked cannot be rotated here, and its tag is revoked after the next
        C{catchUp} (C1).
        """
        here, there = await self.openBoth()
        await self.addGrant(here, makeGrant("grant"))

        await here.grants.revoke("grant", "Gone.")
        there.revocations.catchUp()

        self.assertRevoked(there, grantTag(ISSUER, "grant"))
        self.assertFalse(
            await there.grants.rotate(
                "grant", digestOf("first"), digestOf("second"), None, None, NOW, None
            )
        )
