"""
Tests of what an administrator sees of the server, and does with it: overview, applications,
connections, issuers, keys.
"""

from __future__ import annotations

from urllib.parse import quote

from mailauth.server.actions.health import Health
from mailauth.server.keys import PUBLISHED_FIRST
from mailauth.server.web.admin.connections import PAGE
from mailauth.server.web.admin.overview import CERTIFICATE_DAYS, KEY_DAYS, warningsOf
from mailauth.server.web.times import DAY
from mailauth.server.web.visit import Visit
from mailauth.stores.events import Kind

from ...jose import makeSigner
from ...validators.web import jwks
from .adminpages import AdminCase
from .test_adminaccess import secretOf
from .world import ALICE, BOB

DOCUMENT = "https://mail.example/client.json"


class OverviewTests(AdminCase):
    """
    Whether all is well.
    """

    federated = True

    def test_well(self) -> None:
        """
        It says so, and how much there is of what.
        """
        self.world.connected.open(ALICE)
        self.world.connected.open(BOB, service="smtp")

        shown = self.visit("admin/")

        self.assertIn("All is well.", shown.page.text)
        self.assertIn("IMAP 1, SMTP 1", shown.page.text)
        self.assertIn("Example Company", shown.page.text)
        [key] = self.wait(self.world.administration.keys.list())
        self.assertIn(key.key.kid, shown.page.text)

    def test_events(self) -> None:
        """
        What happened last is there, with who did it.
        """
        self.confirm("accounts", "disable", account=ALICE)

        text = self.visit("admin/").page.text

        self.assertIn("Account disabled", text)
        self.assertIn(f"{BOB} 192.168.1.1", text)

    def test_issuer(self) -> None:
        """
        An issuer that cannot be reached is a warning.
        """
        self.world.company.web.says.clear()

        text = self.visit("admin/").page.text

        self.assertIn("The issuer Example Company cannot be reached", text)
        self.assertNotIn("All is well.", text)

    def test_outage(self) -> None:
        """
        Where the database cannot be read it says so, and the rest.
        """
        for name in ("accounts", "events", "signingKeys"):
            getattr(self.world.administered, name).down = True

        shown = self.visit("admin/")

        self.assertIn("The database cannot be used", shown.page.text)
        self.assertIn("the store of this test is down", shown.page.text)

    def warned(self, **health: object) -> list[str]:
        """
        What is said of a server that is well otherwise.
        """
        now = self.clock.seconds()
        [key] = self.wait(self.world.administration.keys.list())
        well = {
            "version": "1",
            "since": now,
            "database": None,
            "connections": 0,
            "key": key,
            "issuers": (),
            "certificateEnds": now + 90 * DAY,
        }
        visit = Visit.__new__(Visit)
        visit.language = "en"
        found = Health(**{**well, **health})
        return [each.says for each in warningsOf(visit, found, now, {"keys": "", "issuers": ""})]

    def test_warnings(self) -> None:
        """
        There is a warning for what is wrong, from the day on when something should be done.
        """
        now = self.clock.seconds()
        self.assertEqual([], self.warned())
        self.assertEqual([], self.warned(certificateEnds=now + CERTIFICATE_DAYS * DAY))
        self.assertEqual(
            ["The certificate ends in 20 days"],
            self.warned(certificateEnds=now + CERTIFICATE_DAYS * DAY - 1),
        )
        self.assertEqual(["The certificate has ended"], self.warned(certificateEnds=now))
        self.assertEqual(["There is no key to sign with"], self.warned(key=None))
        self.clock.advance(KEY_DAYS * DAY)
        self.assertEqual([], self.warned())
        self.clock.advance(1)
        self.assertEqual(["The signing key is 365 days old"], self.warned())


