"""
Tests for L{mailauth.passwords}.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from threading import get_ident
from typing import Any

import bcrypt
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import Clock
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailauth.caches.memory import MemoryCache
from mailauth.credentials import accountTag
from mailauth.errors import InvalidCredentials, Outage
from mailauth.passwords import (
    ALPHABET,
    GENERATED_LENGTH,
    MAX_CHOSEN_OCTETS,
    PasswordHasher,
    UnusablePassword,
    checkChosen,
    checkImported,
    digestAppPassword,
    hashChosen,
    makeAppPassword,
)

from .pools import RecordingPool, makeHasher, startPool

HASH = bcrypt.hashpw(b"swordfish", bcrypt.gensalt(4)).decode("ascii")
WRONG_HASH = "$2b$04$" + 53 * "."


class GeneratedTests(SynchronousTestCase):
    """
    App passwords that we make.
    """

    def test_strength(self) -> None:
        """
        24 letters of 32 are 120 bits, of which none is fixed.
        """
        letters: list[set[str]] = [set() for _ in range(GENERATED_LENGTH)]
        for _ in range(500):
            for place, letter in enumerate(makeAppPassword().replace("-", "")):
                letters[place].add(letter)

        self.assertEqual(len(set(ALPHABET)) ** GENERATED_LENGTH, 2**120)
        self.assertEqual(letters, [set(ALPHABET)] * GENERATED_LENGTH)

    def test_form(self) -> None:
        """
        It comes in groups of four, without letters that are taken for others.
        """
        self.assertRegex(makeAppPassword(), r"\A([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}\Z")

    def test_digest(self) -> None:
        """
        It is found by the SHA-256 of its letters (PW5, PW9).
        """
        password = makeAppPassword()

        self.assertEqual(
            digestAppPassword(password.encode()),
            sha256(password.replace("-", "").encode()).digest(),
        )

    def test_copyingErrors(self) -> None:
        """
        Case, spaces, dashes and letters that look alike do not count.
        """
        digest = digestAppPassword(b"0123-4567-89ab-cdef-ghjk-1001")

        self.assertIsNotNone(digest)
        for typed in (
            "0123456789abcdefghjk1001",
            "0123 4567 89ab cdef ghjk 1001",
            " 0123-4567-89AB-CDEF-GHJK-1001\t",
            "o123-4567-89ab-cdef-ghjk-iool",
            "O123-4567-89ab-cdef-ghjk-LOOI",
            "0123\N{NO-BREAK SPACE}4567\N{NON-BREAKING HYPHEN}89ab-cdef-ghjk-1001",
        ):
            self.assertEqual(digestAppPassword(typed.encode("utf-8")), digest, msg=typed)

    def test_others(self) -> None:
        """
        What cannot be one is not looked up.
        """
        for typed in (
            b"",
            b"swordfish",
            b"0123-4567-89ab-cdef-ghjk-100",
            b"0123-4567-89ab-cdef-ghjk-10011",
            b"0123-4567-89ab-cdef-ghjk-100u",
            b"0123-4567-89ab-cdef-ghjk-100\n1",
            b"0123-4567-89ab-cdef-ghjk-100\xff",
            b"0123-4567-89ab-cdef-ghjk-1001" + b" " * 100,
            "0123-4567-89ab-cdef-ghjk-100\N{ARABIC-INDIC DIGIT ONE}".encode(),
        ):
            self.assertIsNone(digestAppPassword(typed), msg=typed)

    @given(st.binary(max_size=120))
    def test_anyOctets(self, octets: bytes) -> None:
        """
        No octets raise anything.
        """
        digest = digestAppPassword(octets)

        self.assertTrue(digest is None or len(digest) == 32)


class ChosenTests(SynchronousTestCase):
    """
    Passwords that people choose, and hashes that they bring along.
    """

    def test_chosen(self) -> None:
        """
        Anything may be chosen, up to what bcrypt looks at.
        """
        for password in (
            b"x",
            b"x" * MAX_CHOSEN_OCTETS,
            "p\N{LATIN SMALL LETTER A WITH ACUTE}".encode(),
        ):
            checkChosen(password)

    def test_unusable(self) -> None:
        """
        Nothing, more than bcrypt looks at, or a NUL cannot be chosen; nobody is shown what he
        chose (PW1, PW3).
        """
        for password in (b"", b"swordfish" * 9, b"sword\0fish", b"\0", b"swordfish" * 8 + b"\0"):
            with self.assertRaises(UnusablePassword) as caught:
                checkChosen(password)
            with self.assertRaises(UnusablePassword):
                hashChosen(password, 4)
            self.assertNotIn("swordfish", str(caught.exception))

    def test_hashChosen(self) -> None:
        """
        The hash is bcrypt's, of the cost that was asked for, and another one each time.
        """
        first, second = hashChosen(b"swordfish", 4), hashChosen(b"swordfish", 4)

        self.assertNotEqual(first, second)
        self.assertTrue(first.startswith("$2b$04$"))
        self.assertTrue(bcrypt.checkpw(b"swordfish", first.encode("ascii")))

    def test_imported(self) -> None:
        """
        A hash of bcrypt's is read in each of its spellings, and each verifies (PW4).
        """
        body = HASH.removeprefix("$2b")
        for scheme in ("", "{BLF-CRYPT}", "{CRYPT}"):
            for letter in "aby":
                stored = checkImported(f"{scheme}$2{letter}{body}")
                self.assertEqual(stored, HASH.encode("ascii"))

    def test_costs(self) -> None:
        """
        A hash may cost what two to the power of 4 to 14 costs, and neither less nor more (PW4).
        """
        salt = WRONG_HASH[7:]
        for cost in range(100):
            passwordHash = f"{{BLF-CRYPT}}$2y${cost:02}${salt}"
            if 4 <= cost <= 14:
                checkImported(passwordHash)
            else:
                with self.assertRaises(UnusablePassword):
                    checkImported(passwordHash)

    def test_malformed(self) -> None:
        """
        What bcrypt would not read is not imported (PW2, PW4).
        """
        body = HASH.removeprefix("$2b$04$")
        for passwordHash in (
            "",
            "swordfish",
            "{PLAIN}swordfish",
            "{SHA512-CRYPT}$6$abc$def",
            "$2$04$" + body,
            "$2x$04$" + body,
            "$2b$4$" + body,
            "$2b$004$" + body,
            "$2b$+4$" + body,
            "$2b$04$" + body[:-1],
            "$2b$04$" + body + "a",
            "$2b$04$" + body + "\n",
            " $2b$04$" + body,
            "$2b$04$" + body[:20] + "!" + body[21:],
            "$2b$04$" + body[:21] + "P" + body[22:],  # more bits than 16 octets have
            "{blf-crypt}$2b$04$" + body,
            "{BLF-CRYPT}{CRYPT}$2b$04$" + body,
            "{BLF-CRYPT.HEX}$2b$04$" + body,
            "$2b$0\N{ARABIC-INDIC DIGIT FOUR}$" + body,
        ):
            with self.assertRaises(UnusablePassword, msg=passwordHash) as caught:
                checkImported(passwordHash)
            self.assertNotIn("swordfish", str(caught.exception))

    @given(st.text(alphabet="./OeuPaz019", min_size=53, max_size=53))
    def test_importedCanBeVerified(self, body: str) -> None:
        """
        Whatever is imported, bcrypt does not raise on (PW2).
        """
        try:
            stored = checkImported(f"$2y$04${body}")
        except UnusablePassword:
            return

        self.assertFalse(bcrypt.checkpw(b"", stored))


class HasherTests(TestCase):
    """
    bcrypt in threads.
    """

    def setUp(self) -> None:
        """
        Start a pool of one thread.
        """
        self.clock = Clock()
        self.pool = RecordingPool()
        self.hasher = makeHasher(self, self.pool, self.clock.seconds)

    async def assertWrong(self, password: bytes, passwordHash: str = HASH, name: str = "a") -> None:
        """
        It is not the password.
        """
        await self.assertFailure(
            self.hasher.verify(name, password, passwordHash), InvalidCredentials
        )

    async def test_verify(self) -> None:
        """
        The password verifies, and no other.
        """
        await self.hasher.verify("a", b"swordfish", HASH)
        for wrong in (b"", b"Swordfish", b"swordfish ", b"swordfis", HASH.encode("ascii")):
            await self.assertWrong(wrong)

    async def test_hash(self) -> None:
        """
        A chosen password is hashed at the cost of now, and verifies.
        """
        passwordHash = await self.hasher.hash(b"swordfish")

        self.assertTrue(passwordHash.startswith("$2b$04$"))
        await self.hasher.verify("a", b"swordfish", passwordHash)

    async def test_unusable(self) -> None:
        """
        What cannot be set is refused before any work.
        """
        await self.assertFailure(self.hasher.hash(b"x" * 73), UnusablePassword)
        self.assertEqual(self.pool.given, 0)

    async def test_neverOnTheReactor(self) -> None:
        """
        No hash is computed in the reactor's thread, whatever is asked.
        """
        passwordHash = await self.hasher.hash(b"swordfish")
        await self.hasher.verify("a", b"swordfish", passwordHash)
        await self.assertWrong(b"x" * 73)
        pretended: Deferred[Any] = self.hasher.pretend("b", b"x")
        await self.assertFailure(pretended, InvalidCredentials)

        self.assertEqual(self.pool.given, 4)
        self.assertNotIn(get_ident(), self.pool.idents)

    async def test_beyondBcrypt(self) -> None:
        """
        A longer password, or one with a NUL, is a wrong one, also where what bcrypt looks at is
        right; refusing it costs as much as any (PW1, PW2, PW3, PW6).
        """
        longest = b"x" * 72
        passwordHash = bcrypt.hashpw(longest, bcrypt.gensalt(4)).decode("ascii")
        await self.hasher.verify("a", longest, passwordHash)

        await self.assertWrong(longest + b"x", passwordHash)
        await self.assertWrong(longest + b"\0", passwordHash, "b")
        await self.assertWrong(b"swordfish\0", HASH, "c")
        self.assertEqual(self.pool.given, 4)

    async def test_unreadableHash(self) -> None:
        """
        A stored hash that cannot be read says nothing about the password (PW2).
        """
        for passwordHash in ("", "garbage", "$2b$31$" + WRONG_HASH[7:], "{PLAIN}swordfish"):
            await self.assertFailure(self.hasher.verify("a", b"swordfish", passwordHash), Outage)
        self.assertEqual(self.pool.given, 0)

    async def test_pretend(self) -> None:
        """
        For whoever is unknown there is as much work as for a wrong password of somebody known,
        the first time and again, and no password is right (PW6).
        """
        asks: tuple[Callable[[bytes], Deferred[Any]], ...] = (
            lambda password: self.hasher.verify("alice", password, HASH),
            lambda password: self.hasher.pretend("nobody", password),
        )
        for password in (b"wrong", b"", b"x" * 100, b"y" * 100):
            for ask in asks:
                given = []
                for _ in range(2):
                    before = self.pool.given
                    await self.assertFailure(ask(password), InvalidCredentials)
                    given.append(self.pool.given - before)
                self.assertEqual(given, [1, 0])

    async def test_remembered(self) -> None:
        """
        A verdict, either way, is not computed again for five minutes (PW11).
        """
        await self.hasher.verify("a", b"swordfish", HASH)
        await self.assertWrong(b"wrong")
        self.clock.advance(PasswordHasher.REMEMBERED - 1)
        await self.hasher.verify("a", b"swordfish", HASH)
        await self.assertWrong(b"wrong")
        self.assertEqual(self.pool.given, 2)

        self.clock.advance(1)
        await self.hasher.verify("a", b"swordfish", HASH)
        await self.assertWrong(b"wrong")
        self.assertEqual(self.pool.given, 4)

    async def test_verdictsDoNotMeet(self) -> None:
        """
        A verdict is one of an account, a password and a hash together: what one of them loses
        its neighbour does not gain (CS1, PW11).
        """
        await self.hasher.verify("alice", b"swordfish", HASH)

        await self.hasher.verify("alicesword", b"swordfish", HASH)
        await self.assertWrong(b"fish", HASH, "alicesword")
        await self.assertWrong(b"swordfish", WRONG_HASH, "alice")
        await self.assertWrong(b"eswordfish", HASH, "alic")
        self.assertEqual(self.pool.given, 5)

    async def test_forget(self) -> None:
        """
        A verdict goes with its account's tag, and stays with everybody else's (CS2).
        """
        await self.hasher.verify("alice", b"swordfish", HASH)
        await self.hasher.verify("bob", b"swordfish", HASH)

        self.hasher.forget(frozenset({accountTag("alice")}), "The password was changed.")
        await self.hasher.verify("bob", b"swordfish", HASH)
        self.assertEqual(self.pool.given, 2)
        await self.hasher.verify("alice", b"swordfish", HASH)
        self.assertEqual(self.pool.given, 3)

    async def test_forgetMeanwhile(self) -> None:
        """
        A verdict that was on its way when something was revoked is not remembered (CS2).
        """
        pending = self.hasher.verify("alice", b"swordfish", HASH)
        self.hasher.forget(frozenset({accountTag("alice")}))
        await pending

        await self.hasher.verify("alice", b"swordfish", HASH)
        self.assertEqual(self.pool.given, 2)

    async def test_sharedCache(self) -> None:
        """
        A verdict is remembered in the cache that it is given, under the account's tag.
        """
        cache = MemoryCache(self.clock.seconds)
        hasher = makeHasher(self, self.pool, self.clock.seconds, start=False, cache=cache)
        await hasher.verify("alice", b"swordfish", HASH)
        await hasher.verify("alice", b"swordfish", HASH)
        self.assertEqual((self.pool.given, len(cache)), (1, 1))

        cache.drop([accountTag("alice")])
        await hasher.verify("alice", b"swordfish", HASH)
        self.assertEqual(self.pool.given, 2)

    async def test_singleFlight(self) -> None:
        """
        One password of one account is hashed once for all who present it at the same time, and
        whoever leaves takes nobody's answer along.
        """
        for password in (b"swordfish", b"wrong"):
            before = self.pool.given
            waiting = [self.hasher.verify("a", password, HASH) for _ in range(20)]
            self.assertEqual(self.pool.given - before, 1)

            waiting[0].cancel()
            await self.assertFailure(waiting[0], CancelledError)
            for waiter in waiting[1:]:
                if password == b"wrong":
                    await self.assertFailure(waiter, InvalidCredentials)
                else:
                    await waiter

    async def test_keepsNoPassword(self) -> None:
        """
        Neither a password nor a digest that another process could compute is kept (LG1, CS1).
        """
        pending = self.hasher.verify("alice", b"swordfish", HASH)
        held = repr(vars(self.hasher))
        await pending
        held += repr(vars(vars(self.hasher)["_verdicts"]))

        self.assertNotIn("swordfish", held)
        self.assertNotIn(repr(sha256(b"swordfish").digest()), held)


class QueueTests(TestCase):
    """
    What happens when there is more to hash than threads.
    """

    def setUp(self) -> None:
        """
        Make a pool that does not work yet.
        """
        self.pool = ThreadPool(0, 2)
        self.hasher = makeHasher(self, self.pool, Clock().seconds, start=False)
        self.room = 2 * (1 + PasswordHasher.QUEUED_PER_THREAD)

    async def test_full(self) -> None:
        """
        Whoever finds the queue full is told at once that nobody could tell, and those in it get
        their answers; then there is room again (PW6, DS9).
        """
        waiting = [self.hasher.verify(f"{n}", b"swordfish", HASH) for n in range(self.room)]

        late: list[Deferred[Any]] = [
            self.hasher.verify("late", b"swordfish", HASH),
            self.hasher.pretend("nobody", b"swordfish"),
        ]
        for each in late:
            self.failureResultOf(each, Outage)
        self.failureResultOf(self.hasher.hash(b"swordfish"), Outage)
        joined = self.hasher.verify("0", b"swordfish", HASH)

        startPool(self, self.pool)
        await gatherResults([*waiting, joined])
        await self.hasher.verify("late", b"swordfish", HASH)

    async def test_hashFails(self) -> None:
        """
        A fault in the thread says nothing about the password, and is not remembered (PW2).
        """
        hasher = makeHasher(self, FailingPool(0, 1), Clock().seconds)

        for _ in range(2):
            await self.assertFailure(hasher.verify("a", b"swordfish", HASH), Outage)


class FailingPool(ThreadPool):
    """
    A pool in which everything goes wrong.
    """

    def callInThreadWithCallback(self, onResult: Any, func: Any, *args: Any, **kw: Any) -> None:
        """
        Raise in the thread.
        """

        def broken() -> None:
            raise MemoryError("no room for the salt")

        super().callInThreadWithCallback(onResult, broken)
