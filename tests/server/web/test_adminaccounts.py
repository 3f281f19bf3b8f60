"""
Tests of what an administrator sees of accounts, and does with them.
"""

from __future__ import annotations

from mailauth.oauth.records import Passkey
from mailauth.passwords import MIN_COST, hashChosen
from mailauth.server.actions.factors import passkeyId
from mailauth.server.web.admin.accounts import PAGE
from mailauth.stores.events import Kind
from mailauth.stores.records import Account, AppPassword

from .adminpages import AdminCase
from .test_adminaccess import secretOf
from .world import ALICE, BOB, Browser

CAROL = "carol@example.test"
HASH = hashChosen(b"of the old server", MIN_COST)


class AccountsTests(AdminCase):
    """
    All accounts.
    """

    def test_search(self) -> None:
        """
        They are found by what stands in their name or in an alias, as typed.
        """
        self.sent(self.view(), "alias", alias="sales@example.test")

        for word, found in (
            ("", {ALICE, BOB}),
            ("SALES", {ALICE}),
            ("bob@", {BOB}),
            ("nobody", set()),
        ):
            text = self.visit(f"admin/accounts?word={word}").page.text.partition("Created\n")[2]
            self.assertEqual(found, {name for name in (ALICE, BOB) if name in text}, word)

    def test_pages(self) -> None:
        """
        However many there are, a page of them is shown, and leads to the next.
        """
        for number in range(PAGE):
            self.wait(self.world.stores.accounts.add(Account(f"x{number:03}@example.test")))
        first = self.visit("admin/accounts?word=example")

        [onward] = [named for _, named in first.page.elements if named.get("rel") == "next"]
        second = self.visit(onward["href"])

        self.assertIn("x047@example.test", first.page.text)
        self.assertNotIn("x048@example.test", first.page.text)
        self.assertIn("x049@example.test", second.page.text)
        self.assertNotIn(ALICE, second.page.text)

    def test_create(self) -> None:
        """
        An account is made with a password and a rule, and its owner signs in with that.
        """
        shown = self.sent(
            self.visit("admin/accounts/new"),
            name="Carol@Example.Test",
            password="chosen for carol",
            rule="everywhere",
        )

        self.assertEqual(CAROL, shown.heading)
        self.assertIn("The account is created.", shown.page.text)
        self.assertHappened(Kind.ACCOUNT_CREATED, CAROL)
        account = self.wait(self.world.stores.accounts.get(CAROL))
        self.assertEqual(("everywhere", True), (account.passwordRule, account.enabled))
        other = Browser(self.world)
        asked = other.get("account/")
        fields = {"username": CAROL, "password": "chosen for carol"}
        self.assertIn(CAROL, other.submit(asked, "signin", **fields).page.text)

    def test_createWithoutPassword(self) -> None:
        """
        One without a password has none, and the rule of its domain.
        """
        shown = self.sent(self.visit("admin/accounts/new"), name="carol")

        self.assertIn("There is no account password", shown.page.text)
        account = self.wait(self.world.stores.accounts.get(CAROL))
        self.assertEqual((None, None), (account.passwordHash, account.passwordRule))

    def test_cannotCreate(self) -> None:
        """
        What cannot be is said at the form, which keeps what was typed, but for the password.
        """
        for name, password, problem in (
            (ALICE, "", f"There is an account {ALICE} already."),
            ("a b@example.test", "", "cannot be the name of an account"),
            ("carol", "x" * 80, "octets"),
        ):
            shown = self.refused(
                self.visit("admin/accounts/new"), name=name, password=password, rule="web"
            )
            self.assertIn(problem, shown.page.text)
            fields = shown.page.forms[0].fields
            self.assertEqual(
                (name, "", "web"), tuple(fields[each] for each in ("name", "password", "rule"))
            )
            self.assertNotIn("x" * 80, shown.body.decode())


