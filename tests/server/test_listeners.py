"""
L{mailauth.server.listeners}: which addresses are bound, and what TLS says on them.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any, cast
from unittest import SkipTest

from twisted.internet import reactor
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import ServerFactory
from twisted.protocols.wire import Echo
from twisted.trial.unittest import TestCase

from mailauth.server.config import Address
from mailauth.server.listeners import Listener

from .deployment import PATIENCE, ServiceCase, trust

STARTTLS = {"imap": b"a STARTTLS", "submission": b"STARTTLS", "pop3": b"STLS"}


class ListenerTests(TestCase):
    """
    One address each.
    """

    def listen(self, host: str, port: int) -> Listener:
        """
        Bind an address, until the test ends.
        """
        factory = ServerFactory()
        factory.noisy = False
        factory.protocol = Echo
        listener = Listener(cast(Any, reactor), "imap", Address(host, port), factory)
        listener.privilegedStartService()
        self.addCleanup(listener.stopService)
        return listener

    def test_everywhere(self) -> None:
        """
        All addresses of IPv4 and all of IPv6 can be named with one port, whatever the system does
        with an IPv6 socket by itself: this is what the sample configuration says.
        """
        if not socket.has_ipv6:
            raise SkipTest("needs IPv6")
        for hosts in (("0.0.0.0", "::"), ("::", "0.0.0.0")):
            first = self.listen(hosts[0], 0)
            second = self.listen(hosts[1], first.port)

            self.assertIsNone(second.failed)
            self.assertEqual(second.port, first.port)

    async def test_stop(self) -> None:
        """
        An address is free again when its listener has stopped.
        """
        listener = self.listen("127.0.0.1", 0)
        port = listener.port
        await listener.stopService()

        self.assertIsNone(self.listen("127.0.0.1", port).failed)

    def test_taken(self) -> None:
        """
        An address that somebody else has is named.
        """
        first = self.listen("127.0.0.1", 0)

        second = self.listen("127.0.0.1", first.port)

        self.assertIsInstance(second.failed, CannotListenError)
        self.assertIn(f"127.0.0.1:{first.port}", str(second.failed))


class NegotiationTests(ServiceCase):
    """
    Which protocol a client and a listener agree on in the TLS handshake (RFC 7301).
    """

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        """
        A service.
        """
        await self.start()

    def negotiate(self, listener: str, *offered: str) -> str | None:
        """
        Shake hands, after STARTTLS where that comes first.

        @return: what was agreed on.
        """
        context = trust(self.directory)
        if offered:
            context.set_alpn_protocols(offered)
        address = ("127.0.0.1", self.service.ports[listener])
        with socket.create_connection(address, PATIENCE) as connection:
            if listener in STARTTLS:
                connection.recv(1000)
                connection.sendall(STARTTLS[listener] + b"\r\n")
                connection.recv(1000)
            with context.wrap_socket(connection, server_hostname="localhost") as secured:
                return secured.selected_alpn_protocol()

    async def test_agreed(self) -> None:
        """
        The name that the protocol has in IANA's registry is accepted, and so is a client that
        offers none.
        """
        for name, *listeners in (
            ("imap", "imap", "imaps"),
            ("pop3", "pop3", "pop3s"),
            ("http/1.1", "https"),
        ):
            for listener in listeners:
                for offered in ((name,), ("h2", name)):
                    agreed = await self.inThread(self.negotiate, listener, *offered)
                    self.assertEqual(agreed, name)
        for listener in self.service.ports:
            self.assertIsNone(await self.inThread(self.negotiate, listener))

    async def test_refused(self) -> None:
        """
        A client that takes a mail port for a web server is told by TLS that it is none, before it
        has sent anything; so is one that takes the site for a mail server (W6).
        """
        for listener in self.service.ports:
            offered = "imap" if listener == "https" else "http/1.1"
            refused = self.inThread(self.negotiate, listener, offered)
            error = await self.assertFailure(refused, ssl.SSLError)
            self.assertIn("no application protocol", str(error), listener)
