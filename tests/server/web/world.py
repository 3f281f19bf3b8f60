"""
The authorization server with its pages, in memory, and a browser without a network.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode, urljoin, urlsplit

import pyotp
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from mailauth.caches.memory import MemoryCache
from mailauth.checkers import AccountPasswordChecker, Throttled
from mailauth.coroutines import promptly
from mailauth.credentials import accountTag
from mailauth.errors import Outage
from mailauth.mail.waiting import WaitingRoom
from mailauth.oauth.records import Client
from mailauth.oauth.requests import Form
from mailauth.passwords import MIN_COST, PasswordHasher, hashChosen
from mailauth.server.actions.access import Connection
from mailauth.server.administration import makeAdministration
from mailauth.server.authorization import Authorization
from mailauth.server.authorizationrequests import AuthorizationRequests
from mailauth.server.browsersessions import BrowserSessions
from mailauth.server.clientauthentication import ClientAuthenticator
from mailauth.server.clients import Clients
from mailauth.server.devices import DeviceLimits, Devices
from mailauth.server.domains import Domains
from mailauth.server.factors import SecondFactors
from mailauth.server.federation import PURPOSE as EXTERNAL
from mailauth.server.federation import Federation
from mailauth.server.grants.authorizationcode import AuthorizationCodeGrant
from mailauth.server.grants.families import Families
from mailauth.server.grants.pipeline import TokenEndpoint
from mailauth.server.idtokenhints import IDTokenHints
from mailauth.server.issuer import AccessTokenIssuer, IDTokenIssuer
from mailauth.server.keys import PURPOSE as KEYS
from mailauth.server.keys import StoredKeys, newSigningKey
from mailauth.server.liveness import Liveness
from mailauth.server.logout import Logout
from mailauth.server.mailhosts import MailHosts, MailServer
from mailauth.server.offer import Offer
from mailauth.server.passkeys import Passkeys
from mailauth.server.pastlogins import PastLogins
from mailauth.server.proofs import Proofs
from mailauth.server.pushedrequests import PushedRequests
from mailauth.server.refreshtokens import RefreshTokens
from mailauth.server.sealing import ServerSecret
from mailauth.server.signin import SignIn
from mailauth.server.sites import ACCOUNT, ADMIN, Site, siteClient, siteSecret
from mailauth.server.web.account.addresses import accountByAddress
from mailauth.server.web.addresses import pagesByAddress
from mailauth.server.web.admin.addresses import adminByAddress
from mailauth.server.web.admin.adminpage import AdminRules
from mailauth.server.web.assets import Assets
from mailauth.server.web.pages import MissingPage
from mailauth.server.web.setup import Setup, discoveryByAddress, setupByAddress
from mailauth.server.web.site import makeSite
from mailauth.server.web.visit import Pages
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account
from mailauth.testing.audit import MemoryAudit
from mailauth.throttle import Throttle
from mailauth.validators.caching import CachingValidator
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.jwt import JWTValidator

from ..company import Company
from .shown import Shown

ISSUER = "https://mail.example.test"
HOST = "mail.example.test"
ALICE, BOB = "alice@example.test", "bob@example.test"
PASSWORDS = {ALICE: "alice's password", BOB: "bob's password"}
CLIENT = Client(
    "laptop",
    "Mail on my laptop",
    redirectURIs=("http://127.0.0.1/callback",),
    postLogoutRedirectURIs=("https://webmail.example/bye",),
)
WEBMAIL = Client(
    "webmail",
    "Webmail",
    redirectURIs=("https://webmail.example/callback",),
    verified=True,
)
TELEVISION = Client(
    "television",
    "Television",
    grantTypes=frozenset({"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"}),
)
REDIRECT = "http://127.0.0.1:38465/callback"
SERVERS = (
    MailServer("imap", 993, True),
    MailServer("imap", 143, False),
    MailServer("smtp", 587, False),
)

# RFC 7636 appendix B.
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class InThisThread:
    """
    A pool, and a reactor, that do at once what they are given.
    """

    max = 1

    def callInThreadWithCallback(
        self, onResult: Callable[[bool, Any], None], call: Callable[..., Any], *arguments: Any
    ) -> None:
        """
        Call it.
        """
        onResult(True, call(*arguments))

    def callFromThread(self, call: Callable[..., Any], *arguments: Any) -> None:
        """
        Call it.
        """
        call(*arguments)


class Unreliable:
    """
    A store that can be out of reach.

    @ivar down: it is.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self.down = False

    def __getattr__(self, name: str) -> Any:
        if self.down:
            return lambda *arguments: fail(Outage("the store of this test is down"))
        return getattr(self._store, name)


