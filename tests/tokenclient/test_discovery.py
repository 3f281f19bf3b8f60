"""
Tests of what is believed about an issuer. How one is found is tested with the command.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailauth.tokenclient.discovery import fetchMetadata, findIssuer
from mailauth.tokenclient.failures import Outage, Refusal
from mailauth.tokenclient.web import Web

from ..server.deployment import makeDirectory
from .otherserver import METADATA, OtherServer, Said, inJSON
from .proxies import Proxy

PACC = "/.well-known/user-agent-configuration.json"
HOST = "xn--grn-ioa.example"
AUTOCONFIG = "/.well-known/autoconfig/mail/config-v1.1.xml"


class MetadataTests(SynchronousTestCase):
    """
    What an issuer says about itself.
    """

    def setUp(self) -> None:
        """
        An issuer.
        """
        self.server = OtherServer(makeDirectory(self))
        self.addCleanup(self.server.close)
        self.web = Web(self.server.authority)
        self.issuer = self.server.issuer

    def say(self, **members: Any) -> None:
        """
        Let it say something else.
        """
        self.server.answers[METADATA] = [inJSON({**self.server.metadata, **members})]

    def test_read(self) -> None:
        """
        Its endpoints are taken, where it has them, wherever they are.
        """
        self.say(
            revocation_endpoint="https://elsewhere.example/revoke",
            authorization_response_iss_parameter_supported=True,
        )

        read = fetchMetadata(self.web, self.issuer)

        self.assertEqual(f"{self.issuer}/token", read.tokenEndpoint)
        self.assertEqual("https://elsewhere.example/revoke", read.revocationEndpoint)
        self.assertIsNone(read.registrationEndpoint)
        self.assertTrue(read.namesItself)

    def test_another(self) -> None:
        """
        A document of another issuer, by a slash even, is none (RFC 8414 section 3.3).
        """
        for issuer in (f"{self.issuer}/", self.issuer.upper(), "https://evil.example", None, 1):
            self.say(issuer=issuer)

            self.assertRaises(Refusal, fetchMetadata, self.web, self.issuer)

    def test_unusable(self) -> None:
        """
        An endpoint that is not https is not used, and without a token endpoint there is no use.
        """
        for address in ("http://localhost/token", "javascript:alert(1)", None, ["https://a.b"]):
            self.say(token_endpoint=address)
            self.assertRaises(Refusal, fetchMetadata, self.web, self.issuer)
        members = self.server.metadata
        del members["token_endpoint"]
        self.say()
        self.assertRaises(Refusal, fetchMetadata, self.web, self.issuer)

    def test_openID(self) -> None:
        """
        Where OAuth's document is not there OpenID Connect's is asked for; an issuer with a path
        has it where each of the two wants it.
        """
        issuer = f"{self.issuer}/tenant"
        members = {**self.server.metadata, "issuer": issuer}
        for path in (f"{METADATA}/tenant", "/tenant/.well-known/openid-configuration"):
            self.server.answers = {path: [inJSON(members)]}

            self.assertEqual(issuer, fetchMetadata(self.web, issuer).issuer)

    def test_missing(self) -> None:
        """
        What is not there is told from what does not work at the moment.
        """
        self.assertRaises(Refusal, fetchMetadata, self.web, self.issuer)
        self.assertRaises(Refusal, fetchMetadata, self.web, "localhost")
        self.assertRaises(Refusal, fetchMetadata, self.web, f"{self.issuer}?a=b")
        for said in (Said(503, b""), Said(429, b""), Said(200, b"<html>"), Said(200, b"[" * 50000)):
            self.server.answers[METADATA] = [said]
            self.assertRaises(Outage, fetchMetadata, self.web, self.issuer)


class FindIssuerTests(SynchronousTestCase):
    """
    What a domain publishes.
    """

    def setUp(self) -> None:
        """
        A domain, which has one host.
        """
        self.server = OtherServer(makeDirectory(self), HOST)
        self.addCleanup(self.server.close)
        proxy = Proxy({HOST: self.server.port})
        self.addCleanup(proxy.close)
        self.patch(os, "environ", {**os.environ, "https_proxy": proxy.address, "no_proxy": ""})

    def find(self) -> str:
        """
        The issuer that is found.
        """
        return findIssuer(Web(self.server.authority), "alice@grün.example")

    def test_autoconfig(self) -> None:
        """
        A PACC document that names nobody is passed over, and autoconfig may name the bare host.
        """
        for useless in (Said(200, b"<html>"), inJSON({}), inJSON({"authentication": {"a": "b"}})):
            for text in (b"https://mail.example", b"\n mail.example "):
                self.server.answers = {
                    PACC: [useless],
                    AUTOCONFIG: [Said(200, b"<c><oAuth2><issuer>%b</issuer></oAuth2></c>" % text)],
                }

                self.assertEqual("https://mail.example", self.find())

    def test_useless(self) -> None:
        """
        What is no such document, or a bomb, is none.
        """
        bomb = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaaaaaaaa">%b]><a>&j;</a>' % b"".join(
            b'<!ENTITY %c "%b">' % (name + 1, b"&%c;" % name * 50) for name in range(97, 106)
        )
        for body in (b"", b"<a>", b"\xff\xfe", b"<a/>", b"<c><oAuth2><issuer/></oAuth2></c>", bomb):
            self.server.answers = {AUTOCONFIG: [Said(200, body)]}

            self.assertRaises(Refusal, self.find)
