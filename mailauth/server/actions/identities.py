"""
External issuers, and who the owners of accounts are to them.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from twisted.internet.defer import Deferred

from ...errors import Outage
from ...interfaces import IAccounts, IIdentities
from ...stores.events import Actor, Kind
from ...stores.records import Identity, NotFound
from ..externalissuers import ExternalIssuer
from ..issuercheck import Findings, IssuerCheck
from ..reachedissuers import ReachedIssuer
from .recording import Recorder


@attrs.frozen
class IssuerState:
    """
    An external issuer.

    @ivar settings: what the configuration says.
    @ivar problem: why what it says of itself cannot be read, C{None} if it can.
    @ivar read: when it was read last, in seconds since the epoch; C{None} if it never was.
    """

    settings: ExternalIssuer
    problem: str | None
    read: float | None


@attrs.frozen(eq=False)
class IdentityActions:
    """
    What can be done with identities. Names of accounts are in canonical form.

    @ivar issuers: those of the configuration, as they are reached.
    """

    accounts: IAccounts
    store: IIdentities
    issuers: Sequence[ReachedIssuer]
    recorder: Recorder

    async def listIssuers(self) -> tuple[IssuerState, ...]:
        """
        The external issuers, each with whether it can be reached. What was fetched a short time ago
        is not fetched again.
        """
        # Asked at once, so that one that does not answer takes no time of another's.
        asking = [Deferred.fromCoroutine(self._stateOf(issuer)) for issuer in self.issuers]
        return tuple([await asked for asked in asking])

    async def _stateOf(self, issuer: ReachedIssuer) -> IssuerState:
        problem = None
        try:
            await issuer.discovery.metadata()
        except Outage as error:
            problem = error.reason
        age = issuer.discovery.age()
        read = None if age is None else self.recorder.now() - age
        return IssuerState(issuer.settings, problem, read)

    async def check(self, named: str) -> Findings:
        """
        Look whether the tokens of an issuer would open anything here, and say what to do if not.

        @param named: its name in the configuration, or its URL.
        @raise NotFound: the configuration has none of that name.
        """
        for issuer in self.issuers:
            if named in (issuer.settings.name, issuer.settings.url):
                findings = Findings()
                try:
                    await IssuerCheck(issuer, findings).check()
                except Outage as error:
                    findings.wrong(f"{error.reason}.", "Look again in a minute.")
                return findings
        raise NotFound(f"The configuration has no external issuer {named}.")

    def issuerURL(self, named: str) -> str:
        """
        The URL of an external issuer, also of one that the configuration has no more.

        @param named: its name in the configuration, or its URL.
        @raise NotFound: it can be neither.
        """
        urls = {each.settings.name: each.settings.url for each in self.issuers}
        url = urls.get(named, named)
        if not url.startswith("https://"):
            raise NotFound(
                f"The configuration has no external issuer {named}, and it is no https URL."
            )
        return url

    async def list(self, account: str) -> tuple[Identity, ...]:
        """
        Those of one account, by issuer.

        @raise NotFound: there is no such account.
        """
        if await self.accounts.get(account) is None:
            raise NotFound(f"There is no account {account}.")
        return await self.store.list(account)

    async def link(self, actor: Actor, account: str, issuer: str, subject: str) -> None:
        """
        Say who the owner of an account is to an issuer, in the place of what either was linked
        with. What came of that ends.

        @param issuer: its name or its URL: see L{issuerURL}.
        @raise NotFound: there is no such account or issuer.
        """
        url = self.issuerURL(issuer)
        await self.store.link(Identity(url, subject, account, self.recorder.now()))
        await self.recorder.record(Kind.IDENTITY_LINKED, actor, account, f"{subject} of {url}")

    async def unlink(self, actor: Actor, account: str, issuer: str, subject: str) -> None:
        """
        Say who the owner is not. What came of that ends.

        @param issuer: its name or its URL: see L{issuerURL}.
        @raise NotFound: the account is not linked with it.
        """
        url = self.issuerURL(issuer)
        linked = [(each.issuer, each.subject) for each in await self.list(account)]
        if (url, subject) not in linked:
            raise NotFound(f"{account} is not linked with {subject} of {url}.")
        await self.store.unlink(url, subject)
        await self.recorder.record(Kind.IDENTITY_UNLINKED, actor, account, f"{subject} of {url}")
