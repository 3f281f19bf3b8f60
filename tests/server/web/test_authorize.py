"""
Tests of where clients send people, and how they come back.
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit

from .shown import Shown
from .world import ALICE, BOB, REDIRECT, Browser, PagesCase


class RequestTests(PagesCase):
    """
    What a client asks for.
    """

    def test_code(self) -> None:
        """
        Somebody signs in, allows it, and the client gets a code, its state, and who it is from
        (O 41).
        """
        shown = self.browser.submit(self.enter(self.browser.get(self.ask())), "allow")

        self.assertTrue(shown.location.startswith(f"{REDIRECT}?code="))
        answer = shown.answer
        self.assertEqual(43, len(answer.pop("code")))
        self.assertEqual({"state": "the state", "iss": self.issuer}, answer)

    def test_nowhereToGo(self) -> None:
        """
        Without a client, or with an address that is not the client's, there is a page, and never a
        redirect: whoever made the request up does not choose where a browser goes (OA7; O 36).
        """
        for asked in (
            {"client_id": None},
            {"client_id": "unknown"},
            {"client_id": "x" * 5000},
            {"redirect_uri": "https://evil.example/"},
            {"redirect_uri": f"{REDIRECT}/.."},
            {"redirect_uri": f"{REDIRECT}?more"},
            {"redirect_uri": "javascript:alert(1)"},
            {"redirect_uri": "//evil.example"},
            {"client_id": "unknown", "response_type": "token", "prompt": "none"},
            {"redirect_uri": "https://evil.example/", "scope": "unknown"},
        ):
            shown = self.browser.get(self.ask(**asked))

            self.assertEqual((400, "This does not work"), (shown.status, shown.heading), asked)
            self.assertNotIn("location", shown.headers)
            self.assertNotIn(b"evil", shown.body)

    def test_strange(self) -> None:
        """
        What is no form at all has a page, too (O 36).
        """
        for query in ("%ff=1", "client_id=a&client_id=b", "client_id=%00", "a=b&" * 60):
            shown = self.browser.get(f"authorize?{query}")

            self.assertEqual((400, "This does not work"), (shown.status, shown.heading), query)

    def test_clientsMistake(self) -> None:
        """
        What else a client does wrong it hears itself, with its state and who it is from (OA9;
        O 41).
        """
        for asked, error in (
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"scope": "unknown"}, "invalid_scope"),
            ({"code_challenge": None}, "invalid_request"),
            ({"prompt": "none"}, "login_required"),
            ({"request": "x"}, "request_not_supported"),
        ):
            shown = self.browser.get(self.ask(**asked))

            self.assertEqual(303, shown.status)
            answer = shown.answer
            self.assertEqual(error, answer["error"])
            self.assertEqual(("the state", self.issuer), (answer["state"], answer["iss"]))

    def test_see(self) -> None:
        """
        Every redirect is a 303: with a 307 a browser would send the form, and the password in it,
        where it leads (O 46).
        """
        for shown in self.everyAnswer():
            self.assertIn(shown.status, (200, 303, 400, 403))

    def everyAnswer(self) -> list[Shown]:
        """
        All answers on the way to a code, one by one.
        """
        answers: list[Shown] = []

        class Watching(Browser):
            """
            A browser that remembers every answer.
            """

            def request(self, method: str, address: str, *headers: str, body: bytes = b"") -> Shown:
                """
                See L{Browser.request}.
                """
                answers.append(super().request(method, address, *headers, body=body))
                return answers[-1]

        self.browser = Watching(self.world)
        self.browser.submit(self.enter(self.browser.get(self.ask())), "deny")
        self.browser.submit(self.browser.get(self.ask()), "allow")
        self.browser.submit(self.browser.get("signout"), "out")
        self.assertEqual(5, sum(each.status == 303 for each in answers))
        return answers

    def test_post(self) -> None:
        """
        A client may have a form sent, which comes without our cookies; the browser asks again with
        them, for the same (OpenID Connect Core 1.0 section 3.1.2.1).
        """
        self.enter(self.browser.get("signin"))
        path, _, query = self.ask(login_hint="a b&c=é", resource=self.issuer).partition("?")
        kept, self.browser.cookies = self.browser.cookies, {}
        form = "Content-Type: application/x-www-form-urlencoded"
        shown = self.browser.request("POST", path, form, body=query.encode("ascii"))

        self.assertEqual({}, self.browser.cookies)
        self.assertEqual("/authorize", urlsplit(shown.location).path)
        self.assertEqual(parse_qs(query), parse_qs(urlsplit(shown.location).query))
        self.browser.cookies = kept
        self.assertEqual("Allow access?", self.browser.follow(shown).heading)

    def test_again(self) -> None:
        """
        Who is signed in is only asked whether he allows it.
        """
        self.browser.submit(self.enter(self.browser.get(self.ask())), "allow")

        self.assertEqual("Allow access?", self.browser.get(self.ask()).heading)

    def test_knownClient(self) -> None:
        """
        Where an administrator vouches for a client that nobody else can pass for, somebody who
        allowed it before comes back without a page.
        """
        first = self.browser.submit(self.enter(self.browser.get(self.ask("webmail"))), "allow")
        self.redeem(first.answer["code"])
        second = self.browser.get(self.ask("webmail"))

        for shown in (first, second):
            self.assertTrue(shown.location.startswith("https://webmail.example/callback?code="))

    def redeem(self, code: str) -> None:
        """
        Do what the token endpoint does.
        """
        grants, digest = self.world.stores.grants, sha256(code.encode("ascii")).digest()
        grant = self.wait(grants.findCode(digest)).grant
        self.assertTrue(self.wait(grants.redeemCode(digest, grant, None, self.clock.seconds())))

    def test_account(self) -> None:
        """
        Whom the client expects is in the form already, and he can sign in as somebody else.
        """
        shown = self.browser.get(self.ask(login_hint=f'"><b>{BOB}'))
        self.assertEqual(f'"><b>{BOB}', shown.page.forms[0].fields["username"])
        self.assertNotIn("b", {tag for tag, _ in shown.page.elements})

        shown = self.browser.submit(self.enter(shown, ALICE), "another")

        self.assertEqual("Sign in", shown.heading)
        self.assertIn(BOB, self.enter(shown, BOB).page.text)

    def test_asksAgain(self) -> None:
        """
        A client can have somebody sign in again, once (OpenID Connect Core 1.0 section 3.1.2.1).
        """
        self.enter(self.browser.get("signin"))
        self.clock.advance(100)
        for asked in ({"prompt": "login"}, {"max_age": "60"}, {"prompt": "select_account"}):
            self.clock.advance(100)
            shown = self.browser.get(self.ask(**asked))

            self.assertEqual(ALICE, shown.page.forms[0].fields["username"])
            self.assertEqual("Allow access?", self.enter(shown).heading)

    def test_issuerWithPath(self) -> None:
        """
        Everything works behind a path, too.
        """
        self.issuer = f"{self.issuer}/tenants/mail"
        self.setUp()

        shown = self.browser.submit(self.enter(self.browser.get(self.ask())), "allow")

        self.assertEqual(self.issuer, shown.answer["iss"])
        for _, attributes in self.browser.get(self.ask()).page.elements:
            for name in ("src", "href", "action"):
                self.assertTrue(attributes.get(name, "/tenants/mail/").startswith("/tenants/mail/"))


class DestinationTests(PagesCase):
    """
    Where somebody goes on to when he has signed in.
    """

    def test_noAddress(self) -> None:
        """
        It is never an address that a link could bring along (WB9; O 57).
        """
        for elsewhere in (
            "https://evil.example/",
            "//evil.example",
            "/account",
            "account/",
            "javascript:alert(1)",
            "evil",
            "device:https://evil.example",
            "device:AAAA&next=//evil.example",
            "x" * 2000,
        ):
            shown = self.browser.get(f"signin?{urlencode({'interaction': elsewhere})}")
            self.assertEqual((400, "This page is too old"), (shown.status, shown.heading))

            shown = self.browser.get("signin")
            shown.page.forms[0].fields["interaction"] = elsewhere
            posted = {**shown.page.forms[0].fields, "interaction": elsewhere}
            shown = self.browser.post("signin", posted)
            self.assertEqual((400, "This page is too old"), (shown.status, shown.heading))

    def test_pages(self) -> None:
        """
        It may be one of our own pages, by its name.
        """
        for name, heading in (
            ("account", "Who can read your mail"),
            ("device", "Connect a device"),
        ):
            shown = self.enter(self.browser.get(f"signin?interaction={name}"))
            self.assertEqual(heading, shown.heading)

        shown = self.enter(self.browser.get("signin?interaction=device:WDJB-MJHT"))
        self.assertEqual("WDJB-MJHT", shown.page.forms[0].fields["user_code"])

    def test_otherBrowser(self) -> None:
        """
        What one browser was given is worth nothing in another (O 57).
        """
        shown = self.browser.get(self.ask())
        stolen = Browser(self.world)
        stolen.get("signin")

        self.assertEqual(400, stolen.get(shown.address).status)

    def test_late(self) -> None:
        """
        It is too late after an hour.
        """
        shown = self.browser.get(self.ask())
        self.clock.advance(3601)

        self.assertEqual("This page is too old", self.enter(shown).heading)
