"""
Tests for L{mailauth.checkers}.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import attrs
import bcrypt
from twisted.cred.checkers import ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.credentials import UsernamePassword as StockUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailauth.caches.memory import MemoryCache
from mailauth.checkers import (
    AccountPasswordChecker,
    AppPasswordChecker,
    Audited,
    BearerTokenChecker,
    First,
    ImportedPasswordChecker,
    Remembered,
    Throttled,
    ThrottledByNetwork,
)
from mailauth.credentials import (
    AvatarId,
    BearerToken,
    DelegatedPassword,
    LoginContext,
    UsernamePassword,
    accountTag,
    isTokenTag,
)
from mailauth.errors import (
    AccountDisabled,
    BadExchange,
    ExpiredPassword,
    ExpiredToken,
    InsufficientScope,
    InvalidCredentials,
    InvalidToken,
    LoginError,
    NotOwner,
    Outage,
    ServiceNotAllowed,
    TooManyFailures,
)
from mailauth.interfaces import IAudit, IBearerToken, IDelegatedPassword, ITokenValidator
from mailauth.oauth.tokens import LEEWAY, AccessToken
from mailauth.passwords import PasswordHasher, digestAppPassword, makeAppPassword
from mailauth.policy import TokenPolicy
from mailauth.scopes import MAIL_SCOPE
from mailauth.stores.memory import MemoryAccounts, MemoryAppPasswords, MemoryStores
from mailauth.stores.records import Account, AppPassword, AppPasswordUse, Identity
from mailauth.testing.audit import MemoryAudit
from mailauth.testing.issuer import MemoryIssuer
from mailauth.throttle import Throttle, ThrottleLimits
from mailauth.validators.caching import CachingValidator
from mailauth.validators.jwt import JWTValidator

from .pools import RecordingPool, makeHasher

NOW = 1_800_000_000.0
ALICE = "alice@example.test"
IMAP = LoginContext("imap", "192.0.2.1", True, "Thunderbird 140")
WEB = LoginContext("web", "192.0.2.1", True)
JMAP = LoginContext("jmap", "192.0.2.1", True)


def makeClock() -> Clock:
    """
    A clock that shows a date.
    """
    clock = Clock()
    clock.advance(NOW)
    return clock


def makePassword(password: bytes, name: bytes = ALICE.encode(), context: Any = IMAP) -> Any:
    """
    Alice's login name with a password.
    """
    return UsernamePassword(name, password, context)


@implementer(ICredentialsChecker)
class ScriptedChecker:
    """
    Answers as the table says.

    @ivar asked: what it was asked about.
    """

    credentialInterfaces: Any = (IUsernamePassword, IDelegatedPassword, IBearerToken)

    def __init__(self, answers: dict[bytes, Any] | None = None, default: Any = None) -> None:
        """
        @param answers: for a password or a token, an account name, an error or a Deferred.
        """
        self.answers = answers or {}
        self.default = default
        self.asked: list[Any] = []

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """
        Look it up.
        """
        self.asked.append(credentials)
        isToken = IBearerToken.providedBy(credentials)
        secret = credentials.token if isToken else credentials.password
        answer = self.answers.get(secret, self.default)
        if isinstance(answer, Exception):
            return fail(answer)
        if isinstance(answer, Deferred):
            return answer
        return succeed(AvatarId(answer))


class CheckerTestCase(SynchronousTestCase):
    """
    Stores, an issuer and a clock.
    """

    def setUp(self) -> None:
        """
        Let alice in.
        """
        self.clock = makeClock()
        self.stores: Any = MemoryStores(self.clock.seconds)
        self.successResultOf(self.stores.accounts.add(Account(ALICE)))

    def accept(self, checker: ICredentialsChecker, credentials: Any) -> AvatarId:
        """
        The credentials are good.
        """
        avatarId = self.successResultOf(checker.requestAvatarId(credentials))
        assert isinstance(avatarId, AvatarId)
        return avatarId

    def refuse(self, checker: ICredentialsChecker, credentials: Any, kind: type[Exception]) -> Any:
        """
        They are not, for exactly this reason.
        """
        failure = self.failureResultOf(checker.requestAvatarId(credentials))
        self.assertIs(failure.type, kind, msg=failure.getTraceback())
        return failure.value


class Slow:
    """
    Makes a method of something answer when it is told to.
    """

    def __init__(self, owner: Any, name: str) -> None:
        self._ask = getattr(owner, name)
        self.waiting: list[tuple[Deferred[Any], Deferred[Any]]] = []
        setattr(owner, name, self._hold)

    def _hold(self, *arguments: Any) -> Deferred[Any]:
        asked: Deferred[Any] = Deferred()
        self.waiting.append((asked, self._ask(*arguments)))
        return asked

    def answer(self) -> None:
        """
        Answer the first question with what was true when it was asked.
        """
        asked, answer = self.waiting.pop(0)
        answer.chainDeferred(asked)


class BearerTokenCheckerTests(CheckerTestCase):
    """
    Access tokens.
    """

    def setUp(self) -> None:
        """
        Trust an issuer.
        """
        super().setUp()
        self.issuer = MemoryIssuer(now=self.clock.seconds)
        self.validator: Any = self.issuer.validator()
        self.checker = self.makeChecker()

    def makeChecker(self) -> BearerTokenChecker:
        """
        A checker of everything.
        """
        return BearerTokenChecker(
            self.validator,
            self.stores.accounts,
            self.stores.revocations,
            TokenPolicy(sameClock=frozenset({self.issuer.issuer})),
            now=self.clock.seconds,
        )

    def present(self, authzid: bytes | None = None, **claims: Any) -> BearerToken:
        """
        A new token of alice's.
        """
        return BearerToken(self.issuer.issue(ALICE, **claims), authzid, IMAP)

    def test_interface(self) -> None:
        """
        It checks bearer tokens.
        """
        verifyObject(ICredentialsChecker, self.checker)
        self.assertEqual(tuple(self.checker.credentialInterfaces), (IBearerToken,))

    def test_accepted(self) -> None:
        """
        A good token opens its owner's account.
        """
        avatarId = self.accept(self.checker, self.present())

        self.assertEqual((avatarId, avatarId.account), (ALICE.encode(), ALICE))
        self.assertIn(accountTag(ALICE), avatarId.tags)
        self.assertEqual(avatarId.expires, NOW + 900)

    def test_policy(self) -> None:
        """
        What the policy refuses stays refused.
        """
        self.refuse(self.checker, self.present(b"bob@example.test"), NotOwner)
        self.refuse(self.checker, self.present(scope="smtp"), InsufficientScope)
        self.refuse(self.checker, self.present(cnf={"jkt": "x"}), InvalidToken)
        self.refuse(self.checker, self.present(sub=""), InvalidToken)

    def test_discovery(self) -> None:
        """
        Whoever is refused with a valid token is sent to its issuer, if that has told where.
        """
        error = self.refuse(self.checker, self.present(scope="smtp"), InsufficientScope)
        self.assertIsNone(error.openidConfiguration)

        discovery = "https://issuer.example/.well-known/openid-configuration"
        trusted = attrs.evolve(self.issuer.trusted(), discovery=discovery)
        self.validator = JWTValidator([trusted], self.clock.seconds)
        error = self.refuse(self.makeChecker(), self.present(scope="smtp"), InsufficientScope)
        self.assertEqual(error.openidConfiguration, discovery)

    def test_withoutContext(self) -> None:
        """
        Credentials of a wire that is not ours are for reading mail.
        """
        self.accept(self.checker, BearerToken(self.issuer.issue(ALICE, scope="imap")))
        smtp = BearerToken(self.issuer.issue(ALICE, scope="smtp"))
        self.refuse(self.checker, smtp, InsufficientScope)

    def test_least(self) -> None:
        """
        With nothing but a validator, whoever it vouches for is let in.
        """
        checker = BearerTokenChecker(self.validator, now=self.clock.seconds)
        token = BearerToken(self.issuer.issue("nobody@example.test"), context=IMAP)

        self.assertEqual(self.accept(checker, token), b"nobody@example.test")

    def test_account(self) -> None:
        """
        A valid token opens no account that is unknown, disabled or removed.
        """
        unknown = BearerToken(self.issuer.issue("bob@example.test"), context=IMAP)
        self.refuse(self.checker, unknown, InvalidToken)

        self.successResultOf(self.stores.accounts.disable(ALICE))
        self.refuse(self.checker, self.present(), AccountDisabled)
        self.successResultOf(self.stores.accounts.remove(ALICE))
        self.refuse(self.checker, self.present(), InvalidToken)

    def test_expired(self) -> None:
        """
        A token that has expired is told apart from one that never was good.
        """
        token = self.present()
        self.clock.advance(1000)

        self.refuse(self.checker, token, ExpiredToken)

    def test_revoked(self) -> None:
        """
        What was revoked since the token was issued kills it: its owner's account, itself, its
        grant or its client; what is issued afterwards lives (TK18).
        """
        for tag in sorted(self.accept(self.checker, self.present(sid="g")).tags):
            self.clock.advance(10)
            before = self.present(sid="g")
            self.accept(self.checker, before)
            self.clock.advance(10)
            self.successResultOf(self.stores.revocations.revoke([tag], "Revoked."))

            self.clock.advance(10)
            if not tag.startswith("token:"):
                self.refuse(self.checker, before, InvalidToken)
            self.accept(self.checker, self.present(sid="g"))

    def test_revokedToken(self) -> None:
        """
        One token dies alone.
        """
        first, second = self.present(), self.present()
        tags = self.accept(self.checker, first).tags - self.accept(self.checker, second).tags
        self.successResultOf(self.stores.revocations.revoke(tags, "Revoked."))

        self.refuse(self.checker, first, InvalidToken)
        self.accept(self.checker, second)

    def test_clockAhead(self) -> None:
        """
        Where the issuer's clock is ahead of ours, what was issued before the revocation is dead
        although its date is later, and stays dead (TK18).
        """
        checker = BearerTokenChecker(
            self.validator, revocations=self.stores.revocations, now=self.clock.seconds
        )
        for kind in ("account", "client", "grant", "token"):
            ahead = self.present(iat=self.clock.seconds() + LEEWAY, sid="g")
            (tag,) = (tag for tag in self.accept(checker, ahead).tags if tag.startswith(f"{kind}:"))
            self.successResultOf(self.stores.revocations.revoke([tag], "Revoked."))
            for _ in range(3):
                self.refuse(checker, ahead, InvalidToken)
                self.clock.advance(LEEWAY)
            self.accept(checker, self.present(sid="g"))

    def test_clockSetBack(self) -> None:
        """
        One token that was revoked is dead whenever it says that it was issued (TK18).
        """
        token = self.present()
        tags = self.accept(self.checker, token).tags
        self.clock.rightNow -= 3600

        self.successResultOf(self.stores.revocations.revoke(filter(isTokenTag, tags), "Revoked."))

        self.clock.advance(3600)
        self.refuse(self.checker, token, InvalidToken)

    def test_revokedMeanwhile(self) -> None:
        """
        What is revoked while the token or its account is being looked up is not let in, however
        it was issued (CS2).
        """
        for owner, name in ((self.validator, "validate"), (self.stores.accounts, "get")):
            for withholding in (True, False):
                slow = Slow(owner, name)
                # Issued in what the store takes for the future: only the order counts.
                checked = self.makeChecker().requestAvatarId(self.present(iat=NOW + 20))
                self.assertNoResult(checked)
                if withholding:
                    revoked = self.stores.revocations.revoke([accountTag(ALICE)], "Revoked.")
                    self.successResultOf(revoked)
                slow.answer()
                if withholding:
                    self.failureResultOf(checked, InvalidToken)
                else:
                    self.assertEqual(self.successResultOf(checked), ALICE.encode())
                delattr(owner, name)

    def test_outages(self) -> None:
        """
        That nobody could tell is not a refusal: neither who validates, nor where accounts are, nor
        what others revoked (CS9).
        """

        def down(*arguments: object) -> Deferred[Any]:
            return fail(Outage("down"))

        def deaf() -> int:
            raise Outage("deaf")

        for owner, name, broken in (
            (self.validator, "validate", down),
            (self.stores.accounts, "get", down),
            (self.stores.revocations, "catchUp", deaf),
        ):
            setattr(owner, name, broken)
            self.refuse(self.checker, self.present(), Outage)
            delattr(owner, name)
        self.accept(self.checker, self.present())

    def test_unexpected(self) -> None:
        """
        A fault in a validator is no refusal either: it is passed on as it is.
        """
        self.validator.validate = lambda token: fail(ZeroDivisionError())

        self.refuse(self.checker, self.present(), ZeroDivisionError)


class ExternalTokenTests(CheckerTestCase):
    """
    Access tokens of somebody else's issuer, whose subjects are linked with accounts.
    """

    def setUp(self) -> None:
        """
        Trust an issuer with a domain.
        """
        super().setUp()
        self.issuer = MemoryIssuer(now=self.clock.seconds)
        self.checker = self.makeChecker()

    def makeChecker(self, **policy: Any) -> BearerTokenChecker:
        """
        A checker of everything.

        @param policy: what the configuration says besides.
        """
        trusted = attrs.evolve(
            self.issuer.trusted(), external=True, usernameClaim="name", subjectClaim="oid"
        )
        return BearerTokenChecker(
            JWTValidator([trusted], self.clock.seconds),
            self.stores.accounts,
            self.stores.revocations,
            TokenPolicy(domains={self.issuer.issuer: frozenset({"example.test"})}, **policy),
            self.clock.seconds,
            self.stores.identities,
        )

    def present(self, oid: str = "1", name: str = ALICE, **claims: Any) -> BearerToken:
        """
        A new token. Its C{sub} is another for each client, as Microsoft's is.
        """
        token = self.issuer.issue(f"pairwise {self.clock.seconds()}", oid=oid, name=name, **claims)
        return BearerToken(token, None, IMAP)

    def identities(self, account: str = ALICE) -> list[tuple[str, str]]:
        """
        What an account is linked with.
        """
        linked = self.successResultOf(self.stores.identities.list(account))
        return [(identity.issuer, identity.subject) for identity in linked]

    def test_firstUse(self) -> None:
        """
        Who comes first by the name of an account is linked with it, and comes in again.
        """
        for _ in range(2):
            self.assertEqual(self.accept(self.checker, self.present()), ALICE.encode())

        self.assertEqual(self.identities(), [(self.issuer.issuer, "1")])

    def test_nameIsNobody(self) -> None:
        """
        A name that the issuer gave to somebody else opens nothing, and whoever had it keeps his
        account by any name (TK14).
        """
        self.successResultOf(self.stores.accounts.add(Account("bob@example.test")))
        self.accept(self.checker, self.present())

        error = self.refuse(self.checker, self.present("2"), InvalidToken)

        self.assertIn("linked", error.reason)
        for name in (ALICE, "bob@example.test", "a@elsewhere.test", "a b"):
            self.assertEqual(self.accept(self.checker, self.present(name=name)), ALICE.encode())
        self.assertEqual(self.identities("bob@example.test"), [])

    def test_domains(self) -> None:
        """
        No name outside the issuer's domains links anything, and no link leads there, whoever made
        it (TK14).
        """
        outside = "carol@elsewhere.test"
        self.successResultOf(self.stores.accounts.add(Account(outside)))
        checker = self.makeChecker(creating=frozenset({self.issuer.issuer}))

        for name in (outside, "dave@elsewhere.test", "a b"):
            error = self.refuse(checker, self.present(name=name), InvalidToken)
            self.assertNotIn("linked", error.reason)
        self.assertIsNone(self.successResultOf(self.stores.accounts.get("dave@elsewhere.test")))
        link = self.stores.identities.link(Identity(self.issuer.issuer, "1", outside))
        self.successResultOf(link)
        error = self.refuse(checker, self.present(), InvalidToken)
        self.assertIn("domain", error.reason)

    def test_noAccount(self) -> None:
        """
        Who has no account gets none, unless the issuer's people do; then it is theirs alone.
        """
        carol = "carol@example.test"
        self.refuse(self.checker, self.present("3", carol), InvalidToken)
        self.assertIsNone(self.successResultOf(self.stores.accounts.get(carol)))
        elsewhere = self.makeChecker(creating=frozenset({"https://other.example"}))
        self.refuse(elsewhere, self.present("3", carol), InvalidToken)

        checker = self.makeChecker(creating=frozenset({self.issuer.issuer}))
        self.assertEqual(
            self.accept(checker, self.present("3", "Carol@EXAMPLE.test")), b"carol@example.test"
        )

        self.assertEqual(self.identities(carol), [(self.issuer.issuer, "3")])
        self.refuse(checker, self.present("4", carol), InvalidToken)

    def test_disabled(self) -> None:
        """
        A disabled account is disabled for everybody.
        """
        self.accept(self.checker, self.present())
        self.successResultOf(self.stores.accounts.disable(ALICE))
        self.clock.advance(100)

        self.refuse(self.checker, self.present(), AccountDisabled)

    def test_unlinked(self) -> None:
        """
        A token from before its subject was unlinked is dead, and does not link it again (TK14).
        """
        before = self.present()
        tags = self.accept(self.checker, before).tags
        self.clock.advance(1)
        self.successResultOf(self.stores.identities.unlink(self.issuer.issuer, "1"))

        self.refuse(self.checker, before, InvalidToken)

        self.assertEqual(self.identities(), [])
        self.assertTrue(self.stores.revocations.covers(tags, NOW))
        self.clock.advance(100)
        self.assertEqual(self.accept(self.checker, self.present("2")), ALICE.encode())

    def test_outage(self) -> None:
        """
        That nobody knows whose a subject is refuses nobody (CS9).
        """
        self.stores.identities.resolve = lambda *arguments: fail(Outage("down"))

        self.refuse(self.checker, self.present(), Outage)

    def test_embedded(self) -> None:
        """
        Who keeps no identities believes the name in each token.
        """
        trusted = attrs.evolve(self.issuer.trusted(), external=True, usernameClaim="name")
        checker = BearerTokenChecker(
            JWTValidator([trusted], self.clock.seconds), now=self.clock.seconds
        )

        for oid in ("1", "2"):
            self.assertEqual(self.accept(checker, self.present(oid)), ALICE.encode())


class AppPasswordCheckerTests(CheckerTestCase):
    """
    Generated app passwords.
    """

    def setUp(self) -> None:
        """
        Give alice one.
        """
        super().setUp()
        self.secret = makeAppPassword().encode("ascii")
        self.record = self.add(self.secret)
        self.checker = AppPasswordChecker(
            self.stores.appPasswords,
            self.stores.accounts,
            self.stores.revocations,
            now=self.clock.seconds,
        )

    def add(self, secret: bytes, account: str = ALICE, **values: Any) -> AppPassword:
        """
        Store one.
        """
        digest = digestAppPassword(secret)
        assert digest is not None
        record = AppPassword(digest.hex()[:8], account, "phone", digest=digest, **values)
        self.successResultOf(self.stores.appPasswords.add(record))
        return record

    def stored(self) -> AppPassword:
        """
        What the store says of alice's first.
        """
        records: tuple[AppPassword, ...] = self.successResultOf(
            self.stores.appPasswords.list(ALICE)
        )
        return records[0]

    def test_interface(self) -> None:
        """
        It checks passwords of both forms.
        """
        verifyObject(ICredentialsChecker, self.checker)
        self.assertEqual(
            tuple(self.checker.credentialInterfaces), (IUsernamePassword, IDelegatedPassword)
        )

    def test_accepted(self) -> None:
        """
        It opens its account, as copied and under any spelling of the name.
        """
        for secret in (self.secret, self.secret.upper().replace(b"-", b" ")):
            for name in (b"alice@example.test", b"Alice@EXAMPLE.test"):
                avatarId = self.accept(self.checker, makePassword(secret, name))
                self.assertEqual(avatarId, ALICE.encode())
                self.assertIn(f"app-password:{self.record.identifier}", avatarId.tags)

    def test_defaultDomain(self) -> None:
        """
        A login name without a domain is one in the default domain.
        """
        checker = AppPasswordChecker(
            self.stores.appPasswords, self.stores.accounts, defaultDomain="example.test"
        )

        self.accept(checker, makePassword(self.secret, b"alice"))
        self.refuse(self.checker, makePassword(self.secret, b"alice"), InvalidCredentials)

    def test_wrong(self) -> None:
        """
        One answer for an unknown name, an impossible one, a wrong password, and somebody else's
        (PW6, PW11, SA10).
        """
        other = makeAppPassword().encode("ascii")
        self.successResultOf(self.stores.accounts.add(Account("bob@example.test")))
        self.add(other, "bob@example.test")
        errors = [
            self.refuse(self.checker, makePassword(secret, name), InvalidCredentials)
            for secret, name in (
                (self.secret, b"nobody@example.test"),
                (self.secret, b"\xff"),
                (self.secret, b"alice@example.test\0"),
                (self.secret, b"a" * 1000),
                (self.secret, b""),
                (makeAppPassword().encode("ascii"), ALICE.encode()),
                (b"swordfish", ALICE.encode()),
                (b"", ALICE.encode()),
                (other, ALICE.encode()),
                (self.secret, b"bob@example.test"),
                (self.record.digest or b"", ALICE.encode()),
            )
        ]

        self.assertEqual(
            {(error.text, error.dialect) for error in errors},
            {(InvalidCredentials().text, InvalidCredentials.dialect)},
        )

    def test_delegated(self) -> None:
        """
        It acts as its own account, and as no other (SA1).
        """
        own = DelegatedPassword(ALICE.encode(), self.secret, b"ALICE@example.test", IMAP)
        other = DelegatedPassword(ALICE.encode(), self.secret, b"bob@example.test", IMAP)

        self.accept(self.checker, own)
        self.refuse(self.checker, other, NotOwner)

    def test_policyAtEveryLogin(self) -> None:
        """
        What was allowed a moment ago may be refused now: nothing but the store is asked (PW12).
        """
        self.accept(self.checker, makePassword(self.secret))
        store = vars(self.stores.appPasswords)["_appPasswords"]
        for values, kind in (
            ({"expires": NOW}, ExpiredPassword),
            ({"services": frozenset({"smtp"})}, ServiceNotAllowed),
            ({"networks": ("198.51.100.0/24",)}, ServiceNotAllowed),
        ):
            changed: Any = values
            store[self.record.identifier] = attrs.evolve(self.record, **changed)
            self.refuse(self.checker, makePassword(self.secret), kind)

    def test_withoutContext(self) -> None:
        """
        Stock credentials of cred are for reading mail, from nowhere.
        """
        self.accept(self.checker, StockUsernamePassword(ALICE.encode(), self.secret))
        limited = makeAppPassword().encode("ascii")
        self.add(limited, networks=("0.0.0.0/0",))
        self.refuse(self.checker, StockUsernamePassword(ALICE.encode(), limited), ServiceNotAllowed)

    def test_account(self) -> None:
        """
        It opens no account that is disabled or removed, nor once it was revoked.
        """
        self.successResultOf(self.stores.accounts.disable(ALICE))
        self.refuse(self.checker, makePassword(self.secret), AccountDisabled)
        self.refuse(self.checker, makePassword(b"swordfish"), InvalidCredentials)
        self.successResultOf(self.stores.accounts.enable(ALICE))
        self.accept(self.checker, makePassword(self.secret))
        revoked = self.stores.appPasswords.revoke(ALICE, self.record.identifier)
        self.successResultOf(revoked)
        self.refuse(self.checker, makePassword(self.secret), InvalidCredentials)

    def test_withoutAccounts(self) -> None:
        """
        Where nobody keeps accounts, the app password is enough.
        """
        checker = AppPasswordChecker(MemoryAppPasswords())
        self.refuse(checker, makePassword(self.secret), InvalidCredentials)
        checker = AppPasswordChecker(self.stores.appPasswords)
        self.assertEqual(self.accept(checker, makePassword(self.secret)), ALICE.encode())

    def test_orphan(self) -> None:
        """
        An app password whose account is not there opens nothing.
        """
        checker = AppPasswordChecker(self.stores.appPasswords, MemoryAccounts())

        self.refuse(checker, makePassword(self.secret), InvalidCredentials)

    def test_noted(self) -> None:
        """
        When, from where, for what and by which mail client it was used is kept, and only when it
        was let in.
        """
        self.refuse(self.checker, makePassword(self.secret, context=WEB), ServiceNotAllowed)
        self.assertIsNone(self.stored().lastUse)

        self.accept(self.checker, makePassword(self.secret))

        self.assertEqual(
            self.stored().lastUse, AppPasswordUse(NOW, "imap", "192.0.2.1", "Thunderbird 140")
        )

    def test_notNoted(self) -> None:
        """
        Nobody waits for that, and whoever is right is let in though it fails.
        """
        lines: list[Any] = []
        observer: Any = lines.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        noted: Deferred[None] = Deferred()
        self.stores.appPasswords.noteUse = lambda identifier, use: noted

        self.accept(self.checker, makePassword(self.secret))
        noted.errback(Outage("the store is full"))

        self.assertEqual([line["reason"] for line in lines], ["the store is full"])

    def test_revokedMeanwhile(self) -> None:
        """
        What is revoked, or whose account is disabled, while it is being looked up is not let in,
        and is refused when it comes again (CS2).
        """
        revoked = self.changeMeanwhile(
            lambda: self.stores.appPasswords.revoke(ALICE, self.record.identifier)
        )
        self.assertIs(revoked, Outage)
        self.refuse(self.checker, makePassword(self.secret), InvalidCredentials)

        self.setUp()
        disabled = self.changeMeanwhile(lambda: self.stores.accounts.disable(ALICE))
        self.assertIs(disabled, AccountDisabled)
        self.refuse(self.checker, makePassword(self.secret), AccountDisabled)

    def test_changedMeanwhile(self) -> None:
        """
        One that stays valid while something else of its account changes is not refused (CS9).
        """
        changed = self.changeMeanwhile(lambda: self.stores.accounts.setPassword(ALICE, "hash"))

        self.assertIs(changed, Outage)
        self.accept(self.checker, makePassword(self.secret))

    def changeMeanwhile(self, change: Callable[[], Deferred[None]]) -> Any:
        """
        Change something while the app password is being looked up.

        @return: as what the login failed.
        """
        slow = Slow(self.stores.appPasswords, "find")
        checked = self.checker.requestAvatarId(makePassword(self.secret))
        self.successResultOf(change())
        slow.answer()
        del self.stores.appPasswords.find
        return self.failureResultOf(checked).type

    def test_outages(self) -> None:
        """
        A store that cannot be reached says nothing about the password (CS9).
        """

        def down(*arguments: object) -> Deferred[Any]:
            return fail(Outage("down"))

        self.stores.accounts.get = down
        self.refuse(self.checker, makePassword(self.secret), Outage)
        self.stores.appPasswords.find = down
        self.refuse(self.checker, makePassword(self.secret), Outage)


class ThreadedTestCase(TestCase):
    """
    Checkers that hash.
    """

    def setUp(self) -> None:
        """
        Let alice in, and count what is hashed.
        """
        self.clock = makeClock()
        self.stores: Any = MemoryStores(self.clock.seconds)
        self.stores.accounts.add(Account(ALICE))
        self.pool = RecordingPool()
        self.hasher = makeHasher(self, self.pool, self.clock.seconds)

    async def accept(self, checker: ICredentialsChecker, credentials: Any) -> AvatarId:
        """
        The credentials are good.
        """
        avatarId = await checker.requestAvatarId(credentials)
        assert isinstance(avatarId, AvatarId)
        return avatarId

    async def refuse(
        self, checker: ICredentialsChecker, credentials: Any, kind: type[LoginError]
    ) -> LoginError:
        """
        They are not, for exactly this reason.
        """
        checked: Any = checker.requestAvatarId(credentials)
        error: LoginError = await self.assertFailure(checked, kind)
        self.assertIs(type(error), kind)
        return error

    async def hashed(self, work: Any) -> int:
        """
        How many hashes something took.
        """
        before = self.pool.given
        await work
        return self.pool.given - before


class ImportedTests(ThreadedTestCase):
    """
    App passwords that were imported as hashes.
    """

    def setUp(self) -> None:
        """
        Import three.
        """
        super().setUp()
        for number, password in enumerate((b"first", b"second", b"third")):
            self.add(str(number), bcrypt.hashpw(password, bcrypt.gensalt(4)).decode())
        self.checker = ImportedPasswordChecker(
            self.stores.appPasswords,
            self.hasher,
            self.stores.accounts,
            self.stores.revocations,
            now=self.clock.seconds,
        )

    def add(self, identifier: str, passwordHash: str) -> None:
        """
        Import one.
        """
        record = AppPassword(identifier, ALICE, f"old {identifier}", imported=passwordHash)
        self.stores.appPasswords.add(record)

    async def test_accepted(self) -> None:
        """
        Each opens the account, and is known by its own id.
        """
        for number, password in enumerate((b"first", b"second", b"third")):
            avatarId = await self.accept(self.checker, makePassword(password))
            self.assertIn(f"app-password:{number}", avatarId.tags)

    async def test_cost(self) -> None:
        """
        A wrong password is hashed once for each, and not again the next time (PW5).
        """
        wrong = makePassword(b"wrong")

        self.assertEqual(await self.hashed(self.refuse(self.checker, wrong, InvalidCredentials)), 3)
        self.assertEqual(await self.hashed(self.refuse(self.checker, wrong, InvalidCredentials)), 0)

    async def test_generated(self) -> None:
        """
        A generated one costs no hash, however many were imported, if it is looked up first (PW5).
        """
        secret = makeAppPassword().encode("ascii")
        record = AppPassword("new", ALICE, "phone", digest=digestAppPassword(secret))
        await self.stores.appPasswords.add(record)

        both = First(AppPasswordChecker(self.stores.appPasswords), self.checker)

        self.assertEqual(await self.hashed(self.accept(both, makePassword(secret))), 0)
        await self.refuse(self.checker, makePassword(secret), InvalidCredentials)

    async def test_unreadable(self) -> None:
        """
        A hash in the store that cannot be read is our fault and not the client's (PW2).
        """
        self.add("3", "{PLAIN}fourth")

        await self.accept(self.checker, makePassword(b"first"))
        await self.refuse(self.checker, makePassword(b"fourth"), Outage)


class AccountPasswordCheckerTests(ThreadedTestCase):
    """
    Account passwords.
    """

    HELP = "Use an app password: https://mail.example/account/"

    async def prepare(self, **rules: str) -> AccountPasswordChecker:
        """
        Give alice a password, and make a checker whose rules go by domain.
        """
        passwordHash = await self.hasher.hash(b"swordfish")
        await self.stores.accounts.setPassword(ALICE, passwordHash)
        return AccountPasswordChecker(
            self.stores.accounts,
            self.hasher,
            lambda domain: rules.get(domain.replace(".", "_"), "web"),
            self.stores.revocations,
            "example.test",
            self.HELP,
        )

    async def test_web(self) -> None:
        """
        By default it opens the web.
        """
        checker = await self.prepare()

        for name in (ALICE.encode(), b"Alice", b"alice@EXAMPLE.TEST"):
            avatarId = await self.accept(checker, makePassword(b"swordfish", name, WEB))
            self.assertEqual(avatarId, ALICE.encode())
            self.assertEqual(avatarId.credential, "account password")

    async def test_notForMail(self) -> None:
        """
        For mail it is not looked at, and nobody can tell from the answer or the work whether it
        is right; the answer says what to do instead (PW6).
        """
        checker = await self.prepare()

        for context in (IMAP, LoginContext("smtp"), LoginContext("pop3"), None):
            for password in (b"swordfish", b"wrong", b"x" * 100):
                for name in (ALICE.encode(), b"nobody"):
                    credentials = makePassword(password, name, context)
                    work = self.refuse(checker, credentials, InvalidCredentials)
                    self.assertEqual(await self.hashed(work), 0)
        error = await self.refuse(checker, makePassword(b"swordfish"), InvalidCredentials)
        self.assertEqual(error.text, f"Wrong login name or password. {self.HELP}".encode())

    async def test_rules(self) -> None:
        """
        The rule is the account's own, or that of its domain.
        """
        checker = await self.prepare(example_test="everywhere")
        good = makePassword(b"swordfish")

        await self.accept(checker, good)
        await self.stores.accounts.setPasswordRule(ALICE, "web")
        await self.refuse(checker, good, InvalidCredentials)

        checker = await self.prepare()
        await self.stores.accounts.setPasswordRule(ALICE, "everywhere")
        await self.accept(checker, good)
        await self.stores.accounts.setPasswordRule(ALICE, None)
        await self.refuse(checker, good, InvalidCredentials)

    async def test_domainOfNone(self) -> None:
        """
        An account without a domain is in none, whatever it is called.
        """
        await self.prepare()
        asked: list[str] = []

        def ruleOf(domain: str) -> str:
            asked.append(domain)
            return "web"

        checker = AccountPasswordChecker(self.stores.accounts, self.hasher, ruleOf)

        for name in (b"alice", b"example.test", b"alice@example.test"):
            await self.refuse(checker, makePassword(b"x", name), InvalidCredentials)
        self.assertEqual(asked, ["", "", "example.test"])

    async def test_sameWork(self) -> None:
        """
        A wrong password, an unknown name, an account without a password and a disabled one take
        one hash and give one answer (PW6).
        """
        checker = await self.prepare()
        for account in (Account("open@example.test"), Account("off@example.test", enabled=False)):
            await self.stores.accounts.add(account)
        await self.stores.accounts.setPassword("off@example.test", await self.hasher.hash(b"off"))
        texts = set()
        for name in (b"alice", b"nobody", b"open", b"off"):
            for password in (b"wrong", b"", b"x" * 100, b"sword\0fish"):
                credentials = makePassword(password, name, WEB)
                before = self.pool.given
                texts.add((await self.refuse(checker, credentials, InvalidCredentials)).text)
                self.assertEqual(self.pool.given - before, 1, msg=(name, password))

        self.assertEqual(len(texts), 1)

    async def test_disabled(self) -> None:
        """
        That an account is disabled is said to whoever has its password.
        """
        checker = await self.prepare()
        await self.stores.accounts.disable(ALICE)

        await self.refuse(checker, makePassword(b"swordfish", context=WEB), AccountDisabled)
        await self.refuse(checker, makePassword(b"wrong", context=WEB), InvalidCredentials)

    async def test_delegated(self) -> None:
        """
        It acts as its own account, and as no other (SA1).
        """
        checker = await self.prepare()

        await self.accept(checker, DelegatedPassword(ALICE.encode(), b"swordfish", b"alice", WEB))
        await self.refuse(
            checker, DelegatedPassword(ALICE.encode(), b"swordfish", b"bob", WEB), NotOwner
        )

    async def test_changedMeanwhile(self) -> None:
        """
        A password that is changed while it is being verified does not let anybody in (CS2).
        """
        checker = await self.prepare()
        other = await self.hasher.hash(b"marlin")

        checked = checker.requestAvatarId(makePassword(b"swordfish", context=WEB))
        await self.stores.accounts.setPassword(ALICE, other)

        await self.assertFailure(checked, Outage)
        await self.refuse(checker, makePassword(b"swordfish", context=WEB), InvalidCredentials)
        await self.accept(checker, makePassword(b"marlin", context=WEB))

    async def test_queueIsFull(self) -> None:
        """
        Where too many wait, a right password, a wrong one and an unknown name get the same
        outage, at once (PW6, DS9).
        """
        await self.prepare()
        idle = ThreadPool(0, 1)
        hasher = makeHasher(self, idle, self.clock.seconds, start=False)
        checker = AccountPasswordChecker(self.stores.accounts, hasher)
        for number in range(1 + PasswordHasher.QUEUED_PER_THREAD):
            hasher.hash(b"%d" % number)

        for password, name in ((b"swordfish", ALICE), (b"wrong", ALICE), (b"x", "nobody")):
            credentials = makePassword(password, name.encode(), WEB)
            self.failureResultOf(checker.requestAvatarId(credentials), Outage)


class FirstTests(CheckerTestCase):
    """
    Several checkers of the same credentials.
    """

    def ask(self, *answers: Any) -> tuple[Deferred[Any], list[int]]:
        """
        Ask checkers with these answers.

        @return: the answer, and how often each was asked.
        """
        checkers = [ScriptedChecker(default=answer) for answer in answers]
        answer = First(*checkers).requestAvatarId(makePassword(b"x"))
        return answer, [len(checker.asked) for checker in checkers]

    def test_interfaces(self) -> None:
        """
        It takes whatever any of them takes, each once.
        """
        first = First(
            AppPasswordChecker(self.stores.appPasswords),
            InMemoryUsernamePasswordDatabaseDontUse(),
            BearerTokenChecker(MemoryIssuer().validator()),
        )

        verifyObject(ICredentialsChecker, first)
        self.assertEqual(
            set(first.credentialInterfaces),
            {
                *AppPasswordChecker.credentialInterfaces,
                *BearerTokenChecker.credentialInterfaces,
                *InMemoryUsernamePasswordDatabaseDontUse.credentialInterfaces,
            },
        )
        self.assertEqual(len(first.credentialInterfaces), len(set(first.credentialInterfaces)))

    def test_accepts(self) -> None:
        """
        The first that accepts decides, and nobody is asked after him.
        """
        for answers, asked in (
            ((ALICE, ALICE), [1, 0]),
            ((InvalidCredentials(), ALICE, InvalidCredentials()), [1, 1, 0]),
            ((Outage(), ALICE), [1, 1]),
            ((UnauthorizedLogin(), ALICE), [1, 1]),
        ):
            answer, counts = self.ask(*answers)
            self.assertEqual((self.successResultOf(answer), counts), (ALICE.encode(), asked))

    def test_refuses(self) -> None:
        """
        If all refuse, the last refusal is the answer.
        """
        last = InvalidCredentials("last", "Use an app password.")

        answer, _ = self.ask(InvalidCredentials("first"), UnauthorizedLogin(), last)

        self.assertIs(self.failureResultOf(answer).value, last)

    def test_verified(self) -> None:
        """
        A refusal of what was right ends the search: it says more than any other.
        """
        for error in (ExpiredPassword(), ServiceNotAllowed(), NotOwner(), AccountDisabled()):
            for others in ((), (Outage(),), (InvalidCredentials(),)):
                answer, counts = self.ask(*others, error, ALICE)

                self.assertIs(self.failureResultOf(answer).value, error)
                self.assertEqual(counts, [1] * len(others) + [1, 0])

    def test_outage(self) -> None:
        """
        If one could not tell, nobody can: an outage beats a refusal, whichever came first.
        """
        outage = Outage("down")
        for answers in (
            (outage, InvalidCredentials()),
            (InvalidCredentials(), outage),
            (InvalidCredentials(), outage, InvalidCredentials()),
        ):
            answer, _ = self.ask(*answers)
            self.assertIs(self.failureResultOf(answer).value, outage)

    def test_unexpected(self) -> None:
        """
        Any other fault is passed on at once: nobody knows what it means.
        """
        for error in (ZeroDivisionError(), BadExchange(), CancelledError()):
            answer, counts = self.ask(error, ALICE)

            self.assertIs(self.failureResultOf(answer).value, error)
            self.assertEqual(counts, [1, 0])

    def test_none(self) -> None:
        """
        Where nobody is asked, nobody is let in.
        """
        answer, _ = self.ask()

        self.failureResultOf(answer, InvalidCredentials)

    def test_onlyWhoTakesThem(self) -> None:
        """
        A checker that has never heard of authorization identities, such as cred's own, is not
        asked about one (SA1).
        """
        stock = InMemoryUsernamePasswordDatabaseDontUse()
        stock.addUser(ALICE.encode(), b"swordfish")
        first = First(AppPasswordChecker(self.stores.appPasswords), stock)

        for authzid in (ALICE.encode(), b"bob@example.test"):
            delegated = DelegatedPassword(ALICE.encode(), b"swordfish", authzid, IMAP)
            self.refuse(first, delegated, InvalidCredentials)
        accepted = self.successResultOf(first.requestAvatarId(makePassword(b"swordfish")))
        self.assertEqual(accepted, ALICE.encode())


class ThrottledTests(CheckerTestCase):
    """
    Failures are counted.
    """

    def setUp(self) -> None:
        """
        Allow 3 failures a minute by account and 6 by network, over two wires.
        """
        super().setUp()
        limits = ThrottleLimits(account=3, network=6, known=2)
        self.throttle = Throttle(self.clock.seconds, limits)
        self.answers: dict[bytes, Any] = {b"right": ALICE}
        self.scripted = ScriptedChecker(self.answers, InvalidCredentials("wrong"))
        self.checker = Throttled(self.scripted, self.throttle, "example.test")

    def guess(
        self,
        number: int,
        name: bytes = b"alice",
        peer: str | None = "198.51.100.7",
        service: str = "imap",
    ) -> Any:
        """
        A password that nobody has.
        """
        return makePassword(b"guess %d" % number, name, LoginContext(service, peer))

    def token(self, number: int, peer: str = "198.51.100.7", authzid: bytes = b"alice") -> Any:
        """
        A token that nobody issued.
        """
        return BearerToken(b"guess-%d" % number, authzid, LoginContext("imap", peer))

    def right(self, peer: str | None = "192.0.2.1") -> Any:
        """
        The right password.
        """
        return makePassword(b"right", context=LoginContext("imap", peer))

    def test_interface(self) -> None:
        """
        It takes what its checker takes.
        """
        verifyObject(ICredentialsChecker, self.checker)
        self.assertIs(self.checker.credentialInterfaces, self.scripted.credentialInterfaces)

    def test_waits(self) -> None:
        """
        After too many failures nothing is looked at, wherever it comes from and on whatever wire,
        until some time has passed (PW7, PW8).
        """
        for number, service in enumerate(("imap", "smtp", "pop3")):
            peer = f"198.51.100.{number}"
            self.refuse(
                self.checker, self.guess(number, b"alice", peer, service), InvalidCredentials
            )
        asked = len(self.scripted.asked)

        self.refuse(self.checker, self.right(), TooManyFailures)
        self.assertEqual(len(self.scripted.asked), asked)
        self.clock.advance(21)
        self.accept(self.checker, self.right())

    def test_sharedByCheckers(self) -> None:
        """
        Two checkers with one throttle have one budget (PW7).
        """
        other = Throttled(self.scripted, self.throttle, "example.test")
        for number in range(3):
            self.refuse((self.checker, other)[number % 2], self.guess(number), InvalidCredentials)

        for checker in (self.checker, other):
            self.refuse(checker, self.right(), TooManyFailures)

    def test_oneBudgetByName(self) -> None:
        """
        All spellings of a name, and all login names that act for it, share its budget (SA9).
        """
        names = (b"ALICE", b"alice@example.test", "\N{FULLWIDTH LATIN SMALL LETTER A}lice".encode())
        for number, name in enumerate(names):
            self.refuse(self.checker, self.guess(number, name), InvalidCredentials)

        self.refuse(self.checker, self.right(), TooManyFailures)

    def test_network(self) -> None:
        """
        A network that tries many names waits; its neighbours in the same /64 with it (PW7).
        """
        for number in range(6):
            guess = self.guess(number, b"user%d" % number, f"2001:db8::{number}")
            self.refuse(self.checker, guess, InvalidCredentials)

        self.refuse(self.checker, self.guess(7, b"bob", "2001:db8::ffff"), TooManyFailures)
        self.refuse(self.checker, self.guess(7, b"bob", "2001:db8:0:1::1"), InvalidCredentials)

    def test_home(self) -> None:
        """
        Where its owner logged in before he waits for no stranger (PW8).
        """
        self.accept(self.checker, self.right())
        for number in range(3):
            self.refuse(self.checker, self.guess(number), InvalidCredentials)

        self.refuse(self.checker, self.right("203.0.113.5"), TooManyFailures)
        self.accept(self.checker, self.right())

    def test_repeats(self) -> None:
        """
        A mail client that repeats its old password does not use the budget up (PW8).
        """
        for _ in range(50):
            self.refuse(self.checker, self.guess(1), InvalidCredentials)

        self.accept(self.checker, self.right())

    def test_tokens(self) -> None:
        """
        Made-up tokens count for their network, and not for the account that they name (PW7, PW8).
        """
        for number in range(6):
            self.refuse(self.checker, self.token(number), InvalidCredentials)

        self.refuse(self.checker, self.token(7), TooManyFailures)
        self.accept(self.checker, self.right())

    def test_tokensAtHome(self) -> None:
        """
        Where the account that they name is at home, they count there: its name is no way around
        the network's budget, and nobody else's is emptied (PW7).
        """
        self.accept(self.checker, self.right())
        for number in range(2):
            self.refuse(self.checker, self.token(number, "192.0.2.1"), InvalidCredentials)

        self.refuse(self.checker, self.token(7, "192.0.2.1"), TooManyFailures)
        self.refuse(self.checker, self.token(8, "192.0.2.1", b""), InvalidCredentials)

    def test_tokensOfATriedAccount(self) -> None:
        """
        Whoever guesses at an account's password does not keep its tokens out (PW8).
        """
        for number in range(3):
            self.refuse(self.checker, self.guess(number), InvalidCredentials)
        self.answers[b"good"] = ALICE

        self.accept(
            self.checker, BearerToken(b"good", b"alice", LoginContext("imap", "203.0.113.9"))
        )

    def test_notCounted(self) -> None:
        """
        Only what may be a guess counts: not what was right, not what expired by itself, not what
        nobody could tell, and not what never came to an end.
        """
        for number, error in enumerate(
            (
                ExpiredToken(),
                ExpiredPassword(),
                InsufficientScope(),
                ServiceNotAllowed(),
                AccountDisabled(),
                Outage(),
                BadExchange(),
                CancelledError(),
                ZeroDivisionError(),
            )
        ):
            for again in range(7):
                secret = b"%d %d" % (number, again)
                self.answers[secret] = error
                self.refuse(self.checker, makePassword(secret), type(error))

        self.accept(self.checker, self.right())

    def test_counted(self) -> None:
        """
        What may be a guess counts, also where a checker of cred's own refuses it.
        """
        for error in (InvalidCredentials(), InvalidToken(), NotOwner(), UnauthorizedLogin()):
            self.setUp()
            for number in range(3):
                self.answers[b"guess %d" % number] = error
                self.refuse(self.checker, self.guess(number), type(error))

            self.refuse(self.checker, self.right(), TooManyFailures)

    def test_abandoned(self) -> None:
        """
        A guess counts although whoever made it hung up before the verdict (PW7).
        """
        for number in range(3):
            answer: Deferred[Any] = Deferred()
            self.answers[b"guess %d" % number] = answer
            checked = self.checker.requestAvatarId(self.guess(number))
            checked.cancel()
            self.failureResultOf(checked, CancelledError)
            answer.errback(InvalidCredentials())

        self.refuse(self.checker, self.right(), TooManyFailures)

    def test_atOnce(self) -> None:
        """
        Many guesses at once are no more than in a row (PW7).
        """
        slow: list[Deferred[Any]] = [Deferred() for _ in range(20)]
        self.answers.update({b"guess %d" % number: answer for number, answer in enumerate(slow)})

        guesses = [self.checker.requestAvatarId(self.guess(number)) for number in range(20)]

        self.assertEqual(len(self.scripted.asked), 3)
        for guess in guesses[3:]:
            self.failureResultOf(guess, TooManyFailures)
        slow[0].errback(Outage())
        slow[1].errback(InvalidCredentials())
        slow[2].callback(AvatarId(ALICE))
        self.failureResultOf(guesses[0], Outage)
        self.failureResultOf(guesses[1], InvalidCredentials)
        self.assertEqual(self.successResultOf(guesses[2]), ALICE.encode())
        # Only one of them was a guess.
        for number in (20, 21):
            guess = self.guess(number, peer="203.0.113.1")
            self.refuse(self.checker, guess, InvalidCredentials)
        self.refuse(self.checker, self.right("203.0.113.2"), TooManyFailures)

    def test_rightAtOnce(self) -> None:
        """
        A mail client may open as many connections as it likes at once with one password.
        """
        logins = []
        for _ in range(20):
            answer: Deferred[Any] = Deferred()
            self.answers[b"right"] = answer
            logins.append((answer, self.checker.requestAvatarId(self.right())))

        for answer, login in logins:
            answer.callback(AvatarId(ALICE))
            self.assertEqual(self.successResultOf(login), ALICE.encode())

    def test_stock(self) -> None:
        """
        Credentials that come from nowhere count for their account alone.
        """
        for number in range(3):
            guess = StockUsernamePassword(b"alice", b"guess %d" % number)
            self.refuse(self.checker, guess, InvalidCredentials)

        self.refuse(self.checker, StockUsernamePassword(b"alice", b"right"), TooManyFailures)
        self.accept(self.checker, StockUsernamePassword(b"bob", b"right"))

    def test_impossibleNames(self) -> None:
        """
        A name that no account can have is no account's budget, and its network's (SA10).
        """
        for number in range(6):
            self.refuse(self.checker, self.guess(number, b"\xff"), InvalidCredentials)

        self.refuse(self.checker, self.guess(7, b"bob"), TooManyFailures)

    def test_loopback(self) -> None:
        """
        A web mail program on the same machine is no network: nobody waits for its other users.
        """
        for number in range(20):
            guess = self.guess(number, b"user%d" % number, "127.0.0.1")
            self.refuse(self.checker, guess, InvalidCredentials)

        self.accept(self.checker, self.right("127.0.0.1"))

    def test_keepsNoSecret(self) -> None:
        """
        Neither what was presented nor a digest that others could compute is kept (LG1).
        """
        self.refuse(self.checker, self.guess(1), InvalidCredentials)

        kept = repr([vars(each) for each in vars(self.throttle).values()])
        self.assertIn("alice", kept)
        self.assertNotIn("guess 1", kept)


@implementer(ICredentialsChecker)
class Counted:
    """
    Asks another checker.

    @ivar count: how often it did.
    """

    def __init__(self, checker: ICredentialsChecker) -> None:
        self._checker = checker
        self.credentialInterfaces = checker.credentialInterfaces
        self.count = 0

    def requestAvatarId(self, credentials: Any) -> Any:
        """
        Ask it.
        """
        self.count += 1
        return self._checker.requestAvatarId(credentials)


@implementer(ITokenValidator)
class Asked:
    """
    An issuer that is asked about a token of alice's.

    @ivar revoked: it has revoked the token.
    """

    revoked = False

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        Say what it is.
        """
        if self.revoked:
            return fail(InvalidToken("not active"))
        return succeed(
            AccessToken(
                issuer="https://issuer.example",
                subject=ALICE,
                owner=ALICE,
                scope=frozenset({MAIL_SCOPE}),
                audience=frozenset({"mail.example"}),
                expires=NOW + 3600,
                issued=NOW,
            )
        )


