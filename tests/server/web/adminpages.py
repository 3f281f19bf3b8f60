"""
An administrator at the administration site.
"""

from __future__ import annotations

from typing import Any

from mailauth.stores.events import Event, EventSearch, Kind

from .shown import Shown
from .world import BOB, PagesCase


class AdminCase(PagesCase):
    """
    Bob is in.
    """

    def setUp(self) -> None:
        """
        Sign him in.
        """
        super().setUp()
        self.enter(self.browser.get("admin/"), BOB)

    def show(self, path: str) -> Shown:
        """
        Go to a page that is there.
        """
        shown = self.browser.get(path)
        self.assertEqual(200, shown.status, shown.body)
        return shown

    def send(self, shown: Shown, decision: str | None = None, **fields: str) -> Shown:
        """
        Fill in the form of a page, and send it. It is taken.
        """
        after = self.browser.submit(shown, decision, **fields)
        self.assertEqual(200, after.status, after.body)
        return after

    def last(self) -> Event:
        """
        What happened last.
        """
        events: tuple[Event, ...] = self.wait(self.world.stores.events.find(EventSearch(), 1))
        return events[0]

    def assertHappened(self, kind: Kind, account: str | None, **others: Any) -> None:
        """
        What happened last, bob did here.
        """
        event = self.last()
        self.assertEqual((kind, account), (event.kind, event.account))
        self.assertEqual((BOB, "admin"), (event.actor.who, event.actor.via))
        for name, value in others.items():
            self.assertEqual(value, getattr(event, name))
