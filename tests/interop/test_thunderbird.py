"""
Thunderbird, without a window, doing what somebody who sits before it would have it do.
"""

from __future__ import annotations

import json
from base64 import b64decode
from email.message import EmailMessage
from email.policy import SMTP
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from unittest import SkipTest
from zipfile import ZipFile

from . import ALICE, BOB
from .attempts import Outcome, openIMAP, python
from .demo import DemoTestCase, serve
from .person import Person
from .programs import eventually, need
from .thunderbird import INSTALLED, Thunderbird, rollOut

_ATTACHMENT = Random(7628).randbytes(2_300_000)
"""
Large enough to be fetched in pieces.
"""


class ThunderbirdTests(DemoTestCase):
    """
    Thunderbird has alice's mail, by her app password.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("thunderbird", "certutil")
        super().setUp()
        home = self.directory / "home"
        home.mkdir()
        self.thunderbird = Thunderbird(home, self.demo.authority)
        self.addCleanup(self.thunderbird.quit)

    def addIMAP(self) -> None:
        """
        Set up the account, and look into the inbox.
        """
        ports = self.demo.ports
        secret = self.demo.appPassword
        self.thunderbird.call("addIMAP", ALICE, secret, ports["imaps"], ports["submissions"])

    def deliver(self, identifier: str, subject: str, attachment: bytes = b"") -> None:
        """
        Let alice send a message to herself, by another mail client.
        """
        message = EmailMessage(SMTP)
        message["From"] = message["To"] = ALICE
        message["Subject"], message["Message-ID"] = subject, f"<{identifier}>"
        message.set_content(f"This is {identifier}. Ä.\n", cte="8bit")
        if attachment:
            message.add_attachment(attachment, "application", "octet-stream", filename="a.bin")
        path = self.directory / "message.eml"
        path.write_bytes(message.as_bytes())
        attempt = self.attempt(
            "submissions", "PLAIN", self.demo.appPassword, message=path, recipient=ALICE
        )
        self.assertEqual(Outcome(), python(attempt))

    def onServer(self, mailbox: str, number: str, attribute: str) -> bytes:
        """
        What the server says about a message, or nothing if there is no such mailbox.
        """
        with openIMAP(self.attempt("imaps", "PLAIN", self.demo.appPassword)) as client:
            client.login(ALICE, self.demo.appPassword)
            if client.select(mailbox, readonly=True)[0] != "OK":
                return b""
            answers: list[Any] = client.fetch(number, attribute)[1]
            return b"".join(answers[0]) if isinstance(answers[0], tuple) else answers[0] or b""

    def test_read(self) -> None:
        """
        It lists, finds and shows what is in the inbox, fetches a large message whole, and marks as
        read what it showed.
        """
        self.deliver("text@example.test", "Grüße 😀")
        self.deliver("large@example.test", "Large", _ATTACHMENT)
        large = max(self.inbox(ALICE), key=len)
        self.addIMAP()

        subjects = self.thunderbird.call("subjects")
        found = self.thunderbird.call("search", "is text@")
        fetched = b64decode(self.thunderbird.call("octets", "large@example.test"))
        shown = self.thunderbird.call("show", "text@example.test")

        self.assertEqual(["Welcome to mailauth", "Grüße 😀", "Large"], subjects)
        self.assertEqual(["Grüße 😀"], found)
        self.assertTrue(large == fetched, f"{len(large)} octets became {len(fetched)}")
        self.assertIn("This is text@example.test. Ä.", shown)
        eventually(lambda: b"\\Seen" in self.onServer("INBOX", "2", "FLAGS"))
        self.assertNotIn(b"\\Seen", self.onServer("INBOX", "3", "FLAGS"))

    def test_change(self) -> None:
        """
        It shows unasked what arrives, and moves it into a folder that it makes.
        """
        self.addIMAP()

        self.deliver("new@example.test", "New")
        self.thunderbird.call("arrival", "new@example.test")
        self.thunderbird.call("move", "new@example.test", "Ablage Ü")

        moved = self.onServer('"Ablage &ANw-"', "1", "BODY.PEEK[]")
        self.assertIn("This is new@example.test. Ä.".encode(), moved)
        eventually(lambda: len(self.inbox(ALICE)) == 1)

    def test_send(self) -> None:
        """
        It sends, and keeps a copy in a folder that it makes.
        """
        self.addIMAP()

        self.thunderbird.call("send", BOB, "Grüße", "Hallo Bob\n.Ä.\n")

        text = "\r\n\r\nHallo Bob\r\n.Ä.\r\n".encode()
        [received] = self.inbox(BOB)
        self.assertTrue(received.endswith(text), received)
        eventually(lambda: text in self.onServer("Sent", "1", "BODY.PEEK[]"))

    def test_pop3(self) -> None:
        """
        By POP3 it fetches everything, and the second time only what is new.
        """
        self.deliver("large@example.test", "Large", _ATTACHMENT)
        large = max(self.inbox(ALICE), key=len)
        self.thunderbird.call("addPOP3", ALICE, self.demo.appPassword, self.demo.ports["pop3s"])
        before = self.thunderbird.call("subjects")
        fetched = b64decode(self.thunderbird.call("octets", "large@example.test"))

        self.deliver("new@example.test", "New")
        self.thunderbird.call("getPOP3")

        self.assertEqual(["Welcome to mailauth", "Large"], before)
        self.assertEqual([*before, "New"], self.thunderbird.call("subjects"))
        # It keeps them with the line ends of the system, and with header fields of its own.
        kept = fetched.replace(b"\r\n", b"\n")
        self.assertTrue(kept.endswith(large.replace(b"\r\n", b"\n")), kept[:1000])


class SetupTestCase(DemoTestCase):
    """
    Thunderbird is set up by what the set-up page gives, and knows no password.
    """

    addOn = "oauth@mail.localhost"

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("thunderbird", "certutil", "update-desktop-database")
        super().setUp()
        self.person = Person(self.demo)

    def start(self, program: str | Path = "thunderbird") -> None:
        """
        Start it for the first time.
        """
        home = self.directory / "home"
        home.mkdir()
        document = f"{self.demo.issuer}/mail/config-v1.1.xml?emailaddress=somebody@{{{{domain}}}}"
        preferences = {
            # In place of the hosts that it asks at their port 443, the only one that is here.
            "mailnews.auto_config_url": document,
            "mailnews.auto_config.fetchFromISP.enabled": False,
            "mailnews.auto_config.fetchFromExchange.enabled": False,
            "extensions.update.requireBuiltInCerts": False,
        }
        self.thunderbird = Thunderbird(home, self.demo.authority, preferences, program)
        self.addCleanup(self.thunderbird.quit)

    def download(self) -> bytes:
        """
        The add-on, from where the page leads.
        """
        page = self.person.visit(f"{self.demo.issuer}/setup/?emailaddress={ALICE}").page
        [path] = [named["href"] for _, named in page.elements if ".xpi" in named.get("href", "")]
        return self.person.visit(f"{self.demo.issuer}{path}").body

    def install(self, package: bytes) -> None:
        """
        Install an add-on.
        """
        path = self.directory / "downloaded.xpi"
        path.write_bytes(package)
        self.thunderbird.call("install", str(path))

    def begin(self, name: str = ALICE, protocol: str = "imap") -> str:
        """
        Add an account, of which nobody says more than the address.

        @return: where Thunderbird opens a browser.
        """
        self.thunderbird.call("typeAddress", name.partition("@")[0], name)
        self.thunderbird.call("findServers")
        self.thunderbird.call("connect", protocol)
        return self.thunderbird.awaitAddress()

    def signIn(self, address: str, person: Person) -> None:
        """
        Sign in there, and go back to Thunderbird.
        """
        person.visit(person.answer(address))

    def add(self, protocol: str = "imap") -> None:
        """
        Add alice's account.
        """
        self.signIn(self.begin(protocol=protocol), self.person)
        self.assertAdded(protocol)

    def assertAdded(self, protocol: str = "imap", name: str = ALICE) -> None:
        """
        Thunderbird has the account, and no password for it.
        """
        added = self.thunderbird.call("connected", name)
        self.assertEqual([[protocol, True], ["smtp", True]], added)


class SetupTests(SetupTestCase):
    """
    From nothing to an account.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        super().setUp()
        self.start()

    def test_oauth(self) -> None:
        """
        With the add-on the address alone is enough: it finds the servers, has its person sign in
        with the browser, and reads and sends.
        """
        self.install(self.download())
        self.add()

        [[origin, realm, name, _]] = self.thunderbird.call("logins")
        self.assertEqual(
            (f"oauth://{self.demo.issuer.removeprefix('https://')}", ALICE), (origin, name)
        )
        self.assertEqual({"urn:ietf:params:oauth:scope:mail", "offline_access"}, {*realm.split()})
        self.thunderbird.call("fetch")
        self.assertEqual(["Welcome to mailauth"], self.thunderbird.call("subjects"))
        self.thunderbird.call("send", BOB, "Hello", "Hello Bob\n")
        [received] = self.inbox(BOB)
        self.assertTrue(received.endswith(b"\r\n\r\nHello Bob\r\n"), received)

    def test_pop3(self) -> None:
        """
        Who would rather have POP3 gets the same.
        """
        self.install(self.download())
        self.add("pop3")

        self.thunderbird.call("getPOP3")
        self.assertEqual(["Welcome to mailauth"], self.thunderbird.call("subjects"))
        self.thunderbird.call("send", BOB, "Hello", "Hello Bob\n")
        self.assertEqual(1, len(self.inbox(BOB)))

    def test_denied(self) -> None:
        """
        Who does not allow it is told that it went wrong, and may try again.
        """
        self.install(self.download())
        self.person.visit(self.person.answer(self.begin(), "deny"))
        self.assertIn("Authentication error.", self.thunderbird.call("refused"))
        self.assertEqual([], self.thunderbird.call("logins"))

        self.thunderbird.call("connect", "imap")
        self.signIn(self.thunderbird.awaitAddress(), self.person)
        self.assertAdded()

    def test_update(self) -> None:
        """
        The add-on is up to date, and one that was made from other settings is not, whatever its
        version is.
        """
        package = self.download()
        self.install(package)
        current = self.thunderbird.call("update", self.addOn)
        with ZipFile(BytesIO(package)) as archive:
            manifest = json.loads(archive.read("manifest.json"))
        other = BytesIO()
        with ZipFile(other, "w") as archive:
            archive.writestr("manifest.json", json.dumps({**manifest, "version": "5.1"}))
        self.install(other.getvalue())

        self.assertEqual(manifest["version"], current)
        content = current.partition(".")[2]
        self.assertEqual(f"6.{content}", self.thunderbird.call("update", self.addOn))


