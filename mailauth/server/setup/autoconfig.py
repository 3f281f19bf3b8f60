"""
The document that Thunderbird and others look for (draft-ietf-mailmaint-autoconfig).
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from ..mailhosts import SCOPE, MailHosts, MailServer

TYPE = b"text/xml; charset=utf-8"

_METHODS = ("OAuth2", "password-cleartext")
"""
The preferred one first. Never the first alone: a program that has no client for this issuer would
drop the document, and guess.
"""


def writeAutoconfig(hosts: MailHosts, domain: str) -> bytes:
    """
    The document for the addresses of one domain.
    """
    # What came with 1.2 every program that knows 1.1 leaves out, and some take nothing else.
    root = Element("clientConfig", version="1.1")
    provider = SubElement(root, "emailProvider", id=domain)
    _add(provider, "domain", domain)
    _add(provider, "displayName", domain[:60])
    _add(provider, "displayShortName", domain[:20])
    for server in hosts.servers:
        _addServer(provider, hosts, server)
    documentation = SubElement(provider, "documentation", url=hosts.address("setup/"))
    SubElement(documentation, "descr", lang="en").text = "Set up your mail program"
    login = SubElement(root, "oAuth2")
    _add(login, "authURL", hosts.address("authorize"))
    _add(login, "tokenURL", hosts.address("token"))
    _add(login, "issuer", hosts.issuer)
    _add(login, "scope", SCOPE)
    octets: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return octets


def _addServer(provider: Element, hosts: MailHosts, server: MailServer) -> None:
    direction = "outgoingServer" if server.protocol == "smtp" else "incomingServer"
    element = SubElement(provider, direction, type=server.protocol)
    _add(element, "hostname", hosts.hostname)
    _add(element, "port", str(server.port))
    _add(element, "socketType", "SSL" if server.implicitTLS else "STARTTLS")
    _add(element, "username", "%EMAILADDRESS%")
    for method in _METHODS:
        _add(element, "authentication", method)


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text
