"""
Which domains this server has mail for: those of the configuration, and those of the accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..credentials import accountTag
from ..interfaces import IAccounts, IRevocations
from ..stores.revocations import REMOVED

_ACCOUNTS = accountTag("")


class Domains:
    """
    Knows them, without a look into the store for each question: anybody may ask.
    """

    def __init__(
        self,
        configured: Callable[[], Iterable[str]],
        accounts: IAccounts,
        revocations: IRevocations,
    ) -> None:
        """
        @param configured: those that the configuration names now.
        @param revocations: which tells when an account came or went.
        """
        self._configured = configured
        self._accounts = accounts
        self._revocations = revocations
        self._ofAccounts: frozenset[str] | None = None
        self._changes = 0
        revocations.subscribe(self._changed)

    async def known(self) -> frozenset[str]:
        """
        All of them.

        @raise Outage: nobody can tell.
        """
        self._revocations.catchUp()
        found = self._ofAccounts
        if found is None:
            began = self._changes
            accounts = await self._accounts.list()
            found = frozenset(account.domain for account in accounts) - {""}
            if began == self._changes:
                self._ofAccounts = found
        return found.union(self._configured())

    def _changed(self, tags: frozenset[str], reason: str | None) -> None:
        known = self._ofAccounts or frozenset()
        for tag in tags:
            # An account with a domain that is known changes nothing, unless it goes.
            if tag.startswith(_ACCOUNTS) and (
                reason == REMOVED or tag.rpartition("@")[2] not in known
            ):
                self._ofAccounts = None
                self._changes += 1