class AccountTests(AdminCase):
    """
    One account.
    """

    federated = True

    def test_unknown(self) -> None:
        """
        Of one that is not there is nothing to see, and nothing to do.
        """
        for path in ("view", "password", "app-password", "identity", "end?end=disable"):
            page = path if "?" in path else f"{path}?"
            self.assertEqual(404, self.browser.get(f"admin/accounts/{page}&account={CAROL}").status)

    def test_everything(self) -> None:
        """
        All that there is of it is on its page.
        """
        self.addTOTP()
        self.make("phone", readOnly=True, networks=("192.0.2.0/24",))
        self.allow()
        self.world.connected.open(ALICE, program="Thunderbird")
        self.world.connected.open(BOB, program="of somebody else")

        text = self.view().page.text

        for each in (
            "enabled",
            "second factor",
            "with 10 recovery codes left",
            "phone",
            "Only read",
            "from 192.0.2.0/24 alone",
            "Mail on my laptop",
            "not verified",
            "192.0.2.9",
            "Thunderbird",
            "app password 'phone'",
            "App password made",
        ):
            self.assertIn(each, text)
        self.assertNotIn("of somebody else", text)

    def test_names(self) -> None:
        """
        What programs call themselves is text, without marks that turn it around (WB4).
        """
        self.world.connected.open(ALICE, program="<b>\u202ePHONE")
        self.make("<i>phone</i>")

        body = self.view().body.decode("utf-8")

        self.assertIn("&lt;b&gt; PHONE", body)
        self.assertIn("&lt;i&gt;phone&lt;/i&gt;", body)
        self.assertNotIn("\u202e", body)

    def test_disable(self) -> None:
        """
        Nobody gets into one that is disabled, until it is enabled.
        """
        shown = self.confirm("accounts", "disable", account=ALICE)
        self.assertIn("The account is disabled", shown.page.text)
        self.assertHappened(Kind.ACCOUNT_DISABLED, ALICE)
        self.assertFalse(self.wait(self.world.stores.accounts.get(ALICE)).enabled)

        shown = self.sent(shown, "enable")

        self.assertIn("The account is enabled.", shown.page.text)
        self.assertHappened(Kind.ACCOUNT_ENABLED, ALICE)
        self.assertTrue(self.wait(self.world.stores.accounts.get(ALICE)).enabled)

    def test_remove(self) -> None:
        """
        One is removed once its name is typed, and not before.
        """
        asked = self.visit(f"admin/accounts/end?end=remove&account={ALICE}")
        shown = self.refused(asked, typed="alice")
        self.assertIn("That is not the name of the account.", shown.page.text)
        self.assertEqual("alice", shown.page.forms[0].fields["typed"])

        shown = self.sent(shown, typed=ALICE)

        self.assertEqual("Accounts", shown.heading)
        self.assertHappened(Kind.ACCOUNT_REMOVED, ALICE)
        self.assertIsNone(self.wait(self.world.stores.accounts.get(ALICE)))

    def test_own(self) -> None:
        """
        Whoever is about to lock himself out is told so.
        """
        for end, account, told in (
            ("disable", BOB, True),
            ("everything", BOB, True),
            ("browser", BOB, False),
            ("disable", ALICE, False),
        ):
            [browser] = self.wait(self.world.administration.access.listBrowsers(BOB))
            about = f"account={account}&id={browser.identifier}"
            text = self.visit(f"admin/accounts/end?end={end}&{about}").page.text
            self.assertEqual(told, "This is your own account" in text)

    def test_password(self) -> None:
        """
        A password is set, its owner is told, and it can be removed again.
        """
        shown = self.sent(
            self.visit(f"admin/accounts/password?account={ALICE}"),
            password="chosen by bob",
        )
        self.assertIn("The password is set.", shown.page.text)
        self.assertHappened(Kind.PASSWORD_SET, ALICE)
        [(whom, message)] = self.world.delivered
        self.assertEqual(ALICE, whom)
        self.assertIn(b"an administrator of this server", message)

        shown = self.confirm("accounts", "password", account=ALICE)

        self.assertIn("There is no account password", shown.page.text)
        self.assertHappened(Kind.PASSWORD_CLEARED, ALICE)
        self.assertIsNone(self.wait(self.world.stores.accounts.get(ALICE)).passwordHash)

    def test_passwordRefused(self) -> None:
        """
        One that cannot be set is not, and does not come back in the page.
        """
        shown = self.refused(
            self.visit(f"admin/accounts/password?account={ALICE}"), password="x" * 80
        )

        self.assertIn("octets", shown.page.text)
        self.assertNotIn("x" * 80, shown.body.decode())

    def test_rule(self) -> None:
        """
        Where the password may be used is chosen, or left to its domain.
        """
        for rule, kept in (("everywhere", "everywhere"), ("web", "web"), ("domain", None)):
            shown = self.sent(self.view(), "rule", rule=rule)

            self.assertEqual(rule, shown.page.forms[0].fields["rule"])
            self.assertEqual(kept, self.wait(self.world.stores.accounts.get(ALICE)).passwordRule)
            self.assertHappened(Kind.PASSWORD_RULE_SET, ALICE, text=kept or "domain")

    def test_aliases(self) -> None:
        """
        An address is added and given up; one that somebody has is refused at its form.
        """
        shown = self.sent(self.view(), "alias", alias="Sales@example.test")
        self.assertIn("sales@example.test", shown.page.text)
        self.assertHappened(Kind.ALIAS_ADDED, ALICE, text="sales@example.test")
        for wrong, problem in (
            (BOB, f"There is an account {BOB} already."),
            ("sales@example.test", "is an alias of alice@example.test already"),
            ("a b", "cannot be the name of an account"),
        ):
            shown = self.refused(shown, "alias", alias=wrong)
            self.assertIn(problem, shown.page.text)
            typed = [form.fields["alias"] for form in shown.page.forms if "alias" in form.fields]
            self.assertEqual([wrong], typed)

        shown = self.confirm("accounts", "alias", "sales@example.test", ALICE)

        self.assertIn("It has no other address.", shown.page.text)
        self.assertHappened(Kind.ALIAS_REMOVED, ALICE)

    def test_limit(self) -> None:
        """
        How many app passwords it may have is a number, or what the configuration says.
        """
        appPasswords = self.world.stores.appPasswords
        for typed, kept in (("3", 3), ("0", 0), ("", 50)):
            self.sent(self.view(), "limit", limit=typed)
            self.assertEqual(kept, self.wait(appPasswords.limit(ALICE)))
            self.assertHappened(Kind.QUOTA_SET, ALICE)
        for wrong in ("many", "-1", "100000", "\N{ARABIC-INDIC DIGIT ONE}"):
            shown = self.refused(self.view(), "limit", limit=wrong)
            self.assertIn(wrong, [form.fields.get("limit") for form in shown.page.forms])
            self.assertEqual(50, self.wait(appPasswords.limit(ALICE)))

    def test_appPassword(self) -> None:
        """
        An app password is made, shown once, told to its owner, and revoked (PW13).
        """
        asked = self.visit(f"admin/accounts/app-password?account={ALICE}")
        made = self.sent(asked, name="phone", may="read", expires="30", networks="192.0.2.0/24")
        secret = secretOf(made)
        self.assertRegex(secret, "^[a-z0-9]{4}(-[a-z0-9]{4})+$")
        self.assertHappened(Kind.APP_PASSWORD_MADE, ALICE)
        [kept] = self.wait(self.world.stores.appPasswords.list(ALICE))
        self.assertEqual(
            ("phone", True, ("192.0.2.0/24",)), (kept.name, kept.readOnly, kept.networks)
        )
        self.assertEqual(self.clock.seconds() + 30 * 86400, kept.expires)
        self.assertEqual([ALICE], [whom for whom, _ in self.world.delivered])

        again = self.refused(asked, name="phone", may="read", expires="30")
        self.assertIn("was sent before", again.page.text)
        self.assertNotIn(secret, again.body.decode())
        shown = self.confirm("accounts", "apppassword", kept.identifier, ALICE)

        self.assertNotIn("phone", shown.page.text.partition("What happened")[0])
        self.assertHappened(Kind.APP_PASSWORD_REVOKED, ALICE)
        self.assertEqual((), self.wait(self.world.stores.appPasswords.list(ALICE)))

    def test_appPasswordRefused(self) -> None:
        """
        One that nobody could use is refused, and everything is kept that was typed; so is one too
        many.
        """
        for fields, problem in (
            ({"networks": "here"}, "is no network"),
            ({"expires": "date", "date": "soon"}, "date"),
            ({"may": "choose"}, "protocol"),
        ):
            asked = self.visit(f"admin/accounts/app-password?account={ALICE}")
            shown = self.refused(asked, **{"name": "phone", **fields})
            self.assertIn(problem, shown.page.text)
            for name, value in {"name": "phone", **fields}.items():
                self.assertEqual(value, shown.page.forms[0].fields[name])
        self.sent(self.view(), "limit", limit="0")
        shown = self.refused(self.visit(f"admin/accounts/app-password?account={ALICE}"), name="x")

        self.assertIn("may have 0 app passwords", shown.page.text)

    def test_ends(self) -> None:
        """
        What is open is ended one by one, each with its own connections alone.
        """
        grant = self.allow()
        connection = self.world.connected.open(ALICE)
        [browser] = self.wait(self.world.administration.access.listBrowsers(BOB))

        self.confirm("accounts", "application", grant.grantId, ALICE)
        self.assertHappened(Kind.APPLICATION_ENDED, ALICE)
        self.confirm("accounts", "connection", connection.identifier, ALICE)
        self.assertHappened(Kind.CONNECTION_ENDED, ALICE)
        self.assertEqual({}, self.world.connected.opened)
        asked = self.visit(f"admin/accounts/end?end=browser&account={BOB}&id={browser.identifier}")
        shown = self.browser.submit(asked)

        self.assertHappened(Kind.BROWSER_ENDED, BOB)
        self.assertEqual("Sign in", shown.heading)

    def test_everythingEnds(self) -> None:
        """
        All that is open of an account ends at once.
        """
        self.allow()
        self.world.connected.open(ALICE)

        shown = self.confirm("accounts", "everything", account=ALICE)

        self.assertEqual("Connections", shown.heading)
        self.assertHappened(Kind.ALL_ENDED, ALICE)
        self.assertEqual((), self.wait(self.world.administration.access.listApplications(ALICE)))

    def test_factors(self) -> None:
        """
        Who lost his authenticator is helped.
        """
        self.addTOTP()

        shown = self.confirm("accounts", "authenticator", account=ALICE)

        self.assertIn("There is no authenticator and no passkey.", shown.page.text)
        self.assertHappened(Kind.TOTP_REMOVED, ALICE)
        gone = self.browser.get(f"admin/accounts/end?end=authenticator&account={ALICE}")
        self.assertEqual(404, gone.status)

    def test_passkey(self) -> None:
        """
        A passkey is removed by the short name that it has in addresses.
        """
        passkey = Passkey(b"credential" * 100, ALICE, "Key ring", b"", created=self.clock.seconds())
        self.wait(self.world.stores.factors.addPasskey(passkey))
        self.assertIn("Key ring", self.view().page.text)

        shown = self.confirm("accounts", "passkey", passkeyId(passkey), ALICE)

        self.assertIn("There is no authenticator and no passkey.", shown.page.text)
        self.assertHappened(Kind.PASSKEY_REMOVED, ALICE)

    def test_identities(self) -> None:
        """
        An account is linked with somebody at another issuer, and unlinked.
        """
        asked = self.visit(f"admin/accounts/identity?account={ALICE}")
        shown = self.sent(asked, subject="8e5f 1c")
        self.assertIn("The identity is linked.", shown.page.text)
        self.assertHappened(Kind.IDENTITY_LINKED, ALICE)
        [identity] = self.wait(self.world.stores.identities.list(ALICE))
        self.assertEqual("8e5f 1c", identity.subject)
        [away] = [
            named["href"]
            for _, named in shown.page.elements
            if "end=identity" in named.get("href", "")
        ]

        self.sent(self.visit(away))

        self.assertHappened(Kind.IDENTITY_UNLINKED, ALICE)
        self.assertEqual((), self.wait(self.world.stores.identities.list(ALICE)))

    def test_unknownEnd(self) -> None:
        """
        There is no page for what cannot be done, or is not there.
        """
        for query in ("end=explode", "end=alias&id=x", "end=apppassword&id=x", "end=passkey&id=x"):
            shown = self.browser.get(f"admin/accounts/end?{query}&account={ALICE}")
            self.assertEqual(404, shown.status, query)
        lately = self.visit("admin/keys/rotate").page.forms[0].fields["csrf"]
        whenever = self.view().page.forms[0].fields["csrf"]
        for path, fields in (
            ("admin/accounts/end", {"end": "explode", "account": ALICE}),
            ("admin/accounts/end", {"end": "apppassword", "account": ALICE, "id": "x"}),
            ("admin/accounts/view", {"decision": "explode", "account": ALICE}),
            ("admin/accounts/view", {"decision": "enable", "account": CAROL}),
        ):
            token = lately if path.endswith("end") else whenever
            self.assertEqual(404, self.browser.post(path, {"csrf": token, **fields}).status)


