"""
What the suites share: the stores that are tested, and a listener.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from ...interfaces import (
    IAccounts,
    IAliases,
    IAppPasswords,
    IEvents,
    IIdentities,
    IRevocations,
    ISigningKeys,
)
from ...oauth.interfaces import (
    IBrowserSessions,
    IClients,
    IDeviceCodes,
    IFactors,
    IGrants,
    IOpaqueTokens,
    ISpent,
)
from ...oauth.records import Grant
from .records import ALICE, BOB, NOW, makeCode, makeOpaqueToken

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase
else:
    # The suites are no tests by themselves: runners collect what a module imports.
    TestCase = object


class Stores(Protocol):
    """
    One backend: stores that belong together.
    """

    @property
    def accounts(self) -> IAccounts:
        """
        The accounts.
        """

    @property
    def aliases(self) -> IAliases:
        """
        The other addresses of these accounts.
        """

    @property
    def appPasswords(self) -> IAppPasswords:
        """
        The app passwords of these accounts.
        """

    @property
    def events(self) -> IEvents:
        """
        What happened.
        """

    @property
    def identities(self) -> IIdentities:
        """
        Who the owners of these accounts are to external issuers.
        """

    @property
    def signingKeys(self) -> ISigningKeys:
        """
        The signing keys.
        """

    @property
    def revocations(self) -> IRevocations:
        """
        What the others publish to.
        """

    @property
    def clients(self) -> IClients:
        """
        The clients that were registered.
        """

    @property
    def grants(self) -> IGrants:
        """
        The codes and grants of these accounts.
        """

    @property
    def opaqueTokens(self) -> IOpaqueTokens:
        """
        The opaque tokens of these grants.
        """

    @property
    def deviceCodes(self) -> IDeviceCodes:
        """
        The devices that wait for these accounts.
        """

    @property
    def browserSessions(self) -> IBrowserSessions:
        """
        The browser sessions of these accounts.
        """

    @property
    def factors(self) -> IFactors:
        """
        What these accounts sign in with besides their passwords.
        """

    @property
    def spent(self) -> ISpent:
        """
        What was used once.
        """


class Heard:
    """
    A listener that keeps what it was told.

    @ivar news: the tags and the reason of each call.
    """

    def __init__(self, revocations: IRevocations) -> None:
        self.news: list[tuple[set[str], str | None]] = []
        self.unsubscribe = revocations.subscribe(self._hear)

    def _hear(self, tags: frozenset[str], reason: str | None) -> None:
        self.news.append((set(tags), reason))


class Conformance(TestCase):
    """
    What the suites share.

    @ivar clock: the wall clock of the stores.
    """

    clock: Clock

    def makeStores(self, now: Callable[[], float]) -> Deferred[Stores]:
        """
        Make empty stores, of L{ISSUER<mailauth.testing.stores.ISSUER>}. Override this; clean up
        with C{addCleanup}.

        @param now: the wall clock for them.
        """
        raise NotImplementedError

    async def openStores(self) -> Stores:
        """
        Empty stores, at L{NOW}.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        return await self.makeStores(self.clock.seconds)

    async def assertFails(self, error: type[Exception], answer: Deferred[None]) -> None:
        """
        The store must say no in the declared way.
        """
        await self.assertFailure(answer, error)

    def assertRevoked(self, stores: Stores, tag: str) -> None:
        """
        Whatever was issued under the tag until now is dead, and what comes later is not.
        """
        now = self.clock.seconds()
        self.assertTrue(stores.revocations.covers([tag], now))
        self.assertFalse(stores.revocations.covers([tag], now + 1))


class ConformanceWithAccounts(Conformance):
    """
    What the suites share whose stores keep something of accounts.
    """

    async def openStores(self) -> Stores:
        """
        Stores with two accounts.
        """
        stores = await super().openStores()
        await stores.accounts.add(ALICE)
        await stores.accounts.add(BOB)
        return stores

    async def addGrant(self, stores: Stores, grant: Grant, *opaque: str) -> None:
        """
        Let somebody have allowed something, with opaque tokens of these names.
        """
        code = makeCode(f"code of {grant.grantId}", grant)
        await stores.grants.addCode(code)
        self.assertTrue(await stores.grants.redeemCode(code.digest, grant, None, NOW))
        for name in opaque:
            await stores.opaqueTokens.add(makeOpaqueToken(name, grant))
