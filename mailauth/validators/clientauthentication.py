"""
Who we are to somebody else's authorization server: an OAuth client that has a secret or a key. Owns
how that is proved, to its introspection and its token endpoint alike.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from time import time
from urllib.parse import quote_plus

import attrs

from ..oauth.assertions import ASSERTION_TYPE, SENT_TYPE, assertionClaims
from ..oauth.jwt import Signer


@attrs.frozen
class Proof:
    """
    That a request is ours.

    @ivar form: the members of the form that prove it.
    @ivar headers: the headers that do.
    """

    form: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class ClientSecret:
    """
    C{client_secret_basic} (RFC 6749 section 2.3.1).
    """

    clientId: str
    secret: str = attrs.field(repr=False)

    async def prove(self) -> Proof:
        """
        A proof for one request.
        """
        words = f"{quote_plus(self.clientId)}:{quote_plus(self.secret)}"
        encoded = b64encode(words.encode("ascii")).decode("ascii")
        return Proof(headers={"Authorization": f"Basic {encoded}"})


@attrs.frozen
class ClientKey:
    """
    C{private_key_jwt} (RFC 7523 section 2.2).

    @ivar audience: the issuer that it is proved to, and nobody else.
    @ivar signer: says what to sign with.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    clientId: str
    audience: str
    signer: Callable[[], Awaitable[Signer]]
    now: Callable[[], float] = time

    async def prove(self) -> Proof:
        """
        A proof for one request.

        @raise Outage: there is no key to sign with.
        """
        signer = await self.signer()
        claims = assertionClaims(
            self.clientId, self.audience, secrets.token_urlsafe(16), self.now()
        )
        assertion = signer.sign(claims, SENT_TYPE).decode("ascii")
        return Proof(
            {
                "client_id": self.clientId,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
            }
        )


ClientAuthentication = ClientSecret | ClientKey
