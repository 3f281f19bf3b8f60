"""
Tests of what decides, as the service puts it together.
"""

from __future__ import annotations

from time import time
from typing import Any

from twisted.cred.portal import IRealm
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface, implementer

from mailauth.caches.memory import MemoryCache
from mailauth.credentials import BearerToken, LoginContext, UsernamePassword
from mailauth.errors import InvalidCredentials, InvalidToken, TooManyFailures
from mailauth.oauth.jwt import makeJWKS
from mailauth.passwords import PasswordHasher, digestAppPassword, makeAppPassword
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.config import Configuration, readConfiguration
from mailauth.server.issuer import AccessTokenIssuer
from mailauth.server.keys import PURPOSE, newSigningKey
from mailauth.server.portal import Truth, makeTruth
from mailauth.server.sealing import KEY_OCTETS, ServerSecret
from mailauth.stores.memory import (
    MemoryAccounts,
    MemoryAppPasswords,
    MemoryRevocations,
    MemoryStores,
)
from mailauth.stores.records import Account, AppPassword
from mailauth.testing.audit import MemoryAudit
from mailauth.testing.issuer import MemoryIssuer

from .deployment import deploy

ALICE = "alice@example.test"


class CountedAccounts(MemoryAccounts):
    """
    Accounts that tell what they were asked.

    @ivar asked: the names.
    """

    def __init__(self, revocations: MemoryRevocations) -> None:
        super().__init__(revocations)
        self.asked: list[str] = []

    def get(self, name: str) -> Deferred[Account | None]:
        """
        Count, and answer.
        """
        self.asked.append(name)
        return super().get(name)


@implementer(IRealm)
class NameRealm:
    """
    Whoever is in is a name.
    """

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        """
        See L{IRealm.requestAvatar}.
        """
        return interfaces[0], avatarId, lambda: None


class MakeTruthTests(SynchronousTestCase):
    """
    The checkers of the service.
    """

    def setUp(self) -> None:
        """
        Put them together, over stores in memory. Alice has an app password.
        """
        # What is revoked now was revoked a little ago: tokens carry whole seconds.
        self.stores = MemoryStores(lambda: time() - 2)
        self.accounts = self.stores.accounts = CountedAccounts(self.stores.revocations)
        self.stores.appPasswords = MemoryAppPasswords(self.stores.revocations, self.accounts)
        self.secret = makeAppPassword().encode("ascii")
        self.successResultOf(self.accounts.add(Account(ALICE)))
        record = AppPassword("1", ALICE, "phone", digest=digestAppPassword(self.secret))
        self.successResultOf(self.stores.appPasswords.add(record))
        self.configuration = readConfiguration(deploy(self) / "mailauth.toml")
        self.secrets = ServerSecret(bytes(KEY_OCTETS))
        self.truth = self.makeTruth(self.configuration)

    def makeTruth(self, configuration: Configuration) -> Truth:
        """
        Put together what decides, over the same stores.
        """
        clock: Any = Clock()
        database: Any = self.stores
        # Nothing here is hashed.
        pool: Any = None
        return makeTruth(
            configuration,
            lambda domain: "web",
            database,
            self.secrets,
            PasswordHasher(clock, pool),
            MemoryCache(),
            NameRealm(),
            MemoryAudit(),
            reactor,
            clock.seconds,
        )

    def login(self, password: bytes, peer: str = "192.0.2.1", name: str = ALICE) -> Deferred[Any]:
        """
        Log in from somewhere.
        """
        credentials = UsernamePassword(name.encode(), password, LoginContext("imap", peer, True))
        return self.truth.portal.login(credentials, None, Interface)

    def test_noAccountIsTold(self) -> None:
        """
        The store is asked about every wrong password, whether or not somebody has the name: an
        answer from memory would come sooner (PW6).
        """
        self.successResultOf(self.login(self.secret))
        self.accounts.asked.clear()

        names = (ALICE, "nobody@example.test")
        for number in range(3):
            for name in names:
                self.failureResultOf(self.login(b"%d" % number, name=name), InvalidCredentials)

        self.assertEqual(self.accounts.asked, [*names] * 3)

    def test_notLockedOut(self) -> None:
        """
        However many guess at an account of which no home is known yet, its owner's app password
        is looked at, from wherever it comes (PW8).
        """
        for number in range(10):
            guessed = self.login(b"guess %d" % number, f"203.0.113.{number}")
            self.failureResultOf(guessed, InvalidCredentials)
        self.failureResultOf(self.login(b"guess", "203.0.113.99"), TooManyFailures)

        _, name, _ = self.successResultOf(self.login(self.secret))

        self.assertEqual(name, ALICE.encode())

    def test_tokenAfterAChange(self) -> None:
        """
        Whoever has just changed his password gets in with a new token of the built-in issuer:
        there is no other clock to wait for (TK18).
        """
        self.successResultOf(
            self.stores.signingKeys.add(newSigningKey(self.secrets.sealer(PURPOSE), time()))
        )
        self.successResultOf(self.accounts.setPassword(ALICE, "hash"))

        issuer = AccessTokenIssuer(
            self.configuration.issuer, self.configuration.audience, self.truth.keys.signer
        )
        issuing = issuer.issue(ALICE, frozenset({MAIL_SCOPE}), "test", 60)
        issued = self.successResultOf(Deferred.fromCoroutine(issuing))
        token = BearerToken(issued.token, None, LoginContext("imap", "192.0.2.1", True))
        _, name, _ = self.successResultOf(self.truth.portal.login(token, None, Interface))

        self.assertEqual(name, ALICE.encode())

    def test_ownAlone(self) -> None:
        """
        A token of an external issuer is good on the mail ports, and nothing at our own endpoints,
        which ask nobody about what they are shown.
        """
        other = MemoryIssuer("https://idp.example.org", "mail")
        directory = deploy(
            self,
            f"""
            [external_issuers.company]
            url = "{other.issuer}"
            audience = "mail"
            domains = ["example.test"]
            keys = "company.jwks"
            """,
        )
        (directory / "company.jwks").write_bytes(makeJWKS([other.signer.verifyingKey]))
        truth = self.makeTruth(readConfiguration(directory / "mailauth.toml"))
        token = other.issue(ALICE, lifetime=60)

        self.assertEqual(self.successResultOf(truth.validator.validate(token)).owner, ALICE)

        self.failureResultOf(truth.ownValidator.validate(token), InvalidToken)
