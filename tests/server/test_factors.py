"""
Tests for L{mailauth.server.factors}.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import Outage, TooManyFailures
from mailauth.oauth.records import TOTPSecret
from mailauth.server.factors import (
    PROPOSAL_LIFETIME,
    RECOVERY,
    STEP,
    TOTP,
    Enrolment,
    SecondFactors,
    WrongCode,
)
from mailauth.server.sealing import KEY_OCTETS, CannotUnseal, ServerSecret
from mailauth.server.wrongcodes import FIRST_WAIT, FREE_FAILURES, LONGEST_WAIT
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account, AlreadyExists, NotFound

# At the beginning of a time step.
NOW = 1_800_000_000.0
ALICE, BOB = "alice@example.test", "bob@example.test"


class FactorsTestCase(SynchronousTestCase):
    """
    Stores, a clock, and two accounts with authenticators.
    """

    def setUp(self) -> None:
        """
        Enrol alice and bob.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        self.stores = MemoryStores(self.clock.seconds)
        self.factors = SecondFactors(
            self.stores.factors,
            ServerSecret(bytes(KEY_OCTETS)).sealer("totp-secrets"),
            self.clock.seconds,
            self.clock.seconds,
        )
        for name in (ALICE, BOB):
            self.successResultOf(self.stores.accounts.add(Account(name)))
        self.enrolment = self.enrol(ALICE)
        self.enrol(BOB)

    def enrol(self, account: str) -> Enrolment:
        """
        Give an account an authenticator.
        """
        enrolment: Enrolment = self.got(self.factors.enrol(account, "mail.example.test"))
        return enrolment

    def got(self, coroutine: Any) -> Any:
        """
        What a coroutine returns.
        """
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def refused(self, error: type[Exception], coroutine: Any) -> None:
        """
        A coroutine raises that.
        """
        self.failureResultOf(Deferred.fromCoroutine(coroutine), error)

    def code(self, steps: int = 0) -> str:
        """
        What alice's authenticator shows, so many time steps from now.
        """
        authenticator = pyotp.parse_uri(self.enrolment.uri)
        assert isinstance(authenticator, pyotp.TOTP)
        return authenticator.at(int(self.clock.seconds()) + steps * STEP)

    def wrong(self) -> str:
        """
        A code that is none for minutes.
        """
        good = {self.code(steps) for steps in range(-3, 4)}
        return next(
            code
            for code in ("000000", "111111", *map(str, range(222222, 222230)))
            if code not in good
        )

    def verify(self, code: str, kind: str = TOTP, account: str = ALICE) -> Any:
        """
        Show a code.
        """
        return self.factors.verify(account, kind, code)


