"""
Tests that stores in memory and in SQL cannot be told apart: whatever is asked of them, in whatever
order, both give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from queue import Queue
from time import monotonic
from typing import Any

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, delete
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.records import Client, TOTPSecret
from mailauth.stores.database import Database
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import AlreadyExists, Identity, LimitReached, NotFound
from mailauth.stores.schema import metadata
from mailauth.testing.stores import (
    ALICE,
    BOB,
    CLIENT,
    ISSUER,
    NOW,
    Heard,
    Stores,
    digestOf,
    makeBrowserSession,
    makeCode,
    makeDeviceCode,
    makeGrant,
    makeOpaqueToken,
    makePasskey,
)

from .files import makeFile

ACCOUNTS = st.sampled_from([ALICE, BOB])
NAMES = st.sampled_from([ALICE.name, BOB.name, "carol@example.test"])
ISSUERS = st.sampled_from(["https://idp.example", "https://other.example"])
SUBJECTS = st.sampled_from(["1", "2", "3"])
CLIENTS = st.sampled_from([CLIENT, "another client"])
USER_CODES = st.sampled_from(["BCDFGHJK", "ZZZZZZZZ"])
FEW = st.integers(0, 2)


class WaitingReactor:
    """
    Stands in a reactor's place where somebody waits for each answer.
    """

    def __init__(self) -> None:
        self._calls: Queue[Callable[[], object]] = Queue()

    def seconds(self) -> float:
        """
        See L{IReactorTime<twisted.internet.interfaces.IReactorTime>}.
        """
        return monotonic()

    def callFromThread(self, callable: Callable[..., object], *args: object) -> None:
        """
        See L{IReactorFromThreads<twisted.internet.interfaces.IReactorFromThreads>}.
        """
        self._calls.put(lambda: callable(*args))

    def waitFor(self, answer: Deferred[Any]) -> Any:
        """
        The answer, or the exception that it is.
        """
        answers: list[Any] = []
        answer.addBoth(answers.append)
        while not answers:
            self._calls.get(timeout=10)()
        [given] = answers
        return given.value if isinstance(given, Failure) else given


class Alike(RuleBasedStateMachine):
    """
    Asks both.

    @cvar reactor: the database's.
    @cvar database: one for all examples, for opening takes its time.
    """

    reactor: WaitingReactor
    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.made = 0
        self.memory = MemoryStores(lambda: self.now, ISSUER)
        self.reactor.waitFor(self.database._transactions.write(_empty))
        self.heard = [Heard(self.memory.revocations), Heard(self.database.revocations)]
        self.ask(lambda stores: stores.accounts.add(ALICE))
        self.ask(lambda stores: stores.accounts.add(BOB))

    def teardown(self) -> None:
        """
        Nobody listens any more.
        """
        for heard in self.heard:
            heard.unsubscribe()

    def ask(self, question: Callable[[Stores], Deferred[Any]]) -> Any:
        """
        Ask both. They have to give the same answer and to publish the same.
        """
        here = self.reactor.waitFor(question(self.memory))
        there = self.reactor.waitFor(question(self.database))
        if isinstance(here, Exception):
            assert isinstance(here, AlreadyExists | LimitReached | NotFound), repr(here)
            assert (type(here), str(here)) == (type(there), str(there))
        else:
            assert here == there
        assert self.heard[0].news == self.heard[1].news
        return here

    def name(self) -> str:
        """
        A name that nothing has yet.
        """
        self.made += 1
        return f"{self.made}"

    @rule(seconds=st.sampled_from([1.0, 30.0, 61.0, 601.0, 3601.0, 40 * 86400.0]))
    def wait(self, seconds: float) -> None:
        """
        Time goes by, and what has expired is forgotten.
        """
        self.now += seconds
        self.ask(lambda stores: stores.grants.purge(self.now))
        self.ask(lambda stores: stores.browserSessions.purge(self.now))

    @rule(account=ACCOUNTS)
    def replaceAccount(self, account: Any) -> None:
        """
        An account is removed, and another of its name is made.
        """
        self.ask(lambda stores: stores.accounts.remove(account.name))
        self.ask(lambda stores: stores.accounts.add(account))


class GrantsAlike(Alike):
    """
    Clients, grants, opaque tokens and device codes.
    """

    codes: Bundle[str] = Bundle("codes")
    devices: Bundle[str] = Bundle("devices")
    grants: Bundle[str] = Bundle("grants")
    opaqueTokens: Bundle[str] = Bundle("opaqueTokens")

    @rule(account=ACCOUNTS)
    def listAll(self, account: Any) -> None:
        """
        All grants of an account, and all clients.
        """
        self.ask(lambda stores: stores.grants.list(account.name))
        self.ask(lambda stores: stores.clients.list())

    @rule(clientId=CLIENTS)
    def addClient(self, clientId: str) -> None:
        """
        A client that may be there already.
        """
        client = Client(clientId, created=self.now)
        self.ask(lambda stores: stores.clients.add(client))

    @rule(clientId=CLIENTS)
    def removeClient(self, clientId: str) -> None:
        """
        A client that may not be there.
        """
        self.ask(lambda stores: stores.clients.remove(clientId))

    @rule(target=codes, account=ACCOUNTS, clientId=CLIENTS)
    def addCode(self, account: Any, clientId: str) -> str:
        """
        A code on its way.
        """
        name = self.name()
        grant = attrs.evolve(makeGrant(name, account.name, self.now), clientId=clientId)
        code = attrs.evolve(makeCode(name, grant), expires=self.now + 60.0)
        self.ask(lambda stores: stores.grants.addCode(code))
        return name

    @rule(targets=(codes, grants, opaqueTokens), account=ACCOUNTS, clientId=CLIENTS)
    def grant(self, account: Any, clientId: str) -> Any:
        """
        A code that is redeemed at once.
        """
        name = self.addCode(account, clientId)
        self.redeemCode(name)
        return name

    @rule(targets=(grants, opaqueTokens), name=codes)
    def redeemCode(self, name: str) -> Any:
        """
        A code that may be used, expired or gone.
        """
        code = self.ask(lambda stores: stores.grants.findCode(digestOf(name)))
        if code is None:
            return multiple()
        opaque = makeOpaqueToken(name, code.grant)
        won = self.ask(
            lambda stores: stores.grants.redeemCode(code.digest, code.grant, opaque, self.now)
        )
        return name if won else multiple()

    @rule(target=opaqueTokens, grantId=grants, presented=FEW, successor=FEW)
    def rotate(self, grantId: str, presented: int, successor: int) -> str:
        """
        A refresh token that may be current.
        """
        name = self.name()
        tokens = [digestOf("first"), digestOf("second"), digestOf("third")]
        opaque = makeOpaqueToken(name, makeGrant(grantId))
        self.ask(
            lambda stores: stores.grants.rotate(
                grantId,
                tokens[presented],
                tokens[successor],
                self.now + 86400.0,
                opaque,
                self.now,
                "192.0.2.2",
            )
        )
        return name

    @rule(target=opaqueTokens, grantId=st.none() | grants)
    def addOpaqueToken(self, grantId: str | None) -> str:
        """
        One of a grant that may be gone, or of none.
        """
        name = self.name()
        opaque = makeOpaqueToken(name, None if grantId is None else makeGrant(grantId))
        self.ask(lambda stores: stores.opaqueTokens.add(opaque))
        return name

    @rule(name=opaqueTokens)
    def findOpaqueToken(self, name: str) -> None:
        """
        One that may be gone.
        """
        self.ask(lambda stores: stores.opaqueTokens.find(digestOf(name)))

    @rule(grantId=grants)
    def getGrant(self, grantId: str) -> None:
        """
        One that may be gone.
        """
        self.ask(lambda stores: stores.grants.get(grantId))

    @rule(grantId=grants)
    def revoke(self, grantId: str) -> None:
        """
        One that may be gone.
        """
        self.ask(lambda stores: stores.grants.revoke(grantId, "Gone."))

    @rule(target=devices, userCode=USER_CODES)
    def addDevice(self, userCode: str) -> str:
        """
        A device whose user code may be taken.
        """
        name = self.name()
        code = makeDeviceCode(name, userCode, self.now)
        self.ask(lambda stores: stores.deviceCodes.add(code))
        return name

    @rule(target=devices, account=ACCOUNTS)
    def allowDevice(self, account: Any) -> Any:
        """
        A device that is allowed something at once.
        """
        name = self.addDevice("JKLMNPQR")
        self.decide(name, account)
        return name

    @rule(name=devices, userCode=USER_CODES)
    def findDevice(self, name: str, userCode: str) -> None:
        """
        One that may be gone.
        """
        self.ask(lambda stores: stores.deviceCodes.find(digestOf(name)))
        self.ask(lambda stores: stores.deviceCodes.findUserCode(userCode))

    @rule(name=devices)
    def poll(self, name: str) -> None:
        """
        One that may be gone.
        """
        self.ask(lambda stores: stores.deviceCodes.polled(digestOf(name), self.now, 10.0))

    @rule(name=devices, account=st.none() | ACCOUNTS)
    def decide(self, name: str, account: Any) -> None:
        """
        About a device that may not wait.
        """
        grant = None if account is None else makeGrant(name, account.name, self.now)
        self.ask(lambda stores: stores.deviceCodes.decide(digestOf(name), grant, self.now))

    @rule(targets=(grants, opaqueTokens), name=devices)
    def redeemDevice(self, name: str) -> Any:
        """
        One that may not be allowed, or be used, expired or gone.
        """
        code = self.ask(lambda stores: stores.deviceCodes.find(digestOf(name)))
        grant = makeGrant(name) if code is None or code.grant is None else code.grant
        opaque = makeOpaqueToken(name, grant)
        won = self.ask(
            lambda stores: stores.deviceCodes.redeem(digestOf(name), grant, opaque, self.now)
        )
        return name if won else multiple()


class SignInAlike(Alike):
    """
    Identities, browser sessions, second factors and what may be used once.
    """

    sessions: Bundle[str] = Bundle("sessions")

    @rule(account=ACCOUNTS)
    def listAll(self, account: Any) -> None:
        """
        All that is an account's.
        """
        name = account.name
        self.ask(lambda stores: stores.identities.list(name))
        self.ask(lambda stores: stores.browserSessions.list(name))
        self.ask(lambda stores: stores.factors.listPasskeys(name))
        self.ask(lambda stores: stores.factors.getTOTP(name))
        self.ask(lambda stores: stores.factors.countRecoveryCodes(name))

    @rule(issuer=ISSUERS, subject=SUBJECTS, name=st.none() | NAMES, create=st.booleans())
    def resolve(self, issuer: str, subject: str, name: str | None, create: bool) -> None:
        """
        It may be linked, and so may the account, if there is one.
        """
        self.ask(lambda stores: stores.identities.resolve(issuer, subject, name, self.now, create))

    @rule(issuer=ISSUERS, subject=SUBJECTS, name=NAMES)
    def link(self, issuer: str, subject: str, name: str) -> None:
        """
        So here.
        """
        identity = Identity(issuer, subject, name, self.now)
        self.ask(lambda stores: stores.identities.link(identity))

    @rule(issuer=ISSUERS, subject=SUBJECTS)
    def unlink(self, issuer: str, subject: str) -> None:
        """
        It may be linked with nothing.
        """
        self.ask(lambda stores: stores.identities.unlink(issuer, subject))

    @rule(target=sessions, account=ACCOUNTS)
    def signIn(self, account: Any) -> str:
        """
        In another browser.
        """
        name = self.name()
        session = makeBrowserSession(name, account.name, self.now)
        self.ask(lambda stores: stores.browserSessions.add(session))
        return name

    @rule(name=sessions)
    def findSession(self, name: str) -> None:
        """
        One that may be gone.
        """
        self.ask(lambda stores: stores.browserSessions.find(digestOf(name)))

    @rule(name=sessions)
    def endSession(self, name: str) -> None:
        """
        One that may be gone.
        """
        self.ask(lambda stores: stores.browserSessions.end(name))

    @rule(account=ACCOUNTS, number=FEW, step=FEW)
    def setTOTP(self, account: Any, number: int, step: int) -> None:
        """
        There may be one, and this may be it.
        """
        secret = TOTPSecret(account.name, b"sealed %d" % number, self.now, step)
        digests = (digestOf(f"{number}"),)
        self.ask(lambda stores: stores.factors.setTOTP(secret, digests))

    @rule(account=ACCOUNTS, step=st.integers(0, 4))
    def useTOTP(self, account: Any, step: int) -> None:
        """
        There may be none, or a later one was used.
        """
        self.ask(lambda stores: stores.factors.useTOTP(account.name, step))

    @rule(account=ACCOUNTS)
    def removeTOTP(self, account: Any) -> None:
        """
        There may be none.
        """
        self.ask(lambda stores: stores.factors.removeTOTP(account.name))

    @rule(account=ACCOUNTS, number=FEW, count=FEW)
    def addPasskey(self, account: Any, number: int, count: int) -> None:
        """
        It may be somebody's.
        """
        passkey = makePasskey(f"passkey {number}", account.name, count)
        self.ask(lambda stores: stores.factors.addPasskey(passkey))

    @rule(number=FEW, count=st.integers(0, 4))
    def usePasskey(self, number: int, count: int) -> None:
        """
        It may be nobody's, and the counter any.
        """
        credentialId = digestOf(f"passkey {number}")
        self.ask(lambda stores: stores.factors.usePasskey(credentialId, count, self.now))
        self.ask(lambda stores: stores.factors.findPasskey(credentialId))

    @rule(account=ACCOUNTS, number=FEW)
    def renamePasskey(self, account: Any, number: int) -> None:
        """
        It may be another's.
        """
        self.made += 1
        credentialId, name = digestOf(f"passkey {number}"), f"name {self.made}"
        self.ask(lambda stores: stores.factors.renamePasskey(account.name, credentialId, name))
        self.ask(lambda stores: stores.factors.findPasskey(credentialId))

    @rule(account=ACCOUNTS, number=FEW)
    def removePasskey(self, account: Any, number: int) -> None:
        """
        It may be another's.
        """
        credentialId = digestOf(f"passkey {number}")
        self.ask(lambda stores: stores.factors.removePasskey(account.name, credentialId))

    @rule(account=ACCOUNTS, numbers=st.sets(FEW))
    def setRecoveryCodes(self, account: Any, numbers: set[int]) -> None:
        """
        Any of three.
        """
        digests = tuple(digestOf(f"{number}") for number in numbers)
        self.ask(lambda stores: stores.factors.setRecoveryCodes(account.name, digests))

    @rule(account=ACCOUNTS, number=FEW)
    def useRecoveryCode(self, account: Any, number: int) -> None:
        """
        It may be none, or another's.
        """
        digest = digestOf(f"{number}")
        self.ask(lambda stores: stores.factors.useRecoveryCode(account.name, digest))

    @rule(number=FEW)
    def spend(self, number: int) -> None:
        """
        It may be spent.
        """
        digest = digestOf(f"{number}")
        self.ask(lambda stores: stores.spent.spend(digest, self.now + 60.0, self.now))


def _empty(connection: Connection) -> None:
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))


class AlikeTests(SynchronousTestCase):
    """
    L{MemoryStores} and L{Database}.
    """

    def compare(self, machine: type[Alike]) -> None:
        """
        Ask both.
        """
        machine.reactor = WaitingReactor()
        machine.database = Database(makeFile(self), machine.reactor, ISSUER)
        self.assertIsNone(self.waitFor(machine, machine.database.open()))
        self.addCleanup(lambda: self.waitFor(machine, machine.database.close()))

        run_state_machine_as_test(
            machine, settings=settings(max_examples=30, stateful_step_count=40)
        )

    def waitFor(self, machine: type[Alike], work: Coroutine[Deferred[Any], Any, None]) -> Any:
        """
        Open or close.
        """
        return machine.reactor.waitFor(Deferred.fromCoroutine(work))

    def test_grants(self) -> None:
        """
        Clients, grants, opaque tokens and device codes: the same answers, the same revocations
        (O 61, O 66, O 77).
        """
        self.compare(GrantsAlike)

    def test_signIn(self) -> None:
        """
        Identities, browser sessions, second factors and what may be used once: the same answers
        (O 59, O 60, TK14).
        """
        self.compare(SignInAlike)