class ImportTests(AdminCase):
    """
    The list of an old server.
    """

    def kept(self, account: str) -> list[AppPassword]:
        """
        The app passwords of an account.
        """
        return [*self.wait(self.world.stores.appPasswords.list(account))]

    def test_import(self) -> None:
        """
        Lines that are good are taken; the others stay in the form, each with its reason, and can be
        mended there.
        """
        good, wrong = f"{ALICE}:{{BLF-CRYPT}}{HASH}:phone", f"carol:{{BLF-CRYPT}}{HASH}"
        lines = [good, "# of the old server", wrong, "", f"{BOB}:secret"]

        asked = self.visit("admin/accounts/import")
        shown = self.browser.submit(asked, list="\r\n".join(lines))

        self.assertEqual(403, shown.status)
        self.assertIn("1 imported, 2 not.", shown.page.text)
        self.assertIn(f"There is no account {CAROL}.", shown.page.text)
        self.assertEqual([wrong, f"{BOB}:secret"], shown.page.forms[0].fields["list"].split("\n"))
        self.assertEqual(["phone"], [each.name for each in self.kept(ALICE)])
        self.assertHappened(Kind.APP_PASSWORD_IMPORTED, ALICE)
        shown = self.sent(shown, list=f"{good}\n{BOB}:{{BLF-CRYPT}}{HASH}")
        self.assertIn("2 imported, 0 not.", shown.page.text)
        self.assertEqual("", shown.page.forms[0].fields["list"])
        self.assertEqual((1, 1), (len(self.kept(ALICE)), len(self.kept(BOB))))
