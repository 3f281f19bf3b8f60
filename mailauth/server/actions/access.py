"""
Who is in, and by what: connected applications, browsers and open connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from ...credentials import accountTag
from ...errors import Outage
from ...interfaces import IAccounts, IRevocations
from ...oauth.interfaces import IBrowserSessions, IGrants
from ...oauth.records import BrowserSession, Grant
from ...oauth.responses import OAuthError
from ...stores.events import ACCOUNT_SITE, Actor, Kind
from ...stores.records import NotFound
from ..clients import Clients
from ..liveness import endsWith, isRevoked
from ..sites import SITES
from .recording import Recorder

BY_ADMINISTRATOR = "Ended by the administrator"
BY_OWNER = "Ended on the account page"


@attrs.frozen
class Connection:
    """
    An open connection.

    @ivar identifier: its id, which nobody else has had since the server started.
    @ivar account: whose it is.
    @ivar service: C{"imap"}, C{"smtp"}, C{"pop3"}.
    @ivar address: from where, if that is known.
    @ivar program: what the mail program calls itself, unverified, if anything.
    @ivar credential: what it was opened with, for people.
    @ivar since: since when, in seconds since the epoch.
    """

    identifier: str
    account: str
    service: str
    address: str | None
    program: str | None
    credential: str
    since: float


class Connections(Protocol):
    """
    Those of the running service: see L{OpenConnections<mailauth.server.control.OpenConnections>}.
    """

    def list(self) -> Sequence[Connection]:
        """
        All of them, in the order in which they came. None if nothing runs.
        """

    def end(self, identifier: str, reason: str) -> bool:
        """
        End one.

        @return: whether there was one of that id.
        """

    def since(self) -> float | None:
        """
        Since when the service runs, in seconds since the epoch; C{None} if it does not.
        """


@attrs.frozen
class Application:
    """
    A client that somebody lets act for him.

    @ivar identifier: the id of the grant.
    @ivar account: whose it is.
    @ivar clientId: its C{client_id}.
    @ivar name: what it is called, C{None} if it is known no more.
    @ivar verified: an administrator vouches for that name.
    @ivar scope: what it may do.
    @ivar created: since when, in seconds since the epoch.
    @ivar lastUse: when it was used last.
    @ivar address: from where that was, if it is known.
    """

    identifier: str
    account: str
    clientId: str
    name: str | None
    verified: bool
    scope: frozenset[str]
    created: float
    lastUse: float
    address: str | None


@attrs.frozen(eq=False)
class AccessActions:
    """
    What can be done with what is open. Names of accounts are in canonical form.

    Where something is ended by its id, C{account} says whose it has to be: an id of somebody else's
    is that of nothing. C{None} is for an administrator, who ends anybody's.
    """

    accounts: IAccounts
    grants: IGrants
    browserSessions: IBrowserSessions
    revocations: IRevocations
    connections: Connections
    clients: Clients
    issuer: str
    recorder: Recorder

    # Who is in

    async def listApplications(self, account: str) -> tuple[Application, ...]:
        """
        The applications that may act for an account, newest first, without our own sites: they are
        where it is looked at.
        """
        self.revocations.catchUp()
        return tuple(
            [
                await self._application(grant)
                for grant in await self.grants.list(account)
                if grant.clientId not in SITES and self._isLive(grant)
            ]
        )

    def _isLive(self, grant: Grant) -> bool:
        ends = (grant.expires, grant.refreshExpires)
        now = self.recorder.now()
        return all(end is None or now < end for end in ends) and not isRevoked(
            grant, self.issuer, self.revocations
        )

    async def _application(self, grant: Grant) -> Application:
        try:
            client = await self.clients.find(grant.clientId)
        except (OAuthError, Outage):
            # It may be one that a document describes, far away: only its name is missing here.
            client = None
        return Application(
            grant.grantId,
            grant.account,
            grant.clientId,
            None if client is None else client.name,
            client is not None and client.verified,
            grant.scope,
            grant.created,
            grant.lastUse or grant.created,
            grant.address,
        )

    async def listBrowsers(self, account: str) -> tuple[BrowserSession, ...]:
        """
        The browsers in which somebody is signed in, newest first.
        """
        self.revocations.catchUp()
        now = self.recorder.now()
        return tuple(
            browser
            for browser in await self.browserSessions.list(account)
            if now < browser.expires
            and not self.revocations.covers(
                browser.authentication.tags | browser.authentication.sessionTags,
                browser.authentication.when,
            )
        )

    def listConnections(self, account: str | None) -> tuple[Connection, ...]:
        """
        The open connections, in the order in which they came.

        @param account: whose; C{None} for everybody's.
        """
        return tuple(each for each in self.connections.list() if account in (None, each.account))

    # Ending it

    async def endApplication(self, actor: Actor, account: str | None, identifier: str) -> None:
        """
        End an application with its connections. It has to be allowed again.

        @raise NotFound: there is none of this id.
        """
        grant = await self.grants.get(identifier)
        if grant is None or account not in (None, grant.account):
            raise _nothing(identifier)
        await self.grants.revoke(identifier, _reason(actor))
        await self.recorder.record(
            Kind.APPLICATION_ENDED, actor, grant.account, f"{grant.clientId}, id {identifier}"
        )

    async def endBrowser(self, actor: Actor, account: str | None, identifier: str) -> None:
        """
        Sign a browser out. What was allowed in it for good stays; what was allowed to know who is
        signed in there, such as our own sites, ends.

        @raise NotFound: there is none of this id.
        """
        browser = await self.browserSessions.get(identifier)
        if browser is None or account not in (None, browser.authentication.account):
            raise _nothing(identifier)
        owner = browser.authentication.account
        # Before it: what an outage leaves can be ended again.
        for grant in await self.grants.list(owner):
            if endsWith(browser, grant):
                await self.grants.revoke(grant.grantId, _reason(actor))
        await self.browserSessions.end(identifier)
        await self.recorder.record(Kind.BROWSER_ENDED, actor, owner, identifier)

    async def endConnection(self, actor: Actor, account: str | None, identifier: str) -> None:
        """
        End an open connection. What it was opened with stays good.

        @raise NotFound: there is none of this id.
        """
        for each in self.listConnections(account):
            if each.identifier == identifier and self.connections.end(identifier, _reason(actor)):
                await self.recorder.record(
                    Kind.CONNECTION_ENDED, actor, each.account, f"{each.service}, id {identifier}"
                )
                return
        raise _nothing(identifier)

    async def end(self, actor: Actor, account: str | None, identifier: str) -> None:
        """
        End whichever of these has the id.

        @raise NotFound: none has.
        """
        for end in (self.endApplication, self.endBrowser):
            try:
                await end(actor, account, identifier)
            except NotFound:
                continue
            return
        await self.endConnection(actor, account, identifier)

    async def endAll(self, actor: Actor, account: str) -> None:
        """
        End all that there is of an account. App passwords stay good.

        @raise NotFound: there is no such account.
        """
        if await self.accounts.get(account) is None:
            raise NotFound(f"There is no account {account}.")
        await self.revocations.revoke([accountTag(account)], _reason(actor))
        await self.recorder.record(Kind.ALL_ENDED, actor, account)


def _reason(actor: Actor) -> str:
    """
    What the owners of the connections are told.
    """
    return BY_OWNER if actor.via == ACCOUNT_SITE else BY_ADMINISTRATOR


def _nothing(identifier: str) -> NotFound:
    return NotFound(f"There is nothing open with the id {identifier}.")
