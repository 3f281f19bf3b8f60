"""
The server that the tests here are about, and a way to read XML.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

from mailauth.server.mailhosts import MailHosts, MailServer

ISSUER = "https://id.example.org/mail"
HOST = "mail.example.org"
SERVERS = (
    MailServer("imap", 993, True),
    MailServer("imap", 143, False),
    MailServer("pop3", 995, True),
    MailServer("smtp", 465, True),
    MailServer("smtp", 587, False),
)
HOSTS = MailHosts(HOST, ISSUER, SERVERS)
STARTTLS = MailHosts(HOST, ISSUER, tuple(each for each in SERVERS if not each.implicitTLS))


def read(octets: bytes) -> Element:
    """
    The root of a document of ours.
    """
    return fromstring(octets)


def texts(element: Element) -> list[tuple[str, str]]:
    """
    What the children of an element hold, in order.
    """
    return [(child.tag, child.text or "") for child in element]
