"""
Tests of the records of a domain, and of C{mailauth dns}.
"""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.setup.dns import recordsOf, writeZone
from mailauth.server.setup.pacc import digestRecord, writePACC

from ..deployment import deploy, run
from .described import HOST, HOSTS, STARTTLS

NAME = "example.org"


class RecordsTests(SynchronousTestCase):
    """
    L{recordsOf}.
    """

    def test_records(self) -> None:
        """
        There is one for each service, one for each host that programs ask for a configuration, and
        the digest.
        """
        found = [(each.name, each.type, each.value) for each in recordsOf(HOSTS, NAME)]

        self.assertEqual(
            [
                ("_imaps._tcp.example.org", "SRV", f"0 1 993 {HOST}."),
                ("_submissions._tcp.example.org", "SRV", f"0 1 465 {HOST}."),
                ("_pop3s._tcp.example.org", "SRV", f"20 1 995 {HOST}."),
                ("_imap._tcp.example.org", "SRV", f"10 1 143 {HOST}."),
                ("_submission._tcp.example.org", "SRV", f"10 1 587 {HOST}."),
                ("autoconfig.example.org", "CNAME", "id.example.org."),
                ("autodiscover.example.org", "CNAME", "id.example.org."),
                ("ua-auto-config.example.org", "CNAME", "id.example.org."),
                ("_ua-auto-config.example.org", "TXT", digestRecord(writePACC(HOSTS))),
            ],
            found,
        )

    def test_notThere(self) -> None:
        """
        What is not offered is said not to be (RFC 6186 section 3.4).
        """
        values = {each.name.partition(".")[0]: each.value for each in recordsOf(STARTTLS, NAME)}

        self.assertEqual("0 0 0 .", values["_imaps"])
        self.assertEqual(f"10 1 143 {HOST}.", values["_imap"])

    def test_zone(self) -> None:
        """
        They are written as a zone file has them, each name to its end, text in quotation marks.
        """
        lines = writeZone(recordsOf(HOSTS, NAME)).splitlines()

        self.assertEqual(f"_imaps._tcp.example.org. 3600 IN SRV 0 1 993 {HOST}.", lines[0])
        digest = digestRecord(writePACC(HOSTS))
        self.assertEqual(f'_ua-auto-config.example.org. 3600 IN TXT "{digest}"', lines[-1])


class CommandTests(SynchronousTestCase):
    """
    C{mailauth dns}.
    """

    def test_domains(self) -> None:
        """
        Without a domain it shows those of all that there are; with one those of that one, which may
        be new.
        """
        directory = deploy(self, '[signin]\ndefault_domain = "example.net"')
        made = run(directory, "account", "add", "alice@example.org", say="a long password\n")
        self.assertEqual(0, made.returncode, made.stderr)

        everything = json.loads(run(directory, "--json", "dns").stdout)
        one = json.loads(run(directory, "--json", "dns", "New.Example").stdout)

        names = [each["name"].partition(".")[2] for each in everything if each["type"] == "CNAME"]
        self.assertEqual(["example.net"] * 3 + ["example.org"] * 3, names)
        self.assertEqual(9, len(one))
        self.assertEqual("_imaps._tcp.new.example", one[0]["name"])
        text = run(directory, "dns", "new.example").stdout
        self.assertEqual(9, len([line for line in text.splitlines() if not line.startswith(";")]))

    def test_mistaken(self) -> None:
        """
        What is no domain is refused.
        """
        refused = run(deploy(self), "dns", "no domain")

        self.assertEqual(
            (1, "no domain is not the name of a domain\n"), (refused.returncode, refused.stderr)
        )
