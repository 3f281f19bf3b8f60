"""
What revocations must do.
"""

from __future__ import annotations

from zope.interface.verify import verifyObject

from ...credentials import tokenTag
from ...interfaces import IRevocations
from .suite import Conformance, Heard


class RevocationsConformance(Conformance):
    """
    For L{IRevocations}.
    """

    async def test_revocationsInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IRevocations, stores.revocations)

    async def test_revokedUntilNow(self) -> None:
        """
        What was issued at or before the revocation is covered, what is issued later is not.
        """
        revocations = (await self.openStores()).revocations

        await revocations.revoke(["a", "b"], "Gone.")

        now = self.clock.seconds()
        self.assertTrue(revocations.covers(["x", "b"], now))
        self.assertTrue(revocations.covers(["a"], now - 3600))
        self.assertFalse(revocations.covers(["a", "b"], now + 0.001))
        self.assertFalse(revocations.covers(["x"], 0))
        self.assertFalse(revocations.covers([], 0))

    async def test_revokedToken(self) -> None:
        """
        A token that was revoked is covered, whenever it says that it was issued (TK18).
        """
        revocations = (await self.openStores()).revocations
        tag = tokenTag("https://issuer.example", "1")

        await revocations.revoke([tag], "Gone.")

        self.assertTrue(revocations.covers([tag], self.clock.seconds() + 3600))
        self.assertFalse(revocations.covers([tokenTag("https://issuer.example", "2")], 0))

    async def test_revokedAgain(self) -> None:
        """
        The later revocation of a tag counts.
        """
        revocations = (await self.openStores()).revocations
        await revocations.revoke(["a"], "Gone.")
        self.clock.advance(10)

        await revocations.revoke(["a"], "Gone again.")

        self.assertTrue(revocations.covers(["a"], self.clock.seconds()))

    async def test_clockSetBack(self) -> None:
        """
        A wall clock that was set back revives nothing (TK17).
        """
        revocations = (await self.openStores()).revocations
        before = self.clock.seconds()
        await revocations.revoke(["a"], "Gone.")
        self.clock.rightNow -= 3600

        await revocations.revoke(["a"], "Gone again.")

        self.assertTrue(revocations.covers(["a"], before))

    async def test_entries(self) -> None:
        """
        Entries are counted up, so that whoever waited knows what was revoked meanwhile.
        """
        revocations = (await self.openStores()).revocations
        await revocations.revoke(["a"], "Gone.")
        begun = revocations.catchUp()
        self.assertFalse(revocations.revokedSince(["a"], begun))

        await revocations.revoke(["a", "b"], "Gone.")

        self.assertGreater(revocations.catchUp(), begun)
        self.assertTrue(revocations.revokedSince(["x", "a"], begun))
        self.assertTrue(revocations.revokedSince(["b"], begun))
        self.assertFalse(revocations.revokedSince(["x"], begun))
        self.assertFalse(revocations.revokedSince(["a"], revocations.catchUp()))

    async def test_touched(self) -> None:
        """
        A touch tells the listeners, and revokes nothing.
        """
        revocations = (await self.openStores()).revocations
        heard = Heard(revocations)
        begun = revocations.catchUp()

        await revocations.touch(["a", "b"])

        self.assertEqual([({"a", "b"}, None)], heard.news)
        self.assertFalse(revocations.covers(["a"], 0))
        self.assertFalse(revocations.revokedSince(["a"], begun))

    async def test_listeners(self) -> None:
        """
        Listeners have heard when the revocation holds, and not after they unsubscribed.
        """
        revocations = (await self.openStores()).revocations
        heard, gone = Heard(revocations), Heard(revocations)
        gone.unsubscribe()

        await revocations.revoke(["a", "b"], "Gone.")

        self.assertEqual([({"a", "b"}, "Gone.")], heard.news)
        self.assertEqual([], gone.news)

    async def test_listenerKnows(self) -> None:
        """
        What a listener asks is answered with what it is being told.
        """
        revocations = (await self.openStores()).revocations
        answers = []
        revocations.subscribe(lambda tags, reason: answers.append(revocations.covers(tags, 0)))

        await revocations.revoke(["a"], "Gone.")

        self.assertEqual([True], answers)

    async def test_listenerRaises(self) -> None:
        """
        A listener that raises is logged, and keeps nobody else from hearing.
        """
        revocations = (await self.openStores()).revocations

        def broken(tags: frozenset[str], reason: str | None) -> None:
            raise ValueError("broken")

        revocations.subscribe(broken)
        heard = Heard(revocations)

        await revocations.revoke(["a"], "Gone.")

        self.assertEqual([({"a"}, "Gone.")], heard.news)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    async def test_nothingRevoked(self) -> None:
        """
        Revoking no tags is no entry.
        """
        revocations = (await self.openStores()).revocations
        heard = Heard(revocations)

        await revocations.revoke([], "Gone.")

        self.assertEqual([], heard.news)
