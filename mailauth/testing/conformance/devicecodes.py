"""
What a store of device codes must do.
"""

from __future__ import annotations

import attrs
from zope.interface.verify import verifyObject

from ...oauth.interfaces import IDeviceCodes
from ...oauth.records import EXPIRED_KNOWN, WAITING_LIMIT
from ...stores.records import AlreadyExists, LimitReached
from .records import (
    ALICE,
    BOB,
    NOW,
    digestOf,
    makeDeviceCode,
    makeGrant,
    makeOpaqueToken,
)
from .suite import ConformanceWithAccounts


class DeviceCodesConformance(ConformanceWithAccounts):
    """
    For L{IDeviceCodes}.
    """

    async def test_deviceCodesInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IDeviceCodes, stores.deviceCodes)

    async def test_waiting(self) -> None:
        """
        A device that waits is found by either half of its code, whole.
        """
        codes = (await self.openStores()).deviceCodes
        code = makeDeviceCode("device")
        await codes.add(code)
        await codes.add(makeDeviceCode("another", "ZZZZZZZZ"))

        self.assertEqual(code, await codes.find(digestOf("device")))
        self.assertEqual(code, await codes.findUserCode("BCDFGHJK"))
        self.assertIsNone(await codes.find(digestOf("Device")))
        self.assertIsNone(await codes.findUserCode("bcdfghjk"))
        self.assertIsNone(await codes.findUserCode(""))

    async def test_userCodeTaken(self) -> None:
        """
        A user code is one device's as long as it waits; that of a device about which somebody
        decided, or nobody did in time, is free.
        """
        codes = (await self.openStores()).deviceCodes
        first = makeDeviceCode("first")
        await codes.add(first)

        await self.assertFails(AlreadyExists, codes.add(makeDeviceCode("second")))
        self.assertEqual(first, await codes.findUserCode("BCDFGHJK"))
        self.assertIsNone(await codes.find(digestOf("second")))

        await codes.decide(first.digest, None, NOW)
        third = makeDeviceCode("third")
        await codes.add(third)
        self.assertEqual(third, await codes.findUserCode("BCDFGHJK"))

        fourth = makeDeviceCode("fourth", created=third.expires)
        await codes.add(fourth)
        self.assertEqual(fourth, await codes.findUserCode("BCDFGHJK"))

    async def test_deviceCodeTaken(self) -> None:
        """
        The device's half is taken once, whatever the person's half is.
        """
        codes = (await self.openStores()).deviceCodes
        await codes.add(makeDeviceCode("device"))

        other = makeDeviceCode("device", "ZZZZZZZZ")
        await self.assertFails(AlreadyExists, codes.add(other))

        self.assertIsNone(await codes.findUserCode("ZZZZZZZZ"))

    async def test_waitingLimit(self) -> None:
        """
        So many devices wait and no more; those that are done, or waited too long, are not counted.
        """
        codes = (await self.openStores()).deviceCodes
        for number in range(WAITING_LIMIT):
            await codes.add(makeDeviceCode(f"device {number}", f"{number}"))
        more = makeDeviceCode("one more", "one more")

        await self.assertFails(LimitReached, codes.add(more))
        await codes.decide(digestOf("device 0"), None, NOW)
        await codes.add(more)
        await self.assertFails(LimitReached, codes.add(makeDeviceCode("too many", "too many")))

        late = makeDeviceCode("late", "late", created=more.expires)
        await codes.add(late)
        self.assertEqual(late, await codes.findUserCode("late"))

    async def test_polled(self) -> None:
        """
        It is noted when a device asked, and how long it has to wait; of no other, and one that is
        not there is no error (O 75).
        """
        codes = (await self.openStores()).deviceCodes
        code, other = makeDeviceCode("device"), makeDeviceCode("another", "ZZZZZZZZ")
        await codes.add(code)
        await codes.add(other)

        await codes.polled(code.digest, NOW + 5.0, 10.0)
        await codes.polled(digestOf("nothing"), NOW + 5.0, 10.0)

        self.assertEqual(
            attrs.evolve(code, polled=NOW + 5.0, interval=10.0), await codes.find(code.digest)
        )
        self.assertEqual(other, await codes.find(other.digest))

    async def test_allowed(self) -> None:
        """
        A device that was allowed something waits no more: nobody finds it by the person's half,
        and nobody else can decide about it (O 79).
        """
        codes = (await self.openStores()).deviceCodes
        code, grant = makeDeviceCode("device"), makeGrant("grant")
        await codes.add(code)

        allowed = await codes.decide(code.digest, grant, NOW)
        again = await codes.decide(code.digest, makeGrant("bob's", BOB.name), NOW)
        denied = await codes.decide(code.digest, None, NOW)

        self.assertEqual([True, False, False], [allowed, again, denied])
        self.assertEqual(attrs.evolve(code, grant=grant), await codes.find(code.digest))
        self.assertIsNone(await codes.findUserCode(code.userCode))

    async def test_denied(self) -> None:
        """
        Denied stays denied: it cannot be allowed any more, nor redeemed (O 77).
        """
        stores = await self.openStores()
        code, grant = makeDeviceCode("device"), makeGrant("grant")
        await stores.deviceCodes.add(code)

        denied = await stores.deviceCodes.decide(code.digest, None, NOW)
        allowed = await stores.deviceCodes.decide(code.digest, grant, NOW)
        redeemed = await stores.deviceCodes.redeem(code.digest, grant, None, NOW)

        self.assertEqual([True, False, False], [denied, allowed, redeemed])
        self.assertEqual(
            attrs.evolve(code, denied=True), await stores.deviceCodes.find(code.digest)
        )
        self.assertIsNone(await stores.deviceCodes.findUserCode(code.userCode))
        self.assertEqual((), await stores.grants.list(ALICE.name))

    async def test_notDecided(self) -> None:
        """
        Nobody decides about a device that waited too long, about none, or for an account that is
        not there.
        """
        codes = (await self.openStores()).deviceCodes
        code = makeDeviceCode("device")
        await codes.add(code)

        for digest, grant, when in (
            (code.digest, makeGrant("grant"), code.expires),
            (code.digest, None, code.expires),
            (digestOf("nothing"), makeGrant("grant"), NOW),
            (code.digest, makeGrant("grant", "nobody"), NOW),
        ):
            self.assertIs(False, await codes.decide(digest, grant, when))

        self.assertEqual(code, await codes.findUserCode(code.userCode))

    async def test_redeemed(self) -> None:
        """
        A code that was allowed is redeemed once: its grant and the opaque token are there, and
        whoever comes later gets nothing (O 77).
        """
        stores = await self.openStores()
        code, grant = makeDeviceCode("device"), makeGrant("grant")
        opaque, late = makeOpaqueToken("opaque", grant), makeGrant("late")
        await stores.deviceCodes.add(code)
        await stores.deviceCodes.decide(code.digest, grant, NOW)

        redeemed = await stores.deviceCodes.redeem(code.digest, grant, opaque, NOW + 5.0)
        again = await stores.deviceCodes.redeem(
            code.digest, late, makeOpaqueToken("late", late), NOW + 5.0
        )

        self.assertEqual([True, False], [redeemed, again])
        self.assertEqual(
            attrs.evolve(code, grant=grant, used=NOW + 5.0),
            await stores.deviceCodes.find(code.digest),
        )
        self.assertEqual((grant,), await stores.grants.list(ALICE.name))
        self.assertEqual(opaque, await stores.opaqueTokens.find(opaque.digest))
        self.assertIsNone(await stores.opaqueTokens.find(digestOf("late")))

    async def test_notRedeemed(self) -> None:
        """
        A code about which nobody decided, that has expired, or that is none, is worth nothing
        (O 77).
        """
        stores = await self.openStores()
        waiting, allowed = makeDeviceCode("waiting"), makeDeviceCode("allowed", "ZZZZZZZZ")
        grant = makeGrant("grant")
        await stores.deviceCodes.add(waiting)
        await stores.deviceCodes.add(allowed)
        await stores.deviceCodes.decide(allowed.digest, grant, NOW)

        for digest, when in (
            (waiting.digest, NOW),
            (allowed.digest, allowed.expires),
            (digestOf("nothing"), NOW),
        ):
            self.assertIs(False, await stores.deviceCodes.redeem(digest, grant, None, when))

        self.assertIsNone(await stores.grants.get("grant"))

    async def test_removedAccountsDevice(self) -> None:
        """
        What an account allowed a device goes with the account: a later one of the same name
        allowed nothing.
        """
        stores = await self.openStores()
        code, grant = makeDeviceCode("device"), makeGrant("grant")
        waiting = makeDeviceCode("waiting", "ZZZZZZZZ")
        await stores.deviceCodes.add(code)
        await stores.deviceCodes.add(waiting)
        await stores.deviceCodes.decide(code.digest, grant, NOW)

        await stores.accounts.remove(ALICE.name)
        await stores.accounts.add(ALICE)

        self.assertIs(False, await stores.deviceCodes.redeem(code.digest, grant, None, NOW))
        self.assertIsNone(await stores.deviceCodes.find(code.digest))
        self.assertEqual(waiting, await stores.deviceCodes.find(waiting.digest))

    async def test_purgedDevices(self) -> None:
        """
        A code is known for an hour after it expired, and forgotten when another comes after that.
        """
        codes = (await self.openStores()).deviceCodes
        code = makeDeviceCode("device")
        await codes.add(code)

        late = code.expires + EXPIRED_KNOWN
        await codes.add(makeDeviceCode("early", "EARLY", created=late - 1.0))
        self.assertEqual(code, await codes.find(code.digest))
        await codes.add(makeDeviceCode("late", "LATE", created=late))
        self.assertIsNone(await codes.find(code.digest))
