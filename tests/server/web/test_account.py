"""
Tests of the first page of the account site, and of what ends what is on it.
"""

from __future__ import annotations

import attrs

from mailauth.oauth.records import Client
from mailauth.server.liveness import isRevoked
from mailauth.stores.records import AppPasswordUse

from .accountpages import AccountCase
from .shown import Shown
from .world import ALICE, BOB, CLIENT, ISSUER, WEBMAIL, MovingCase

LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


class OverviewTests(AccountCase):
    """
    What is on it.
    """

    def test_nothing(self) -> None:
        """
        Where there is nothing, it says what that means and what to do; the browser itself is always
        there, and is marked.
        """
        shown = self.enterAt()

        self.assertEqual(200, shown.status)
        self.assertIn("You have none.", shown.page.text)
        self.assertIn(("a", {"href": "/setup/"}), shown.page.elements)
        self.assertIn("No program is connected at this moment.", shown.page.text)
        self.assertIn("This browser", shown.page.text)
        self.assertEqual([], [form for form in shown.page.forms if "kind" in form.fields])

    def test_appPassword(self) -> None:
        """
        An app password is told with what it may do, from where, until when, and when, how and from
        where it was used last.
        """
        now = self.clock.seconds()
        made = self.make(
            "phone",
            services=frozenset({"imap"}),
            readOnly=True,
            expires=now + 30 * 86400,
            networks=("192.0.2.0/24",),
        )
        self.make("laptop")
        use = AppPasswordUse(now - 300, "imap", "192.0.2.7", "Mail 16")
        self.wait(self.world.stores.appPasswords.noteUse(made.record.identifier, use))

        text = self.enterAt().page.text

        for told in (
            "phone",
            "IMAP, Only read, from 192.0.2.0/24 alone",
            "5 min agoIMAP, Mail 16, from 192.0.2.7",
            "14 Feb 2027",
            "laptop",
            "Read and send mail",
            "never",
        ):
            self.assertIn(told, text)
        self.assertNotIn(made.secret, text)

    def test_expired(self) -> None:
        """
        Of one that has expired it says that it works no more.
        """
        self.make("old", expires=self.clock.seconds() + 60)
        self.clock.advance(61)

        self.assertIn("15 Jan 2027: it works no more", self.enterAt().page.text)

    def test_application(self) -> None:
        """
        An application is told with what it may do, whether anybody vouches for its name, and when
        it was used last; what it calls itself is text, in one line (WB4).
        """
        self.wait(self.world.stores.clients.add(Client("odd", "<b>Odd\u202e\nname</b>")))
        self.allow(clientId="odd")
        self.clock.advance(7200)
        self.allow(clientId=WEBMAIL.clientId)

        shown = self.enterAt()

        self.assertIn("<b>Odd name</b>", " ".join(shown.page.text.split()))
        self.assertIn("Not verified", shown.page.text)
        self.assertIn("Verified by your administrator", shown.page.text)
        self.assertIn("2 h agofrom 192.0.2.9", shown.page.text)
        self.assertIn("read, organize and delete your mail", shown.page.text)

    def test_ours(self) -> None:
        """
        The site itself is not on its list, whoever looks how often.
        """
        self.enterAt()
        self.browser.get("account/")

        self.assertIn("There are none.", self.browser.get("account/").page.text)

    def test_connection(self) -> None:
        """
        An open connection is told with what opened it: of an application its name, and not its id.
        """
        self.allow()
        self.world.connected.open(ALICE, credential=f"token of {CLIENT.clientId}", address=None)
        self.world.connected.open(ALICE, "pop3", program=None)
        self.clock.advance(120)

        text = self.enterAt().page.text

        for told in ("Thunderbird", "Mail on my laptop", "unknown", "2 min ago"):
            self.assertIn(told, text)
        self.assertIn("A program without a name", text)
        self.assertIn("app password 'phone'", text)
        self.assertNotIn("token of", text)

    def test_browsers(self) -> None:
        """
        Every browser is told with what it is; the one that somebody looks with can be signed out of
        in the usual way.
        """
        self.elsewhere()
        here = self.browser.get("account/", f"User-Agent: {LAPTOP}")
        self.browser.submit(here, "signin", username=ALICE, password="alice's password")
        shown = self.browser.get("account/")

        self.assertEqual(1, shown.page.text.count("This browser"))
        self.assertIn(("a", {"href": "/signout"}), shown.page.elements)
        ends = [form.fields["kind"] for form in shown.page.forms if "kind" in form.fields]
        self.assertEqual(["browser"], ends)

    def test_own(self) -> None:
        """
        Nobody sees what is somebody else's.
        """
        self.make("bob's phone", BOB)
        self.allow(BOB)
        self.world.connected.open(BOB)
        self.elsewhere(BOB)

        shown = self.enterAt()

        self.assertNotIn("bob", shown.page.text)
        self.assertEqual([], [form for form in shown.page.forms if "kind" in form.fields])

    def test_names(self) -> None:
        """
        Each button says to whoever cannot see where it stands what it ends.
        """
        self.make("phone")
        shown = self.enterAt()

        self.assertIn(
            ("button", {"class": "second ends", "aria-label": "End phone"}), shown.page.elements
        )

    def test_outage(self) -> None:
        """
        What cannot be found out is an outage, and no empty list.
        """
        self.enterAt()
        self.world.administered.appPasswords.down = True

        self.assertEqual(503, self.browser.get("account/").status)


