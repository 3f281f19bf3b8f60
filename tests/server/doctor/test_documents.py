"""
Tests of the documents, read as programs read them.
"""

from __future__ import annotations

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import Outage
from mailauth.server.doctor.conversations import Place
from mailauth.server.doctor.discovery import Discovery
from mailauth.server.doctor.documents import (
    Unreadable,
    readAutoconfig,
    readAutodiscover,
    readPACC,
)
from mailauth.server.doctor.findings import FAILS, OK, UNKNOWN, WARNING, Finding
from mailauth.server.setup.autoconfig import writeAutoconfig
from mailauth.server.setup.autodiscover import unknownAddress, writeError, writeSettings
from mailauth.server.setup.pacc import writePACC

from ..setup.described import HOST, HOSTS
from .pages import MemoryWeb, answer

DOMAIN = "example.test"
ALICE = f"alice@{DOMAIN}"
FIRST = f"https://autoconfig.{DOMAIN}/mail/config-v1.1.xml"
SECOND = f"https://{DOMAIN}/.well-known/autoconfig/mail/config-v1.1.xml"
AUTOCONFIG = writeAutoconfig(HOSTS, DOMAIN)

PLACES = [Place(each.protocol, HOST, each.port, each.implicitTLS) for each in HOSTS.servers]


class ReadingTests(SynchronousTestCase):
    """
    What is read is what was written.
    """

    def test_autoconfig(self) -> None:
        """
        Mozilla's document: all servers, how to log in, the issuer and the scope.
        """
        read = readAutoconfig(AUTOCONFIG, DOMAIN)

        self.assertEqual(PLACES, [each.place for each in read.servers])
        self.assertEqual(
            {("OAuth2", "password-cleartext")}, {each.methods for each in read.servers}
        )
        self.assertEqual(HOSTS.issuer, read.issuer)

    def test_pacc(self) -> None:
        """
        PACC's document has no ports: they are implied.
        """
        read = readPACC(writePACC(HOSTS))

        self.assertEqual({place for place in PLACES if place.implicitTLS}, set(read.places))
        self.assertEqual(HOSTS.issuer, read.issuer)

    def test_autodiscover(self) -> None:
        """
        Outlook's: one server for each protocol.
        """
        read = readAutodiscover(writeSettings(HOSTS, ALICE))

        self.assertEqual({place for place in PLACES if place.implicitTLS}, set(read))

    def test_startTLS(self) -> None:
        """
        What Outlook is told to use with STARTTLS is told from TLS at once.
        """
        hosts = attrs.evolve(
            HOSTS, servers=tuple(each for each in HOSTS.servers if not each.implicitTLS)
        )

        self.assertEqual(
            {False}, {each.implicitTLS for each in readAutodiscover(writeSettings(hosts, ALICE))}
        )

    def test_domain(self) -> None:
        """
        The domain may stand for itself.
        """
        document = AUTOCONFIG.replace(HOST.encode(), b"mail.%EMAILDOMAIN%")

        places = [each.place for each in readAutoconfig(document, DOMAIN).servers]

        self.assertEqual({f"mail.{DOMAIN}"}, {place.host for place in places})

    def test_unreadable(self) -> None:
        """
        What programs drop is dropped, whatever it is; nothing of a document type is believed
        (DS10).
        """
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><clientConfig>&a;</clientConfig>'
        for octets in (
            *(b"", b"<html>", b"\xff\xfe", bomb, b"<clientConfig/>", b"<a>" * 100000),
            AUTOCONFIG.replace(b"<domain>", b"<dom>").replace(b"</domain>", b"</dom>"),
            AUTOCONFIG.replace(b"<port>993", b"<port>0"),
            AUTOCONFIG.replace(b"<port>993", b"<port>99999"),
            AUTOCONFIG.replace(HOST.encode(), b"a b"),
            # Of which network of this machine an address is, is nobody else's to say (RFC 4007).
            AUTOCONFIG.replace(HOST.encode(), "fe80::1%\N{SNOWMAN}".encode()),
            AUTOCONFIG.replace(b"Server type=", b"Server kind="),
        ):
            self.assertRaises(Unreadable, readAutoconfig, octets, DOMAIN)
        for octets in (b"", b"[]", b"{}", b'{"protocols": {"imap": {"host": "a/b"}}}'):
            self.assertRaises(Unreadable, readPACC, octets)
        for octets in (b"", b"<a/>", writeError(unknownAddress(), 0)):
            self.assertRaises(Unreadable, readAutodiscover, octets)