class ApplicationsTests(AdminCase):
    """
    The applications.
    """

    def test_list(self) -> None:
        """
        Those of an administrator and those that are built in are there.
        """
        text = self.visit("admin/applications").page.text

        for each in ("Mail on my laptop", "Television", "Thunderbird", "FairEmail"):
            self.assertIn(each, text)

    def test_public(self) -> None:
        """
        A public one is added, and shown.
        """
        shown = self.sent(
            self.visit("admin/applications/new"),
            name="Reader",
            redirects="http://127.0.0.1/a\r\nreader.example:/b",
            scope="imap offline_access",
        )

        self.assertEqual("Reader", shown.heading)
        for each in ("Added.", "verified", "reader.example:/b", "imap offline_access"):
            self.assertIn(each, shown.page.text)
        self.assertHappened(Kind.CLIENT_ADDED)

    def test_confidential(self) -> None:
        """
        The secret of a confidential one is shown once, and is what it proves itself with.
        """
        asked = self.visit("admin/applications/new")
        fields = {"id": "portal", "proof": "client_secret_basic", "resourceserver": "on"}
        shown = self.sent(asked, **fields)
        secret = secretOf(shown)
        self.assertHappened(Kind.CLIENT_ADDED, text="portal")

        again = self.refused(asked, **fields)
        self.assertIn("was sent before", again.page.text)
        view = self.visit("admin/applications/view?id=portal")

        self.assertIn("resource server", view.page.text)
        for page in (again, view):
            self.assertNotIn(secret, page.body.decode())

    def test_keys(self) -> None:
        """
        One that has a key pair is added by its public half; what is none is refused.
        """
        key = jwks(makeSigner()).content.decode("ascii")
        fields = {"id": "robot", "proof": "private_key_jwt", "client_credentials": "on"}
        for wrong in ("", "{}", '{"keys": []}', "no keys"):
            self.refused(self.visit("admin/applications/new"), jwks=wrong, **fields)

        self.sent(self.visit("admin/applications/new"), jwks=key, **fields)

        self.assertHappened(Kind.CLIENT_ADDED, text="robot")

    def test_cannotAdd(self) -> None:
        """
        What cannot be is said, and everything is kept that was typed.
        """
        for fields, problem in (
            ({"id": "laptop", "redirects": "http://127.0.0.1/a"}, "laptop"),
            ({"id": "two words", "redirects": "http://127.0.0.1/a"}, "is no id"),
            ({"redirects": "http://evil.example/a"}, "evil.example"),
            ({"redirects": "http://127.0.0.1/a", "scope": "everything"}, "there is no scope"),
            ({"redirects": "http://127.0.0.1/a", "nopkce": "on"}, "Without PKCE"),
            ({"redirects": "http://127.0.0.1/a", "logout": "http://x.example"}, "not https"),
            ({"device_code": "on", "logoutredirects": "x"}, "x"),
            ({"client_credentials": "on"}, "client with a secret or keys"),
            ({}, "It could do nothing"),
        ):
            shown = self.refused(self.visit("admin/applications/new"), **fields)
            self.assertIn(problem, shown.page.text)
            for name, value in fields.items():
                self.assertEqual(value, shown.page.forms[0].fields[name], name)

    def test_remove(self) -> None:
        """
        One is removed, and what it was granted ends.
        """
        self.allow()

        self.confirm("applications", "remove", "laptop")

        self.assertHappened(Kind.CLIENT_REMOVED, text="laptop")
        self.assertEqual(404, self.browser.get("admin/applications/view?id=laptop").status)
        self.assertEqual((), self.wait(self.world.administration.access.listApplications(ALICE)))

    def test_deny(self) -> None:
        """
        One that nobody added is denied, by its id, and may come again.
        """
        registered = self.world.authorization.clients.register(
            {"redirect_uris": ["http://127.0.0.1/x"], "client_name": "Fishy"}
        )
        for identifier in ("thunderbird", registered.clientId, DOCUMENT):
            shown = self.confirm("applications", "deny", identifier)
            self.assertHappened(Kind.CLIENT_DENIED, text=identifier)
            self.assertIn(identifier, shown.page.text.partition("Denied")[2])

        shown = self.confirm("applications", "allow", "thunderbird")

        self.assertIn("It may come again.", shown.page.text)
        self.assertHappened(Kind.CLIENT_REMOVED, text="thunderbird")
        self.assertEqual(200, self.browser.get("admin/applications/view?id=thunderbird").status)

    def test_unknown(self) -> None:
        """
        What is not there cannot be denied, allowed or removed.
        """
        for query in ("end=deny&id=x", "end=allow&id=laptop", "end=remove&id=x", "end=x&id=laptop"):
            self.assertEqual(404, self.browser.get(f"admin/applications/end?{query}").status, query)
        asked = self.visit("admin/applications/end?end=deny&id=laptop")

        self.assertIn("remove it instead", self.refused(asked).page.text)


