"""
Tests for L{mailauth.server.signin}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pyotp
from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailauth.checkers import AccountPasswordChecker, Audited, Throttled
from mailauth.credentials import LoginContext, UsernamePassword
from mailauth.errors import AccountDisabled, InvalidCredentials, Outage, TooManyFailures
from mailauth.passwords import digestAppPassword, hashChosen, makeAppPassword
from mailauth.server.factors import (
    RECOVERY,
    TOTP,
    Enrolment,
    RecoveryCode,
    SecondFactors,
    TOTPCode,
    WrongCode,
)
from mailauth.server.passkeys import InvalidPasskey, PasskeyResponse, Passkeys
from mailauth.server.sealing import KEY_OCTETS, ServerSecret
from mailauth.server.signin import (
    STEP_LIFETIME,
    AppPasswordPresented,
    SignIn,
    SignInStep,
    StepExpired,
)
from mailauth.server.wrongcodes import FREE_FAILURES
from mailauth.stores.memory import MemoryAccounts, MemoryStores
from mailauth.stores.records import Account, AppPassword
from mailauth.testing.audit import MemoryAudit
from mailauth.throttle import Throttle

from ..pools import RecordingPool, makeHasher
from ..test_checkers import ScriptedChecker
from .authenticator import Authenticator

NOW = 1_800_000_000.0
ALICE, BOB = "alice@example.test", "bob@example.test"
ISSUER = "https://mail.example.test"
BROWSER = "the cookie of a browser"
HOME = LoginContext("web", "192.0.2.1", True, "Firefox")
ELSEWHERE = LoginContext("web", "198.51.100.1", True)


@attrs.define
class World:
    """
    Somebody to sign in, and what decides about it.
    """

    clock: Clock
    stores: MemoryStores
    audit: MemoryAudit
    throttle: Throttle
    factors: SecondFactors
    passkeys: Passkeys
    signIn: SignIn


def makeWorld(clock: Clock, makePasswords: Callable[[MemoryStores], ICredentialsChecker]) -> World:
    """
    Put together what signs in, as the service does.

    @param makePasswords: makes what checks account passwords.
    """
    now = clock.seconds
    stores, audit, throttle = MemoryStores(now), MemoryAudit(), Throttle(now)
    secret = ServerSecret(bytes(KEY_OCTETS))
    factors = SecondFactors(stores.factors, secret.sealer("totp-secrets"), now, now)
    passkeys = Passkeys(
        ISSUER,
        stores.factors,
        stores.spent,
        secret.sealer("passkey-challenges"),
        secret.sealer("user-handles"),
        now,
    )
    passwords = Audited(Throttled(makePasswords(stores), throttle), audit, now)
    sealer = secret.sealer("sign-ins")
    signIn = SignIn(
        passwords, stores.accounts, factors, passkeys, audit, throttle, sealer, now, now
    )
    return World(clock, stores, audit, throttle, factors, passkeys, signIn)


def makeClock() -> Clock:
    """
    A clock that shows a date.
    """
    clock = Clock()
    clock.advance(NOW)
    return clock


def codeOf(enrolment: Enrolment, clock: Clock) -> str:
    """
    What an authenticator shows now.
    """
    authenticator = pyotp.parse_uri(enrolment.uri)
    assert isinstance(authenticator, pyotp.TOTP)
    return authenticator.at(int(clock.seconds()))


class SignInTestCase(SynchronousTestCase):
    """
    Alice, who has a password, and bob, who has an authenticator, too.
    """

    def setUp(self) -> None:
        """
        Let them have accounts.
        """
        self.passwords = ScriptedChecker(
            {b"alice's": ALICE, b"bob's": BOB}, InvalidCredentials("wrong password")
        )
        self.world = makeWorld(makeClock(), lambda stores: self.passwords)
        self.signIn, self.clock = self.world.signIn, self.world.clock
        for name in (ALICE, BOB):
            self.successResultOf(self.world.stores.accounts.add(Account(name)))
        self.enrolment = self.got(self.world.factors.enrol(BOB, "mail.example.test"))

    def got(self, coroutine: Any) -> Any:
        """
        What a coroutine returns.
        """
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def refused(self, error: type[Exception], coroutine: Any) -> Any:
        """
        A coroutine raises exactly that.
        """
        raised = self.failureResultOf(Deferred.fromCoroutine(coroutine)).value
        self.assertIs(error, type(raised))
        return raised

    def password(self, name: str, password: str, context: LoginContext = HOME) -> Any:
        """
        The first step.
        """
        return self.signIn.password(name, password, context, BROWSER)

    def half(self) -> SignInStep:
        """
        Bob's first step.
        """
        step: SignInStep = self.got(self.password(BOB, "bob's"))
        return step

    def code(self) -> str:
        """
        What bob's authenticator shows.
        """
        return codeOf(self.enrolment, self.clock)

    def second(self, step: SignInStep, code: str, kind: str = TOTP, browser: str = BROWSER) -> Any:
        """
        The second step.
        """
        return self.signIn.secondFactor(step.sealed, kind, code, HOME, browser)


class PasswordTests(SignInTestCase):
    """
    L{SignIn.password}.
    """

    def test_alone(self) -> None:
        """
        Where there is no second factor the password is enough. What it proved is dated from before
        it was looked at.
        """
        waiting: Deferred[Any] = Deferred()
        self.passwords.answers[b"slow"] = waiting
        signingIn = Deferred.fromCoroutine(self.password(ALICE, "slow"))
        self.clock.advance(3)
        waiting.callback(ALICE.encode())

        authentication = self.successResultOf(signingIn).authentication

        assert authentication is not None
        self.assertEqual(ALICE, authentication.account)
        self.assertEqual(NOW, authentication.when)
        self.assertEqual(frozenset({"pwd"}), authentication.methods)
        self.assertIs(None, authentication.browserSession)

    def test_credentials(self) -> None:
        """
        The checker is given what was typed, and where from.
        """
        self.got(self.signIn.password(" Alice@Example.Test", "alice's", HOME, BROWSER))

        (credentials,) = self.passwords.asked
        self.assertIsInstance(credentials, UsernamePassword)
        self.assertEqual(b" Alice@Example.Test", credentials.username)
        self.assertEqual(HOME, credentials.context)

    def test_wrong(self) -> None:
        """
        A wrong password is refused, and so on record.
        """
        self.refused(InvalidCredentials, self.password(ALICE, "bob's or so"))

        (verdict,) = self.world.audit.verdicts
        self.assertIsInstance(verdict.error, InvalidCredentials)

    def test_outage(self) -> None:
        """
        Who cannot be checked is not refused.
        """
        self.passwords.answers[b"alice's"] = Outage("the store is away")

        self.refused(Outage, self.password(ALICE, "alice's"))

    def test_half(self) -> None:
        """
        Where there is a second factor the password is half of it: nobody is in, and what is sealed
        says nothing (WB11; O 58).
        """
        step = self.half()

        self.assertIs(None, step.authentication)
        self.assertEqual((TOTP, RECOVERY), step.kinds)
        self.assertNotIn("bob", step.sealed)
        self.assertNotIn(step.sealed, repr(step))

    def test_appPassword(self) -> None:
        """
        An app password never signs in here, and whoever shows what looks like one is told, whether
        there is such an account, or such an app password, or not (O 53, O 58).
        """
        secret = makeAppPassword()
        appPassword = AppPassword("1", ALICE, "phone", digestAppPassword(secret.encode("ascii")))
        self.successResultOf(self.world.stores.appPasswords.add(appPassword))

        said = {
            self.refused(AppPasswordPresented, self.password(name, shown)).text
            for name in (ALICE, BOB, "nobody@example.test", "*")
            for shown in (secret, makeAppPassword(), secret.upper().replace("-", ""))
        }

        self.assertEqual({AppPasswordPresented.sentence.encode("ascii")}, said)

    def test_likeAnAppPassword(self) -> None:
        """
        Who chose a password that looks like an app password signs in with it.
        """
        chosen = makeAppPassword()
        self.passwords.answers[chosen.encode("ascii")] = ALICE

        self.assertIsNot(None, self.got(self.password(ALICE, chosen)).authentication)


class SecondFactorTests(SignInTestCase):
    """
    L{SignIn.secondFactor}.
    """

    def test_code(self) -> None:
        """
        Password and code are two factors, dated from when the password was shown.
        """
        step = self.half()
        self.clock.advance(90)

        authentication = self.got(self.second(step, self.code()))

        self.assertEqual(BOB, authentication.account)
        self.assertEqual(NOW, authentication.when)
        self.assertEqual(frozenset({"pwd", "otp", "mfa"}), authentication.methods)

    def test_recoveryCode(self) -> None:
        """
        So are password and recovery code.
        """
        code = self.enrolment.recoveryCodes[0]

        authentication = self.got(self.second(self.half(), code, RECOVERY))

        self.assertEqual(frozenset({"pwd", "otp", "mfa"}), authentication.methods)
        self.refused(WrongCode, self.second(self.half(), code, RECOVERY))

    def test_kindsDiffer(self) -> None:
        """
        A code of one kind is none of the other, and there is no other kind.
        """
        step = self.half()

        self.refused(WrongCode, self.second(step, self.code(), RECOVERY))
        self.refused(WrongCode, self.second(step, self.enrolment.recoveryCodes[0]))
        self.refused(StepExpired, self.second(step, self.code(), "sms"))

    def test_tryAgain(self) -> None:
        """
        A wrong code may be followed by a right one.
        """
        step = self.half()

        self.refused(WrongCode, self.second(step, "x"))
        self.got(self.second(step, self.code()))

    def test_once(self) -> None:
        """
        A code that was used is not good for a second sign-in (WB11; O 60).
        """
        first, second, code = self.half(), self.half(), self.code()

        self.got(self.second(first, code))
        self.refused(WrongCode, self.second(second, code))
        self.refused(WrongCode, self.second(first, code))

    def test_notWithoutTheFirst(self) -> None:
        """
        No code is looked at without a password before it: made up, tampered with, in another
        browser, sealed for something else, or too long ago (WB11; O 58).
        """
        step = self.half()
        _, challenge = self.signIn.passkeyOptions(BROWSER)
        for sealed in ("", "!", "AAAA", f"{step.sealed}AAAA", challenge):
            with self.subTest(sealed[:10]):
                self.refused(StepExpired, self.second(SignInStep(None, (), sealed), self.code()))
        self.refused(StepExpired, self.second(step, self.code(), browser="another"))
        self.clock.advance(STEP_LIFETIME)
        self.refused(StepExpired, self.second(step, self.code()))

    def test_audited(self) -> None:
        """
        Each verdict is on record, under the account and without the code.
        """
        step, code = self.half(), self.code()
        self.refused(WrongCode, self.second(step, "987654"))
        self.got(self.second(step, code))
        self.got(self.second(step, self.enrolment.recoveryCodes[0], RECOVERY))

        wrong, right, recovered = self.world.audit.verdicts[1:]
        self.assertEqual([None, BOB, BOB], [each.account for each in (wrong, right, recovered)])
        self.assertIsInstance(wrong.error, WrongCode)
        for verdict, kind in ((wrong, TOTPCode), (right, TOTPCode), (recovered, RecoveryCode)):
            credentials: Any = verdict.credentials
            self.assertIsInstance(credentials, kind)
            self.assertEqual(BOB.encode(), credentials.username)
            self.assertEqual(HOME, credentials.context)
            self.assertNotIn("987654", repr(credentials))

    def test_bruteForce(self) -> None:
        """
        Whoever knows the password guesses five codes, and then waits; the owner has his recovery
        codes (O 54, O 60).
        """
        step = self.half()
        for _ in range(FREE_FAILURES):
            self.refused(WrongCode, self.second(step, "x"))

        self.refused(TooManyFailures, self.second(step, self.code()))
        self.refused(TooManyFailures, self.second(self.half(), self.code()))
        self.assertIsInstance(self.world.audit.verdicts[-1].error, TooManyFailures)
        self.got(self.second(step, self.enrolment.recoveryCodes[0], RECOVERY))


class PasskeyTests(SignInTestCase):
    """
    L{SignIn.passkeyOptions} and L{SignIn.passkey}.
    """

    def setUp(self) -> None:
        """
        Let bob have a passkey, too.
        """
        super().setUp()
        self.authenticator = Authenticator(ISSUER)
        options, sealed = self.got(self.world.passkeys.registrationOptions(BOB, BROWSER))
        response = self.authenticator.create(options)
        self.got(self.world.passkeys.register(BOB, sealed, response, "laptop", BROWSER))

    def passkey(
        self, authenticator: Authenticator | None = None, context: LoginContext = HOME
    ) -> Any:
        """
        Sign in with a passkey, bob's if no other is named.
        """
        options, sealed = self.signIn.passkeyOptions(BROWSER)
        response = (authenticator or self.authenticator).get(options)
        return self.signIn.passkey(sealed, response, context, BROWSER)

    def test_both(self) -> None:
        """
        A passkey is both factors, with nothing typed, also for an account that has an
        authenticator.
        """
        authentication = self.got(self.passkey())

        self.assertEqual(BOB, authentication.account)
        self.assertEqual(NOW, authentication.when)
        self.assertEqual(frozenset({"pop", "mfa"}), authentication.methods)

    def test_disabled(self) -> None:
        """
        The owner of a disabled account is told so.
        """
        self.successResultOf(self.world.stores.accounts.disable(BOB))
        self.refused(AccountDisabled, self.passkey())

    def test_removed(self) -> None:
        """
        The passkey of an account that is gone is nobody's, also while the store still has it.
        """
        self.signIn = attrs.evolve(self.signIn, accounts=MemoryAccounts())
        self.refused(InvalidPasskey, self.passkey())

    def test_audited(self) -> None:
        """
        Each verdict is on record, with its owner once he is known.
        """
        self.refused(InvalidPasskey, self.passkey(Authenticator(ISSUER)))
        self.got(self.passkey())

        wrong, right = self.world.audit.verdicts
        self.assertEqual((None, BOB), (wrong.account, right.account))
        for verdict in (wrong, right):
            credentials: Any = verdict.credentials
            self.assertIsInstance(credentials, PasskeyResponse)
            self.assertEqual(HOME, credentials.context)

    def test_network(self) -> None:
        """
        A network that shows too many bad passkeys waits, also for its passwords, and no other does
        (O 54).
        """
        stranger = Authenticator(ISSUER)
        for _ in range(30):
            self.refused(InvalidPasskey, self.passkey(stranger, ELSEWHERE))

        self.refused(TooManyFailures, self.passkey(context=ELSEWHERE))
        self.refused(TooManyFailures, self.password(ALICE, "alice's", ELSEWHERE))
        self.got(self.passkey())
        self.clock.advance(60)
        self.got(self.passkey(context=ELSEWHERE))


class RealPasswordsTests(TestCase):
    """
    What nobody can find out, and nobody be kept from, with real hashes.
    """

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        """
        Accounts of every kind.
        """
        clock = makeClock()
        self.pool = RecordingPool()
        hasher = makeHasher(self, self.pool, clock.seconds)
        self.world = makeWorld(
            clock,
            lambda stores: AccountPasswordChecker(
                stores.accounts, hasher, revocations=stores.revocations
            ),
        )
        accounts = self.world.stores.accounts
        hashed = hashChosen(b"right", 4)
        for name in ("alice", "disabled", "second"):
            await accounts.add(Account(f"{name}@example.test", hashed))
        await accounts.add(Account("oauth@example.test"))
        await accounts.disable("disabled@example.test")
        await self.world.factors.enrol("second@example.test", "mail.example.test")

    async def attempt(self, name: str, password: str, context: LoginContext = HOME) -> Any:
        """
        @return: what came of it: an authentication, a step, or an error.
        """
        try:
            return await self.world.signIn.password(
                f"{name}@example.test", password, context, BROWSER
            )
        except (InvalidCredentials, AccountDisabled, TooManyFailures) as error:
            return error

    async def test_enumeration(self) -> None:
        """
        Unknown, known, disabled, with a second factor or without a password: a wrong password gets
        the same words after the same work (PW6; O 53).
        """
        outcomes = []
        for name in ("nobody", "alice", "disabled", "second", "oauth"):
            before = self.pool.given
            error = await self.attempt(name, f"wrong for {name}")
            outcomes.append((type(error), error.text, error.reason, self.pool.given - before))

        self.assertEqual(1, outcomes[0][3])
        self.assertEqual({outcomes[0]}, set(outcomes))

    async def test_onlyTheOwnerIsToldMore(self) -> None:
        """
        That an account is disabled, or has a second factor, hears who knows its password (O 53).
        """
        self.assertIsInstance(await self.attempt("disabled", "right"), AccountDisabled)
        step = await self.attempt("second", "right")
        self.assertEqual((TOTP, RECOVERY), step.kinds)

    async def test_throttledAlike(self) -> None:
        """
        Guessing has to wait after as many guesses for an account that exists as for one that does
        not (O 53, O 54).
        """
        counts = []
        for name in ("nobody", "alice", "disabled", "second", "oauth"):
            attempts = 0
            while not isinstance(
                await self.attempt(
                    name, f"guess {attempts}", LoginContext("web", f"203.0.113.{attempts}", True)
                ),
                TooManyFailures,
            ):
                attempts += 1
            counts.append(attempts)

        self.assertEqual([10] * 5, counts)

    async def test_strangersLockNobodyOut(self) -> None:
        """
        While somebody guesses at an account its owner signs in at home; and elsewhere within a
        minute (O 54).
        """
        await self.attempt("alice", "right")
        for number in range(40):
            await self.attempt("alice", f"guess {number}", ELSEWHERE)

        self.assertIsInstance(await self.attempt("alice", "right"), SignInStep)
        travelling = LoginContext("web", "203.0.113.1", True)
        self.assertIsInstance(await self.attempt("alice", "right", travelling), TooManyFailures)
        self.world.clock.advance(60)
        self.assertIsInstance(await self.attempt("alice", "right", travelling), SignInStep)
