"""
OAUTHBEARER (RFC 7628) and XOAUTH2, the form of it that Google made before the standard and that
Thunderbird and most of the others still speak.

Lenient in form: a missing GS2 header, missing C{host} and C{port}, unknown keys and a header in
the other one's style are all read, for the clients that send them are many. Strict in everything
that says who it is: one C{auth}, one account, nothing behind the end.
"""

from __future__ import annotations

import json

import attrs
from zope.interface import implementer

from ..credentials import BearerToken
from ..errors import InvalidRequest, InvalidToken, Refusal
from ..interfaces import IMechanism
from ..scopes import MAIL_SCOPE
from ._grammar import GS2_HEADER, KVPAIR, KVSEP, XOAUTH2_USER, isB64token
from .mechanism import Challenge

_AUTH = b"auth="
_USER = b"user="
_PAIRS = (_AUTH, b"host=", b"port=")

_XOAUTH2_STATUS = {
    "invalid_token": "400",
    "invalid_request": "400",
    "insufficient_scope": "403",
}
"""
XOAUTH2 speaks in HTTP's numbers, as strings. Thunderbird for Android fetches a new token on 400
only, so 401 would be the truth and of no use.
"""


@attrs.frozen(eq=False)
class _Bearer:
    """
    What both have in common.

    @ivar scope: what a refused client is told to ask for (RFC 7628 section 3.2.2 advises a single
        one).
    @ivar openidConfiguration: the address of the discovery document, from which a client that
        knows nothing but this server finds its issuer; C{None} leaves it out.
    """

    name: bytes
    scope: str = MAIL_SCOPE
    openidConfiguration: str | None = None
    revealing: bool = True

    def step(self, transcript: tuple[bytes, ...]) -> Challenge | BearerToken:
        """
        The client speaks first, once.

        @raise InvalidRequest: the message is malformed.
        @raise InvalidToken: it holds no token.
        """
        if not transcript:
            return Challenge(b"")
        return readMessage(transcript[0])

    def document(self, error: Refusal) -> dict[str, str]:
        """
        The members of the error document but for its status.
        """
        document = {"scope": error.scope or self.scope}
        address = error.openidConfiguration or self.openidConfiguration
        if address is not None:
            document["openid-configuration"] = address
        return document


@implementer(IMechanism)
@attrs.frozen(eq=False)
class OAuthBearer(_Bearer):
    """
    RFC 7628. L{OAUTHBEARER} is one without a discovery document.
    """

    name: bytes = b"OAUTHBEARER"

    def refusal(self, error: Refusal, service: str) -> bytes | None:
        """
        RFC 7628 section 3.2.2: the reason, on every wire.
        """
        return _encode({"status": error.bearerCode, **self.document(error)})


@implementer(IMechanism)
@attrs.frozen(eq=False)
class XOAuth2(_Bearer):
    """
    Google's. L{XOAUTH2} is one without a discovery document.

    @ivar documentServices: where a refused client is sent the document. On IMAP and POP3 mbsync
        and aioimaplib wait for ever for what would follow it, so there it is refused at once.
    """

    name: bytes = b"XOAUTH2"
    documentServices: frozenset[str] = frozenset({"smtp"})

    def refusal(self, error: Refusal, service: str) -> bytes | None:
        """
        The same in Google's words.
        """
        if service not in self.documentServices:
            return None
        status = _XOAUTH2_STATUS[error.bearerCode]
        return _encode({"status": status, "schemes": "bearer", **self.document(error)})


def _encode(document: dict[str, str]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def readMessage(message: bytes) -> BearerToken:
    """
    Read the client's message of either mechanism.

    @raise InvalidRequest: it is malformed.
    @raise InvalidToken: it holds no token.
    """
    authzid, pairs = _readHeader(message)
    authorization = None
    for pair in pairs:
        if pair.startswith(_AUTH):
            if authorization is not None:
                raise InvalidRequest("two auth keys")
            authorization = pair.removeprefix(_AUTH)
        elif KVPAIR.fullmatch(pair) is None:
            raise InvalidRequest("malformed key-value pair")
        elif pair.startswith(_USER):
            raise InvalidRequest("a second account")
    if authorization is None:
        raise InvalidRequest("no auth key")
    if not authorization:
        # How a client asks which scope it needs and who issues tokens (RFC 7628 section 4.3).
        raise InvalidToken("no token")
    scheme, _, token = authorization.partition(b" ")
    token = token.lstrip(b" ")
    if scheme.lower() != b"bearer" or not isB64token(token):
        raise InvalidRequest("the auth value is no bearer token")
    return BearerToken(token, authzid)


def _readHeader(message: bytes) -> tuple[bytes | None, list[bytes]]:
    """
    Split a message into the account it asks for and its key-value pairs.
    """
    if not message.endswith(KVSEP + KVSEP):
        raise InvalidRequest("the message does not end in two separators")
    header, *pairs = message[:-2].split(KVSEP)
    gs2 = GS2_HEADER.fullmatch(header)
    if gs2 is not None:
        authzid = gs2["authzid"]
        if authzid is not None and b"=" in authzid:
            # In this order: the other would make "=3D2C" a comma.
            authzid = authzid.replace(b"=2C", b",").replace(b"=3D", b"=")
        return authzid, pairs
    user = XOAUTH2_USER.fullmatch(header)
    if user is not None:
        return user["user"] or None, pairs
    if not header:
        return None, pairs
    if header.startswith(_PAIRS):
        return None, [header, *pairs]
    # Not any pair: "p=" asks for channel binding, "a=" for an account (SA1, SA2).
    raise InvalidRequest("malformed GS2 header")


OAUTHBEARER = OAuthBearer()
XOAUTH2 = XOAuth2()
