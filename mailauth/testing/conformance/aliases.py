"""
What a store of aliases must do.
"""

from __future__ import annotations

from zope.interface.verify import verifyObject

from ...interfaces import IAliases
from ...stores.records import Account, Alias, AlreadyExists, NotFound
from .records import ALICE, BOB, NOW
from .suite import ConformanceWithAccounts

INFO, SALES = "info@example.test", "sales@example.test"


class AliasesConformance(ConformanceWithAccounts):
    """
    For L{IAliases}.
    """

    async def test_aliasesInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IAliases, stores.aliases)

    async def test_addedAlias(self) -> None:
        """
        An alias is found by exactly its address, whole; those of one account are listed.
        """
        aliases = (await self.openStores()).aliases
        sales, info = Alias(SALES, ALICE.name, NOW), Alias(INFO, ALICE.name, NOW + 1.0)

        for alias in (sales, info, Alias("bobby@example.test", BOB.name)):
            await aliases.add(alias)

        self.assertEqual(info, await aliases.get(INFO))
        self.assertIsNone(await aliases.get(INFO.upper()))
        self.assertIsNone(await aliases.get("info%"))
        self.assertEqual((info, sales), await aliases.list(ALICE.name))
        self.assertEqual((), await aliases.list("nobody"))

    async def test_nameIsNoAlias(self) -> None:
        """
        The name of an account is no alias of it, and cannot be removed as one.
        """
        aliases = (await self.openStores()).aliases

        self.assertIsNone(await aliases.get(ALICE.name))
        self.assertEqual((), await aliases.list(ALICE.name))
        await self.assertFails(NotFound, aliases.remove(ALICE.name, ALICE.name))

    async def test_addressTwice(self) -> None:
        """
        An address is one account's alias, and the name of none.
        """
        stores = await self.openStores()
        alias = Alias(INFO, ALICE.name, NOW)
        await stores.aliases.add(alias)

        for other in (
            Alias(INFO, BOB.name),
            Alias(INFO, ALICE.name),
            Alias(BOB.name, ALICE.name),
            Alias(ALICE.name, ALICE.name),
        ):
            await self.assertFails(AlreadyExists, stores.aliases.add(other))
        await self.assertFails(AlreadyExists, stores.accounts.add(Account(INFO)))

        self.assertEqual(alias, await stores.aliases.get(INFO))
        self.assertEqual((ALICE, BOB), await stores.accounts.list())
        self.assertEqual((), await stores.aliases.list(BOB.name))

    async def test_aliasIsNoAccount(self) -> None:
        """
        Nobody is found by an alias as if it were his name, and an issuer that calls somebody so
        makes no account of it.
        """
        stores = await self.openStores()
        await stores.aliases.add(Alias(INFO, ALICE.name))

        resolved = await stores.identities.resolve("https://idp.example", "1", INFO, NOW, True)

        self.assertIsNone(await stores.accounts.get(INFO))
        self.assertIsNone(resolved)
        self.assertEqual((ALICE, BOB), await stores.accounts.list())

    async def test_createdName(self) -> None:
        """
        The name of an account that an issuer's word made is no alias of another.
        """
        stores = await self.openStores()
        carol = "carol@example.test"
        await stores.identities.resolve("https://idp.example", "1", carol, NOW, True)

        await self.assertFails(AlreadyExists, stores.aliases.add(Alias(carol, ALICE.name)))

    async def test_aliasOfNobody(self) -> None:
        """
        There is no alias without an account.
        """
        aliases = (await self.openStores()).aliases

        await self.assertFails(NotFound, aliases.add(Alias(INFO, "nobody")))

        self.assertIsNone(await aliases.get(INFO))

    async def test_removedAlias(self) -> None:
        """
        An account gives up an alias of its own, once, and nobody another's; the address is free
        then.
        """
        stores = await self.openStores()
        await stores.aliases.add(Alias(INFO, ALICE.name))
        await stores.aliases.add(Alias(SALES, ALICE.name))

        await self.assertFails(NotFound, stores.aliases.remove(BOB.name, INFO))
        await stores.aliases.remove(ALICE.name, INFO)
        await self.assertFails(NotFound, stores.aliases.remove(ALICE.name, INFO))

        self.assertIsNone(await stores.aliases.get(INFO))
        self.assertEqual(1, len(await stores.aliases.list(ALICE.name)))
        await stores.accounts.add(Account(INFO))

    async def test_removedAccountsAliases(self) -> None:
        """
        An account that is removed takes its aliases along.
        """
        stores = await self.openStores()
        await stores.aliases.add(Alias(INFO, ALICE.name))
        await stores.aliases.add(Alias(SALES, BOB.name))

        await stores.accounts.remove(ALICE.name)
        await stores.accounts.add(ALICE)

        self.assertEqual((), await stores.aliases.list(ALICE.name))
        self.assertIsNone(await stores.aliases.get(INFO))
        self.assertIsNotNone(await stores.aliases.get(SALES))

    async def test_foundByAlias(self) -> None:
        """
        An account is looked for by its name or an alias, and found once.
        """
        stores = await self.openStores()
        for address in (INFO, "infos@example.test"):
            await stores.aliases.add(Alias(address, BOB.name))

        self.assertEqual((BOB,), await stores.accounts.find("info", "", 10))
        self.assertEqual((ALICE, BOB), await stores.accounts.find("example", "", 10))
        self.assertEqual((), await stores.accounts.find("info%", "", 10))

    async def test_addressesAreWords(self) -> None:
        """
        No address means anything to the store (CS6).
        """
        aliases = (await self.openStores()).aliases
        addresses = ["'; DROP TABLE addresses; --", "%", "a\\b", "\N{GRINNING FACE}@example.test"]
        for address in addresses:
            await aliases.add(Alias(address, ALICE.name))

        found = await aliases.list(ALICE.name)

        self.assertEqual(sorted(addresses), [alias.address for alias in found])
