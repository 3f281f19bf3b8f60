"""
Accounts, their passwords and their aliases.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import attrs

from ...errors import InvalidCredentials
from ...interfaces import IAccounts, IAliases
from ...stores.events import Actor, Kind
from ...stores.records import Account, Alias, NotFound
from ...usernames import canonicalName
from ..notices import Notices
from .recording import Recorder

PAGE = 100
"""
How many accounts are found at once, if nobody says otherwise.
"""


class UnusableName(ValueError):
    """
    No account, or no alias, can be called this. The message says why.
    """


def nameOf(typed: str, defaultDomain: str | None = None) -> str:
    """
    The canonical form of a name that somebody typed.

    @raise UnusableName: no account can have it.
    """
    try:
        return canonicalName(typed, defaultDomain)
    except InvalidCredentials as error:
        raise UnusableName(f"{typed!r} cannot be the name of an account: {error.reason}") from None


@attrs.frozen(eq=False)
class AccountActions:
    """
    What can be done with accounts. Names are in canonical form, where nothing else is said.

    @ivar hash: hashes a chosen password, off the reactor's thread.
    @ivar defaultDomain: for names without a domain.
    """

    accounts: IAccounts
    aliases: IAliases
    recorder: Recorder
    notices: Notices
    hash: Callable[[bytes], Awaitable[str]]
    defaultDomain: str | None

    async def get(self, name: str) -> Account:
        """
        @raise NotFound: there is no such account.
        """
        account = await self.accounts.get(name)
        if account is None:
            raise NotFound(f"There is no account {name}.")
        return account

    async def count(self) -> int:
        """
        How many there are.
        """
        return await self.accounts.count()

    async def find(self, word: str = "", after: str = "", limit: int = PAGE) -> tuple[Account, ...]:
        """
        Some accounts, by name.

        @param word: what stands in the name or in one of the aliases, as typed.
        @param after: the last name of the page before; empty for the first.
        """
        return await self.accounts.find(word.strip().lower(), after, limit)

    async def findAll(self, word: str = "") -> AsyncIterator[Account]:
        """
        All of them that L{find} finds.
        """
        found = await self.find(word)
        while found:
            for account in found:
                yield account
            found = await self.find(word, found[-1].name)

    async def create(
        self,
        actor: Actor,
        typed: str,
        password: bytes | None = None,
        passwordRule: str | None = None,
    ) -> Account:
        """
        Make an account.

        @param typed: its name, as typed.
        @param password: C{None} for OAuth and app passwords only.
        @param passwordRule: C{"web"}, C{"everywhere"}, or C{None} for the rule of its domain.
        @raise UnusableName: it cannot be called this.
        @raise UnusablePassword: the password cannot be set.
        @raise AlreadyExists: somebody has this address.
        """
        name = nameOf(typed, self.defaultDomain)
        hashed = None if password is None else await self.hash(password)
        account = Account(name, hashed, passwordRule=passwordRule, created=self.recorder.now())
        await self.accounts.add(account)
        await self.recorder.record(Kind.ACCOUNT_CREATED, actor, name)
        return account

    async def remove(self, actor: Actor, name: str) -> None:
        """
        Remove an account with its app passwords and aliases, and end all that is open. Its mail
        stays on disk.

        @raise NotFound: there is no such account.
        """
        await self.accounts.remove(name)
        await self.recorder.record(Kind.ACCOUNT_REMOVED, actor, name)

    async def disable(self, actor: Actor, name: str) -> None:
        """
        Let nobody into an account, and end all that is open.

        @raise NotFound: there is no such account.
        """
        await self.accounts.disable(name)
        await self.recorder.record(Kind.ACCOUNT_DISABLED, actor, name)

    async def enable(self, actor: Actor, name: str) -> None:
        """
        Let it in again. What was issued before stays dead.

        @raise NotFound: there is no such account.
        """
        await self.accounts.enable(name)
        await self.recorder.record(Kind.ACCOUNT_ENABLED, actor, name)

    # Its password

    async def setPassword(self, actor: Actor, name: str, password: bytes) -> None:
        """
        Set the account password. Tokens, browsers and open connections of the account end, also
        the browser of whoever does it; app passwords stay.

        @raise UnusablePassword: it cannot be set.
        @raise NotFound: there is no such account.
        """
        await self.accounts.setPassword(name, await self.hash(password))
        await self.recorder.record(Kind.PASSWORD_SET, actor, name)
        await self.notices.send(
            name, actor, "Your password was changed", "The password of your account was changed."
        )

    async def clearPassword(self, actor: Actor, name: str) -> None:
        """
        Leave the account without a password: with OAuth and app passwords only. What
        L{setPassword} ends ends.

        @raise NotFound: there is no such account.
        """
        await self.accounts.setPassword(name, None)
        await self.recorder.record(Kind.PASSWORD_CLEARED, actor, name)
        await self.notices.send(
            name, actor, "Your password was removed", "The password of your account was removed."
        )

    async def setPasswordRule(self, actor: Actor, name: str, rule: str | None) -> None:
        """
        Say where the account password may be used.

        @param rule: C{"web"}, C{"everywhere"}, or C{None} for the rule of its domain.
        @raise NotFound: there is no such account.
        """
        await self.accounts.setPasswordRule(name, rule)
        await self.recorder.record(Kind.PASSWORD_RULE_SET, actor, name, rule or "domain")

    # Its aliases

    async def listAliases(self, name: str) -> tuple[Alias, ...]:
        """
        The other addresses of an account.
        """
        return await self.aliases.list(name)

    async def addAlias(self, actor: Actor, name: str, typed: str) -> Alias:
        """
        Let an account receive the mail of another address, and send as it.

        @param typed: the address, as typed.
        @raise UnusableName: it is no address.
        @raise AlreadyExists: somebody has it.
        @raise NotFound: there is no such account.
        """
        alias = Alias(self._addressOf(typed), name, self.recorder.now())
        await self.aliases.add(alias)
        await self.recorder.record(Kind.ALIAS_ADDED, actor, name, alias.address)
        return alias

    async def removeAlias(self, actor: Actor, name: str, typed: str) -> None:
        """
        Give an address up.

        @param typed: the address, as typed.
        @raise UnusableName: it is no address.
        @raise NotFound: the account has no such alias.
        """
        address = self._addressOf(typed)
        await self.aliases.remove(name, address)
        await self.recorder.record(Kind.ALIAS_REMOVED, actor, name, address)

    def _addressOf(self, typed: str) -> str:
        address = nameOf(typed, self.defaultDomain)
        if "@" not in address:
            raise UnusableName(f"{typed!r} is no address: it needs an @ and a domain")
        return address