class EndTests(AccountCase):
    """
    Ending one thing.
    """

    def assertSaid(self, shown: Shown, sentence: str) -> None:
        """
        Somebody is back on the list, at an address that can be loaded again, and is told.
        """
        self.assertEqual(200, shown.status)
        self.assertTrue(shown.address.startswith(f"{ISSUER}/account/?done="), shown.address)
        self.assertIn(sentence, shown.page.text)
        self.assertIn(sentence, self.browser.get(shown.address).page.text)

    def test_appPassword(self) -> None:
        """
        An app password that is ended lets nobody in.
        """
        made = self.make()
        self.make("laptop")

        shown = self.end(self.enterAt(), made.record.identifier)

        self.assertSaid(shown, "The app password is ended.")
        self.assertEqual(["laptop"], self.appPasswords())

    def test_application(self) -> None:
        """
        An application that is ended has nothing to come back with.
        """
        grant = self.allow()

        shown = self.end(self.enterAt(), grant.grantId)

        self.assertSaid(shown, "The application is ended.")
        self.assertIn("There are none.", shown.page.text)

    def test_connection(self) -> None:
        """
        A connection that is ended is told why.
        """
        opened = self.world.connected.open(ALICE)

        shown = self.end(self.enterAt(), opened.identifier)

        self.assertSaid(shown, "The connection is ended.")
        self.assertEqual(["Ended on the account page"], self.world.connected.reasons)

    def test_browser(self) -> None:
        """
        A browser that is ended is signed out, and out of the account site, too (WB11).
        """
        there, session = self.elsewhere()
        self.assertEqual("Who can read your mail", there.get("account/").heading)

        shown = self.end(self.enterAt(), session.identifier)

        self.assertSaid(shown, "The browser is signed out.")
        self.assertEqual("Sign in", there.get("account/").heading)

    def test_gone(self) -> None:
        """
        What has ended meanwhile is no mistake.
        """
        made = self.make()
        shown = self.enterAt()
        self.end(shown, made.record.identifier)

        self.assertSaid(self.end(shown, made.record.identifier), "That had ended already.")

    def test_another(self) -> None:
        """
        An id of somebody else's is that of nothing, whatever it is of.
        """
        made, grant = self.make(account=BOB), self.allow(BOB)
        opened = self.world.connected.open(BOB)
        there, session = self.elsewhere(BOB)
        identifier = self.makeOwn()
        form = self.ending(self.enterAt(), identifier)

        for kind, foreign in (
            ("app-password", made.record.identifier),
            ("application", grant.grantId),
            ("connection", opened.identifier),
            ("browser", session.identifier),
        ):
            fields = {**form.fields, "kind": kind, "identifier": foreign}
            self.assertSaid(self.browser.post(form.action, fields), "That had ended already.")

        self.assertEqual(["phone"], self.appPasswords(BOB))
        self.assertEqual([opened], self.world.connected.list())
        shown = there.get("account/")
        self.assertEqual("Who can read your mail", shown.heading)
        self.assertIn("Mail on my laptop", shown.page.text)

    def makeOwn(self) -> str:
        """
        An app password of Alice's, so that there is a form.
        """
        return self.make("her own").record.identifier

    def test_forged(self) -> None:
        """
        A form that was not made for this person in this browser, or comes from another site, does
        nothing (WB1).
        """
        identifier = self.makeOwn()
        shown = self.enterAt()
        form = self.ending(shown, identifier)
        there, _ = self.elsewhere()
        foreign = self.ending(there.get("account/"), identifier).fields["csrf"]

        for fields, headers in (
            ({**form.fields, "csrf": ""}, ()),
            ({**form.fields, "csrf": "x" * 43}, ()),
            ({**form.fields, "csrf": foreign}, ()),
            (form.fields, ("Origin: https://evil.example",)),
            (form.fields, ("Sec-Fetch-Site: cross-site",)),
        ):
            self.assertEqual(403, self.browser.post(form.action, fields, *headers).status)

        self.assertEqual(["her own"], self.appPasswords())

    def test_signedOut(self) -> None:
        """
        Whoever is signed out meanwhile ends nothing.
        """
        identifier = self.makeOwn()
        shown = self.enterAt()
        self.browser.submit(self.browser.get("signout"), "out")

        self.assertEqual(400, self.end(shown, identifier).status)
        self.assertEqual(["her own"], self.appPasswords())

    def test_strange(self) -> None:
        """
        What our own pages never send is refused; what they never lead to leads to the list.
        """
        identifier = self.makeOwn()
        form = self.ending(self.enterAt(), identifier)

        for fields in (
            {**form.fields, "kind": "account"},
            {**form.fields, "kind": ""},
            {**form.fields, "identifier": ""},
        ):
            self.assertEqual(400, self.browser.post(form.action, fields).status)
        self.assertEqual(f"{ISSUER}/account/", self.browser.get(form.action).address)
        self.assertEqual(["her own"], self.appPasswords())

    def test_outage(self) -> None:
        """
        An outage is no success, and nothing has changed.
        """
        identifier = self.makeOwn()
        shown = self.enterAt()
        self.world.administered.appPasswords.down = True

        self.assertEqual(503, self.end(shown, identifier).status)
        self.assertEqual(["her own"], self.appPasswords())


