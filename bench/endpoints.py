"""
mailauth's endpoints for programs, in one process and without TLS: put together as the service does,
with stores in memory, or with the service's own database::

    python bench/endpoints.py CONNECTIONS [--database]

There is one client and one account. For each connection there is a grant, with a refresh token and
an access token.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import time
from typing import Any

from options import accountName, listen
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from mailauth.caches.memory import MemoryCache
from mailauth.mail.waiting import WaitingRoom
from mailauth.oauth.records import Authentication, AuthorizationCode, Client, Grant
from mailauth.passwords import PasswordHasher
from mailauth.realm import MailRealm
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.audit import LoginLog
from mailauth.server.authorizationserver import AuthorizationServer, makeAuthorizationServer
from mailauth.server.certificates import makeCertificates
from mailauth.server.clientauthentication import makeClientSecret
from mailauth.server.config import Configuration, readConfiguration
from mailauth.server.keys import PURPOSE as SIGNING_KEYS
from mailauth.server.keys import newSigningKey
from mailauth.server.portal import Truth, makeTruth
from mailauth.server.refreshtokens import PURPOSE as REFRESH_TOKENS
from mailauth.server.refreshtokens import RefreshTokens, digestOfToken, newGrantId
from mailauth.server.sealing import ServerSecret, readKeyFile
from mailauth.server.service import calmCollector
from mailauth.server.web.addresses import endpointsByAddress
from mailauth.server.web.channel import QuietSite
from mailauth.server.web.documents import Prepared, documentsByAddress
from mailauth.server.web.site import makeSite
from mailauth.stores.database import Database
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account

CLIENT = "bench"
SCOPE = frozenset({MAIL_SCOPE})

_TOML = """
[server]
hostname = "mail.example"
data = "."

[tls]
certificate = "server.pem"
key = "server.key"
"""


async def makeStores(configuration: Configuration, durable: bool, reactor: Any) -> Any:
    """
    @param durable: they are on the disk.
    """
    if not durable:
        return MemoryStores(issuer=configuration.issuer)
    database = Database(configuration.database, reactor, configuration.issuer)
    await database.open()
    return database


async def serveEndpoints(reactor: Any, connections: int, durable: bool, directory: Path) -> None:
    """
    Serve until killed.
    """
    makeCertificates(directory, ["mail.example"])
    (directory / "mailauth.toml").write_text(_TOML)
    configuration = readConfiguration(directory / "mailauth.toml")
    secret = readKeyFile(configuration.keyFile)
    stores = await makeStores(configuration, durable, reactor)
    audit = LoginLog(configuration.loginLog, reactor.callLater)
    truth = makeTruth(
        configuration,
        configuration.passwordRuleOf,
        stores,
        secret,
        PasswordHasher(reactor, reactor.getThreadPool(), configuration.hashCost),
        MemoryCache(),
        MailRealm({}),
        audit,
        reactor,
    )
    server = makeAuthorizationServer(configuration, stores, secret, truth, audit, reactor)
    await stores.signingKeys.add(newSigningKey(secret.sealer(SIGNING_KEYS), time()))
    await truth.keys.load()
    clientSecret, digest = makeClientSecret()
    await stores.clients.add(makeClient(digest))
    await stores.accounts.add(Account(accountName(0)))
    families = [await makeFamily(server, stores, secret) for _ in range(connections)]
    calmCollector()
    listen(
        reactor,
        0,
        makeEndpoints(configuration, server, truth, reactor),
        "http",
        addresses={
            "token": "/token",
            "introspection": "/introspect",
            "discovery": "/.well-known/openid-configuration",
            "keys": "/jwks.json",
        },
        client=(CLIENT, clientSecret),
        refreshTokens=[refreshToken for refreshToken, _ in families],
        accessTokens=[accessToken for _, accessToken in families],
    )
    await Deferred()


def makeClient(secretDigest: bytes) -> Client:
    """
    A client that may do whatever is measured.
    """
    return Client(
        CLIENT,
        grantTypes=frozenset({"client_credentials", "refresh_token"}),
        scope=SCOPE,
        authMethod="client_secret_basic",
        secretDigest=secretDigest,
        resourceServer=True,
    )


async def makeFamily(
    server: AuthorizationServer, stores: Any, secret: ServerSecret
) -> tuple[str, str]:
    """
    A grant that somebody gave.

    @return: its refresh token and an access token.
    """
    now, grantId = time(), newGrantId()
    refreshToken = RefreshTokens(secret.sealer(REFRESH_TOKENS)).first(grantId)
    authentication = Authentication(accountName(0), now, frozenset({"pwd"}))
    grant = Grant(
        grantId,
        authentication,
        CLIENT,
        SCOPE,
        created=now,
        refreshDigest=digestOfToken(refreshToken),
        rotated=now,
        refreshExpires=now + 86400,
    )
    digest = digestOfToken(grantId)
    code = AuthorizationCode(digest, grant, None, None, None, now + 60)
    await stores.grants.addCode(code)
    await stores.grants.redeemCode(digest, grant, None, now)
    issued = await server.tokens.accessTokens.issue(
        accountName(0), SCOPE, CLIENT, 3600, grant=grant
    )
    return refreshToken, issued.token.decode("ascii")


def makeEndpoints(
    configuration: Configuration, server: AuthorizationServer, truth: Truth, reactor: Any
) -> QuietSite:
    """
    The service's site, without its pages.
    """
    issuer, settings = configuration.issuer, configuration.issuing
    return makeSite(
        issuer,
        documentsByAddress(issuer, settings, truth.keys.verifyingKeys, lambda: True),
        endpointsByAddress(server, settings.openRegistration, reactor.seconds),
        Prepared(b"There is nothing here.\n", b"text/plain"),
        WaitingRoom(reactor.callLater, configuration.waiting),
    )


def main() -> None:
    """
    Serve until killed.
    """
    parser = argparse.ArgumentParser(description="mailauth's endpoints for programs")
    parser.add_argument("connections", type=int)
    parser.add_argument("--database", action="store_true", help="keep everything in SQLite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        arguments = (options.connections, options.database, Path(directory))
        react(serveEndpoints, arguments)


if __name__ == "__main__":
    main()
