"""
Browser sessions, second factors and what may be used once, which live and die with the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..oauth.interfaces import IBrowserSessions, IFactors, ISpent
from ..oauth.records import BrowserSession, Passkey, TOTPSecret
from .records import AlreadyExists, NotFound

if TYPE_CHECKING:
    from .memory import MemoryAccounts


@implementer(IBrowserSessions)
class MemoryBrowserSessions:
    """
    Browser sessions of this process alone.
    """

    def __init__(self, accounts: MemoryAccounts) -> None:
        """
        @param accounts: those that may be signed in.
        """
        self._accounts = accounts
        self._sessions: dict[bytes, BrowserSession] = {}
        accounts.removed.append(self._forgetAccount)

    def add(self, session: BrowserSession) -> Deferred[None]:
        """
        See L{IBrowserSessions.add}.
        """
        account = session.authentication.account
        if account not in self._accounts:
            return fail(NotFound(f"There is no account {account}."))
        self._sessions[session.digest] = session
        return succeed(None)

    def find(self, digest: bytes) -> Deferred[BrowserSession | None]:
        """
        See L{IBrowserSessions.find}.
        """
        return succeed(self._sessions.get(digest))

    def get(self, identifier: str) -> Deferred[BrowserSession | None]:
        """
        See L{IBrowserSessions.get}.
        """
        sessions = self._sessions.values()
        return succeed(next((one for one in sessions if one.identifier == identifier), None))

    def touch(self, digest: bytes, now: float) -> Deferred[None]:
        """
        See L{IBrowserSessions.touch}.
        """
        session = self._sessions.get(digest)
        if session is not None:
            self._sessions[digest] = attrs.evolve(session, lastUse=now)
        return succeed(None)

    def list(self, account: str) -> Deferred[tuple[BrowserSession, ...]]:
        """
        See L{IBrowserSessions.list}.
        """
        newestFirst = sorted(
            self._ofAccount(account), key=lambda one: (-one.created, one.identifier)
        )
        return succeed(tuple(newestFirst))

    def end(self, identifier: str) -> Deferred[BrowserSession | None]:
        """
        See L{IBrowserSessions.end}.
        """
        for session in self._sessions.values():
            if session.identifier == identifier:
                return succeed(self._sessions.pop(session.digest))
        return succeed(None)

    def purge(self, now: float) -> Deferred[None]:
        """
        See L{IBrowserSessions.purge}.
        """
        for session in [one for one in self._sessions.values() if one.expires <= now]:
            del self._sessions[session.digest]
        return succeed(None)

    def _ofAccount(self, account: str) -> tuple[BrowserSession, ...]:
        sessions = self._sessions.values()
        return tuple(one for one in sessions if one.authentication.account == account)

    def _forgetAccount(self, account: str) -> None:
        for session in self._ofAccount(account):
            del self._sessions[session.digest]


@implementer(IFactors)
class MemoryFactors:
    """
    Second factors of this process alone.
    """

    def __init__(self, accounts: MemoryAccounts) -> None:
        """
        @param accounts: those that may have factors.
        """
        self._accounts = accounts
        self._secrets: dict[str, TOTPSecret] = {}
        self._passkeys: dict[bytes, Passkey] = {}
        self._recoveryCodes: dict[str, frozenset[bytes]] = {}
        accounts.removed.append(self._forgetAccount)

    def setTOTP(self, secret: TOTPSecret, recoveryCodes: tuple[bytes, ...]) -> Deferred[None]:
        """
        See L{IFactors.setTOTP}.
        """
        if secret.account not in self._accounts:
            return fail(NotFound(f"There is no account {secret.account}."))
        known = self._secrets.get(secret.account)
        if known is not None and known.sealed == secret.sealed:
            return fail(AlreadyExists(f"{secret.account} has this authenticator already."))
        self._secrets[secret.account] = secret
        self._recoveryCodes[secret.account] = frozenset(recoveryCodes)
        return succeed(None)

    def getTOTP(self, account: str) -> Deferred[TOTPSecret | None]:
        """
        See L{IFactors.getTOTP}.
        """
        return succeed(self._secrets.get(account))

    def useTOTP(self, account: str, step: int) -> Deferred[bool]:
        """
        See L{IFactors.useTOTP}.
        """
        secret = self._secrets.get(account)
        if secret is None or secret.lastStep >= step:
            return succeed(False)
        self._secrets[account] = attrs.evolve(secret, lastStep=step)
        return succeed(True)

    def removeTOTP(self, account: str) -> Deferred[None]:
        """
        See L{IFactors.removeTOTP}.
        """
        if self._secrets.pop(account, None) is None:
            return fail(NotFound(f"{account} has no authenticator."))
        self._recoveryCodes.pop(account, None)
        return succeed(None)

    def addPasskey(self, passkey: Passkey) -> Deferred[None]:
        """
        See L{IFactors.addPasskey}.
        """
        if passkey.account not in self._accounts:
            return fail(NotFound(f"There is no account {passkey.account}."))
        if passkey.credentialId in self._passkeys:
            return fail(AlreadyExists("there is such a passkey already"))
        self._passkeys[passkey.credentialId] = passkey
        return succeed(None)

    def findPasskey(self, credentialId: bytes) -> Deferred[Passkey | None]:
        """
        See L{IFactors.findPasskey}.
        """
        return succeed(self._passkeys.get(credentialId))

    def listPasskeys(self, account: str) -> Deferred[tuple[Passkey, ...]]:
        """
        See L{IFactors.listPasskeys}.
        """
        oldestFirst = sorted(
            self._ofAccount(account), key=lambda one: (one.created, one.credentialId)
        )
        return succeed(tuple(oldestFirst))

    def usePasskey(self, credentialId: bytes, signCount: int, now: float) -> Deferred[bool]:
        """
        See L{IFactors.usePasskey}.
        """
        passkey = self._passkeys.get(credentialId)
        if passkey is None or not (
            passkey.signCount < signCount or passkey.signCount == signCount == 0
        ):
            return succeed(False)
        self._passkeys[credentialId] = attrs.evolve(passkey, signCount=signCount, lastUse=now)
        return succeed(True)

    def renamePasskey(self, account: str, credentialId: bytes, name: str) -> Deferred[None]:
        """
        See L{IFactors.renamePasskey}.
        """
        passkey = self._passkeys.get(credentialId)
        if passkey is None or passkey.account != account:
            return fail(NotFound(f"{account} has no such passkey."))
        self._passkeys[credentialId] = attrs.evolve(passkey, name=name)
        return succeed(None)

    def removePasskey(self, account: str, credentialId: bytes) -> Deferred[None]:
        """
        See L{IFactors.removePasskey}.
        """
        passkey = self._passkeys.get(credentialId)
        if passkey is None or passkey.account != account:
            return fail(NotFound(f"{account} has no such passkey."))
        del self._passkeys[credentialId]
        return succeed(None)

    def setRecoveryCodes(self, account: str, digests: tuple[bytes, ...]) -> Deferred[None]:
        """
        See L{IFactors.setRecoveryCodes}.
        """
        if account not in self._accounts:
            return fail(NotFound(f"There is no account {account}."))
        self._recoveryCodes[account] = frozenset(digests)
        return succeed(None)

    def useRecoveryCode(self, account: str, digest: bytes) -> Deferred[bool]:
        """
        See L{IFactors.useRecoveryCode}.
        """
        left = self._recoveryCodes.get(account, frozenset())
        self._recoveryCodes[account] = left - {digest}
        return succeed(digest in left)

    def countRecoveryCodes(self, account: str) -> Deferred[int]:
        """
        See L{IFactors.countRecoveryCodes}.
        """
        return succeed(len(self._recoveryCodes.get(account, ())))

    def _ofAccount(self, account: str) -> tuple[Passkey, ...]:
        return tuple(one for one in self._passkeys.values() if one.account == account)

    def _forgetAccount(self, account: str) -> None:
        self._secrets.pop(account, None)
        self._recoveryCodes.pop(account, None)
        for passkey in self._ofAccount(account):
            del self._passkeys[passkey.credentialId]


@implementer(ISpent)
class MemorySpent:
    """
    What was used once in this process.
    """

    def __init__(self) -> None:
        # When each may be forgotten.
        self._spent: dict[bytes, float] = {}

    def spend(self, digest: bytes, expires: float, now: float) -> Deferred[bool]:
        """
        See L{ISpent.spend}. What may be forgotten is, on this occasion.
        """
        for old in [one for one, expired in self._spent.items() if expired <= now]:
            del self._spent[old]
        if digest in self._spent:
            return succeed(False)
        self._spent[digest] = expires
        return succeed(True)