class RememberedTests(CheckerTestCase):
    """
    Whom a token let in is known, until anything changes that it rests on.
    """

    def setUp(self) -> None:
        """
        Alice has a token of 200 s.
        """
        super().setUp()
        issuer = MemoryIssuer(now=self.clock.seconds)
        self.token = issuer.issue(ALICE, lifetime=200)
        self.remember(
            BearerTokenChecker(
                JWTValidator([issuer.trusted()], self.clock.seconds),
                self.stores.accounts,
                self.stores.revocations,
                now=self.clock.seconds,
            )
        )

    def remember(self, checker: ICredentialsChecker) -> None:
        """
        Remember what a checker says.
        """
        revocations = self.stores.revocations
        self.cache = MemoryCache(self.clock.seconds)
        revocations.subscribe(lambda tags, reason: self.cache.drop(tags))
        self.decides = Counted(checker)
        self.checker = Remembered(self.decides, self.cache, revocations, self.clock.seconds)

    def makeLogin(self, authzid: bytes | None = None, context: LoginContext = IMAP) -> BearerToken:
        """
        A login with the token.
        """
        return BearerToken(self.token, authzid, context)

    def test_interface(self) -> None:
        """
        It takes what the other takes.
        """
        verifyObject(ICredentialsChecker, self.checker)
        self.assertEqual(tuple(self.checker.credentialInterfaces), (IBearerToken,))

    def test_again(self) -> None:
        """
        The same login is decided once, and answered with all that was decided.
        """
        first = self.accept(self.checker, self.makeLogin())
        second = self.accept(self.checker, self.makeLogin())

        self.assertEqual(self.decides.count, 1)
        self.assertEqual(second, ALICE.encode())
        self.assertEqual((second.tags, second.expires), (first.tags, first.expires))

    def test_anotherLogin(self) -> None:
        """
        For another service, or asking for another account, is another decision (SA1).
        """
        self.accept(self.checker, self.makeLogin())
        self.accept(self.checker, self.makeLogin(context=JMAP))
        self.accept(self.checker, self.makeLogin(ALICE.encode()))

        self.refuse(self.checker, self.makeLogin(b"bob@example.test"), NotOwner)

        self.assertEqual(self.decides.count, 4)

    def test_noneIsAnother(self) -> None:
        """
        What one part of a login loses its neighbour does not gain, and what is known of the tokens
        themselves, in the same cache, is not known of logins (CS1).
        """
        self.remember(ScriptedChecker(default=ALICE))
        validator = CachingValidator(Asked(), self.cache, self.clock.seconds)
        logins = [
            BearerToken(b"alice", None, IMAP),
            BearerToken(b"lice", b"a", IMAP),
            BearerToken(b"ice", b"al", IMAP),
            BearerToken(b"imapalice", None, LoginContext("")),
        ]
        for login in logins:
            self.successResultOf(validator.validate(login.token))
            self.assertIsInstance(self.accept(self.checker, login), bytes)

        self.assertEqual(self.decides.count, len(logins))
        self.assertEqual(len(self.cache), 2 * len(logins))

    def test_refused(self) -> None:
        """
        A refusal is decided each time.
        """
        self.token = b"nonsense"

        self.refuse(self.checker, self.makeLogin(), InvalidToken)
        self.refuse(self.checker, self.makeLogin(), InvalidToken)

        self.assertEqual(self.decides.count, 2)

    def test_revoked(self) -> None:
        """
        What is revoked is refused at the next login, under whichever of its tags (CS2).
        """
        tags = self.accept(self.checker, self.makeLogin()).tags
        self.assertGreater(len(tags), 3)
        for tag in sorted(tags):
            self.setUp()
            self.accept(self.checker, self.makeLogin())

            self.successResultOf(self.stores.revocations.revoke([tag], "revoked"))

            self.refuse(self.checker, self.makeLogin(), InvalidToken)

    def test_accountChanges(self) -> None:
        """
        An account that is disabled is not let in because it was a moment ago.
        """
        self.accept(self.checker, self.makeLogin())

        self.successResultOf(self.stores.accounts.disable(ALICE))

        self.refuse(self.checker, self.makeLogin(), AccountDisabled)

    def test_expires(self) -> None:
        """
        It is remembered for no longer than the token lives, which an issuer's clock may prolong by
        its leeway, but the memory does not (CS3).
        """
        self.clock.advance(190)
        self.accept(self.checker, self.makeLogin())
        self.clock.advance(9)
        self.accept(self.checker, self.makeLogin())
        self.assertEqual(self.decides.count, 1)

        self.clock.advance(1)
        self.accept(self.checker, self.makeLogin())
        self.accept(self.checker, self.makeLogin())
        self.assertEqual(self.decides.count, 3)

        self.clock.advance(LEEWAY)
        self.refuse(self.checker, self.makeLogin(), ExpiredToken)

    def test_neverExpires(self) -> None:
        """
        What has no end of its own is decided again after a minute.
        """
        self.remember(ScriptedChecker(default=ALICE))
        self.accept(self.checker, self.makeLogin())
        self.clock.advance(59)
        self.accept(self.checker, self.makeLogin())
        self.assertEqual(self.decides.count, 1)

        self.clock.advance(1)
        self.accept(self.checker, self.makeLogin())
        self.assertEqual(self.decides.count, 2)

    def test_issuerRevokes(self) -> None:
        """
        However often somebody comes, and for whatever, an issuer is asked again after five minutes:
        what it revoked comes as no entry (CS3; O 27).
        """
        asked = Asked()
        self.remember(
            BearerTokenChecker(
                CachingValidator(asked, MemoryCache(self.clock.seconds), self.clock.seconds),
                self.stores.accounts,
                self.stores.revocations,
                now=self.clock.seconds,
            )
        )
        services = cycle((IMAP, JMAP))
        self.accept(self.checker, self.makeLogin(context=next(services)))
        asked.revoked = True
        for _ in range(239):
            self.clock.advance(1)
            self.accept(self.checker, self.makeLogin(context=next(services)))

        self.clock.advance(61)

        for context in (IMAP, JMAP):
            self.refuse(self.checker, self.makeLogin(context=context), InvalidToken)

    def test_changesMeanwhile(self) -> None:
        """
        What was decided while something changed is not remembered: it may rest on what was.
        """
        waiting: Deferred[Any] = Deferred()
        self.remember(ScriptedChecker(default=waiting))
        answer = self.checker.requestAvatarId(self.makeLogin())

        self.successResultOf(self.stores.revocations.touch([accountTag(ALICE)]))
        waiting.callback(AvatarId(ALICE))

        self.assertEqual(self.successResultOf(answer), ALICE.encode())
        self.assertEqual(len(self.cache), 0)

    def test_outage(self) -> None:
        """
        When nobody can say what was revoked, what is remembered lets nobody in.
        """
        self.accept(self.checker, self.makeLogin())

        def deaf() -> int:
            raise Outage("deaf")

        self.stores.revocations.catchUp = deaf

        self.refuse(self.checker, self.makeLogin(), Outage)