class EnrolmentTests(FactorsTestCase):
    """
    L{SecondFactors.enrol}, L{SecondFactors.remove} and L{SecondFactors.kinds}.
    """

    def test_uri(self) -> None:
        """
        Every authenticator reads the URI: a secret of 160 bits, the account, and whose it is.
        """
        parts = urlsplit(self.enrolment.uri)
        fields = parse_qs(parts.query)

        self.assertEqual(("otpauth", "totp"), (parts.scheme, parts.netloc))
        self.assertEqual("/mail.example.test:alice%40example.test", parts.path)
        self.assertEqual(["mail.example.test"], fields["issuer"])
        self.assertEqual(32, len(fields["secret"][0]))

    def test_sealedAtRest(self) -> None:
        """
        The store does not know the secret, nor a recovery code.
        """
        secret = parse_qs(urlsplit(self.enrolment.uri).query)["secret"][0].encode("ascii")
        stored = self.successResultOf(self.stores.factors.getTOTP(ALICE))
        assert stored is not None

        self.assertNotIn(secret, stored.sealed)
        for code in self.enrolment.recoveryCodes:
            digest = sha256(code.replace("-", "").encode("ascii")).digest()
            self.assertTrue(
                self.successResultOf(self.stores.factors.useRecoveryCode(ALICE, digest))
            )

    def test_nobodyElsesSecret(self) -> None:
        """
        A secret that was moved from another account's row opens nothing.
        """
        stored = self.successResultOf(self.stores.factors.getTOTP(ALICE))
        assert stored is not None
        moved = TOTPSecret(BOB, stored.sealed, NOW)
        self.successResultOf(self.stores.factors.setTOTP(moved, ()))

        self.refused(Outage, self.verify(self.code(), account=BOB))

    def test_repr(self) -> None:
        """
        What is shown once is not in a log.
        """
        self.assertEqual("Enrolment()", repr(self.enrolment))

    def test_recoveryCodes(self) -> None:
        """
        There are ten, all different, each of 80 bits at least.
        """
        codes = {code.replace("-", "") for code in self.enrolment.recoveryCodes}

        self.assertEqual(10, len(codes))
        for code in codes:
            self.assertGreaterEqual(5 * len(code), 80)

    def test_again(self) -> None:
        """
        A new authenticator takes the place of the old one, with new recovery codes.
        """
        uri, recovery = self.enrolment.uri, self.enrolment.recoveryCodes[0]
        self.enrolment = self.enrol(ALICE)

        self.assertNotEqual(uri, self.enrolment.uri)
        self.refused(WrongCode, self.verify(recovery, RECOVERY))
        self.got(self.verify(self.code()))
        self.got(self.verify(self.enrolment.recoveryCodes[0], RECOVERY))

    def test_nobody(self) -> None:
        """
        Who has no account gets no authenticator.
        """
        self.refused(NotFound, self.factors.enrol("nobody@example.test", "mail.example.test"))

    def test_kinds(self) -> None:
        """
        An account with an authenticator needs a code, and a recovery code will do while there are
        some left.
        """
        self.successResultOf(self.stores.accounts.add(Account("carol@example.test")))

        self.assertEqual((), self.got(self.factors.kinds("carol@example.test")))
        self.assertEqual((TOTP, RECOVERY), self.got(self.factors.kinds(ALICE)))
        for code in self.enrolment.recoveryCodes:
            self.got(self.verify(code, RECOVERY))
        self.assertEqual((TOTP,), self.got(self.factors.kinds(ALICE)))

    def test_remove(self) -> None:
        """
        Without its authenticator an account needs its password alone, and no code is good.
        """
        self.got(self.factors.remove(ALICE))

        self.assertEqual((), self.got(self.factors.kinds(ALICE)))
        self.refused(WrongCode, self.verify(self.code()))
        self.refused(WrongCode, self.verify(self.enrolment.recoveryCodes[0], RECOVERY))
        self.refused(NotFound, self.factors.remove(ALICE))


