"""
App passwords. Owns what one may be limited to, and how a list of another system is taken over.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from ipaddress import ip_network

import attrs

from ...interfaces import IAccounts, IAppPasswords
from ...passwords import UnusablePassword, checkImported, digestAppPassword, makeAppPassword
from ...scopes import MAIL_SERVICES
from ...stores.events import Actor, Kind, printable
from ...stores.records import (
    MOST_APP_PASSWORDS,
    SEND_ONLY,
    AppPassword,
    LimitReached,
    NotFound,
)
from ..notices import Notices
from .accounts import UnusableName, nameOf
from .recording import Recorder

MAX_NAME = 64
"""
How long the name of an app password may be.
"""


LATEST = 253_370_764_800.0
"""
When the year 9999 begins, in seconds since the epoch: what ends after it, no calendar can say.
"""


class UnusableLimits(ValueError):
    """
    No app password can be limited like this. The message says what to do about it.
    """


@attrs.frozen
class AppPasswordLimits:
    """
    What an app password is called, and what it is for.

    @ivar name: what its owner calls it.
    @ivar services: what it may be used for; empty means every mail service. To send mail alone is
        L{SEND_ONLY<mailauth.stores.records.SEND_ONLY>}.
    @ivar readOnly: it may read, and change or send nothing.
    @ivar expires: in seconds since the epoch, or C{None} for never.
    @ivar networks: where it may be used from, in CIDR notation; empty means from anywhere.
    """

    name: str
    services: frozenset[str] = frozenset()
    readOnly: bool = False
    expires: float | None = None
    networks: tuple[str, ...] = ()

    def checked(self, now: float) -> AppPasswordLimits:
        """
        The same, as it is stored.

        @raise UnusableLimits: nobody could use it, or its owner could not tell it from others.
        """
        name = printable(self.name.strip())
        if not name:
            raise UnusableLimits("Say what it is for, such as 'phone'.")
        if len(name) > MAX_NAME:
            raise UnusableLimits(f"The name is too long: it may have {MAX_NAME} characters.")
        if not self.services <= frozenset(MAIL_SERVICES):
            raise UnusableLimits(f"The services are {', '.join(MAIL_SERVICES)}.")
        if self.readOnly and self.services == SEND_ONLY:
            raise UnusableLimits("One that may only read and only send can do nothing.")
        if self.expires is not None and self.expires <= now:
            raise UnusableLimits("It would have expired already: choose a later date.")
        if self.expires is not None and self.expires >= LATEST:
            raise UnusableLimits("Choose a day before the year 9999, or that it never expires.")
        networks = tuple(dict.fromkeys(networkOf(each) for each in self.networks))
        return attrs.evolve(self, name=name, networks=networks)


def networkOf(typed: str) -> str:
    """
    A network in CIDR notation, as it is stored.

    @raise UnusableLimits: it is none.
    """
    try:
        return str(ip_network(typed.strip(), strict=False))
    except ValueError:
        raise UnusableLimits(
            f"{typed!r} is no network such as 192.0.2.0/24 or 2001:db8::/32"
        ) from None


@attrs.frozen
class MadeAppPassword:
    """
    An app password that its owner is shown now, and never again.
    """

    record: AppPassword
    secret: str = attrs.field(repr=False)


@attrs.frozen
class ImportedLine:
    """
    What came of a line of a list.

    @ivar number: of the line, from 1.
    @ivar account: whose it is, as far as that could be read.
    @ivar imported: the app password, C{None} if there is none.
    @ivar problem: then, why not.
    """

    number: int
    account: str
    imported: AppPassword | None = None
    problem: str | None = None


@attrs.frozen(eq=False)
class AppPasswordActions:
    """
    What can be done with app passwords. Names of accounts are in canonical form.

    @ivar defaultDomain: for names without a domain.
    """

    accounts: IAccounts
    store: IAppPasswords
    recorder: Recorder
    notices: Notices
    defaultDomain: str | None

    async def list(self, account: str) -> tuple[AppPassword, ...]:
        """
        Those of one account, oldest first.

        @raise NotFound: there is no such account.
        """
        if await self.accounts.get(account) is None:
            raise NotFound(f"There is no account {account}.")
        return await self.store.list(account)

    async def make(self, actor: Actor, account: str, limits: AppPasswordLimits) -> MadeAppPassword:
        """
        Make one, and tell its owner by mail.

        @raise UnusableLimits: nobody could use it.
        @raise NotFound: there is no such account.
        @raise LimitReached: it has as many as it may.
        """
        secret = makeAppPassword()
        digest = digestAppPassword(secret.encode("ascii"))
        made = attrs.evolve(self._limited(account, limits), digest=digest)
        await self.store.add(made)
        await self.recorder.record(Kind.APP_PASSWORD_MADE, actor, account, describe(made))
        await self.notices.send(
            account,
            actor,
            "A new app password for your mail",
            f"An app password was made for your account: {describe(made)}.",
        )
        return MadeAppPassword(made, secret)

    async def revoke(self, actor: Actor, account: str, identifier: str) -> None:
        """
        End one, and the connections that it opened.

        @raise NotFound: the account has none of this id.
        """
        known = {each.identifier: describe(each) for each in await self.store.list(account)}
        await self.store.revoke(account, identifier)
        text = known.get(identifier, identifier)
        await self.recorder.record(Kind.APP_PASSWORD_REVOKED, actor, account, text)

    async def limit(self, account: str) -> int:
        """
        How many an account may have.
        """
        return await self.store.limit(account)

    async def setLimit(self, actor: Actor, account: str, limit: int | None) -> None:
        """
        Say how many an account may have. Those that it has stay.

        @param limit: C{None} for what the configuration says.
        @raise UnusableLimits: that is not possible.
        @raise NotFound: there is no such account.
        """
        if limit is not None and not 0 <= limit <= MOST_APP_PASSWORDS:
            raise UnusableLimits(f"An account may have 0 to {MOST_APP_PASSWORDS} app passwords.")
        await self.store.setLimit(account, limit)
        text = "default" if limit is None else str(limit)
        await self.recorder.record(Kind.QUOTA_SET, actor, account, text)

    # From another system

    async def importHash(
        self, actor: Actor, account: str, passwordHash: str, limits: AppPasswordLimits
    ) -> AppPassword:
        """
        Take over a password by its bcrypt hash.

        @param passwordHash: such as C{"{BLF-CRYPT}$2b$12$..."}.
        @raise UnusablePassword: it is no such hash.
        @raise UnusableLimits: nobody could use it.
        @raise NotFound: there is no such account.
        @raise LimitReached: it has as many as it may.
        """
        checkImported(passwordHash)
        made = attrs.evolve(self._limited(account, limits), imported=passwordHash)
        await self.store.add(made)
        await self.recorder.record(Kind.APP_PASSWORD_IMPORTED, actor, account, describe(made))
        return made

    async def importLines(self, actor: Actor, lines: Iterable[str]) -> tuple[ImportedLine, ...]:
        """
        Take over a list: a line for each, C{account:hash} or C{account:hash:name}. A line that is
        wrong keeps no other from being taken, and one that was taken before is not taken again, so
        that a list which was mended can be given once more. Empty lines and those that begin with
        C{#} are left out.

        @return: what came of each line.
        """
        return tuple(
            [
                await self._importLine(actor, number, line.strip())
                for number, line in enumerate(lines, 1)
                if line.strip() and not line.startswith("#")
            ]
        )

    async def _importLine(self, actor: Actor, number: int, line: str) -> ImportedLine:
        typed, _, rest = line.partition(":")
        passwordHash, _, name = rest.partition(":")
        account = printable(typed[:MAX_NAME])
        try:
            account = nameOf(typed, self.defaultDomain)
            for known in await self.store.imported(account):
                if known.imported == passwordHash:
                    return ImportedLine(number, account, known)
            limits = AppPasswordLimits(name or "imported")
            made = await self.importHash(actor, account, passwordHash, limits)
        except (UnusableName, UnusablePassword, UnusableLimits, NotFound, LimitReached) as error:
            return ImportedLine(number, account, problem=str(error))
        return ImportedLine(number, account, made)

    def _limited(self, account: str, limits: AppPasswordLimits) -> AppPassword:
        now = self.recorder.now()
        checked = limits.checked(now)
        return AppPassword(
            identifier=secrets.token_hex(4),
            account=account,
            name=checked.name,
            services=checked.services,
            readOnly=checked.readOnly,
            created=now,
            expires=checked.expires,
            networks=checked.networks,
        )


def describe(appPassword: AppPassword) -> str:
    """
    An app password in a few words, for people.
    """
    words = []
    if appPassword.sendOnly:
        words.append("send-only")
    elif appPassword.services:
        words.append(", ".join(sorted(appPassword.services)))
    if appPassword.readOnly:
        words.append("read-only")
    limited = f" ({'; '.join(words)})" if words else ""
    return f"'{appPassword.name}'{limited}, id {appPassword.identifier}"
