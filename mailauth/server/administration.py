"""
Everything that can be done with the server, in one place: L{Administration}. The C{mailauth}
command and the two sites are three ways to it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from time import monotonic, time

import attrs

from ..interfaces import IEvents
from ..stores.database import Database
from .actions.access import AccessActions, Connections
from .actions.accounts import AccountActions
from .actions.apppasswords import AppPasswordActions
from .actions.clients import ClientActions
from .actions.factors import FactorActions
from .actions.health import HealthCheck
from .actions.identities import IdentityActions
from .actions.keys import KeyActions
from .actions.recording import Recorder
from .clients import Clients
from .config import Configuration
from .factors import PURPOSE as FACTORS
from .factors import SecondFactors
from .keys import PURPOSE as KEYS
from .notices import Notices
from .passkeys import Passkeys
from .reachedissuers import ReachedIssuer
from .sealing import ServerSecret


@attrs.frozen(eq=False)
class Administration:
    """
    What can be done, by noun. Each action takes an L{Actor<mailauth.stores.events.Actor>} first,
    revokes what it has to and records an event. Who may do what is decided before: nothing here
    asks.

    They fail with L{NotFound<mailauth.stores.records.NotFound>},
    L{AlreadyExists<mailauth.stores.records.AlreadyExists>},
    L{LimitReached<mailauth.stores.records.LimitReached>}, a C{ValueError} of theirs whose name
    begins with C{Unusable}, all of which have a message for a person, or with an
    L{Outage<mailauth.errors.Outage>}.

    @ivar accounts: accounts, their passwords and aliases.
    @ivar appPasswords: app passwords and how many there may be.
    @ivar access: connected applications, browsers, open connections.
    @ivar factors: authenticators, recovery codes, passkeys.
    @ivar clients: the applications that there are.
    @ivar keys: those that the built-in issuer signs with.
    @ivar identities: external issuers, and who people are to them.
    @ivar events: what happened.
    @ivar recorder: keeps events, also for those who do what is in none of these.
    @ivar health: how the server is.
    """

    accounts: AccountActions
    appPasswords: AppPasswordActions
    access: AccessActions
    factors: FactorActions
    clients: ClientActions
    keys: KeyActions
    identities: IdentityActions
    events: IEvents
    recorder: Recorder
    health: HealthCheck


def makeAdministration(
    configuration: Configuration,
    database: Database,
    secret: ServerSecret,
    clients: Clients,
    issuers: Sequence[ReachedIssuer],
    connections: Connections,
    hash: Callable[[bytes], Awaitable[str]],
    deliver: Callable[[str, bytes], Awaitable[None]],
    certificateEnds: Callable[[], float],
    seconds: Callable[[], float] = monotonic,
    now: Callable[[], float] = time,
) -> Administration:
    """
    Put it together.

    @param secret: what the key file holds.
    @param issuers: the external ones.
    @param connections: those of the running service.
    @param hash: hashes a chosen password, off the reactor's thread.
    @param deliver: takes the name of an account and a message for its owner, and answers when it is
        on disk.
    @param certificateEnds: says when the certificate expires, in seconds since the epoch.
    @param seconds: a clock that only runs forward.
    @param now: the wall clock, in seconds since the epoch.
    """
    issuer, domain, sealer = configuration.issuer, configuration.defaultDomain, secret.sealer
    accounts, revocations = database.accounts, database.revocations
    recorder = Recorder(database.events, now)
    notices = Notices(deliver, configuration.hostname, configuration.accountPage, recorder)
    passkeys = Passkeys(
        issuer,
        database.factors,
        database.spent,
        sealer("passkey-challenges"),
        sealer("user-handles"),
        now,
    )
    keys = KeyActions(database.signingKeys, revocations, sealer(KEYS), issuer, recorder)
    identities = IdentityActions(accounts, database.identities, issuers, recorder)
    return Administration(
        AccountActions(accounts, database.aliases, recorder, notices, hash, domain),
        AppPasswordActions(accounts, database.appPasswords, recorder, notices, domain),
        AccessActions(
            accounts,
            database.grants,
            database.browserSessions,
            revocations,
            connections,
            clients,
            issuer,
            recorder,
        ),
        FactorActions(
            accounts,
            database.factors,
            SecondFactors(database.factors, sealer(FACTORS), seconds, now),
            passkeys,
            configuration.hostname,
            recorder,
            notices,
        ),
        ClientActions(database.clients, clients, revocations, issuer, recorder),
        keys,
        identities,
        database.events,
        recorder,
        HealthCheck(revocations, connections, keys, identities, certificateEnds),
    )
