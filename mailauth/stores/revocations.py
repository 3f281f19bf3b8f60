"""
What one process knows of the revocations. Owns the look-ups that decide, and the listeners; where
the entries are kept, and how they are learned, is a subclass's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from itertools import groupby
from typing import NamedTuple

from twisted.logger import Logger

from ..credentials import isTokenTag

KEEP = 32 * 24 * 3600.0
"""
How long an entry is kept, in seconds. It must be longer than the life of anything that only
C{covers} can kill.
"""

# What the owners of the connections are told (RFC 9051 section 7.1.5: text for a person).
DISABLED = "This account was disabled."
REMOVED = "This account was removed."
CHANGED = "The password of this account was changed."
REVOKED = "This app password was revoked."
UNLINKED = "Who signs in here by another server was changed."
CLIENT_REMOVED = "This application was removed."


class Entry(NamedTuple):
    """
    One thing that happened to one tag.

    @ivar number: entries are numbered in the order in which they came to hold.
    @ivar at: when, in seconds since the epoch.
    @ivar reason: for the owners of the connections that it ends; C{None} if the tag was only
        touched.
    """

    number: int
    tag: str
    at: float
    reason: str | None


class KnownRevocations:
    """
    The entries learned so far: half of an L{IRevocations<mailauth.interfaces.IRevocations>}.
    """

    _log = Logger()

    def __init__(self, now: Callable[[], float] = time.time, keep: float = KEEP) -> None:
        """
        @param now: the wall clock.
        @param keep: how long an entry is kept, in seconds.
        """
        self._now = now
        self._keep = keep
        self._last = 0
        # Tag to the number and the time of its latest revocation, the longest unchanged first.
        self._revoked: dict[str, tuple[int, float]] = {}
        self._listeners: list[Callable[[frozenset[str], str | None], None]] = []

    def covers(self, tags: Collection[str], issued: float) -> bool:
        """
        See L{IRevocations.covers<mailauth.interfaces.IRevocations.covers>}.
        """
        revoked = self._revoked
        return not revoked.keys().isdisjoint(tags) and any(
            tag in revoked and (revoked[tag][1] >= issued or isTokenTag(tag)) for tag in tags
        )

    def revokedSince(self, tags: Collection[str], entry: int) -> bool:
        """
        See L{IRevocations.revokedSince<mailauth.interfaces.IRevocations.revokedSince>}.
        """
        revoked = self._revoked
        return not revoked.keys().isdisjoint(tags) and any(
            tag in revoked and revoked[tag][0] > entry for tag in tags
        )

    def subscribe(
        self, listener: Callable[[frozenset[str], str | None], None]
    ) -> Callable[[], None]:
        """
        See L{IRevocations.subscribe<mailauth.interfaces.IRevocations.subscribe>}.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _learn(self, entries: Iterable[Entry]) -> None:
        """
        Know the entries, then tell the listeners: whatever they ask is answered with them.
        """
        news = tuple(entries)
        for number, tag, at, reason in news:
            self._last = number
            if reason is not None:
                # The wall clock may have been set back, and what was dead stays dead.
                _, before = self._revoked.pop(tag, (0, at))
                self._revoked[tag] = (number, max(at, before))
        self._forget()
        for reason, group in groupby(news, key=lambda entry: entry.reason):
            self._tell(frozenset(entry.tag for entry in group), reason)

    def _forget(self) -> None:
        """
        Drop what is too old to matter.
        """
        limit = self._now() - self._keep
        while self._revoked:
            oldest = next(iter(self._revoked))
            if self._revoked[oldest][1] >= limit:
                break
            del self._revoked[oldest]

    def _tell(self, tags: frozenset[str], reason: str | None) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(tags, reason)
            except Exception:
                # The others must hear of it all the same.
                self._log.failure("a listener of the revocations raised")
