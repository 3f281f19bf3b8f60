"""
Tests of where mail programs and people find how to set one up.
"""

from __future__ import annotations

import json
import plistlib
from io import BytesIO
from struct import unpack_from
from xml.etree.ElementTree import fromstring
from zipfile import ZipFile

from mailauth.server.setup.pacc import writePACC
from mailauth.server.web.channel import MAX_BODY
from mailauth.server.web.setup import AUTODISCOVER_PATHS

from ..setup.test_autodiscover import FRAME, SETTINGS, request
from .shown import Shown
from .world import ALICE, HOST, ISSUER, PagesCase

AUTOCONFIG = ("mail/config-v1.1.xml", ".well-known/autoconfig/mail/config-v1.1.xml")
XPI = f"setup/thunderbird/{HOST}.xpi"
XML = "Content-Type: text/xml"


class DiscoveryTests(PagesCase):
    """
    What mail programs look for.
    """

    def domain(self, path: str, *headers: str) -> str | None:
        """
        For which domain the autoconfig document is.
        """
        shown = self.browser.get(path, *headers)
        self.assertEqual(
            (200, "text/xml; charset=utf-8"), (shown.status, shown.headers["content-type"])
        )
        return fromstring(shown.body).findtext("emailProvider/domain")

    def test_autoconfig(self) -> None:
        """
        It is at both addresses, for whoever has an address of a domain that is known, whether there
        is such an account or not.
        """
        for path in AUTOCONFIG:
            for name in ("alice", "nobody", "Nobody.Else"):
                asked = f"{path}?emailaddress={name}%40Example.Test"
                self.assertEqual("example.test", self.domain(asked))
            self.assertEqual("example.org", self.domain(f"{path}?emailaddress=a@example.org"))

    def test_unknownDomain(self) -> None:
        """
        For another domain there is nothing, nor for what is no address, nor if it is said twice.
        """
        for address in ("a@example.net", "example.test", "@example.test", "a@", "%0a@example.test"):
            for path in (*AUTOCONFIG, "setup/fairemail.xml", "setup/apple.mobileconfig"):
                self.assertEqual(404, self.browser.get(f"{path}?emailaddress={address}").status)
        twice = "emailaddress=a@example.test&emailaddress=b@example.test"
        self.assertEqual(400, self.browser.get(f"{AUTOCONFIG[0]}?{twice}").status)

    def test_host(self) -> None:
        """
        Without an address the host says which domain it is, if that is known: nothing else of it
        gets into a document. Otherwise it is the only one there is, or that of the server itself.
        """
        for host in ("autoconfig.example.org", "example.org:443", "Autoconfig.Example.Org"):
            self.assertEqual("example.org", self.domainOf(host))
        self.assertEqual(HOST, self.domainOf("autoconfig.elsewhere.example"))
        self.world.configured = []
        self.assertEqual("example.test", self.domainOf("autoconfig.elsewhere.example"))

    def domainOf(self, host: str) -> str | None:
        """
        For which domain it is for somebody who asks this host.
        """
        shown = self.browser.request("GET", AUTOCONFIG[0], f"Host: {host}")
        return fromstring(shown.body).findtext("emailProvider/domain")

    def test_pacc(self) -> None:
        """
        The document is at both addresses, the octets that the digest is of, for scripts of any
        site.
        """
        for name in ("user-agent-configuration.json", "user-agent-configuration"):
            shown = self.browser.get(f".well-known/{name}")

            self.assertEqual(writePACC(self.world.hosts), shown.body)
            self.assertEqual("application/json", shown.headers["content-type"])
            self.assertEqual("*", shown.headers["access-control-allow-origin"])

    def test_outage(self) -> None:
        """
        While the store is out of reach, nobody hears that a domain is unknown.
        """
        self.world.listed.down = True

        for path in (AUTOCONFIG[0], "setup/fairemail.xml", "setup/?emailaddress=a@example.net"):
            self.assertEqual(503, self.browser.get(path).status)
        self.flushLoggedErrors()

    def test_methods(self) -> None:
        """
        Whoever tries something else gets no server error.
        """
        paths = (*AUTOCONFIG, XPI, "setup/", "autodiscover/autodiscover.xml")
        for path in (*paths, "autodiscover/autodiscover.json", "setup/thunderbird/updates.json"):
            for method in ("PROPFIND", "PUT", "OPTIONS", "DELETE"):
                self.assertEqual(405, self.browser.request(method, path).status, path)
            self.assertIn(self.browser.request("HEAD", path).status, (200, 400, 405))


