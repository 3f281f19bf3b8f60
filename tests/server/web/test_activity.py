"""
Tests of what the account site tells about the past.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred, fail

from mailauth.errors import Outage
from mailauth.server.clientdocuments import ClientDocuments
from mailauth.server.web.account.activity import PAGE
from mailauth.server.web.happenings import SAID
from mailauth.stores.events import ACCOUNT_SITE, ADMIN_SITE, THE_COMMAND, Actor, Event, Kind
from mailauth.validators._http import Fetched

from .accountpages import AccountCase
from .shown import Shown
from .world import ALICE, BOB

PATH = "account/activity"


class ActivityTests(AccountCase):
    """
    The events of one account.
    """

    def happen(
        self,
        text: str,
        account: str = ALICE,
        kind: Kind = Kind.APP_PASSWORD_MADE,
        actor: Actor | None = None,
    ) -> None:
        """
        Something happens.
        """
        actor = actor or Actor(account, ACCOUNT_SITE, "192.0.2.7")
        event = Event(kind, actor, self.clock.seconds(), account, text)
        self.wait(self.world.stores.events.add(event))

    def older(self, shown: Shown) -> str | None:
        """
        Where the older events are.
        """
        return next(
            (
                attributes["href"]
                for name, attributes in shown.page.elements
                if attributes.get("rel") == "next"
            ),
            None,
        )

    def test_nothing(self) -> None:
        """
        Where nothing has happened it says so.
        """
        self.assertIn("Nothing has happened yet.", self.enterAt(PATH).page.text)

    def test_own(self) -> None:
        """
        Somebody sees his own, the newest first, with when that was and from where; and nothing of
        anybody else's (WB12).
        """
        self.happen("'phone'")
        self.clock.advance(3600)
        self.happen("'laptop'")
        self.happen("'secret project'", BOB)

        shown = self.enterAt(PATH)

        text = shown.page.text
        self.assertLess(text.index("'laptop'"), text.index("'phone'"))
        self.assertIn("15 Jan 2027, 08:00 UTC", text)
        self.assertIn(("time", {"datetime": "2027-01-15T09:00Z"}), shown.page.elements)
        self.assertIn("from 192.0.2.7", text)
        self.assertNotIn("secret project", text)
        self.assertNotIn("bob", text)

    def test_administrator(self) -> None:
        """
        Of administrators it says that they are, and not from where they come.
        """
        admin = Actor(BOB, ADMIN_SITE, "203.0.113.9")
        self.happen("", kind=Kind.QUOTA_SET, actor=admin)
        self.happen("", kind=Kind.PASSWORD_SET, actor=THE_COMMAND)
        self.happen("", actor=Actor(ALICE, ACCOUNT_SITE))

        text = self.enterAt(PATH).page.text

        self.assertEqual(2, text.count("an administrator"))
        self.assertIn("from an unknown address", text)
        self.assertNotIn("203.0.113.9", text)
        self.assertNotIn("bob", text)

    def test_application(self) -> None:
        """
        Of an application it says the name, and never the id.
        """
        for kind, text in (
            (Kind.APPLICATION_ALLOWED, "laptop: offline_access urn:ietf:params:oauth:scope:mail"),
            (Kind.APPLICATION_ENDED, "laptop, id 8e5f1c"),
            (Kind.APPLICATION_ENDED, "one that was removed, id 9f"),
        ):
            self.happen(text, kind=kind)

        text = self.enterAt(PATH).page.text

        self.assertEqual(2, text.count("Mail on my laptop"))
        for hidden in ("urn:", "8e5f1c", "removed"):
            self.assertNotIn(hidden, text)

    def test_farAway(self) -> None:
        """
        An application that a document describes on a server that does not answer has no name here,
        and hides nothing else: neither from what happened nor from what there is to end. It is
        waited for once.
        """
        asked: list[str] = []

        def get(address: str, headers: Mapping[str, str]) -> Deferred[Fetched]:
            asked.append(address)
            return fail(Outage("nobody answers"))

        self.world.authorization.clients._documents = ClientDocuments(get, self.clock.seconds)
        identifier = "https://far.example/client"
        for _ in range(2):
            self.happen(f"{identifier}: imap", kind=Kind.APPLICATION_ALLOWED)
        self.happen("'phone', id 1")
        self.allow(clientId=identifier)

        self.assertIn("'phone', id 1", self.enterAt(PATH).page.text)
        self.assertEqual([identifier], asked)
        self.assertIn("A program without a name", self.browser.get("account/").page.text)

    def test_signedIn(self) -> None:
        """
        Of a sign-in it says with what that was.
        """
        for text in ("mfa, otp, pwd", "mfa, pop", "by https://idp.example"):
            self.happen(text, kind=Kind.SIGNED_IN)

        text = self.enterAt(PATH).page.text

        for told in ("with a code, with the password", "with a passkey", "by https://idp.example"):
            self.assertIn(told, text)
        self.assertNotIn("mfa", text)

    def test_pages(self) -> None:
        """
        There is a page for so many of them, and each is on one page.
        """
        for number in range(PAGE + 1):
            self.happen(f"event {number}.")

        first = self.enterAt(PATH)
        older = self.older(first)
        assert older is not None
        second = self.browser.get(older)

        self.assertIn(f"event {PAGE}.", first.page.text)
        self.assertNotIn("event 0.", first.page.text)
        self.assertIn("event 0.", second.page.text)
        self.assertNotIn("event 1.", second.page.text)
        self.assertIsNone(self.older(second))
        self.assertIn(("a", {"class": "button", "href": "/account/activity"}), second.page.elements)

    def test_strange(self) -> None:
        """
        An address that somebody made up leads to the first page.
        """
        self.happen("'phone'")
        self.enterAt()

        for before in ("x", "-1", "1e9", "9" * 40, "%C2%B2"):
            shown = self.browser.get(f"{PATH}?before={before}")
            self.assertIn("'phone'", shown.page.text, before)

    def test_outage(self) -> None:
        """
        What cannot be read did not fail to happen.
        """
        self.enterAt()
        self.world.administered.events.down = True

        self.assertEqual(503, self.browser.get(PATH).status)

    def test_allSaid(self) -> None:
        """
        There are words for whatever can happen.
        """
        self.assertEqual(set(Kind), set(SAID))
