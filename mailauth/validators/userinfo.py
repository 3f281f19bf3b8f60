"""
Access tokens that nobody describes but the endpoint that they open (OpenID Connect Core 1.0 section
5.3). Owns that this is not enough: that a token opens it does not say whom it was given to, so
whoever got one from anybody could come here with it. A second endpoint has to say that, like
Google's tokeninfo.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from time import time
from typing import Any
from urllib.parse import urlencode

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..coroutines import promptly
from ..errors import InvalidToken, Outage
from ..interfaces import ITokenValidator
from ..oauth.tokens import AccessToken
from ._http import Fetched, Get, Post
from .answers import answerOf, readBody, readObject
from .claims import TrustedIssuer, readClaims
from .discovery import Locate
from .introspection import checkForm

# What tokeninfo says about the token. The other endpoint speaks of a person, and of nothing else.
_OF_THE_TOKEN = ("aud", "azp", "client_id", "scope", "cnf", "jti", "iat", "nbf")


@implementer(ITokenValidator)
class UserinfoValidator:
    """
    Asks one issuer, twice for each token: it belongs behind a
    L{CachingValidator<mailauth.validators.caching.CachingValidator>}.
    """

    def __init__(
        self,
        issuer: TrustedIssuer,
        locateTokeninfo: Locate,
        locateUserinfo: Locate,
        post: Post,
        get: Get,
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param issuer: who is asked. The audience of its tokens are the clients that may have them.
        @param locateTokeninfo: says where the endpoint is that says whom a token was given to.
        @param locateUserinfo: says where the one is that says whose it is.
        @param post: posts a form, and C{get} fetches.
        @param now: the wall clock, in seconds since the epoch.
        """
        self._issuer = issuer
        self._locateTokeninfo = locateTokeninfo
        self._locateUserinfo = locateUserinfo
        self._post = post
        self._get = get
        self._now = now

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        return promptly(self._validate(token))

    async def _validate(self, token: bytes) -> AccessToken:
        try:
            checkForm(token)
            about = await self._fetchTokeninfo(token.decode("ascii"))
            person = await self._fetchUserinfo(token.decode("ascii"))
            return readClaims(self._merged(about, person), self._issuer, self._now(), None)
        except InvalidToken as error:
            error.openidConfiguration = self._issuer.discovery
            raise

    async def _fetchTokeninfo(self, token: str) -> Mapping[str, Any]:
        address = await self._locateTokeninfo()
        form = urlencode({"access_token": token}).encode("ascii")
        fetched = await answerOf(self._post(address, form, {"Accept": "application/json"}))
        if fetched.status in (400, 401) and _isAboutTheToken(fetched):
            raise InvalidToken("the issuer does not know it")
        return readObject(fetched)

    async def _fetchUserinfo(self, token: str) -> Mapping[str, Any]:
        address = await self._locateUserinfo()
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        fetched = await answerOf(self._get(address, headers))
        if fetched.status == 401:
            raise InvalidToken("the userinfo endpoint refuses it")
        return readObject(fetched)

    def _merged(self, about: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, Any]:
        expires = _numberOf(about, "exp")
        if expires is None and (left := _numberOf(about, "expires_in")) is not None:
            expires = self._now() + left
        if expires is None or "aud" not in about or "sub" not in person:
            raise Outage("it did not say until when the token is good, for whom, or whose it is")
        if about.get("sub", person["sub"]) != person["sub"]:
            raise Outage("its endpoints speak of two people")
        ofThePerson = {name: value for name, value in person.items() if name not in _OF_THE_TOKEN}
        ofTheToken = {name: about[name] for name in _OF_THE_TOKEN if name in about}
        return {**ofThePerson, **ofTheToken, "exp": expires}


def _isAboutTheToken(fetched: Fetched) -> bool:
    """
    Whether a refusal is that of a token (RFC 6750 section 3.1), and not of how we ask. Google has
    left out the code, and said no more than what is wrong.
    """
    members = readBody(fetched)
    return members.get("error") == "invalid_token" or "error" not in members


def _numberOf(members: Mapping[str, Any], name: str) -> float | None:
    """
    Google writes numbers as texts.
    """
    value = members.get(name)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


_DIGITS = re.compile("[0-9]{1,15}")
