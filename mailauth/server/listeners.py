"""
The wire side of the service: who answers on which port.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

from twisted.application.service import Service
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IProtocolNegotiationFactory,
    IReactorSocket,
)
from twisted.internet.protocol import ServerFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from ..interfaces import IMechanism
from ..mail.waiting import WaitingRoom
from ..sasl.oauthbearer import OAuthBearer, XOAuth2
from ..sasl.plain import LOGIN, PLAIN
from .config import Address, Configuration

BACKLOG = 1024
"""
How many connections the kernel keeps for us until we accept them.
"""

IMPLICIT_TLS = frozenset({"imaps", "submissions", "pop3s", "https"})


def makeMechanisms(configuration: Configuration) -> tuple[IMechanism, ...]:
    """
    What is offered, the preferred one first.
    """
    scope, discovery = configuration.scope, configuration.discovery
    return (
        OAuthBearer(scope=scope, openidConfiguration=discovery),
        XOAuth2(
            scope=scope,
            openidConfiguration=discovery,
            documentServices=configuration.xoauth2Document,
        ),
        PLAIN,
        LOGIN,
    )


@implementer(IProtocolNegotiationFactory)
class MailFactory(ServerFactory):
    """
    Makes the connections of one protocol.
    """

    noisy = False

    def __init__(
        self,
        make: Callable[[], Any],
        portal: Any,
        waitingRoom: WaitingRoom,
        insecureLoopback: bool,
        protocols: Iterable[bytes] = (),
    ) -> None:
        """
        @param make: makes a L{MailConnection<mailauth.mail.connection.MailConnection>}.
        @param portal: whom it logs in with.
        @param waitingRoom: where it waits until then.
        @param insecureLoopback: see there.
        @param protocols: what ALPN calls it (RFC 7301); submission has no name there.
        """
        self._make = make
        self._portal = portal
        self._waitingRoom = waitingRoom
        self._insecureLoopback = insecureLoopback
        self._protocols = list(protocols)

    def acceptableProtocols(self) -> list[bytes]:
        """
        See L{IProtocolNegotiationFactory}.
        """
        return self._protocols

    def buildProtocol(self, address: IAddress | None) -> Any:
        """
        See L{IProtocolFactory}.
        """
        protocol = self._make()
        protocol.factory = self
        protocol.portal = self._portal
        protocol.waitingRoom = self._waitingRoom
        protocol.callLater = self._waitingRoom.callLater
        protocol.insecureLoopback = self._insecureLoopback
        return protocol


def overTLS(factory: IProtocolFactory, tlsContext: Any) -> TLSMemoryBIOFactory:
    """
    The same behind implicit TLS (RFC 8314).
    """
    wrapped = TLSMemoryBIOFactory(tlsContext, False, factory)
    wrapped.noisy = False
    return wrapped


class Listener(Service):
    """
    One address. It is bound before root's rights are given up, so that it may be a low port.

    @ivar failed: why it could not be bound.
    """

    failed: CannotListenError | None = None
    _port: IListeningPort | None = None

    def __init__(self, reactor: IReactorSocket, name: str, address: Address, factory: Any) -> None:
        self.setName(f"{name} {address.host} {address.port}")
        self.listener = name
        self._reactor = reactor
        self._address = address
        self._factory = factory

    @property
    def port(self) -> int:
        """
        The port that it got.
        """
        assert self._port is not None
        host: Any = self._port.getHost()
        return int(host.port)

    def privilegedStartService(self) -> None:
        """
        Bind it. An address of IPv6 takes nothing of IPv4, whatever the system is set to: a
        configuration names both, with one port.
        """
        host, port = self._address.host, self._address.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            self.failed = CannotListenError(host, port, error)
            return
        # The port has a descriptor of its own.
        with listening:
            listening.setblocking(False)
            self._port = self._reactor.adoptStreamPort(listening.fileno(), family, self._factory)

    def startService(self) -> None:
        """
        Bind it now, if nobody has.
        """
        super().startService()
        if self._port is None and self.failed is None:
            self.privilegedStartService()

    def stopService(self) -> Any:
        """
        Accept nothing more.
        """
        super().stopService()
        port, self._port = self._port, None
        return port.stopListening() if port is not None else None
