"""
One-time codes: those of an authenticator (RFC 6238) and those on paper for the day it is lost. Owns
which of them is good.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

import attrs
import pyotp
from pyotp.utils import strings_equal
from twisted.cred.credentials import ICredentials
from zope.interface import implementer

from ..credentials import LoginContext
from ..errors import InvalidCredentials, Outage
from ..oauth.interfaces import IFactors
from ..oauth.records import TOTPSecret
from ..passwords import digestAppPassword, makeAppPassword
from ..stores.records import NotFound
from .sealing import CannotUnseal, Sealer
from .wrongcodes import WrongCodes

PURPOSE = "totp-secrets"
"""
What the key file's key for them is for: see L{ServerSecret.sealer}.
"""

TOTP = "totp"
RECOVERY = "recovery"

STEP = 30
"""
For how many seconds a code is the current one (RFC 6238 section 4.1).
"""

WINDOW = 1
"""
By how many steps the authenticator's clock may be off, in either direction.
"""

RECOVERY_CODES = 10

PROPOSAL_LIFETIME = 1800.0
"""
For how many seconds an authenticator may be without its first code.
"""


@implementer(ICredentials)
@attrs.define(eq=False)
class TOTPCode:
    """
    A code of an authenticator, for the log: it is not in it.

    @ivar username: the account, in canonical form.
    """

    username: bytes
    context: LoginContext


@implementer(ICredentials)
@attrs.define(eq=False)
class RecoveryCode:
    """
    A recovery code, for the log: it is not in it.

    @ivar username: the account, in canonical form.
    """

    username: bytes
    context: LoginContext


class WrongCode(InvalidCredentials):
    """
    A one-time code that is wrong, or was used before.
    """

    sentence = "This code is wrong, or was used before."


@attrs.frozen
class Enrolment:
    """
    What the owner of an account is shown once.

    @ivar uri: what his authenticator reads, most often as a QR code.
    @ivar recoveryCodes: each of them good once.
    """

    uri: str = attrs.field(repr=False)
    recoveryCodes: tuple[str, ...] = attrs.field(repr=False)


@attrs.frozen
class Proposal:
    """
    An authenticator that does not count yet, and of which nothing is kept: its owner has to show
    that it works.

    @ivar uri: what it reads.
    @ivar key: its secret, for whoever has to type it.
    @ivar sealed: what has to come back with its first code.
    """

    uri: str = attrs.field(repr=False)
    key: str = attrs.field(repr=False)
    sealed: str = attrs.field(repr=False)


class SecondFactors:
    """
    The one-time codes of all accounts.
    """

    def __init__(
        self,
        store: IFactors,
        sealer: Sealer,
        seconds: Callable[[], float],
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param sealer: that of L{PURPOSE}.
        @param seconds: a clock that only runs forward.
        @param now: the wall clock, in seconds since the epoch.
        """
        self._store = store
        self._sealer = sealer
        self._now = now
        self._wrongCodes = WrongCodes(seconds)

    async def kinds(self, account: str) -> tuple[str, ...]:
        """
        What an account needs after its password: one of these. Nothing if it has no authenticator.
        """
        if await self._store.getTOTP(account) is None:
            return ()
        left = await self._store.countRecoveryCodes(account)
        return (TOTP, RECOVERY) if left else (TOTP,)

    async def verify(self, account: str, kind: str, code: str) -> None:
        """
        Return if the code is good, which it will never be again.

        @param kind: L{TOTP} or L{RECOVERY}.
        @raise WrongCode: it is not.
        @raise TooManyFailures: it was not looked at.
        @raise Outage: nobody can tell.
        """
        if kind == RECOVERY:
            await self._verifyRecovery(account, code)
        else:
            await self._verifyTOTP(account, code)

    async def _verifyTOTP(self, account: str, code: str) -> None:
        stored = await self._store.getTOTP(account)
        if stored is None:
            raise WrongCode("the account has no authenticator")
        # From here to the count nothing waits: many at once are no more guesses than in a row.
        self._wrongCodes.check(account)
        step = self._stepOf(account, stored.sealed, code)
        if step is None:
            self._wrongCodes.failed(account)
            raise WrongCode("not one of the codes of now")
        if not await self._store.useTOTP(account, step):
            raise WrongCode("the code, or a later one, was used before")
        self._wrongCodes.succeeded(account)

    def _stepOf(self, account: str, sealed: bytes, code: str) -> int | None:
        """
        Of which time step a code is, if it may be used now.
        """
        typed = "".join(code.split())
        generator = pyotp.TOTP(self._unseal(account, sealed), interval=STEP)
        current = int(self._now()) // STEP
        for step in range(current - WINDOW, current + WINDOW + 1):
            if strings_equal(typed, generator.generate_otp(step)):
                return step
        return None

    def _unseal(self, account: str, sealed: bytes) -> str:
        try:
            return self._sealer.unseal(sealed, account.encode("utf-8")).decode("ascii")
        except CannotUnseal:
            raise Outage(
                "the secret of an authenticator was sealed with another key file"
            ) from None

    async def _verifyRecovery(self, account: str, code: str) -> None:
        digest = digestAppPassword(code.encode("utf-8"))
        if digest is None or not await self._store.useRecoveryCode(account, digest):
            raise WrongCode("no recovery code that is left")

    # Giving an account an authenticator

    async def enrol(self, account: str, issuerName: str) -> Enrolment:
        """
        Give an account a new authenticator and new recovery codes, in the place of what it had.

        @param issuerName: what the authenticator shows beside the account.
        @raise NotFound: there is no such account.
        """
        secret = pyotp.random_base32()
        codes, digests = _makeRecoveryCodes()
        sealed = self._sealer.seal(secret.encode("ascii"), account.encode("utf-8"))
        await self._store.setTOTP(TOTPSecret(account, sealed, self._now()), digests)
        return Enrolment(_uriOf(secret, account, issuerName), codes)

    def propose(self, account: str, issuerName: str, browser: str) -> Proposal:
        """
        Make a new authenticator, which counts when L{confirm} is called.

        @param issuerName: what the authenticator shows beside the account.
        @param browser: in which its owner is.
        """
        secret = pyotp.random_base32()
        kept = self._sealer.seal(secret.encode("ascii"), account.encode("utf-8"))
        expires = self._now() + PROPOSAL_LIFETIME
        sealed = self._sealer.sealMembers(
            {"kept": kept.hex()}, expires, _proposalContext(account, browser)
        )
        return _makeProposal(secret, account, issuerName, sealed)

    def proposed(self, account: str, issuerName: str, sealed: str, browser: str) -> Proposal:
        """
        What L{propose} made, once more.

        @raise CannotUnseal: it did not, or not in this browser, or too long ago.
        """
        secret = self._unseal(account, self._keptOf(account, sealed, browser))
        return _makeProposal(secret, account, issuerName, sealed)

    async def confirm(self, account: str, sealed: str, code: str, browser: str) -> tuple[str, ...]:
        """
        Give an account the authenticator that was proposed and new recovery codes, in the place of
        what it had, if a code shows that it works.

        @param sealed: see L{Proposal.sealed}.
        @return: the recovery codes, each of them good once.
        @raise CannotUnseal: see L{proposed}.
        @raise WrongCode: the code is wrong.
        @raise AlreadyExists: it was confirmed before.
        @raise NotFound: there is no such account.
        @raise Outage: it does not count.
        """
        kept = self._keptOf(account, sealed, browser)
        step = self._stepOf(account, kept, code)
        if step is None:
            raise WrongCode("not one of the codes of now")
        codes, digests = _makeRecoveryCodes()
        await self._store.setTOTP(TOTPSecret(account, kept, self._now(), step), digests)
        return codes

    def _keptOf(self, account: str, sealed: str, browser: str) -> bytes:
        context = _proposalContext(account, browser)
        return bytes.fromhex(self._sealer.unsealMembers(sealed, self._now(), context)["kept"])

    async def renewRecoveryCodes(self, account: str) -> tuple[str, ...]:
        """
        Give an account new recovery codes, in the place of those that are left.

        @raise NotFound: it has no authenticator that could be lost.
        """
        if await self._store.getTOTP(account) is None:
            raise NotFound(f"{account} has no authenticator.")
        codes, digests = _makeRecoveryCodes()
        await self._store.setRecoveryCodes(account, digests)
        return codes

    async def remove(self, account: str) -> None:
        """
        Ask the account for its password alone.

        @raise NotFound: it has no authenticator.
        """
        await self._store.removeTOTP(account)


def _makeProposal(secret: str, account: str, issuerName: str, sealed: str) -> Proposal:
    key = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return Proposal(_uriOf(secret, account, issuerName), key, sealed)


def _uriOf(secret: str, account: str, issuerName: str) -> str:
    uri: str = pyotp.TOTP(secret, interval=STEP).provisioning_uri(
        name=account, issuer_name=issuerName
    )
    return uri


def _proposalContext(account: str, browser: str) -> bytes:
    return "\0".join(("proposal", account, browser)).encode("utf-8")


def _makeRecoveryCodes() -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    """
    Some codes and their digests. They are made as app passwords are, of 120 bits: nobody guesses
    one, and one round of SHA-256 will do.
    """
    codes = tuple(makeAppPassword() for _ in range(RECOVERY_CODES))
    digests = (digestAppPassword(code.encode("ascii")) for code in codes)
    return codes, tuple(each for each in digests if each is not None)