class OrganisationTests(SetupTestCase):
    """
    Thunderbird as an organisation rolls it out.
    """

    def test_policies(self) -> None:
        """
        The policies that the server writes install the add-on for everybody, and nobody can turn
        it off; the address is enough from the start.
        """
        if not INSTALLED.is_dir():
            raise SkipTest("needs Debian's thunderbird")
        policies = self.person.visit(f"{self.demo.issuer}/setup/thunderbird/policies.json").body
        self.start(rollOut(self.directory / "thunderbird", policies))

        self.assertEqual([], self.thunderbird.call("installed", self.addOn))
        self.add()


class LifeTests(SetupTestCase):
    """
    What was allowed, as time goes by: here access tokens live for a minute, and Thunderbird asks
    for another half a minute before.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        super().setUp()
        self.demo.stop()
        self.demo = serve(self.demo, 'access_token_lifetime = "1m"')
        self.addCleanup(self.demo.stop)
        self.start()
        self.install(self.download())
        self.add()
        self.thunderbird.call("fetch")

    def refreshToken(self) -> str:
        """
        Alice's.
        """
        [token] = [each[3] for each in self.thunderbird.call("logins") if each[2] == ALICE]
        assert isinstance(token, str)
        return token

    @property
    def connections(self) -> list[dict[str, str]]:
        """
        Alice's that are open.
        """
        listed = self.demo.command("session", "list", ALICE)
        return [each for each in listed if each["kind"] == "connection"]

    def test_expiry(self) -> None:
        """
        When a token is over it gets another one, and asks nobody. Whoever takes as long as that to
        sign in finds his set-up waiting, and the server's connection, too.
        """
        first = self.refreshToken()
        address = self.begin(BOB)
        self.thunderbird.call("expiry", 0)
        self.signIn(address, Person(self.demo, BOB))
        self.assertAdded(name=BOB)

        self.thunderbird.call("choose", ALICE)
        self.thunderbird.call("reconnect")
        self.assertEqual(["Welcome to mailauth"], self.thunderbird.call("subjects"))
        self.assertNotEqual(first, self.refreshToken())
        self.assertFalse(self.thunderbird.hasAsked)

    def test_ended(self) -> None:
        """
        Who ends on the account site what she allowed it closes her mail at once; and as soon as the
        token is over it asks her to sign in again, and goes on.
        """
        first = self.refreshToken()
        self.assertNotEqual([], self.connections)
        self.person.end("application")
        eventually(lambda: not self.connections)

        self.thunderbird.call("expiry", 30)
        question = self.thunderbird.confirm("reconnect")
        self.assertIn("needs you to confirm access again", question)
        self.signIn(self.thunderbird.awaitAddress(), self.person)
        self.thunderbird.call("fetch")
        self.assertEqual(["Welcome to mailauth"], self.thunderbird.call("subjects"))
        self.assertNotEqual(first, self.refreshToken())