class EndEverythingTests(MovingCase, AccountCase):
    """
    Ending everything at once.
    """

    def test_everything(self) -> None:
        """
        Somebody is asked first. Then everything of his ends but the browser that he is in, and
        nothing of anybody else's.
        """
        self.make()
        self.make("laptop")
        self.allow()
        self.world.connected.open(ALICE)
        self.make("bob's phone", BOB)
        bobs = self.world.connected.open(BOB)
        there, _ = self.elsewhere()
        bob, _ = self.elsewhere(BOB)
        asked = self.enterAt("account/end-everything")
        self.assertEqual("End everything?", asked.heading)
        self.assertEqual(["laptop", "phone"], self.appPasswords())

        shown = self.send(asked)

        self.assertEqual(f"{ISSUER}/account/?done=everything", shown.address)
        self.assertIn("Only this browser is still signed in.", shown.page.text)
        self.assertEqual([], [form for form in shown.page.forms if "kind" in form.fields])
        self.assertEqual([], self.appPasswords())
        self.assertEqual("Sign in", there.get("account/").heading)
        self.assertEqual(["bob's phone"], self.appPasswords(BOB))
        self.assertEqual([bobs], self.world.connected.list())
        self.assertEqual("Who can read your mail", bob.get("account/").heading)

    def test_held(self) -> None:
        """
        What was allowed and not fetched yet ends, too: whoever has the lost device could keep it
        back until then (TK18).
        """
        held = attrs.evolve(self.allow(), grantId="of a code that was not redeemed")
        asked = self.enterAt("account/end-everything")

        self.send(asked)

        self.assertTrue(isRevoked(held, ISSUER, self.world.stores.revocations))
        self.assertEqual("Who can read your mail", self.browser.get("account/").heading)

    def test_forged(self) -> None:
        """
        A form from elsewhere ends nothing (WB1).
        """
        self.make()
        asked = self.enterAt("account/end-everything")
        there, _ = self.elsewhere()

        self.assertEqual(403, self.send(asked, there).status)
        self.assertEqual(403, self.send(asked, csrf="x").status)
        self.assertEqual(["phone"], self.appPasswords())

    def test_outage(self) -> None:
        """
        An outage in between signs nobody out of the browser that he is in, and afterwards it can be
        done again.
        """
        self.make()
        there, _ = self.elsewhere()
        asked = self.enterAt("account/end-everything")
        self.world.administered.appPasswords.down = True
        self.assertEqual(503, self.send(asked).status)
        self.assertEqual(["phone"], self.appPasswords())
        self.assertEqual("Sign in", there.get("account/").heading)
        self.world.administered.appPasswords.down = False

        self.send(self.browser.get("account/end-everything"))

        self.assertEqual([], self.appPasswords())
