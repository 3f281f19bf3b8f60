"""
The connections that have not logged in yet.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailauth.interfaces import IConnection
from mailauth.mail.waiting import Waiting, WaitingLimits, WaitingRoom


@implementer(IConnection)
class Visitor:
    """
    A connection that remembers why it was ended.
    """

    ended: str | None = None

    def end(self, reason: str) -> None:
        """
        See L{IConnection.end}.
        """
        assert self.ended is None
        self.ended = reason


class WaitingRoomTests(SynchronousTestCase):
    """
    L{WaitingRoom}.
    """

    def setUp(self) -> None:
        """
        A clock, and a room of ordinary limits.
        """
        self.clock = Clock()
        self.room = WaitingRoom(self.clock.callLater)

    def tearDown(self) -> None:
        """
        An empty room does not tick.
        """
        for waiting in tuple(self.room._waiting):
            waiting.leave()
        self.assertEqual(0, len(self.room))
        self.assertEqual({}, self.room._networks)
        self.assertEqual([], self.clock.getDelayedCalls())

    def limit(self, **limits: int | None) -> None:
        """
        A room of other limits.
        """
        self.room = WaitingRoom(self.clock.callLater, WaitingLimits(**limits))  # type: ignore[arg-type]

    def enter(
        self, peer: str | None = None, silence: float | None = None
    ) -> tuple[Visitor, Waiting]:
        """
        A new visitor, and its place.
        """
        visitor = Visitor()
        return visitor, self.room.enter(visitor, peer, silence)

    def wait(self, seconds: int) -> None:
        """
        Let the time pass.
        """
        self.clock.pump([1] * seconds)

    def test_silence(self) -> None:
        """
        Ten minutes of silence are allowed, and no more: somebody may be signing in.
        """
        visitor, _ = self.enter()

        self.wait(600)
        self.assertIs(None, visitor.ended)
        self.wait(1)
        self.assertEqual("Autologout; connection idle too long", visitor.ended)

    def test_ownSilence(self) -> None:
        """
        A protocol may allow less.
        """
        patient, _ = self.enter()
        visitor, _ = self.enter(silence=300)

        self.wait(301)

        self.assertEqual("Autologout; connection idle too long", visitor.ended)
        self.assertIs(None, patient.ended)

    def test_total(self) -> None:
        """
        Twelve minutes end it, whatever is said (S5, DS7).
        """
        visitor, waiting = self.enter()

        for _ in range(720):
            waiting.hear(unfinished=False)
            self.wait(1)
        self.assertIs(None, visitor.ended)
        self.wait(1)
        self.assertEqual("No login in time", visitor.ended)

    def test_unfinished(self) -> None:
        """
        A line that has begun ends within a minute; more octets of it win no time (DS7).
        """
        visitor, waiting = self.enter()
        self.wait(100)

        for _ in range(60):
            waiting.hear(unfinished=True)
            self.wait(1)
        self.assertIs(None, visitor.ended)
        self.wait(1)
        self.assertEqual("Unfinished command", visitor.ended)

    def test_finished(self) -> None:
        """
        A line that ended has no deadline any more.
        """
        visitor, waiting = self.enter()
        waiting.hear(unfinished=True)
        self.wait(59)

        waiting.hear(unfinished=False)
        self.wait(500)

        self.assertIs(None, visitor.ended)

    def test_nextLine(self) -> None:
        """
        The line after one that ended has a minute of its own.
        """
        visitor, waiting = self.enter()
        waiting.hear(unfinished=True)
        self.wait(59)

        waiting.lineEnded()
        waiting.hear(unfinished=True)
        self.wait(60)
        self.assertIs(None, visitor.ended)
        self.wait(1)
        self.assertEqual("Unfinished command", visitor.ended)

    def test_handshake(self) -> None:
        """
        A TLS handshake takes ten seconds at most (DS7).
        """
        visitor, waiting = self.enter()
        waiting.handshakeBegins()

        self.wait(10)
        self.assertIs(None, visitor.ended)
        self.wait(1)
        self.assertEqual("No TLS handshake", visitor.ended)

    def test_handshakeEnds(self) -> None:
        """
        One that is done has no deadline any more.
        """
        visitor, waiting = self.enter()
        waiting.handshakeBegins()
        self.wait(5)

        waiting.handshakeEnds()
        self.wait(500)

        self.assertIs(None, visitor.ended)

    def test_leave(self) -> None:
        """
        Who has left is not ended, and may leave again.
        """
        visitor, waiting = self.enter("192.0.2.1")
        stays, _ = self.enter("192.0.2.1")

        waiting.leave()
        waiting.leave()
        self.wait(601)

        self.assertIs(None, visitor.ended)
        self.assertIsNot(None, stays.ended)

    def test_full(self) -> None:
        """
        In a full room the one that has been silent longest gives up its place (DS8).
        """
        self.limit(connections=3)
        talks, talking = self.enter()
        self.wait(1)
        silent, _ = self.enter()
        self.wait(1)
        young, _ = self.enter()
        talking.hear(unfinished=False)

        newcomer, _ = self.enter()

        self.assertEqual("Too many connections", silent.ended)
        self.assertEqual([None] * 3, [v.ended for v in (talks, young, newcomer)])
        self.assertEqual(3, len(self.room))

    def test_fullAtOnce(self) -> None:
        """
        Of those that came in the same second, the first one goes.
        """
        self.limit(connections=2)
        first, _ = self.enter()
        second, _ = self.enter()

        self.enter()

        self.assertIsNot(None, first.ended)
        self.assertIs(None, second.ended)

    def test_network(self) -> None:
        """
        One network has its own number of places; others lose none to it (DS8).
        """
        self.limit(perNetwork=2)
        other, _ = self.enter("198.51.100.1")
        first, _ = self.enter("2001:db8::1")
        self.wait(1)
        self.enter("2001:db8::2")

        self.enter("2001:db8::3")

        self.assertEqual("Too many connections", first.ended)
        self.assertIs(None, other.ended)
        self.assertEqual(3, len(self.room))

    def test_networkOfOne(self) -> None:
        """
        A network of a single place passes it on.
        """
        self.limit(perNetwork=1)
        visitors = [self.enter("192.0.2.1")[0] for _ in range(3)]

        self.assertEqual([False, False, True], [v.ended is None for v in visitors])
        self.assertEqual(1, len(self.room))

    def test_loopbackIsNoNetwork(self) -> None:
        """
        Clients on this machine, and those without an address, count only in all.
        """
        self.limit(perNetwork=1)
        visitors = [self.enter(peer)[0] for peer in ("127.0.0.1", "127.0.0.1", "::1", None, None)]

        self.assertEqual([None] * 5, [v.ended for v in visitors])

    def test_withoutNetworks(self) -> None:
        """
        The limit by network can be left out.
        """
        self.limit(perNetwork=None)
        visitors = [self.enter("192.0.2.1")[0] for _ in range(30)]

        self.assertEqual([None] * 30, [v.ended for v in visitors])

    def test_severalOverdue(self) -> None:
        """
        All that are overdue in one second are ended, and the empty room stops ticking.
        """
        visitors = [self.enter()[0] for _ in range(5)]

        self.wait(601)

        self.assertNotIn(None, [v.ended for v in visitors])
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_ticksAgain(self) -> None:
        """
        A room that was empty counts again for the next visitor.
        """
        _, waiting = self.enter()
        self.wait(300)
        waiting.leave()
        self.wait(300)

        visitor, _ = self.enter()
        self.wait(600)
        self.assertIs(None, visitor.ended)
        self.wait(1)

        self.assertIsNot(None, visitor.ended)