class Connected:
    """
    The open connections of a service.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._started = now()
        self.opened: dict[str, Connection] = {}
        self.reasons: list[str] = []

    def open(self, account: str, service: str = "imap", **others: Any) -> Connection:
        """
        Somebody logs in.
        """
        number = f"connection-{len(self.opened) + len(self.reasons) + 1}"
        usual: dict[str, Any] = {
            "address": "198.51.100.7",
            "program": "Thunderbird",
            "credential": "app password 'phone'",
            "since": self._now(),
            **others,
        }
        self.opened[number] = Connection(number, account, service, **usual)
        return self.opened[number]

    def list(self) -> list[Connection]:
        """
        See L{Connections.list<mailauth.server.actions.access.Connections.list>}.
        """
        return list(self.opened.values())

    def end(self, identifier: str, reason: str) -> bool:
        """
        See L{Connections.end<mailauth.server.actions.access.Connections.end>}.
        """
        self.reasons.append(reason)
        return self.opened.pop(identifier, None) is not None

    def hear(self, tags: frozenset[str], reason: str | None) -> None:
        """
        End those of an account of which everything is revoked, as
        L{RevocableRealm<mailauth.realm.RevocableRealm>} does.
        """
        for each in self.list():
            if reason is not None and accountTag(each.account) in tags:
                self.end(each.identifier, reason)

    def since(self) -> float:
        """
        See L{Connections.since<mailauth.server.actions.access.Connections.since>}.
        """
        return self._started


class World:
    """
    The whole of it.

    @ivar told: what was posted to clients.
    @ivar kept: the browser sessions.
    @ivar listed: the accounts, as whoever looks for a domain asks for them.
    @ivar configured: the domains that the configuration names.
    @ivar administrators: who may use the administration site: bob.
    @ivar secondFactor: whether they need one.
    @ivar administered: the stores, as what is done with them reaches them. Each can be replaced by
        one that is L{Unreliable}.
    @ivar connected: the open connections.
    @ivar delivered: the messages that people were sent.
    """

    def __init__(
        self,
        issuer: str,
        now: Callable[[], float],
        clock: Clock,
        federated: bool = False,
        loginLog: Path = Path("no logins"),
    ) -> None:
        """
        @param now: the wall clock.
        @param federated: people sign in at the company, too.
        @param loginLog: the file with a line for each login.
        """
        self.issuer = issuer
        self.now = now
        self.stores = stores = MemoryStores(now, issuer)
        self.told: list[tuple[str, bytes]] = []
        secret = ServerSecret(b"secret of tests." * 2)
        self.keySealer = secret.sealer(KEYS)
        self.keys = keys = StoredKeys(
            stores.signingKeys, stores.revocations, self.keySealer, clock.seconds, now
        )
        siteSecrets = {
            name: siteSecret(name, secret.sealer("site-secrets")) for name in (ACCOUNT, ADMIN)
        }
        clients = Clients(
            stores.clients,
            stores.revocations,
            issuer,
            secret.sealer("client-ids"),
            None,
            now=now,
            ours=[siteClient(name, issuer, each) for name, each in siteSecrets.items()],
        )
        authenticator = ClientAuthenticator(clients, issuer, stores.spent, now)
        offer = Offer(issuer, issuer, HOST)
        hints = IDTokenHints(issuer, keys)
        requests = AuthorizationRequests(offer, hints, now)
        throttle = Throttle(clock.seconds)
        atOnce: Any = InThisThread()
        hasher = PasswordHasher(atOnce, atOnce, MIN_COST, now)
        signIns = secret.sealer("sign-ins")
        self.kept = cast(Any, Unreliable(stores.browserSessions))
        self.sessions = BrowserSessions(self.kept, stores.revocations, 12 * 3600.0, now)
        self.factors = SecondFactors(
            stores.factors, secret.sealer("totp-secrets"), clock.seconds, now
        )
        self.passkeys = Passkeys(
            issuer, stores.factors, stores.spent, signIns, secret.sealer("user-handles"), now
        )
        self.authorization = Authorization(
            issuer,
            clients,
            requests,
            PushedRequests(
                f"{issuer}/par",
                authenticator,
                Proofs(stores.spent, secret.sealer("dpop-nonces"), now=now),
                requests,
                stores.spent,
                secret.sealer("pushed-requests"),
                now,
            ),
            stores.grants,
            stores.spent,
            stores.revocations,
            secret.sealer("authorization-requests"),
            now=now,
        )
        self.signIn = SignIn(
            Throttled(AccountPasswordChecker(stores.accounts, hasher), throttle),
            stores.accounts,
            self.factors,
            self.passkeys,
            MemoryAudit(),
            throttle,
            signIns,
            clock.seconds,
            now,
        )
        self.company = Company(clock, now, label="Example Company")
        self.federation = Federation(
            self.company.reached,
            issuer,
            stores.identities,
            stores.accounts,
            stores.revocations,
            self.company.policy,
            self.signIn.decide,
            secret.sealer(EXTERNAL),
            now,
        )
        self.devices = Devices(
            f"{issuer}/device",
            authenticator,
            offer,
            stores.deviceCodes,
            DeviceLimits.of(clock.seconds),
            now=now,
        )
        self.logout = Logout(
            issuer,
            clients,
            hints,
            self.sessions,
            stores.grants,
            keys,
            secret.sealer("logout-requests"),
            self._post,
            clock,
            now,
        )
        validator = CachingValidator(
            JWTValidator([TrustedIssuer(issuer, keys, frozenset({issuer}))], now),
            MemoryCache(now),
            now,
        )
        liveness = Liveness(issuer, validator, stores.accounts, stores.revocations, now)
        families = Families(RefreshTokens(secret.sealer("refresh-tokens")), 90 * 86400.0)
        tokens = TokenEndpoint(
            f"{issuer}/token",
            authenticator,
            Proofs(stores.spent, secret.sealer("dpop-nonces"), now=now),
            (AuthorizationCodeGrant(stores.grants, families),),
            liveness,
            offer,
            AccessTokenIssuer(issuer, issuer, keys.signer, now),
            IDTokenIssuer(issuer, keys.signer, now),
            now=now,
        )
        self.account, self.admin = (
            Site(name, issuer, each, tokens, liveness, secret.sealer("sites"), now)
            for name, each in siteSecrets.items()
        )
        self.administrators = {BOB}
        self.secondFactor = False
        self.pastLogins = PastLogins(loginLog, lambda call, *given: succeed(call(*given)))
        self.connected = Connected(now)
        stores.revocations.subscribe(self.connected.hear)
        self.delivered: list[tuple[str, bytes]] = []
        self.administered = cast(Any, copy(stores))
        for name in (
            *("accounts", "aliases", "appPasswords", "browserSessions", "clients", "events"),
            *("factors", "grants", "identities", "signingKeys"),
        ):
            setattr(self.administered, name, Unreliable(getattr(stores, name)))
        configuration = SimpleNamespace(
            issuer=issuer,
            hostname=HOST,
            defaultDomain="example.test",
            accountPage=f"{issuer}/account/",
        )
        self.administration = makeAdministration(
            cast(Any, configuration),
            self.administered,
            secret,
            clients,
            [self.company.reached] if federated else [],
            self.connected,
            hasher.hash,
            self._deliver,
            lambda: now() + 30 * 86400,
            clock.seconds,
            now,
        )
        self.pages = Pages(issuer, HOST, secret.sealer("csrf"), self.sessions, Assets())
        self.configured = ["example.org"]
        self.hosts = MailHosts(HOST, issuer, SERVERS)
        self.listed = cast(Any, Unreliable(stores.accounts))
        domains = Domains(lambda: self.configured, self.listed, stores.revocations)
        setup = Setup(self.hosts, domains)
        self.site = makeSite(
            issuer,
            discoveryByAddress(setup),
            {
                **pagesByAddress(
                    self.pages,
                    self.authorization,
                    self.signIn,
                    self.devices,
                    self.logout,
                    3600.0,
                    (self.federation,) if federated else (),
                ),
                **setupByAddress(self.pages, setup, self.sign),
                **accountByAddress(
                    self.pages,
                    self.account,
                    self.administration,
                    self.signIn,
                    self.hosts,
                    stores.spent,
                    self.sign,
                ),
                **adminByAddress(
                    self.pages,
                    self.admin,
                    self.administration,
                    lambda: AdminRules(self.administrators, self.secondFactor),
                    self.pastLogins,
                    stores.spent,
                ),
            },
            MissingPage(self.pages),
            WaitingRoom(clock.callLater),
        )

    def sign(self, octets: bytes) -> bytes:
        """
        Sign what people take home, as far as that matters here.
        """
        return b"signed: " + octets

    async def _deliver(self, account: str, message: bytes) -> None:
        self.delivered.append((account, message))

    async def _post(self, client: Client, form: bytes) -> int:
        self.told.append((client.backchannelLogoutURI or "", form))
        return 200

    async def populate(self) -> None:
        """
        Two accounts, and two clients.
        """
        for name, password in PASSWORDS.items():
            await self.stores.accounts.add(
                Account(name, hashChosen(password.encode("utf-8"), MIN_COST), created=self.now())
            )
        for client in (CLIENT, WEBMAIL, TELEVISION):
            await self.stores.clients.add(client)
        await self.stores.signingKeys.add(newSigningKey(self.keySealer, self.now()))

    async def deviceAnswer(self, address: str = "198.51.100.7") -> Mapping[str, Any]:
        """
        What a television is told that asks for a code.
        """
        form = Form({"client_id": TELEVISION.clientId})
        return await self.devices.answer(form, None, address)


class Browser:
    """
    A browser at one site. It keeps cookies, and follows no redirect that leaves.

    @ivar cookies: their values, by their names.
    @ivar attributes: what each of them was set with.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.cookies: dict[str, str] = {}
        self.attributes: dict[str, set[str]] = {}

    def get(self, address: str, *headers: str) -> Shown:
        """
        Go to an address.
        """
        return self.follow(self.request("GET", address, *headers))

    def post(self, address: str, fields: dict[str, str], *headers: str) -> Shown:
        """
        Send a form.
        """
        form = "Content-Type: application/x-www-form-urlencoded"
        body = urlencode(fields).encode("ascii")
        return self.follow(self.request("POST", address, form, *headers, body=body))

    def submit(self, shown: Shown, button: str | None = None, **fields: str) -> Shown:
        """
        Fill in the form of a page that has this button, and send it.

        @param button: its value; C{None} for one without.
        """
        for form in shown.page.forms:
            if button in form.buttons or (button is None and not form.buttons):
                decision = {} if button is None else {"decision": button}
                return self.post(form.action, {**form.fields, **fields, **decision})
        raise AssertionError(f"no button {button} in {shown.body!r}")

    def follow(self, shown: Shown) -> Shown:
        """
        Go where it leads, as long as that is here.
        """
        while shown.status == 303:
            address = urljoin(shown.address, shown.location)
            if not address.startswith(self._world.issuer):
                return shown
            shown = self.request("GET", address)
        return shown

    def request(self, method: str, address: str, *headers: str, body: bytes = b"") -> Shown:
        """
        Send one request.
        """
        address = urljoin(f"{self._world.issuer}/", address)
        target = address.removeprefix(f"https://{urlsplit(address).netloc}")
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [f"{method} {target} HTTP/1.1", "Host: elsewhere.example", *headers]
        if cookies:
            lines.append(f"Cookie: {cookies}")
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        channel = self._world.site.buildProtocol(None)
        transport = StringTransport()
        transport.abortConnection = lambda: None  # type: ignore[method-assign]
        channel.makeConnection(transport)
        octets = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        for at in range(0, len(octets), 4096):
            channel.dataReceived(octets[at : at + 4096])
        return self._read(address, transport.value())

    def _read(self, address: str, octets: bytes) -> Shown:
        head, _, body = octets.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        named = [field.split(": ", 1) for field in fields]
        for cookie in (value for name, value in named if name.lower() == "set-cookie"):
            pair, *attributes = cookie.split("; ")
            name, _, value = pair.partition("=")
            self.attributes[name] = set(attributes)
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return Shown(
            address,
            int(status.split()[1]),
            {name.lower(): value for name, value in named},
            body,
        )


