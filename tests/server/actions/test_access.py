"""
Tests for L{mailauth.server.actions.access}.
"""

from __future__ import annotations

import attrs

from mailauth.credentials import accountTag, grantTag
from mailauth.errors import Outage
from mailauth.oauth.records import Client, Grant
from mailauth.server.actions.access import BY_ADMINISTRATOR, BY_OWNER, Application, Connection
from mailauth.stores.records import NotFound
from mailauth.testing.stores import NOW, makeBrowserSession, makeCode, makeGrant

from .case import ADMINISTRATOR, ALICE, BOB, ISSUER, OWNER, AdministrationCase, Failing


class AccessActionsTests(AdministrationCase):
    """
    What is open.
    """

    def setUp(self) -> None:
        """
        The actions, and a client.
        """
        super().setUp()
        self.access = self.administration.access
        client = Client("a client", "Webmail", verified=True)
        self.got(self.stores.clients.add(client))

    def allow(self, grant: Grant) -> None:
        """
        Somebody allows a client something.
        """
        code = makeCode(f"code of {grant.grantId}", grant)
        self.got(self.stores.grants.addCode(code))
        self.assertTrue(self.got(self.stores.grants.redeemCode(code.digest, grant, None, NOW)))

    def test_applications(self) -> None:
        """
        The applications of an account are listed with their names; those that may do nothing any
        more are not.
        """
        self.allow(makeGrant("one"))
        self.allow(attrs.evolve(makeGrant("two"), clientId="gone", lastUse=0.0, address=None))
        self.allow(attrs.evolve(makeGrant("ended"), expires=NOW))
        self.allow(attrs.evolve(makeGrant("idle"), refreshExpires=NOW))
        self.allow(attrs.evolve(makeGrant("revoked"), created=NOW - 1.0))
        self.allow(makeGrant("of bob", BOB))
        self.got(self.stores.revocations.revoke([grantTag(ISSUER, "revoked")], "Gone."))

        listed = self.got(self.access.listApplications(ALICE))

        scope = frozenset({"imap", "smtp"})
        self.assertEqual(
            {
                Application(
                    "one", ALICE, "a client", "Webmail", True, scope, NOW, NOW, "192.0.2.1"
                ),
                Application("two", ALICE, "gone", None, False, scope, NOW, NOW, None),
            },
            set(listed),
        )

    def test_browsers(self) -> None:
        """
        The browsers in which somebody is signed in are listed; the others are not.
        """
        one = makeBrowserSession("one", ALICE)
        for browser in (
            one,
            attrs.evolve(makeBrowserSession("expired", ALICE), expires=NOW),
            makeBrowserSession("of bob", BOB),
        ):
            self.got(self.stores.browserSessions.add(browser))

        self.assertEqual((one,), self.got(self.access.listBrowsers(ALICE)))
        self.got(self.stores.revocations.revoke([accountTag(ALICE)], "Gone."))
        self.assertEqual((), self.got(self.access.listBrowsers(ALICE)))

    def test_connections(self) -> None:
        """
        Open connections are listed, everybody's or one account's.
        """
        self.connect(ALICE)
        self.connect(BOB)

        alices, bobs = self.access.listConnections(None)

        self.assertEqual(
            Connection(
                "connection-1",
                ALICE,
                "imap",
                "192.0.2.3",
                "a mail program",
                "app password 'phone'",
                NOW,
            ),
            alices,
        )
        self.assertEqual((bobs,), self.access.listConnections(BOB))

    def test_endApplication(self) -> None:
        """
        An application is ended by its owner or an administrator, with its connections.
        """
        self.allow(makeGrant("one", ALICE, NOW - 1.0))
        self.allow(makeGrant("two", ALICE, NOW - 1.0))
        reasons = self.revokedReasons()

        self.refused(NotFound, self.access.endApplication(OWNER, BOB, "one"))
        self.got(self.access.endApplication(OWNER, ALICE, "one"))
        self.got(self.access.endApplication(ADMINISTRATOR, None, "two"))
        self.refused(NotFound, self.access.endApplication(ADMINISTRATOR, None, "two"))

        self.assertEqual((), self.got(self.access.listApplications(ALICE)))
        self.assertEqual([BY_OWNER, BY_ADMINISTRATOR], reasons())
        self.assertEqual(
            [
                ("application_ended", OWNER, ALICE, "a client, id one"),
                ("application_ended", ADMINISTRATOR, ALICE, "a client, id two"),
            ],
            self.events(),
        )

    def test_endBrowser(self) -> None:
        """
        A browser is signed out by its owner or an administrator, and by nobody else.
        """
        for identifier in ("one", "two"):
            self.got(self.stores.browserSessions.add(makeBrowserSession(identifier, ALICE)))

        self.refused(NotFound, self.access.endBrowser(OWNER, BOB, "one"))
        self.got(self.access.endBrowser(OWNER, ALICE, "one"))
        self.got(self.access.endBrowser(ADMINISTRATOR, None, "two"))
        self.refused(NotFound, self.access.endBrowser(ADMINISTRATOR, None, "two"))

        self.assertEqual((), self.got(self.access.listBrowsers(ALICE)))
        self.assertEqual(
            [
                ("browser_ended", OWNER, ALICE, "one"),
                ("browser_ended", ADMINISTRATOR, ALICE, "two"),
            ],
            self.events(),
        )

    def test_endBrowserOutage(self) -> None:
        """
        An outage between leaves a browser that can be ended again, with what was allowed in it to
        know who is signed in there.
        """
        browser = makeBrowserSession("one", ALICE)
        self.got(self.stores.browserSessions.add(browser))
        known = attrs.evolve(makeGrant("known", ALICE, NOW - 1.0), scope=frozenset({"openid"}))
        self.allow(attrs.evolve(known, authentication=browser.authentication))
        grants = Failing(self.stores.grants, "revoke")
        access = self.make(grants=grants).access

        self.refused(Outage, access.endBrowser(OWNER, ALICE, "one"))
        grants.down = False
        self.got(access.endBrowser(OWNER, ALICE, "one"))

        self.assertIsNone(self.got(self.stores.grants.get("known")))
        self.assertEqual((), self.got(access.listBrowsers(ALICE)))

    def test_endConnection(self) -> None:
        """
        A connection is ended by its owner or an administrator, and by nobody else; it hears by
        whom.
        """
        one, two, bobs = self.connect(ALICE), self.connect(ALICE), self.connect(BOB)
        first, second = [each.identifier for each in self.access.listConnections(ALICE)]

        self.refused(NotFound, self.access.endConnection(OWNER, BOB, first))
        self.got(self.access.endConnection(OWNER, ALICE, first))
        self.got(self.access.endConnection(ADMINISTRATOR, None, second))
        self.refused(NotFound, self.access.endConnection(ADMINISTRATOR, None, "connection-9"))

        self.assertEqual((BY_OWNER, BY_ADMINISTRATOR, None), (one.ended, two.ended, bobs.ended))
        self.assertEqual(
            [
                ("connection_ended", OWNER, ALICE, f"imap, id {first}"),
                ("connection_ended", ADMINISTRATOR, ALICE, f"imap, id {second}"),
            ],
            self.events(),
        )

    def test_endWhichever(self) -> None:
        """
        Whatever has an id is ended by it, once.
        """
        self.allow(makeGrant("grant"))
        self.got(self.stores.browserSessions.add(makeBrowserSession("browser", ALICE)))
        self.connect(ALICE)

        for identifier in ("connection-1", "browser", "grant"):
            self.refused(NotFound, self.access.end(ADMINISTRATOR, BOB, identifier))
            # The list is what gives a connection its number.
            self.access.listConnections(None)
            self.got(self.access.end(ADMINISTRATOR, None, identifier))

        self.assertIn("made-up", self.refused(NotFound, self.access.end(OWNER, None, "made-up")))
        self.assertEqual(["connection_ended", "browser_ended", "application_ended"], self.kinds())

    def test_endAll(self) -> None:
        """
        All that there is of an account ends at once, and nothing of another.
        """
        self.allow(makeGrant("one"))
        self.got(self.stores.browserSessions.add(makeBrowserSession("one", ALICE)))
        alices, bobs = self.connect(ALICE), self.connect(BOB)

        self.got(self.access.endAll(OWNER, ALICE))

        self.assertEqual((BY_OWNER, None), (alices.ended, bobs.ended))
        self.assertEqual((), self.got(self.access.listApplications(ALICE)))
        self.assertEqual((), self.got(self.access.listBrowsers(ALICE)))
        self.refused(NotFound, self.access.endAll(ADMINISTRATOR, "nobody"))
        self.assertEqual([("all_ended", OWNER, ALICE, "")], self.events())
