"""
What the stores of accounts and signing keys must do.
"""

from __future__ import annotations

import attrs
from zope.interface.verify import verifyObject

from ...credentials import accountTag, appPasswordTag
from ...interfaces import IAccounts, ISigningKeys
from ...stores.records import (
    SIGNING_KEYS_TAG,
    Account,
    AlreadyExists,
    NotFound,
    SigningKey,
)
from .records import ALICE, BOB, makeAppPassword
from .suite import Conformance, Heard


class AccountsConformance(Conformance):
    """
    For L{IAccounts}.
    """

    async def test_accountsInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IAccounts, stores.accounts)

    async def test_addedAccount(self) -> None:
        """
        What was added is found by exactly its name, whole.
        """
        accounts = (await self.openStores()).accounts

        await accounts.add(BOB)

        self.assertEqual(BOB, await accounts.get(BOB.name))
        self.assertIsNone(await accounts.get(BOB.name.upper()))
        self.assertIsNone(await accounts.get("bob%"))

    async def test_listedAccounts(self) -> None:
        """
        Accounts are listed by name, and counted.
        """
        accounts = (await self.openStores()).accounts
        self.assertEqual((), await accounts.list())
        self.assertEqual(0, await accounts.count())

        await accounts.add(BOB)
        await accounts.add(ALICE)

        self.assertEqual((ALICE, BOB), await accounts.list())
        self.assertEqual(2, await accounts.count())

    async def test_foundAccounts(self) -> None:
        """
        Accounts are looked for by what stands in the name, and found by name, so many at once.
        """
        accounts = (await self.openStores()).accounts
        carol = Account("carol@example.test")
        for account in (carol, BOB, ALICE):
            await accounts.add(account)

        self.assertEqual((ALICE, BOB), await accounts.find("", "", 2))
        self.assertEqual((carol,), await accounts.find("", BOB.name, 2))
        self.assertEqual((), await accounts.find("", carol.name, 2))
        self.assertEqual((carol,), await accounts.find("arol", "", 2))
        self.assertEqual((BOB,), await accounts.find("ob@", "", 2))
        self.assertEqual((), await accounts.find("_ob", "", 2))

    async def test_accountTwice(self) -> None:
        """
        A name is taken once, and the first record stays.
        """
        accounts = (await self.openStores()).accounts
        await accounts.add(BOB)

        await self.assertFails(AlreadyExists, accounts.add(Account(BOB.name, "another")))

        self.assertEqual(BOB, await accounts.get(BOB.name))

    async def test_addTells(self) -> None:
        """
        Adding an account touches its tag: somebody may remember that there is none.
        """
        stores = await self.openStores()
        heard = Heard(stores.revocations)

        await stores.accounts.add(ALICE)

        self.assertEqual([({accountTag(ALICE.name)}, None)], heard.news)

    async def test_disabled(self) -> None:
        """
        Disabling an account revokes what was issued to it; enabling it revives nothing.
        """
        stores = await self.openStores()
        await stores.accounts.add(ALICE)

        await stores.accounts.disable(ALICE.name)

        self.assertEqual(attrs.evolve(ALICE, enabled=False), await stores.accounts.get(ALICE.name))
        self.assertRevoked(stores, accountTag(ALICE.name))

        heard = Heard(stores.revocations)
        await stores.accounts.enable(ALICE.name)

        self.assertEqual(ALICE, await stores.accounts.get(ALICE.name))
        self.assertRevoked(stores, accountTag(ALICE.name))
        self.assertEqual([({accountTag(ALICE.name)}, None)], heard.news)

    async def test_removed(self) -> None:
        """
        Removing an account takes its app passwords with it, and revokes what was issued to it,
        also for a later account of the same name.
        """
        stores = await self.openStores()
        await stores.accounts.add(ALICE)
        await stores.accounts.add(BOB)
        await stores.appPasswords.add(makeAppPassword("of-alice"))
        bobs = makeAppPassword("of-bob", BOB.name)
        await stores.appPasswords.add(bobs)

        await stores.accounts.remove(ALICE.name)
        await stores.accounts.add(ALICE)

        self.assertRevoked(stores, accountTag(ALICE.name))
        self.assertEqual((), await stores.appPasswords.list(ALICE.name))
        self.assertEqual((bobs,), await stores.appPasswords.list(BOB.name))

    async def test_passwordSet(self) -> None:
        """
        Setting the account password revokes what was issued to the account, but no app password.
        """
        stores = await self.openStores()
        await stores.accounts.add(ALICE)
        appPassword = makeAppPassword("phone")
        await stores.appPasswords.add(appPassword)

        await stores.accounts.setPassword(ALICE.name, "a new hash")

        account = await stores.accounts.get(ALICE.name)
        self.assertEqual(attrs.evolve(ALICE, passwordHash="a new hash"), account)
        self.assertRevoked(stores, accountTag(ALICE.name))
        self.assertFalse(stores.revocations.covers([appPasswordTag("phone")], 0))
        self.assertEqual((appPassword,), await stores.appPasswords.list(ALICE.name))

    async def test_passwordCleared(self) -> None:
        """
        An account can be left without a password, which ends what a new one would.
        """
        stores = await self.openStores()
        await stores.accounts.add(BOB)

        await stores.accounts.setPassword(BOB.name, None)

        cleared = attrs.evolve(BOB, passwordHash=None)
        self.assertEqual(cleared, await stores.accounts.get(BOB.name))
        self.assertRevoked(stores, accountTag(BOB.name))

    async def test_passwordRuleSet(self) -> None:
        """
        Where the account password may be used is set and unset, which revokes nothing.
        """
        stores = await self.openStores()
        await stores.accounts.add(ALICE)
        heard = Heard(stores.revocations)

        await stores.accounts.setPasswordRule(ALICE.name, "everywhere")
        changed = await stores.accounts.get(ALICE.name)
        await stores.accounts.setPasswordRule(ALICE.name, None)

        self.assertEqual(attrs.evolve(ALICE, passwordRule="everywhere"), changed)
        self.assertEqual(ALICE, await stores.accounts.get(ALICE.name))
        self.assertEqual([({accountTag(ALICE.name)}, None)] * 2, heard.news)

    async def test_noSuchAccount(self) -> None:
        """
        There is nothing to change in an account that is not there, and nothing is revoked.
        """
        stores = await self.openStores()
        heard = Heard(stores.revocations)
        accounts = stores.accounts

        self.assertIsNone(await accounts.get("nobody"))
        await self.assertFails(NotFound, accounts.disable("nobody"))
        await self.assertFails(NotFound, accounts.enable("nobody"))
        await self.assertFails(NotFound, accounts.remove("nobody"))
        await self.assertFails(NotFound, accounts.setPassword("nobody", "hash"))
        await self.assertFails(NotFound, accounts.setPasswordRule("nobody", "web"))

        self.assertEqual([], heard.news)

    async def test_namesAreWords(self) -> None:
        """
        No name means anything to the store (SA8, CS6).
        """
        accounts = (await self.openStores()).accounts
        names = ["'; DROP TABLE accounts; --", "%", "*", "a\\b", "ä@example.test", "a\x00b", ""]
        for name in names:
            await accounts.add(Account(name))

        for name in names:
            self.assertEqual(Account(name), await accounts.get(name))
        self.assertEqual(sorted(names), [one.name for one in await accounts.list()])


