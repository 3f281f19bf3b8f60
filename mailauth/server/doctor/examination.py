"""
The whole examination, in the order in which a mail program learns things: names, documents, mail
servers, the authorization server. Owns what is put together from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from ...errors import Outage
from ..mailhosts import SCOPE, MailHosts, MailServer
from ..setup.autoconfig import writeAutoconfig
from ..setup.pacc import writePACC
from .authorization import AuthorizationServer, findIssuers
from .conversations import Heard, Place, converse
from .discovery import Discovery
from .findings import FAILS, UNKNOWN, Finding, Section, doubtful, good, together, unknown, wrong
from .mailservers import configurationOf, judgeServer
from .network import Network
from .programs import Verdict, judgePrograms
from .published import Published
from .records import Records
from .setupfiles import SetupFiles
from .web import Absent, Web, isWebAddress

MAX_PLACES = 24
"""
How many mail servers are talked to. A document that names more is somebody's joke.
"""


@attrs.frozen
class Report:
    """
    What was found.

    @ivar address: for whom.
    """

    address: str
    sections: tuple[Section, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def findings(self) -> Iterator[Finding]:
        """
        All of them.
        """
        for section in self.sections:
            yield from section.findings

    @property
    def works(self) -> bool:
        """
        Whether nothing fails, and everything could be found out.
        """
        return all(finding.level not in (FAILS, UNKNOWN) for finding in self.findings)


class Examination:
    """
    Examines what there is for one mail address.
    """

    def __init__(
        self,
        address: str,
        network: Network,
        records: Records,
        trustRoot: Any,
        now: Callable[[], float],
        configured: MailHosts | None = None,
        register: bool = False,
    ) -> None:
        """
        @param address: the mail address, in canonical form.
        @param trustRoot: see L{CuriousTLS<mailauth.server.doctor.certificates.CuriousTLS>}.
        @param now: the wall clock, in seconds since the epoch.
        @param configured: what a configuration says, if there is one.
        @param register: register a client.
        """
        self._address = address
        self._domain = address.rpartition("@")[2]
        self._network = network
        self._records = records
        self._trustRoot = trustRoot
        self._now = now
        self._configured = configured
        self._register = register
        self._undecided = False
        self._web = Web(network, trustRoot, records, now)

    async def examine(self) -> Report:
        """
        Do it.
        """
        published = await Published.look(self._records, self._domain)
        discovery = Discovery(self._web, self._address)
        certificates = await discovery.certificates()
        documents = await together(
            [discovery.findAutoconfig(), discovery.findPACC(), discovery.findAutodiscover()]
        )
        issuers = discovery.issuers()
        configured = self._configured
        sections = [
            ("Web hosts", certificates),
            *zip(("Autoconfig", "PACC", "Autodiscover"), documents, strict=True),
        ]
        if configured is not None:
            compared = [*_compare(configured, discovery, issuers, self._domain)]
            sections.append(("Configuration", compared))
            if issuers not in ([], [configured.issuer]):
                configured = None
        hosts = configured or _hostsOf(discovery, issuers)
        sections.insert(0, ("DNS", [*published.judge(hosts, discovery.paccDocument)]))
        places = [*dict.fromkeys([*discovery.places(), *published.places()])][:MAX_PLACES]
        heard = await together(converse(self._network, self._trustRoot, each) for each in places)
        self._undecided = discovery.undecided or published.undecided
        sections.append(("Mail servers", [*self._judgeServers(places, heard)]))
        settings = discovery.autoconfig
        scope = settings.scope if settings is not None and settings.scope else SCOPE
        sections += await self._examineIssuer(issuers, scope, places, heard)
        sections.append(("JMAP", await self._examineJMAP(published)))
        findings = [finding for _, found in sections for finding in found]
        return Report(
            self._address,
            tuple(Section(title, tuple(found)) for title, found in sections if found),
            tuple(judgePrograms(findings)),
        )

    def _judgeServers(self, places: list[Place], heard: list[Heard]) -> Iterator[Finding]:
        now = datetime.fromtimestamp(self._now(), UTC)
        preferred = _preferred(places)
        for place, each in zip(places, heard, strict=True):
            yield from judgeServer(place, each, preferred[place.protocol] == place, now)
        for protocol, what in (("imap", "read"), ("smtp", "sent")):
            if protocol not in preferred:
                yield self._missing(
                    f"{protocol}.connect",
                    f"where mail of {self._domain} is {what}",
                    f"Have autoconfig.{self._domain} lead to the server, and publish what"
                    f" 'mailauth dns {self._domain}' shows.",
                )

    async def _examineIssuer(
        self, issuers: list[str], scope: str, places: list[Place], heard: list[Heard]
    ) -> list[tuple[str, list[Finding]]]:
        led = dict.fromkeys(
            address for each in heard if (address := configurationOf(each.refused)) is not None
        )
        findings: list[Finding] = []
        if not issuers:
            mend = "mailauth names it in autoconfig and in PACC's document: see above."
            findings.append(self._missing("issuer.named", "who gives out tokens", mend))
            issuers = await findIssuers(self._web, led)
        if not issuers:
            return [("Authorization server", [attrs.evolve(findings[0], topic="issuer")])]
        if not isWebAddress(issuers[0]):
            says = f"The issuer that programs are led to is {issuers[0]!r}: no address with https."
            mend = "[issuer] url has to be one, and the documents have to name it."
            return [("Authorization server", [*findings, wrong("issuer", says, mend)])]
        if len(issuers) > 1:
            findings.append(
                wrong(
                    "issuer",
                    f"Programs are led to different issuers: {', '.join(issuers)}.",
                    "Have all documents come from one server.",
                )
            )
        server = AuthorizationServer(self._web, issuers[0], self._address, scope)
        findings += await server.certificate()
        findings += await server.describe(led)
        findings += await server.keys()
        clients = await server.signIns()
        if self._register:
            clients += await server.register()
        files = SetupFiles(
            self._web, issuers[0], self._address, _preferred(places), server.metadata
        )
        return [
            ("Authorization server", findings),
            ("Clients", clients),
            ("Set-up files", await files.look()),
        ]

    def _missing(self, topic: str, what: str, mend: str) -> Finding:
        """
        What nothing says, or nobody could read.
        """
        if self._undecided:
            return unknown(topic, f"It could not be found out {what}.", mend)
        return wrong(topic, f"Nothing that programs find says {what}.", mend)

    async def _examineJMAP(self, published: Published) -> list[Finding]:
        """
        Where an SRV record says that there is JMAP, there has to be (RFC 8620 section 2.2).
        """
        place = published.jmap()
        if place is None:
            return []
        address = f"https://{place[0]}:{place[1]}/.well-known/jmap"
        try:
            status = (await self._web.get(address)).status
        except Absent as error:
            return [wrong("jmap", f"{address}: {error}.", "Remove the record, or mend that.")]
        except Outage as error:
            return [unknown("jmap", f"{address}: it could not be found out: {error.reason}.")]
        # Nobody is logged in, and it may be somewhere else.
        if status in (200, 301, 302, 303, 307, 308, 401):
            return [good("jmap", f"{address} answers.")]
        says = f"{address}: it answers {status}, and an SRV record says that JMAP is there."
        return [wrong("jmap", says, f"Remove the record _jmap._tcp.{self._domain}.")]


def _preferred(places: Iterable[Place]) -> Mapping[str, Place]:
    """
    For each protocol where programs go.
    """
    preferred: dict[str, Place] = {}
    for place in places:
        preferred.setdefault(place.protocol, place)
    return preferred


def _hostsOf(discovery: Discovery, issuers: list[str]) -> MailHosts | None:
    """
    What there is, by the documents.
    """
    if discovery.autoconfig is None or not issuers or not isWebAddress(issuers[0]):
        return None
    places = [each.place for each in discovery.autoconfig.servers]
    if not places:
        return None
    hostname = places[0].host
    servers = [
        MailServer(each.protocol, each.port, each.implicitTLS)
        for each in places
        if each.host == hostname
    ]
    return MailHosts(hostname, issuers[0], tuple(servers))


def _compare(
    configured: MailHosts, discovery: Discovery, issuers: list[str], domain: str
) -> Iterator[Finding]:
    """
    Whether what programs find is what a configuration says.
    """
    if issuers not in ([], [configured.issuer]):
        yield doubtful(
            "configuration",
            f"The configuration here is that of {configured.issuer}, and programs are led to"
            f" {', '.join(issuers)}: nothing was compared with it.",
        )
        return
    for name, found, expected in (
        ("autoconfig", discovery.autoconfigDocument, writeAutoconfig(configured, domain)),
        ("PACC", discovery.paccDocument, writePACC(configured)),
    ):
        if found == expected:
            yield good("configuration", f"What programs find by {name} is what is configured.")
        elif found is not None:
            yield doubtful(
                "configuration",
                f"What programs find by {name} is not what is configured.",
                "Restart the server, if the configuration was changed since it started.",
            )
