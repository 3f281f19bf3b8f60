"""
The shared token cache within one process: a bounded number of entries, the least recently used of
which goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from time import time
from typing import Any

from zope.interface import implementer

from ..interfaces import ITokenCache


@implementer(ITokenCache)
class MemoryCache:
    """
    See L{ITokenCache}.
    """

    def __init__(self, now: Callable[[], float] = time, limit: int = 10_000) -> None:
        """
        @param now: the wall clock, in seconds since the epoch.
        @param limit: how many entries are kept.
        """
        self._now = now
        self._limit = limit
        self._entries: OrderedDict[bytes, tuple[Any, frozenset[str], float]] = OrderedDict()
        self._tagged: dict[str, set[bytes]] = {}
        self.generation = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, digest: bytes) -> Any:
        """
        See L{ITokenCache.get}.
        """
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if entry[2] <= self._now():
            self._forget(digest)
            return None
        self._entries.move_to_end(digest)
        return entry[0]

    def put(self, digest: bytes, value: Any, tags: Iterable[str], expires: float) -> None:
        """
        See L{ITokenCache.put}.
        """
        if digest in self._entries:
            self._forget(digest)
        entry = (value, frozenset(tags), expires)
        self._entries[digest] = entry
        for tag in entry[1]:
            self._tagged.setdefault(tag, set()).add(digest)
        if len(self._entries) > self._limit:
            self._forget(next(iter(self._entries)))

    def drop(self, tags: Iterable[str]) -> None:
        """
        See L{ITokenCache.drop}.
        """
        self.generation += 1
        for tag in tags:
            for digest in tuple(self._tagged.get(tag, ())):
                self._forget(digest)

    def _forget(self, digest: bytes) -> None:
        _, tags, _ = self._entries.pop(digest)
        for tag in tags:
            digests = self._tagged[tag]
            digests.discard(digest)
            if not digests:
                del self._tagged[tag]