class ProposalTests(FactorsTestCase):
    """
    L{SecondFactors.propose}, L{SecondFactors.confirm} and L{SecondFactors.renewRecoveryCodes}.
    """

    def setUp(self) -> None:
        """
        Propose an authenticator to alice, who has one.
        """
        super().setUp()
        self.proposal = self.factors.propose(ALICE, "mail.example.test", "browser")
        proposed = pyotp.parse_uri(self.proposal.uri)
        assert isinstance(proposed, pyotp.TOTP)
        self.proposed = proposed

    def confirm(
        self, code: str, account: str = ALICE, sealed: str = "", browser: str = "browser"
    ) -> Any:
        """
        Show a code of the authenticator that was proposed.
        """
        return self.factors.confirm(account, sealed or self.proposal.sealed, code, browser)

    def current(self) -> str:
        """
        What it shows.
        """
        return self.proposed.at(int(self.clock.seconds()))

    def test_nothingWritten(self) -> None:
        """
        What was proposed does not count, and what counted still does.
        """
        self.refused(WrongCode, self.verify(self.current()))
        self.got(self.verify(self.code()))
        self.assertEqual("Proposal()", repr(self.proposal))

    def test_key(self) -> None:
        """
        What is typed is what is scanned.
        """
        self.assertEqual(self.proposed.secret, self.proposal.key.replace(" ", ""))
        again = self.factors.proposed(ALICE, "mail.example.test", self.proposal.sealed, "browser")
        self.assertEqual(self.proposal, again)

    def test_confirmed(self) -> None:
        """
        With a code of it it counts, with new recovery codes; that of before does no more.
        """
        before = self.enrolment.recoveryCodes[0]

        codes = self.got(self.confirm(self.current()))

        self.assertEqual(10, len(set(codes)))
        self.refused(WrongCode, self.verify(before, RECOVERY))
        self.got(self.verify(codes[0], RECOVERY))
        self.clock.advance(2 * STEP)
        self.refused(WrongCode, self.verify(self.code()))
        self.got(self.verify(self.current()))

    def test_wrong(self) -> None:
        """
        With a wrong code nothing changes, and it may be tried again.
        """
        self.refused(WrongCode, self.confirm(self.code()))
        self.refused(WrongCode, self.confirm(""))

        self.got(self.verify(self.code()))
        self.got(self.confirm(self.current()))

    def test_codeOnce(self) -> None:
        """
        The code that confirmed it signs nobody in, and what is sent twice is confirmed once (PW10;
        WB11; O 60).
        """
        code = self.current()
        codes = self.got(self.confirm(code))

        self.refused(AlreadyExists, self.confirm(code))
        self.clock.advance(STEP)
        self.refused(AlreadyExists, self.confirm(self.current()))

        self.refused(WrongCode, self.verify(code))
        self.got(self.verify(codes[0], RECOVERY))

    def test_own(self) -> None:
        """
        A proposal is worth something for whom it was made, in his browser, for half an hour; and
        what the store keeps is no proposal.
        """
        stored = self.successResultOf(self.stores.factors.getTOTP(ALICE))
        assert stored is not None
        for account, sealed, browser in (
            (BOB, self.proposal.sealed, "browser"),
            (ALICE, self.proposal.sealed, "another"),
            (ALICE, "made up", "browser"),
            (ALICE, urlsafe_b64encode(stored.sealed).decode("ascii"), "browser"),
        ):
            with self.subTest(f"{account}, {browser}"):
                self.refused(CannotUnseal, self.confirm(self.current(), account, sealed, browser))
        self.clock.advance(PROPOSAL_LIFETIME)
        self.refused(CannotUnseal, self.confirm(self.current()))

    def test_renewed(self) -> None:
        """
        New recovery codes take the place of those that are left, where there is an authenticator.
        """
        codes = self.got(self.factors.renewRecoveryCodes(ALICE))

        self.refused(WrongCode, self.verify(self.enrolment.recoveryCodes[0], RECOVERY))
        self.got(self.verify(codes[0], RECOVERY))
        self.got(self.factors.remove(ALICE))
        self.refused(NotFound, self.factors.renewRecoveryCodes(ALICE))


