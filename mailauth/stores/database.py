"""
One database with every store in it. Owns opening and closing.

In a service::

    database = Database("/var/lib/mailauth/mailauth.db", reactor, "https://mail.example")
    await database.open()
    AppPasswordChecker(database.appPasswords)
    LoopingCall(database.revocations.catchUp).start(1.0)
    ...
    await database.close()

A short-lived command does the same inside L{twisted.internet.task.react}. What it changes holds in
the service when its Deferred fires.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, QueuePool, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from ..errors import Outage
from .migrating import migrate
from .records import APP_PASSWORD_LIMIT, CannotOpen
from .revocations import KEEP
from .sql import SQLAccounts, SQLSigningKeys
from .sqlaliases import SQLAliases
from .sqlapppasswords import SQLAppPasswords
from .sqldevicecodes import SQLDeviceCodes
from .sqlevents import SQLEvents
from .sqlgrants import SQLClients, SQLGrants, SQLOpaqueTokens
from .sqlidentities import SQLIdentities
from .sqlite import connect, prepareFile
from .sqlrevocations import SQLRevocations
from .sqlsignin import SQLBrowserSessions, SQLFactors, SQLSpent
from .threads import ThreadedReactor
from .transactions import Transactions

BUSY_TIMEOUT = 5.0
"""
How long to wait for another process that is writing, in seconds.
"""


class Database:
    """
    The stores of mailauth in one SQLite database, which several processes may share.

    @ivar accounts: L{IAccounts<mailauth.interfaces.IAccounts>}
    @ivar aliases: L{IAliases<mailauth.interfaces.IAliases>}
    @ivar appPasswords: L{IAppPasswords<mailauth.interfaces.IAppPasswords>}
    @ivar events: L{IEvents<mailauth.interfaces.IEvents>}
    @ivar identities: L{IIdentities<mailauth.interfaces.IIdentities>}
    @ivar signingKeys: L{ISigningKeys<mailauth.interfaces.ISigningKeys>}
    @ivar revocations: L{IRevocations<mailauth.interfaces.IRevocations>}
    @ivar clients: L{IClients<mailauth.oauth.interfaces.IClients>}
    @ivar grants: L{IGrants<mailauth.oauth.interfaces.IGrants>}
    @ivar opaqueTokens: L{IOpaqueTokens<mailauth.oauth.interfaces.IOpaqueTokens>}
    @ivar deviceCodes: L{IDeviceCodes<mailauth.oauth.interfaces.IDeviceCodes>}
    @ivar browserSessions: L{IBrowserSessions<mailauth.oauth.interfaces.IBrowserSessions>}
    @ivar factors: L{IFactors<mailauth.oauth.interfaces.IFactors>}
    @ivar spent: L{ISpent<mailauth.oauth.interfaces.ISpent>}
    """

    def __init__(
        self,
        location: str | Path,
        reactor: ThreadedReactor,
        issuer: str,
        now: Callable[[], float] = time.time,
        threads: int = 4,
        busyTimeout: float = BUSY_TIMEOUT,
        keep: float = KEEP,
        appPasswordLimit: int = APP_PASSWORD_LIMIT,
    ) -> None:
        """
        @param location: the path of the file, or C{sqlite:///} and the path.
        @param issuer: the URL of the authorization server whose clients and grants these are, as
            the tags of its tokens name it.
        @param now: the wall clock. It is read in other threads.
        @param threads: how many for reading.
        @param busyTimeout: how long to wait for another process that is writing, in seconds.
        @param keep: how long a revocation is kept, in seconds: longer than any token lives.
        @param appPasswordLimit: how many app passwords an account may have for which nothing else
            is set.
        @raise CannotOpen: the location is of no kind known here.
        """
        self._path = _path(location)
        database = create_engine(
            "sqlite://",
            creator=lambda: connect(self._path, busyTimeout),
            poolclass=QueuePool,
            # Each thread has one, and keeps it.
            pool_size=threads + 1,
            max_overflow=0,
            hide_parameters=True,
        )
        self._transactions = Transactions(database, reactor, threads, busyTimeout)
        self.revocations = SQLRevocations(self._path, self._transactions, now, keep)
        self.accounts = SQLAccounts(self._transactions, self.revocations)
        self.aliases = SQLAliases(self._transactions)
        self.appPasswords = SQLAppPasswords(self._transactions, self.revocations, appPasswordLimit)
        self.events = SQLEvents(self._transactions)
        self.identities = SQLIdentities(self._transactions, self.revocations)
        self.signingKeys = SQLSigningKeys(self._transactions, self.revocations)
        self.clients = SQLClients(self._transactions, self.revocations, issuer)
        self.grants = SQLGrants(self._transactions, self.revocations, issuer)
        self.opaqueTokens = SQLOpaqueTokens(self._transactions)
        self.deviceCodes = SQLDeviceCodes(self._transactions)
        self.browserSessions = SQLBrowserSessions(self._transactions)
        self.factors = SQLFactors(self._transactions)
        self.spent = SQLSpent(self._transactions)

    async def open(self) -> None:
        """
        Make the file or bring it up to date, and learn its revocations.

        @raise CannotOpen: it must not be used as it is.
        @raise Outage: it cannot be used now.
        """
        self._transactions.start()
        try:
            await self._transactions.prepare(self._prepare)
            self.revocations.catchUp()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """
        Finish what is being done, and end the threads. Whatever is asked later is an outage.
        """
        await self._transactions.stop()
        self.revocations.close()

    def _prepare(self, database: Engine) -> None:
        try:
            prepareFile(self._path)
            migrate(database)
        except (sqlite3.Error, DBAPIError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            # SQLite's word for "busy", "disk full" and the like is OperationalError; what is left
            # is a file that is no database, or a damaged one.
            if isinstance(cause, sqlite3.OperationalError):
                raise Outage(f"{self._path}: {cause}") from None
            raise CannotOpen(f"{self._path}: {cause}; restore it from a backup") from None


def _path(location: str | Path) -> Path:
    """
    The file that a configuration names.
    """
    if isinstance(location, Path) or "://" not in location:
        return Path(location)
    url = make_url(location)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise CannotOpen(f"{url.drivername} with no such file: use sqlite:////path/to/mailauth.db")
    return Path(url.database)