class ThrottledByNetworkTests(CheckerTestCase):
    """
    What nobody can guess is not kept from its owner by those who guess.
    """

    def setUp(self) -> None:
        """
        Allow 3 failures a minute by account and 6 by network; alice has an app password.
        """
        super().setUp()
        throttle = Throttle(self.clock.seconds, ThrottleLimits(account=3, network=6, known=2))
        self.secret = makeAppPassword().encode("ascii")
        digest = digestAppPassword(self.secret)
        self.successResultOf(
            self.stores.appPasswords.add(AppPassword("1", ALICE, "phone", digest=digest))
        )
        self.guessable = ScriptedChecker({b"right": ALICE}, InvalidCredentials("wrong"))
        self.checker = First(
            ThrottledByNetwork(AppPasswordChecker(self.stores.appPasswords), throttle),
            Throttled(self.guessable, throttle),
        )

    def present(self, secret: bytes, peer: str, name: bytes = ALICE.encode()) -> Any:
        """
        A password, from somewhere.
        """
        return makePassword(secret, name, LoginContext("imap", peer))

    def guess(self, times: int, peer: str, name: bytes = ALICE.encode()) -> None:
        """
        Guess.
        """
        for _ in range(times):
            secret = b"guess %d" % len(self.guessable.asked)
            self.refuse(self.checker, self.present(secret, peer, name), InvalidCredentials)

    def test_interface(self) -> None:
        """
        It takes what its checker takes.
        """
        checker = ThrottledByNetwork(self.guessable, Throttle(self.clock.seconds))

        verifyObject(ICredentialsChecker, checker)
        self.assertIs(checker.credentialInterfaces, self.guessable.credentialInterfaces)

    def test_account(self) -> None:
        """
        Whoever guesses at an account from everywhere keeps its owner's app password out of
        nothing, wherever he is (PW8).
        """
        for number in range(3):
            self.guess(1, f"198.51.100.{number}")
        self.refuse(self.checker, self.present(b"right", "203.0.113.1"), TooManyFailures)

        self.accept(self.checker, self.present(self.secret, "203.0.113.1"))

    def test_failuresCountOnce(self) -> None:
        """
        A wrong password that both look at is one failure of its account and of its network (PW7).
        """
        self.guess(3, "198.51.100.7")
        self.guess(3, "198.51.100.7", b"bob@example.test")

        carol = b"carol@example.test"
        self.refuse(self.checker, self.present(b"x", "198.51.100.7", carol), TooManyFailures)
        self.refuse(self.checker, self.present(b"x", "198.51.100.8"), TooManyFailures)
        self.refuse(self.checker, self.present(b"x", "198.51.100.8", carol), InvalidCredentials)

    def test_network(self) -> None:
        """
        A network that failed too often waits, but for those who are at home there (PW7, PW8).
        """
        self.guess(3, "198.51.100.7", b"bob@example.test")
        self.guess(3, "198.51.100.7", b"carol@example.test")

        self.refuse(self.checker, self.present(self.secret, "198.51.100.7"), TooManyFailures)
        self.clock.advance(11)
        self.accept(self.checker, self.present(self.secret, "198.51.100.7"))
        self.guess(1, "198.51.100.7", b"dave@example.test")
        erin = self.present(b"x", "198.51.100.7", b"erin@example.test")
        self.refuse(self.checker, erin, TooManyFailures)
        self.accept(self.checker, self.present(self.secret, "198.51.100.7"))

    def test_home(self) -> None:
        """
        Whoever guesses where the owner is at home keeps the app password out of nothing, either.
        """
        self.accept(self.checker, self.present(self.secret, "192.0.2.1"))
        self.guess(2, "192.0.2.1")
        self.refuse(self.checker, self.present(b"right", "192.0.2.1"), TooManyFailures)

        self.accept(self.checker, self.present(self.secret, "192.0.2.1"))


