"""
What a store of identities must do.
"""

from __future__ import annotations

from zope.interface.verify import verifyObject

from ...credentials import accountTag, subjectTag
from ...interfaces import IIdentities
from ...stores.records import Account, Identity, NotFound
from .records import ALICE, BOB, NOW
from .suite import ConformanceWithAccounts, Heard, Stores

COMPANY = "https://idp.example/realms/company"
SCHOOL = "https://idp.example/realms/school"


class IdentitiesConformance(ConformanceWithAccounts):
    """
    For L{IIdentities}.
    """

    async def resolve(
        self,
        stores: Stores,
        subject: str,
        account: str | None = ALICE.name,
        issuer: str = COMPANY,
        create: bool = False,
    ) -> str | None:
        """
        Whose account it is, now.
        """
        return await stores.identities.resolve(
            issuer, subject, account, self.clock.seconds(), create
        )

    async def test_identitiesInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IIdentities, stores.identities)

    async def test_firstUse(self) -> None:
        """
        A subject that comes first is linked with the account of its name, and stays so.
        """
        stores = await self.openStores()
        self.assertEqual((), await stores.identities.list(ALICE.name))
        heard = Heard(stores.revocations)

        self.assertEqual(ALICE.name, await self.resolve(stores, "1"))
        self.clock.advance(5)
        self.assertEqual(ALICE.name, await self.resolve(stores, "1"))

        self.assertEqual(
            (Identity(COMPANY, "1", ALICE.name, NOW),), await stores.identities.list(ALICE.name)
        )
        self.assertEqual([], heard.news)

    async def test_renamed(self) -> None:
        """
        Whoever is called otherwise at the issuer, also by the name of another account or by one
        that nobody can have here, keeps his account and gets into no other (TK14).
        """
        stores = await self.openStores()
        await self.resolve(stores, "1")

        for name in (BOB.name, "carol@example.test", None):
            self.assertEqual(ALICE.name, await self.resolve(stores, "1", name, create=True))

        self.assertEqual((), await stores.identities.list(BOB.name))
        self.assertIsNone(await stores.accounts.get("carol@example.test"))

    async def test_reusedName(self) -> None:
        """
        Whoever is given the name of somebody who was there before opens nobody's account, whether
        or not accounts are made (TK14).
        """
        stores = await self.openStores()
        await self.resolve(stores, "1")

        for create in (False, True):
            self.assertIsNone(await self.resolve(stores, "2", create=create))

        self.assertEqual(1, len(await stores.identities.list(ALICE.name)))

    async def test_twoIssuers(self) -> None:
        """
        Subjects of two issuers are different ones, even if they are called the same (O 31). An
        account may be linked with one of each.
        """
        stores = await self.openStores()
        await self.resolve(stores, "1")

        self.assertEqual(BOB.name, await self.resolve(stores, "1", BOB.name, SCHOOL))
        self.assertEqual(ALICE.name, await self.resolve(stores, "2", ALICE.name, SCHOOL))

        self.assertEqual(
            (
                Identity(COMPANY, "1", ALICE.name, NOW),
                Identity(SCHOOL, "2", ALICE.name, NOW),
            ),
            await stores.identities.list(ALICE.name),
        )

    async def test_nobody(self) -> None:
        """
        A name that no account has links nothing: neither then, nor with whoever gets it later.
        """
        stores = await self.openStores()
        for name in ("carol@example.test", None):
            self.assertIsNone(await self.resolve(stores, "1", name))

        await stores.accounts.add(Account("carol@example.test"))

        self.assertEqual((), await stores.identities.list("carol@example.test"))

    async def test_created(self) -> None:
        """
        Where accounts are made at the first sign-in, one is, linked, and whoever remembers that
        there is none hears of it. A name that is there already makes none.
        """
        stores = await self.openStores()
        heard = Heard(stores.revocations)

        self.assertEqual(ALICE.name, await self.resolve(stores, "1", create=True))
        self.assertEqual([], heard.news)
        carol = "carol@example.test"
        self.assertEqual(carol, await self.resolve(stores, "2", carol, create=True))

        self.assertEqual([({accountTag(carol)}, None)], heard.news)
        self.assertEqual(ALICE, await stores.accounts.get(ALICE.name))
        self.assertEqual(Account(carol, created=NOW), await stores.accounts.get(carol))
        self.assertEqual((Identity(COMPANY, "2", carol, NOW),), await stores.identities.list(carol))
        self.assertIsNone(await self.resolve(stores, "3", None, create=True))

    async def test_unlinked(self) -> None:
        """
        What is unlinked is revoked, that alone, and the account is free for another subject.
        """
        stores = await self.openStores()
        await self.resolve(stores, "1")
        await self.resolve(stores, "2", BOB.name)

        await stores.identities.unlink(COMPANY, "1")

        self.assertRevoked(stores, subjectTag(COMPANY, "1"))
        self.assertFalse(stores.revocations.covers([subjectTag(COMPANY, "2")], 0))
        self.assertEqual((), await stores.identities.list(ALICE.name))
        self.assertEqual(BOB.name, await self.resolve(stores, "2"))
        self.assertEqual(ALICE.name, await self.resolve(stores, "3"))

    async def test_notLinked(self) -> None:
        """
        What is not linked cannot be unlinked, and no account that is not there can be linked; both
        revoke nothing.
        """
        stores = await self.openStores()
        await self.resolve(stores, "1")
        heard = Heard(stores.revocations)

        await self.assertFails(NotFound, stores.identities.unlink(COMPANY, "2"))
        await self.assertFails(NotFound, stores.identities.unlink(SCHOOL, "1"))
        await self.assertFails(NotFound, stores.identities.link(Identity(COMPANY, "1", "nobody")))

        self.assertEqual([], heard.news)
        self.assertEqual(ALICE.name, await self.resolve(stores, "1"))

    async def test_linked(self) -> None:
        """
        An administrator's link comes before any use; one that is there already changes nothing.
        """
        stores = await self.openStores()
        heard = Heard(stores.revocations)
        identity = Identity(COMPANY, "1", ALICE.name, NOW)

        await stores.identities.link(identity)
        await stores.identities.link(identity)

        self.assertEqual((identity,), await stores.identities.list(ALICE.name))
        self.assertEqual(ALICE.name, await self.resolve(stores, "1", BOB.name))
        self.assertIsNone(await self.resolve(stores, "2"))
        self.assertEqual([], heard.news)

    async def test_linkedInPlace(self) -> None:
        """
        An administrator's link takes the place of the account's own and of the subject's, and what
        came of those is revoked; links of other issuers and other people stay.
        """
        stores = await self.openStores()
        await stores.accounts.add(Account("carol@example.test"))
        for subject, account in (("1", ALICE.name), ("2", BOB.name), ("3", "carol@example.test")):
            await self.resolve(stores, subject, account)
        await self.resolve(stores, "2", ALICE.name, SCHOOL)
        heard = Heard(stores.revocations)

        await stores.identities.link(Identity(COMPANY, "2", ALICE.name, NOW))

        revoked = {tag for tags, reason in heard.news if reason for tag in tags}
        self.assertEqual({subjectTag(COMPANY, "1"), subjectTag(COMPANY, "2")}, revoked)
        self.assertEqual(ALICE.name, await self.resolve(stores, "2", None))
        self.assertEqual((), await stores.identities.list(BOB.name))
        self.assertEqual(2, len(await stores.identities.list(ALICE.name)))
        self.assertEqual("carol@example.test", await self.resolve(stores, "3", None))

    async def test_removedAccount(self) -> None:
        """
        An account that is removed takes its links along: whoever gets its name is somebody else.
        """
        stores = await self.openStores()
        await self.resolve(stores, "1")
        await self.resolve(stores, "2", BOB.name)

        await stores.accounts.remove(ALICE.name)
        await stores.accounts.add(ALICE)

        self.assertEqual((), await stores.identities.list(ALICE.name))
        self.assertIsNone(await self.resolve(stores, "1", None))
        self.assertEqual(BOB.name, await self.resolve(stores, "2", None))

    async def test_subjectsAreWords(self) -> None:
        """
        No subject means anything to the store (CS6).
        """
        stores = await self.openStores()
        subjects = ["'; DROP TABLE identities; --", "%", "*", "a\\b", "\N{GRINNING FACE}", "a#b"]
        for number, subject in enumerate(subjects):
            await self.resolve(stores, subject, f"{number}@example.test", create=True)

        for number, subject in enumerate(subjects):
            self.assertEqual(f"{number}@example.test", await self.resolve(stores, subject, None))
