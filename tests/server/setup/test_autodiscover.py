"""
Tests of Microsoft Autodiscover.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from hypothesis import given
from hypothesis import strategies as st
from lxml.etree import XMLSchema, fromstring
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.setup.autodiscover import (
    AutodiscoverError,
    locate,
    readAddress,
    writeError,
    writeSettings,
)

from .described import HOST, HOSTS, STARTTLS, read

EXCHANGE = "http://schemas.microsoft.com/exchange/autodiscover"
REQUEST = f"{EXCHANGE}/outlook/requestschema/2006"
SETTINGS = f"{EXCHANGE}/outlook/responseschema/2006a"
FRAME = f"{EXCHANGE}/responseschema/2006"
ALICE = "alice@example.org"

_REQUEST = """\
<?xml version="1.0" encoding="utf-8"?>{doctype}
<Autodiscover xmlns="{namespace}">
  <Request>
    <EMailAddress>{address}</EMailAddress>
    <AcceptableResponseSchema>{schema}</AcceptableResponseSchema>
  </Request>
</Autodiscover>
"""

_LAUGHS = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'
_FILE = '<!DOCTYPE a [<!ENTITY c SYSTEM "file:///etc/passwd">]>'
_ELSEWHERE = '<!DOCTYPE a SYSTEM "http://elsewhere.example/a.dtd">'


def request(
    address: str = ALICE, schema: str = SETTINGS, namespace: str = REQUEST, doctype: str = ""
) -> bytes:
    """
    What Outlook sends.
    """
    text = _REQUEST.format(address=address, schema=schema, namespace=namespace, doctype=doctype)
    return text.encode()


class RequestTests(SynchronousTestCase):
    """
    L{readAddress}.
    """

    def refused(self, octets: bytes) -> int:
        """
        With which code it is refused.
        """
        error: AutodiscoverError = self.assertRaises(AutodiscoverError, readAddress, octets)
        return error.code

    def test_address(self) -> None:
        """
        The address is read, and entities that every document has are.
        """
        self.assertEqual(ALICE, readAddress(request()))
        self.assertEqual("a&b@example.org", readAddress(request("\n a&amp;b@example.org ")))

    def test_otherSchema(self) -> None:
        """
        Who wants ActiveSync hears that it is not here.
        """
        mobile = f"{EXCHANGE}/mobilesync"
        asked = request(
            schema=f"{mobile}/responseschema/2006", namespace=f"{mobile}/requestschema/2006"
        )

        self.assertEqual(601, self.refused(asked))
        self.assertEqual(601, self.refused(request(schema="")))

    def test_deep(self) -> None:
        """
        A request that is nothing but depth is refused before it costs anything (DS10), though what
        it asks for stands at its end.
        """
        deep = b"<x>t" * 9 + b"</x>" * 9 + b"</Autodiscover>"

        self.assertEqual(600, self.refused(request().replace(b"</Autodiscover>", deep)))
        shallow = b"<x>t" * 3 + b"</x>" * 3 + b"</Autodiscover>"
        self.assertEqual(ALICE, readAddress(request().replace(b"</Autodiscover>", shallow)))

    def test_doctype(self) -> None:
        """
        A document type is not read: neither large entities, nor files, nor other servers' (DS10).
        """
        for doctype in (_LAUGHS, _FILE, _ELSEWHERE):
            self.assertEqual(600, self.refused(request("&c;", doctype=doctype)))
            self.assertEqual(600, self.refused(request(doctype=doctype)))

    def test_broken(self) -> None:
        """
        What is no request is an invalid one.
        """
        encoded = b"<?xml version='1.0' encoding='unheard-of'?><a/>"
        for octets in (b"", b"<", b"<a/>", request("&c;"), request(""), encoded):
            self.assertEqual(600, self.refused(octets))

    @given(st.binary() | st.text().map(str.encode))
    def test_anything(self, octets: bytes) -> None:
        """
        No octets raise anything else.
        """
        self.assertRaises(AutodiscoverError, readAddress, octets)


class SettingsTests(SynchronousTestCase):
    """
    L{writeSettings}.
    """

    def account(self, octets: bytes) -> Element:
        """
        The account in an answer.
        """
        root = read(octets)
        self.assertEqual(f"{{{FRAME}}}Autodiscover", root.tag)
        account = root.find(f"{{{SETTINGS}}}Response/{{{SETTINGS}}}Account")
        assert account is not None
        return account

    def protocols(self, octets: bytes) -> list[dict[str, str]]:
        """
        What it says about each protocol.
        """
        return [
            {each.tag.removeprefix(f"{{{SETTINGS}}}"): each.text or "" for each in protocol}
            for protocol in self.account(octets).findall(f"{{{SETTINGS}}}Protocol")
        ]

    def test_protocols(self) -> None:
        """
        IMAP, POP3 and SMTP, with the whole address as the user name and no other login than that.
        """
        octets = writeSettings(HOSTS, ALICE)
        usual = {
            "Server": HOST,
            "DomainRequired": "off",
            "LoginName": ALICE,
            "SPA": "off",
            "SSL": "on",
            "AuthRequired": "on",
        }

        self.assertEqual("email", self.account(octets).findtext(f"{{{SETTINGS}}}AccountType"))
        self.assertEqual("settings", self.account(octets).findtext(f"{{{SETTINGS}}}Action"))
        self.assertEqual(
            [
                {**usual, "Type": "IMAP", "Port": "993"},
                {**usual, "Type": "POP3", "Port": "995"},
                {**usual, "Type": "SMTP", "Port": "465", "UsePOPAuth": "off", "SMTPLast": "off"},
            ],
            self.protocols(octets),
        )

    def test_startTLS(self) -> None:
        """
        Where TLS begins later, it says so, and what is not there it does not name.
        """
        found = [
            (each["Type"], each["Port"], each["Encryption"])
            for each in self.protocols(writeSettings(STARTTLS, ALICE))
        ]

        self.assertEqual([("IMAP", "143", "TLS"), ("SMTP", "587", "TLS")], found)

    def test_schema(self) -> None:
        """
        Each answer is one that [MS-OXDSCLI] knows, and what has a value that it does not, is none.
        """
        schema = XMLSchema(file=Path(__file__).with_name("autodiscover.xsd"))
        for octets in (
            writeSettings(HOSTS, ALICE),
            writeSettings(STARTTLS, "<a>&@example.org"),
            writeError(AutodiscoverError(601, "Requested schema version not supported"), 3661.5),
        ):
            schema.assertValid(fromstring(octets))
            # It is not one that takes anything.
            for right, wrong in (
                (b">on<", b">yes<"),
                (b"Port>", b"port>"),
                (b"<Type>", b"<Type>X"),
                (b"ErrorCode>", b"Code>"),
            ):
                changed = octets.replace(right, wrong)
                self.assertEqual(changed == octets, schema.validate(fromstring(changed)))

    def test_escaped(self) -> None:
        """
        An address is text, whatever it looks like.
        """
        octets = writeSettings(HOSTS, "<a>&@example.org")

        self.assertEqual("<a>&@example.org", self.protocols(octets)[0]["LoginName"])

    def test_error(self) -> None:
        """
        An error has its code, and when it was.
        """
        root = read(writeError(AutodiscoverError(600, "Invalid Request"), 3661.5))

        [error] = root.iter(f"{{{FRAME}}}Error")
        self.assertEqual("01:01:01.500000", error.get("Time"))
        self.assertEqual("600", error.findtext(f"{{{FRAME}}}ErrorCode"))
        self.assertEqual("Invalid Request", error.findtext(f"{{{FRAME}}}Message"))

    def test_location(self) -> None:
        """
        Who asks in JSON is told where that is, and that there is nothing else.
        """
        address = "https://id.example.org/autodiscover/autodiscover.xml"
        found = (200, {"Protocol": "AutodiscoverV1", "Url": address})
        self.assertEqual(found, locate(HOSTS, "AutodiscoverV1"))
        self.assertEqual(found, locate(HOSTS, "autodiscoverv1"))
        for protocol, code in (
            ("ActiveSync", "ProtocolNotSupported"),
            ("Ews", "ProtocolNotSupported"),
            (None, "MandatoryParameterMissing"),
        ):
            status, members = locate(HOSTS, protocol)
            self.assertEqual((400, code), (status, members["ErrorCode"]))
