"""
Somebody else's mail server, with mailauth's checkers put into it.

It is a bulletin board that its members read as a mailbox. The realm, the mailbox and the protocol
factory were there before; what mailauth adds is marked. Members sign in with an access token of the
company's issuer, or with an app password.

    python bulletin.py --issuer https://idp.example --keys idp.jwks --audience bulletin \
        --certificate cert.pem --key key.pem --port 9993

To try it beside C{make demo}, with the demo's issuer and certificate::

    curl --cacert mailauth-demo/ca.pem https://localhost:1443/jwks.json > idp.jwks
    .venv/bin/python docs/examples/bulletin.py --issuer https://localhost:1443 --keys idp.jwks \
        --audience https://localhost:1443 --certificate mailauth-demo/server.pem \
        --key mailauth-demo/server.key
    curl --cacert mailauth-demo/ca.pem --user ann@board.example:THE-PASSWORD-IT-PRINTED \
        "imaps://localhost:9993/INBOX;MAILINDEX=1"

It needs the library only, nothing of C{mailauth.server}.
"""

from __future__ import annotations

import argparse
import sys
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

from twisted.cred.portal import IRealm, Portal
from twisted.internet import endpoints, ssl
from twisted.internet.protocol import Factory
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.mail import imap4
from zope.interface import implementer

# What mailauth adds:
from mailauth.checkers import AppPasswordChecker, BearerTokenChecker
from mailauth.mail.imap4 import IMAP4Server  # was: from twisted.mail.imap4
from mailauth.oauth.jwt import keysFromJWKS
from mailauth.passwords import digestAppPassword, makeAppPassword
from mailauth.realm import RevocableRealm
from mailauth.sasl.oauthbearer import OAUTHBEARER, XOAUTH2
from mailauth.sasl.plain import PLAIN
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account, AppPassword
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.jwt import JWTValidator
from mailauth.validators.keys import StaticKeys

NOTICES = ("The canteen is closed on Friday.", "Lost: one umbrella, blue.")


@implementer(imap4.IMessage, imap4.IMessageFile)
class Notice:
    """
    A notice, as a message.
    """

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.message = EmailMessage()
        self.message["From"] = "Bulletin board <bulletin@board.example>"
        self.message["Subject"] = f"Notice {number}"
        self.message.set_content(text)

    def open(self) -> BytesIO:
        return BytesIO(self.message.as_bytes(policy=self.message.policy.clone(linesep="\r\n")))

    def getUID(self) -> int:
        return self.number

    def getFlags(self) -> list[str]:
        return ["\\Seen"]

    def getInternalDate(self) -> str:
        return "24-Nov-2026 12:00:00 +0000"

    def getHeaders(self, negate: bool, *names: bytes) -> dict[str, str]:
        wanted = {name.decode("ascii").lower() for name in names}
        return {
            name.lower(): value
            for name, value in self.message.items()
            if not names or (name.lower() in wanted) != negate
        }

    def getBodyFile(self) -> BytesIO:
        return BytesIO(self.open().read().partition(b"\r\n\r\n")[2])

    def getSize(self) -> int:
        return len(self.open().read())

    def isMultipart(self) -> bool:
        return False

    def getSubPart(self, part: int) -> None:
        raise IndexError(part)


@implementer(imap4.IMailbox)
class Board:
    """
    All notices, for reading.
    """

    def __init__(self) -> None:
        self.notices = [Notice(number, text) for number, text in enumerate(NOTICES, 1)]

    def getFlags(self) -> list[str]:
        return ["\\Seen"]

    def getHierarchicalDelimiter(self) -> str:
        return "/"

    def getUIDValidity(self) -> int:
        return 1

    def getUIDNext(self) -> int:
        return len(self.notices) + 1

    def getUID(self, message: int) -> int:
        return message

    def getMessageCount(self) -> int:
        return len(self.notices)

    def getRecentCount(self) -> int:
        return 0

    def getUnseenCount(self) -> int:
        return 0

    def isWriteable(self) -> bool:
        return False

    def addListener(self, listener: Any) -> None:
        pass

    def removeListener(self, listener: Any) -> None:
        pass

    def requestStatus(self, names: list[str]) -> Any:
        return imap4.statusRequestHelper(self, names)

    def fetch(self, messages: imap4.MessageSet, uid: bool) -> list[tuple[int, Notice]]:
        if not messages.last:
            messages.last = len(self.notices)
        return [(notice.number, notice) for notice in self.notices if notice.number in messages]

    def store(self, *arguments: Any) -> None:
        raise imap4.ReadOnlyMailbox("The board is for reading")

    addMessage = expunge = destroy = store


class Member(imap4.MemoryAccountWithoutNamespaces):
    """
    What a member sees.
    """

    def __init__(self, name: bytes) -> None:
        super().__init__(name)
        self.mailboxes["INBOX"] = Board()


@implementer(IRealm)
class BoardRealm:
    """
    The realm, as it was.
    """

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        return imap4.IAccount, Member(avatarId), lambda: None


class BoardFactory(Factory):
    """
    The factory, as it was but for the mechanisms.
    """

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def buildProtocol(self, address: object) -> IMAP4Server:
        server = IMAP4Server(mechanisms=[OAUTHBEARER, XOAUTH2, PLAIN])
        server.portal = self.portal
        return server


def makePortal(stores: MemoryStores, issuer: TrustedIssuer) -> Portal:
    """
    The portal: your realm, with checkers of mailauth.
    """
    accounts, revocations = stores.accounts, stores.revocations
    return Portal(
        RevocableRealm(BoardRealm(), revocations),
        [
            BearerTokenChecker(JWTValidator([issuer]), accounts, revocations),
            AppPasswordChecker(stores.appPasswords, accounts, revocations),
        ],
    )


def main() -> None:
    """
    Serve until stopped.
    """
    from twisted.internet import reactor

    options = argparse.ArgumentParser(description="A bulletin board over IMAP.")
    for name in ("issuer", "audience", "keys", "certificate", "key"):
        options.add_argument(f"--{name}", required=True)
    options.add_argument("--port", type=int, default=9993)
    chosen = options.parse_args()
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    stores = MemoryStores()
    stores.accounts.add(Account("ann@board.example"))
    secret = makeAppPassword()
    digest = digestAppPassword(secret.encode())
    stores.appPasswords.add(AppPassword("1", "ann@board.example", "her phone", digest))
    print("ann@board.example, app password", secret, flush=True)
    issuer = TrustedIssuer(
        chosen.issuer,
        StaticKeys(keysFromJWKS(Path(chosen.keys).read_bytes())),
        frozenset({chosen.audience}),
    )
    with Path(chosen.certificate).open("rb") as certificate, Path(chosen.key).open("rb") as key:
        pair = ssl.PrivateCertificate.loadPEM(certificate.read() + key.read())
    endpoint = endpoints.SSL4ServerEndpoint(
        reactor, chosen.port, pair.options(), interface="127.0.0.1"
    )
    endpoint.listen(BoardFactory(makePortal(stores, issuer)))
    reactor.run()


if __name__ == "__main__":
    main()
