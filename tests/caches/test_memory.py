"""
Tests for L{mailauth.caches.memory}.
"""

from __future__ import annotations

from hashlib import sha256

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.caches.memory import MemoryCache
from mailauth.interfaces import ITokenCache


def digest(name: str) -> bytes:
    """
    A digest of its own for each name.
    """
    return sha256(name.encode("utf-8")).digest()


class MemoryCacheTests(SynchronousTestCase):
    """
    The shared token cache within one process.
    """

    def setUp(self) -> None:
        """
        Make room for three.
        """
        self.clock = Clock()
        self.cache = MemoryCache(self.clock.seconds, limit=3)

    def put(self, name: str, *tags: str, seconds: float = 60.0) -> None:
        """
        Put a value under a name of its own.
        """
        self.cache.put(digest(name), name, tags, self.clock.seconds() + seconds)

    def held(self, *names: str) -> list[str]:
        """
        Which of the names still have their value.
        """
        return [name for name in names if self.cache.get(digest(name)) == name]

    def test_interface(self) -> None:
        """
        It is a token cache.
        """
        verifyObject(ITokenCache, self.cache)

    def test_get(self) -> None:
        """
        What was put is found by its digest alone.
        """
        self.put("a", "account:a")

        self.assertEqual(self.cache.get(digest("a")), "a")
        self.assertIsNone(self.cache.get(digest("b")))

    def test_putAgain(self) -> None:
        """
        What is put again takes the place of the old, with its own tags and end.
        """
        self.put("a", "old", seconds=10)
        self.cache.put(digest("a"), "again", ["new"], 100.0)

        self.clock.advance(20)
        self.cache.drop(["old"])
        self.assertEqual(self.cache.get(digest("a")), "again")
        self.cache.drop(["new"])
        self.assertIsNone(self.cache.get(digest("a")))

    def test_expires(self) -> None:
        """
        An entry is gone at its time, and takes no room from then on (CS3).
        """
        self.put("a", "t", seconds=10)

        self.clock.advance(9.9)
        self.assertEqual(self.held("a"), ["a"])
        self.clock.advance(0.1)
        self.assertEqual(self.held("a"), [])
        self.assertEqual(len(self.cache), 0)

    def test_leastRecentlyUsed(self) -> None:
        """
        When there is no room, the one that was not used for the longest time goes.
        """
        for name in ("a", "b", "c"):
            self.put(name, "t")
        self.held("a")

        self.put("d", "t")

        self.assertEqual(self.held("a", "b", "c", "d"), ["a", "c", "d"])
        self.assertEqual(len(self.cache), 3)

    def test_drop(self) -> None:
        """
        Dropping a tag drops everything under it, and nothing else (CS2).
        """
        self.put("a", "account:a", "client:1")
        self.put("b", "account:b", "client:1")
        self.put("c", "account:c")

        self.cache.drop(["account:a", "nothing"])
        self.assertEqual(self.held("a", "b", "c"), ["b", "c"])
        self.cache.drop(["client:1", "account:c"])
        self.assertEqual(self.held("a", "b", "c"), [])

    def test_generation(self) -> None:
        """
        Every drop counts, also of what was not there: it may be on its way (CS2).
        """
        before = self.cache.generation

        self.cache.drop(["nothing"])

        self.assertEqual(self.cache.generation, before + 1)

    def test_putAfterDrop(self) -> None:
        """
        What is put after a tag was dropped is good, until it is dropped again.
        """
        self.put("a", "account:a")
        self.cache.drop(["account:a"])
        self.put("a", "account:a")

        self.assertEqual(self.held("a"), ["a"])
        self.cache.drop(["account:a"])
        self.assertEqual(self.held("a"), [])
        self.assertEqual(len(self.cache), 0)

    def test_manyDrops(self) -> None:
        """
        However many tags are dropped, a bounded number is known by name, and not one entry that
        was dropped comes back: those that cannot be told any more are lost with them (CS2).
        """
        self.put("a", "account:a")
        self.put("b", "account:b")
        self.cache.drop(["account:a"])
        for number in range(3):
            self.assertEqual(self.held("b"), ["b"])
            self.cache.drop([f"account:{number}"])

        self.assertEqual(self.held("a", "b"), [])
        self.put("b", "account:b")
        self.assertEqual(self.held("b"), ["b"])
        self.assertEqual(len(vars(self.cache)["_dropped"]), 3)
