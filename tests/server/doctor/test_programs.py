"""
Tests of what is said of certificates and of the files of the set-up page, and of what that means
for each mail program.
"""

from __future__ import annotations

import plistlib
from datetime import UTC, datetime, timedelta
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import attrs
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import Outage
from mailauth.oauth.metadata import authorizationServerMetadata
from mailauth.server.certificates import DAYS
from mailauth.server.doctor.certificates import SeenCertificate, judgeCertificate
from mailauth.server.doctor.conversations import Place
from mailauth.server.doctor.findings import (
    FAILS,
    LEVELS,
    OK,
    UNKNOWN,
    WARNING,
    Finding,
    doubtful,
    good,
    unknown,
    worstOf,
    wrong,
)
from mailauth.server.doctor.programs import (
    NOTHING,
    OAUTH,
    PASSWORD,
    PROGRAMS,
    UNDECIDED,
    Verdict,
    judgePrograms,
)
from mailauth.server.doctor.setupfiles import SetupFiles
from mailauth.server.setup.apple import writeProfile
from mailauth.server.setup.emailproxy import writeConfiguration
from mailauth.server.setup.fairemail import writeProviders
from mailauth.server.setup.thunderbird import AddOn

from ..setup.described import HOST, HOSTS, ISSUER
from .examined import certificateFiles
from .pages import MemoryWeb, answer

MADE = datetime(2026, 6, 1, tzinfo=UTC)
CERTIFICATE = load_pem_x509_certificate(certificateFiles([HOST, "192.0.2.1"], MADE)["server.pem"])

TOPICS = sorted({topic for each in PROGRAMS for topic in (*each.password, *(each.oauth or ()))})


class CertificateTests(SynchronousTestCase):
    """
    L{judgeCertificate}.
    """

    certificate = CERTIFICATE

    def judge(
        self, host: str = HOST, days: int = 1, errors: tuple[int, ...] = (), length: int = 2
    ) -> Finding:
        """
        What is said some days after it was made.

        @param errors: what OpenSSL says.
        @param length: how many certificates the server sends.
        """
        seen = SeenCertificate(self.certificate, errors, length)
        return judgeCertificate("https", host, "it", seen, MADE + timedelta(days=days))

    def test_good(self) -> None:
        """
        A good one, for a name and for an address.
        """
        for host in (HOST, "192.0.2.1"):
            finding = self.judge(host)

            self.assertEqual((OK, ""), (finding.level, finding.mend))

    def test_strange(self) -> None:
        """
        One whose names cannot be read is for nobody.
        """
        octets = CERTIFICATE.public_bytes(Encoding.DER)
        # What was an address is an URI now (RFC 5280 section 4.2.1.6), of octets that none has.
        self.certificate = load_der_x509_certificate(octets.replace(b"\x87\x04", b"\x86\x04", 1))

        for host in (HOST, "192.0.2.1"):
            finding = self.judge(host)

            self.assertEqual(FAILS, finding.level)
            self.assertIn("is for no host", finding.says)

    def test_bad(self) -> None:
        """
        What is wrong with one is said, and how to mend it.
        """
        for finding, level, expected in (
            (self.judge("other.example"), FAILS, f"is for {HOST}, and not for other.example"),
            (self.judge("192.0.2.2"), FAILS, "and not for 192.0.2.2"),
            (self.judge(days=DAYS), FAILS, "expired on 2028-09-02"),
            (self.judge(errors=(10,)), FAILS, "or its authority's did"),
            (self.judge(days=DAYS - 13), WARNING, "is good for 12 more days"),
            (self.judge(errors=(9,)), FAILS, "is not good before 2026-05-31"),
            (self.judge(errors=(20, 21), length=1), FAILS, "it sends no certificate of CN="),
            (self.judge(errors=(19,)), FAILS, "nobody who is trusted here vouches"),
            (self.judge(errors=(66,)), FAILS, "OpenSSL's error 66"),
        ):
            self.assertEqual(level, finding.level, finding)
            self.assertIn(expected, finding.says)
            self.assertTrue(finding.mend)


