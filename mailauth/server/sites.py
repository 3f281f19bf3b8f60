"""
The sites of ours, as what they are: OAuth clients of the built-in authorization server, whose
tokens stay here (the backend for frontend of RFC 10017 section 6.1). Owns who is in one of them,
and how long ago he proved who he is.

Who is in is in this process's memory. After a restart a browser is led through the authorization
endpoint, where it is still signed in, and nobody notices.
"""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from time import time
from urllib.parse import urlencode

import attrs

from ..errors import InvalidToken
from ..oauth.jwt import parseToken
from ..oauth.records import Client
from ..oauth.requests import Form, parseForm
from ..oauth.responses import OAuthError
from .grants.pipeline import TokenEndpoint
from .liveness import Liveness
from .sealing import Sealer

ACCOUNT, ADMIN = "account", "admin"
"""
The names of the sites, which are their client ids, and their paths.
"""

SITES = (ACCOUNT, ADMIN)

RECENT = 600.0
"""
How many seconds ago somebody may have proved who he is who makes himself a key: whoever finds a
browser open must not.
"""

_UNDER_WAY = 3600.0
"""
How many seconds somebody may take over signing in.
"""

_LONGEST = 1000
"""
How many characters of what somebody came for fit into a state, which has a bound.
"""

_REMEMBERED = 10_000


def siteClient(name: str, issuer: str, secret: str) -> Client:
    """
    A site, as a client.

    @param issuer: whose it is.
    @param secret: what it proves who it is with.
    """
    return Client(
        name,
        redirectURIs=(_callbackOf(name, issuer),),
        grantTypes=frozenset({"authorization_code"}),
        scope=frozenset({"openid"}),
        authMethod="client_secret_basic",
        secretDigest=sha256(secret.encode("ascii")).digest(),
        verified=True,
    )


def siteSecret(name: str, sealer: Sealer) -> str:
    """
    The secret of a site, the same in every process that knows the key file.
    """
    return urlsafe_b64encode(sealer.mac(name.encode("ascii"))).decode("ascii").rstrip("=")


def _callbackOf(name: str, issuer: str) -> str:
    return f"{issuer.rstrip('/')}/{name}/signedin"


@attrs.frozen
class SiteSession:
    """
    Somebody who is in.

    @ivar identifier: for the forms that are made for him; no secret.
    @ivar account: who.
    @ivar authTime: when he last proved it, in seconds since the epoch; 0 if nobody can tell.
    @ivar methods: how, as RFC 8176 names it.
    @ivar came: when he came in, and C{expires} when his token ends.
    @ivar accessToken: the token.
    """

    identifier: str
    account: str
    authTime: float
    methods: frozenset[str]
    came: float
    expires: float
    accessToken: bytes = attrs.field(repr=False)


