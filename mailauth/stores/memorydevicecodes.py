"""
Device codes that live and die with the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..oauth.interfaces import IDeviceCodes
from ..oauth.records import EXPIRED_KNOWN, WAITING_LIMIT, DeviceCode, Grant, OpaqueToken
from .records import AlreadyExists, LimitReached

if TYPE_CHECKING:
    from .memory import MemoryAccounts
    from .memorygrants import MemoryGrants


@implementer(IDeviceCodes)
class MemoryDeviceCodes:
    """
    Device codes of this process alone.
    """

    def __init__(self, accounts: MemoryAccounts, grants: MemoryGrants) -> None:
        """
        @param accounts: those that may allow something.
        @param grants: where what was allowed goes when it is redeemed.
        """
        self._accounts = accounts
        self._grants = grants
        self._codes: dict[bytes, DeviceCode] = {}
        accounts.removed.append(self._forgetAccount)

    def add(self, code: DeviceCode) -> Deferred[None]:
        """
        See L{IDeviceCodes.add}. Those that expired long ago are forgotten on this occasion.
        """
        now = code.created
        waiting = []
        for one in [*self._codes.values()]:
            # One that nobody decided about in time stands in nobody's way.
            late = one.expires <= now and _undecided(one) and one.userCode == code.userCode
            if late or one.expires <= now - EXPIRED_KNOWN:
                del self._codes[one.digest]
            elif one.expires > now and _undecided(one):
                waiting.append(one)
        if len(waiting) >= WAITING_LIMIT:
            return fail(LimitReached(f"{WAITING_LIMIT} devices wait already"))
        if code.digest in self._codes or any(one.userCode == code.userCode for one in waiting):
            return fail(AlreadyExists("there is such a device code already"))
        self._codes[code.digest] = code
        return succeed(None)

    def find(self, digest: bytes) -> Deferred[DeviceCode | None]:
        """
        See L{IDeviceCodes.find}.
        """
        return succeed(self._codes.get(digest))

    def findUserCode(self, userCode: str) -> Deferred[DeviceCode | None]:
        """
        See L{IDeviceCodes.findUserCode}.
        """
        for code in self._codes.values():
            if code.userCode == userCode and _undecided(code):
                return succeed(code)
        return succeed(None)

    def polled(self, digest: bytes, now: float, interval: float) -> Deferred[None]:
        """
        See L{IDeviceCodes.polled}.
        """
        code = self._codes.get(digest)
        if code is not None:
            self._codes[digest] = attrs.evolve(code, polled=now, interval=interval)
        return succeed(None)

    def decide(self, digest: bytes, grant: Grant | None, now: float) -> Deferred[bool]:
        """
        See L{IDeviceCodes.decide}.
        """
        code = self._codes.get(digest)
        if code is None or not _undecided(code) or code.expires <= now:
            return succeed(False)
        if grant is not None and grant.account not in self._accounts:
            return succeed(False)
        self._codes[digest] = attrs.evolve(code, grant=grant, denied=grant is None)
        return succeed(True)

    def redeem(
        self, digest: bytes, grant: Grant, opaque: OpaqueToken | None, now: float
    ) -> Deferred[bool]:
        """
        See L{IDeviceCodes.redeem}.
        """
        code = self._codes.get(digest)
        if code is None or code.grant is None or code.used is not None or code.expires <= now:
            return succeed(False)
        self._codes[digest] = attrs.evolve(code, used=now)
        self._grants.issue(grant, opaque)
        return succeed(True)

    def _forgetAccount(self, account: str) -> None:
        for code in [one for one in self._codes.values() if one.grant is not None]:
            if code.grant is not None and code.grant.account == account:
                del self._codes[code.digest]


def _undecided(code: DeviceCode) -> bool:
    return code.grant is None and not code.denied
