"""
The endpoints that programs call, put together over stores in memory.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from hashlib import sha256
from itertools import count
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.coroutines import promptly
from mailauth.errors import Outage
from mailauth.oauth.jwt import Signer
from mailauth.oauth.records import (
    Authentication,
    AuthorizationCode,
    BrowserSession,
    Client,
    Grant,
)
from mailauth.oauth.requests import Form
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.authorizationrequests import AuthorizationRequests
from mailauth.server.clientauthentication import ClientAuthenticator
from mailauth.server.clients import Clients
from mailauth.server.devices import DeviceLimits, Devices
from mailauth.server.grants.authorizationcode import AuthorizationCodeGrant
from mailauth.server.grants.clientcredentials import ClientCredentialsGrant
from mailauth.server.grants.devicecode import DeviceCodeGrant
from mailauth.server.grants.families import Families
from mailauth.server.grants.pipeline import GrantType, TokenEndpoint
from mailauth.server.grants.refreshtoken import RefreshTokenGrant
from mailauth.server.idtokenhints import IDTokenHints
from mailauth.server.introspection import Introspection
from mailauth.server.issuer import AccessTokenIssuer, IDTokenIssuer
from mailauth.server.liveness import Liveness
from mailauth.server.offer import Offer
from mailauth.server.proofs import Proofs
from mailauth.server.pushedrequests import PushedRequests
from mailauth.server.refreshtokens import RefreshTokens, newGrantId
from mailauth.server.revocation import Revocation
from mailauth.server.sealing import ServerSecret, digestOf
from mailauth.server.userinfo import UserInfo
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.jwt import JWTValidator
from mailauth.validators.keys import StaticKeys
from mailauth.validators.opaque import OpaqueTokenValidator, SignedOrOpaque

from ..jose import compact, encode, makeJWK, makeSigner

T = TypeVar("T")

ISSUER = "https://id.example.test"
AUDIENCE = "https://mail.example.test"
HOST = "mail.example.test"
NOW = 1_800_000_000.0
ALICE, BOB = "alice@example.test", "bob@example.test"

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SECRET = "a secret of 32 octets, more or less"
DIGEST = digestOf(SECRET)

# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
REDIRECT = "http://127.0.0.1:38465/callback"

PHONE = Client("phone", "Mail on a phone", redirectURIs=("http://127.0.0.1/callback",))
LAPTOP = attrs.evolve(PHONE, clientId="laptop", name="Mail on a laptop")
WEBMAIL = Client(
    "webmail",
    "Webmail",
    redirectURIs=("https://webmail.example/callback",),
    authMethod="client_secret_basic",
    secretDigest=DIGEST,
    verified=True,
)
DOVECOT = Client(
    "dovecot",
    grantTypes=frozenset({"client_credentials"}),
    authMethod="client_secret_basic",
    secretDigest=DIGEST,
    scope=frozenset({"openid"}),
    resourceServer=True,
)
TELEVISION = Client("tv", "Television", grantTypes=frozenset({DEVICE, "refresh_token"}))
CLIENTS = (PHONE, LAPTOP, WEBMAIL, DOVECOT, TELEVISION)


def basic(client: Client, secret: str = SECRET) -> bytes:
    """
    The header C{Authorization} of a client with a secret.
    """
    quoted = secret.replace(",", "%2C").replace(" ", "+")
    return b"Basic " + b64encode(f"{client.clientId}:{quoted}".encode())


class Held:
    """
    A store that holds back its answers to one question, so that all who ask see the same.
    """

    def __init__(self, store: Any, method: str) -> None:
        self._store = store
        self._method = method
        self._held: list[tuple[Deferred[Any], Deferred[Any]]] = []

    def __getattr__(self, name: str) -> Any:
        ask = getattr(self._store, name)
        return partial(self._hold, ask) if name == self._method else ask

    def _hold(self, ask: Callable[..., Deferred[Any]], *arguments: Any) -> Deferred[Any]:
        waiting: Deferred[Any] = Deferred()
        self._held.append((ask(*arguments), waiting))
        return waiting

    def release(self) -> int:
        """
        Let all have their answers.

        @return: how many waited.
        """
        held, self._held = self._held, []
        for answer, waiting in held:
            answer.chainDeferred(waiting)
        return len(held)


class Unreachable:
    """
    A store that cannot be asked one thing.
    """

    def __init__(self, store: Any, method: str) -> None:
        self._store = store
        self._method = method

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._method else getattr(self._store, name)

    def _fail(self, *arguments: Any) -> Deferred[Any]:
        return fail(Outage("out of reach"))


class Interrupted:
    """
    A store to which something happens just before it is asked one thing.
    """

    def __init__(self, store: Any, method: str, happen: Callable[[], Any]) -> None:
        self._store = store
        self._method = method
        self._happen = happen

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            self._happen()
        return getattr(self._store, name)


class IssuanceCase(SynchronousTestCase):
    """
    All of them, two accounts and some clients.
    """

    issuer = ISSUER
    opaqueTokens = False
    needsNonce = False
    grantLifetime: float | None = None

    def setUp(self) -> None:
        """
        Put it together.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        now = self.clock.seconds
        self.signer = makeSigner()
        self.stores = stores = MemoryStores(now, ISSUER)
        secret = ServerSecret(b"secret of tests." * 2)
        keys = StaticKeys([self.signer.verifyingKey])
        trusted = TrustedIssuer(ISSUER, keys, frozenset({AUDIENCE}))
        self.validator = SignedOrOpaque(
            JWTValidator([trusted], now), OpaqueTokenValidator(stores.opaqueTokens, now)
        )
        self.clients = Clients(
            stores.clients, stores.revocations, ISSUER, secret.sealer("client-ids"), now=now
        )
        self.authenticator = ClientAuthenticator(self.clients, ISSUER, stores.spent, now)
        self.offer = Offer(ISSUER, AUDIENCE, HOST)
        self.liveness = Liveness(ISSUER, self.validator, stores.accounts, stores.revocations, now)
        self.proofs = Proofs(stores.spent, secret.sealer("dpop-nonces"), self.needsNonce, now)
        self.refreshTokens = RefreshTokens(secret.sealer("refresh-tokens"))
        self.families = families = Families(self.refreshTokens)
        self.tokens = TokenEndpoint(
            f"{ISSUER}/token",
            self.authenticator,
            self.proofs,
            (
                AuthorizationCodeGrant(stores.grants, families),
                RefreshTokenGrant(stores.grants, stores.opaqueTokens, families),
                DeviceCodeGrant(stores.deviceCodes, stores.grants, families),
                ClientCredentialsGrant(stores.opaqueTokens),
            ),
            self.liveness,
            self.offer,
            AccessTokenIssuer(ISSUER, AUDIENCE, self.signWith, now),
            IDTokenIssuer(ISSUER, self.signWith, now),
            opaqueTokens=self.opaqueTokens,
            now=now,
        )
        self.introspection = Introspection(
            self.authenticator, self.liveness, stores.grants, self.refreshTokens, self.signWith, now
        )
        self.revocation = Revocation(
            self.authenticator, self.liveness, stores.grants, stores.revocations, self.refreshTokens
        )
        self.userInfo = UserInfo(f"{ISSUER}/userinfo", self.liveness, self.proofs)
        self.pushedRequests = PushedRequests(
            f"{ISSUER}/par",
            self.authenticator,
            self.proofs,
            AuthorizationRequests(self.offer, IDTokenHints(ISSUER, keys), now),
            stores.spent,
            secret.sealer("pushed-requests"),
            now,
        )
        self.devices = Devices(
            f"{ISSUER}/device",
            self.authenticator,
            self.offer,
            stores.deviceCodes,
            DeviceLimits.of(self.clock.seconds),
            self.grantLifetime,
            now,
        )
        for name in (ALICE, BOB):
            self.wait(stores.accounts.add(Account(name)))
        for client in CLIENTS:
            self.wait(stores.clients.add(client))
        self._jti = count()

    async def signWith(self) -> Signer:
        """
        The key that signs now.
        """
        return self.signer

    # Waiting

    def waiting(self, awaited: Awaitable[T]) -> Deferred[T]:
        """
        What somebody will answer.
        """

        async def waited() -> T:
            return await awaited

        return promptly(waited())

    def wait(self, awaited: Awaitable[T]) -> T:
        """
        What somebody answers, at once.
        """
        return self.successResultOf(self.waiting(awaited))

    def refused(self, coroutine: Coroutine[Any, Any, Any], code: str) -> OAuthError:
        """
        The refusal that it ends with, which has this code.
        """
        error = self.failureResultOf(promptly(coroutine), OAuthError).value
        assert isinstance(error, OAuthError)
        self.assertEqual(error.code, code, error.reason)
        return error

    def race(self, grantType: GrantType, store: Held, number: int, **form: Any) -> list[Any]:
        """
        Send one request so many times at once.

        @param grantType: that asks the store.
        @return: the answers of those who got one.
        """
        tokens = attrs.evolve(self.tokens, grantTypes=(grantType,))
        racing = [
            promptly(tokens.answer(Form(form), None, None, "192.0.2.7")).addErrback(
                lambda failure: failure.trap(OAuthError) and None
            )
            for _ in range(number)
        ]
        self.assertEqual(store.release(), number)
        while store.release():
            pass
        return [answer for each in racing if (answer := self.successResultOf(each)) is not None]

    # What somebody granted

    def authentication(self, account: str = ALICE) -> Authentication:
        """
        Somebody signed in a minute ago.
        """
        return Authentication(account, self.clock.seconds() - 60, frozenset({"pwd"}), "browser")

    def session(self, account: str = ALICE) -> BrowserSession:
        """
        His browser.
        """
        now = self.clock.seconds()
        return BrowserSession(b"d" * 32, self.authentication(account), now - 60, now + 3600)

    def grant(self, client: Client = PHONE, scope: str = MAIL_SCOPE, **changes: Any) -> Grant:
        """
        What he granted.
        """
        usual = Grant(
            newGrantId(),
            self.authentication(),
            client.clientId,
            frozenset(scope.split(" ")),
            created=self.clock.seconds(),
        )
        return attrs.evolve(usual, **changes)

    def kept(self, grantId: str) -> Grant:
        """
        A grant that is in the store.
        """
        grant = self.wait(self.stores.grants.get(grantId))
        assert grant is not None
        return grant

    def isKept(self, grantId: str) -> bool:
        """
        Whether a grant is in the store.
        """
        return self.wait(self.stores.grants.get(grantId)) is not None

    def code(self, grant: Grant, **changes: Any) -> str:
        """
        A code for it.
        """
        code = secrets.token_urlsafe(32)
        usual = AuthorizationCode(
            sha256(code.encode()).digest(),
            grant,
            REDIRECT,
            CHALLENGE,
            None,
            self.clock.seconds() + 60,
        )
        self.wait(self.stores.grants.addCode(attrs.evolve(usual, **changes)))
        return code

    # What clients send

    def ask(
        self,
        *,
        authorization: bytes | None = None,
        proof: bytes | None = None,
        resources: tuple[str, ...] = (),
        **form: str,
    ) -> Coroutine[Any, Any, Any]:
        """
        A request to the token endpoint.
        """
        sent = self.formOf(*resources, **form)
        return self.tokens.answer(sent, authorization, proof, "192.0.2.7")

    def formOf(self, *resources: str, **form: str) -> Form:
        """
        A form.
        """
        return Form(form, resources)

    def redeeming(self, code: str, client: Client = PHONE, **changes: Any) -> dict[str, Any]:
        """
        What redeems a code.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
            "client_id": client.clientId,
            **({} if client.public else {"authorization": basic(client)}),
            **changes,
        }
        return {name: value for name, value in form.items() if value is not None}

    def redeem(self, client: Client = PHONE, scope: str = MAIL_SCOPE, **changes: Any) -> Any:
        """
        The answer to a new code.
        """
        code = self.code(self.grant(client, scope))
        return self.wait(self.ask(**self.redeeming(code, client, **changes)))

    def refreshing(self, token: str, client: Client = PHONE, **changes: Any) -> dict[str, Any]:
        """
        What redeems a refresh token.
        """
        return {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": client.clientId,
            **({} if client.public else {"authorization": basic(client)}),
            **changes,
        }

    def refresh(self, token: str, client: Client = PHONE, **changes: Any) -> Any:
        """
        The answer to a refresh token.
        """
        return self.wait(self.ask(**self.refreshing(token, client, **changes)))

    def proof(self, key: str = "1", accessToken: str | None = None, **changes: Any) -> bytes:
        """
        A proof of a key (RFC 9449 section 4.2).

        @param key: which of the tests' keys.
        @param accessToken: that goes with it.
        @param changes: to its claims.
        """
        claims = {
            "jti": str(next(self._jti)),
            "htm": "POST",
            "htu": f"{ISSUER}/token",
            "iat": self.clock.seconds(),
            **changes,
        }
        if accessToken is not None:
            claims.setdefault("ath", encode(sha256(accessToken.encode()).digest()).decode())
        jwk = makeJWK("ES256", key)
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}
        return compact(makeSigner("ES256", key), header, claims)
