"""
Where mail programs find how they are set up, and where people get what sets up theirs.

Nothing here tells whether there is an account: only which domains this server has mail for.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import ClassVar

import attrs
from twisted.web.http import Request
from twisted.web.resource import IResource

from ...errors import InvalidCredentials
from ...oauth.requests import parseForm
from ...oauth.responses import OAuthError, writeJSON
from ...usernames import canonicalName
from ..domains import Domains
from ..mailhosts import MailHosts
from ..setup import apple, autoconfig, autodiscover, emailproxy, fairemail, roundcube, thunderbird
from ..setup.autodiscover import AutodiscoverError
from ..setup.pacc import writePACC
from ..setup.thunderbird import AddOn
from .documents import JSON, Prepared
from .endpoint import Answer, Endpoint, bodyOf, inJSON, queryOf
from .page import Page
from .visit import Pages, Visit

_XML = b"text/xml"

AUTODISCOVER_PATHS = (
    "autodiscover/autodiscover.xml",
    "Autodiscover/Autodiscover.xml",
    "AutoDiscover/AutoDiscover.xml",
)
"""
Programs write it as they like.
"""

_PREFIXES = ("autoconfig.", "autodiscover.", "ua-auto-config.")


class UnknownDomain(Exception):
    """
    There is no mail for this domain here.
    """


@attrs.frozen
class Asked:
    """
    For whom something is.

    @ivar address: the mail address, in canonical form, or C{None} if nobody said.
    @ivar domain: its domain.
    """

    address: str | None
    domain: str


@attrs.frozen
class Setup:
    """
    What all of these share.
    """

    hosts: MailHosts
    domains: Domains

    async def about(self, address: str) -> Asked:
        """
        Whom a mail address is about.

        @raise UnknownDomain: nobody here can have it.
        """
        try:
            name = canonicalName(address)
        except InvalidCredentials:
            raise UnknownDomain from None
        local, _, domain = name.rpartition("@")
        if not local or domain not in await self.domains.known():
            raise UnknownDomain
        return Asked(name, domain)

    async def asked(self, request: Request) -> Asked:
        """
        Whom a request is about. One without an address is about the domain whose host it was sent
        to, or else about the only one, or about nobody: then it gets what all have in common.

        @raise OAuthError: its query cannot be read.
        """
        address = parseForm(queryOf(request)).get("emailaddress")
        if address is not None:
            return await self.about(address)
        known = await self.domains.known()
        host = (request.getRequestHostname() or b"").decode("latin-1").lower()
        for prefix in _PREFIXES:
            host = host.removeprefix(prefix)
        if host in known:
            return Asked(None, host)
        return Asked(None, next(iter(known)) if len(known) == 1 else self.hosts.hostname)


class SetupFile(Endpoint):
    """
    A file for one mail program of one person.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    def __init__(self, setup: Setup, type: bytes, write: Callable[[Asked], bytes]) -> None:
        """
        @param type: its media type.
        @param write: what makes it.
        """
        super().__init__()
        self._setup = setup
        self._type = type
        self._makeFile = write

    async def respond(self, request: Request) -> Answer:
        """
        See L{Endpoint.respond}.
        """
        try:
            asked = await self._setup.asked(request)
        except UnknownDomain:
            return Answer(b"There is no such mail address here.\n", 404, b"text/plain")
        return Answer(self._makeFile(asked), type=self._type)


class AutodiscoverResource(Endpoint):
    """
    Microsoft Autodiscover, for Outlook.
    """

    def __init__(self, setup: Setup, now: Callable[[], float] = time) -> None:
        """
        @param now: the wall clock.
        """
        super().__init__()
        self._setup = setup
        self._now = now

    async def respond(self, request: Request) -> Answer:
        """
        See L{Endpoint.respond}: an error is an answer like any other here.
        """
        try:
            content = await self._settings(request)
        except AutodiscoverError as error:
            content = autodiscover.writeError(error, self._now())
        return Answer(content, type=autodiscover.TYPE)

    async def _settings(self, request: Request) -> bytes:
        try:
            asked = await self._setup.about(autodiscover.readAddress(bodyOf(request, _XML)))
        except UnknownDomain:
            raise autodiscover.unknownAddress() from None
        except OAuthError:
            raise AutodiscoverError(600, "Invalid Request") from None
        assert asked.address is not None
        return autodiscover.writeSettings(self._setup.hosts, asked.address)


