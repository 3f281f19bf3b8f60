"""
mailauth's own way from the line to the reply, in one process: the IMAP server of L{mailauth.mail},
and behind its portal what the service has there, over stores in memory::

    python bench/server.py --key KEY.pem --audit login.log

There are the accounts u00000@example.test to u00999@example.test, and they have no mail.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from options import USERS, accountName, addTrust, serve
from twisted.cred.portal import Portal
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.mail.imap4 import MemoryAccount
from twisted.mail.interfaces import IAccountIMAP

from mailauth.caches.memory import MemoryCache
from mailauth.checkers import Audited, BearerTokenChecker, Remembered, Throttled
from mailauth.credentials import AvatarId
from mailauth.interfaces import IAudit
from mailauth.mail.imap4 import IMAP4Server
from mailauth.mail.waiting import WaitingRoom
from mailauth.oauth.jwt import publicKeyFromPEM
from mailauth.policy import TokenPolicy
from mailauth.portal import PromptPortal
from mailauth.realm import Logout, MailRealm, RevocableRealm
from mailauth.sasl.oauthbearer import OAUTHBEARER, XOAUTH2
from mailauth.sasl.plain import LOGIN, PLAIN
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.audit import LoginLog
from mailauth.server.listeners import MailFactory
from mailauth.server.service import calmCollector
from mailauth.stores.cached import CachedAccounts
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account
from mailauth.throttle import Throttle
from mailauth.validators.caching import CachingValidator
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.jwt import JWTValidator
from mailauth.validators.keys import StaticKeys

MECHANISMS = (OAUTHBEARER, XOAUTH2, PLAIN, LOGIN)


def makePortal(options: argparse.Namespace, audit: IAudit, seconds: Callable[[], float]) -> Portal:
    """
    What decides, put together as L{mailauth.server.portal} does.
    """
    stores = MemoryStores()
    for number in range(USERS):
        stores.accounts.add(Account(accountName(number)))
    cache = MemoryCache()
    stores.revocations.subscribe(lambda tags, reason: cache.drop(tags))
    issuer = TrustedIssuer(
        options.issuer,
        StaticKeys([publicKeyFromPEM(options.key.read_bytes())]),
        frozenset({options.audience}),
        options.claim,
        frozenset({options.type}),
    )
    checker = BearerTokenChecker(
        CachingValidator(JWTValidator([issuer]), cache),
        CachedAccounts(stores.accounts, stores.revocations),
        stores.revocations,
        TokenPolicy(serviceScopes={"imap": frozenset({options.scope})}),
    )
    remembered = Remembered(checker, cache, stores.revocations)
    return PromptPortal(
        RevocableRealm(MailRealm({IAccountIMAP: makeAccount}), stores.revocations),
        [Audited(Throttled(remembered, Throttle(seconds)), audit, seconds)],
    )


def makeAccount(avatarId: AvatarId) -> tuple[Any, Logout]:
    """
    Somebody without mail.
    """
    account: Any = MemoryAccount
    return account(avatarId.account), lambda: None


def main() -> None:
    """
    Serve until killed.
    """
    parser = argparse.ArgumentParser(description="a login as mailauth does it")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--audit", type=Path, required=True, help="where the log goes")
    parser.add_argument("--type", default="at+jwt", help="the typ of the issuer's tokens")
    parser.add_argument("--scope", default=MAIL_SCOPE, help="what they must be good for")
    addTrust(parser)
    options = parser.parse_args()
    from twisted.internet import reactor

    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    factory = MailFactory(
        lambda: IMAP4Server(MECHANISMS),
        makePortal(options, LoginLog(options.audit, reactor.callLater), reactor.seconds),
        WaitingRoom(reactor.callLater),
        insecureLoopback=True,
        protocols=[b"imap"],
    )
    calmCollector()
    serve(options.port, factory)


if __name__ == "__main__":
    main()
