"""
How the server is.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import attrs

from ...errors import Outage
from ...interfaces import IRevocations
from .access import Connections
from .identities import IdentityActions, IssuerState
from .keys import KeyActions, KeyState


@attrs.frozen
class Health:
    """
    How the server is. All times are in seconds since the epoch.

    @ivar version: of mailauth.
    @ivar since: since when the service runs; C{None} if it does not.
    @ivar database: why the database cannot be used, C{None} if it can.
    @ivar connections: how many are open.
    @ivar key: the key that signs; C{None} if there is none, or nobody can tell.
    @ivar issuers: the external issuers.
    @ivar certificateEnds: when the certificate expires.
    """

    version: str
    since: float | None
    database: str | None
    connections: int
    key: KeyState | None
    issuers: tuple[IssuerState, ...]
    certificateEnds: float

    @property
    def good(self) -> bool:
        """
        Whether people can log in: it runs, can decide, and has a key to sign with.
        """
        return self.since is not None and self.database is None and self.key is not None


@attrs.frozen(eq=False)
class HealthCheck:
    """
    Finds out.

    @ivar certificateEnds: says when the certificate expires.
    """

    revocations: IRevocations
    connections: Connections
    keys: KeyActions
    identities: IdentityActions
    certificateEnds: Callable[[], float]

    async def check(self) -> Health:
        """
        How it is now. Nothing that is wrong is an error here.
        """
        database = key = None
        try:
            self.revocations.catchUp()
            key = next((state for state in await self.keys.list() if state.signs), None)
        except Outage as error:
            database = error.reason or error.sentence
        return Health(
            version("mailauth"),
            self.connections.since(),
            database,
            len(self.connections.list()),
            key,
            await self.identities.listIssuers(),
            self.certificateEnds(),
        )
