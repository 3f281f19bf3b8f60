"""
Access tokens that their issuer is asked about (RFC 7662, RFC 9701). Owns what is asked, and what of
the answer is believed: that a token is active is one claim among many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from time import time
from typing import Any
from urllib.parse import urlencode

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from ..coroutines import promptly
from ..errors import InvalidToken, Outage
from ..interfaces import ITokenValidator
from ..oauth.jwt import MAX_OCTETS, MalformedToken, algorithmOf, parseToken, verifySignature
from ..oauth.tokens import AccessToken
from ._http import Fetched, Post
from .answers import answerOf, checkStatus, readObject
from .claims import TrustedIssuer, readClaims, stringsOf
from .clientauthentication import ClientAuthentication
from .discovery import Locate

SIGNED_TYPE = "token-introspection+jwt"
"""
The type of a signed answer (RFC 9701 section 5).
"""

# RFC 6750 section 2.1:
#
#   b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_B64TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")


def checkForm(token: bytes) -> None:
    """
    Return if it can be an access token at all, so that somebody may be asked about it.

    @raise InvalidToken: it cannot.
    """
    if len(token) > MAX_OCTETS or _B64TOKEN.fullmatch(token) is None:
        raise InvalidToken("not an access token, by its form")


@implementer(ITokenValidator)
class IntrospectionValidator:
    """
    Asks one issuer. Each token costs a request: it belongs behind a
    L{CachingValidator<mailauth.validators.caching.CachingValidator>}.
    """

    _log = Logger()

    def __init__(
        self,
        issuer: TrustedIssuer,
        locate: Locate,
        post: Post,
        authentication: ClientAuthentication,
        signedAnswers: bool = False,
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param issuer: who is asked. Its keys and algorithms are those of signed answers.
        @param locate: says where its introspection endpoint is.
        @param post: posts a form.
        @param authentication: who we are to it.
        @param signedAnswers: nothing but a signed answer is one.
        @param now: the wall clock, in seconds since the epoch.
        """
        self._issuer = issuer
        self._locate = locate
        self._post = post
        self._authentication = authentication
        self._signedAnswers = signedAnswers
        self._now = now
        self._turnedAway = False

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        return promptly(self._validate(token))

    async def _validate(self, token: bytes) -> AccessToken:
        try:
            checkForm(token)
            fetched = await self._ask(token.decode("ascii"))
            read = self._readSigned if self._signedAnswers else _readPlain
            return self._read(await read(fetched))
        except InvalidToken as error:
            error.openidConfiguration = self._issuer.discovery
            raise

    async def _ask(self, token: str) -> Fetched:
        address = await self._locate()
        proof = await self._authentication.prove()
        form = {"token": token, "token_type_hint": "access_token", **proof.form}
        accepted = f"application/{SIGNED_TYPE}" if self._signedAnswers else "application/json"
        fetched = await answerOf(
            self._post(
                address, urlencode(form).encode("ascii"), {"Accept": accepted, **proof.headers}
            )
        )
        self._note(fetched.status)
        checkStatus(fetched)
        return fetched

    def _note(self, status: int) -> None:
        """
        Say once, and not for every login, that we may not ask.
        """
        turnedAway = status in (401, 403)
        if turnedAway and not self._turnedAway:
            self._log.error(
                "{issuer} does not let {client} ask about tokens (status {status}), so nobody can"
                " log in with one: mend its client_id and its secret here, or let it introspect"
                " there",
                issuer=self._issuer.issuer,
                client=self._authentication.clientId,
                status=status,
            )
        self._turnedAway = turnedAway

    def _read(self, members: Mapping[str, Any]) -> AccessToken:
        active = members.get("active")
        if active is False:
            raise InvalidToken("not active")
        if active is not True:
            raise Outage("it did not say whether the token is active")
        # It may leave out that the token is its own (RFC 7662 section 2.2).
        if members.get("iss", self._issuer.issuer) != self._issuer.issuer:
            raise InvalidToken("a token of another issuer")
        if not _isAccessToken(members):
            raise InvalidToken("not an access token, by its token_type")
        return readClaims(members, self._issuer, self._now(), None)

    async def _readSigned(self, fetched: Fetched) -> Mapping[str, Any]:
        """
        Read a signed answer. One that cannot be believed says nothing about the token.
        """
        try:
            token = parseToken(fetched.content)
            algorithm = algorithmOf(token, SIGNED_TYPE)
            kid = token.header.get("kid")
            if algorithm not in self._issuer.algorithms or not isinstance(kid, str | None):
                raise MalformedToken("a header that is not the issuer's")
            verifySignature(token, await self._issuer.keys.find(kid), algorithm)
        except (MalformedToken, InvalidToken) as error:
            raise Outage(f"its signed answer cannot be believed: {error}") from None
        claims = token.claims
        members = claims.get("token_introspection")
        if (
            claims.get("iss") != self._issuer.issuer
            or self._authentication.clientId not in (stringsOf(claims.get("aud")) or ())
            or not isinstance(members, dict)
        ):
            raise Outage("its signed answer is not for us")
        return members


async def _readPlain(fetched: Fetched) -> Mapping[str, Any]:
    return readObject(fetched)


def _isAccessToken(members: Mapping[str, Any]) -> bool:
    """
    Whether it is one that opens anything (TK12): a refresh token is active, too. One that is bound
    says to which key.
    """
    type = members.get("token_type", "Bearer")
    type = type.lower() if isinstance(type, str) else ""
    return type == "bearer" or (type == "dpop" and "cnf" in members)