class SigningKeysConformance(Conformance):
    """
    For L{ISigningKeys}.
    """

    older = SigningKey("z", "ES256", b"-----BEGIN PRIVATE KEY-----\n\x00", 1.0)
    newer = SigningKey("a", "RS256", b"-----BEGIN PRIVATE KEY-----\n\x01", 2.0)

    async def test_signingKeysInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(ISigningKeys, stores.signingKeys)

    async def test_listedKeys(self) -> None:
        """
        Keys are listed whole, newest first.
        """
        signingKeys = (await self.openStores()).signingKeys
        self.assertEqual((), await signingKeys.list())

        await signingKeys.add(self.older)
        await signingKeys.add(self.newer)

        self.assertEqual((self.newer, self.older), await signingKeys.list())

    async def test_kidTwice(self) -> None:
        """
        A C{kid} is taken once.
        """
        signingKeys = (await self.openStores()).signingKeys
        await signingKeys.add(self.older)

        await self.assertFails(
            AlreadyExists, signingKeys.add(attrs.evolve(self.newer, kid=self.older.kid))
        )

        self.assertEqual((self.older,), await signingKeys.list())

    async def test_retired(self) -> None:
        """
        A retired key stays in the list and says since when; others stay as they were.
        """
        signingKeys = (await self.openStores()).signingKeys
        await signingKeys.add(self.older)
        await signingKeys.add(self.newer)

        await signingKeys.retire(self.older.kid, 3.0)

        self.assertEqual(
            (self.newer, attrs.evolve(self.older, retired=3.0)), await signingKeys.list()
        )

    async def test_noSuchKey(self) -> None:
        """
        A key that is not there cannot be retired.
        """
        signingKeys = (await self.openStores()).signingKeys

        await self.assertFails(NotFound, signingKeys.retire("none", 1.0))

    async def test_keysTell(self) -> None:
        """
        Whoever signs or verifies hears that there is another key, or one less to sign with.
        """
        stores = await self.openStores()
        heard = Heard(stores.revocations)

        await stores.signingKeys.add(self.older)
        await stores.signingKeys.retire(self.older.kid, 3.0)

        self.assertEqual([({SIGNING_KEYS_TAG}, None)] * 2, heard.news)
