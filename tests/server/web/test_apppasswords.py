"""
Tests of how somebody makes an app password on the account site, and a profile with one inside.
"""

from __future__ import annotations

import plistlib
from datetime import UTC, datetime
from typing import Any

from twisted.logger import capturedLogs, formatEvent

from mailauth.passwords import digestAppPassword
from mailauth.server.web.qrcodes import drawCode
from mailauth.stores.events import EventSearch
from mailauth.stores.records import AppPassword

from ..company import sentTo
from .accountpages import AccountCase
from .shown import Shown
from .test_external import ExternalCase
from .world import ALICE, ISSUER

NEW, APPLE = "account/app-passwords/new", "account/apple"
DAY = 86400.0


def secretOn(shown: Shown) -> str:
    """
    The app password that a page shows.
    """
    element = (
        shown.body.decode().partition('<p id="secret" class="groups">')[2].partition("</p>")[0]
    )
    return element.replace("<span>", "").replace("</span>", "")


class AppPasswordCase(AccountCase):
    """
    Alice, at the page where one is made.
    """

    def fill(self, shown: Shown, **fields: str) -> Shown:
        """
        Fill in the form and send it.
        """
        typed: dict[str, Any] = {"name": "phone", "may": "all", "expires": "never", **fields}
        return self.send(shown, **typed)

    def found(self, shown: Shown) -> AppPassword:
        """
        The app password that a page shows, as the store has it.
        """
        self.assertEqual((200, "Your new app password"), (shown.status, shown.heading))
        digest = digestAppPassword(secretOn(shown).encode("ascii"))
        assert digest is not None
        found = self.wait(self.world.stores.appPasswords.find(digest))
        assert isinstance(found, AppPassword)
        return found


