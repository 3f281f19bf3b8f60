"""
What a store of app passwords must do.
"""

from __future__ import annotations

import attrs
from zope.interface.verify import verifyObject

from ...credentials import accountTag, appPasswordTag
from ...interfaces import IAppPasswords
from ...stores.records import (
    APP_PASSWORD_LIMIT,
    IMPORTED_LIMIT,
    AlreadyExists,
    AppPassword,
    AppPasswordUse,
    LimitReached,
    NotFound,
)
from .records import ALICE, BOB, makeAppPassword, makeImported
from .suite import ConformanceWithAccounts


class AppPasswordsConformance(ConformanceWithAccounts):
    """
    For L{IAppPasswords}.
    """

    async def test_appPasswordsInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IAppPasswords, stores.appPasswords)

    async def test_found(self) -> None:
        """
        An app password is found by the digest of its secret, whole, and by no other.
        """
        appPasswords = (await self.openStores()).appPasswords
        appPassword = AppPassword(
            identifier="phone",
            account=ALICE.name,
            name="Alice's phone, the black one",
            digest=b"\x00\xff" * 16,
            services=frozenset({"imap", "smtp"}),
            readOnly=True,
            created=3.5,
            expires=1e10,
            networks=("192.0.2.0/24", "2001:db8::/32"),
            lastUse=AppPasswordUse(4.5, "imap", "192.0.2.1", "A Client/1.0, really"),
        )
        await appPasswords.add(makeAppPassword("laptop"))

        await appPasswords.add(appPassword)

        self.assertEqual(appPassword, await appPasswords.find(b"\x00\xff" * 16))
        self.assertIsNone(await appPasswords.find(b"\x00\xfe" * 16))
        self.assertIsNone(await appPasswords.find(b""))

    async def test_listedAppPasswords(self) -> None:
        """
        Those of one account are listed, oldest first.
        """
        appPasswords = (await self.openStores()).appPasswords
        older = attrs.evolve(makeAppPassword("z"), created=1.0)
        newer = attrs.evolve(makeAppPassword("a"), created=2.0)
        await appPasswords.add(newer)
        await appPasswords.add(older)
        await appPasswords.add(makeAppPassword("of-bob", BOB.name))

        self.assertEqual((older, newer), await appPasswords.list(ALICE.name))
        self.assertEqual((), await appPasswords.list("nobody"))

    async def test_imported(self) -> None:
        """
        Imported ones are listed by themselves, and no digest finds them.
        """
        appPasswords = (await self.openStores()).appPasswords
        imported = makeImported("imported")
        await appPasswords.add(makeAppPassword("generated"))
        await appPasswords.add(imported)
        await appPasswords.add(makeImported("of-bob", BOB.name))

        self.assertEqual((imported,), await appPasswords.imported(ALICE.name))
        self.assertIsNone(await appPasswords.find(b""))

    async def test_importedLimit(self) -> None:
        """
        An account has so many imported ones and no more (PW5); generated ones are not counted.
        """
        appPasswords = (await self.openStores()).appPasswords
        for number in range(IMPORTED_LIMIT):
            await appPasswords.add(makeImported(f"imported-{number}"))

        await self.assertFails(LimitReached, appPasswords.add(makeImported("one-more")))
        await appPasswords.add(makeAppPassword("generated"))
        await appPasswords.add(makeImported("of-bob", BOB.name))

        self.assertEqual(IMPORTED_LIMIT, len(await appPasswords.imported(ALICE.name)))

    async def test_limit(self) -> None:
        """
        An account has so many app passwords and no more, imported ones among them; each account
        has a limit of its own, or that of all.
        """
        appPasswords = (await self.openStores()).appPasswords
        await appPasswords.setLimit(ALICE.name, 2)
        await appPasswords.add(makeAppPassword("phone"))
        await appPasswords.add(makeImported("old"))

        await self.assertFails(LimitReached, appPasswords.add(makeAppPassword("laptop")))
        await self.assertFails(LimitReached, appPasswords.add(makeImported("older")))
        for number in range(3):
            await appPasswords.add(makeAppPassword(f"{number}", BOB.name))

        self.assertEqual(2, await appPasswords.limit(ALICE.name))
        self.assertEqual(APP_PASSWORD_LIMIT, await appPasswords.limit(BOB.name))
        self.assertEqual(2, len(await appPasswords.list(ALICE.name)))

    async def test_limitChanged(self) -> None:
        """
        A lower limit takes nothing away; room is made by revoking, or by a higher one.
        """
        appPasswords = (await self.openStores()).appPasswords
        for name in ("phone", "laptop"):
            await appPasswords.add(makeAppPassword(name))

        await appPasswords.setLimit(ALICE.name, 1)
        self.assertEqual(2, len(await appPasswords.list(ALICE.name)))
        await appPasswords.revoke(ALICE.name, "phone")
        await self.assertFails(LimitReached, appPasswords.add(makeAppPassword("phone")))
        await appPasswords.setLimit(ALICE.name, 0)
        await self.assertFails(LimitReached, appPasswords.add(makeAppPassword("phone")))
        await appPasswords.setLimit(ALICE.name, None)
        await appPasswords.add(makeAppPassword("phone"))

        self.assertEqual(APP_PASSWORD_LIMIT, await appPasswords.limit(ALICE.name))

    async def test_limitOfNobody(self) -> None:
        """
        An account that is not there has no limit of its own, nor has one that comes later the
        limit of one that is gone.
        """
        stores = await self.openStores()
        await self.assertFails(NotFound, stores.appPasswords.setLimit("nobody", 1))
        await stores.appPasswords.setLimit(ALICE.name, 1)

        await stores.accounts.remove(ALICE.name)
        await stores.accounts.add(ALICE)

        self.assertEqual(APP_PASSWORD_LIMIT, await stores.appPasswords.limit(ALICE.name))

    async def test_noAccount(self) -> None:
        """
        There is no app password without an account.
        """
        appPasswords = (await self.openStores()).appPasswords

        await self.assertFails(NotFound, appPasswords.add(makeAppPassword("a", "nobody")))

        self.assertEqual((), await appPasswords.list("nobody"))

    async def test_appPasswordTwice(self) -> None:
        """
        An identifier is taken once, and so is a digest, whoever took it.
        """
        appPasswords = (await self.openStores()).appPasswords
        phone = makeAppPassword("phone")
        await appPasswords.add(phone)
        sameDigest = attrs.evolve(phone, identifier="other", account=BOB.name)

        await self.assertFails(AlreadyExists, appPasswords.add(makeImported("phone")))
        await self.assertFails(AlreadyExists, appPasswords.add(sameDigest))

        self.assertEqual((phone,), await appPasswords.list(ALICE.name))
        self.assertEqual((), await appPasswords.list(BOB.name))

    async def test_revokedAppPassword(self) -> None:
        """
        A revoked app password is gone, its tag is revoked, and no other's is.
        """
        stores = await self.openStores()
        phone, laptop = makeAppPassword("phone"), makeAppPassword("laptop")
        await stores.appPasswords.add(phone)
        await stores.appPasswords.add(laptop)

        await stores.appPasswords.revoke(ALICE.name, "phone")

        self.assertEqual((laptop,), await stores.appPasswords.list(ALICE.name))
        self.assertIsNone(await stores.appPasswords.find(phone.digest or b""))
        self.assertRevoked(stores, appPasswordTag("phone"))
        self.assertFalse(stores.revocations.covers([appPasswordTag("laptop")], 0))
        self.assertFalse(stores.revocations.covers([accountTag(ALICE.name)], 0))

    async def test_revokeOfOther(self) -> None:
        """
        Nobody revokes an app password of another account, or one that is not there.
        """
        stores = await self.openStores()
        phone = makeAppPassword("phone")
        await stores.appPasswords.add(phone)

        await self.assertFails(NotFound, stores.appPasswords.revoke(BOB.name, "phone"))
        await self.assertFails(NotFound, stores.appPasswords.revoke(ALICE.name, "tablet"))

        self.assertEqual((phone,), await stores.appPasswords.list(ALICE.name))
        self.assertFalse(stores.revocations.covers([appPasswordTag("phone")], 0))

    async def test_use(self) -> None:
        """
        The last use is kept, also long after an earlier one, and of no other app password.
        """
        appPasswords = (await self.openStores()).appPasswords
        phone, laptop = makeAppPassword("phone"), makeAppPassword("laptop")
        await appPasswords.add(phone)
        await appPasswords.add(laptop)
        first = AppPasswordUse(100.0, "imap", "192.0.2.1", "A Client/1.0")
        second = AppPasswordUse(5000.0, "smtp")

        await appPasswords.noteUse("phone", first)
        afterFirst = await appPasswords.find(phone.digest or b"")
        await appPasswords.noteUse("phone", second)

        self.assertEqual(attrs.evolve(phone, lastUse=first), afterFirst)
        self.assertEqual(
            (laptop, attrs.evolve(phone, lastUse=second)), await appPasswords.list(ALICE.name)
        )

    async def test_useOfUnknown(self) -> None:
        """
        An app password that was revoked while it was used is no error.
        """
        appPasswords = (await self.openStores()).appPasswords

        await appPasswords.noteUse("gone", AppPasswordUse(1.0, "imap"))

        self.assertEqual((), await appPasswords.list(ALICE.name))