class AutodiscoverTests(PagesCase):
    """
    Microsoft Autodiscover.
    """

    def post(self, body: bytes, path: str = AUTODISCOVER_PATHS[0], header: str = XML) -> Shown:
        """
        Ask.
        """
        return self.browser.request("POST", path, header, body=body)

    def code(self, shown: Shown) -> str | None:
        """
        The code of an error.
        """
        self.assertEqual(200, shown.status)
        [error] = fromstring(shown.body).iter(f"{{{FRAME}}}ErrorCode")
        return error.text

    def test_settings(self) -> None:
        """
        Outlook, however it writes the address, is told how to reach the mailbox.
        """
        for path in AUTODISCOVER_PATHS:
            shown = self.post(request(ALICE), path, "Content-Type: text/xml; charset=utf-8")

            self.assertEqual("text/xml; charset=utf-8", shown.headers["content-type"])
            names = [each.text for each in fromstring(shown.body).iter(f"{{{SETTINGS}}}LoginName")]
            self.assertEqual([ALICE, ALICE], names)

    def test_errors(self) -> None:
        """
        An error is an answer in XML.
        """
        self.assertEqual("500", self.code(self.post(request("a@example.net"))))
        self.assertEqual("500", self.code(self.post(request("no address"))))
        self.assertEqual("601", self.code(self.post(request(ALICE, schema="other"))))
        self.assertEqual("600", self.code(self.post(b"<a>")))
        self.assertEqual(
            "600", self.code(self.post(request(ALICE), header="Content-Type: text/html"))
        )

    def test_large(self) -> None:
        """
        A large request is not read (DS10).
        """
        self.assertEqual(413, self.post(request("a" * MAX_BODY)).status)

    def test_json(self) -> None:
        """
        Programs that ask first where it is are told.
        """
        path = "autodiscover/autodiscover.json"
        shown = self.browser.get(f"{path}?Email=a@example.test&Protocol=AutodiscoverV1")

        self.assertEqual(f"{ISSUER}/{AUTODISCOVER_PATHS[0]}", json.loads(shown.body)["Url"])
        self.assertEqual(400, self.browser.get(f"{path}?Protocol=ActiveSync").status)


class FileTests(PagesCase):
    """
    What people get.
    """

    def test_profile(self) -> None:
        """
        The profile for an iPhone is signed, and without an address it is for whoever installs it.
        """
        for query, address in ((f"?emailaddress={ALICE}", ALICE), ("", None)):
            shown = self.browser.get(f"setup/apple.mobileconfig{query}")

            self.assertEqual("application/x-apple-aspen-config", shown.headers["content-type"])
            self.assertTrue(shown.body.startswith(b"signed: "))
            [account] = plistlib.loads(shown.body.removeprefix(b"signed: "))["PayloadContent"]
            self.assertEqual(address, account.get("EmailAddress"))

    def test_others(self) -> None:
        """
        The other files are there, with an address and without.
        """
        fairEmail = self.browser.get(f"setup/fairemail.xml?emailaddress={ALICE}")
        self.assertEqual("example.test", fromstring(fairEmail.body)[0].get("name"))
        proxy = self.browser.get(f"setup/email-oauth2-proxy.ini?emailaddress={ALICE}")
        self.assertIn(f"[{ALICE}]".encode(), proxy.body)
        nobody = self.browser.get("setup/email-oauth2-proxy.ini")
        self.assertIn(f"[you@{HOST}]".encode(), nobody.body)
        roundcube = self.browser.get("setup/roundcube.inc.php")
        self.assertIn(f"'{ISSUER}/token'".encode(), roundcube.body)
        self.assertEqual("text/plain; charset=utf-8", roundcube.headers["content-type"])
        policies = self.browser.get("setup/thunderbird/policies.json")
        self.assertIn(f"oauth@{HOST}", policies.body.decode())

    def test_addOn(self) -> None:
        """
        The add-on is there in the version that is asked for, and the update that is offered leads
        to one.
        """
        usual = self.browser.get(XPI)
        updates = self.browser.get("setup/thunderbird/updates.json?version=6.1")
        [update] = json.loads(updates.body)["addons"][f"oauth@{HOST}"]["updates"]
        newer = self.browser.get(update["update_link"])

        self.assertEqual("application/x-xpinstall", usual.headers["content-type"])
        self.assertTrue(update["version"].startswith("7."))
        with ZipFile(BytesIO(newer.body)) as archive:
            manifest = json.loads(archive.read("manifest.json"))
        self.assertEqual(update["version"], manifest["version"])