class PagesCase(SynchronousTestCase):
    """
    A world, and a browser in it.
    """

    issuer = ISSUER
    federated = False

    def setUp(self) -> None:
        """
        Make both.
        """
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.loginLog = Path(directory.name) / "logins.jsonl"
        self.world = World(self.issuer, self.now, self.clock, self.federated, self.loginLog)
        self.wait(self.world.populate())
        self.browser = Browser(self.world)

    def now(self) -> float:
        """
        The time. It stands still while nobody advances the clock.
        """
        return self.clock.seconds()

    def wait(self, result: Deferred[Any] | Coroutine[Any, Any, Any]) -> Any:
        """
        What comes of something.
        """
        return self.successResultOf(result if isinstance(result, Deferred) else promptly(result))

    def ask(self, client: str = CLIENT.clientId, **parameters: str | None) -> str:
        """
        The address of an authorization request.

        @param parameters: more of them, others, or C{None} for none.
        """
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": REDIRECT if client == CLIENT.clientId else WEBMAIL.redirectURIs[0],
            "state": "the state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **parameters,
        }
        sent = {name: value for name, value in asked.items() if value is not None}
        return f"authorize?{urlencode(sent)}"

    def enter(self, shown: Shown, account: str = ALICE) -> Shown:
        """
        Sign in on a page that asks for it.
        """
        self.assertEqual("Sign in", shown.heading)
        return self.browser.submit(shown, "signin", username=account, password=PASSWORDS[account])

    def addTOTP(self, account: str = ALICE) -> tuple[pyotp.TOTP, tuple[str, ...]]:
        """
        Give an account an authenticator.

        @return: it, and the recovery codes.
        """
        enrolment = self.wait(self.world.factors.enrol(account, "test"))
        authenticator = pyotp.parse_uri(enrolment.uri)
        assert isinstance(authenticator, pyotp.TOTP)
        return authenticator, enrolment.recoveryCodes


class MovingCase(PagesCase):
    """
    A world whose clock never stands still: what comes later is dated later.
    """

    looks = 0

    def now(self) -> float:
        """
        The time.
        """
        self.looks += 1
        return self.clock.seconds() + self.looks * 1e-6
