"""
What a store of events must do.
"""

from __future__ import annotations

import attrs
from zope.interface.verify import verifyObject

from ...interfaces import IEvents
from ...stores.events import ADMIN_SITE, THE_COMMAND, Actor, Event, EventSearch, Kind
from .records import ALICE, BOB, NOW
from .suite import Conformance, Stores

ADMINISTRATOR = Actor(BOB.name, ADMIN_SITE, "192.0.2.1")
ANYTHING = EventSearch()


class EventsConformance(Conformance):
    """
    For L{IEvents}.
    """

    made = Event(Kind.ACCOUNT_CREATED, THE_COMMAND, NOW, ALICE.name)
    phone = Event(Kind.APP_PASSWORD_MADE, ADMINISTRATOR, NOW + 1.0, ALICE.name, "'Phone', 100%")
    rotated = Event(Kind.KEY_ROTATED, ADMINISTRATOR, NOW + 2.0, None, "es256-1")

    async def openWithEvents(self) -> Stores:
        """
        Stores with three events.
        """
        stores = await self.openStores()
        for event in (self.made, self.phone, self.rotated):
            await stores.events.add(event)
        return stores

    async def found(self, stores: Stores, search: EventSearch, limit: int = 10) -> list[Event]:
        """
        What is found, without the numbers.
        """
        return [attrs.evolve(event, number=0) for event in await stores.events.find(search, limit)]

    async def test_eventsInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IEvents, stores.events)

    async def test_kept(self) -> None:
        """
        Events are kept whole, and found the last one first.
        """
        stores = await self.openWithEvents()

        self.assertEqual([self.rotated, self.phone, self.made], await self.found(stores, ANYTHING))

    async def test_pages(self) -> None:
        """
        Each event is on one page, also if others are added between two pages.
        """
        stores = await self.openWithEvents()

        first = await stores.events.find(ANYTHING, 2)
        await stores.events.add(self.made)
        second = await stores.events.find(ANYTHING, 2, first[-1].number)

        self.assertGreater(first[0].number, first[1].number)
        self.assertEqual(
            [self.rotated, self.phone, self.made],
            [attrs.evolve(event, number=0) for event in (*first, *second)],
        )
        self.assertEqual((), await stores.events.find(ANYTHING, 2, second[-1].number))

    async def test_search(self) -> None:
        """
        Events are found by what is asked for, all of it.
        """
        stores = await self.openWithEvents()
        made, phone, rotated = self.made, self.phone, self.rotated

        for search, expected in (
            (EventSearch(account=ALICE.name), [phone, made]),
            (EventSearch(account="nobody"), []),
            (EventSearch(kind=Kind.KEY_ROTATED), [rotated]),
            (EventSearch(who=BOB.name), [rotated, phone]),
            (EventSearch(who="command"), [made]),
            (EventSearch(since=NOW + 1.0), [rotated, phone]),
            (EventSearch(until=NOW + 1.0), [made]),
            (EventSearch(since=NOW + 1.0, until=NOW + 2.0), [phone]),
            (EventSearch(account=ALICE.name, who=BOB.name), [phone]),
            (EventSearch(account=ALICE.name, kind=Kind.KEY_ROTATED), []),
        ):
            self.assertEqual(expected, await self.found(stores, search), search)

    async def test_word(self) -> None:
        """
        A word is looked for in the text, the account, who did it and the address, and means
        nothing to the store (CS6).
        """
        stores = await self.openWithEvents()
        made, phone, rotated = self.made, self.phone, self.rotated

        for word, expected in (
            ("phone", [phone]),
            ("ALICE", [phone, made]),
            ("bob@", [rotated, phone]),
            ("192.0.2", [rotated, phone]),
            ("100%", [phone]),
            ("1%", []),
            ("es256_1", []),
            ("'; DROP TABLE events; --", []),
        ):
            self.assertEqual(expected, await self.found(stores, EventSearch(word=word)), word)

    async def test_outlives(self) -> None:
        """
        What happened to an account is known when it is gone.
        """
        stores = await self.openWithEvents()
        await stores.accounts.add(ALICE)

        await stores.accounts.remove(ALICE.name)

        found = await self.found(stores, EventSearch(account=ALICE.name))
        self.assertEqual([self.phone, self.made], found)

    async def test_purged(self) -> None:
        """
        What is too old is forgotten, and nothing else; its numbers are not given again.
        """
        stores = await self.openWithEvents()
        last = (await stores.events.find(ANYTHING, 1))[0].number

        await stores.events.purge(NOW + 1.0)
        self.assertEqual([self.rotated, self.phone], await self.found(stores, ANYTHING))
        await stores.events.purge(NOW + 9.0)
        await stores.events.add(self.made)

        [event] = await stores.events.find(ANYTHING, 10)
        self.assertGreater(event.number, last)
