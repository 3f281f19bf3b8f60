"""
Tests of the whole service in one process, over loopback.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import DeferredList
from twisted.internet.error import CannotListenError
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SkipTest

from mailauth.oauth.jwt import keysFromJWKS
from mailauth.server.certificates import makeCertificates
from mailauth.server.config import readConfiguration
from mailauth.server.service import MailService
from mailauth.stores.records import CannotOpen
from mailauth.testing.issuer import MemoryIssuer

from ..jose import decode
from .deployment import (
    NAMES,
    PATIENCE,
    Client,
    ServiceCase,
    bearer,
    configure,
    deploy,
    imapLogin,
    plain,
    told,
)
from .test_config import publicPEM

ALICE = "alice@example.test"
BOB = "bob@example.test"
PASSWORD = "what alice chose"
JWKS_DISCOVERY = "https://jwks.example/special/.well-known/openid-configuration"

AUTH = {"imaps": b"a AUTHENTICATE", "submissions": b"AUTH", "pop3s": b"AUTH"}
ACCEPTED = {"imaps": b"a OK", "submissions": b"235", "pop3s": b"+OK"}
REFUSED = {"imaps": (b"a NO",), "submissions": (b"535", b"525"), "pop3s": (b"-ERR",)}
NOOP = {"imaps": b"b NOOP", "submissions": b"NOOP", "pop3s": b"NOOP"}
AWAKE = {"imaps": b"b OK", "submissions": b"250", "pop3s": b"+OK"}


def logIn(client: Client, listener: str, mechanism: bytes, response: bytes) -> bytes:
    """
    Log in, and acknowledge an error document.

    @return: the verdict.
    """
    if listener == "submissions":
        client.say(b"EHLO client.test")
    answer = client.say(b" ".join((AUTH[listener], mechanism, response)))
    return client.say(b"") if answer.startswith((b"+ ", b"334")) else answer


class LoginCase(ServiceCase):
    """
    A test with people who log in.
    """

    async def attempt(self, mechanism: bytes, response: bytes) -> dict[str, tuple[Client, bytes]]:
        """
        Log in by each of the protocols.

        @return: for each listener the connection and the verdict.
        """
        attempts = {}
        for listener in AUTH:
            client = await self.connect(listener)
            verdict = await self.inThread(logIn, client, listener, mechanism, response)
            attempts[listener] = (client, verdict)
        return attempts

    async def opens(self, mechanism: bytes, response: bytes) -> dict[str, Client]:
        """
        It opens all three.
        """
        attempts = await self.attempt(mechanism, response)
        for listener, (_, verdict) in attempts.items():
            self.assertTrue(verdict.startswith(ACCEPTED[listener]), verdict)
        return {listener: client for listener, (client, _) in attempts.items()}

    async def refuses(self, mechanism: bytes, response: bytes) -> list[bytes]:
        """
        It opens none.

        @return: what is said.
        """
        attempts = await self.attempt(mechanism, response)
        for listener, (_, verdict) in attempts.items():
            self.assertTrue(verdict.startswith(REFUSED[listener]), verdict)
        return [verdict for _, verdict in attempts.values()]

    async def awake(self, clients: dict[str, Client]) -> None:
        """
        These connections answer.
        """
        for listener, client in clients.items():
            answer = await self.inThread(client.say, NOOP[listener])
            self.assertTrue(answer.startswith(AWAKE[listener]), answer)

    async def ended(self, clients: dict[str, Client]) -> None:
        """
        These connections end, with a goodbye where the protocol has one.
        """
        last = {name: await self.inThread(client.rest) for name, client in clients.items()}
        self.assertTrue(last["imaps"].startswith(b"* BYE "), last)
        self.assertTrue(last["submissions"].startswith(b"421 4.7.0 "), last)
        self.assertEqual(last["pop3s"], b"")


class LoginTests(LoginCase):
    """
    What opens a mailbox, and what does not.
    """

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        """
        A service, and two people.
        """
        await self.start('[domains."legacy.test"]\naccount_password = "everywhere"')
        self.appPassword = await self.addAccount(ALICE, PASSWORD)
        await self.addAccount("carol@legacy.test", PASSWORD)

    async def test_appPassword(self) -> None:
        """
        An app password opens all three protocols.
        """
        await self.opens(b"PLAIN", plain(ALICE, self.appPassword))

    async def test_token(self) -> None:
        """
        A token of the built-in issuer opens all three protocols.
        """
        await self.opens(b"OAUTHBEARER", bearer(ALICE, await self.issueToken(ALICE)))

    async def test_wrong(self) -> None:
        """
        A token that is none, another one's token and a wrong password open nothing.
        """
        bobs = await self.issueToken("bob@example.test")
        await self.refuses(b"OAUTHBEARER", bearer(ALICE, "made-up"))
        await self.refuses(b"OAUTHBEARER", bearer(ALICE, bobs))
        await self.refuses(b"PLAIN", plain(ALICE, "guessed"))

    async def test_accountPassword(self) -> None:
        """
        The account password opens no mail protocol, and the answer says what to use and where to
        read about it.
        """
        for verdict in await self.refuses(b"PLAIN", plain(ALICE, PASSWORD)):
            self.assertIn(b"Use OAuth or an app password", verdict)
            self.assertIn(b"https://mail.localhost/account/", verdict)

    async def test_domainRule(self) -> None:
        """
        A domain whose rule is C{everywhere} lets account passwords open mail.
        """
        await self.opens(b"PLAIN", plain("carol@legacy.test", PASSWORD))

    async def test_accountRule(self) -> None:
        """
        One account's rule goes before its domain's, in both directions, and holds at once though
        another process made it.
        """
        for name, rule in ((ALICE, "everywhere"), ("carol@legacy.test", "web")):
            await self.inThread(told, self.directory, "account", "password-rule", name, rule)

        await self.opens(b"PLAIN", plain(ALICE, PASSWORD))
        await self.refuses(b"PLAIN", plain("carol@legacy.test", PASSWORD))

        await self.inThread(told, self.directory, "account", "password-rule", ALICE, "domain")
        await self.refuses(b"PLAIN", plain(ALICE, PASSWORD))

    async def test_serverRule(self) -> None:
        """
        C{[signin] account_password = "everywhere"} is for all domains that say nothing else.
        """
        await self.stop()
        await self.start('[signin]\naccount_password = "everywhere"')
        await self.addAccount(ALICE, PASSWORD)

        await self.opens(b"PLAIN", plain(ALICE, PASSWORD))

    async def test_log(self) -> None:
        """
        Each login is a line in the log of the logins, and no secret is (LG1).
        """
        token = await self.issueToken(ALICE)
        await self.opens(b"PLAIN", plain(ALICE, self.appPassword))
        await self.opens(b"OAUTHBEARER", bearer(ALICE, token))
        await self.refuses(b"PLAIN", plain(ALICE, PASSWORD))
        await self.stop()

        text = (self.directory / "logins.jsonl").read_text()

        verdicts = [json.loads(line)["login"] for line in text.splitlines()]
        self.assertEqual(verdicts, ["accepted"] * 6 + ["refused"] * 3)
        for secret in (self.appPassword, token, PASSWORD):
            self.assertNotIn(secret, text)

    async def test_mail(self) -> None:
        """
        A message that is sent is read by IMAP and by POP3.
        """
        clients = await self.opens(b"PLAIN", plain(ALICE, self.appPassword))
        submission, imap = clients["submissions"], clients["imaps"]
        for line in (b"MAIL FROM:<%b>" % ALICE.encode(), b"RCPT TO:<%b>" % ALICE.encode(), b"DATA"):
            await self.inThread(submission.say, line)
        answer = await self.inThread(submission.say, b"Subject: hello\r\n\r\nhello\r\n.")
        self.assertTrue(answer.startswith(b"250 2.0.0"), answer)

        self.assertIn(b"OK", await self.inThread(imap.say, b"c SELECT INBOX"))
        fetched = await self.inThread(imap.say, b"d FETCH 1 BODY.PEEK[TEXT]")
        self.assertTrue(fetched.startswith(b"d OK"), fetched)
        pop3 = await self.connect("pop3s")
        await self.inThread(logIn, pop3, "pop3s", b"PLAIN", plain(ALICE, self.appPassword))
        answer = await self.inThread(pop3.say, b"STAT")
        self.assertTrue(answer.startswith(b"+OK 1 "), answer)


class RevocationTests(LoginCase):
    """
    What the C{mailauth} command, in another process, takes away.
    """

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        """
        A service with two people who are connected.
        """
        await self.start()
        self.alices = plain(ALICE, await self.addAccount(ALICE, PASSWORD))
        self.bobs = plain(BOB, await self.addAccount(BOB))
        self.token = await self.issueToken(ALICE)
        self.tokens = await self.opens(b"OAUTHBEARER", bearer(ALICE, self.token))
        self.passwords = await self.opens(b"PLAIN", self.alices)
        self.others = await self.opens(b"PLAIN", self.bobs)

    async def mailauth(self, *arguments: str, say: str = "") -> None:
        """
        Run the command.
        """
        await self.inThread(told, self.directory, *arguments, say=say)

    async def test_appPassword(self) -> None:
        """
        The connections that an app password opened end, it opens nothing any more, and all other
        connections stay.
        """
        await self.mailauth("app-password", "revoke", ALICE, f"of-{ALICE}")

        await self.refuses(b"PLAIN", self.alices)
        await self.ended(self.passwords)
        await self.awake(self.tokens)
        await self.awake(self.others)

    async def test_token(self) -> None:
        """
        The connections that a token opened end, it opens nothing any more, and another token of
        the same account does.
        """
        another = await self.issueToken(ALICE)
        await self.mailauth("token", "revoke", say=self.token)

        await self.refuses(b"OAUTHBEARER", bearer(ALICE, self.token))
        await self.ended(self.tokens)
        await self.opens(b"OAUTHBEARER", bearer(ALICE, another))
        await self.awake(self.passwords)
        await self.awake(self.others)

    async def test_disable(self) -> None:
        """
        Whoever is disabled is out, by token and by password, until enabled again.
        """
        await self.mailauth("account", "disable", ALICE)

        await self.refuses(b"PLAIN", self.alices)
        await self.refuses(b"OAUTHBEARER", bearer(ALICE, self.token))
        await self.ended(self.passwords)
        await self.ended(self.tokens)
        await self.awake(self.others)
        await self.mailauth("account", "enable", ALICE)
        await self.opens(b"PLAIN", self.alices)

    async def test_remove(self) -> None:
        """
        Whoever is removed is out, and an account made anew with the name does not let old secrets
        in.
        """
        await self.mailauth("account", "remove", "--yes", ALICE)

        await self.ended(self.passwords)
        await self.ended(self.tokens)
        await self.awake(self.others)
        await self.mailauth("account", "add", "--no-password", ALICE)
        await self.refuses(b"PLAIN", self.alices)
        await self.refuses(b"OAUTHBEARER", bearer(ALICE, self.token))

    async def test_password(self) -> None:
        """
        A new account password ends tokens and every connection of the account; app passwords stay
        good.
        """
        await self.mailauth("account", "password", ALICE, say="another one\n")

        await self.refuses(b"OAUTHBEARER", bearer(ALICE, self.token))
        await self.ended(self.tokens)
        await self.ended(self.passwords)
        await self.awake(self.others)
        await self.opens(b"PLAIN", self.alices)

    async def test_keys(self) -> None:
        """
        After a rotation both the old tokens and the new ones are good.
        """
        await self.mailauth("key", "rotate")

        await self.opens(b"OAUTHBEARER", bearer(ALICE, await self.issueToken(ALICE)))
        await self.opens(b"OAUTHBEARER", bearer(ALICE, self.token))


class ExternalIssuerTests(LoginCase):
    """
    Tokens of somebody else's authorization server.
    """

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        """
        Two issuers, one known by a PEM file and one by a key set, each for a domain. The second
        has its discovery document where nobody would guess.
        """
        self.issuers = {
            "pem": MemoryIssuer("https://pem.example"),
            "jwks": MemoryIssuer("https://jwks.example", algorithm="RS256"),
        }
        await self.start(
            "".join(
                f'[external_issuers.{name}]\nurl = "{issuer.issuer}"\naudience = "mail.example"\n'
                f'domains = ["{name}.test"]\nkeys = "{name}"\n'
                for name, issuer in self.issuers.items()
            )
            + f'discovery = "{JWKS_DISCOVERY}"\n',
            files={
                "pem": publicPEM(self.issuers["pem"].signer),
                "jwks": self.issuers["jwks"].jwks(),
            },
        )
        for name in ("alice@pem.test", "alice@jwks.test", ALICE):
            await self.addAccount(name)

    async def test_own(self) -> None:
        """
        A token opens the account that it is for.
        """
        for name, issuer in self.issuers.items():
            account = f"alice@{name}.test"
            await self.opens(b"OAUTHBEARER", bearer(account, issuer.issue(account).decode()))

    async def test_otherDomain(self) -> None:
        """
        An issuer speaks for its own domains alone (OA1).
        """
        for name, account in (
            ("pem", "alice@jwks.test"),
            ("jwks", "alice@pem.test"),
            ("pem", ALICE),
        ):
            token = self.issuers[name].issue(account)
            await self.refuses(b"OAUTHBEARER", bearer(account, token.decode()))

    async def test_foreign(self) -> None:
        """
        An issuer that nobody named, and one that calls itself like another, open nothing.
        """
        for url in ("https://foreign.example", "https://pem.example"):
            token = MemoryIssuer(url).issue("alice@pem.test")
            await self.refuses(b"OAUTHBEARER", bearer("alice@pem.test", token.decode()))

    async def test_expired(self) -> None:
        """
        An expired token opens nothing.
        """
        token = self.issuers["pem"].issue("alice@pem.test", lifetime=-300)

        await self.refuses(b"OAUTHBEARER", bearer("alice@pem.test", token.decode()))

    async def document(self, account: str, token: bytes) -> dict[str, str]:
        """
        The error document for a token that is refused.
        """
        client = await self.connect("imaps")
        line = b"a AUTHENTICATE OAUTHBEARER " + bearer(account, token.decode())
        answer = await self.inThread(client.say, line)
        self.assertTrue(answer.startswith(b"+ "), answer)
        document: dict[str, str] = json.loads(b64decode(answer[2:]))
        return document

    async def test_discovery(self) -> None:
        """
        Whoever is refused with a token of an external issuer is told where that one's tokens come
        from (RFC 7628 section 3.2.2), at the first attempt and when the answer is remembered; with
        anybody else's token, where ours do.
        """
        expired = self.issuers["pem"].issue("alice@pem.test", lifetime=-300)
        forged = MemoryIssuer("https://jwks.example").issue("alice@pem.test")
        elsewhere = self.issuers["jwks"].issue("alice@pem.test")
        narrow = self.issuers["pem"].issue("alice@pem.test", scope="calendar")
        unknown = MemoryIssuer("https://foreign.example").issue("alice@pem.test")
        for token, issuer in (
            (expired, "https://pem.example"),
            (expired, "https://pem.example"),
            (forged, "https://jwks.example/special"),
            (elsewhere, "https://jwks.example/special"),
            (narrow, "https://pem.example"),
            (unknown, "https://mail.localhost"),
        ):
            document = await self.document("alice@pem.test", token)
            self.assertEqual(
                document["openid-configuration"], issuer + "/.well-known/openid-configuration"
            )


class WebTests(ServiceCase):
    """
    What is served over HTTPS.
    """

    async def test_documents(self) -> None:
        """
        The discovery document leads to the key that tokens are signed with.
        """
        await self.start()
        await self.addAccount(ALICE)

        status, document = await self.fetch("/.well-known/openid-configuration")
        self.assertEqual((status, json.loads(document)["issuer"]), (200, "https://mail.localhost"))
        _, keySet = await self.fetch("/jwks.json")

        header = (await self.issueToken(ALICE)).split(".")[0]
        [key] = keysFromJWKS(keySet)
        self.assertIn(key.kid, str(decodeHeader(header)))

    async def test_rotation(self) -> None:
        """
        A key that another process made is published soon, though nobody has shown a token of it.
        """
        await self.start()

        await self.inThread(told, self.directory, "key", "rotate")

        keys = keysFromJWKS((await self.fetch("/jwks.json"))[1])
        end = reactor.seconds() + PATIENCE
        while len(keys) == 1 and reactor.seconds() < end:
            keys = keysFromJWKS((await self.fetch("/jwks.json"))[1])
        self.assertEqual(len(keys), 2)

    async def test_ready(self) -> None:
        """
        It is ready while the database can be read, and alive in any case.
        """
        await self.start()
        self.assertEqual(await self.fetch("/readyz"), (200, b"ok\n"))
        self.service.database.revocations.close()
        database = self.directory / "mailauth.db"
        database.rename(database.with_suffix(".away"))

        self.assertEqual(await self.fetch("/readyz"), (503, b"unavailable\n"))
        self.assertEqual(await self.fetch("/healthz"), (200, b"ok\n"))

        database.with_suffix(".away").rename(database)
        self.assertEqual(await self.fetch("/readyz"), (200, b"ok\n"))


class LifeTests(LoginCase):
    """
    Starting, reloading, stopping.
    """

    async def test_stop(self) -> None:
        """
        When the server stops whoever is connected hears of it, and nobody gets in any more.
        """
        await self.start()
        waiting = await self.connect("imaps")
        clients = await self.opens(b"PLAIN", plain(ALICE, await self.addAccount(ALICE)))

        await self.service.stopService()

        await self.ended(clients)
        self.assertTrue((await self.inThread(waiting.rest)).startswith(b"* BYE "))
        with self.assertRaises(ConnectionRefusedError):
            await self.connect("imaps")

    async def test_stopInMessage(self) -> None:
        """
        A message that has begun is taken, delivered and acknowledged before the server stops, and
        no other can be begun.
        """
        await self.start()
        client = await self.beginMessage()

        stopped = self.service.stopService()
        self.assertNoResult(stopped)
        answer = await self.inThread(client.say, b"hello\r\n.")

        self.assertTrue(answer.startswith(b"250 2.0.0"), answer)
        self.assertTrue((await self.inThread(client.rest)).startswith(b"421 4.7.0"))
        await stopped
        [message] = (self.directory / "mail").glob("*/new/*")
        self.assertTrue(message.read_bytes().endswith(b"hello\r\n"))

    async def test_stopWithoutEnd(self) -> None:
        """
        A client that does not come to the end of its message does not hold the server up for
        longer than it may, and nothing is acknowledged.
        """
        await self.start(grace=0.1)
        client = await self.beginMessage()

        with capturedLogs() as events:
            await self.service.stopService()

        self.assertTrue((await self.inThread(client.rest)).startswith(b"421 4.7.0"))
        self.assertEqual(list((self.directory / "mail").glob("*/new/*")), [])
        self.assertIn("not acknowledged", "".join(map(str, map(formatEvent, events))))

    async def test_stopAfterLoss(self) -> None:
        """
        A client that is lost in its message does not hold the server up.
        """
        await self.start(grace=60)
        client = await self.beginMessage()
        stopped = self.service.stopService()

        client.close()

        await stopped

    async def beginMessage(self) -> Client:
        """
        Send a message, but for its end.
        """
        secret = await self.addAccount(ALICE)
        client = await self.connect("submissions")
        await self.inThread(logIn, client, "submissions", b"PLAIN", plain(ALICE, secret))
        for line in (b"MAIL FROM:<%b>" % ALICE.encode(), b"RCPT TO:<%b>" % ALICE.encode()):
            await self.inThread(client.say, line)
        answer = await self.inThread(client.say, b"DATA")
        self.assertTrue(answer.startswith(b"354"), answer)
        # So that some of it has been taken when the server stops.
        await self.inThread(client.socket.sendall, b"Subject: hello\r\n\r\n")
        return client

    async def test_hangUp(self) -> None:
        """
        SIGHUP brings a new certificate to new connections, and leaves the open ones as they are;
        and it brings a new rule.
        """
        await self.start(path=True)
        secret = await self.addAccount(ALICE, PASSWORD)
        clients = await self.opens(b"PLAIN", plain(ALICE, secret))
        before = clients["imaps"].socket.getpeercert(True)
        await self.refuses(b"PLAIN", plain(ALICE, PASSWORD))
        makeCertificates(self.directory, NAMES)
        configure(self.directory, '[signin]\naccount_password = "everywhere"')

        with capturedLogs() as events:
            os.kill(os.getpid(), signal.SIGHUP)
            await self.until(lambda: said(events, "reloaded"))

        new = await self.opens(b"PLAIN", plain(ALICE, PASSWORD))
        self.assertNotEqual(new["imaps"].socket.getpeercert(True), before)
        await self.awake(clients)

    async def test_brokenReload(self) -> None:
        """
        With a broken certificate, or a configuration with a mistake, nothing changes, and the log
        says what is wrong.
        """
        await self.start(path=True)
        secret = await self.addAccount(ALICE, PASSWORD)
        client = await self.connect("imaps")
        before = client.socket.getpeercert(True)
        certificate = (self.directory / "server.pem").read_bytes()
        everywhere = '[signin]\naccount_password = "everywhere"'

        for broken, more, says in (
            (b"broken", everywhere, "server.pem"),
            (certificate, everywhere + '\nscop = "x"', "signin.scop: is not a key here"),
        ):
            (self.directory / "server.pem").write_bytes(broken)
            configure(self.directory, more)
            with capturedLogs() as events:
                self.service.reload()
            [event] = [event for event in events if event["log_level"] is LogLevel.error]
            self.assertIn(says, str(formatEvent(event)))
            self.assertEqual((await self.connect("imaps")).socket.getpeercert(True), before)
            await self.refuses(b"PLAIN", plain(ALICE, PASSWORD))
        await self.opens(b"PLAIN", plain(ALICE, secret))

    async def test_movedCertificate(self) -> None:
        """
        A certificate whose files have other names now is found.
        """
        await self.start(path=True)
        before = (await self.connect("imaps")).socket.getpeercert(True)
        renewed = self.directory / "renewed"
        renewed.mkdir()
        makeCertificates(renewed, NAMES)
        configuration = self.directory / "mailauth.toml"
        configuration.write_text(configuration.read_text().replace('"server.', '"renewed/server.'))

        self.service.reload()
        (renewed / "ca.pem").rename(self.directory / "ca.pem")

        self.assertNotEqual((await self.connect("imaps")).socket.getpeercert(True), before)

    async def test_portInUse(self) -> None:
        """
        A port that somebody else has keeps the service from being ready, and says which it is.
        """
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]

            error = await self.unready(("127.0.0.1:0", f"127.0.0.1:{port}"))

        self.assertIsInstance(error, CannotListenError)
        self.assertIn(str(port), str(error))

    async def test_unusableDatabase(self) -> None:
        """
        A database that others can read keeps the service from being ready (CS13).
        """
        await self.start()
        await self.stop()
        (self.directory / "mailauth.db").chmod(0o644)

        error = await self.unready(directory=self.directory)

        self.assertIsInstance(error, CannotOpen)

    async def test_foreignDirectory(self) -> None:
        """
        Root does not serve in another user's directory: that user could not read the mail.
        """
        if os.geteuid() != 0:
            raise SkipTest("needs root")
        await self.start()
        await self.stop()
        os.chown(self.directory, 65534, 65534)
        for path in self.directory.glob("mailauth.db*"):
            os.chown(path, 65534, 65534)

        error = await self.unready(directory=self.directory)

        self.assertIsInstance(error, CannotOpen)
        self.assertIn("--uid", str(error))

    async def test_notOpen(self) -> None:
        """
        A login that comes while the database is not open is not refused: it cannot be decided.
        """
        await self.start()
        await self.stop()
        (self.directory / "mailauth.db").chmod(0o644)
        await self.unready(directory=self.directory)
        listeners: Any = {service.name: service for service in self.service if service.name}
        for name in ("imaps", "https"):
            self.service.ports[name] = listeners[f"{name} 127.0.0.1 0"].port

        client = await self.connect("imaps")
        verdict = await self.inThread(imapLogin, client, plain(ALICE, "a secret"))

        self.assertTrue(verdict.startswith(b"a NO [UNAVAILABLE]"), verdict)
        self.assertEqual(await self.fetch("/readyz"), (503, b"unavailable\n"))

    async def test_noPlaceForMail(self) -> None:
        """
        So does a directory for the mail that cannot be made.
        """
        await self.start()
        await self.stop()
        (self.directory / "mail").rmdir()
        (self.directory / "mail").write_text("a file")

        error = await self.unready(directory=self.directory)

        self.assertIsInstance(error, FileExistsError)

    async def unready(
        self, replace: tuple[str, str] = ("", ""), directory: Path | None = None
    ) -> BaseException:
        """
        Start a service that cannot be ready.

        @param replace: what to replace in its configuration.
        @return: why it is not.
        """
        self.directory = directory or deploy(self)
        file = self.directory / "mailauth.toml"
        file.write_text(file.read_text().replace(*replace, 1))
        self.service = MailService(readConfiguration(file), reactor)
        self.service.startService()
        self.addCleanup(self.stop)
        failure: Any
        [(succeeded, failure)] = await DeferredList([self.service.ready], consumeErrors=True)
        self.assertFalse(succeeded)
        error: BaseException = failure.value
        return error

    async def test_databaseGone(self) -> None:
        """
        While the database cannot be read logins are undecided and the log says why; open
        connections stay.
        """
        await self.start()
        secret = await self.addAccount(ALICE)
        clients = await self.opens(b"PLAIN", plain(ALICE, secret))
        database = self.directory / "mailauth.db"
        self.service.database.revocations.close()
        with capturedLogs() as events:
            database.rename(database.with_suffix(".away"))
            await self.until(lambda: said(events, "cannot hear of revocations"))
        client = await self.connect("imaps")

        verdict = await self.inThread(imapLogin, client, plain(ALICE, secret))

        self.assertTrue(verdict.startswith(b"a NO [UNAVAILABLE]"), verdict)
        await self.awake(clients)
        database.with_suffix(".away").rename(database)
        await self.opens(b"PLAIN", plain(ALICE, secret))

    async def test_insecureLoopback(self) -> None:
        """
        Without TLS no secret is taken, unless the configuration lets programs on this machine do
        so by name.
        """
        for more, capable in (("", False), ("[insecure]\nloopback_without_tls = true", True)):
            await self.start(more)
            greeting = await self.inThread(self.greeting)
            self.assertEqual(b"AUTH=PLAIN" in greeting, capable)
            await self.stop()

    def greeting(self) -> bytes:
        """
        What IMAP says to somebody without TLS.
        """
        with socket.create_connection(("127.0.0.1", self.service.ports["imap"])) as connection:
            return connection.recv(1000)


def said(events: Sequence[Any], text: str) -> bool:
    """
    Whether the log says it.
    """
    return any(text in str(formatEvent(event)) for event in events)


def decodeHeader(part: str) -> Any:
    """
    The header of a token.
    """
    return json.loads(decode(part.encode("ascii")))
