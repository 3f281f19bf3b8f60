"""
The connections that have not logged in yet.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.mail.waiting import NEVER, Deadlines, WaitingLimits, WaitingRoom

from .rooms import Attended


class Visitor(Attended):
    """
    A connection that remembers what became of it.
    """

    aborted = False

    def abort(self) -> None:
        """
        Remember it.
        """
        self.aborted = True


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
        for deadlines in {**self.room._waiting, **self.room._admitted, **self.room._hurried}:
            deadlines.leave()
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
    ) -> tuple[Visitor, Deadlines]:
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
        Who has left is not ended.
        """
        visitor, waiting = self.enter("192.0.2.1")
        stays, _ = self.enter("192.0.2.1")

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

    def test_admitted(self) -> None:
        """
        Whoever has logged in has no deadline but that of his silence, and is none of those that
        wait.
        """
        self.limit(connections=1)
        visitor, deadlines = self.enter("192.0.2.1")
        deadlines.hear(unfinished=True)

        deadlines.admit(1800)
        self.enter("192.0.2.1")
        self.wait(1000)
        deadlines.hear(unfinished=False)
        self.wait(1790)

        self.assertIs(None, visitor.ended)
        self.wait(10 + WaitingRoom.PATROL)
        self.assertEqual("Autologout; connection idle too long", visitor.ended)

    def test_silentForever(self) -> None:
        """
        A silence without end is possible.
        """
        visitor, deadlines = self.enter()

        deadlines.admit(NEVER)
        self.wait(10_000)

        self.assertIs(None, visitor.ended)

    def test_cutOff(self) -> None:
        """
        Whoever is given a time is cut off when it is over, also when he was ended before, and
        also when nobody else is there.
        """
        visitor, deadlines = self.enter()
        self.wait(601)
        self.assertIsNot(None, visitor.ended)

        deadlines.cutOffIn(30)
        self.wait(29)

        self.assertFalse(visitor.aborted)
        self.wait(1)
        self.assertTrue(visitor.aborted)

    def test_spared(self) -> None:
        """
        Or he is spared, and may be given a time again.
        """
        visitor, deadlines = self.enter()
        deadlines.admit(NEVER)
        deadlines.cutOffIn(30)
        self.wait(29)

        deadlines.spare()
        self.wait(100)
        self.assertFalse(visitor.aborted)
        deadlines.cutOffIn(1)
        self.wait(1)
        self.assertTrue(visitor.aborted)

    def test_connections(self) -> None:
        """
        The room knows all that are in it: waiting, logged in, or about to be cut off.
        """
        visitors = [self.enter() for _ in range(4)]
        visitors[1][1].admit(10)
        visitors[2][1].cutOffIn(10)
        visitors[3][1].leave()

        self.assertCountEqual([each for each, _ in visitors[:3]], self.room.connections())

    def test_cannotBeEnded(self) -> None:
        """
        A connection that cannot be ended keeps nobody else from being ended.
        """

        class Immortal(Visitor):
            """
            A connection with a fault.
            """

            def end(self, reason: str) -> None:
                """
                Fail.
                """
                raise ZeroDivisionError

        self.room.enter(Immortal(), None)
        visitor, _ = self.enter()

        with self.assertRaises(ZeroDivisionError):
            self.wait(601)
        self.wait(1)

        self.assertIsNot(None, visitor.ended)
