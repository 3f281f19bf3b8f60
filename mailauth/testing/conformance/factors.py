"""
What the stores of second factors and of what may be used once must do.
"""

from __future__ import annotations

import attrs
from zope.interface.verify import verifyObject

from ...oauth.interfaces import IFactors, ISpent
from ...oauth.records import TOTPSecret
from ...stores.records import AlreadyExists, NotFound
from .records import ALICE, BOB, NOW, digestOf, makePasskey
from .suite import Conformance, ConformanceWithAccounts


class FactorsConformance(ConformanceWithAccounts):
    """
    For L{IFactors}.
    """

    secret = TOTPSecret(ALICE.name, b"\x00sealed\xff", NOW, 7)

    async def test_factorsInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IFactors, stores.factors)

    async def test_setTOTP(self) -> None:
        """
        A secret takes the place of the one before it, with its recovery codes, and is no other
        account's.
        """
        factors = (await self.openStores()).factors
        another = TOTPSecret(ALICE.name, b"another", NOW + 1.0)

        await factors.setTOTP(another, (b"one", b"two"))
        await factors.setTOTP(self.secret, (b"three",))

        self.assertEqual(self.secret, await factors.getTOTP(ALICE.name))
        self.assertIsNone(await factors.getTOTP(BOB.name))
        self.assertEqual(1, await factors.countRecoveryCodes(ALICE.name))
        self.assertIs(True, await factors.useRecoveryCode(ALICE.name, b"three"))

    async def test_sameTOTP(self) -> None:
        """
        A secret is set once: a form that is sent twice makes no second set of recovery codes, and
        no code count again (PW10).
        """
        factors = (await self.openStores()).factors
        await factors.setTOTP(self.secret, (b"one", b"two"))
        await factors.useTOTP(ALICE.name, 9)

        again = factors.setTOTP(attrs.evolve(self.secret, lastStep=8), (b"three",))
        await self.assertFails(AlreadyExists, again)

        self.assertEqual(attrs.evolve(self.secret, lastStep=9), await factors.getTOTP(ALICE.name))
        self.assertEqual(2, await factors.countRecoveryCodes(ALICE.name))

    async def test_usedTOTP(self) -> None:
        """
        The code of a time step counts once, and none of an earlier step does after it (O 60,
        PW10).
        """
        factors = (await self.openStores()).factors
        await factors.setTOTP(self.secret, ())

        used = [await factors.useTOTP(ALICE.name, step) for step in (6, 7, 8, 8, 7, 10, 9)]

        self.assertEqual([False, False, True, False, False, True, False], used)
        self.assertEqual(attrs.evolve(self.secret, lastStep=10), await factors.getTOTP(ALICE.name))
        self.assertIs(False, await factors.useTOTP(BOB.name, 11))

    async def test_removedTOTP(self) -> None:
        """
        A secret is removed once, and no code counts any more, neither its own nor one on paper.
        """
        factors = (await self.openStores()).factors
        await factors.setTOTP(self.secret, (b"one",))

        await factors.removeTOTP(ALICE.name)

        self.assertIsNone(await factors.getTOTP(ALICE.name))
        self.assertIs(False, await factors.useTOTP(ALICE.name, 8))
        self.assertIs(False, await factors.useRecoveryCode(ALICE.name, b"one"))
        await self.assertFails(NotFound, factors.removeTOTP(ALICE.name))

    async def test_addedPasskey(self) -> None:
        """
        A passkey is found by its id, whole; those of one account are listed, oldest first.
        """
        factors = (await self.openStores()).factors
        newer = attrs.evolve(makePasskey("a", signCount=3), created=NOW + 1.0, lastUse=NOW + 2.0)
        older = makePasskey("z")
        await factors.addPasskey(newer)
        await factors.addPasskey(older)
        await factors.addPasskey(makePasskey("of bob", BOB.name))

        self.assertEqual(newer, await factors.findPasskey(digestOf("a")))
        self.assertIsNone(await factors.findPasskey(digestOf("b")))
        self.assertEqual((older, newer), await factors.listPasskeys(ALICE.name))
        self.assertEqual((), await factors.listPasskeys("nobody"))

    async def test_passkeyTwice(self) -> None:
        """
        A credential is one account's, and stays it.
        """
        factors = (await self.openStores()).factors
        passkey = makePasskey("one")
        await factors.addPasskey(passkey)

        await self.assertFails(AlreadyExists, factors.addPasskey(makePasskey("one", BOB.name)))

        self.assertEqual(passkey, await factors.findPasskey(passkey.credentialId))
        self.assertEqual((), await factors.listPasskeys(BOB.name))

    async def test_usedPasskey(self) -> None:
        """
        A counter that does not grow is somebody's copy, and 0 is no counter (O 59).
        """
        factors = (await self.openStores()).factors
        counting, other = makePasskey("counting", signCount=3), makePasskey("not counting")
        await factors.addPasskey(counting)
        await factors.addPasskey(other)

        used = [
            await factors.usePasskey(counting.credentialId, count, NOW + count)
            for count in (3, 2, 0, 5, 5, 4, 6)
        ]
        zeros = [await factors.usePasskey(other.credentialId, 0, NOW + 1.0) for _ in range(2)]

        self.assertEqual([False, False, False, True, False, False, True], used)
        self.assertEqual([True, True], zeros)
        self.assertEqual(
            attrs.evolve(counting, signCount=6, lastUse=NOW + 6.0),
            await factors.findPasskey(counting.credentialId),
        )
        self.assertEqual(
            attrs.evolve(other, lastUse=NOW + 1.0), await factors.findPasskey(other.credentialId)
        )
        self.assertIs(False, await factors.usePasskey(digestOf("gone"), 0, NOW))

    async def test_renamedPasskey(self) -> None:
        """
        An account renames a passkey of its own, and nobody another's.
        """
        factors = (await self.openStores()).factors
        passkey = makePasskey("one")
        await factors.addPasskey(passkey)

        await factors.renamePasskey(ALICE.name, passkey.credentialId, "My telephone")
        stolen = factors.renamePasskey(BOB.name, passkey.credentialId, "Bob's")
        await self.assertFails(NotFound, stolen)
        await self.assertFails(NotFound, factors.renamePasskey(ALICE.name, b"no such", "None"))

        renamed = attrs.evolve(passkey, name="My telephone")
        self.assertEqual((renamed,), await factors.listPasskeys(ALICE.name))

    async def test_removedPasskey(self) -> None:
        """
        An account removes a passkey of its own, once, and nobody another's.
        """
        factors = (await self.openStores()).factors
        one, two = makePasskey("one"), makePasskey("two")
        await factors.addPasskey(one)
        await factors.addPasskey(two)

        await self.assertFails(NotFound, factors.removePasskey(BOB.name, one.credentialId))
        await factors.removePasskey(ALICE.name, one.credentialId)
        await self.assertFails(NotFound, factors.removePasskey(ALICE.name, one.credentialId))

        self.assertEqual((two,), await factors.listPasskeys(ALICE.name))

    async def test_recoveryCodes(self) -> None:
        """
        Each recovery code counts once, for its account alone, until there are new ones.
        """
        factors = (await self.openStores()).factors
        self.assertEqual(0, await factors.countRecoveryCodes(ALICE.name))
        await factors.setRecoveryCodes(ALICE.name, (b"one", b"two", b"three"))
        await factors.setRecoveryCodes(BOB.name, (b"one", b"bob's"))

        used = [
            await factors.useRecoveryCode(ALICE.name, digest)
            for digest in (b"one", b"one", b"bob's", b"three")
        ]

        self.assertEqual([True, False, False, True], used)
        self.assertEqual(1, await factors.countRecoveryCodes(ALICE.name))
        self.assertEqual(2, await factors.countRecoveryCodes(BOB.name))

        await factors.setRecoveryCodes(ALICE.name, (b"four",))
        self.assertIs(False, await factors.useRecoveryCode(ALICE.name, b"two"))
        self.assertEqual(1, await factors.countRecoveryCodes(ALICE.name))

        await factors.setRecoveryCodes(ALICE.name, ())
        self.assertIs(False, await factors.useRecoveryCode(ALICE.name, b"four"))

    async def test_factorsOfNobody(self) -> None:
        """
        There is no factor without an account.
        """
        factors = (await self.openStores()).factors
        secret = attrs.evolve(self.secret, account="nobody")

        await self.assertFails(NotFound, factors.setTOTP(secret, (b"one",)))
        await self.assertFails(NotFound, factors.addPasskey(makePasskey("one", "nobody")))
        await self.assertFails(NotFound, factors.setRecoveryCodes("nobody", (b"one",)))

        self.assertIsNone(await factors.getTOTP("nobody"))
        self.assertIsNone(await factors.findPasskey(digestOf("one")))
        self.assertEqual(0, await factors.countRecoveryCodes("nobody"))

    async def test_removedAccountsFactors(self) -> None:
        """
        An account that is removed takes its factors along: a later one of the same name signs in
        with none of them.
        """
        stores = await self.openStores()
        factors = stores.factors
        for account in (ALICE.name, BOB.name):
            await factors.setTOTP(attrs.evolve(self.secret, account=account), (b"one",))
            await factors.addPasskey(makePasskey(f"of {account}", account))

        await stores.accounts.remove(ALICE.name)
        await stores.accounts.add(ALICE)

        self.assertIsNone(await factors.getTOTP(ALICE.name))
        self.assertIsNone(await factors.findPasskey(digestOf(f"of {ALICE.name}")))
        self.assertIs(False, await factors.useRecoveryCode(ALICE.name, b"one"))
        self.assertIsNotNone(await factors.getTOTP(BOB.name))
        self.assertEqual(1, len(await factors.listPasskeys(BOB.name)))
        self.assertEqual(1, await factors.countRecoveryCodes(BOB.name))


class SpentConformance(Conformance):
    """
    For L{ISpent}.
    """

    async def test_spentInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(ISpent, stores.spent)

    async def test_spent(self) -> None:
        """
        What may be used once is, until nobody would take it anyway; others are not touched.
        """
        spent = (await self.openStores()).spent

        first = await spent.spend(digestOf("one"), NOW + 60.0, NOW)
        again = await spent.spend(digestOf("one"), NOW + 600.0, NOW + 59.0)
        other = await spent.spend(digestOf("two"), NOW + 60.0, NOW + 59.0)
        late = await spent.spend(digestOf("one"), NOW + 600.0, NOW + 60.0)

        self.assertEqual([True, False, True, True], [first, again, other, late])