class Site:
    """
    One site.

    @ivar name: C{ACCOUNT} or C{ADMIN}.
    """

    def __init__(
        self,
        name: str,
        issuer: str,
        secret: str,
        tokens: TokenEndpoint,
        liveness: Liveness,
        sealer: Sealer,
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param secret: that of L{siteClient}.
        @param sealer: that for C{"sites"}.
        @param now: the wall clock, in seconds since the epoch.
        """
        self.name = name
        self._issuer = issuer
        self._secret = secret
        self._tokens = tokens
        self._liveness = liveness
        self._sealer = sealer
        self._now = now
        self._sessions: OrderedDict[bytes, SiteSession] = OrderedDict()

    def begin(self, path: str, browser: str, maxAge: float | None = None) -> str:
        """
        Lead somebody to the authorization endpoint (RFC 6749 section 4.1.1, RFC 7636).

        @param path: what he came for, below the issuer. If it is too long, its query is forgotten.
        @param browser: the cookie that marks the browser, which alone can go on with it.
        @param maxAge: how many seconds ago he may have proved who he is.
        @return: where to.
        """
        if len(path) > _LONGEST:
            path = path.partition("?")[0]
        verifier, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        state = self._sealer.sealMembers(
            {"path": path, "verifier": verifier, "nonce": nonce},
            self._now() + _UNDER_WAY,
            self._context(browser),
        )
        challenge = urlsafe_b64encode(sha256(verifier.encode("ascii")).digest())
        query = {
            "response_type": "code",
            "client_id": self.name,
            "redirect_uri": _callbackOf(self.name, self._issuer),
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.decode("ascii").rstrip("="),
            "code_challenge_method": "S256",
        }
        if maxAge is not None:
            query["max_age"] = str(int(maxAge))
        return f"{self._issuer.rstrip('/')}/authorize?{urlencode(query)}"

    async def finish(
        self, answer: Form, browser: str, address: str | None
    ) -> tuple[str, SiteSession, str]:
        """
        Somebody comes back (RFC 6749 section 4.1.2 and 4.1.3, RFC 9207).

        @param address: where he is, if that is known.
        @return: the secret for his cookie, who he is, and the path that he came for.
        @raise CannotUnseal: he did not leave from here, in this browser, lately.
        @raise OAuthError: he comes without a code that is good.
        @raise Outage: nobody can tell.
        """
        state = self._sealer.unsealMembers(
            answer.get("state", ""), self._now(), self._context(browser)
        )
        if answer.get("iss") != self._issuer:
            raise OAuthError("invalid_request", "The answer is another issuer's.")
        if "error" in answer:
            raise OAuthError("access_denied", "Nobody signed in.", answer["error"])
        request = {
            "grant_type": "authorization_code",
            "code": answer.required("code"),
            "redirect_uri": _callbackOf(self.name, self._issuer),
            "code_verifier": state["verifier"],
        }
        proof = b64encode(f"{self.name}:{self._secret}".encode("ascii"))
        came = self._now()
        members = await self._tokens.answer(
            parseForm(urlencode(request).encode("ascii")), b"Basic " + proof, None, address
        )
        # It came from the token endpoint itself, and need not prove where it comes from (OpenID
        # Connect Core 1.0 section 3.1.3.7, 6).
        claims = parseToken(members["id_token"].encode("ascii")).claims
        if claims.get("nonce") != state["nonce"]:
            raise OAuthError("invalid_request", "The answer is to another question.")
        secret = secrets.token_urlsafe(32)
        session = SiteSession(
            secrets.token_urlsafe(16),
            claims["sub"],
            claims.get("auth_time", 0.0),
            frozenset(claims.get("amr", ())),
            came,
            came + members["expires_in"],
            members["access_token"].encode("ascii"),
        )
        self._sessions[_digestOf(secret)] = session
        if len(self._sessions) > _REMEMBERED:
            self._sessions.popitem(last=False)
        return secret, session, state["path"]

    async def find(self, secret: str | None) -> SiteSession | None:
        """
        Who is in. Whoever signed out, whose password changed, or whose account was disabled is
        not.

        @param secret: of his cookie.
        @raise Outage: nobody can tell.
        """
        if secret is None:
            return None
        digest = _digestOf(secret)
        session = self._sessions.get(digest)
        if session is None:
            return None
        try:
            await self._liveness.validate(session.accessToken, session.came)
        except InvalidToken:
            self._sessions.pop(digest, None)
            return None
        self._sessions.move_to_end(digest)
        return session

    def lasts(self, session: SiteSession) -> bool:
        """
        Whether somebody has time enough to fill in a form: at least half of what he was given.
        """
        return self._now() - session.came <= (session.expires - session.came) / 2

    def isRecent(self, session: SiteSession, within: float = RECENT) -> bool:
        """
        Whether somebody proved lately who he is.

        @param within: at most so many seconds ago.
        """
        return self._now() - session.authTime <= within

    def _context(self, browser: str) -> bytes:
        return f"{self.name}\0{browser}".encode()


def _digestOf(secret: str) -> bytes:
    return sha256(secret.encode("utf-8")).digest()
