"""
Events that live and die with the process.
"""

from __future__ import annotations

from itertools import islice

import attrs
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from ..interfaces import IEvents
from .events import Event, EventSearch


@implementer(IEvents)
class MemoryEvents:
    """
    Events of this process alone.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._last = 0

    def add(self, event: Event) -> Deferred[None]:
        """
        See L{IEvents.add}.
        """
        self._last += 1
        self._events.append(attrs.evolve(event, number=self._last))
        return succeed(None)

    def find(
        self, search: EventSearch, limit: int, before: int | None = None
    ) -> Deferred[tuple[Event, ...]]:
        """
        See L{IEvents.find}.
        """
        found = (
            event
            for event in reversed(self._events)
            if (before is None or event.number < before) and _matches(event, search)
        )
        return succeed(tuple(islice(found, limit)))

    def purge(self, until: float) -> Deferred[None]:
        """
        See L{IEvents.purge}.
        """
        self._events = [event for event in self._events if event.time >= until]
        return succeed(None)


def _matches(event: Event, search: EventSearch) -> bool:
    actor = event.actor
    return (
        search.account in (None, event.account)
        and search.kind in (None, event.kind)
        and search.who in (None, actor.who)
        and (search.since is None or event.time >= search.since)
        and (search.until is None or event.time < search.until)
        and (
            search.word is None
            or any(
                _lower(search.word) in _lower(text)
                for text in (event.text, event.account, actor.who, actor.address)
                if text is not None
            )
        )
    )


def _lower(text: str) -> bytes:
    """
    In lower case as a database has it: ASCII alone.
    """
    return text.encode("utf-8").lower()