class AuditedTests(CheckerTestCase):
    """
    Every verdict is told.
    """

    def setUp(self) -> None:
        """
        Audit a scripted checker.
        """
        super().setUp()
        self.audit = MemoryAudit()
        self.answers: dict[bytes, Any] = {b"right": ALICE}
        self.checker = Audited(
            ScriptedChecker(self.answers, InvalidCredentials("wrong")),
            self.audit,
            self.clock.seconds,
        )

    def test_interface(self) -> None:
        """
        It takes what its checker takes, and the audit is one.
        """
        verifyObject(ICredentialsChecker, self.checker)
        verifyObject(IAudit, self.audit)
        self.assertEqual(self.checker.credentialInterfaces, ScriptedChecker.credentialInterfaces)

    def test_accepted(self) -> None:
        """
        Who was let in, by what, and how long it took.
        """
        answer: Deferred[AvatarId] = Deferred()
        self.answers[b"slow"] = answer
        credentials = makePassword(b"slow")
        checked = self.checker.requestAvatarId(credentials)
        self.clock.advance(2)
        self.assertEqual(self.audit.verdicts, [])

        answer.callback(AvatarId(ALICE))

        self.assertEqual(self.successResultOf(checked), ALICE.encode())
        (verdict,) = self.audit.verdicts
        self.assertIs(verdict.credentials, credentials)
        self.assertEqual((verdict.account, verdict.error, verdict.seconds), (ALICE, None, 2.0))

    def test_refused(self) -> None:
        """
        Why not, whatever it was.
        """
        for error in (InvalidCredentials(), Outage(), TooManyFailures(), ZeroDivisionError()):
            self.answers[b"x"] = error
            self.refuse(self.checker, makePassword(b"x"), type(error))

            verdict = self.audit.verdicts[-1]
            self.assertEqual((verdict.account, verdict.error), (None, error))

    def test_cancelled(self) -> None:
        """
        Whoever leaves before the verdict hears nothing, and it is on record all the same (LG6).
        """
        answers: Any = ((InvalidCredentials(), None), (AvatarId(ALICE), ALICE))
        for answer, account in answers:
            slow: Deferred[Any] = Deferred()
            self.answers[b"slow"] = slow
            checked = self.checker.requestAvatarId(makePassword(b"slow"))
            checked.cancel()
            self.failureResultOf(checked, CancelledError)
            self.clock.advance(3)

            slow.callback(answer) if account else slow.errback(answer)

            verdict = self.audit.verdicts.pop()
            self.assertEqual((verdict.account, verdict.seconds), (account, 3.0))
            self.assertIs(verdict.error, None if account else answer)
            self.assertEqual(self.audit.verdicts, [])

    def test_throttled(self) -> None:
        """
        What the throttle did not let through is on record too.
        """
        throttle = Throttle(self.clock.seconds, ThrottleLimits(account=1))
        checker = Audited(
            Throttled(ScriptedChecker(default=InvalidCredentials()), throttle),
            self.audit,
            self.clock.seconds,
        )
        self.refuse(checker, makePassword(b"a"), InvalidCredentials)
        self.refuse(checker, makePassword(b"b"), TooManyFailures)

        kinds = [type(verdict.error) for verdict in self.audit.verdicts]
        self.assertEqual(kinds, [InvalidCredentials, TooManyFailures])

    def test_showsNoSecret(self) -> None:
        """
        A verdict can be printed without showing what was presented (LG1).
        """
        self.refuse(self.checker, makePassword(b"s3cr3t"), InvalidCredentials)
        token = BearerToken(b"s3cr3t", ALICE.encode(), IMAP)
        self.refuse(self.checker, token, InvalidCredentials)
        delegated = DelegatedPassword(ALICE.encode(), b"s3cr3t", b"bob", IMAP)
        self.refuse(self.checker, delegated, InvalidCredentials)

        self.assertEqual(len(self.audit.verdicts), 3)
        self.assertNotIn("s3cr3t", repr(self.audit.verdicts))
