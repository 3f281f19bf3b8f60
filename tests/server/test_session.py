"""
Tests of C{mailauth session}, beside the running service.
"""

from __future__ import annotations

import json
from time import time
from typing import Any

from twisted.internet.defer import Deferred

from mailauth.oauth.records import (
    Authentication,
    AuthorizationCode,
    BrowserSession,
    Grant,
)
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.refreshtokens import newGrantId
from mailauth.server.sealing import digestOf

from .deployment import ServiceCase, imapLogin, plain, run, told

ALICE, BOB = "alice@example.test", "bob@example.test"


class SessionTests(ServiceCase):
    """
    The command, while somebody is in.
    """

    async def sessions(self, *arguments: str) -> list[dict[str, Any]]:
        """
        What the command lists.
        """
        listed = await self.inThread(told, self.directory, "--json", "session", "list", *arguments)
        rows: list[dict[str, Any]] = json.loads(listed)
        return rows

    async def allow(self, account: str) -> Grant:
        """
        Somebody signs in with a browser and allows a client to read his mail.
        """
        now = time()
        database = self.service.database
        authentication = Authentication(account, now, frozenset({"pwd"}), f"browser-of-{account}")
        await database.browserSessions.add(
            BrowserSession(
                digestOf(account), authentication, now, now + 60, now, "192.0.2.1", "Fox"
            )
        )
        grant = Grant(
            newGrantId(), authentication, "phone", frozenset({MAIL_SCOPE}), created=now, lastUse=now
        )
        code = AuthorizationCode(digestOf(grant.grantId), grant, None, None, None, now + 60)
        await database.grants.addCode(code)
        await database.grants.redeemCode(code.digest, grant, None, now)
        return grant

    async def _session(self) -> None:
        await self.start()
        secret = await self.addAccount(ALICE)
        await self.addAccount(BOB)
        grant = await self.allow(ALICE)
        await self.allow(BOB)
        client = await self.connect("imaps")
        await self.inThread(imapLogin, client, plain(ALICE, secret))

        rows = await self.sessions(ALICE)

        self.assertEqual([row["kind"] for row in rows], ["connection", "application", "browser"])
        self.assertEqual({row["account"] for row in rows}, {ALICE})
        self.assertEqual((rows[0]["what"], rows[0]["address"]), ("imap", "127.0.0.1"))
        self.assertEqual((rows[1]["id"], rows[1]["program"]), (grant.grantId, "phone"))
        self.assertEqual((rows[2]["program"], rows[2]["address"]), ("Fox", "192.0.2.1"))
        self.assertEqual(len(await self.sessions()), 5)

        # The connection first, then what could open others.
        for row in rows:
            await self.inThread(told, self.directory, "session", "end", row["id"])
        self.assertIn(b"BYE", await self.inThread(client.rest))
        client.close()
        self.clients.remove(client)
        await self.until(lambda: not self.service.truth.realm.all())
        self.assertIsNone(await self.service.database.grants.get(grant.grantId))
        self.assertEqual(await self.sessions(ALICE), [])
        refused = await self.inThread(run, self.directory, "session", "end", rows[1]["id"])
        self.assertEqual(refused.returncode, 1)
        self.assertIn("nothing open", refused.stderr)

        await self.inThread(told, self.directory, "session", "end", "--account", BOB)
        self.assertEqual(await self.sessions(), [])

    def test_session(self) -> Deferred[None]:
        """
        Open connections, applications and browsers are listed and ended by their ids, all of an
        account at once, and app passwords stay.
        """
        return Deferred.fromCoroutine(self._session())

    async def _stopped(self) -> None:
        await self.start()
        await self.addAccount(ALICE)
        await self.stop()

        self.assertEqual(await self.sessions(), [])
        unknown = await self.inThread(run, self.directory, "session", "list", "nobody@example.test")
        self.assertEqual(unknown.returncode, 1)
        misused = await self.inThread(run, self.directory, "session", "end")
        self.assertEqual(misused.returncode, 2)

    def test_stopped(self) -> Deferred[None]:
        """
        Where no service runs nobody is connected; an account that is not there is an error.
        """
        return Deferred.fromCoroutine(self._stopped())
