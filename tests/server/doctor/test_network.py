"""
Tests of names: records, and the way to a host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHostnameResolver, IReactorPluggableNameResolver
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from mailauth.errors import Outage
from mailauth.server.doctor.findings import OK, WARNING
from mailauth.server.doctor.network import Direction, Network, readDirection
from mailauth.server.doctor.published import Published
from mailauth.server.doctor.records import (
    PublishedRecords,
    ZoneError,
    makeResolver,
    readZone,
)
from mailauth.server.setup.dns import DNSRecord, recordsOf, writeZone

from ..setup.described import HOSTS
from .examined import DOMAIN, serveRecords, serveRefusals

RECORDS = [*recordsOf(HOSTS, DOMAIN), DNSRecord(f"mail.{DOMAIN}", "A", "192.0.2.7")]


class MemoryRecords:
    """
    Records, by name and type.
    """

    def __init__(self, records: Mapping[tuple[str, str], str]) -> None:
        self._records = records

    async def find(self, name: str, type: str) -> tuple[str, ...]:
        """
        See L{Records.find<mailauth.server.doctor.records.Records.find>}.
        """
        value = self._records.get((name, type))
        return () if value is None else (value,)


class Receiver:
    """
    Hears where to go.
    """

    def __init__(self) -> None:
        self.places: list[tuple[str, int]] = []
        self.complete = False

    def resolutionBegan(self, resolution: Any) -> None:
        """
        See L{IResolutionReceiver<twisted.internet.interfaces.IResolutionReceiver>}.
        """

    def addressResolved(self, address: Any) -> None:
        """
        See L{IResolutionReceiver<twisted.internet.interfaces.IResolutionReceiver>}.
        """
        self.places.append((address.host, address.port))

    def resolutionComplete(self) -> None:
        """
        See L{IResolutionReceiver<twisted.internet.interfaces.IResolutionReceiver>}.
        """
        self.complete = True


class RecordsTests(TestCase):
    """
    L{PublishedRecords} and a name server on this machine; L{readZone}.
    """

    async def test_published(self) -> None:
        """
        Each record is read back as it was written; what is not there has no values.
        """
        records = PublishedRecords(makeResolver(reactor, serveRecords(self, RECORDS)))

        for record in RECORDS:
            self.assertEqual((record.value,), await records.find(record.name, record.type))
        self.assertEqual((), await records.find(f"nothing.{DOMAIN}", "TXT"))
        self.assertEqual((), await records.find(f"mail.{DOMAIN}", "AAAA"))

    async def test_outage(self) -> None:
        """
        A name server that refuses says nothing, and not that there is nothing.
        """
        records = PublishedRecords(makeResolver(reactor, serveRefusals(self)))

        with self.assertRaises(Outage):
            await records.find(DOMAIN, "TXT")

    async def test_zone(self) -> None:
        """
        What C{mailauth dns} writes is read, comments and all.
        """
        records = readZone("; a note\n\n" + writeZone(RECORDS))

        for record in RECORDS:
            self.assertEqual((record.value,), await records.find(record.name, record.type))
        self.assertEqual((), await records.find(DOMAIN, "TXT"))

    def test_noZone(self) -> None:
        """
        Anything else is refused, with its line.
        """
        error = self.assertRaises(ZoneError, readZone, "; a note\n$ORIGIN example.test.\n")

        self.assertIn("line 2", str(error))


class PublishedTests(SynchronousTestCase):
    """
    L{Published}, without anything that says what there is.
    """

    def judge(self, records: list[DNSRecord]) -> list[tuple[str, str]]:
        """
        What is said of records.
        """
        looking = Published.look(readZone(writeZone(records)), DOMAIN)
        published = self.successResultOf(Deferred.fromCoroutine(looking))
        return [(each.level, each.topic) for each in published.judge(None, None)]

    def test_list(self) -> None:
        """
        The services that are published are listed; that there are none is a warning; a digest
        without a document is one, too.
        """
        self.assertEqual([(OK, "srv")] * 5 + [(WARNING, "pacc.digest")], self.judge(RECORDS))
        self.assertEqual([(WARNING, "srv")], self.judge([]))

    def test_malformed(self) -> None:
        """
        A record that leads nowhere is none (RFC 2782).
        """
        for value in ("0 0 0 .", "x", "1 2 3", "0 0 70000 a.", "0 0 0 a."):
            record = DNSRecord(f"_imaps._tcp.{DOMAIN}", "SRV", value)

            self.assertEqual([(WARNING, "srv")], self.judge([record]))


class NetworkTests(SynchronousTestCase):
    """
    L{Network}.
    """

    def resolve(
        self,
        host: str,
        port: int,
        *directions: str,
        records: Mapping[tuple[str, str], str] | None = None,
        aliases: Mapping[tuple[str, str], str] | None = None,
    ) -> list[tuple[str, int]]:
        """
        Where somebody goes who wants to go to a host.
        """
        network = Network(
            MemoryReactorClock(),
            [readDirection(each) for each in directions],
            None if records is None else MemoryRecords(records),
            None if aliases is None else MemoryRecords(aliases),
        )
        verifyObject(IReactorPluggableNameResolver, network)
        verifyObject(IHostnameResolver, network)
        receiver: Any = Receiver()
        network.resolveHostName(receiver, host, port)
        self.assertTrue(receiver.complete)
        found: list[tuple[str, int]] = receiver.places
        return found

    def test_loopback(self) -> None:
        """
        Nobody is asked about C{localhost} and what is below it (RFC 6761 section 6.3).
        """
        for host in ("localhost", "mail.localhost", "MAIL.localhost"):
            self.assertEqual([("127.0.0.1", 993), ("::1", 993)], self.resolve(host, 993))

    def test_records(self) -> None:
        """
        Addresses are asked of the name server, through other names of the host, but not for ever.
        """
        records = {
            ("a.example", "CNAME"): "b.example.",
            ("b.example", "A"): "192.0.2.1",
            ("b.example", "AAAA"): "2001:db8::1",
            ("c.example", "CNAME"): "c.example.",
            ("e.example", "CNAME"): "b b\x00.",
        }

        self.assertEqual(
            [("192.0.2.1", 25), ("2001:db8::1", 25)],
            self.resolve("a.example", 25, records=records),
        )
        self.assertEqual([], self.resolve("c.example", 25, records=records))
        self.assertEqual([], self.resolve("d.example", 25, records=records))
        self.assertEqual([], self.resolve("e.example", 25, records=records))

    def test_aliases(self) -> None:
        """
        A zone file gives a host another name that nobody has published yet.
        """
        aliases = {("autoconfig.example", "CNAME"): "mail.localhost."}

        self.assertEqual(
            ("127.0.0.1", 443), self.resolve("autoconfig.example", 443, aliases=aliases)[0]
        )

    def test_directions(self) -> None:
        """
        The first direction that fits is followed, once.
        """
        for direction, expected in (
            ("a.example:443=127.0.0.1:1443", ("127.0.0.1", 1443)),
            ("a.example:=[::1]:", ("::1", 443)),
            (":443=127.0.0.1:", ("127.0.0.1", 443)),
            ("b.example:443=127.0.0.1:1", ("192.0.2.1", 443)),
            (":444=127.0.0.1:1", ("192.0.2.1", 443)),
        ):
            found = self.resolve(
                "a.example",
                443,
                direction,
                ":=127.0.0.9:" if "127.0.0.1:1443" in direction else ":1=:2",
                records={("a.example", "A"): "192.0.2.1"},
            )

            self.assertEqual([expected], found, direction)

    def test_readDirection(self) -> None:
        """
        What is no direction is refused.
        """
        self.assertEqual(Direction("", 443, "", 1443), readDirection(":443=:1443"))
        for text in ("", "443=1443", "a:1", "a:1=b", "a:x=b:1", "::1:1=b:1", ":1=:70000"):
            self.assertRaises(ValueError, readDirection, text)