class AutodiscoverJSONResource(Endpoint):
    """
    The same for programs that ask first where it is. It does not depend on whom they ask for.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    def __init__(self, hosts: MailHosts) -> None:
        super().__init__()
        self._hosts = hosts

    async def respond(self, request: Request) -> Answer:
        """
        See L{Endpoint.respond}.
        """
        protocol = parseForm(queryOf(request)).get("Protocol")
        status, members = autodiscover.locate(self._hosts, protocol)
        return inJSON(members, status)


class AddOnResource(Endpoint):
    """
    Thunderbird's add-on.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    def __init__(self, addOn: AddOn) -> None:
        super().__init__()
        self.addOn = addOn

    async def respond(self, request: Request) -> Answer:
        """
        See L{Endpoint.respond}.
        """
        return self.answer(parseForm(queryOf(request)).get("version"))

    def answer(self, version: str | None) -> Answer:
        """
        @param version: which the request names.
        """
        return Answer(self.addOn.package(version), type=thunderbird.TYPE)


class UpdatesResource(AddOnResource):
    """
    Which add-on is the newest.
    """

    def answer(self, version: str | None) -> Answer:
        """
        See the parent: here it is the version that is installed.
        """
        return inJSON(self.addOn.updates(version))


class SetupPage(Page):
    """
    How a person sets up a mail program.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    def __init__(self, pages: Pages, setup: Setup, addOn: AddOn) -> None:
        super().__init__(pages)
        self._setup = setup
        self._addOn = addOn

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Ask for the mail address, or say it.
        """
        typed = visit.query().get("emailaddress")
        mailbox = None
        if typed is not None:
            try:
                mailbox = (await self._setup.about(typed)).address
            except UnknownDomain:
                pass
        else:
            session = await visit.session()
            typed = session.authentication.account if session else ""
        return visit.page(
            "setup",
            typed=typed,
            mailbox=mailbox,
            unknown=bool(visit.query()) and mailbox is None,
            hosts=self._setup.hosts,
            addOn=self._addOn,
            localPorts=emailproxy.LOCAL_PORTS,
        )


def discoveryByAddress(setup: Setup) -> dict[str, IResource]:
    """
    What mail programs look for, by its path at the root of any host that leads here.
    """
    hosts = setup.hosts
    settings = SetupFile(
        setup, autoconfig.TYPE, lambda asked: autoconfig.writeAutoconfig(hosts, asked.domain)
    )
    # Scripts of any site may read it: it is the same for everybody.
    document = Prepared(writePACC(hosts), JSON, headers=((b"Access-Control-Allow-Origin", b"*"),))
    discover = AutodiscoverResource(setup)
    return {
        "/mail/config-v1.1.xml": settings,
        "/.well-known/autoconfig/mail/config-v1.1.xml": settings,
        "/.well-known/user-agent-configuration.json": document,
        "/.well-known/user-agent-configuration": document,
        "/autodiscover/autodiscover.json": AutodiscoverJSONResource(hosts),
        **{f"/{path}": discover for path in AUTODISCOVER_PATHS},
    }


def setupByAddress(
    pages: Pages, setup: Setup, sign: Callable[[bytes], bytes]
) -> dict[str, IResource]:
    """
    What people get, by its path below the issuer.

    @param sign: puts a file into our signature.
    """
    hosts = setup.hosts
    addOn = AddOn(hosts)
    page = SetupPage(pages, setup, addOn)
    return {
        "setup": page,
        "setup/": page,
        addOn.path: AddOnResource(addOn),
        "setup/thunderbird/updates.json": UpdatesResource(addOn),
        "setup/thunderbird/policies.json": Prepared(writeJSON(addOn.policies()), JSON),
        "setup/roundcube.inc.php": Prepared(roundcube.writeConfiguration(hosts), roundcube.TYPE),
        "setup/apple.mobileconfig": SetupFile(
            setup, apple.TYPE, lambda asked: sign(apple.writeProfile(hosts, asked.address))
        ),
        "setup/fairemail.xml": SetupFile(
            setup, fairemail.TYPE, lambda asked: fairemail.writeProviders(hosts, asked.domain)
        ),
        "setup/email-oauth2-proxy.ini": SetupFile(
            setup,
            emailproxy.TYPE,
            lambda asked: emailproxy.writeConfiguration(
                hosts, asked.address or f"you@{asked.domain}"
            ),
        ),
    }
