"""
Tests of the pages on which somebody sees and changes what he signs in with.
"""

from __future__ import annotations

import re
from hashlib import sha256
from html import unescape
from urllib.parse import quote_plus, urlencode

import pyotp
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher

from mailauth.coroutines import promptly
from mailauth.credentials import accountTag
from mailauth.oauth.records import Passkey
from mailauth.passwords import makeAppPassword
from mailauth.server.actions.apppasswords import AppPasswordLimits
from mailauth.server.actions.factors import passkeyId
from mailauth.server.factors import RECOVERY, STEP, TOTP, WrongCode
from mailauth.server.passkeys import MAX_PASSKEYS
from mailauth.server.sites import RECENT
from mailauth.stores.events import THE_COMMAND, EventSearch, Kind
from mailauth.stores.records import Identity

from ...validators.web import ISSUER as COMPANY
from ..authenticator import Authenticator
from .shown import Shown
from .world import ALICE, BOB, ISSUER, PASSWORDS, Browser, MovingCase, World

NEW = "three words more"
SECURITY, PASSWORD = "account/security", "account/security/password"
AUTHENTICATOR, REMOVE_TOTP = "account/security/totp", "account/security/totp/remove"
RECOVERY_CODES, NEW_PASSKEY = "account/security/recovery", "account/security/passkey"
RENAME, REMOVE = "account/security/passkey/rename", "account/security/passkey/remove"


def identifierOf(name: str) -> str:
    """
    The id that a passkey of L{SecurityCase.addPasskey} has on the pages.
    """
    return sha256(name.encode()).hexdigest()[:8]


