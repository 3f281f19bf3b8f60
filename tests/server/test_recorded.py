"""
Tests for L{mailauth.server.recorded}.
"""

from __future__ import annotations

from typing import Any

import attrs
from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.credentials import LoginContext, UsernamePassword
from mailauth.errors import InvalidCredentials, Outage, TooManyFailures
from mailauth.interfaces import IAudit
from mailauth.oauth.interfaces import IBrowserSessions, IDeviceCodes, IGrants
from mailauth.oauth.records import Grant
from mailauth.server.actions.recording import Recorder
from mailauth.server.factors import TOTPCode
from mailauth.server.passkeys import PasskeyResponse
from mailauth.server.recorded import (
    RecordedBrowserSessions,
    RecordedDeviceCodes,
    RecordedGrants,
    RecordedRefusals,
)
from mailauth.server.sites import ACCOUNT
from mailauth.stores.events import SIGN_IN, Actor, EventSearch
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import NotFound
from mailauth.testing.audit import MemoryAudit
from mailauth.testing.stores import (
    ALICE,
    NOW,
    digestOf,
    makeBrowserSession,
    makeCode,
    makeDeviceCode,
    makeGrant,
)
from mailauth.throttle import RateLimit

HERE = Actor(ALICE.name, SIGN_IN, "192.0.2.1")
WEB = LoginContext("web", "192.0.2.1", True)


class RecordedCase(SynchronousTestCase):
    """
    Stores with one account, and events.
    """

    def setUp(self) -> None:
        """
        Make them.
        """
        self.stores = MemoryStores(lambda: NOW)
        self.recorder = Recorder(self.stores.events, lambda: NOW)
        self.successResultOf(self.stores.accounts.add(ALICE))

    def events(self) -> list[tuple[str, Actor, str | None, str]]:
        """
        What happened, the first first.
        """
        found = self.successResultOf(self.stores.events.find(EventSearch(), 100))
        return [(str(event.kind), event.actor, event.account, event.text) for event in found[::-1]]


class RecordedStoresTests(RecordedCase):
    """
    Stores.
    """

    def test_interfaces(self) -> None:
        """
        They are what they are around.
        """
        stores, recorder = self.stores, self.recorder

        verifyObject(IBrowserSessions, RecordedBrowserSessions(stores.browserSessions, recorder))
        verifyObject(IGrants, RecordedGrants(stores.grants, recorder))
        verifyObject(IDeviceCodes, RecordedDeviceCodes(stores.deviceCodes, recorder))

    def test_signedIn(self) -> None:
        """
        Whoever comes in is an event, with how; and the session is there.
        """
        sessions = RecordedBrowserSessions(self.stores.browserSessions, self.recorder)
        here = makeBrowserSession("one")
        elsewhere = makeBrowserSession("two")
        authentication = attrs.evolve(
            elsewhere.authentication, issuer="https://idp.example", subject="1"
        )

        self.successResultOf(sessions.add(here))
        self.successResultOf(sessions.add(attrs.evolve(elsewhere, authentication=authentication)))

        self.assertEqual(here, self.successResultOf(sessions.find(here.digest)))
        self.assertEqual(
            [
                ("signed_in", HERE, ALICE.name, "pwd"),
                ("signed_in", HERE, ALICE.name, "by https://idp.example"),
            ],
            self.events(),
        )

    def test_notSignedIn(self) -> None:
        """
        Who is not kept has not come in.
        """
        sessions = RecordedBrowserSessions(self.stores.browserSessions, self.recorder)

        self.failureResultOf(sessions.add(makeBrowserSession("one", "nobody")), NotFound)

        self.assertEqual([], self.events())

    def test_allowed(self) -> None:
        """
        What somebody allows an application is an event; our own sites are none.
        """
        grants = RecordedGrants(self.stores.grants, self.recorder)
        ours = attrs.evolve(makeGrant("ours"), clientId=ACCOUNT)

        for name, grant in (("one", makeGrant("one")), ("ours", ours)):
            self.successResultOf(grants.addCode(makeCode(name, grant)))

        self.assertIsNotNone(self.successResultOf(grants.findCode(digestOf("ours"))))
        self.assertEqual(
            [("application_allowed", HERE, ALICE.name, "a client: imap smtp")], self.events()
        )

    def test_device(self) -> None:
        """
        So is what he allows a device; what he denies it, or decides too late, is not.
        """
        codes = RecordedDeviceCodes(self.stores.deviceCodes, self.recorder)
        for name in ("one", "two"):
            self.successResultOf(codes.add(makeDeviceCode(name, f"BCDFGHJ{name[0].upper()}")))
        decisions: list[tuple[str, Grant | None]] = [
            ("one", makeGrant("one")),
            ("two", None),
            ("two", makeGrant("two")),
        ]

        decided = [
            self.successResultOf(codes.decide(digestOf(name), grant, NOW))
            for name, grant in decisions
        ]

        self.assertEqual([True, True, False], decided)
        self.assertEqual(
            [("application_allowed", HERE, ALICE.name, "a client: imap smtp")], self.events()
        )


