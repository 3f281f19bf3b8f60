"""
Tests of the page that asks for consent.
"""

from __future__ import annotations

from typing import Any

import attrs
from markupsafe import escape

from mailauth.scopes import KNOWN_SCOPES, MEANINGS
from mailauth.server.web.words import say

from .shown import Shown
from .world import ALICE, BOB, CLIENT, PASSWORDS, Browser, PagesCase


class ConsentTests(PagesCase):
    """
    What somebody is asked, and what comes of it.
    """

    def consent(self, **asked: str) -> Shown:
        """
        The page, for a client that asks.
        """
        shown = self.browser.get(self.ask(**asked))
        return self.enter(shown) if shown.heading == "Sign in" else shown

    def answer(self, shown: Shown, decision: str, **fields: str) -> Shown:
        """
        Decide.
        """
        return self.browser.submit(shown, decision, **fields)

    def addClient(self, **members: Any) -> None:
        """
        Register a client that calls itself something.
        """
        client = attrs.evolve(CLIENT, clientId="other", **members)
        self.wait(self.world.stores.clients.add(client))

    def test_says(self) -> None:
        """
        It says who asks, whether anybody vouches for that, for what, as whom, for how long, and
        where the answer goes.
        """
        words = " ".join(self.consent().page.text.split())

        for said in (
            "Mail on my laptop",
            "Not verified",
            "This program chose its name itself.",
            "read, organize and delete your mail, and send mail as you",
            ALICE,
            "when you take it away",
            "a program on this device",
        ):
            self.assertIn(said, words)

    def test_verified(self) -> None:
        """
        An administrator's client is called verified, and its host is named.
        """
        shown = self.enter(self.browser.get(self.ask("webmail")))

        self.assertIn("Verified by your administrator", shown.page.text)
        self.assertIn("webmail.example", shown.page.text)
        self.assertNotIn("Not verified", shown.page.text)

    def test_place(self) -> None:
        """
        Where the answer goes is said in words that mean something to a person.
        """
        for redirect, said in (
            ("http://[::1]/cb", "a program on this device"),
            ("http://localhost:8765", "a program on this device"),
            ("https://xn--80ak6aa92e.example:8443/cb", "xn--80ak6aa92e.example:8443"),
            ("eu.faircode.email:/", "the program eu.faircode.email on this device"),
        ):
            self.setUp()
            self.addClient(redirectURIs=(redirect,))
            shown = self.consent(client_id="other", redirect_uri=redirect)
            self.assertIn(said, shown.page.text)

    def test_scope(self) -> None:
        """
        Every scope that a client may ask for is said in words, and a small one is not made large.
        """
        for scope in sorted(KNOWN_SCOPES):
            shown = self.consent(scope=scope)

            self.assertIn(f"<li>{say('en', MEANINGS[scope])}</li>".encode(), shown.body)
            self.assertEqual(1, shown.body.count(b"<li>"), scope)

    def test_duration(self) -> None:
        """
        Who asks for no refresh token has access for an hour.
        """
        self.assertIn("after 60 minutes", self.consent(scope="openid imap").page.text)
        shown = self.consent(scope="openid imap offline_access")
        self.assertIn("when you take it away", shown.page.text)
        self.assertIn("do this while you are away", shown.page.text)

    def test_deny(self) -> None:
        """
        Who says no sends the client away with nothing; so does who would not even sign in (O 41).
        """
        for shown in (
            self.browser.submit(self.browser.get(self.ask()), "deny"),
            self.answer(self.consent(), "deny"),
        ):
            answer = shown.answer
            self.assertEqual("access_denied", answer["error"])
            self.assertEqual(("the state", self.issuer), (answer["state"], answer["iss"]))

    def test_replayed(self) -> None:
        """
        A consent counts once (O 51).
        """
        shown = self.consent()
        self.answer(shown, "allow")
        again = self.answer(shown, "allow")

        self.assertEqual((400, "This page is too old"), (again.status, again.heading))

    def test_otherSession(self) -> None:
        """
        What one person was asked another cannot answer in the same browser, nor the same one in
        another browser, nor somebody who is not signed in at all (O 51).
        """
        shown = self.consent()
        self.enter(self.browser.get("signin"), BOB)
        self.assertEqual(400, self.answer(shown, "allow").status)

        fields = shown.page.forms[0].fields
        stranger = Browser(self.world)
        stranger.submit(stranger.get("signin"), "signin", username=ALICE, password=PASSWORDS[ALICE])
        own = stranger.get(self.ask()).page.forms[0].fields
        posted = {**own, "interaction": fields["interaction"], "decision": "allow"}
        self.assertEqual(400, stranger.post("consent", posted).status)

        self.browser.submit(self.browser.get("signout"), "out")
        self.assertEqual(400, self.answer(shown, "allow").status)
        self.assertEqual(400, self.browser.get(shown.address).status)

    def test_tampered(self) -> None:
        """
        What was asked cannot be changed, and what was not asked yet cannot be answered (O 51).
        """
        before = self.browser.get(self.ask())
        notAsked = before.page.forms[0].fields["interaction"]
        shown = self.enter(before)
        asked = shown.page.forms[0].fields["interaction"]
        middle = len(asked) // 2
        changed = "A" if asked[middle] != "A" else "B"

        for interaction in (
            notAsked,
            asked[:middle] + changed + asked[middle + 1 :],
            asked[:-4],
            asked[4:],
            "",
            "account",
        ):
            answer = self.answer(shown, "allow", interaction=interaction)
            self.assertEqual(400, answer.status, interaction)
        self.assertIn("code", self.answer(shown, "allow").answer)

    def test_hostileName(self) -> None:
        """
        What a client calls itself is text, in one line, that turns nothing around it and is not
        endless; nothing is fetched for it (WB4; O 55).
        """
        for name, said in (
            ('<img src="https://evil.example/x">', '<img src="https://evil.example/x">'),
            ('" autofocus onfocus="alert(1)', '" autofocus onfocus="alert(1)'),
            ("{{ csrf }}{account}%s", "{{ csrf }}{account}%s"),
            ("Your\u202eknab\u202c\u200b bank\u2069", "Your knab bank"),
            ("one\nline\t\x07 only", "one line only"),
            ("\uff22\uff41\uff4e\uff4b", "Bank"),
            ("x" * 1000, "x" * 60 + "…"),
            ("\u200f\u200e", "A program without a name"),
            ("", "A program without a name"),
        ):
            self.setUp()
            self.addClient(name=name)
            for shown in (
                self.browser.get(self.ask(client_id="other")),
                self.consent(client_id="other"),
            ):
                self.assertIn(f"<bdi>{escape(said)}</bdi>".encode(), shown.body)
                for _, attributes in shown.page.elements:
                    self.assertNotIn("onfocus", attributes)
                    self.assertTrue(attributes.get("src", "/static/").startswith("/static/"))
            self.assertIn("Not verified", shown.page.text)