class SetupFilesTests(SynchronousTestCase):
    """
    L{SetupFiles}.
    """

    def setUp(self) -> None:
        """
        All are there, as we write them.
        """
        self.web = MemoryWeb()
        self.base = f"{ISSUER}/setup/"
        self.addOn = f"{self.base}thunderbird/{HOST}.xpi"
        self.profile = f"{self.base}apple.mobileconfig"
        self.web.says = {
            self.addOn: answer(AddOn(HOSTS).package()),
            # A signature stands around it.
            self.profile: answer(b"\x30\x82" + writeProfile(HOSTS, None) + b"\x02\x01"),
            f"{self.base}fairemail.xml": answer(writeProviders(HOSTS, "example.test")),
            f"{self.base}email-oauth2-proxy.ini": answer(writeConfiguration(HOSTS, "a@b.example")),
        }

    def bad(self) -> list[Finding]:
        """
        What is not as it should be.
        """
        places = {
            each.protocol: Place(each.protocol, HOST, each.port, True)
            for each in HOSTS.servers
            if each.implicitTLS
        }
        metadata = authorizationServerMetadata(ISSUER, [], [])
        files = SetupFiles(self.web, ISSUER, "alice@example.test", places, metadata)
        found = self.successResultOf(Deferred.fromCoroutine(files.look()))
        self.assertEqual(4, len(found))
        return [each for each in found if each.level != OK]

    def test_good(self) -> None:
        """
        Nothing is to be said against ours.
        """
        self.assertEqual([], self.bad())

    def test_others(self) -> None:
        """
        Files for another server are of no use.
        """
        other = attrs.evolve(HOSTS, hostname="old.example.org")
        elsewhere = attrs.evolve(HOSTS, issuer="https://old.example.org")
        for address, content, expected in (
            (self.addOn, AddOn(other).package(), f"it is not for {HOST}"),
            (self.addOn, AddOn(elsewhere).package(), "its issuerIdentifier is 'https://old."),
            (self.addOn, b"PK", "it is no add-on"),
            (self.addOn, _zip("other.json", b"{}"), "it is no add-on"),
            (self.addOn, _zip("manifest.json", b"{}"), "it names no issuer"),
            (self.addOn, _zip("manifest.json", b" " * 100_000), "it is too large"),
            (self.addOn, _damagedZip("manifest.json"), "it is no add-on"),
            (self.profile, writeProfile(other, None), "it leads to old.example.org:993"),
            (self.profile, b"<html>", "it is no profile"),
            (self.profile, plistlib.dumps({"PayloadContent": []}), "it is no profile"),
            (self.profile, plistlib.dumps({"PayloadContent": ["x"]}), "it is no profile"),
            (f"{self.base}fairemail.xml", b"<providers/>", f"it does not name {HOST}"),
        ):
            self.setUp()
            self.web.says[address] = answer(content)

            [finding] = self.bad()

            self.assertEqual(FAILS, finding.level)
            self.assertIn(expected, finding.says)
            self.assertIn(self.base, finding.mend)

    def test_outage(self) -> None:
        """
        What cannot be reached is unknown.
        """
        self.web.says[self.addOn] = Outage("nobody answers")

        self.assertEqual([UNKNOWN], [each.level for each in self.bad()])


class ProgramsTests(SynchronousTestCase):
    """
    L{judgePrograms}.
    """

    def judge(self, *others: Finding, without: str = "") -> dict[str, Verdict]:
        """
        The verdicts where all is good, but for something.

        @param without: a topic that nobody looked at.
        """
        findings = [good(topic, "Good.") for topic in TOPICS if topic != without]
        return {each.program: each for each in judgePrograms([*findings, *others])}

    def test_good(self) -> None:
        """
        Where all is good, programs that know OAuth use it, and say what it takes.
        """
        verdicts = self.judge()

        self.assertEqual(OAUTH, verdicts["Thunderbird"].means)
        self.assertIn("add-on", verdicts["Thunderbird"].why)
        self.assertEqual(
            Verdict("Apple Mail: iPhone, iPad, Mac", PASSWORD, ""),
            verdicts["Apple Mail: iPhone, iPad, Mac"],
        )

    def test_warning(self) -> None:
        """
        A warning keeps nobody out.
        """
        self.assertEqual(self.judge(), self.judge(doubtful("imap.connect", "Soon.")))

    def test_worst(self) -> None:
        """
        Of several findings about one thing the worst counts.
        """
        self.assertEqual(["ok", "warning", "unknown", "fails"], [*LEVELS])
        self.assertIsNone(worstOf([]))
        verdicts = self.judge(wrong("autoconfig", "Gone."), unknown("autoconfig", "Who knows."))

        self.assertEqual(Verdict("Thunderbird", NOTHING, "Gone."), verdicts["Thunderbird"])

    def test_withoutOAuth(self) -> None:
        """
        Where OAuth fails alone, a password is used, and it is said why.
        """
        verdicts = self.judge(wrong("imap.sasl-ir", "No SASL-IR."))

        expected = "No OAuth: No SASL-IR."
        self.assertEqual(Verdict("mutt", PASSWORD, expected), verdicts["mutt"])
        self.assertEqual(OAUTH, verdicts["aerc"].means)

    def test_unknown(self) -> None:
        """
        What nobody could find out, or did not look at, is no failure.
        """
        verdicts = self.judge(unknown("smtp.connect", "Who knows."))

        self.assertEqual(Verdict("msmtp", UNDECIDED, "Who knows."), verdicts["msmtp"])
        self.assertEqual(OAUTH, verdicts["mbsync, getmail, offlineimap"].means)
        self.assertEqual(UNDECIDED, self.judge(without="smtp.connect")["msmtp"].means)


def _zip(name: str, content: bytes) -> bytes:
    written = BytesIO()
    with ZipFile(written, "w") as archive:
        archive.writestr(name, content)
    return written.getvalue()


def _damagedZip(name: str) -> bytes:
    """
    One in which a file cannot be unpacked.
    """
    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as archive:
        archive.writestr(name, b"{}" * 100)
    octets = bytearray(written.getvalue())
    begin = 30 + len(name)
    octets[begin : begin + 4] = b"\xff\xff\xff\xff"
    return bytes(octets)
