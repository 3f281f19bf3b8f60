"""
The authorization endpoint in memory, without its pages, and clients that ask there.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.records import Authentication, BrowserSession, Client
from mailauth.oauth.requests import Form
from mailauth.oauth.responses import OAuthError
from mailauth.server.authorization import Authorization, RedirectError
from mailauth.server.authorizationrequests import AuthorizationRequest, AuthorizationRequests
from mailauth.server.browsersessions import BrowserSessions
from mailauth.server.clientauthentication import ClientAuthenticator
from mailauth.server.clients import Clients
from mailauth.server.idtokenhints import IDTokenHints
from mailauth.server.offer import Offer
from mailauth.server.proofs import Proofs
from mailauth.server.pushedrequests import PushedRequests
from mailauth.server.sealing import KEY_OCTETS, ServerSecret
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account
from mailauth.validators.keys import StaticKeys

from ..jose import makeSigner

NOW = 1_800_000_000.0
ISSUER = "https://mail.example.test"
ALICE, BOB = "alice@example.test", "bob@example.test"
BROWSER = "the cookie of a browser"
HOME = "192.0.2.1"

REDIRECT = "https://app.example/cb?x=1"

# RFC 7636 appendix B.
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

CLIENTS = (
    Client("public", "Public", (REDIRECT, "http://127.0.0.1/cb", "org.example.app:/cb")),
    Client("single", "Single", (REDIRECT,)),
    Client("none", "No redirect URI", ()),
    Client("narrow", "Narrow", (REDIRECT,), scope=frozenset({"imap"}), verified=True),
    Client("device", "Device", (REDIRECT,), frozenset({"refresh_token"}), verified=True),
    Client(
        "known",
        "Known",
        (REDIRECT, "http://127.0.0.1/cb", "http://localhost/cb", "org.example.app:/cb"),
        verified=True,
    ),
    Client("server", "Server", (REDIRECT,), authMethod="client_secret_basic", verified=True),
    Client("stranger", "Stranger", (REDIRECT,), authMethod="client_secret_basic"),
    Client(
        "old",
        "Roundcube",
        (REDIRECT,),
        authMethod="client_secret_basic",
        insecureWithoutPKCE=True,
        verified=True,
    ),
    Client("oncely", "Once", (REDIRECT,), frozenset({"authorization_code"})),
)


class AuthorizationCase(SynchronousTestCase):
    """
    An authorization endpoint, and alice and bob in their browsers.
    """

    def setUp(self) -> None:
        """
        Make it.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        self.stores = MemoryStores(self.clock.seconds, ISSUER)
        now, secret = self.clock.seconds, ServerSecret(bytes(KEY_OCTETS))
        self.clients = Clients(
            self.stores.clients,
            self.stores.revocations,
            ISSUER,
            secret.sealer("client-ids"),
            now=now,
        )
        for client in CLIENTS:
            self.addClient(client)
        self.signer = makeSigner()
        self.hints = IDTokenHints(ISSUER, StaticKeys([self.signer.verifyingKey]))
        self.requests = AuthorizationRequests(
            Offer(ISSUER, ISSUER, "mail.example.test"), self.hints, now
        )
        self.pushed = PushedRequests(
            f"{ISSUER}/par",
            ClientAuthenticator(self.clients, ISSUER, self.stores.spent, now),
            Proofs(self.stores.spent, secret.sealer("dpop-nonces"), now=now),
            self.requests,
            self.stores.spent,
            secret.sealer("pushed-requests"),
            now,
        )
        self.authorization = self.makeAuthorization(ISSUER)
        self.sessions = BrowserSessions(
            self.stores.browserSessions, self.stores.revocations, 43200, self.clock.seconds
        )
        for name in (ALICE, BOB):
            self.successResultOf(self.stores.accounts.add(Account(name)))

    def makeAuthorization(self, issuer: str, **settings: Any) -> Authorization:
        """
        The endpoint of an issuer.
        """
        return Authorization(
            issuer,
            self.clients,
            self.requests,
            self.pushed,
            self.stores.grants,
            self.stores.spent,
            self.stores.revocations,
            ServerSecret(bytes(KEY_OCTETS)).sealer("authorization-requests"),
            now=self.clock.seconds,
            **settings,
        )

    def addClient(self, client: Client) -> None:
        """
        Let an administrator register a client.
        """
        added = self.stores.clients.add(attrs.evolve(client, created=NOW))
        self.successResultOf(added)

    def client(self, clientId: str) -> Client:
        """
        A client that is registered.
        """
        client: Client = self.got(self.clients.find(clientId))
        return client

    def got(self, coroutine: Any) -> Any:
        """
        What a coroutine returns.
        """
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def raised(self, coroutine: Any) -> Any:
        """
        What a coroutine raises.
        """
        return self.failureResultOf(Deferred.fromCoroutine(coroutine)).value

    def ask(self, clientId: str = "public", **parameters: Any) -> Form:
        """
        A good request.

        @param parameters: others, or more; C{None} for none. C{resources} is a tuple.
        """
        resources = parameters.pop("resources", ())
        values = {
            "client_id": clientId,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "state": "xyz",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **parameters,
        }
        sent = {name: value for name, value in values.items() if value is not None}
        return Form(sent, resources)

    def begin(self, clientId: str = "public", **parameters: Any) -> AuthorizationRequest:
        """
        Ask, and be understood.
        """
        request: AuthorizationRequest = self.got(
            self.authorization.begin(self.ask(clientId, **parameters))
        )
        return request

    def redirected(self, clientId: str = "known", **parameters: Any) -> dict[str, str]:
        """
        Ask, and be refused.

        @return: what the client is told.
        """
        error = self.raised(self.authorization.begin(self.ask(clientId, **parameters)))
        self.assertIsInstance(error, RedirectError)
        return self.answer(error.location)

    def mistaken(self, clientId: str = "public", **parameters: Any) -> OAuthError:
        """
        Ask, and be sent nowhere.
        """
        error = self.raised(self.authorization.begin(self.ask(clientId, **parameters)))
        assert isinstance(error, OAuthError), error
        return error

    def answer(self, location: str) -> dict[str, str]:
        """
        What stands in the answer, which goes to the client that asked.
        """
        self.assertTrue(location.startswith(f"{REDIRECT}&"), location)
        pairs = parse_qsl(urlsplit(location).query, strict_parsing=True, keep_blank_values=True)
        answer = dict(pairs)
        self.assertEqual(len(pairs), len(answer))
        self.assertEqual("1", answer.pop("x"))
        return answer

    def session(self, account: str = ALICE) -> BrowserSession:
        """
        Somebody signs in.
        """
        authentication = Authentication(account, self.clock.seconds(), frozenset({"pwd"}))
        _, session = self.got(self.sessions.make(authentication, HOME, "Firefox"))
        assert isinstance(session, BrowserSession)
        return session

    def idToken(self, **claims: Any) -> str:
        """
        An ID token of alice's.

        @param claims: others, or C{None} for none.
        """
        type = claims.pop("type", "JWT")
        members = {
            "iss": ISSUER,
            "sub": ALICE,
            "aud": "public",
            "iat": int(NOW) - 7200,
            "exp": int(NOW) - 3600,
            **claims,
        }
        sent = {name: value for name, value in members.items() if value is not None}
        return self.signer.sign(sent, type).decode("ascii")