class ConnectionsTests(AdminCase):
    """
    The open connections.
    """

    def test_search(self) -> None:
        """
        They are found by account, the newest first, and ended one by one.
        """
        mine = self.world.connected.open(ALICE)
        self.world.connected.open(BOB, service="smtp", credential="token of Thunderbird")

        everything = self.visit("admin/connections").page.text
        found = self.visit(f"admin/connections?account={quote('ALICE')}")

        self.assertIn("1 to 2 of 2", everything)
        self.assertLess(everything.index("SMTP"), everything.index("IMAP"))
        self.assertIn("token of Thunderbird", everything)
        self.assertIn("1 to 1 of 1", found.page.text)
        shown = self.confirm("accounts", "connection", mine.identifier, ALICE)
        self.assertIn("Nobody is connected.", shown.page.text)
        self.assertHappened(Kind.CONNECTION_ENDED, ALICE)
        self.assertEqual(["Ended by the administrator"], self.world.connected.reasons)

    def test_pages(self) -> None:
        """
        However many there are, a page of them is shown, and leads to the next and back.
        """
        for _ in range(PAGE + 1):
            self.world.connected.open(ALICE)
        first = self.visit("admin/connections")
        [onward] = [named for _, named in first.page.elements if named.get("rel") == "next"]

        second = self.visit(onward["href"])

        self.assertIn(f"1 to {PAGE} of {PAGE + 1}", first.page.text)
        self.assertIn(f"{PAGE + 1} to {PAGE + 1} of {PAGE + 1}", second.page.text)
        self.assertIn("First page", second.page.text)
        self.assertEqual(200, self.browser.get("admin/connections?skip=many").status)


class IssuersTests(AdminCase):
    """
    The external issuers.
    """

    federated = True

    def test_state(self) -> None:
        """
        Each is there with what the configuration says, and whether it is reached.
        """
        text = self.visit("admin/issuers").page.text

        for each in ("Example Company", "reached", "example.test", "just now"):
            self.assertIn(each, text)

    def test_notReached(self) -> None:
        """
        One that is not reached says why.
        """
        self.world.company.web.says.clear()

        shown = self.visit("admin/issuers")

        self.assertIn("not reached", shown.page.text)
        self.assertIn("cannot be read", shown.page.text)
        self.assertIn("never", shown.page.text)

    def test_check(self) -> None:
        """
        Looking at one now says what would work, and what to do where it does not.
        """
        shown = self.sent(self.visit("admin/issuers"), "check")
        self.assertIn("describes it.", shown.page.text)
        self.assertNotIn("wrong", shown.page.text)
        self.world.company.web.says.clear()

        shown = self.sent(shown, "check")

        self.assertIn("wrong", shown.page.text)
        self.assertIn("has to be reached by HTTPS", shown.page.text)

    def test_unknown(self) -> None:
        """
        One that the configuration does not name is not looked at.
        """
        form = self.visit("admin/issuers").page.forms[0]
        fields = {**form.fields, "name": "https://internal.example"}

        self.assertEqual(404, self.browser.post("admin/issuers", fields).status)


class KeysTests(AdminCase):
    """
    The signing keys.
    """

    def kids(self) -> list[str]:
        """
        Their names, the newest first.
        """
        return [each.key.kid for each in self.wait(self.world.administration.keys.list())]

    def test_rotate(self) -> None:
        """
        A new key is published, and signs in an hour; the old one retires then.
        """
        [old] = self.kids()
        self.clock.advance(60)

        shown = self.sent(self.visit("admin/keys/rotate"), algorithm="EdDSA")

        new, _ = self.kids()
        self.assertHappened(Kind.KEY_ROTATED, text=new)
        self.assertTrue(new.startswith("eddsa-"))
        self.assertIn("The new key is published.", shown.page.text)
        self.assertIn("verifies until", shown.page.text)
        self.assertEqual([old], self.signing())
        self.clock.advance(PUBLISHED_FIRST)
        self.assertEqual([new], self.signing())

    def signing(self) -> list[str]:
        """
        Which of them signs.
        """
        keys = self.wait(self.world.administration.keys.list())
        return [each.key.kid for each in keys if each.signs]

    def test_rotateNow(self) -> None:
        """
        If it has to be, it signs now.
        """
        self.clock.advance(60)

        self.sent(self.visit("admin/keys/rotate"), when="now")

        self.assertEqual(self.kids()[:1], self.signing())

    def test_revoke(self) -> None:
        """
        Before a key is revoked the page says what ends; with it the administrator's own session at
        this site does, which another key renews.
        """
        [old] = self.kids()
        asked = self.visit(f"admin/keys/end?end=revoke&id={old}")
        self.assertIn("Every token that it signed is refused", asked.page.text)
        self.clock.advance(60)

        shown = self.sent(asked)

        self.assertEqual("Keys", shown.heading)
        self.assertHappened(Kind.KEY_REVOKED, text=old)
        self.assertNotEqual([old], self.signing())
        self.assertEqual(404, self.browser.get("admin/keys/end?end=revoke&id=x").status)
