"""
What a domain publishes, against what it should.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ...errors import Outage
from ..mailhosts import MailHosts
from ..setup.dns import CONFIGURATIONS, SERVICES, DNSRecord, recordsOf, writeZone
from ..setup.pacc import digestRecord
from .conversations import Place
from .findings import Finding, doubtful, good, together, unknown, wrong
from .network import MAX_PORT
from .records import Records

DIGEST = "_ua-auto-config"

_JMAP = "_jmap"

_SRV = re.compile(r"[0-9]+ [0-9]+ (?P<port>[0-9]{1,5}) (?P<host>[^. ]+(?:\.[^. ]+)*)\.")


@attrs.frozen
class Found:
    """
    What a name server says of one name.

    @ivar outage: why nobody can tell, or the empty string.
    """

    values: tuple[str, ...]
    outage: str = ""


class Published:
    """
    The records of a domain.
    """

    def __init__(self, domain: str, found: Mapping[tuple[str, str], Found]) -> None:
        """
        @param found: by name and type.
        """
        self._domain = domain
        self._found = found

    @classmethod
    async def look(cls, records: Records, domain: str) -> Published:
        """
        Look up everything that programs look up.
        """
        asked = [
            *((f"{service}._tcp.{domain}", "SRV") for service in (*SERVICES, _JMAP)),
            *(
                (f"{label}.{domain}", type)
                for label in CONFIGURATIONS
                for type in ("CNAME", "A", "AAAA")
            ),
            (f"{DIGEST}.{domain}", "TXT"),
        ]
        found = await together(_find(records, *each) for each in asked)
        return cls(domain, dict(zip(asked, found, strict=True)))

    @property
    def undecided(self) -> bool:
        """
        Whether nobody can tell where the services are.
        """
        return any(found.outage for _, found in self._services())

    def places(self) -> Iterator[Place]:
        """
        Where the services are, by the records.
        """
        for service, (protocol, implicitTLS, _) in SERVICES.items():
            for host, port in _targets(self._found[f"{service}._tcp.{self._domain}", "SRV"]):
                yield Place(protocol, host, port, implicitTLS)

    def jmap(self) -> tuple[str, int] | None:
        """
        Where JMAP is (RFC 8620 section 2.2), if somewhere.
        """
        found = self._found[f"{_JMAP}._tcp.{self._domain}", "SRV"]
        return next(_targets(found), None)

    def judge(self, hosts: MailHosts | None, document: bytes | None) -> Iterator[Finding]:
        """
        Compare them.

        @param hosts: what there is, or C{None} if nothing says it.
        @param document: PACC's, as it is served, or C{None}.
        """
        if hosts is None:
            yield from self._list()
        else:
            for record in recordsOf(hosts, self._domain):
                if record.type == "SRV":
                    yield from self._judgeService(record)
                elif record.type == "CNAME":
                    yield self._judgeAlias(record)
        yield from self._judgeDigest(document)

    def _services(self) -> Iterator[tuple[str, Found]]:
        for service in SERVICES:
            name = f"{service}._tcp.{self._domain}"
            yield name, self._found[name, "SRV"]

    def _list(self) -> Iterator[Finding]:
        for name, found in self._services():
            if found.outage:
                yield _undecided("srv", name, found)
        places = [*self.places()]
        for place in places:
            yield good("srv", f"An SRV record leads to {place}.")
        if not places and not self.undecided:
            yield doubtful("srv", f"No SRV record of {self._domain} says where its mail is.")

    def _judgeService(self, record: DNSRecord) -> Iterator[Finding]:
        found = self._found[record.name, "SRV"]
        topic = f"srv.{record.name.partition('.')[0]}"
        wanted = _target(record.value)
        publish = f"Publish: {writeZone([record])}"
        targets = [*_targets(found)]
        if found.outage:
            yield _undecided(topic, record.name, found)
        elif wanted is None:
            if targets:
                yield wrong(
                    topic,
                    f"{record.name} leads to {_shown(targets)}, and there is no such service.",
                    publish,
                )
        elif wanted in targets:
            yield good(topic, f"{record.name} leads to {_shown([wanted])}.")
        elif targets:
            yield wrong(
                topic,
                f"{record.name} leads to {_shown(targets)}, and the server is at"
                f" {_shown([wanted])}.",
                publish,
            )
        else:
            yield doubtful(
                topic,
                f"{record.name} is not there: programs that look for services do not find"
                f" {_shown([wanted])}.",
                publish,
            )

    def _judgeAlias(self, record: DNSRecord) -> Finding:
        topic, name = "cname", record.name
        alias, *addresses = (self._found[name, type] for type in ("CNAME", "A", "AAAA"))
        publish = f"Publish: {writeZone([record])}"
        if alias.outage:
            return _undecided(topic, name, alias)
        if record.value in alias.values:
            return good(topic, f"{name} is another name of {record.value.removesuffix('.')}.")
        if alias.values:
            other = alias.values[0].removesuffix(".")
            return doubtful(topic, f"{name} is another name of {other}.", publish)
        if any(each.values for each in addresses):
            return good(topic, f"{name} has an address of its own.")
        return doubtful(topic, f"{name} is not there.", publish)

    def _judgeDigest(self, document: bytes | None) -> Iterator[Finding]:
        name = f"{DIGEST}.{self._domain}"
        found = self._found[name, "TXT"]
        digests = [digest for value in found.values if (digest := _digestOf(value)) is not None]
        if found.outage:
            yield _undecided("pacc.digest", name, found)
        elif document is None:
            if digests:
                yield doubtful(
                    "pacc.digest", f"{name} vouches for a document that nobody gets to see."
                )
        elif _digestOf(digestRecord(document)) in digests:
            yield good("pacc.digest", f"{name} has the digest of PACC's document.")
        else:
            said = "has the digest of another document" if digests else "is not there"
            record = DNSRecord(name, "TXT", digestRecord(document))
            yield wrong(
                "pacc.digest",
                f"{name} {said}: programs that know PACC do not believe the one that is served.",
                f"Publish: {writeZone([record])}",
            )


async def _find(records: Records, name: str, type: str) -> Found:
    try:
        return Found(await records.find(name, type))
    except Outage as error:
        return Found((), error.reason or "")


def _undecided(topic: str, name: str, found: Found) -> Finding:
    return unknown(
        topic,
        f"{name}: it could not be found out: {found.outage}.",
        "Ask another name server: --resolver.",
    )


def _targets(found: Found) -> Iterator[tuple[str, int]]:
    for value in found.values:
        target = _target(value)
        if target is not None:
            yield target


def _target(value: str) -> tuple[str, int] | None:
    """
    Where an SRV record leads to; C{None} for nowhere (RFC 2782).
    """
    match = _SRV.fullmatch(value)
    if match is None or not 0 < int(match["port"]) <= MAX_PORT:
        return None
    return match["host"].lower(), int(match["port"])


def _shown(targets: list[tuple[str, int]]) -> str:
    return ", ".join(f"{host}:{port}" for host, port in targets)


def _digestOf(record: str) -> str | None:
    tags: dict[str, Any] = {}
    for tag in record.split(";"):
        name, _, value = tag.partition("=")
        tags[name.strip()] = value.strip()
    if (tags.get("v"), tags.get("a")) != ("UAAC1", "sha256"):
        return None
    return tags.get("d")
