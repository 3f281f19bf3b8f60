"""
What a store of browser sessions must do.
"""

from __future__ import annotations

import attrs
from zope.interface.verify import verifyObject

from ...oauth.interfaces import IBrowserSessions
from ...oauth.records import BrowserSession
from ...stores.records import NotFound
from .records import ALICE, BOB, NOW, digestOf, makeBrowserSession
from .suite import ConformanceWithAccounts


class BrowserSessionsConformance(ConformanceWithAccounts):
    """
    For L{IBrowserSessions}.
    """

    async def test_browserSessionsInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IBrowserSessions, stores.browserSessions)

    async def test_addedSession(self) -> None:
        """
        A session is found by the digest of its cookie, whole, also one of which little is known.
        """
        sessions = (await self.openStores()).browserSessions
        session = makeBrowserSession("one")
        little = BrowserSession(
            digestOf("two"), attrs.evolve(session.authentication, browserSession="two"), 1.0, 2.0
        )
        await sessions.add(session)
        await sessions.add(little)

        self.assertEqual(session, await sessions.find(digestOf("one")))
        self.assertEqual(little, await sessions.find(digestOf("two")))
        self.assertIsNone(await sessions.find(digestOf("three")))

    async def test_sessionOfNobody(self) -> None:
        """
        There is no session without an account.
        """
        sessions = (await self.openStores()).browserSessions

        await self.assertFails(NotFound, sessions.add(makeBrowserSession("one", "nobody")))

        self.assertIsNone(await sessions.find(digestOf("one")))

    async def test_touched(self) -> None:
        """
        The last use is noted, of no other session; one that is not there is no error.
        """
        sessions = (await self.openStores()).browserSessions
        one, two = makeBrowserSession("one"), makeBrowserSession("two")
        await sessions.add(one)
        await sessions.add(two)

        await sessions.touch(one.digest, NOW + 3600.0)
        await sessions.touch(digestOf("gone"), NOW + 3600.0)

        self.assertEqual(attrs.evolve(one, lastUse=NOW + 3600.0), await sessions.find(one.digest))
        self.assertEqual(two, await sessions.find(two.digest))

    async def test_listedSessions(self) -> None:
        """
        Those of one account are listed, newest first.
        """
        sessions = (await self.openStores()).browserSessions
        older, newer = makeBrowserSession("a"), makeBrowserSession("z", created=NOW + 1.0)
        await sessions.add(older)
        await sessions.add(newer)
        await sessions.add(makeBrowserSession("of bob", BOB.name))

        self.assertEqual((newer, older), await sessions.list(ALICE.name))
        self.assertEqual((), await sessions.list("nobody"))
        self.assertEqual(older, await sessions.get("a"))
        self.assertIsNone(await sessions.get("nothing"))

    async def test_ended(self) -> None:
        """
        A session that is ended is gone, and whoever ended it hears what it was; once.
        """
        sessions = (await self.openStores()).browserSessions
        one, two = makeBrowserSession("one"), makeBrowserSession("two")
        await sessions.add(one)
        await sessions.add(two)

        self.assertEqual(one, await sessions.end("one"))
        self.assertIsNone(await sessions.end("one"))

        self.assertIsNone(await sessions.find(one.digest))
        self.assertEqual((two,), await sessions.list(ALICE.name))

    async def test_removedAccountsSessions(self) -> None:
        """
        An account that is removed takes its sessions along: in no browser is a later one of the
        same name signed in.
        """
        stores = await self.openStores()
        bobs = makeBrowserSession("of bob", BOB.name)
        await stores.browserSessions.add(makeBrowserSession("one"))
        await stores.browserSessions.add(bobs)

        await stores.accounts.remove(ALICE.name)
        await stores.accounts.add(ALICE)

        self.assertIsNone(await stores.browserSessions.find(digestOf("one")))
        self.assertEqual((), await stores.browserSessions.list(ALICE.name))
        self.assertEqual((bobs,), await stores.browserSessions.list(BOB.name))

    async def test_purgedSessions(self) -> None:
        """
        A session is forgotten when it has expired, and not before.
        """
        sessions = (await self.openStores()).browserSessions
        older, newer = makeBrowserSession("a"), makeBrowserSession("z", created=NOW + 1.0)
        await sessions.add(older)
        await sessions.add(newer)

        await sessions.purge(older.expires - 0.5)
        self.assertEqual(older, await sessions.find(older.digest))
        await sessions.purge(older.expires)

        self.assertEqual((newer,), await sessions.list(ALICE.name))
