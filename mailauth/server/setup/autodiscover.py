"""
Microsoft Autodiscover, as far as Outlook uses it for IMAP and POP3 ([MS-OXDSCLI], "plain old XML"),
and the JSON that newer programs ask first.

It knows no OAuth: what it sets up takes an app password.
"""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring
from xml.parsers.expat import ExpatError, ParserCreate

from ..mailhosts import MailHosts, MailServer

TYPE = b"text/xml; charset=utf-8"

PATH = "autodiscover/autodiscover.xml"

_FRAME = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_SETTINGS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"

MAX_DEPTH = 8
"""
How deep a request may be nested. A good one has three elements inside each other.
"""


class AutodiscoverError(Exception):
    """
    There are no settings for this request.

    @ivar code: as [MS-OXDSCLI] section 2.2.4.1.1.1 numbers them.
    @ivar sentence: for a person.
    """

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def unknownAddress() -> AutodiscoverError:
    """
    Nobody has this address here, or could.
    """
    return AutodiscoverError(500, "There is no such mail address here.")


def readAddress(octets: bytes) -> str:
    """
    The mail address that a request is about.

    @raise AutodiscoverError: it is no such request.
    """
    texts: dict[str, str] = {}
    path: list[str] = []
    parser = ParserCreate(namespace_separator=" ")

    def begin(name: str, attributes: object) -> None:
        # Each text is noted under all that it is in: a request that is nothing but depth would cost
        # the square of its size (DS10).
        if len(path) >= MAX_DEPTH:
            raise AutodiscoverError(600, "Invalid Request")
        # Whatever its namespace: that of ActiveSync is another.
        path.append(name.rpartition(" ")[2])

    def end(name: str) -> None:
        path.pop()

    def text(characters: str) -> None:
        place = "/".join(path)
        texts[place] = texts.get(place, "") + characters

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuseDoctype
    try:
        parser.Parse(octets, True)
    except (ExpatError, LookupError, ValueError):
        raise AutodiscoverError(600, "Invalid Request") from None
    address = texts.get("Autodiscover/Request/EMailAddress", "").strip()
    schema = texts.get("Autodiscover/Request/AcceptableResponseSchema", "").strip()
    if not address:
        raise AutodiscoverError(600, "Invalid Request")
    if schema != _SETTINGS:
        # ActiveSync asks here, too.
        raise AutodiscoverError(601, "Requested schema version not supported")
    return address


def _refuseDoctype(*declared: object) -> None:
    """
    Without a document type there are no entities, neither large ones nor other people's files.
    """
    raise AutodiscoverError(600, "Invalid Request")


def writeSettings(hosts: MailHosts, address: str) -> bytes:
    """
    How a mailbox is reached.
    """
    root = Element("Autodiscover", xmlns=_FRAME)
    response = SubElement(root, "Response", xmlns=_SETTINGS)
    _add(SubElement(response, "User"), "DisplayName", address)
    account = SubElement(response, "Account")
    _add(account, "AccountType", "email")
    _add(account, "Action", "settings")
    for protocol in ("imap", "pop3", "smtp"):
        server = hosts.preferred(protocol)
        if server is not None:
            _addProtocol(account, hosts, server, address)
    return _write(root)


def _addProtocol(account: Element, hosts: MailHosts, server: MailServer, address: str) -> None:
    protocol = SubElement(account, "Protocol")
    _add(protocol, "Type", server.protocol.upper())
    _add(protocol, "Server", hosts.hostname)
    _add(protocol, "Port", str(server.port))
    _add(protocol, "DomainRequired", "off")
    _add(protocol, "LoginName", address)
    _add(protocol, "SPA", "off")
    _add(protocol, "SSL", "on")
    if not server.implicitTLS:
        _add(protocol, "Encryption", "TLS")
    _add(protocol, "AuthRequired", "on")
    if server.protocol == "smtp":
        _add(protocol, "UsePOPAuth", "off")
        _add(protocol, "SMTPLast", "off")


def writeError(error: AutodiscoverError, now: float) -> bytes:
    """
    That there are none, and why.
    """
    root = Element("Autodiscover", xmlns=_FRAME)
    response = SubElement(root, "Response")
    time = datetime.fromtimestamp(now, UTC).strftime("%H:%M:%S.%f")
    told = SubElement(response, "Error", Time=time, Id="0")
    _add(told, "ErrorCode", str(error.code))
    _add(told, "Message", error.sentence)
    SubElement(told, "DebugData")
    return _write(root)


def locate(hosts: MailHosts, protocol: str | None) -> tuple[int, dict[str, str]]:
    """
    The answer to whoever asks in JSON, where the service of a protocol is: there is one
    that knows the settings, and no other.

    @return: the HTTP status, and the members.
    """
    if protocol is None:
        return 400, {
            "ErrorCode": "MandatoryParameterMissing",
            "ErrorMessage": "A valid value must be provided for the query parameter 'Protocol'.",
        }
    if protocol.lower() != "autodiscoverv1":
        return 400, {
            "ErrorCode": "ProtocolNotSupported",
            "ErrorMessage": "This server supports the protocol 'AutodiscoverV1' only.",
        }
    return 200, {"Protocol": "AutodiscoverV1", "Url": f"{hosts.origin}/{PATH}"}


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _write(root: Element) -> bytes:
    octets: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return octets
