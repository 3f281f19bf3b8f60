"""
What somebody signs in with, and what is left of that when he removes some. Owns that nobody locks
himself out without being told.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs
from markupsafe import Markup

from ....oauth.records import Passkey
from ....stores.events import EventSearch, Kind
from ...actions.factors import AccountFactors
from ...administration import Administration
from ..describing import cleanName
from ..visit import Visit


@attrs.frozen
class LinkedIssuer:
    """
    An external issuer to which somebody is known. By what name stays between it and us.

    @ivar label: what people call it.
    @ivar signsIn: he can sign in through it.
    @ivar linked: since when, in seconds since the epoch.
    """

    label: str
    signsIn: bool
    linked: float


@attrs.frozen
class WaysIn:
    """
    Those of one account.

    @ivar password: it has one.
    @ivar passwordSet: when that was set, in seconds since the epoch, if that is known.
    """

    password: bool
    passwordSet: float | None
    factors: AccountFactors
    issuers: tuple[LinkedIssuer, ...]

    @property
    def hangsOnOnePasskey(self) -> bool:
        """
        Whether one passkey is all that there is, and may be lost with the device that keeps it.
        """
        others = self.password or any(each.signsIn for each in self.issuers)
        return len(self.factors.passkeys) == 1 and not others

    def withoutPasskey(self, passkey: Passkey) -> WaysIn:
        """
        What is left without it.
        """
        left = tuple(
            each for each in self.factors.passkeys if each.credentialId != passkey.credentialId
        )
        return attrs.evolve(self, factors=attrs.evolve(self.factors, passkeys=left))

    def withoutTOTP(self) -> WaysIn:
        """
        What is left without the authenticator.
        """
        factors = attrs.evolve(self.factors, totp=None, recoveryCodes=0)
        return attrs.evolve(self, factors=factors)

    def describe(self, visit: Visit) -> tuple[Markup, ...]:
        """
        Each of them, for the owner. If there are none, nobody can sign in.
        """
        ways = [
            visit.say("ways.passkey", name=cleanName(each.name)) for each in self.factors.passkeys
        ]
        if self.password:
            ways.append(
                visit.say("ways.password" if self.factors.totp is None else "ways.password.code")
            )
        ways.extend(
            visit.say("ways.issuer", label=each.label) for each in self.issuers if each.signsIn
        )
        return tuple(ways)


async def waysIn(administration: Administration, account: str) -> WaysIn:
    """
    What the owner of an account signs in with.

    @raise NotFound: there is no such account.
    @raise Outage: nobody can tell.
    """
    password = (await administration.accounts.get(account)).passwordHash is not None
    changed = EventSearch(account=account, kind=Kind.PASSWORD_SET)
    found = await administration.events.find(changed, 1)
    settings = {each.settings.url: each.settings for each in administration.identities.issuers}
    issuers = []
    for identity in await administration.identities.list(account):
        known = settings.get(identity.issuer)
        label = known.label if known is not None else urlsplit(identity.issuer).netloc
        signsIn = known is not None and known.signIn
        issuers.append(LinkedIssuer(label, signsIn, identity.created))
    return WaysIn(
        password,
        found[0].time if found and password else None,
        await administration.factors.list(account),
        tuple(issuers),
    )
