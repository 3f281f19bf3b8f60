"""
Tests for L{mailauth.server.actions.health} and L{mailauth.server.actions.recording}.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from twisted.internet.defer import fail

from mailauth.errors import Outage
from mailauth.stores.events import COMMAND, MAX_NAME, MAX_TEXT, Actor, Event, Kind
from mailauth.testing.stores import NOW

from .case import ADMINISTRATOR, ALICE, OWNER, AdministrationCase, DownEvents


class DownKeys:
    """
    Signing keys that nobody can read.
    """

    def list(self) -> Any:
        """
        See L{ISigningKeys.list<mailauth.interfaces.ISigningKeys.list>}.
        """
        return fail(Outage("no store"))


class HealthTests(AdministrationCase):
    """
    How the server is.
    """

    def test_good(self) -> None:
        """
        All of it is said when nothing is wrong.
        """
        key = self.got(self.administration.keys.rotate(ADMINISTRATOR))
        self.connect(ALICE)

        health = self.got(self.administration.health.check())

        self.assertTrue(health.good)
        self.assertEqual(version("mailauth"), health.version)
        self.assertEqual((NOW - 60.0, None, 1), (health.since, health.database, health.connections))
        self.assertEqual((key, ()), (health.key, health.issuers))
        self.assertEqual(NOW + 86400.0, health.certificateEnds)

    def test_noKey(self) -> None:
        """
        Without a key to sign with it is not good.
        """
        health = self.got(self.administration.health.check())

        self.assertIsNone(health.key)
        self.assertFalse(health.good)

    def test_outage(self) -> None:
        """
        A database that cannot be read is said, and no error.
        """
        health = self.got(self.make(signingKeys=DownKeys()).health.check())

        self.assertEqual("no store", health.database)
        self.assertFalse(health.good)


class RecordingTests(AdministrationCase):
    """
    Events.
    """

    def test_lost(self) -> None:
        """
        What was done is not said to have failed because its event could not be kept.
        """
        administration = self.make(events=DownEvents())

        self.got(administration.accounts.disable(OWNER, ALICE))

        account = self.got(administration.accounts.get(ALICE))
        self.assertFalse(account.enabled)

    def test_bounded(self) -> None:
        """
        No name of a stranger's brings lines, control characters or a megabyte into an event (LG2).
        """
        event = Event(
            Kind.SIGN_IN_REFUSED,
            Actor("a\nb" + "x" * MAX_NAME, COMMAND, "\x1b[2J"),
            NOW,
            "\u202e" * 1000,
            "y" * (MAX_TEXT + 1) + "\x00",
        )

        self.assertEqual("a\ufffdb" + "x" * (MAX_NAME - 3), event.actor.who)
        self.assertEqual("\ufffd[2J", event.actor.address)
        self.assertEqual("\ufffd" * MAX_NAME, event.account)
        self.assertEqual("y" * MAX_TEXT, event.text)

    def test_fixed(self) -> None:
        """
        There are so many ways to do something, and no others.
        """
        with self.assertRaises(ValueError):
            Actor(ALICE, "telephone")