class TOTPTests(FactorsTestCase):
    """
    Codes of an authenticator.
    """

    def test_window(self) -> None:
        """
        A clock may be off by one step, and by no more (O 60).
        """
        for steps, good in ((-2, False), (2, False), (-1, True), (0, True), (1, True)):
            with self.subTest(str(steps)):
                if good:
                    self.got(self.verify(self.code(steps)))
                else:
                    self.refused(WrongCode, self.verify(self.code(steps)))

    def test_edges(self) -> None:
        """
        A code is good from half a minute before its step until half a minute after, to the second
        (O 60).
        """
        code = self.code(2)

        self.clock.advance(29.9)
        self.refused(WrongCode, self.verify(code))
        self.clock.advance(90)
        self.got(self.verify(code))
        late = self.code()
        self.clock.advance(30.1)
        self.refused(WrongCode, self.verify(late))

    def test_once(self) -> None:
        """
        A code is good once, and none from before it is good afterwards (PW10; WB11; O 60).
        """
        before, code = self.code(-1), self.code()

        self.got(self.verify(code))
        self.refused(WrongCode, self.verify(code))
        self.refused(WrongCode, self.verify(before))
        self.clock.advance(STEP)
        self.got(self.verify(self.code()))

    def test_typed(self) -> None:
        """
        Spaces do not count, as authenticators show some.
        """
        code = self.code()

        self.got(self.verify(f" {code[:3]} {code[3:]}\n"))

    def test_noCode(self) -> None:
        """
        What is no code is wrong, and nothing worse.
        """
        for code in ("", "0", "0" * 5, "0" * 7, "abcdef", "0" * 10_000, "\u0661" * 6, "\ud7ff"):
            with self.subTest(code[:10]):
                self.clock.advance(LONGEST_WAIT)
                self.refused(WrongCode, self.verify(code))

    def test_bruteForce(self) -> None:
        """
        After five wrong codes nothing is looked at for a while, not even the right one, and each
        further one doubles the time, up to an hour (O 54, O 60).
        """
        for _ in range(FREE_FAILURES):
            self.refused(WrongCode, self.verify(self.wrong()))

        wait = FIRST_WAIT
        while wait < 2 * LONGEST_WAIT:
            self.clock.advance(min(wait, LONGEST_WAIT) - 0.1)
            self.refused(TooManyFailures, self.verify(self.code()))
            self.clock.advance(0.1)
            self.refused(WrongCode, self.verify(self.wrong()))
            wait *= 2

    def test_sameGuess(self) -> None:
        """
        The same guess at another time is another guess (O 60).
        """
        code = self.wrong()
        for _ in range(FREE_FAILURES):
            self.refused(WrongCode, self.verify(code))

        self.refused(TooManyFailures, self.verify(code))

    def test_simultaneous(self) -> None:
        """
        Many guesses at once are no more than in a row (O 60).
        """
        guesses = [Deferred.fromCoroutine(self.verify(self.wrong())) for _ in range(20)]

        failures = [self.failureResultOf(guess) for guess in guesses]
        looked = [failure for failure in failures if failure.check(WrongCode)]
        self.assertEqual(FREE_FAILURES, len(looked))

    def test_notForGood(self) -> None:
        """
        Nobody is locked out for good: a recovery code always is looked at, other accounts do not
        wait, and a right code ends it (O 54).
        """
        for _ in range(FREE_FAILURES):
            self.refused(WrongCode, self.verify(self.wrong()))

        self.got(self.verify(self.enrolment.recoveryCodes[0], RECOVERY))
        self.refused(WrongCode, self.verify(self.wrong(), account=BOB))
        self.clock.advance(FIRST_WAIT)
        self.got(self.verify(self.code()))
        self.refused(WrongCode, self.verify(self.wrong()))


class RecoveryTests(FactorsTestCase):
    """
    Recovery codes.
    """

    def test_once(self) -> None:
        """
        Each is good once.
        """
        for code in self.enrolment.recoveryCodes:
            self.got(self.verify(code, RECOVERY))
            self.refused(WrongCode, self.verify(code, RECOVERY))

    def test_typed(self) -> None:
        """
        Case, dashes and spaces do not count, for it is copied from paper.
        """
        first, second, *_ = self.enrolment.recoveryCodes

        self.got(self.verify(first.upper().replace("-", " "), RECOVERY))
        self.got(self.verify(second.replace("-", ""), RECOVERY))

    def test_own(self) -> None:
        """
        A code opens the account it was made for.
        """
        code = self.enrolment.recoveryCodes[0]

        self.refused(WrongCode, self.verify(code, RECOVERY, BOB))
        self.got(self.verify(code, RECOVERY))

    def test_noCode(self) -> None:
        """
        What is no code is wrong, and nothing worse.
        """
        for code in ("", "abcd", "0" * 24, "x" * 10_000, self.code()):
            self.refused(WrongCode, self.verify(code, RECOVERY))