class NewAppPasswordTests(AppPasswordCase):
    """
    What is made.
    """

    def test_shown(self) -> None:
        """
        It is shown with a picture of it and with what else the mail program asks for, in an answer
        that nobody keeps and no address leads to; it is in no list, and its owner is told by mail
        (PW13, WB10).
        """
        shown = self.fill(self.enterAt(NEW))
        made = self.found(shown)
        secret = secretOn(shown)

        self.assertEqual((ALICE, "phone"), (made.account, made.name))
        self.assertEqual("no-store", shown.headers["cache-control"])
        self.assertEqual(f"{ISSUER}/{NEW}", shown.address)
        self.assertIn(str(drawCode(secret)), shown.body.decode())
        for told in ("mail.example.test", "993", "587", "STARTTLS", ALICE):
            self.assertIn(told, shown.page.text)
        listed = self.browser.get("account/")
        self.assertIn("phone", listed.page.text)
        self.assertNotIn(secret, listed.body.decode())
        [(account, message)] = self.world.delivered
        self.assertEqual(ALICE, account)
        self.assertNotIn(secret.encode(), message)

    def test_policy(self) -> None:
        """
        Nothing in it has a style of its own or a script between its lines: our policy would not let
        it, and the picture would be gone.
        """
        shown = self.fill(self.enterAt(NEW))

        self.assertIn("style-src 'self'", shown.headers["content-security-policy"])
        for name, attributes in shown.page.elements:
            self.assertNotIn("style", attributes)
            self.assertFalse(name == "script" and not attributes.get("src"), attributes)
            self.assertFalse([each for each in attributes if each.startswith("on")])

    def test_may(self) -> None:
        """
        It may do what was chosen, and is shown the servers for that alone.
        """
        asked = self.enterAt(NEW)
        for fields, services, readOnly, servers in (
            ({"may": "all"}, set(), False, ("993", "587")),
            ({"may": "read"}, set(), True, ("993",)),
            ({"may": "send"}, {"smtp"}, False, ("587",)),
            ({"may": "choose", "imap": "on"}, {"imap"}, False, ("993",)),
            (
                {"may": "choose", "imap": "on", "smtp": "on"},
                {"imap", "smtp"},
                False,
                ("993", "587"),
            ),
            # Protocols count only where they were asked for.
            ({"may": "send", "imap": "on"}, {"smtp"}, False, ("587",)),
        ):
            shown = self.fill(asked, **fields)
            made = self.found(shown)
            self.assertEqual((services, readOnly), (made.services, made.readOnly), fields)
            for port in ("993", "587"):
                self.assertEqual(port in servers, f">{port}</td>" in shown.body.decode(), fields)
            asked = self.browser.get(NEW)

    def test_expires(self) -> None:
        """
        It ends when that was chosen: a date is the last day, to its end.
        """
        now = self.clock.seconds()
        asked = self.enterAt(NEW)
        for expires, ends in (
            ("never", None),
            ("30", now + 30 * DAY),
            ("90", now + 90 * DAY),
            ("365", now + 365 * DAY),
            ("date", datetime(2027, 3, 1, tzinfo=UTC).timestamp()),
        ):
            made = self.found(self.fill(asked, expires=expires, date="2027-02-28"))
            if ends is None:
                self.assertIsNone(made.expires)
            else:
                assert made.expires is not None
                self.assertAlmostEqual(ends, made.expires, 3)
            asked = self.browser.get(NEW)

    def test_networks(self) -> None:
        """
        Networks are taken with spaces or commas between them.
        """
        shown = self.fill(self.enterAt(NEW), networks="192.0.2.1/24, 2001:db8::/32\n198.51.100.7")

        self.assertEqual(
            ("192.0.2.0/24", "2001:db8::/32", "198.51.100.7/32"), self.found(shown).networks
        )

    def test_problems(self) -> None:
        """
        What cannot be made is said at the form, which keeps everything that was typed.
        """
        asked = self.enterAt(NEW)
        for fields, problem in (
            ({"name": " "}, "Say what it is for"),
            ({"name": "x" * 65}, "The name is too long"),
            ({"may": "choose"}, "Choose at least one protocol."),
            ({"may": "choose", "jmap": "on"}, "Choose at least one protocol."),
            ({"may": "anything", "imap": "on"}, "Choose at least one protocol."),
            ({"expires": "date"}, "Enter the last day like this"),
            ({"expires": "date", "date": "tomorrow"}, "Enter the last day like this"),
            ({"expires": "date", "date": "2026-12-31"}, "It would have expired already"),
            ({"expires": "9999"}, "Enter the last day like this"),
            # No calendar has the second after it, and no page could say when it ends.
            ({"expires": "date", "date": "9999-12-31"}, "Choose a day before the year 9999"),
            ({"networks": "home"}, "'home' is no network"),
        ):
            typed = {"name": "my phone", "networks": "192.0.2.0/24", **fields}
            asked = self.fill(asked, **typed)
            self.assertEqual(400, asked.status)
            self.assertIn(problem, asked.page.text)
            kept = asked.page.forms[-1].fields
            self.assertEqual(typed["name"].strip(), kept["name"].strip())
            self.assertEqual(typed["networks"], kept["networks"])
            self.assertEqual(typed.get("date", ""), kept["date"])

        self.assertEqual([], self.appPasswords())
        self.found(self.fill(asked))

    def test_kept(self) -> None:
        """
        Choices are kept, too, and what they show.
        """
        asked = self.enterAt(NEW)
        fields = {"may": "choose", "smtp": "on", "expires": "90", "networks": "home"}

        elements = self.fill(asked, **fields).page.elements

        ticked = {attributes.get("value") for _, attributes in elements if "checked" in attributes}
        self.assertEqual({"choose", "on"}, ticked)
        self.assertIn(("option", {"value": "90", "selected": ""}), elements)
        self.assertIn(("details", {"open": ""}), elements)

    def test_limit(self) -> None:
        """
        Whoever has as many as he may is told how many that is, at the form.
        """
        self.wait(self.world.stores.appPasswords.setLimit(ALICE, 1))
        self.make("laptop")

        shown = self.fill(self.enterAt(NEW), name="my phone")

        self.assertEqual(400, shown.status)
        self.assertIn("may have 1 app passwords", shown.page.text)
        self.assertEqual("my phone", shown.page.forms[-1].fields["name"])
        self.assertEqual(["laptop"], self.appPasswords())

    def test_twice(self) -> None:
        """
        A page that is loaded again makes no second one, and says honestly that it cannot show the
        first; the form there makes one.
        """
        asked = self.enterAt(NEW)
        self.found(self.fill(asked))

        shown = self.fill(asked)

        self.assertEqual(400, shown.status)
        self.assertIn("This form was sent before.", shown.page.text)
        self.assertEqual(["phone"], self.appPasswords())
        self.found(self.fill(shown, name="laptop"))
        self.assertEqual(["laptop", "phone"], self.appPasswords())

    def test_suggested(self) -> None:
        """
        A link can say what it is for; nothing is made of it.
        """
        shown = self.enterAt(f"{NEW}?name=printer&may=send")

        self.assertEqual("printer", shown.page.forms[-1].fields["name"])
        sending = [each for _, each in shown.page.elements if each.get("value") == "send"]
        self.assertIn("checked", sending[0])
        self.assertEqual([], self.appPasswords())