class SetupPageTests(PagesCase):
    """
    The page for people.
    """

    def test_asks(self) -> None:
        """
        The front page leads to it, and it asks for the address.
        """
        front = self.browser.get("")
        self.assertIn(("a", {"href": "/setup/"}), front.page.elements)
        shown = self.browser.get("setup/")

        self.assertEqual("Set up your mail program", shown.heading)
        [form] = shown.page.forms
        self.assertEqual(("/setup/", {"emailaddress": ""}), (form.action, form.fields))

    def test_signedIn(self) -> None:
        """
        Who is signed in need not type it.
        """
        self.enter(self.browser.get("signin"))

        [form] = self.browser.get("setup/").page.forms
        self.assertEqual({"emailaddress": ALICE}, form.fields)

    def test_ways(self) -> None:
        """
        It says what to do, with the servers as they are; each file that it leads to is there.
        """
        shown = self.browser.get("setup/?emailaddress=Alice@Example.Test")

        for text in (
            f"For {ALICE}.",
            "Thunderbird",
            "iPhone",
            "IMAP",
            "993",
            "SSL/TLS",
            "587",
            "STARTTLS",
        ):
            self.assertIn(text, shown.page.text)
        links = [named["href"] for tag, named in shown.page.elements if tag == "a"]
        files = [each for each in links if each.startswith("/setup/") and each != "/setup/"]
        self.assertEqual(6, len(files))
        for each in files:
            self.assertEqual(200, self.browser.get(each).status, each)

    def test_pictures(self) -> None:
        """
        The pictures are small, and somebody who does not see them is told what they show.
        """
        shown = self.browser.get(f"setup/?emailaddress={ALICE}")

        pictures = [
            named
            for tag, named in shown.page.elements
            if tag == "img" and named["src"].endswith(".png")
        ]
        self.assertEqual(2, len(pictures))
        for picture in pictures:
            self.assertGreater(len(picture["alt"]), 40)
            got = self.browser.get(picture["src"])
            self.assertEqual((200, "image/png"), (got.status, got.headers["content-type"]))
            self.assertLess(len(got.body), 60_000)
            # Drawn twice as large as they are shown.
            size = [2 * int(picture[side]) for side in ("width", "height")]
            self.assertEqual(size, [*unpack_from(">LL", got.body, 16)])

    def test_unknown(self) -> None:
        """
        Who mistypes the domain is told, and finds what he typed.
        """
        for address in ("alice@example.tset", "alice", "<b>@example.test"):
            shown = self.browser.get(f"setup/?emailaddress={address}")

            self.assertIn("There is no mail for this address here.", shown.page.text)
            self.assertEqual({"emailaddress": address}, shown.page.forms[0].fields)

    def test_anybody(self) -> None:
        """
        The page is the same for an account that is there and for one that is not.
        """
        alice, nobody = (
            self.browser.get(f"setup/?emailaddress={name}@example.test").body
            for name in ("alice", "nobody")
        )

        self.assertEqual(alice, nobody.replace(b"nobody", b"alice"))
