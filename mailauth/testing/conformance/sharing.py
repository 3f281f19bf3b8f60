"""
What stores must do that several processes share.
"""

from __future__ import annotations

import attrs
from twisted.internet.defer import DeferredList

from ...credentials import accountTag
from ...stores.records import IMPORTED_LIMIT, Account, AlreadyExists
from .records import ALICE, BOB, makeImported
from .suite import Conformance, Heard, Stores


class SharingConformance(Conformance):
    """
    For stores that several processes may share: C{makeStores} opens the same ones at each call.
    """

    async def openBoth(self) -> tuple[Stores, Stores]:
        """
        The same stores, as two processes open them, with two accounts.
        """
        here = await self.openStores()
        there = await self.makeStores(self.clock.seconds)
        await here.accounts.add(ALICE)
        await here.accounts.add(BOB)
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
