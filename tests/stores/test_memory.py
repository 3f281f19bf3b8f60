"""
Tests for L{mailauth.stores.memory}: the conformance suites, and what memory alone allows.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailauth.stores.memory import MemoryAppPasswords, MemoryStores
from mailauth.stores.revocations import KEEP
from mailauth.testing.stores import (
    ISSUER,
    AccountsConformance,
    AliasesConformance,
    AppPasswordsConformance,
    BrowserSessionsConformance,
    ClientsConformance,
    Conformance,
    DeviceCodesConformance,
    EventsConformance,
    FactorsConformance,
    GrantsConformance,
    IdentitiesConformance,
    OpaqueTokensConformance,
    RevocationsConformance,
    SigningKeysConformance,
    SpentConformance,
    Stores,
    makeAppPassword,
)


class InMemory(Conformance):
    """
    Stores in memory.
    """

    def makeStores(self, now: Callable[[], float]) -> Deferred[Stores]:
        """
        New ones each time.
        """
        return succeed(MemoryStores(now, ISSUER))


class MemoryRevocationsTests(InMemory, RevocationsConformance, TestCase):
    """
    L{MemoryRevocations<mailauth.stores.memory.MemoryRevocations>}.
    """

    async def test_forgotten(self) -> None:
        """
        Entries are forgotten when nothing they could cover can be alive, and none before.
        """
        revocations = (await self.openStores()).revocations
        await revocations.revoke(["old"], "Gone.")
        self.clock.advance(KEEP / 2)
        await revocations.revoke(["young"], "Gone.")
        self.clock.advance(KEEP / 2 + 1)

        await revocations.touch(["x"])

        self.assertFalse(revocations.covers(["old"], 0))
        self.assertTrue(revocations.covers(["young"], 0))

        self.clock.advance(KEEP)
        await revocations.touch(["x"])

        self.assertFalse(revocations.covers(["young"], 0))


class MemoryAccountsTests(InMemory, AccountsConformance, TestCase):
    """
    L{MemoryAccounts<mailauth.stores.memory.MemoryAccounts>}.
    """


class MemoryAppPasswordsTests(InMemory, AppPasswordsConformance, TestCase):
    """
    L{MemoryAppPasswords<mailauth.stores.memory.MemoryAppPasswords>}.
    """


class MemoryAliasesTests(InMemory, AliasesConformance, TestCase):
    """
    L{MemoryAliases<mailauth.stores.memoryaliases.MemoryAliases>}.
    """


class MemoryEventsTests(InMemory, EventsConformance, TestCase):
    """
    L{MemoryEvents<mailauth.stores.memoryevents.MemoryEvents>}.
    """


class MemoryIdentitiesTests(InMemory, IdentitiesConformance, TestCase):
    """
    L{MemoryIdentities<mailauth.stores.memoryidentities.MemoryIdentities>}.
    """


class MemorySigningKeysTests(InMemory, SigningKeysConformance, TestCase):
    """
    L{MemorySigningKeys<mailauth.stores.memory.MemorySigningKeys>}.
    """


class MemoryClientsTests(InMemory, ClientsConformance, TestCase):
    """
    L{MemoryClients<mailauth.stores.memorygrants.MemoryClients>}.
    """


class MemoryGrantsTests(InMemory, GrantsConformance, TestCase):
    """
    L{MemoryGrants<mailauth.stores.memorygrants.MemoryGrants>}.
    """


class MemoryOpaqueTokensTests(InMemory, OpaqueTokensConformance, TestCase):
    """
    L{MemoryOpaqueTokens<mailauth.stores.memorygrants.MemoryOpaqueTokens>}.
    """


class MemoryDeviceCodesTests(InMemory, DeviceCodesConformance, TestCase):
    """
    L{MemoryDeviceCodes<mailauth.stores.memorydevicecodes.MemoryDeviceCodes>}.
    """


class MemoryBrowserSessionsTests(InMemory, BrowserSessionsConformance, TestCase):
    """
    L{MemoryBrowserSessions<mailauth.stores.memorysignin.MemoryBrowserSessions>}.
    """


class MemoryFactorsTests(InMemory, FactorsConformance, TestCase):
    """
    L{MemoryFactors<mailauth.stores.memorysignin.MemoryFactors>}.
    """


class MemorySpentTests(InMemory, SpentConformance, TestCase):
    """
    L{MemorySpent<mailauth.stores.memorysignin.MemorySpent>}.
    """


class AloneTests(SynchronousTestCase):
    """
    App passwords without accounts, for an embedder who keeps those elsewhere.
    """

    def test_anyAccount(self) -> None:
        """
        They belong to any name.
        """
        appPasswords = MemoryAppPasswords()
        appPassword = makeAppPassword("phone", "somebody")

        self.successResultOf(appPasswords.add(appPassword))

        self.assertEqual((appPassword,), self.successResultOf(appPasswords.list("somebody")))
