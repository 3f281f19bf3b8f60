"""
The provider file of FairEmail for Android, which knows OAuth with any issuer.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from ..builtinclients import FAIREMAIL
from ..mailhosts import SCOPE, MailHosts

TYPE = b"text/xml; charset=utf-8"


def writeProviders(hosts: MailHosts, domain: str) -> bytes:
    """
    The file for the addresses of one domain.

    An element that FairEmail does not know would end its reading.
    """
    root = Element("providers")
    provider = SubElement(
        root, "provider", name=domain, id=domain, domain=re.escape(domain), order="1"
    )
    for protocol in ("imap", "smtp"):
        server = hosts.preferred(protocol)
        if server is not None:
            SubElement(
                provider,
                protocol,
                host=hosts.hostname,
                port=str(server.port),
                starttls="false" if server.implicitTLS else "true",
            )
    SubElement(
        provider,
        "oauth",
        enabled="true",
        askAccount="true",
        clientId=FAIREMAIL.clientId,
        scopes=SCOPE.replace(" ", ","),
        redirectUri=FAIREMAIL.redirectURIs[0],
        authorizationEndpoint=hosts.address("authorize"),
        tokenEndpoint=hosts.address("token"),
    )
    octets: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return octets
