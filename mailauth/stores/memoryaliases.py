"""
Aliases that live and die with the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..interfaces import IAliases
from .records import Alias, AlreadyExists, NotFound

if TYPE_CHECKING:
    from .memory import MemoryAccounts


@implementer(IAliases)
class MemoryAliases:
    """
    Aliases of this process alone.
    """

    def __init__(self, accounts: MemoryAccounts) -> None:
        """
        @param accounts: those that may have aliases.
        """
        self._accounts = accounts
        self._aliases = accounts.aliases
        accounts.removed.append(self._forgetAccount)

    def add(self, alias: Alias) -> Deferred[None]:
        """
        See L{IAliases.add}.
        """
        address = alias.address
        if alias.account not in self._accounts:
            return fail(NotFound(f"There is no account {alias.account}."))
        if address in self._accounts:
            return fail(AlreadyExists(f"There is an account {address} already."))
        if address in self._aliases:
            owner = self._aliases[address].account
            return fail(AlreadyExists(f"{address} is an alias of {owner} already."))
        self._aliases[address] = alias
        return succeed(None)

    def get(self, address: str) -> Deferred[Alias | None]:
        """
        See L{IAliases.get}.
        """
        return succeed(self._aliases.get(address))

    def list(self, account: str) -> Deferred[tuple[Alias, ...]]:
        """
        See L{IAliases.list}.
        """
        found = (alias for alias in self._aliases.values() if alias.account == account)
        return succeed(tuple(sorted(found, key=lambda alias: alias.address)))

    def remove(self, account: str, address: str) -> Deferred[None]:
        """
        See L{IAliases.remove}.
        """
        alias = self._aliases.get(address)
        if alias is None or alias.account != account:
            return fail(NotFound(f"{account} has no alias {address}."))
        del self._aliases[address]
        return succeed(None)

    def _forgetAccount(self, account: str) -> None:
        for alias in [one for one in self._aliases.values() if one.account == account]:
            del self._aliases[alias.address]
