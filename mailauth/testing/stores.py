"""
What every store must do, as tests that a backend of your own inherits. They own the meaning of
L{mailauth.interfaces}: a store that passes can stand behind the checkers.

A backend's own test is three lines for each interface::

    class MyAccountsTests(AccountsConformance, TestCase):
        def makeStores(self, now):
            return succeed(MyStores(now))

C{TestCase} is trial's. For stores that several processes may share there is L{SharingConformance}.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import attrs
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from ..credentials import accountTag, appPasswordTag, tokenTag
from ..interfaces import IAccounts, IAppPasswords, IRevocations, ISigningKeys
from ..stores.records import (
    IMPORTED_LIMIT,
    SIGNING_KEYS_TAG,
    Account,
    AlreadyExists,
    AppPassword,
    AppPasswordUse,
    LimitReached,
    NotFound,
    SigningKey,
)

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase
else:
    # The suites are no tests by themselves: runners collect what a module imports.
    TestCase = object

ALICE = Account("alice@example.test", created=1.0)
BOB = Account("bob@example.test", "hash of bob's", True, "web", 2.0)


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
    def appPasswords(self) -> IAppPasswords:
        """
        The app passwords of these accounts.
        """

    @property
    def signingKeys(self) -> ISigningKeys:
        """
        The signing keys.
        """

    @property
    def revocations(self) -> IRevocations:
        """
        What the other three publish to.
        """


def makeAppPassword(identifier: str, account: str = ALICE.name) -> AppPassword:
    """
    An app password whose secret is its identifier.
    """
    digest = hashlib.sha256(identifier.encode()).digest()
    return AppPassword(identifier, account, "a phone", digest=digest, created=1.0)


def makeImported(identifier: str, account: str = ALICE.name) -> AppPassword:
    """
    An app password that was imported as a hash.
    """
    return AppPassword(identifier, account, "imported", imported="{BLF-CRYPT}$2b$...", created=1.0)


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
        Make empty stores. Override this; clean up with C{addCleanup}.

        @param now: the wall clock for them.
        """
        raise NotImplementedError

    async def openStores(self) -> Stores:
        """
        Empty stores, at some date.
        """
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
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
        Accounts are listed by name.
        """
        accounts = (await self.openStores()).accounts
        self.assertEqual((), await accounts.list())

        await accounts.add(BOB)
        await accounts.add(ALICE)

        self.assertEqual((ALICE, BOB), await accounts.list())

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


class AppPasswordsConformance(Conformance):
    """
    For L{IAppPasswords}.
    """

    async def openStores(self) -> Stores:
        """
        Stores with two accounts.
        """
        stores = await super().openStores()
        await stores.accounts.add(ALICE)
        await stores.accounts.add(BOB)
        return stores

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
