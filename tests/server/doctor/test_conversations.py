"""
Tests of what is heard from mail servers, and of what is said of them: of servers that are not as
they should be.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.task import Clock
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailauth.errors import Outage
from mailauth.server.doctor.connections import MAX_LINES, SECONDS, within
from mailauth.server.doctor.conversations import MADE_UP, Heard, Place, Refused, converse
from mailauth.server.doctor.findings import FAILS, OK, UNKNOWN, Finding
from mailauth.server.doctor.mailservers import configurationOf, judgeServer
from mailauth.server.doctor.network import Network
from mailauth.server.tls import trustRootOf

from .examined import certificateFiles

DOCUMENT = {
    "status": "invalid_token",
    "openid-configuration": "https://id.example.test/.well-known",
}
CHALLENGE = b64encode(json.dumps(DOCUMENT).encode())
TOKEN = b64encode(MADE_UP)

Script = Mapping[bytes, list[bytes]]

GOOD: dict[str, Script] = {
    "imap": {
        b"": [b"* OK ready"],
        b"a CAPABILITY": [
            b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=OAUTHBEARER AUTH=XOAUTH2",
            b"a OK done",
        ],
        b"a AUTHENTICATE OAUTHBEARER " + TOKEN: [b"+ " + CHALLENGE],
        b"AQ==": [b"a NO [AUTHENTICATIONFAILED] no"],
        b"z LOGOUT": [b"* BYE"],
    },
    "smtp": {
        b"": [b"220-mail.example.test", b"220 ready"],
        b"EHLO doctor.invalid": [
            b"250-mail.example.test",
            b"250-",
            b"250-AUTH=LOGIN",
            b"250 AUTH PLAIN OAUTHBEARER XOAUTH2",
        ],
        b"AUTH OAUTHBEARER " + TOKEN: [b"334 " + CHALLENGE],
        b"AQ==": [b"535 5.7.8 no"],
        b"QUIT": [b"221 bye"],
    },
    "pop3": {
        b"": [b"+OK ready"],
        b"CAPA": [b"+OK", b"USER", b"SASL PLAIN OAUTHBEARER XOAUTH2", b"."],
        b"AUTH OAUTHBEARER": [b"+"],
        TOKEN: [b"+ " + CHALLENGE],
        b"AQ==": [b"-ERR [AUTH] no"],
        b"QUIT": [b"+OK bye"],
    },
}
"""
What a good server answers to each line, the empty one being its greeting.
"""


class Scripted(LineReceiver):
    """
    A mail server that says what it is told to say.
    """

    factory: ScriptedFactory
    MAX_LENGTH = 65536

    def connectionMade(self) -> None:
        """
        Greet.
        """
        self.lineReceived(b"")

    def lineReceived(self, line: bytes) -> None:
        """
        Answer.
        """
        self.factory.heard.append(line)
        assert self.transport is not None
        answer = self.factory.script.get(line, [b"a BAD what?"])
        self.transport.write(b"".join(each + b"\r\n" for each in answer))
        if b"STARTTLS" in line or line == b"STLS":
            self.transport.startTLS(self.factory.options)  # type: ignore[attr-defined]
            self.factory.script = {**self.factory.script, **self.factory.afterTLS}


class ScriptedFactory(Factory):
    """
    @ivar script: for each line the answer, and C{afterTLS} what is different then.
    @ivar heard: every line.
    """

    protocol: Any = Scripted
    noisy = False

    def __init__(self, script: Script, afterTLS: Script, options: Any) -> None:
        self.script = script
        self.afterTLS = afterTLS
        self.options = options
        self.heard: list[bytes] = []


class ConversationTests(TestCase):
    """
    L{converse} and L{judgeServer}, with servers on this machine.
    """

    reactor: Any = reactor

    def setUp(self) -> None:
        """
        An authority.
        """
        files = certificateFiles(["localhost"])
        certificate = PrivateCertificate.loadPEM(files["server.key"] + files["server.pem"])
        self.options: Any = certificate.options()
        self.trustRoot = trustRootOf(files["ca.pem"])
        self.afterTLS: Script = {}

    async def talk(
        self, protocol: str, script: Script, implicitTLS: bool = True, speaksTLS: bool = True
    ) -> Heard:
        """
        What is heard from a server.

        @param script: what it says.
        @param implicitTLS: it is taken for one where TLS begins at once.
        @param speaksTLS: it is one, if it is taken for one.
        """
        self.factory = ScriptedFactory(script, self.afterTLS, self.options)
        if implicitTLS and speaksTLS:
            port = self.reactor.listenSSL(0, self.factory, self.options, interface="127.0.0.1")
        else:
            port = self.reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.place = Place(protocol, "localhost", port.getHost().port, implicitTLS)
        return await converse(Network(self.reactor), self.trustRoot, self.place)

    def bad(self, heard: Heard) -> list[Finding]:
        """
        What is not as it should be.
        """
        findings = judgeServer(self.place, heard, True, datetime.now(UTC))
        return [finding for finding in findings if finding.level != OK]

    async def test_good(self) -> None:
        """
        Of each wire the capabilities are read and the error document, and nothing is wrong.
        """
        for protocol, script in GOOD.items():
            heard = await self.talk(protocol, script)

            self.assertEqual([], self.bad(heard), protocol)
            assert heard.refused is not None
            self.assertEqual(DOCUMENT, heard.refused.document)
            self.assertFalse(heard.refused.accepted)
            self.assertIn(self.factory.heard[-1], (b"z LOGOUT", b"QUIT"))

    async def test_startTLS(self) -> None:
        """
        What is offered before TLS is one thing, and what is offered after it another. What was said
        behind the answer, in clear, is not heard.
        """
        script = {
            **GOOD["imap"],
            b"a STARTTLS": [b"a OK begin", b"* CAPABILITY AUTH=EVIL", b"a OK done"],
        }
        secured = script[b"a CAPABILITY"]
        script[b"a CAPABILITY"] = [b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED", b"a OK done"]
        self.afterTLS = {b"a CAPABILITY": secured}

        heard = await self.talk("imap", script, implicitTLS=False)

        self.assertEqual([], self.bad(heard))
        self.assertEqual(frozenset({"IMAP4REV1", "STARTTLS", "LOGINDISABLED"}), heard.clear)
        assert heard.secured is not None
        self.assertNotIn("AUTH=EVIL", heard.secured)

    async def test_noInitialResponse(self) -> None:
        """
        Without SASL-IR the token comes as its own line, mutt and NeoMutt send none, and that is
        said.
        """
        script = {
            **GOOD["imap"],
            b"a CAPABILITY": [
                b"* CAPABILITY AUTH=PLAIN AUTH=OAUTHBEARER AUTH=XOAUTH2",
                b"a OK done",
            ],
            b"a AUTHENTICATE OAUTHBEARER": [b"+ "],
            TOKEN: [b"+ " + CHALLENGE],
        }

        heard = await self.talk("imap", script)

        [finding] = self.bad(heard)
        self.assertEqual((FAILS, "imap.sasl-ir"), (finding.level, finding.topic))
        self.assertIn("without which mutt and NeoMutt send no token", finding.says)
        self.assertIn("what else answers at localhost", finding.mend)

    async def test_clearPasswords(self) -> None:
        """
        A server that offers a login without TLS fails, whatever the wire calls it; so does one
        without STARTTLS.
        """
        for protocol, ask, answer, offered in (
            ("imap", b"a CAPABILITY", [b"* CAPABILITY AUTH=PLAIN", b"a OK"], "AUTH=PLAIN, LOGIN"),
            ("smtp", b"EHLO doctor.invalid", [b"250-x", b"250 AUTH LOGIN"], "AUTH=LOGIN"),
            ("pop3", b"CAPA", [b"+OK", b"USER", b"."], "USER"),
        ):
            script = {**GOOD[protocol], ask: answer}

            heard = await self.talk(protocol, script, implicitTLS=False)

            clear, connect = self.bad(heard)
            self.assertEqual((FAILS, f"{protocol}.clear"), (clear.level, clear.topic))
            self.assertIn(f"without TLS it offers {offered}.", clear.says)
            self.assertIn("offer no login before STARTTLS", clear.mend)
            self.assertEqual((FAILS, f"{protocol}.connect"), (connect.level, connect.topic))
            self.assertNotIn(TOKEN, b" ".join(self.factory.heard))

    async def test_noOAuth(self) -> None:
        """
        A server without OAuth is no failure of its passwords.
        """
        script = {
            **GOOD["smtp"],
            b"EHLO doctor.invalid": [b"250-x", b"250 AUTH PLAIN"],
        }

        findings = self.bad(await self.talk("smtp", script))

        self.assertEqual(
            [(FAILS, "smtp.oauthbearer"), (FAILS, "smtp.xoauth2")],
            [(finding.level, finding.topic) for finding in findings],
        )

    async def test_noPasswords(self) -> None:
        """
        A server that takes tokens alone is said to take no app passwords.
        """
        script = {
            **GOOD["imap"],
            b"a CAPABILITY": [
                b"* CAPABILITY LOGINDISABLED SASL-IR AUTH=OAUTHBEARER AUTH=XOAUTH2",
                b"a OK done",
            ],
        }

        [finding] = self.bad(await self.talk("imap", script))

        self.assertEqual((FAILS, "imap.password"), (finding.level, finding.topic))

    async def test_accepted(self) -> None:
        """
        A server that lets a made-up token in is to be taken off the network.
        """
        script = {**GOOD["pop3"], TOKEN: [b"+OK welcome"]}

        [finding] = self.bad(await self.talk("pop3", script))

        self.assertEqual((FAILS, "pop3.refusal"), (finding.level, finding.topic))
        self.assertIn("lets a token in that nobody issued", finding.says)

    async def test_noDocument(self) -> None:
        """
        A refusal without the error document fails, as does one whose document leads nowhere.
        """
        for answer in (b"", b64encode(b"[]"), b"%%%", b64encode(b'{"status": "invalid_token"}')):
            command = b"AUTH OAUTHBEARER " + TOKEN
            script = {**GOOD["smtp"], command: [b"334 " + answer if answer else b"535 no"]}

            [finding] = self.bad(await self.talk("smtp", script))

            self.assertEqual((FAILS, "smtp.refusal"), (finding.level, finding.topic), answer)

    async def test_undecided(self) -> None:
        """
        A server that cannot decide now has not failed: an outage is no refusal.
        """
        script = {**GOOD["smtp"], b"AUTH OAUTHBEARER " + TOKEN: [b"454 4.7.0 later"]}

        [finding] = self.bad(await self.talk("smtp", script))

        self.assertEqual((UNKNOWN, "smtp.refusal"), (finding.level, finding.topic))

    async def test_unexpected(self) -> None:
        """
        What is no mail server of that kind fails, with what it said; so does one that does not
        begin TLS.
        """
        for script, speaksTLS, expected in (
            ({b"": [b"HTTP/1.1 400 \x1b[2J"]}, True, r"it greets with HTTP/1.1 400 \x1b[2J"),
            ({b"": [b"* OK in clear"]}, False, "TLS does not begin there"),
        ):
            heard = await self.talk("imap", script, speaksTLS=speaksTLS)

            [finding] = self.bad(heard)
            self.assertEqual((FAILS, "imap.connect"), (finding.level, finding.topic))
            self.assertIn(expected, finding.says)

    async def test_refusesTLS(self) -> None:
        """
        A server that offers STARTTLS and then has none fails.
        """
        script = {
            **GOOD["imap"],
            b"a CAPABILITY": [b"* CAPABILITY STARTTLS LOGINDISABLED", b"a OK done"],
            b"a STARTTLS": [b"a BAD no"],
        }

        [finding] = self.bad(await self.talk("imap", script, implicitTLS=False))

        self.assertIn("it answers STARTTLS with a BAD no", finding.says)

    async def test_endless(self) -> None:
        """
        Whoever talks without end is not listened to (DS10).
        """
        for greeting in ([b"* CAPABILITY X"] * (MAX_LINES + 10), [b"x" * 40000]):
            script = {**GOOD["imap"], b"a CAPABILITY": greeting}

            [finding] = self.bad(await self.talk("imap", script))

            self.assertEqual((UNKNOWN, "imap.connect"), (finding.level, finding.topic))


class PatienceTests(SynchronousTestCase):
    """
    L{within}.
    """

    def test_tooSlow(self) -> None:
        """
        What takes too long is given up: nobody can tell.
        """
        clock: Any = Clock()
        clock.nameResolver = None

        async def wait() -> None:
            await Deferred[None]()

        waiting = Deferred.fromCoroutine(within(Network(clock), wait()))
        clock.advance(SECONDS)

        error = self.failureResultOf(waiting, Outage).value
        self.assertEqual("it took longer than 20 s", error.reason)


class MadeUpTests(SynchronousTestCase):
    """
    The token that nobody issued.
    """

    def test_namesNobody(self) -> None:
        """
        Its failure is charged to no account.
        """
        self.assertTrue(b64decode(TOKEN).startswith(b"n,,\x01auth=Bearer "))

    def test_configuration(self) -> None:
        """
        Only text is an address.
        """
        for document in (None, {}, {"openid-configuration": 1}):
            self.assertIsNone(configurationOf(Refused(False, "", document)))
        self.assertIsNone(configurationOf(None))