class Remembering(Browser):
    """
    A browser that keeps the addresses where it was.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.history: list[str] = []

    def request(self, method: str, address: str, *headers: str, body: bytes = b"") -> Shown:
        """
        Go there.
        """
        shown = super().request(method, address, *headers, body=body)
        self.history.append(shown.address)
        return shown


class SecurityCase(MovingCase):
    """
    Alice on the account site.
    """

    def setUp(self) -> None:
        """
        Have the browser remember.
        """
        super().setUp()
        self.browser = self.remembering = Remembering(self.world)

    def open(self, path: str = SECURITY, account: str = ALICE) -> Shown:
        """
        Go to a page, and sign in if that is asked.
        """
        shown = self.browser.get(path)
        return self.enter(shown, account) if shown.heading == "Sign in" else shown

    def addPasskey(self, name: str = "phone", account: str = ALICE) -> str:
        """
        Have an account have one.

        @return: its id on the pages.
        """
        added = self.clock.seconds() - 86400
        passkey = Passkey(name.encode(), account, name, b"key", created=added)
        self.wait(self.world.stores.factors.addPasskey(passkey))
        return identifierOf(name)

    def names(self, account: str = ALICE) -> list[str]:
        """
        What the passkeys of an account are called.
        """
        passkeys = self.wait(self.world.stores.factors.listPasskeys(account))
        return [passkey.name for passkey in passkeys]

    def kinds(self) -> tuple[str, ...]:
        """
        What alice needs besides her password.
        """
        kinds: tuple[str, ...] = self.wait(self.world.factors.kinds(ALICE))
        return kinds

    def notices(self) -> list[str]:
        """
        The subjects of the messages that alice got.
        """
        found = [
            re.search(rb"Subject: (.*)\r\n", message)
            for account, message in self.world.delivered
            if account == ALICE
        ]
        return [match[1].decode() for match in found if match is not None]

    def lastEvent(self) -> tuple[Kind, str, str | None]:
        """
        What happened last to alice's account, who did it and by what way.
        """
        [event] = self.wait(self.world.stores.events.find(EventSearch(account=ALICE), 1))
        return event.kind, event.actor.who, event.actor.via

    def canSignIn(self, password: str) -> bool:
        """
        Whether it is alice's password, in another browser.
        """
        other = Browser(self.world)
        shown = other.submit(other.get("signin"), "signin", username=ALICE, password=password)
        return shown.status == 200


class SecurityPageTests(SecurityCase):
    """
    The page that shows all of it.
    """

    def test_signIn(self) -> None:
        """
        Whoever is not signed in is asked, and comes back to it.
        """
        shown = self.open()

        self.assertEqual(
            (shown.address, shown.heading), (f"{ISSUER}/{SECURITY}", "How you sign in")
        )

    def test_nothing(self) -> None:
        """
        What there is not can be added.
        """
        shown = self.open()

        self.assertIn("Your account has a password.", shown.page.text)
        self.assertIn("You have none yet.", shown.page.text)
        self.assertIn("Off. With it,", shown.page.text)
        self.assertNotIn("Recovery codes", shown.page.text)
        self.assertNotIn("Other places where you sign in", shown.page.text)

    def test_factors(self) -> None:
        """
        What there is is told with its dates, and how many recovery codes are left.
        """
        authenticator, codes = self.addTOTP()
        self.addPasskey("<b>phone")
        self.wait(self.world.factors.verify(ALICE, RECOVERY, codes[0]))
        shown = self.browser.get(SECURITY)
        shown = self.enter(shown)
        shown = self.browser.submit(shown, code=authenticator.at(int(self.clock.seconds())))

        self.assertIn("On since 15 Jan 2027.", shown.page.text)
        self.assertIn("You have 9 left.", shown.page.text)
        self.assertIn("<b>phone", shown.page.text)
        self.assertIn("14 Jan 2027", shown.page.text)
        self.assertIn("never", shown.page.text)
        self.assertNotIn(authenticator.secret.encode(), shown.body)

    def test_othersFactors(self) -> None:
        """
        Nobody sees what another signs in with (WB12).
        """
        self.addPasskey("of bob", BOB)

        self.assertNotIn("of bob", self.open().page.text)

    def test_done(self) -> None:
        """
        An address says nothing that is not one of our sentences.
        """
        self.open()

        shown = self.browser.get(f"{SECURITY}?done=Call+this+number")
        self.assertEqual(200, shown.status)
        self.assertNotIn("number", shown.page.text)


class IssuersTests(SecurityCase):
    """
    The external issuers on that page.
    """

    federated = True

    def test_linked(self) -> None:
        """
        They are told by what people call them, and who somebody is to them stays untold.
        """
        for issuer, subject in ((COMPANY, "8e5f1c"), ("https://gone.example", "91ab3d")):
            identity = Identity(issuer, subject, ALICE, self.clock.seconds())
            self.wait(self.world.stores.identities.link(identity))

        shown = self.open()

        self.assertIn("Example Company", shown.page.text)
        self.assertIn("signing in here, and mail programs", shown.page.text)
        self.assertIn("gone.example", shown.page.text)
        self.assertNotIn("8e5f1c", shown.page.text)
        self.assertNotIn("91ab3d", shown.page.text)

    def test_wayIn(self) -> None:
        """
        One through which somebody signs in is left when he removes what else there is; one that the
        configuration has no more is not.
        """
        identifier = self.addPasskey()
        self.open()
        for issuer, left in ((COMPANY, True), ("https://gone.example", False)):
            self.wait(self.world.stores.identities.link(Identity(issuer, "1", ALICE, 1.0)))
            shown = self.browser.get(f"{REMOVE}?id={identifier}")
            self.assertIn("your password", shown.page.text)
            self.assertEqual(
                left, "gone.example" not in shown.page.text and "Example Company" in shown.page.text
            )
            self.wait(self.world.stores.identities.unlink(issuer, "1"))


class PasswordPageTests(SecurityCase):
    """
    Changing the password.
    """

    def change(
        self,
        current: str = PASSWORDS[ALICE],
        password: str = NEW,
        repeated: str | None = None,
    ) -> Shown:
        """
        Fill in the form and send it.
        """
        return self.browser.submit(
            self.open(PASSWORD),
            current=current,
            password=password,
            repeated=password if repeated is None else repeated,
        )

    def test_changed(self) -> None:
        """
        The new one is good, the old one is not, and its owner is told, also by mail.
        """
        shown = self.change()

        self.assertEqual((200, "How you sign in"), (shown.status, shown.heading))
        self.assertIn("Your password is changed", shown.page.text)
        self.assertIn("Changed on 15 Jan 2027.", shown.page.text)
        self.assertTrue(self.canSignIn(NEW))
        self.assertFalse(self.canSignIn(PASSWORDS[ALICE]))
        self.assertEqual(["Your password was changed"], self.notices())
        self.assertEqual((Kind.PASSWORD_SET, ALICE, "account"), self.lastEvent())

    def test_stays(self) -> None:
        """
        Whoever changes it stays signed in, under a new cookie, in a browser session of the same id;
        he proved who he is when he did, and not anew.
        """
        self.open(PASSWORD)
        secret = self.browser.cookies["__Host-mailauth"]
        before = self.wait(self.world.sessions.find(secret))
        self.clock.advance(RECENT - 60)

        self.change()

        self.assertNotEqual(secret, self.browser.cookies["__Host-mailauth"])
        self.assertIsNone(self.wait(self.world.sessions.find(secret)))
        after = self.wait(self.world.sessions.find(self.browser.cookies["__Host-mailauth"]))
        self.assertEqual(before.identifier, after.identifier)
        self.assertEqual(before.authentication.authTime, after.authentication.authTime)
        self.assertEqual(before.authentication.methods, after.authentication.methods)
        self.assertEqual("Add a passkey", self.browser.get(NEW_PASSKEY).heading)
        self.clock.advance(61)
        self.assertEqual("Sign in", self.browser.get(NEW_PASSKEY).heading)

    def test_ends(self) -> None:
        """
        Other browsers end, and whatever came of the old one; app passwords stay. The page says so
        before (WB11).
        """
        limits = AppPasswordLimits("printer")
        made = promptly(self.world.administration.appPasswords.make(THE_COMMAND, ALICE, limits))
        kept = self.wait(made).record
        heard: list[frozenset[str]] = []
        self.world.stores.revocations.subscribe(lambda tags, reason: heard.append(tags))
        other = Browser(self.world)
        other.submit(other.get(SECURITY), "signin", username=ALICE, password=PASSWORDS[ALICE])
        self.assertEqual("How you sign in", other.get(SECURITY).heading)
        shown = self.open(PASSWORD)
        self.assertIn("open connections end", shown.page.text)
        self.assertIn("App passwords stay good.", shown.page.text)

        self.change()

        self.assertEqual("Sign in", other.get(SECURITY).heading)
        self.assertEqual([frozenset({accountTag(ALICE)})], heard)
        self.assertEqual((kept,), self.wait(self.world.stores.appPasswords.list(ALICE)))

    def test_wrong(self) -> None:
        """
        Without the current one nothing changes.
        """
        for current, problem in (
            ("a wrong one", "The current password is wrong."),
            ("", "The current password is wrong."),
            (PASSWORDS[BOB], "The current password is wrong."),
            (makeAppPassword(), "This looks like an app password"),
        ):
            shown = self.change(current)
            self.assertEqual((403, "Change password"), (shown.status, shown.heading))
            self.assertIn(problem, shown.page.text)
            self.assertNotIn(NEW, shown.body.decode())

        self.assertTrue(self.canSignIn(PASSWORDS[ALICE]))
        self.assertEqual([], self.notices())

    def test_throttled(self) -> None:
        """
        Whoever finds a browser open guesses here no more often than at the sign-in page, and not
        once more there (PW7).
        """
        guesses = [self.change(f"guess {number}").status for number in range(12)]

        self.assertEqual([403] * 10 + [429] * 2, guesses)
        self.assertEqual(429, self.change().status)
        self.assertFalse(self.canSignIn(PASSWORDS[ALICE]))
        self.clock.advance(60)
        self.assertTrue(self.canSignIn(PASSWORDS[ALICE]))

    def test_rules(self) -> None:
        """
        A password that cannot be set, that anybody would try, or that was mistyped is refused, with
        the reason; the current one is not even looked at.
        """
        for password, repeated, problem in (
            ("short", None, "too short"),
            ("", None, "empty or too long"),
            ("x" * 71 + "é", None, "at most 72 letters"),
            ("Password2027!", None, "one of the first"),
            (ALICE, None, "one of the first"),
            ("Mail.Example.Test", None, "one of the first"),
            (NEW, "three words mor", "not the same"),
        ):
            shown = self.change("guess", password, repeated)
            self.assertEqual((400, "Change password"), (shown.status, shown.heading))
            self.assertIn(problem, shown.page.text)

        self.assertEqual(200, self.change().status)

    def test_first(self) -> None:
        """
        Whoever has none, and signed in with something else, sets one and types no other.
        """
        authenticator = Authenticator(self.issuer)
        shown = self.open(NEW_PASSKEY)
        self.browser.submit(shown, name="phone", response=authenticator.create(optionsOf(shown)))
        self.wait(self.world.stores.accounts.setPassword(ALICE, None))
        shown = self.browser.get(SECURITY)
        fields = {**shown.page.forms[0].fields, "response": authenticator.get(optionsOf(shown))}
        shown = self.browser.post("signin/passkey", fields)
        self.assertIn("You sign in with one passkey and nothing else.", shown.page.text)
        self.assertIn("Your account has no password.", shown.page.text)

        shown = self.browser.get(PASSWORD)
        self.assertEqual("Set a password", shown.heading)
        self.assertNotIn("Current password", shown.page.text)
        shown = self.browser.submit(shown, password=NEW, repeated=NEW)

        self.assertIn("Your password is changed", shown.page.text)
        self.assertTrue(self.canSignIn(NEW))

    def test_outage(self) -> None:
        """
        While nothing can be written, nothing changes and nobody is signed out.
        """
        shown = self.open(PASSWORD)
        self.world.administered.accounts.down = True
        fields = {"current": PASSWORDS[ALICE], "password": NEW, "repeated": NEW}

        self.assertEqual(503, self.browser.submit(shown, **fields).status)

        self.world.administered.accounts.down = False
        self.assertTrue(self.canSignIn(PASSWORDS[ALICE]))
        self.assertEqual("Change password", self.browser.get(PASSWORD).heading)

    def test_outageAfter(self) -> None:
        """
        If the browser cannot be kept signed in, the password is changed all the same, and its owner
        signs in with it.
        """
        shown = self.open(PASSWORD)
        kept = self.world.kept
        self.world.stores.revocations.subscribe(lambda tags, reason: setattr(kept, "down", True))
        form = shown.page.forms[0]
        sent = {**form.fields, "current": PASSWORDS[ALICE], "password": NEW, "repeated": NEW}
        body = urlencode(sent).encode("ascii")
        changed = self.browser.request(
            "POST", form.action, "Content-Type: application/x-www-form-urlencoded", body=body
        )

        self.assertEqual(303, changed.status)
        kept.down = False
        shown = self.browser.get(changed.location)
        self.assertEqual("Sign in", shown.heading)
        shown = self.browser.submit(shown, "signin", username=ALICE, password=NEW)
        self.assertIn("Your password is changed", shown.page.text)


class AuthenticatorPageTests(SecurityCase):
    """
    Setting up an authenticator app, and giving it up.
    """

    def proposed(self, shown: Shown) -> pyotp.TOTP:
        """
        What the page offers.
        """
        match = re.search(rb'<p id="key"[^>]*>([A-Z2-7 ]+)</p>', shown.body)
        assert match is not None
        return pyotp.TOTP(match[1].decode().replace(" ", ""), interval=STEP)

    def code(self, authenticator: pyotp.TOTP) -> str:
        """
        What it shows.
        """
        return authenticator.at(int(self.clock.seconds()))

    def codes(self, shown: Shown) -> list[str]:
        """
        The recovery codes on a page.
        """
        return re.findall(r"^<li>([0-9a-z-]{29})</li>$", shown.body.decode(), re.MULTILINE)

    def setUpApp(self) -> tuple[pyotp.TOTP, list[str]]:
        """
        Have one.

        @return: it, and the recovery codes.
        """
        shown = self.open(AUTHENTICATOR)
        authenticator = self.proposed(shown)
        return authenticator, self.codes(self.browser.submit(shown, code=self.code(authenticator)))

    def test_confirmed(self) -> None:
        """
        With a right code it counts, and the recovery codes are shown that are good.
        """
        shown = self.open(AUTHENTICATOR)
        self.assertIn(b"<svg", shown.body)
        self.assertEqual((), self.kinds())
        shown = self.browser.submit(shown, code=self.code(self.proposed(shown)))

        self.assertEqual((200, "Your recovery codes"), (shown.status, shown.heading))
        self.assertEqual("no-store", shown.headers["cache-control"])
        codes = self.codes(shown)
        self.assertEqual(10, len(codes))
        self.assertEqual((TOTP, RECOVERY), self.kinds())
        self.wait(self.world.factors.verify(ALICE, RECOVERY, codes[3]))
        self.assertEqual(["A new way to sign in to your account"], self.notices())
        self.assertEqual((Kind.TOTP_SET, ALICE, "account"), self.lastEvent())

    def test_wrong(self) -> None:
        """
        With a wrong code nothing is kept, and what was scanned may be confirmed still.
        """
        shown = self.open(AUTHENTICATOR)
        authenticator = self.proposed(shown)
        late = authenticator.at(int(self.clock.seconds()) - 5 * STEP)
        for code in ("", "x", late):
            again = self.browser.submit(shown, code=code)
            self.assertEqual((403, "Set up an authenticator app"), (again.status, again.heading))
            self.assertIn("This code is wrong.", again.page.text)
            self.assertEqual(authenticator.secret, self.proposed(again).secret)
        self.assertEqual(((), []), (self.kinds(), self.notices()))

        self.browser.submit(again, code=self.code(authenticator))
        self.assertEqual((TOTP, RECOVERY), self.kinds())

    def test_twice(self) -> None:
        """
        A form that is sent again changes nothing: the codes that were shown stay good, and the code
        that confirmed signs nobody in (WB11; PW10).
        """
        shown = self.open(AUTHENTICATOR)
        code = self.code(self.proposed(shown))
        codes = self.codes(self.browser.submit(shown, code=code))

        again = self.browser.submit(shown, code=code)

        self.assertEqual("How you sign in", again.heading)
        self.assertIn("Nothing was changed.", again.page.text)
        self.wait(self.world.factors.verify(ALICE, RECOVERY, codes[0]))
        signingIn = Browser(self.world)
        second = signingIn.submit(
            signingIn.get("signin"), "signin", username=ALICE, password=PASSWORDS[ALICE]
        )
        self.assertEqual("One more step", second.heading)
        self.assertEqual(403, signingIn.submit(second, code=code).status)

    def test_otherBrowser(self) -> None:
        """
        What was proposed to one is worth nothing to another.
        """
        bobs = Browser(self.world)
        shown = bobs.get(AUTHENTICATOR)
        shown = bobs.submit(shown, "signin", username=BOB, password=PASSWORDS[BOB])
        fields = shown.page.forms[0].fields
        mine = self.open(AUTHENTICATOR)

        answered = self.browser.submit(
            mine, proposal=fields["proposal"], code=self.code(self.proposed(shown))
        )

        self.assertEqual(400, answered.status)
        self.assertEqual((), self.kinds())

    def test_replaced(self) -> None:
        """
        Whoever has one is told that another takes its place.
        """
        before, _ = self.setUpApp()
        shown = self.open(AUTHENTICATOR)
        self.assertIn("will make no good codes any more", shown.page.text)
        self.clock.advance(2 * STEP)

        self.browser.submit(shown, code=self.code(self.proposed(shown)))

        self.failureResultOf(
            promptly(self.world.factors.verify(ALICE, TOTP, self.code(before))), WrongCode
        )

    def test_renewed(self) -> None:
        """
        New recovery codes take the place of the old ones, once for each form.
        """
        _, before = self.setUpApp()
        shown = self.browser.get(RECOVERY_CODES)
        self.assertIn("You have 10 left.", shown.page.text)

        codes = self.codes(self.browser.submit(shown))

        self.assertEqual(10, len(set(codes) - set(before)))
        again = self.browser.submit(shown)
        self.assertIn("Nothing was changed.", again.page.text)
        self.wait(self.world.factors.verify(ALICE, RECOVERY, codes[0]))
        self.assertEqual(Kind.RECOVERY_CODES_MADE, self.lastEvent()[0])
        self.assertEqual(2, len(self.notices()))

    def test_removed(self) -> None:
        """
        Whoever gives it up is told what is left before.
        """
        self.setUpApp()
        shown = self.browser.get(REMOVE_TOTP)
        self.assertIn("After that, you sign in with:", shown.page.text)
        self.assertIn("your password", shown.page.text)
        self.assertNotIn("with a code", shown.page.text)

        shown = self.browser.submit(shown)

        self.assertIn("The authenticator app is turned off", shown.page.text)
        self.assertEqual((), self.kinds())
        self.assertEqual("A way to sign in to your account was removed", self.notices()[-1])
        self.assertEqual((Kind.TOTP_REMOVED, ALICE, "account"), self.lastEvent())

    def test_gone(self) -> None:
        """
        What is not there is neither removed nor renewed.
        """
        self.setUpApp()
        pages = [self.browser.get(path) for path in (RECOVERY_CODES, REMOVE_TOTP)]
        self.wait(self.world.factors.remove(ALICE))

        for shown in pages:
            self.assertIn("Nothing was changed.", self.browser.submit(shown).page.text)
        for path in (RECOVERY_CODES, REMOVE_TOTP):
            self.assertIn("Nothing was changed.", self.browser.get(path).page.text)

    def test_outage(self) -> None:
        """
        While nothing can be written nothing changes, and no codes are shown.
        """
        shown = self.open(AUTHENTICATOR)
        code = self.code(self.proposed(shown))
        self.world.administered.factors.down = True

        self.assertEqual(503, self.browser.submit(shown, code=code).status)

        self.world.administered.factors.down = False
        self.assertEqual((), self.kinds())
        self.assertEqual(10, len(self.codes(self.browser.submit(shown, code=code))))

    def test_secrets(self) -> None:
        """
        No secret is in an address, nor in what is logged (LG1, WB10, PW13).
        """
        log = EventLoggingObserver()
        globalLogPublisher.addObserver(log)
        self.addCleanup(globalLogPublisher.removeObserver, log)

        authenticator, codes = self.setUpApp()
        shown = self.browser.get(PASSWORD)
        self.browser.submit(shown, current="guess at it", password=NEW, repeated=NEW)
        self.browser.submit(shown, current=PASSWORDS[ALICE], password=NEW, repeated=NEW)

        everywhere = "\n".join(
            [
                *map(str, log),
                *map(formatEvent, log),
                *self.remembering.history,
                *map(str, self.messages()),
            ]
        )
        self.assertGreater(len(self.remembering.history), 5)
        for secret in (authenticator.secret, *codes, NEW, PASSWORDS[ALICE], "guess at it"):
            for written in {secret, quote_plus(secret), secret.replace("-", "")}:
                self.assertNotIn(written, everywhere)

    def messages(self) -> list[bytes]:
        """
        What was sent to anybody, and what was kept about it.
        """
        events = self.wait(self.world.stores.events.find(EventSearch(), 50))
        return [*(message for _, message in self.world.delivered), repr(events).encode()]


class PasskeyPagesTests(SecurityCase):
    """
    Adding, renaming and removing passkeys.
    """

    def test_added(self) -> None:
        """
        What the browser makes is on the list, under the name that was typed, and its owner hears of
        it.
        """
        shown = self.open(NEW_PASSKEY)
        response = Authenticator(self.issuer).create(optionsOf(shown))

        shown = self.browser.submit(shown, name=" My laptop ", response=response)

        self.assertEqual("How you sign in", shown.heading)
        self.assertIn("Your passkey is added.", shown.page.text)
        self.assertIn("My laptop", shown.page.text)
        self.assertEqual(["My laptop"], self.names())
        self.assertEqual(["A new way to sign in to your account"], self.notices())

    def test_nameless(self) -> None:
        """
        One without a name gets one.
        """
        shown = self.open(NEW_PASSKEY)
        response = Authenticator(self.issuer).create(optionsOf(shown))

        self.browser.submit(shown, name="  ", response=response)

        self.assertEqual(["My device"], self.names())

    def test_oldAddress(self) -> None:
        """
        Where it was before one is led to where it is.
        """
        self.open()

        self.assertEqual(f"{ISSUER}/{NEW_PASSKEY}", self.browser.get("signin/passkey/new").address)

    def test_full(self) -> None:
        """
        Who has as many as there may be is told so.
        """
        for number in range(MAX_PASSKEYS):
            self.addPasskey(f"number {number}")

        shown = self.open(NEW_PASSKEY)

        self.assertEqual((403, "You have enough passkeys"), (shown.status, shown.heading))

    def test_renamed(self) -> None:
        """
        Another name takes the place of the one it has.
        """
        identifier = self.addPasskey()
        shown = self.open(f"{RENAME}?id={identifier}")
        self.assertEqual("phone", shown.page.forms[0].fields["name"])

        shown = self.browser.submit(shown, name="<i>old phone")

        self.assertIn("The passkey is renamed.", shown.page.text)
        self.assertIn("<i>old phone", shown.page.text)
        self.assertEqual(["<i>old phone"], self.names())
        self.assertEqual((Kind.PASSKEY_RENAMED, ALICE, "account"), self.lastEvent())

    def test_removed(self) -> None:
        """
        Whoever removes one is told what is left before.
        """
        self.addPasskey("tablet")
        shown = self.open(f"{REMOVE}?id={self.addPasskey()}")
        for left in ("the passkey tablet", "your password"):
            self.assertIn(left, shown.page.text)

        shown = self.browser.submit(shown)

        self.assertIn("The passkey is removed.", shown.page.text)
        self.assertEqual(["tablet"], self.names())
        self.assertEqual(["A way to sign in to your account was removed"], self.notices())
        self.assertEqual((Kind.PASSKEY_REMOVED, ALICE, "account"), self.lastEvent())

    def test_lastWayIn(self) -> None:
        """
        Nobody locks himself out without being told that he does.
        """
        authenticator = Authenticator(self.issuer)
        shown = self.open(NEW_PASSKEY)
        self.browser.submit(shown, name="phone", response=authenticator.create(optionsOf(shown)))
        self.wait(self.world.stores.accounts.setPassword(ALICE, None))
        shown = self.browser.get(SECURITY)
        fields = {**shown.page.forms[0].fields, "response": authenticator.get(optionsOf(shown))}
        self.browser.post("signin/passkey", fields)
        [passkey] = self.wait(self.world.stores.factors.listPasskeys(ALICE))

        shown = self.browser.get(f"{REMOVE}?id={passkeyId(passkey)}")

        self.assertIn("nobody can sign in to your account, not even you", shown.page.text)
        self.assertNotIn("you sign in with:", shown.page.text)
        self.assertEqual([], self.browser.submit(shown).page.forms)
        self.assertEqual([], self.names())

    def test_others(self) -> None:
        """
        Another account's passkey is neither shown, renamed nor removed, whoever knows its id; and
        what is no id is none (WB12).
        """
        mine, bobs = self.addPasskey("mine"), self.addPasskey("of bob", BOB)
        for path in (RENAME, REMOVE):
            form = self.open(f"{path}?id={mine}")
            for identifier in (bobs, "", "0" * 8, "\u0661", "x" * 1000):
                shown = self.browser.submit(form, id=identifier, name="stolen")
                self.assertIn("Nothing was changed.", shown.page.text)
                shown = self.browser.get(f"{path}?{urlencode({'id': identifier})}")
                self.assertIn("Nothing was changed.", shown.page.text)
                self.assertNotIn("of bob", shown.page.text)

        self.assertEqual((["mine"], ["of bob"]), (self.names(), self.names(BOB)))

    def test_outage(self) -> None:
        """
        While nothing can be written nothing changes.
        """
        identifier = self.addPasskey()
        pages = [self.open(f"{path}?id={identifier}") for path in (RENAME, REMOVE)]
        self.world.administered.factors.down = True

        for shown in pages:
            self.assertEqual(503, self.browser.submit(shown, name="another").status)

        self.assertEqual(["phone"], self.names())


class ProtectionTests(SecurityCase):
    """
    What holds for every page that changes something.
    """

    def pages(self) -> tuple[str, ...]:
        """
        Their addresses, for somebody who has everything.
        """
        identifier = identifierOf("phone")
        return (
            PASSWORD,
            AUTHENTICATOR,
            REMOVE_TOTP,
            RECOVERY_CODES,
            NEW_PASSKEY,
            f"{RENAME}?id={identifier}",
            f"{REMOVE}?id={identifier}",
        )

    def setUp(self) -> None:
        """
        Alice has everything, and is signed in.
        """
        super().setUp()
        self.addPasskey()
        self.open()
        self.addTOTP()

    def unchanged(self) -> bool:
        """
        Whether she has it still.
        """
        return (self.names(), self.kinds(), self.notices()) == (["phone"], (TOTP, RECOVERY), [])

    def test_stepUp(self) -> None:
        """
        Whoever signed in more than ten minutes ago signs in again before he sees one, and comes
        back to it (WB11).
        """
        headings = {path: self.browser.get(path).heading for path in self.pages()}
        self.assertEqual(len(headings), len({*headings.values()}))
        self.clock.advance(RECENT + 1)

        for path in headings:
            shown = self.browser.get(path)
            self.assertEqual("Sign in", shown.heading, path)
            self.assertIn("max_age=600", "".join(self.remembering.history[-3:]))

        self.wait(self.world.factors.remove(ALICE))
        self.addTOTP(BOB)
        shown = self.enter(self.browser.get(f"{RENAME}?id={identifierOf('phone')}"))
        self.assertEqual("Rename a passkey", shown.heading)
        self.assertEqual("phone", shown.page.forms[0].fields["name"])

    def test_lateForm(self) -> None:
        """
        A form that lay about for longer than that changes nothing, and is asked for again.
        """
        forms = [self.browser.get(path) for path in self.pages()]
        self.clock.advance(2 * RECENT + 1)

        for shown in forms:
            self.assertEqual("Sign in", self.browser.submit(shown, name="another").heading)
        self.assertTrue(self.unchanged())

    def test_forged(self) -> None:
        """
        A form that was not made here, for her, in this browser, changes nothing (WB1).
        """
        others = Browser(self.world)
        shown = others.get(SECURITY)
        others.submit(shown, "signin", username=BOB, password=PASSWORDS[BOB])
        bobs = others.get(PASSWORD).page.forms[0].fields["csrf"]
        for path in self.pages():
            form = self.browser.get(path).page.forms[0]
            fields = {**form.fields, "name": "another", "current": PASSWORDS[ALICE]}
            for forged in ("", "made up", bobs):
                answered = self.browser.post(form.action, {**fields, "csrf": forged})
                self.assertEqual(
                    (403, "This form was not sent from here"),
                    (answered.status, answered.heading),
                    path,
                )
            answered = self.browser.post(form.action, fields, "Origin: https://evil.example")
            self.assertEqual(403, answered.status, path)
        self.assertTrue(self.unchanged())

    def test_signedOut(self) -> None:
        """
        Nor does one that is sent after she has signed out.
        """
        forms = [self.browser.get(path) for path in self.pages()]
        self.browser.submit(self.browser.get("signout"), "out")

        for shown in forms:
            self.assertEqual(400, self.browser.submit(shown, name="another").status)
        self.assertTrue(self.unchanged())


def optionsOf(shown: Shown) -> str:
    """
    What a page tells the script for passkeys.
    """
    [options] = [each["data-options"] for _, each in shown.page.elements if "data-options" in each]
    return unescape(options)
