"""
IMAPClient, aioimaplib and aiosmtplib, with which programs in Python read and send mail.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from aioimaplib import IMAP4_SSL
from aiosmtplib import SMTP, SMTPAuthenticationError
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from . import ALICE, BOB
from .demo import DemoTestCase
from .programs import TIMEOUT

MESSAGE = b"Subject: Hello\r\n\r\nHello Bob.\r\n"

REFUSED = "The access token was not accepted."


class PythonLibrariesTests(DemoTestCase):
    """
    Each of them with the mechanisms that it has.
    """

    def trust(self) -> ssl.SSLContext:
        """
        Whom they believe.
        """
        return ssl.create_default_context(cafile=self.demo.authority)

    # IMAPClient

    def imapClient(self, listener: str) -> IMAPClient:
        """
        Connect, over TLS or behind STARTTLS.
        """
        implicit = listener == "imaps"
        client = IMAPClient(
            "localhost",
            self.demo.ports[listener],
            ssl=implicit,
            ssl_context=self.trust() if implicit else None,
            timeout=TIMEOUT,
        )
        if not implicit:
            client.starttls(self.trust())
        return client

    def test_imapClient(self) -> None:
        """
        IMAPClient reads by OAUTHBEARER, XOAUTH2 and PLAIN, and with the LOGIN command.
        """
        [welcome] = self.inbox(ALICE)
        token, appPassword = self.demo.token(), self.demo.appPassword
        logins: tuple[Callable[[IMAPClient], object], ...] = (
            lambda client: client.oauthbearer_login(ALICE, token),
            lambda client: client.oauth2_login(ALICE, token),
            lambda client: client.plain_login(ALICE, appPassword),
            lambda client: client.login(ALICE, appPassword),
        )
        for listener in ("imap", "imaps"):
            for login in logins:
                with self.imapClient(listener) as client:
                    login(client)
                    client.select_folder("INBOX", readonly=True)
                    self.assertEqual(welcome, client.fetch([1], ["BODY[]"])[1][b"BODY[]"])

    def test_imapClientRefused(self) -> None:
        """
        IMAPClient hears the refusal. It answers the error document with its credentials again.
        """
        logins: tuple[Callable[[IMAPClient], object], ...] = (
            lambda client: client.oauthbearer_login(ALICE, "wrong"),
            lambda client: client.oauth2_login(ALICE, "wrong"),
        )
        for login in logins:
            with self.imapClient("imaps") as client:
                refusal = self.assertRaises(LoginError, login, client)
                self.assertIn(REFUSED, str(refusal))

    # aioimaplib

    async def aioimaplib(self, login: Callable[[Any], Coroutine[Any, Any, Any]]) -> tuple[Any, Any]:
        """
        Log in, and read the first message.

        @return: the answer to the login, and the message, C{None} if that was refused.
        """
        client = IMAP4_SSL(
            "localhost", self.demo.ports["imaps"], timeout=TIMEOUT, ssl_context=self.trust()
        )
        await client.wait_hello_from_server()
        answer = await login(client)
        if answer.result != "OK":
            return answer, None
        await client.select("INBOX")
        _, lines = await client.fetch("1", "(BODY.PEEK[])")
        await client.logout()
        return answer, bytes(lines[1])

    def test_aioimaplib(self) -> None:
        """
        aioimaplib reads by XOAUTH2, and with the LOGIN command.
        """
        [welcome] = self.inbox(ALICE)
        token, appPassword = self.demo.token(), self.demo.appPassword
        for login in (
            lambda client: client.xoauth2(ALICE, token),
            lambda client: client.login(ALICE, appPassword),
        ):
            _, message = asyncio.run(self.aioimaplib(login))
            self.assertEqual(welcome, message)

    def test_aioimaplibRefused(self) -> None:
        """
        aioimaplib hears a refusal. It would wait for ever behind an error document, so it is sent
        none.
        """
        answer, _ = asyncio.run(self.aioimaplib(lambda client: client.xoauth2(ALICE, "wrong")))

        self.assertEqual("NO", answer.result)
        self.assertIn(REFUSED, str(answer.lines))

    # aiosmtplib

    async def aiosmtplib(self, listener: str, login: Callable[[SMTP], Any]) -> None:
        """
        Send the message to bob.
        """
        implicit = listener == "submissions"
        async with SMTP(
            hostname="localhost",
            port=self.demo.ports[listener],
            use_tls=implicit,
            start_tls=not implicit,
            tls_context=self.trust(),
            timeout=TIMEOUT,
        ) as client:
            await client.ehlo()
            await login(client)
            await client.sendmail(ALICE, [BOB], MESSAGE)

    def test_aiosmtplib(self) -> None:
        """
        aiosmtplib sends by XOAUTH2, PLAIN and LOGIN, over STARTTLS and TLS.
        """
        token, appPassword = self.demo.token(), self.demo.appPassword
        sent = 0
        for listener in ("submission", "submissions"):
            for login in (
                lambda client: client.auth_xoauth2(ALICE, token),
                lambda client: client.auth_plain(ALICE, appPassword),
                lambda client: client.auth_login(ALICE, appPassword),
            ):
                asyncio.run(self.aiosmtplib(listener, login))
                sent += 1

        self.assertEqual(sent, sum(each.endswith(MESSAGE) for each in self.inbox(BOB)))

    def test_aiosmtplibRefused(self) -> None:
        """
        aiosmtplib hears the refusal behind the error document, and sends nothing.
        """
        sending = self.aiosmtplib("submissions", lambda client: client.auth_xoauth2(ALICE, "wrong"))
        refusal = self.assertRaises(SMTPAuthenticationError, asyncio.run, sending)

        self.assertEqual(535, refusal.code)
        self.assertIn(REFUSED, refusal.message)
        self.assertEqual([], self.inbox(BOB))
