"""
The documents that mail programs set themselves up with, read as strictly as the programs read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

import attrs

from ...oauth.jwt import MalformedToken, parseObject
from .conversations import Place
from .network import MAX_PORT, isHost

_SOCKETS = {"SSL": True, "STARTTLS": False}

_PACC_PROTOCOLS = {
    "imap": ("imap", 993),
    "pop3": ("pop3", 995),
    "smtp": ("smtp", 465),
    "submit": ("smtp", 465),
}
"""
For each name that PACC has for a protocol ours, and the port that is implied, with TLS from the
start.
"""


class Unreadable(Exception):
    """
    It is not what programs expect there. The message says why.
    """


@attrs.frozen
class ListedServer:
    """
    A server in Mozilla's document.

    @ivar methods: how one logs in there, the preferred one first.
    """

    place: Place
    methods: tuple[str, ...]


@attrs.frozen
class Autoconfig:
    """
    Mozilla's document.

    @ivar servers: those that programs use, the preferred ones first.
    @ivar inClear: hosts and ports that are to be used without TLS.
    @ivar issuer: whom C{oAuth2} names, or C{None}.
    @ivar scope: what to ask for there, or C{None}.
    """

    servers: tuple[ListedServer, ...]
    inClear: tuple[str, ...]
    issuer: str | None
    scope: str | None

    def first(self, protocol: str) -> ListedServer | None:
        """
        The one that a program uses for a protocol.
        """
        return next((each for each in self.servers if each.place.protocol == protocol), None)


@attrs.frozen
class PACC:
    """
    PACC's document.
    """

    places: tuple[Place, ...]
    issuer: str | None


def readAutoconfig(octets: bytes, domain: str) -> Autoconfig:
    """
    Read Mozilla's document as Thunderbird does: of a server the first C{socketType} and all
    C{authentication}, and nothing that it does not know.

    @param domain: of the mail address.
    @raise Unreadable: Thunderbird drops it.
    """
    root = _readXML(octets)
    provider = root.find("emailProvider") if root.tag == "clientConfig" else None
    if provider is None:
        raise Unreadable("it has no <clientConfig> with an <emailProvider>")
    if provider.find("domain") is None:
        raise Unreadable("it has no <domain>")
    servers, inClear = [], []
    for element in provider:
        if element.tag not in ("incomingServer", "outgoingServer"):
            continue
        protocol = element.get("type", "")
        if protocol not in (("smtp",) if element.tag == "outgoingServer" else ("imap", "pop3")):
            continue
        host = _checkHost(_textOf(element, "hostname").replace("%EMAILDOMAIN%", domain))
        port, socket = _portOf(element, "port"), _textOf(element, "socketType")
        if socket in _SOCKETS:
            methods = tuple((each.text or "").strip() for each in element.iter("authentication"))
            servers.append(ListedServer(Place(protocol, host, port, _SOCKETS[socket]), methods))
        else:
            inClear.append(f"{host}:{port}")
    if not servers and not inClear:
        raise Unreadable("it names no server")
    login = root.find("oAuth2")
    issuer, scope = (
        (None, None)
        if login is None
        else (login.findtext("issuer") or None, login.findtext("scope") or None)
    )
    return Autoconfig(tuple(servers), tuple(inClear), issuer, scope)


def readPACC(octets: bytes) -> PACC:
    """
    Read PACC's document.

    @raise Unreadable: it is none.
    """
    try:
        members = parseObject(octets)
    except MalformedToken:
        raise Unreadable("it is no JSON object") from None
    places = dict.fromkeys(_placesOfPACC(_object(members, "protocols")))
    if not places:
        raise Unreadable("it names no server")
    issuer = _object(_object(members, "authentication"), "oauth-public").get("issuer")
    return PACC(tuple(places), issuer if isinstance(issuer, str) else None)


def readAutodiscover(octets: bytes) -> tuple[Place, ...]:
    """
    Read what Autodiscover answers to Outlook ([MS-OXDSCLI]).

    @raise Unreadable: Outlook finds no settings in it.
    """
    root = _readXML(octets)
    for error in _named(root, "Message"):
        raise Unreadable(f"it says: {(error.text or '')[:200]}")
    places = tuple(_placesOfAutodiscover(root))
    if not places:
        raise Unreadable("it names no server")
    return places


def _placesOfPACC(protocols: Mapping[str, Any]) -> Iterator[Place]:
    for name, (protocol, port) in _PACC_PROTOCOLS.items():
        host = _object(protocols, name).get("host")
        if isinstance(host, str):
            yield Place(protocol, _checkHost(host), port, True)


def _placesOfAutodiscover(root: Element) -> Iterator[Place]:
    for element in _named(root, "Protocol"):
        settings = {_localName(each): (each.text or "").strip() for each in element}
        protocol = settings.get("Type", "").lower()
        port = settings.get("Port", "")
        if protocol in ("imap", "pop3", "smtp") and _isPort(port):
            implicit = (
                settings.get("SSL", "on").lower() == "on"
                and settings.get("Encryption", "").upper() != "TLS"
            )
            yield Place(protocol, _checkHost(settings.get("Server", "")), int(port), implicit)


class _NoDoctype(TreeBuilder):
    """
    Without a document type there are no entities, neither large ones nor files of this machine.
    """

    def doctype(self, *declared: object) -> NoReturn:
        """
        There is one.
        """
        raise Unreadable("it has a document type")


def _readXML(octets: bytes) -> Element:
    parser = XMLParser(target=_NoDoctype())  # noqa: S314
    try:
        parser.feed(octets)
        root: Element = parser.close()
    except (ParseError, LookupError, ValueError) as error:
        raise Unreadable(f"it is no XML ({error})") from None
    return root


def _named(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter() if _localName(element) == name)


def _localName(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _textOf(element: Element, name: str) -> str:
    text = (element.findtext(name) or "").strip()
    if not text:
        raise Unreadable(f"a server has no <{name}>")
    return text


def _checkHost(text: str) -> str:
    if not isHost(text):
        raise Unreadable(f"{text[:100]!r} is no name of a host")
    return text.lower()


def _portOf(element: Element, name: str) -> int:
    text = _textOf(element, name)
    if not _isPort(text):
        raise Unreadable(f"{text[:100]!r} is no port")
    return int(text)


def _isPort(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= MAX_PORT


def _object(members: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    member = members.get(name)
    return member if isinstance(member, dict) else {}
