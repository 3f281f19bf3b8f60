"""
Whatever can read the mail of an account, as its owner is told of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import attrs
from markupsafe import Markup, escape

from ....oauth.records import BrowserSession
from ....scopes import meaningsOf
from ....stores.records import AppPassword
from ...actions.access import Application, Connection
from ..browsernames import browserName
from ..describing import cleanName
from ..limits import describeEnd, describeLimits, describeProtocol
from ..times import ago, day
from ..visit import Visit


class AccessKind(StrEnum):
    """
    What there is to end, by the name that it has in a form.
    """

    APP_PASSWORD = "app-password"  # noqa: S105
    APPLICATION = "application"
    CONNECTION = "connection"
    BROWSER = "browser"


@attrs.frozen
class Access:
    """
    One thing that can read the mail: a row of a table.

    @ivar identifier: its id, which is no secret.
    @ivar name: what it is called.
    @ivar facts: what else is known of it, by the name of the column.
    @ivar verified: whether an administrator vouches for the name; C{None} where that says nothing.
    @ivar here: it is the browser that this is shown in.
    """

    kind: AccessKind
    identifier: str
    name: str
    facts: Mapping[str, Markup]
    verified: bool | None = None
    here: bool = False


def isHere(browser: BrowserSession, here: BrowserSession | None) -> bool:
    """
    Whether a browser is the one that somebody looks with.

    @param here: that one, if anybody is signed in there.
    """
    return here is not None and browser.identifier == here.identifier


@attrs.frozen
class Describer:
    """
    Tells the owner.

    @ivar now: the time, in seconds since the epoch.
    @ivar applications: those of the account.
    """

    visit: Visit
    now: float
    applications: tuple[Application, ...]

    def appPassword(self, appPassword: AppPassword) -> Access:
        """
        An app password.
        """
        may = describeLimits(self.visit, appPassword)
        if appPassword.networks:
            networks = ", ".join(appPassword.networks)
            may += self.visit.say("access.networks", networks=networks)
        facts = {
            "more": may,
            "used": self._lastUse(appPassword),
            "made": day(self.visit, appPassword.created),
            "expires": describeEnd(self.visit, appPassword.expires, self.now),
        }
        name = cleanName(appPassword.name)
        return Access(AccessKind.APP_PASSWORD, appPassword.identifier, name, facts)

    def application(self, application: Application) -> Access:
        """
        A connected application.
        """
        meanings = [self.visit.say(key) for key in meaningsOf(application.scope)]
        facts = {
            "more": Markup("; ").join(meanings),
            "used": self._use(application.lastUse, application.address),
            "allowed": day(self.visit, application.created),
        }
        return Access(
            AccessKind.APPLICATION,
            application.identifier,
            self._name(application.name),
            facts,
            application.verified,
        )

    def connection(self, connection: Connection) -> Access:
        """
        An open connection.
        """
        facts = {
            "more": escape(self._credential(connection.credential)),
            "protocol": describeProtocol(self.visit, connection.service),
            "address": escape(connection.address or self.visit.say("access.unknown")),
            "since": ago(self.visit, connection.since, self.now),
        }
        name = self._name(connection.program)
        return Access(AccessKind.CONNECTION, connection.identifier, name, facts)

    def browser(self, browser: BrowserSession, here: bool) -> Access:
        """
        A browser in which somebody is signed in.

        @param here: it is the one in which this is shown.
        """
        facts = {
            "used": self._use(browser.lastUse, browser.address),
            "signedin": day(self.visit, browser.created),
        }
        name = browserName(self.visit, browser.browser)
        return Access(AccessKind.BROWSER, browser.identifier, name, facts, here=here)

    # Facts

    def _lastUse(self, appPassword: AppPassword) -> Markup:
        use = appPassword.lastUse
        if use is None:
            return self.visit.say("access.never")
        how = [describeProtocol(self.visit, use.service)]
        if use.mailClient:
            program = cleanName(use.mailClient)
            how.append(self.visit.say("access.program", program=program))
        return self._use(use.time, use.address, *how)

    def _use(self, when: float, address: str | None, *how: Markup) -> Markup:
        """
        A use: when, and below that how and from where.
        """
        if address is not None:
            how += (self.visit.say("access.from", address=address),)
        more = self.visit.say("access.more", more=Markup(", ").join(how)) if how else ""
        return ago(self.visit, when, self.now) + more

    def _name(self, name: str | None) -> str:
        return cleanName(name or "") or self.visit.say("program.nameless")

    def _credential(self, credential: str) -> str:
        """
        What a connection was opened with. The id of a client is nothing for people.
        """
        for application in self.applications:
            if credential == f"token of {application.clientId}":
                return self._name(application.name)
        return cleanName(credential)