class ProtectionTests(AppPasswordCase):
    """
    Who makes one.
    """

    def test_recent(self) -> None:
        """
        Whoever signed in more than ten minutes ago does it again before he sees the form, and comes
        to it (WB11).
        """
        self.enterAt()
        self.clock.advance(601)

        for path in (NEW, APPLE):
            self.assertEqual("Sign in", self.browser.get(path).heading)
        shown = self.enter(self.browser.get(NEW))
        self.assertEqual((f"{ISSUER}/{NEW}", 200), (shown.address, shown.status))
        self.found(self.fill(shown))

    def test_slowly(self) -> None:
        """
        Whoever takes his time with the form may send it; whoever takes more than that signs in
        again, and finds what he typed.
        """
        asked = self.enterAt(NEW)
        self.clock.advance(599)
        self.found(self.fill(asked))
        asked = self.browser.get(NEW)
        self.clock.advance(602)

        shown = self.enter(self.fill(asked, name="my printer", may="send"))

        self.assertEqual("New app password", shown.heading)
        self.assertEqual("my printer", shown.page.forms[-1].fields["name"])
        self.assertEqual(["phone"], self.appPasswords())

    def test_otherForm(self) -> None:
        """
        Whoever finds a browser open in which somebody signed in more than ten minutes ago makes
        none with what a page of the site has on it that asks for less (WB11).
        """
        once = self.enterAt(NEW).page.forms[-1].fields["once"]
        self.clock.advance(601)
        csrf = self.browser.get("account/end-everything").page.forms[-1].fields["csrf"]

        for path in (NEW, APPLE):
            fields = {"csrf": csrf, "once": once, "name": "x", "may": "all", "expires": "never"}
            self.assertEqual(403, self.browser.post(path, fields).status)

        self.assertEqual([], self.appPasswords())

    def test_forged(self) -> None:
        """
        No form but one that was made for this person makes one (WB1).
        """
        for path in (NEW, APPLE):
            asked = self.enterAt(path) if path == NEW else self.browser.get(path)
            there, _ = self.elsewhere()
            csrf = there.get(path).page.forms[-1].fields["csrf"]
            self.assertEqual(403, self.fill(asked, csrf="").status)
            self.assertEqual(403, self.fill(asked, csrf=csrf).status)
            form = asked.page.forms[-1]
            fields = {**form.fields, "may": "all", "expires": "never"}
            for header in ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site"):
                self.assertEqual(403, self.browser.post(form.action, fields, header).status)

        self.assertEqual([], self.appPasswords())

    def test_withoutNumber(self) -> None:
        """
        A form without its number is not ours.
        """
        for path in (NEW, APPLE):
            asked = self.enterAt(path) if path == NEW else self.browser.get(path)
            self.assertEqual(400, self.fill(asked, once="").status)

        self.assertEqual([], self.appPasswords())

    def test_outage(self) -> None:
        """
        While the store is out of reach nothing is made, and nobody hears that he made a mistake.
        """
        asked = self.enterAt(NEW)
        apple = self.browser.get(APPLE)
        self.world.administered.appPasswords.down = True

        self.assertEqual(503, self.fill(asked).status)
        self.assertEqual(503, self.send(apple).status)

        self.world.administered.appPasswords.down = False
        self.assertEqual([], self.appPasswords())

    def test_silence(self) -> None:
        """
        No log, no event and no mail has the app password, nor has any address (LG1).
        """
        asked = self.enterAt(NEW)
        with capturedLogs() as logged:
            secret = secretOn(self.fill(asked))
            profile = self.send(self.browser.get(APPLE)).body
            self.fill(asked)
            self.browser.get("account/")
        [account] = plistlib.loads(profile.removeprefix(b"signed: "))["PayloadContent"]
        events = self.wait(self.world.stores.events.find(EventSearch(), 100))

        told = "".join(f"{event} {formatEvent(event)}" for event in logged)
        told += f"{events} {self.world.delivered}"
        for each in (secret, account["IncomingPassword"]):
            self.assertNotIn(each, told)
            self.assertNotIn(each.replace("-", ""), told)
        self.assertIn("'phone'", told)


