"""
The shared token cache within one process: a bounded number of entries, the least recently used of
which goes first.

There is no index by tags, which would cost every entry more than all its other work, for the sake
of a few that are dropped. Each entry knows how many drops there were before it; what was dropped
since is looked at when somebody asks for it.
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
        @param limit: how many entries are kept, and how many dropped tags are known by name.
        """
        self._now = now
        self._limit = limit
        self._entries: OrderedDict[bytes, tuple[Any, frozenset[str], float, int]] = OrderedDict()
        # The generation that each tag was last dropped in, the first one first.
        self._dropped: OrderedDict[str, int] = OrderedDict()
        # Up to here the dropped tags are no longer known: entries from before count as dropped.
        self._forgotten = 0
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
        value, tags, expires, generation = entry
        if expires <= self._now() or self._isDropped(tags, generation):
            del self._entries[digest]
            return None
        self._entries.move_to_end(digest)
        return value

    def put(self, digest: bytes, value: Any, tags: Iterable[str], expires: float) -> None:
        """
        See L{ITokenCache.put}.
        """
        self._entries[digest] = value, frozenset(tags), expires, self.generation
        self._entries.move_to_end(digest)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def drop(self, tags: Iterable[str]) -> None:
        """
        See L{ITokenCache.drop}.
        """
        self.generation += 1
        for tag in tags:
            self._dropped[tag] = self.generation
            self._dropped.move_to_end(tag)
            if len(self._dropped) > self._limit:
                _, self._forgotten = self._dropped.popitem(last=False)

    def _isDropped(self, tags: frozenset[str], generation: int) -> bool:
        """
        @param generation: when the entry under these tags was put.
        """
        dropped = self._dropped
        return generation < self._forgotten or (
            not dropped.keys().isdisjoint(tags)
            and any(dropped.get(tag, 0) > generation for tag in tags)
        )
