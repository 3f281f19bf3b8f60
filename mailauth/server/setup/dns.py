"""
The records that a domain publishes so that mail programs find this server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from ..mailhosts import MailHosts
from .pacc import digestRecord, writePACC

SERVICES = {
    "_imaps": ("imap", True, 0),
    "_submissions": ("smtp", True, 0),
    "_pop3s": ("pop3", True, 20),
    "_imap": ("imap", False, 10),
    "_submission": ("smtp", False, 10),
}
"""
For each service of RFC 6186 section 3 and RFC 8314 section 5.1 its protocol, whether TLS begins at
once, and its priority. POP3 with STARTTLS is for nobody to find.
"""

CONFIGURATIONS = ("autoconfig", "autodiscover", "ua-auto-config")


@attrs.frozen
class DNSRecord:
    """
    One record.

    @ivar name: without the dot at the end.
    """

    name: str
    type: str
    value: str


def recordsOf(hosts: MailHosts, domain: str) -> Iterator[DNSRecord]:
    """
    All records of a domain but its MX: mail from elsewhere does not come here.
    """
    for service, (protocol, implicitTLS, priority) in SERVICES.items():
        server = hosts.preferred(protocol, implicitTLS)
        # RFC 6186 section 3.4: this is how a domain says that it does not offer one.
        value = f"{priority} 1 {server.port} {hosts.hostname}." if server else "0 0 0 ."
        yield DNSRecord(f"{service}._tcp.{domain}", "SRV", value)
    for label in CONFIGURATIONS:
        yield DNSRecord(f"{label}.{domain}", "CNAME", f"{hosts.webHost}.")
    digest = digestRecord(writePACC(hosts))
    yield DNSRecord(f"_ua-auto-config.{domain}", "TXT", digest)


def writeZone(records: Iterable[DNSRecord]) -> str:
    """
    Records as a zone file has them (RFC 1035 section 5).
    """
    return "\n".join(
        f'{each.name}. 3600 IN {each.type} "{each.value}"'
        if each.type == "TXT"
        else f"{each.name}. 3600 IN {each.type} {each.value}"
        for each in records
    )