class ExternalOwnerTests(ExternalCase, AppPasswordCase):
    """
    Alice never had a password here: the company vouches for her.
    """

    def test_external(self) -> None:
        """
        Whoever signed in elsewhere makes app passwords like everybody else; that he did so half an
        hour ago is too long.
        """
        shown = self.signIn(self.browser.get(NEW))
        self.assertEqual("Sign in", shown.heading)

        shown = self.signIn(shown, auth_time=int(self.clock.seconds()))

        self.assertEqual("New app password", shown.heading)
        self.assertEqual(ALICE, self.found(self.fill(shown)).account)

    def test_unsaid(self) -> None:
        """
        Whoever finds a browser open at a company that lets him in without a question, and does not
        say since when, has to prove there who he is before he makes one (WB11).
        """
        shown = self.signIn(self.browser.get(NEW), auth_time=None)
        self.assertEqual("Sign in", shown.heading)
        self.assertEqual("login", sentTo(self.leave(shown))["prompt"])

        shown = self.signIn(shown, auth_time=None)

        self.assertEqual("New app password", shown.heading)


class AppleTests(AccountCase):
    """
    The profile with an app password of its own.
    """

    def test_profile(self) -> None:
        """
        It is signed, has an app password that works, for receiving and for sending, and is in an
        answer that nobody keeps (PW13).
        """
        shown = self.send(self.enterAt(APPLE))

        self.assertEqual(200, shown.status)
        self.assertEqual("application/x-apple-aspen-config", shown.headers["content-type"])
        self.assertEqual("no-store", shown.headers["cache-control"])
        self.assertEqual(
            'attachment; filename="mail.example.test.mobileconfig"',
            shown.headers["content-disposition"],
        )
        self.assertTrue(shown.body.startswith(b"signed: "))
        [account] = plistlib.loads(shown.body.removeprefix(b"signed: "))["PayloadContent"]
        self.assertEqual(ALICE, account["EmailAddress"])
        self.assertEqual(account["IncomingPassword"], account["OutgoingPassword"])
        digest = digestAppPassword(account["IncomingPassword"].encode("ascii"))
        assert digest is not None
        found = self.wait(self.world.stores.appPasswords.find(digest))
        self.assertEqual((ALICE, "iPhone or Mac, 15 Jan 2027"), (found.account, found.name))
        self.assertIn("iPhone or Mac, 15 Jan 2027", self.browser.get("account/").page.text)

    def test_twice(self) -> None:
        """
        Each form makes one; the page that says so has another.
        """
        asked = self.enterAt(APPLE)
        self.send(asked)

        shown = self.send(asked)

        self.assertEqual(400, shown.status)
        self.assertIn("This page has made a profile before.", shown.page.text)
        self.assertEqual(1, len(self.appPasswords()))
        self.assertEqual(200, self.send(shown).status)
        self.assertEqual(2, len(self.appPasswords()))

    def test_limit(self) -> None:
        """
        Whoever has as many app passwords as he may is told so.
        """
        self.wait(self.world.stores.appPasswords.setLimit(ALICE, 0))

        shown = self.send(self.enterAt(APPLE))

        self.assertEqual(400, shown.status)
        self.assertIn("may have 0 app passwords", shown.page.text)

    def test_setup(self) -> None:
        """
        Whoever asks how to set up a device is led there.
        """
        shown = self.browser.get(f"setup/?emailaddress={ALICE}")

        self.assertIn(("a", {"href": "/account/apple"}), shown.page.elements)
