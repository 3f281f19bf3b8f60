"""
One-time codes: those of an authenticator (RFC 6238) and those on paper for the day it is lost. Owns
which of them is good, and how often one may be wrong.

Only who knows the password comes so far as to be asked for one, so no stranger can keep the owner
waiting here.
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
from ..errors import InvalidCredentials, Outage, TooManyFailures
from ..oauth.interfaces import IFactors
from ..oauth.records import TOTPSecret
from ..passwords import digestAppPassword, makeAppPassword
from .sealing import CannotUnseal, Sealer

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

FREE_FAILURES = 5
"""
How many wrong codes in a row cost no time.
"""

FIRST_WAIT, LONGEST_WAIT = 30.0, 3600.0
"""
For how many seconds nothing is looked at after that. Each wrong code doubles it: of a million codes
three are right at any time, and nobody finds one within a year.
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
        self._waits = _Waits(seconds)

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
        self._waits.check(account)
        step = self._stepOf(stored, code)
        if step is None:
            self._waits.failed(account)
            raise WrongCode("not one of the codes of now")
        if not await self._store.useTOTP(account, step):
            raise WrongCode("the code, or a later one, was used before")
        self._waits.succeeded(account)

    def _stepOf(self, stored: TOTPSecret, code: str) -> int | None:
        """
        Of which time step a code is, if it may be used now.
        """
        try:
            secret = self._sealer.unseal(stored.sealed, stored.account.encode("utf-8"))
        except CannotUnseal:
            raise Outage(
                "the secret of an authenticator was sealed with another key file"
            ) from None
        typed = "".join(code.split())
        generator = pyotp.TOTP(secret.decode("ascii"), interval=STEP)
        current = int(self._now()) // STEP
        for step in range(current - WINDOW, current + WINDOW + 1):
            if strings_equal(typed, generator.generate_otp(step)):
                return step
        return None

    async def _verifyRecovery(self, account: str, code: str) -> None:
        digest = digestAppPassword(code.encode("utf-8"))
        if digest is None or not await self._store.useRecoveryCode(account, digest):
            raise WrongCode("no recovery code that is left")

    async def enrol(self, account: str, issuerName: str) -> Enrolment:
        """
        Give an account a new authenticator and new recovery codes, in the place of what it had.

        @param issuerName: what the authenticator shows beside the account.
        @raise NotFound: there is no such account.
        """
        secret = pyotp.random_base32()
        # As app passwords are made, of 120 bits: nobody guesses one, and one round of SHA-256 will
        # do.
        codes = tuple(makeAppPassword() for _ in range(RECOVERY_CODES))
        digests = (digestAppPassword(code.encode("ascii")) for code in codes)
        await self._store.setRecoveryCodes(account, tuple(each for each in digests if each))
        sealed = self._sealer.seal(secret.encode("ascii"), account.encode("utf-8"))
        await self._store.setTOTP(TOTPSecret(account, sealed, self._now()))
        uri = pyotp.TOTP(secret, interval=STEP).provisioning_uri(
            name=account, issuer_name=issuerName
        )
        return Enrolment(uri, codes)

    async def remove(self, account: str) -> None:
        """
        Ask the account for its password alone.

        @raise NotFound: it has no authenticator.
        """
        await self._store.removeTOTP(account)
        await self._store.setRecoveryCodes(account, ())


@attrs.define
class _Failures:
    """
    The wrong codes of one account since its last right one.
    """

    count: int
    waitsUntil: float


class _Waits:
    """
    Which accounts have to wait. There are no more of them than accounts whose password somebody
    knew.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._failures: dict[str, _Failures] = {}

    def check(self, account: str) -> None:
        """
        Return if a code may be looked at.

        @raise TooManyFailures: not yet.
        """
        failures = self._failures.get(account)
        if failures is not None and self._seconds() < failures.waitsUntil:
            raise TooManyFailures("too many wrong codes")

    def failed(self, account: str) -> None:
        """
        A code was wrong.
        """
        failures = self._failures.setdefault(account, _Failures(0, 0.0))
        failures.count += 1
        if failures.count >= FREE_FAILURES:
            doublings = min(failures.count - FREE_FAILURES, 10)
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2**doublings)
            failures.waitsUntil = self._seconds() + wait

    def succeeded(self, account: str) -> None:
        """
        A code was right.
        """
        self._failures.pop(account, None)
