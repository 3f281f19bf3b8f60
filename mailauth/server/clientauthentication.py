"""
Whether a client is the one it says it is (RFC 6749 section 2.3). Owns the ways to prove that, and
that an unknown client and a wrong secret are one: in what is answered, and in the work it takes.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64decode
from collections.abc import Callable
from hmac import compare_digest
from time import time
from urllib.parse import unquote_to_bytes

import attrs

from ..oauth.assertions import ASSERTION_TYPE, claimedClient, verifyAssertion
from ..oauth.interfaces import ISpent
from ..oauth.records import Client
from ..oauth.requests import Form
from ..oauth.responses import OAuthError, invalidClient
from .clients import Clients
from .sealing import digestOf

# RFC 7617 section 2.
_BASIC = re.compile(rb"[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/]+={0,2}) *")

_NOBODY = Client(
    "",
    authMethod="nothing",
    secretDigest=bytes(32),
    # That of RFC 7515 appendix A.3, so that there is something to verify an assertion with.
    jwks='{"keys":[{"kty":"EC","crv":"P-256",'
    '"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
    '"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}',
)
"""
Whose secret and key are looked at in the place of those of a client that there is not.
"""


def makeClientSecret() -> tuple[str, bytes]:
    """
    Make a secret of 256 bits, which needs no slow hash (NIST SP 800-63B section 5.1.1.2).

    @return: the secret, and what is kept of it.
    """
    secret = secrets.token_urlsafe(32)
    return secret, digestOf(secret)


@attrs.frozen
class _Proof:
    """
    What a request says about who sent it.

    @ivar method: C{"none"}, C{"client_secret_basic"}, C{"client_secret_post"} or
        C{"private_key_jwt"}.
    @ivar proof: the secret or the assertion, C{""} for none.
    """

    clientId: str
    method: str
    proof: str = attrs.field(default="", repr=False)


@attrs.frozen(eq=False)
class ClientAuthenticator:
    """
    Checks which client sent a request.

    @ivar issuer: whom assertions have to be for.
    @ivar spent: where it is known which assertions were used.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    clients: Clients
    issuer: str
    spent: ISpent
    now: Callable[[], float] = time

    async def check(self, form: Form, authorization: bytes | None) -> Client:
        """
        The client, which proved who it is in the way it registered for. A public client has
        nothing to prove: a secret that it sends means nothing (as aerc, offlineimap and nodemailer
        do).

        @param authorization: the header of that name, or C{None} if there is none.
        @raise OAuthError: C{invalid_client}: it did not prove it. C{invalid_request}: it says two
            things at once.
        @raise Outage: nobody can tell.
        """
        presented = _readProof(form, authorization)
        try:
            client = await self.clients.find(presented.clientId)
        except OAuthError:
            client = _NOBODY
        if presented.method == "private_key_jwt":
            await self._checkAssertion(presented.proof, client)
        else:
            _checkSecret(presented, client)
        return client

    async def _checkAssertion(self, proof: str, client: Client) -> None:
        # Who has no key is verified as well, with the key that nobody has.
        verified = attrs.evolve(client, jwks=client.jwks or _NOBODY.jwks)
        now = self.now()
        try:
            assertion = verifyAssertion(proof, verified, self.issuer, now)
        except OAuthError as error:
            raise _refused(client, error.reason) from None
        if client.authMethod != "private_key_jwt":
            raise _refused(client, f"it registered for {client.authMethod}")
        digest = digestOf("client-assertion", client.clientId, assertion.jti)
        if not await self.spent.spend(digest, assertion.expires, now):
            raise _refused(client, "the assertion was used before")


def _checkSecret(presented: _Proof, client: Client) -> None:
    kept = client.secretDigest or bytes(32)
    matches = compare_digest(digestOf(presented.proof), kept)
    if client.public:
        return
    if presented.method != client.authMethod:
        raise _refused(client, f"it registered for {client.authMethod}")
    if not matches:
        raise _refused(client, "wrong secret")


def _refused(client: Client, reason: str) -> OAuthError:
    if client is _NOBODY:
        return invalidClient("there is no such client")
    return invalidClient(f"{client.clientId}: {reason}")


def _readProof(form: Form, authorization: bytes | None) -> _Proof:
    basic = None if authorization is None else _parseBasic(authorization)
    secret, assertion = form.get("client_secret"), form.get("client_assertion")
    if [basic, secret, assertion].count(None) < 2:
        raise OAuthError("invalid_request", "The client proves who it is in two ways at once.")
    if basic is not None:
        presented = basic
    elif assertion is not None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise invalidClient("the client_assertion is not of a type known here")
        presented = _Proof(claimedClient(assertion), "private_key_jwt", assertion)
    elif secret is not None:
        presented = _Proof(form.get("client_id", ""), "client_secret_post", secret)
    else:
        presented = _Proof(form.get("client_id", ""), "none")
    if form.get("client_id", presented.clientId) != presented.clientId:
        raise OAuthError("invalid_request", "The client says that it is two clients.")
    return presented


def _parseBasic(header: bytes) -> _Proof:
    """
    Read the client's id and secret, each of which is encoded like a form (RFC 6749 section 2.3.1).
    """
    match = _BASIC.fullmatch(header)
    try:
        name, colon, secret = b64decode(match[1]).partition(b":") if match else (b"", b"", b"")
        clientId, proof = (
            unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8") for part in (name, secret)
        )
    except ValueError:
        colon = b""
    if not colon:
        raise invalidClient("the Authorization header is not one of Basic")
    return _Proof(clientId, "client_secret_basic", proof)
