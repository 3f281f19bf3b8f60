"""
The composition root: a configuration becomes a service. Here, and only here, the wire side and the
truth side meet.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic, time
from typing import Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredList, TimeoutError
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.mail.interfaces import IAccountIMAP, IMailboxPOP3, IMessageDelivery
from twisted.python.threadpool import ThreadPool

from ..caches.memory import MemoryCache
from ..credentials import AvatarId
from ..errors import Outage
from ..mail.pop3 import POP3
from ..mail.smtp import ESMTP
from ..mail.waiting import IEndable, WaitingRoom
from ..passwords import PasswordHasher
from ..realm import Logout, MailRealm
from ..stores.database import Database
from ..stores.records import CannotOpen
from ..throttle import RateLimit
from .actions.recording import Recorder
from .administration import makeAdministration
from .audit import LoginLog
from .authorizationserver import makeAuthorizationServer
from .config import Configuration, readConfiguration
from .control import Control, OpenConnections
from .domains import Domains
from .keys import PURPOSE, newSigningKey, sealPlainKeys
from .listeners import IMPLICIT_TLS, Listener, MailFactory, makeMechanisms, overTLS
from .mailbox.imap4 import MailboxIMAP4Server
from .mailbox.mailboxes import Mailboxes
from .mailbox.pop3 import openPOP3Mailbox
from .mailhosts import mailHostsOf
from .pastlogins import PastLogins
from .portal import makeTruth
from .recorded import REFUSALS, RecordedRefusals
from .sealing import readKeyFile
from .submission import Submission, SubmissionService
from .tls import ReloadableContext, UnusableCertificate
from .toml import ConfigurationError
from .web.account.addresses import accountByAddress
from .web.addresses import endpointsByAddress, pagesByAddress
from .web.admin.addresses import adminByAddress
from .web.admin.adminpage import AdminRules
from .web.assets import Assets
from .web.channel import QuietSite
from .web.documents import documentsByAddress
from .web.pages import MissingPage
from .web.setup import Setup, discoveryByAddress, setupByAddress
from .web.site import makeSite
from .web.visit import Pages

_log = Logger()

POLL = 1.0
"""
How many seconds lie between two looks for what other processes revoked, so that a connection
without any traffic ends within two.
"""

PURGE = 3600.0
"""
How many seconds lie between two times that what has expired is forgotten.
"""

MAIL_THREADS = 4

GRACE = 10.0
"""
How many seconds a message that is being taken has left when the server stops.
"""

_GOODBYE = "The server is going down; try again soon"


class MailService(MultiService):
    """
    The whole server.

    @ivar ready: fires with C{None} when every port is open and logins can be decided, or fails
        with what prevents it.
    @ivar ports: then, for each listener the port it got.
    """

    def __init__(
        self,
        configuration: Configuration,
        reactor: Any,
        path: Path | None = None,
        grace: float = GRACE,
    ) -> None:
        """
        @param reactor: for the network, time and threads.
        @param path: where the configuration came from, to read it again on SIGHUP; C{None} if
            there is nothing to read.
        @param grace: how many seconds a message that is being taken has left at the end.
        @raise UnusableCertificate: TLS cannot be offered.
        @raise CannotOpen: the key file cannot be used.
        """
        super().__init__()
        self.setName("mailauth")
        self.ready: Deferred[None] = Deferred()
        self.ports: dict[str, int] = {}
        self._configuration = configuration
        self._path = path
        self._grace = grace
        self._reactor = reactor
        self._opened = False
        self._tls = ReloadableContext(configuration.certificate, configuration.privateKey)
        self._secret = readKeyFile(configuration.keyFile)
        self.database = Database(
            configuration.database,
            reactor,
            configuration.issuer,
            keep=configuration.revocationsKept,
            appPasswordLimit=configuration.appPasswordLimit,
        )
        # Slow hashes, the mail and the database do not wait for each other.
        self._pools = (
            ThreadPool(0, os.cpu_count() or 1, "mailauth-passwords"),
            ThreadPool(0, MAIL_THREADS, "mailauth-mail"),
        )
        cache = MemoryCache()
        self.hasher = PasswordHasher(reactor, self._pools[0], configuration.hashCost, cache=cache)
        self.mailboxes = Mailboxes(
            configuration.directory / "mail", partial(deferToThreadPool, reactor, self._pools[1])
        )
        self._logins = LoginLog(configuration.loginLog, reactor.callLater)
        audit = RecordedRefusals(
            self._logins,
            Recorder(self.database.events),
            RateLimit(monotonic, REFUSALS),
            configuration.defaultDomain,
        )
        self.truth = makeTruth(
            configuration,
            lambda domain: self._configuration.passwordRuleOf(domain),
            self.database,
            self._secret,
            self.hasher,
            cache,
            self._makeRealm(),
            audit,
            reactor,
        )
        self._server = makeAuthorizationServer(
            configuration, self.database, self._secret, self.truth, audit, reactor
        )
        connections = OpenConnections(self.truth.realm, time())
        self.administration = makeAdministration(
            configuration,
            self.database,
            self._secret,
            self._server.clients,
            self.truth.issuers,
            connections,
            self.hasher.hash,
            self.mailboxes.deliver,
            lambda: self._tls.ends,
        )
        self._submissions = SubmissionService(
            self.truth.accounts,
            self.database.aliases,
            self.mailboxes,
            configuration.hostname,
            time,
        )
        self._factories = self._makeFactories()
        self._control = Control(reactor, configuration.directory, connections)
        self._attach()

    def _attach(self) -> None:
        """
        What starts and stops with it.
        """
        for name, factory in self._factories.items():
            overall = overTLS(factory, self._tls) if name in IMPLICIT_TLS else factory
            for address in self._configuration.listen[name]:
                Listener(self._reactor, name, address, overall).setServiceParent(self)
        self._control.setServiceParent(self)
        for interval, call in ((POLL, self._catchUp), (PURGE, self._purge)):
            timer = TimerService(interval, call)
            timer.clock = self._reactor
            timer.setServiceParent(self)

    # What is put together

    def _makeRealm(self) -> MailRealm:
        return MailRealm(
            {
                IAccountIMAP: self._makeIMAPAccount,
                IMailboxPOP3: self._makePOP3Mailbox,
                IMessageDelivery: self._makeSubmission,
            }
        )

    def _makeIMAPAccount(self, avatarId: AvatarId) -> tuple[Any, Logout]:
        return self.mailboxes.account(avatarId.account, avatarId.readOnly), _nothing

    def _makePOP3Mailbox(self, avatarId: AvatarId) -> Deferred[tuple[Any, Logout]]:
        account = self.mailboxes.account(avatarId.account, avatarId.readOnly)
        opened = Deferred.fromCoroutine(openPOP3Mailbox(account))
        return opened.addCallback(lambda mailbox: (mailbox, _nothing))

    def _makeSubmission(self, avatarId: AvatarId) -> tuple[Any, Logout]:
        submission = Submission(self._submissions, avatarId.account, avatarId.readOnly)
        return submission, _nothing

    def _makeFactories(self) -> dict[str, IProtocolFactory]:
        configuration, tls = self._configuration, self._tls
        mechanisms = makeMechanisms(configuration)
        # Those who look at a page take no place from those who log in.
        room, lobby = self._rooms = (
            WaitingRoom(self._reactor.callLater, configuration.waiting),
            WaitingRoom(self._reactor.callLater, configuration.waiting),
        )

        def mail(make: Callable[[], Any], *protocols: bytes) -> MailFactory:
            loopback = configuration.insecureLoopback
            return MailFactory(make, self.truth.portal, room, loopback, protocols)

        def makeESMTP() -> ESMTP:
            protocol = ESMTP(mechanisms, tls)
            protocol.host = configuration.hostname.encode("ascii")
            protocol.MAX_MESSAGE = configuration.messageSize
            return protocol

        imap = mail(lambda: MailboxIMAP4Server(mechanisms, tls), b"imap")
        submission = mail(makeESMTP)
        pop3 = mail(lambda: POP3(mechanisms, tls), b"pop3")
        return {
            "imap": imap,
            "imaps": imap,
            "submission": submission,
            "submissions": submission,
            "pop3": pop3,
            "pop3s": pop3,
            "https": self._makeSite(lobby),
        }

    def _makeSite(self, lobby: WaitingRoom) -> QuietSite:
        configuration, server, database = self._configuration, self._server, self.database
        sign = self._tls.sign
        pages = Pages(
            configuration.issuer,
            configuration.hostname,
            self._secret.sealer("csrf"),
            server.sessions,
            Assets(),
        )
        domains = Domains(
            lambda: self._configuration.domains, self.truth.accounts, database.revocations
        )
        setup = Setup(mailHostsOf(configuration), domains)
        logins = PastLogins(
            configuration.loginLog, partial(deferToThreadPool, self._reactor, self._pools[1])
        )
        return makeSite(
            configuration.issuer,
            {
                **documentsByAddress(
                    configuration.issuer,
                    configuration.issuing,
                    self.truth.keys.verifyingKeys,
                    self._isReady,
                ),
                **discoveryByAddress(setup),
            },
            {
                **endpointsByAddress(server, configuration.issuing.openRegistration, monotonic),
                **pagesByAddress(
                    pages,
                    server.authorization,
                    server.signIn,
                    server.devices,
                    server.logout,
                    configuration.tokenLifetime,
                    server.federations,
                ),
                **setupByAddress(pages, setup, sign),
                **accountByAddress(
                    pages,
                    server.account,
                    self.administration,
                    server.signIn,
                    setup.hosts,
                    database.spent,
                    sign,
                ),
                **adminByAddress(
                    pages, server.admin, self.administration, self._rules, logins, database.spent
                ),
            },
            MissingPage(pages),
            lobby,
        )

    # Its life

    def startService(self) -> None:
        """
        See L{IService.startService}. Connections are accepted at once; until the database is
        open the answer to a login is that it cannot be decided yet.
        """
        calmCollector()
        for pool in self._pools:
            pool.start()
        super().startService()
        Deferred.fromCoroutine(self._open()).chainDeferred(self.ready)
        if self._path is not None:
            signal.signal(signal.SIGHUP, self._hangUp)

    async def _open(self) -> None:
        await self.database.open()
        directory = self._configuration.directory
        if directory.stat().st_uid != os.geteuid():
            # Root may look into the database, but mail that root wrote its owner could not read.
            raise CannotOpen(
                f"{directory} belongs to another user: run as that user, or with 'twistd --uid'"
            )
        # Not before root's rights are given up: the mail belongs to whom the database does.
        self.mailboxes.create()
        keys, sealer = self.database.signingKeys, self._secret.sealer(PURPOSE)
        await sealPlainKeys(keys, sealer)
        if not await keys.list():
            await keys.add(newSigningKey(sealer, time()))
        await self.truth.keys.load()
        for listener in self.services:
            if isinstance(listener, Listener):
                if listener.failed is not None:
                    raise listener.failed
                self.ports.setdefault(listener.listener, listener.port)
        self._control.listen()
        self._opened = True
        _log.info(
            "mailauth is ready: {listeners}",
            listeners=", ".join(f"{name} on {port}" for name, port in self.ports.items()),
        )

    async def _stop(self, stopped: Deferred[Any]) -> None:
        await stopped
        retired = DeferredList([each.retire(_GOODBYE) for each in self._connections()])
        # What is given up is the waiting, and not what is waited for.
        waiting: Deferred[Any] = Deferred()
        retired.chainDeferred(waiting)
        try:
            await waiting.addTimeout(self._grace, self._reactor)
        except TimeoutError:
            _log.warn("stopped while messages were being taken; they were not acknowledged")
        for each in self._connections():
            each.end(_GOODBYE)
        self._logins.close()
        await self.database.close()
        for pool in self._pools:
            await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), pool.stop)

    def stopService(self) -> Deferred[None]:
        """
        See L{IService.stopService}. Accept nothing more, finish what is being delivered, and say
        goodbye.
        """
        return Deferred.fromCoroutine(self._stop(super().stopService()))

    def _connections(self) -> list[IEndable]:
        return [each for room in self._rooms for each in room.connections()]

    def _rules(self) -> AdminRules:
        configuration = self._configuration
        return AdminRules(configuration.administrators, configuration.adminSecondFactor)

    def _isReady(self) -> bool:
        if not self._opened:
            return False
        try:
            self.database.revocations.catchUp()
        except Outage:
            return False
        return True

    def _catchUp(self) -> None:
        if self._opened:
            try:
                self.database.revocations.catchUp()
            except Outage as error:
                _log.error("cannot hear of revocations: {reason}", reason=error.reason)

    def _purge(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._forgetExpired())

    async def _forgetExpired(self) -> None:
        if self._opened:
            now = time()
            try:
                await self.database.grants.purge(now)
                await self.database.browserSessions.purge(now)
                await self.database.events.purge(now - self._configuration.eventsKept)
            except Outage as error:
                _log.error("cannot forget what has expired: {reason}", reason=error.reason)

    # SIGHUP

    def _hangUp(self, number: int, frame: object) -> None:
        self._reactor.callFromThread(self.reload)

    def reload(self) -> None:
        """
        Read the certificate again, and what of the configuration can change while it is in use:
        where account passwords may be used, and who administers. A mistake leaves everything as
        it was.
        """
        assert self._path is not None
        try:
            configuration = readConfiguration(self._path)
            self._tls.load(configuration.certificate, configuration.privateKey)
        except (ConfigurationError, UnusableCertificate) as error:
            _log.error("nothing is reloaded: {reason}", reason=str(error))
        else:
            self._configuration = configuration
            _log.info("certificate and rules are reloaded")


def calmCollector() -> None:
    """
    Let the garbage collector leave alone what is there for good, and look less often for what it
    hardly ever finds: a connection that is lost leaves no ring behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _nothing() -> None:
    """
    The logout of whoever has nothing to give back.
    """