class RecordedRefusalsTests(RecordedCase):
    """
    The audit.
    """

    def setUp(self) -> None:
        """
        One that takes three refusals a minute.
        """
        super().setUp()
        self.seconds = 0.0
        self.inner = MemoryAudit()
        limit = RateLimit(lambda: self.seconds, 3)
        self.audit = RecordedRefusals(self.inner, self.recorder, limit, "example.test")

    def record(self, credentials: Any, error: BaseException | None) -> None:
        """
        A verdict.
        """
        self.audit.record(credentials, None if error else ALICE.name, error, 0.1)

    def test_interface(self) -> None:
        """
        It is an audit.
        """
        verifyObject(IAudit, self.audit)

    def test_refused(self) -> None:
        """
        A refusal on a page is an event, under the account that was tried; what was typed for a
        password is not in it (LG1).
        """
        error = InvalidCredentials("wrong")
        self.record(UsernamePassword(b"Alice", b"a guess", WEB), error)
        self.record(TOTPCode(b"a b", WEB), error)
        self.record(PasskeyResponse(WEB), error)

        self.assertEqual(
            [
                (
                    "sign_in_refused",
                    Actor("Alice", SIGN_IN, "192.0.2.1"),
                    ALICE.name,
                    "UsernamePassword",
                ),
                ("sign_in_refused", Actor("a b", SIGN_IN, "192.0.2.1"), None, "TOTPCode"),
                ("sign_in_refused", Actor("", SIGN_IN, "192.0.2.1"), None, "PasskeyResponse"),
            ],
            self.events(),
        )
        self.assertNotIn("a guess", str(self.events()))
        self.assertEqual(3, len(self.inner.verdicts))

    def test_others(self) -> None:
        """
        Logins of mail programs, those that are accepted, and what was not looked at are no such
        events; the audit around which this is hears of all.
        """
        for service, error in (
            ("imap", InvalidCredentials("wrong")),
            ("web", None),
            ("web", Outage("no store")),
            ("web", TooManyFailures("too many")),
        ):
            context = attrs.evolve(WEB, service=service)
            self.record(UsernamePassword(b"alice", b"a guess", context), error)

        self.assertEqual([], self.events())
        self.assertEqual(4, len(self.inner.verdicts))

    def test_flood(self) -> None:
        """
        A flood of refusals makes few events (LG3).
        """
        for _ in range(100):
            self.record(UsernamePassword(b"alice", b"a guess", WEB), InvalidCredentials("wrong"))
        self.assertEqual(3, len(self.events()))

        self.seconds = 60.0
        self.record(UsernamePassword(b"alice", b"a guess", WEB), InvalidCredentials("wrong"))

        self.assertEqual(4, len(self.events()))

    def test_outage(self) -> None:
        """
        A store that is out of reach disturbs no verdict.
        """
        self.stores.events.add = lambda event: fail(Outage("no store"))  # type: ignore[method-assign]  # it is down

        self.record(UsernamePassword(b"alice", b"a guess", WEB), InvalidCredentials("wrong"))

        self.assertEqual(1, len(self.inner.verdicts))
