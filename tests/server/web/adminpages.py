"""
An administrator at the administration site.
"""

from __future__ import annotations

from typing import Any

from mailauth.stores.events import Event, EventSearch, Kind

from .accountpages import AccountCase
from .shown import Shown
from .world import ALICE, BOB


class AdminCase(AccountCase):
    """
    Bob is in.
    """

    def setUp(self) -> None:
        """
        Sign him in.
        """
        super().setUp()
        self.enterAt("admin/keys", BOB)

    def visit(self, path: str) -> Shown:
        """
        Go to a page that is there.
        """
        shown = self.browser.get(path)
        self.assertEqual(200, shown.status, shown.body)
        return shown

    def sent(self, shown: Shown, decision: str | None = None, **fields: str) -> Shown:
        """
        Fill in the form of a page, and send it. It is taken.
        """
        after = self.browser.submit(shown, decision, **fields)
        self.assertEqual(200, after.status, after.body)
        return after

    def refused(self, shown: Shown, decision: str | None = None, **fields: str) -> Shown:
        """
        The same, and it is not: nothing happens, and the page says why.
        """
        before = self.last()
        after = self.browser.submit(shown, decision, **fields)
        self.assertEqual(403, after.status, after.body)
        self.assertEqual(before, self.last())
        return after

    def confirm(self, section: str, end: str, identifier: str = "", account: str = "") -> Shown:
        """
        Say that something shall end, and say it once more.
        """
        about = {"end": end, "account": account, "id": identifier}
        query = "&".join(f"{name}={value}" for name, value in about.items() if value)
        return self.sent(self.visit(f"admin/{section}/end?{query}"))

    def view(self, account: str = ALICE) -> Shown:
        """
        The page of an account.
        """
        return self.visit(f"admin/accounts/view?account={account}")

    def last(self) -> Event | None:
        """
        What happened last, if anything.
        """
        events: tuple[Event, ...] = self.wait(self.world.stores.events.find(EventSearch(), 1))
        return events[0] if events else None

    def assertHappened(self, kind: Kind, account: str | None = None, **others: Any) -> None:
        """
        What happened last, bob did here.
        """
        event = self.last()
        assert event is not None
        self.assertEqual((kind, account), (event.kind, event.account))
        self.assertEqual((BOB, "admin"), (event.actor.who, event.actor.via))
        for name, value in others.items():
            self.assertEqual(value, getattr(event, name))
