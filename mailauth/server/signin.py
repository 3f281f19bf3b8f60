"""
Signing in on a page: owns what has to be shown until somebody is who he says he is.

A password alone is enough where the account has no second factor; a passkey is both factors. What
is half done is sealed and given to the browser, and counts for nothing anywhere else.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from time import time
from typing import Any

import attrs
from twisted.cred.checkers import ICredentialsChecker

from ..credentials import LoginContext, UsernamePassword
from ..errors import AccountDisabled, InvalidCredentials, Refusal
from ..interfaces import IAccounts, IAudit
from ..networks import networkOf
from ..oauth.records import Authentication
from ..passwords import digestAppPassword
from ..throttle import Throttle
from .factors import RECOVERY, TOTP, RecoveryCode, SecondFactors, TOTPCode
from .passkeys import InvalidPasskey, PasskeyResponse, Passkeys
from .sealing import CannotUnseal, Sealer

STEP_LIFETIME = 600.0
"""
For how many seconds the second factor may be missing.
"""

# As RFC 8176 names them. Of a recovery code and an authenticator's, both are one-time passwords;
# whether a passkey is kept in hardware nobody can tell.
BY_PASSWORD = frozenset({"pwd"})
BY_PASSWORD_AND_CODE = frozenset({"pwd", "otp", "mfa"})
BY_PASSKEY = frozenset({"pop", "mfa"})

_CREDENTIALS: dict[str, Callable[[bytes, LoginContext], TOTPCode | RecoveryCode]] = {
    TOTP: TOTPCode,
    RECOVERY: RecoveryCode,
}


class AppPasswordPresented(InvalidCredentials):
    """
    Not the account password, but what has the form of an app password. That says nothing about
    whether there is such an account, or such an app password.
    """

    sentence = (
        "This looks like an app password, which is for mail programs alone."
        " Sign in here with the password of your account."
    )


class StepExpired(InvalidCredentials):
    """
    The first half of a sign-in was too long ago, or in another browser.
    """

    sentence = "This sign-in has expired. Start again."
    counts = False


@attrs.frozen
class SignInStep:
    """
    How far somebody came.

    @ivar authentication: he is in, or C{None} if a second factor is missing.
    @ivar kinds: then, which will do: L{TOTP<mailauth.server.factors.TOTP>},
        L{RECOVERY<mailauth.server.factors.RECOVERY>}.
    @ivar sealed: and what has to come back with it.
    """

    authentication: Authentication | None
    kinds: tuple[str, ...] = ()
    sealed: str = attrs.field(default="", repr=False)


@attrs.frozen(eq=False)
class SignIn:
    """
    Signs people in. Everything it answers is dated from before it looked, so that whoever is
    revoked meanwhile is not in.

    @ivar passwords: who checks account passwords, throttles and audits.
    @ivar accounts: whether an account may sign in at all.
    @ivar audit: is told the verdicts on everything but passwords.
    @ivar throttle: the one of all wires.
    @ivar sealer: that for C{"sign-ins"}.
    @ivar seconds: a clock that only runs forward.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    passwords: ICredentialsChecker
    accounts: IAccounts
    factors: SecondFactors
    passkeys: Passkeys
    audit: IAudit
    throttle: Throttle
    sealer: Sealer
    seconds: Callable[[], float]
    now: Callable[[], float] = time

    async def password(
        self, username: str, password: str, context: LoginContext, browser: str
    ) -> SignInStep:
        """
        The first step, or the only one.

        @param username: as typed.
        @param context: of the service C{"web"}.
        @param browser: the cookie that marks the browser before anybody is signed in.
        @raise Refusal: the password is wrong.
        @raise TooManyFailures: it was not looked at.
        @raise Outage: nobody can tell.
        """
        when = self.now()
        account = await self.confirm(username, password, context)
        kinds = await self.factors.kinds(account)
        if not kinds:
            return SignInStep(Authentication(account, when, BY_PASSWORD))
        members = {"account": account, "when": when}
        sealed = self.sealer.sealMembers(members, when + STEP_LIFETIME, browser.encode("utf-8"))
        return SignInStep(None, kinds, sealed)

    async def confirm(self, username: str, password: str, context: LoginContext) -> str:
        """
        Look at a password alone, as that of somebody who is in is before it changes. It is no
        other guess than one at signing in.

        @return: whose it is.
        @raise Refusal: it is wrong.
        @raise TooManyFailures: it was not looked at.
        @raise Outage: nobody can tell.
        """
        credentials = UsernamePassword(username.encode("utf-8"), password.encode("utf-8"), context)
        try:
            avatarId: Any = await self.passwords.requestAvatarId(credentials)
        except InvalidCredentials as error:
            if digestAppPassword(credentials.password) is not None:
                raise AppPasswordPresented(error.reason) from None
            raise
        account: str = avatarId.decode("utf-8")
        return account

    async def secondFactor(
        self, sealed: str, kind: str, code: str, context: LoginContext, browser: str
    ) -> Authentication:
        """
        The second step.

        @param sealed: see L{SignInStep.sealed}.
        @param kind: one of L{SignInStep.kinds}.
        @param code: as typed.
        @raise StepExpired: there was no first step.
        @raise WrongCode: the code is wrong; it may be tried again with the same C{sealed}.
        @raise TooManyFailures: it was not looked at.
        @raise Outage: nobody can tell.
        """
        try:
            members = self.sealer.unsealMembers(sealed, self.now(), browser.encode("utf-8"))
        except CannotUnseal as error:
            raise StepExpired(str(error)) from None
        if kind not in _CREDENTIALS:
            raise StepExpired("no such second factor")
        account = members["account"]
        credentials = _CREDENTIALS[kind](account.encode("utf-8"), context)

        async def verify() -> Authentication:
            await self.factors.verify(account, kind, code)
            return Authentication(account, members["when"], BY_PASSWORD_AND_CODE)

        return await self.decide(credentials, verify)

    def passkeyOptions(self, browser: str) -> tuple[str, str]:
        """
        See L{Passkeys.authenticationOptions}.
        """
        return self.passkeys.authenticationOptions(browser)

    async def passkey(
        self, sealedChallenge: str, response: str, context: LoginContext, browser: str
    ) -> Authentication:
        """
        Both steps at once.

        @param response: what the browser's C{PublicKeyCredential.toJSON()} says.
        @raise Refusal: it is not believed.
        @raise TooManyFailures: it was not looked at.
        @raise Outage: nobody can tell.
        """
        when = self.now()

        async def verify() -> Authentication:
            passkey = await self.passkeys.verify(sealedChallenge, response, browser)
            account = await self.accounts.get(passkey.account)
            if account is None:
                raise InvalidPasskey("its owner has no account")
            if not account.enabled:
                raise AccountDisabled("disabled")
            return Authentication(account.name, when, BY_PASSKEY)

        return await self.decide(PasskeyResponse(context), verify)

    async def decide(
        self, credentials: Any, verify: Callable[[], Awaitable[Authentication]]
    ) -> Authentication:
        """
        Look at something that is no password, unless its network failed too often, and tell the
        verdict.

        @param credentials: what the log is told about: it has a C{context} and a C{username}.
        @param verify: says who it is, or raises.
        @raise TooManyFailures: it was not looked at.
        """
        network, name = networkOf(credentials.context.peer), credentials.username
        began = self.seconds()
        try:
            self.throttle.checkNetwork(network, name and name.decode("utf-8"))
            authentication = await verify()
        except Exception as error:
            if isinstance(error, Refusal) and error.counts:
                self.throttle.failed(network, None, secrets.token_bytes(32))
            self.audit.record(credentials, None, error, self.seconds() - began)
            raise
        account = authentication.account
        self.throttle.succeeded(network, account)
        self.audit.record(credentials, account, None, self.seconds() - began)
        return authentication
