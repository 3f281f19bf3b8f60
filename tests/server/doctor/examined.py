"""
A server to examine: the whole service, and a name server that publishes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol
from twisted.names import dns
from twisted.names.authority import FileAuthority
from twisted.names.server import DNSServerFactory
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.certificates import makeCertificates
from mailauth.server.config import readConfiguration
from mailauth.server.doctor.examination import Examination, Report
from mailauth.server.doctor.findings import OK, Finding
from mailauth.server.doctor.network import Direction, Network
from mailauth.server.doctor.records import PublishedRecords, makeResolver
from mailauth.server.mailhosts import MailHosts, mailHostsOf
from mailauth.server.setup.dns import CONFIGURATIONS, DNSRecord, recordsOf
from mailauth.server.tls import trustRootOf

from ..deployment import NAMES, ServiceCase, freePorts

DOMAIN = "example.test"
ALICE = f"alice@{DOMAIN}"

ALL_NAMES = (*NAMES, *(f"{label}.{DOMAIN}" for label in CONFIGURATIONS))

PACC_PORTS = {993: "imaps", 995: "pop3s", 465: "submissions"}

UDP: Any = reactor

Edit = Callable[[DNSRecord], DNSRecord | None]


class MemoryAuthority(FileAuthority):
    """
    Publishes records.
    """

    records: Any
    soa: Any

    def __init__(self, records: Iterable[DNSRecord]) -> None:
        super().__init__("")
        self.records = {DOMAIN.encode(): [self.soa[1]]}
        for record in records:
            self.records.setdefault(record.name.encode(), []).append(_payload(record))

    def loadFile(self, filename: str) -> None:
        """
        There is none.
        """
        self.soa = DOMAIN.encode(), dns.Record_SOA("ns." + DOMAIN, "root." + DOMAIN, 1)


def _payload(record: DNSRecord) -> Any:
    if record.type == "SRV":
        priority, weight, port, host = record.value.split()
        return dns.Record_SRV(int(priority), int(weight), int(port), host.rstrip(".") or ".")
    if record.type == "CNAME":
        return dns.Record_CNAME(record.value.rstrip("."))
    if record.type == "A":
        return dns.Record_A(record.value)
    return dns.Record_TXT(record.value.encode())


def serveRecords(test: SynchronousTestCase, records: Iterable[DNSRecord]) -> tuple[str, int]:
    """
    A name server on this machine, until the test ends.

    @return: where it is.
    """
    factory = DNSServerFactory(authorities=[MemoryAuthority(records)])
    factory.noisy = False
    port = UDP.listenUDP(0, dns.DNSDatagramProtocol(factory), interface="127.0.0.1")
    test.addCleanup(port.stopListening)
    return "127.0.0.1", port.getHost().port


class Refusing(DatagramProtocol):
    """
    A name server that answers nobody's questions.
    """

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Refuse.
        """
        message = dns.Message()
        message.fromStr(datagram)
        message.answer, message.rCode = 1, dns.EREFUSED
        assert self.transport is not None
        self.transport.write(message.toStr(), addr)


def serveRefusals(test: SynchronousTestCase) -> tuple[str, int]:
    """
    Such a server, until the test ends.
    """
    port = UDP.listenUDP(0, Refusing(), interface="127.0.0.1")
    test.addCleanup(port.stopListening)
    return "127.0.0.1", port.getHost().port


def certificateFiles(names: Iterable[str], now: datetime | None = None) -> dict[str, bytes]:
    """
    An authority and a server's certificate.
    """
    with TemporaryDirectory() as directory:
        makeCertificates(Path(directory), names, now)
        return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


class ExaminedCase(ServiceCase):
    """
    A test of what is found at a service.

    @ivar hosts: what there is.
    """

    hosts: MailHosts

    async def serve(
        self, more: str = "", names: Iterable[str] = ALL_NAMES, now: datetime | None = None
    ) -> None:
        """
        Start the service.

        @param more: what is appended to the configuration.
        @param names: what the certificate covers.
        @param now: when it was made.
        """
        await self.start(more, files=certificateFiles(names, now), ports=freePorts())
        await self.addAccount(ALICE)
        self.hosts = mailHostsOf(readConfiguration(self.directory / "mailauth.toml"))

    def published(self, edit: Edit | None = None) -> list[DNSRecord]:
        """
        What the domain publishes.

        @param edit: changes a record, or takes it away.
        """
        records = [edit(each) if edit else each for each in recordsOf(self.hosts, DOMAIN)]
        return [each for each in records if each is not None]

    def directions(self) -> list[Direction]:
        """
        From the ports that programs use to those that the service has.
        """
        ports = {443: "https", **PACC_PORTS}
        return [Direction("", port, "", self.service.ports[name]) for port, name in ports.items()]

    async def examine(
        self,
        edit: Edit | None = None,
        directions: Iterable[Direction] = (),
        resolver: tuple[str, int] | None = None,
        **options: Any,
    ) -> Report:
        """
        Examine it.

        @param edit: see L{published}.
        @param directions: to take before the usual ones.
        @param resolver: another name server.
        @param options: of the examination.
        """
        server = resolver or serveRecords(self, self.published(edit))
        records = PublishedRecords(makeResolver(reactor, server))
        network = Network(reactor, [*directions, *self.directions()], records)
        trustRoot = trustRootOf((self.directory / "ca.pem").read_bytes())
        examination = Examination(ALICE, network, records, trustRoot, time, **options)
        return await examination.examine()

    def bad(self, report: Report) -> list[Finding]:
        """
        What is not as it should be.
        """
        return [finding for finding in report.findings if finding.level != OK]

    def means(self, report: Report) -> dict[str, str]:
        """
        What each program would use.
        """
        return {verdict.program: verdict.means for verdict in report.verdicts}
