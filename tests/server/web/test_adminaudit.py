"""
Tests of what an administrator sees of what happened.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from mailauth.server.web.admin.audit import PAGE
from mailauth.server.web.happenings import SAID
from mailauth.stores.events import THE_COMMAND, Actor, Event, Kind

from .adminpages import AdminCase
from .shown import Shown
from .world import ALICE, BOB

DAY = 86400.0


def onwards(shown: Shown) -> list[str]:
    """
    Where the next page is, if there is one.
    """
    return [named["href"] for _, named in shown.page.elements if named.get("rel") == "next"]


class AuditTests(AdminCase):
    """
    Events.
    """

    def happen(self, kind: Kind, actor: Actor = THE_COMMAND, **others: Any) -> None:
        """
        Something happens, a day after what was before.
        """
        self.clock.advance(DAY)
        event = Event(kind, actor, self.clock.seconds(), **others)
        self.wait(self.world.stores.events.add(event))

    def search(self, **fields: str) -> Shown:
        """
        Look for some. Bob signs in again, where he has to.
        """
        shown = self.browser.get(f"admin/audit?{urlencode(fields)}")
        if shown.heading == "Sign in":
            shown = self.enter(shown, BOB)
        self.assertEqual(200, shown.status)
        return shown

    def test_kinds(self) -> None:
        """
        There is a sentence for everything that can happen, and no two have the same.
        """
        self.assertEqual(set(Kind), set(SAID))
        self.assertEqual(len(SAID), len(set(SAID.values())))

    def test_search(self) -> None:
        """
        They are found by account, kind, who did it, text and day, the last first, and the search
        stays in its form.
        """
        alice = Actor(ALICE, "account", "192.0.2.1")
        self.happen(Kind.ACCOUNT_CREATED, account=ALICE)
        first = f"{datetime.fromtimestamp(self.clock.seconds(), UTC):%Y-%m-%d}"
        self.happen(Kind.APP_PASSWORD_MADE, alice, account=ALICE, text="'phone'")
        self.happen(Kind.KEY_ROTATED, text="es256-1")
        second = f"{datetime.fromtimestamp(self.clock.seconds() - DAY, UTC):%Y-%m-%d}"
        said = ("Signing key rotated", "App password made", "Account created")
        for fields, found in (
            ({}, said),
            ({"account": ALICE}, said[1:]),
            ({"kind": "key_rotated"}, said[:1]),
            ({"kind": "nothing"}, said),
            ({"who": "command"}, (said[0], said[2])),
            ({"word": "PHONE"}, said[1:2]),
            ({"word": "192.0.2.1"}, said[1:2]),
            ({"since": second}, said[:2]),
            ({"until": first}, said[2:]),
            ({"since": second, "until": second}, said[1:2]),
            ({"account": BOB}, ()),
        ):
            shown = self.search(**fields)
            rows = shown.page.text.partition("When")[2]
            self.assertEqual(list(found), [each for each in said if each in rows], fields)
            kept = shown.page.forms[0].fields
            if fields.get("kind") != "nothing":
                self.assertEqual(fields, {name: value for name, value in kept.items() if value})

    def test_pages(self) -> None:
        """
        However many there are, a page of them is shown, and leads to older ones of the same search.
        """
        for number in range(PAGE + 1):
            event = Event(
                Kind.TOKEN_ISSUED, THE_COMMAND, self.clock.seconds(), ALICE, f"n{number}."
            )
            self.wait(self.world.stores.events.add(event))
        self.happen(Kind.KEY_ROTATED)

        first = self.search(account=ALICE)
        [older] = onwards(first)
        second = self.visit(older)

        self.assertIn("n50.", first.page.text)
        self.assertNotIn("n0.", first.page.text)
        self.assertIn("n0.", second.page.text)
        self.assertNotIn("n1.", second.page.text)
        self.assertEqual([], onwards(second))

    def test_wrongDate(self) -> None:
        """
        What is no date is said at the form, which keeps it.
        """
        shown = self.browser.get("admin/audit?since=yesterday&account=x")

        self.assertEqual(403, shown.status)
        self.assertIn("A date is written like 2027-01-31.", shown.page.text)
        self.assertEqual("yesterday", shown.page.forms[0].fields["since"])
        self.assertEqual("x", shown.page.forms[0].fields["account"])
        self.assertEqual(200, self.browser.get("admin/audit?before=x").status)

    def test_endOfTime(self) -> None:
        """
        The last day of all calendars has none after it, and no number is too large to be asked
        for: neither is a fault of ours.
        """
        self.assertEqual(200, self.browser.get("admin/audit?until=9999-12-31").status)
        for digits in (25, 5000):
            number = digits * "9"
            for path in ("audit?before", "audit/logins?before", "connections?skip"):
                self.assertEqual(200, self.browser.get(f"admin/{path}={number}").status, path)


class LoginsTests(AdminCase):
    """
    Logins.
    """

    def log(self, **fields: object) -> None:
        """
        Somebody logs in.
        """
        when = datetime.fromtimestamp(self.clock.seconds(), UTC).isoformat()
        line = {"time": when, "login": "accepted", "service": "imap", "by": "BearerToken", **fields}
        with self.loginLog.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def test_none(self) -> None:
        """
        Where there is no file there is nothing.
        """
        self.assertIn("Nothing was found.", self.visit("admin/audit/logins").page.text)

    def test_search(self) -> None:
        """
        They are found by account, outcome and text, the last first, with why not.
        """
        self.log(account=ALICE, peer="192.0.2.1", mailClient="Thunderbird")
        self.log(login="refused", name=BOB, peer="192.0.2.2", reason="wrong password")

        everything = self.visit("admin/audit/logins").page.text
        for fields, found in (
            ({"account": ALICE}, ("192.0.2.1",)),
            ({"kind": "refused"}, ("192.0.2.2",)),
            ({"word": "thunderbird"}, ("192.0.2.1",)),
            ({"since": "2027-01-16"}, ()),
        ):
            text = self.visit(f"admin/audit/logins?{urlencode(fields)}").page.text
            for each in ("192.0.2.1", "192.0.2.2"):
                self.assertEqual(each in found, each in text, fields)

        self.assertLess(everything.index("192.0.2.2"), everything.index("192.0.2.1"))
        for each in ("wrong password", "Thunderbird", "IMAP"):
            self.assertIn(each, everything)

    def test_pages(self) -> None:
        """
        However many there are, a page of them is shown, and leads to older ones.
        """
        for number in range(PAGE + 1):
            self.log(account=ALICE, peer=f"192.0.2.{number}")

        first = self.visit("admin/audit/logins")
        [older] = onwards(first)
        second = self.visit(older)

        self.assertIn("192.0.2.50", first.page.text)
        self.assertIn("192.0.2.0\n", second.page.text)
        self.assertNotIn("192.0.2.1", second.page.text)
        self.assertEqual([], onwards(second))