class DiscoveryTests(SynchronousTestCase):
    """
    L{Discovery}: what is said of the documents.
    """

    def setUp(self) -> None:
        """
        Nothing is published.
        """
        self.web = MemoryWeb()

    def autoconfig(self) -> list[Finding]:
        """
        What is found by Mozilla autoconfig.
        """
        self.discovery = Discovery(self.web, ALICE)
        return self.successResultOf(Deferred.fromCoroutine(self.discovery.findAutoconfig()))

    def bad(self) -> list[Finding]:
        """
        What is not as it should be.
        """
        return [each for each in self.autoconfig() if each.level != OK]

    def test_either(self) -> None:
        """
        One of the addresses is enough; both are asked, for the mail address.
        """
        for address in (FIRST, SECOND):
            self.web.says = {address: answer(AUTOCONFIG)}

            self.assertEqual([], self.bad())
            self.assertEqual(PLACES, [*self.discovery.places()])

        asked = {asked for _, asked, _, _ in self.web.asked}
        self.assertEqual(
            {f"{each}?emailaddress=alice%40example.test" for each in (FIRST, SECOND)}, asked
        )

    def test_none(self) -> None:
        """
        Without either, Thunderbird finds nothing; if one cannot be reached, nobody can tell.
        """
        self.assertEqual({FAILS}, {each.level for each in self.bad()})
        self.assertFalse(self.discovery.undecided)

        self.web.says[FIRST] = Outage("nobody answers")

        self.assertEqual([UNKNOWN, WARNING], [each.level for each in self.bad()])
        self.assertTrue(self.discovery.undecided)

    def test_differ(self) -> None:
        """
        Two addresses with different settings are a warning.
        """
        other = attrs.evolve(HOSTS, hostname="old.example.org")
        self.web.says = {
            FIRST: answer(AUTOCONFIG),
            SECOND: answer(writeAutoconfig(other, DOMAIN)),
        }

        [finding] = self.bad()

        self.assertEqual(WARNING, finding.level)
        self.assertIn("has other settings than", finding.says)

    def test_withoutOAuth(self) -> None:
        """
        A document that offers one way to log in alone: who needs the other is named, and what to
        write.
        """
        for removed, topic, expected in (
            ("OAuth2", "autoconfig.oauth2", "Thunderbird uses no OAuth"),
            ("password-cleartext", "autoconfig.password", "without the add-on drops it"),
        ):
            method = f"<authentication>{removed}</authentication>"
            self.web.says = {FIRST: answer(AUTOCONFIG.replace(method.encode(), b""))}

            [finding] = self.bad()

            self.assertEqual((FAILS, topic), (finding.level, finding.topic))
            self.assertIn(expected, finding.says)
            self.assertIn(method, finding.mend)

    def test_incomplete(self) -> None:
        """
        A document without a server to send mail, without an issuer, or with a server in clear.
        """
        for document, topic in (
            (AUTOCONFIG.replace(b"outgoingServer", b"goneServer"), "autoconfig"),
            (AUTOCONFIG.replace(b"issuer>", b"nobody>"), "autoconfig.issuer"),
            (AUTOCONFIG.replace(b"STARTTLS", b"plain"), "autoconfig.clear"),
        ):
            self.web.says = {FIRST: answer(document)}

            self.assertEqual({(FAILS, topic)}, {(each.level, each.topic) for each in self.bad()})

    def test_issuers(self) -> None:
        """
        The issuers that documents name are each there once; a bare host is one with https.
        """
        issuer = HOSTS.issuer.encode()
        self.web.says = {
            FIRST: answer(AUTOCONFIG.replace(b"<issuer>" + issuer, b"<issuer>id.example.org")),
            f"https://ua-auto-config.{DOMAIN}/.well-known/user-agent-configuration.json": answer(
                writePACC(HOSTS)
            ),
        }
        self.autoconfig()

        findings = self.successResultOf(Deferred.fromCoroutine(self.discovery.findPACC()))

        self.assertEqual({OK}, {each.level for each in findings})
        self.assertEqual(
            [*dict.fromkeys(["https://id.example.org", HOSTS.issuer])], self.discovery.issuers()
        )

    def test_paccWithoutIssuer(self) -> None:
        """
        PACC's document without an issuer fails.
        """
        document = writePACC(HOSTS).replace(b"oauth-public", b"oauth-private")
        self.web.says[
            f"https://ua-auto-config.{DOMAIN}/.well-known/user-agent-configuration.json"
        ] = answer(document)
        discovery = Discovery(self.web, ALICE)

        findings = self.successResultOf(Deferred.fromCoroutine(discovery.findPACC()))

        self.assertEqual(
            [(FAILS, "pacc")], [(each.level, each.topic) for each in findings if each.level != OK]
        )
