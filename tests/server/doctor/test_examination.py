"""
Tests of what is found at the real service, with a real name server, and with one thing after the
other broken.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from subprocess import CompletedProcess, run
from time import time

import attrs

from mailauth.server.clients import deniedClient
from mailauth.server.doctor.findings import FAILS, OK, UNKNOWN, WARNING, Finding
from mailauth.server.doctor.network import Direction
from mailauth.server.doctor.programs import NOTHING, OAUTH, PASSWORD, PROGRAMS, UNDECIDED
from mailauth.server.setup.dns import DNSRecord, writeZone

from ..deployment import NAMES
from .examined import ALICE, ALL_NAMES, DOMAIN, ExaminedCase, serveRecords, serveRefusals

OTHER_DIGEST = "v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
NOBODY = Direction("mail.localhost", 0, "127.0.0.1", 1)


class ExaminationTests(ExaminedCase):
    """
    L{mailauth.server.doctor}.
    """

    async def test_good(self) -> None:
        """
        Nothing is to be said against our own service, and each mail program gets in as the
        documentation says.
        """
        await self.serve()

        report = await self.examine()

        self.assertEqual([], self.bad(report))
        self.assertTrue(report.works)
        self.assertEqual([], [each.mend for each in report.findings if each.mend])
        self.assertEqual(
            {each.name: OAUTH if each.oauth else PASSWORD for each in PROGRAMS}, self.means(report)
        )

    async def test_topics(self) -> None:
        """
        Whatever a program may need is looked at: none waits for something that nobody ever finds.
        """
        await self.serve()

        found = {finding.topic for finding in (await self.examine()).findings}

        for program in PROGRAMS:
            self.assertLessEqual({*program.password, *(program.oauth or ())}, found, program.name)

    async def test_digest(self) -> None:
        """
        A TXT record with another digest: programs that know PACC do not believe the document, and
        the one to publish is shown.
        """
        await self.serve()
        [right] = [each for each in self.published() if each.type == "TXT"]

        report = await self.examine(
            lambda record: (
                attrs.evolve(record, value=OTHER_DIGEST) if record.type == "TXT" else record
            )
        )

        [finding] = self.bad(report)
        self.assertEqual((FAILS, "pacc.digest"), (finding.level, finding.topic))
        self.assertIn("has the digest of another document", finding.says)
        self.assertEqual(f"Publish: {writeZone([right])}", finding.mend)
        self.assertEqual(NOTHING, self.means(report)["Himalaya and others with PACC"])
        self.assertEqual(OAUTH, self.means(report)["Thunderbird"])

    async def test_services(self) -> None:
        """
        An SRV record that leads elsewhere fails; one that is missing is a warning.
        """

        def edit(record: DNSRecord) -> DNSRecord | None:
            if record.name.startswith("_imaps."):
                return attrs.evolve(record, value="0 1 993 old.example.test.")
            return None if record.name.startswith("_submissions.") else record

        await self.serve()

        report = await self.examine(edit)

        levels = {finding.topic: finding.level for finding in self.bad(report)}
        self.assertEqual(FAILS, levels["srv._imaps"])
        self.assertEqual(WARNING, levels["srv._submissions"])

    async def test_noAutoconfig(self) -> None:
        """
        Without C{autoconfig} in the DNS neither address has the document: Thunderbird finds
        nothing.
        """
        await self.serve()

        report = await self.examine(
            lambda record: None if record.name.startswith("autoconfig.") else record
        )

        self.assertEqual(NOTHING, self.means(report)["Thunderbird"])
        mends = " ".join(each.mend for each in self.bad(report))
        self.assertIn(f"Have autoconfig.{DOMAIN} lead to the server's HTTPS", mends)

    async def test_expired(self) -> None:
        """
        With a certificate that has expired, no program gets anywhere.
        """
        await self.serve(now=datetime.now(UTC) - timedelta(days=900))

        report = await self.examine()

        [imap] = [each for each in self.bad(report) if each.says.startswith("autoconfig.")]
        self.assertEqual(FAILS, imap.level)
        self.assertIn("the certificate expired on", imap.says)
        self.assertIn("Renew the certificate", imap.mend)
        self.assertEqual({NOTHING}, set(self.means(report).values()))

    async def test_names(self) -> None:
        """
        A certificate that lacks one name: whoever calls the server so does not get in.
        """
        await self.serve(names=[*set(ALL_NAMES) - {f"autodiscover.{DOMAIN}"}])

        report = await self.examine()

        findings = [each for each in self.bad(report) if each.topic == "https"]
        self.assertEqual(
            [f"Have the certificate name autodiscover.{DOMAIN}, too."],
            [finding.mend for finding in findings],
        )
        self.assertEqual(NOTHING, self.means(report)["Outlook for Windows (classic)"])
        self.assertEqual(OAUTH, self.means(report)["Thunderbird"])

    async def test_soon(self) -> None:
        """
        A certificate that is about to expire is a warning.
        """
        await self.serve(now=datetime.now(UTC) - timedelta(days=820))

        report = await self.examine()

        self.assertEqual({WARNING}, {finding.level for finding in self.bad(report)})
        self.assertIn("is good for 4 more days", self.bad(report)[0].says)
        self.assertTrue(report.works)

    async def test_unreachable(self) -> None:
        """
        Where nobody gets to the mail servers, nothing is known about them: that is neither good nor
        a failure of the server's.
        """
        await self.serve()
        imap = [each.port for each in self.hosts.servers if each.protocol == "imap"]
        directions = [attrs.evolve(NOBODY, port=port) for port in (*imap, 993)]

        report = await self.examine(directions=directions)

        self.assertEqual({UNKNOWN}, {finding.level for finding in self.bad(report)})
        self.assertIn("the connection is refused", self.bad(report)[0].says)
        self.assertFalse(report.works)
        self.assertEqual(UNDECIDED, self.means(report)["mutt"])
        self.assertEqual(OAUTH, self.means(report)["msmtp"])

    async def test_noNameServer(self) -> None:
        """
        A name server that answers no questions says nothing about the domain.
        """
        await self.serve()

        report = await self.examine(resolver=serveRefusals(self))

        found = [each for each in report.findings if each.topic in ("srv", "pacc.digest")]
        self.assertEqual({UNKNOWN}, {finding.level for finding in found})
        self.assertIn("the name server does not say: it refuses", found[0].says)
        self.assertEqual({UNDECIDED}, set(self.means(report).values()))

    async def test_denied(self) -> None:
        """
        A built-in client that the administrator denied does not get to the sign-in page, and its
        program uses an app password.
        """
        await self.serve()
        await self.service.database.clients.add(deniedClient("thunderbird", time()))

        report = await self.examine()

        [finding] = self.bad(report)
        self.assertEqual((FAILS, "client.thunderbird"), (finding.level, finding.topic))
        self.assertIn("Thunderbird does not get to the sign-in page", finding.says)
        [verdict] = [each for each in report.verdicts if each.program == "Thunderbird"]
        self.assertEqual(PASSWORD, verdict.means)
        self.assertIn("Thunderbird does not get to the sign-in page", verdict.why)
        self.assertEqual(OAUTH, self.means(report)["FairEmail"])

    async def test_noRegistration(self) -> None:
        """
        Where clients cannot register, that is a warning: those that are built in get in.
        """
        await self.serve("[issuer]\nopen_registration = false\n")

        report = await self.examine(register=True)

        self.assertEqual(
            [(WARNING, "registration")], [(each.level, each.topic) for each in self.bad(report)]
        )

    async def test_register(self) -> None:
        """
        Only who is asked to registers a client, which gets to the sign-in page as well; it is said
        that it stays.
        """
        await self.serve()

        report = await self.examine(register=True)

        self.assertEqual([], self.bad(report))
        says = " ".join(each.says for each in report.findings)
        self.assertIn("A program can register at", says)
        self.assertIn("mailauth doctor gets to the sign-in page", says)
        self.assertIn("What was registered stays", says)

    async def test_otherConfiguration(self) -> None:
        """
        What is found is compared with a configuration that is there; one of another issuer is none.
        """
        await self.serve()

        same = await self.examine(configured=self.hosts)
        changed = await self.examine(configured=attrs.evolve(self.hosts, servers=()))
        other = await self.examine(
            configured=attrs.evolve(self.hosts, issuer="https://other.example")
        )

        self.assertEqual([], self.bad(same))
        self.assertIn("Restart the server", " ".join(each.mend for each in self.bad(changed)))
        [finding] = self.bad(other)
        self.assertIn("nothing was compared", finding.says)

    async def test_nonsense(self) -> None:
        """
        Whatever a record leads to, that is said and nothing worse happens.
        """
        await self.serve()

        report = await self.examine(
            lambda record: (
                attrs.evolve(record, value="0 1 993 \x1b[2J-.example.")
                if record.name.startswith("_imaps.")
                else record
            )
        )

        says = [each.says for each in self.bad(report)]
        self.assertIn("there can be no such host", " ".join(says))

    async def test_jmap(self) -> None:
        """
        An SRV record for JMAP where there is none fails.
        """
        await self.serve()
        https = self.service.ports["https"]
        jmap = DNSRecord(f"_jmap._tcp.{DOMAIN}", "SRV", f"0 1 {https} mail.localhost.")
        resolver = serveRecords(self, [*self.published(), jmap])

        [finding] = self.bad(await self.examine(resolver=resolver))

        self.assertEqual((FAILS, "jmap"), (finding.level, finding.topic))
        self.assertIn("it answers 404", finding.says)


class CommandTests(ExaminedCase):
    """
    C{mailauth doctor}.
    """

    async def doctor(self, *arguments: str) -> CompletedProcess[str]:
        """
        Run it as somebody who has nothing of the server but its authority.
        """
        zone = self.directory / "zone"
        zone.write_text(writeZone(self.published()))
        connect = [
            word
            for each in self.directions()
            for word in ("--connect", f":{each.port}=:{each.toPort}")
        ]
        command = [sys.executable, "-m", "mailauth", "--config", "/nowhere", *arguments]
        command += ["--ca", str(self.directory / "ca.pem"), *connect]
        return await self.inThread(
            run, command, capture_output=True, text=True, timeout=60, check=False
        )

    async def test_zone(self) -> None:
        """
        It can be run before anything is published, with the records as C{mailauth dns} writes them.
        """
        await self.serve()

        done = await self.doctor("doctor", ALICE, "--zone", str(self.directory / "zone"))

        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        lines = done.stdout.splitlines()
        self.assertIn("DNS", lines)
        self.assertTrue(lines[-1].startswith("Everything works: "))
        self.assertNotIn("What to do", lines)

    async def test_failing(self) -> None:
        """
        What fails is said in a line, then what to do about it, and the status is 1; so it is in
        JSON.
        """
        await self.serve(names=[*NAMES, f"autoconfig.{DOMAIN}", f"ua-auto-config.{DOMAIN}"])
        host, port = serveRecords(self, self.published())
        options = (ALICE, "--resolver", f"{host}:{port}")

        text = await self.doctor("doctor", *options)
        members = await self.doctor("--json", "doctor", *options)

        self.assertEqual((1, ""), (text.returncode, text.stderr))
        mend = f"Have the certificate name autodiscover.{DOMAIN}, too."
        self.assertIn(f"What to do\n  1. {mend}\n", text.stdout)
        self.assertEqual(1, members.returncode)
        report = json.loads(members.stdout)
        self.assertFalse(report["works"])
        findings = [
            Finding(**finding) for each in report["sections"] for finding in each["findings"]
        ]
        self.assertIn((FAILS, mend), [(each.level, each.mend) for each in findings])
        self.assertIn((OK, ""), [(each.level, each.mend) for each in findings])

    async def test_escapes(self) -> None:
        """
        What a domain publishes is no command to the terminal of whoever reads it (LG2).
        """
        await self.serve()
        zone = self.directory / "strange"
        record = DNSRecord(f"_imaps._tcp.{DOMAIN}", "SRV", "0 1 993 \x1b[2J.example.")
        zone.write_text(writeZone([record]))

        done = await self.doctor("doctor", ALICE, "--zone", str(zone))

        self.assertEqual((1, ""), (done.returncode, done.stderr))
        self.assertIn("[2j.example:993", done.stdout)
        self.assertNotIn("\x1b", done.stdout)

    async def test_usage(self) -> None:
        """
        What cannot be meant is refused, with what it has to be.
        """
        await self.serve()

        for arguments, status, expected in (
            (("doctor", "alice"), 1, "it has no domain"),
            (("doctor", "a b@example.test"), 1, "is no mail address"),
            (("doctor", ALICE, "--resolver", "ns.example:53"), 2, "IP address and a port"),
            (("doctor", ALICE, "--connect", "443"), 2, "HOST:PORT=HOST:PORT"),
            (("doctor", ALICE, "--zone", str(self.directory / "server.key")), 1, "line 1"),
        ):
            done = await self.doctor(*arguments)

            self.assertEqual(status, done.returncode, arguments)
            self.assertIn(expected, done.stderr)
