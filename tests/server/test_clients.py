"""
Tests for L{mailauth.server.clients}.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import attrs
from hypothesis import example, given, reject
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from mailauth.credentials import clientTag
from mailauth.errors import Outage
from mailauth.oauth.records import Client
from mailauth.oauth.redirects import registrable
from mailauth.oauth.registration import DEVICE_GRANT, describeClient
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import CALENDARS_SCOPE, CONTACTS_SCOPE, MAIL_SCOPE
from mailauth.server.builtinclients import BUILT_IN
from mailauth.server.clientdocuments import ClientDocuments
from mailauth.server.clients import LIFETIME, MAX_ID, Clients, deniedClient
from mailauth.server.sealing import KEY_OCTETS, ServerSecret, digestOf
from mailauth.stores.memory import MemoryStores
from mailauth.validators._http import Fetched

ISSUER = "https://id.example.test"
SECRET = ServerSecret(b"\1" * KEY_OCTETS)
NOW = 1_800_000_000.0
DAY = 86400.0

THUNDERBIRD: dict[str, Any] = {
    "client_name": "Thunderbird",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": f"{MAIL_SCOPE} offline_access",
    "software_id": "fb0c4e0a-4d5b-4f0e-9c3e-5a7b2f9b6a11",
    "client_uri": "https://www.thunderbird.net/",
}

LARGE: dict[str, Any] = {
    "client_name": "A Mail Program With A Rather Long Name",
    "redirect_uris": [
        "http://127.0.0.1/oauth2redirect",
        "http://[::1]/oauth2redirect",
        "net.example.mailprogram:/oauth2redirect",
        "https://mailprogram.example.net/oauth/callback",
    ],
    "scope": f"{MAIL_SCOPE} {CONTACTS_SCOPE} {CALENDARS_SCOPE} offline_access openid email profile",
    "software_id": "7d3f5a52-1c3e-4b52-8f0e-93a1cc6d21d4",
    "client_uri": "https://mailprogram.example.net/about",
    "post_logout_redirect_uris": ["https://mailprogram.example.net/goodbye"],
    "backchannel_logout_uri": "https://mailprogram.example.net/logout",
}

# Given out by the first version that gave any.
OLD_ID = (
    "1eKnchl_CiWEetZ5upy9HzLQL4FnQLP_w8u4HE2eMH0FZHFaFIovIDo62bxqsk3Xj8ELClDKKs-KgsrP"
    "XFIhIi7VMh4hI92VMty6UfQQdHK9x3LcsHi365od5mIbNCmBxshM8d1WTiBVOkGm"
)

ROUNDCUBE = Client(
    "roundcube",
    "Roundcube",
    ("https://webmail.example/index.php/login/oauth",),
    authMethod="client_secret_basic",
    secretDigest=bytes(32),
    verified=True,
    created=NOW,
)


class ClientsCase(SynchronousTestCase):
    """
    Clients of one issuer.
    """

    def setUp(self) -> None:
        """
        Have none.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        self.stores = MemoryStores(self.clock.seconds, ISSUER)
        self.clients = self.makeClients()

    def makeClients(self, secret: ServerSecret = SECRET, purpose: str = "client-ids") -> Clients:
        """
        What another process has.
        """
        sealer = secret.sealer(purpose)
        stores = self.stores
        return Clients(stores.clients, stores.revocations, ISSUER, sealer, now=self.clock.seconds)

    def find(self, clientId: str) -> Client:
        """
        A client that there is.
        """
        return self.successResultOf(Deferred.fromCoroutine(self.clients.find(clientId)))

    def assertUnknown(self, clientId: str, clients: Clients | None = None) -> None:
        """
        There is no client of this id.
        """
        finding = (clients or self.clients).find(clientId)
        error = self.failureResultOf(Deferred.fromCoroutine(finding), OAuthError).value
        self.assertEqual(
            (error.code, error.description), ("invalid_client", "There is no such client.")
        )


class BuiltInTests(ClientsCase):
    """
    The mail programs that are known without registration.
    """

    def test_known(self) -> None:
        """
        They are there, even if nobody may register; they are public, nobody vouches for them, and
        they have no more than anybody could register: no device grant, either (OA10).
        """
        stores, sealer = self.stores, SECRET.sealer("client-ids")
        closed = Clients(stores.clients, stores.revocations, ISSUER, sealer, openRegistration=False)
        for clientId, client in BUILT_IN.items():
            self.assertEqual(client, self.find(clientId))
            found = Deferred.fromCoroutine(closed.find(clientId))
            self.assertEqual(client, self.successResultOf(found))
            self.assertTrue(client.public)
            self.assertFalse(client.verified)
            self.assertEqual(clientId, client.clientId)
            self.assertEqual({"authorization_code", "refresh_token"}, client.grantTypes)
            for uri in client.redirectURIs:
                registrable(uri)

    def test_record(self) -> None:
        """
        A record of the administrator's comes first, and can deny one.
        """
        own = Client("emailproxy", verified=True, created=NOW)
        self.successResultOf(self.stores.clients.add(own))
        self.successResultOf(self.stores.clients.add(deniedClient("fairemail", NOW)))

        self.assertEqual(own, self.find("emailproxy"))
        self.assertUnknown("fairemail")
        self.find("thunderbird")


class RegisteredTests(ClientsCase):
    """
    Clients that registered themselves.
    """

    def refused(self, **metadata: Any) -> str:
        """
        @return: the error code of a registration that is refused.
        """
        error = self.assertRaises(OAuthError, self.clients.register, {**THUNDERBIRD, **metadata})
        code: str = error.code
        return code

    def test_itself(self) -> None:
        """
        A client is found by the id that it got, as it said it is; nothing is written anywhere, and
        a restart forgets nothing (OA11; O 80).
        """
        for metadata in (THUNDERBIRD, LARGE):
            registered = self.clients.register(metadata)
            self.assertEqual(registered.created, NOW)
            self.assertEqual(self.find(registered.clientId), registered)
            self.clients = self.makeClients()
            self.assertEqual(self.find(registered.clientId), registered)
            described = describeClient(registered)
            for name in ("client_name", "redirect_uris", "software_id", "client_uri"):
                self.assertEqual(described[name], metadata[name])

        self.assertEqual(self.successResultOf(self.stores.clients.list()), ())

    @given(st.text(max_size=80), st.lists(st.text("abcxyz0189-", min_size=1), max_size=5))
    def test_whatever(self, name: str, hosts: list[str]) -> None:
        """
        Whatever a client may say about itself, its id says too.
        """
        uris = ["com.example:/", *(f"https://{host}.example/" for host in hosts)]
        try:
            registered = self.clients.register({"client_name": name, "redirect_uris": uris})
        except OAuthError:
            reject()

        self.assertEqual(self.find(registered.clientId), registered)

    def test_short(self) -> None:
        """
        An id fits into addresses and tokens, and a usual one is short (O 80).
        """
        self.assertLess(len(self.clients.register(THUNDERBIRD).clientId), 200)
        self.assertLess(len(self.clients.register(LARGE).clientId), 350)

    def test_noOption(self) -> None:
        """
        An id is one of a command's arguments, and is never taken for an option.
        """
        ids = [self.clients.register(THUNDERBIRD).clientId for _ in range(500)]

        self.assertEqual(len(set(ids)), 500)
        self.assertEqual([each for each in ids if each.startswith("-")], [])

    def test_tooLarge(self) -> None:
        """
        Who says more about itself than an id can hold is refused (OA11; O 80).
        """

        def metadata(count: int) -> dict[str, Any]:
            """
            Redirect URIs as unlike each other as can be.
            """
            paths = [b"".join(digestOf(str(at + 5 * n)) for n in range(5)) for at in range(count)]
            uris = [f"https://a.example/{urlsafe_b64encode(path).decode()}" for path in paths]
            return {"redirect_uris": [uri.rstrip("=") for uri in uris]}

        allowed = self.clients.register(metadata(2))
        self.assertLessEqual(len(allowed.clientId), MAX_ID)
        self.assertEqual(self.find(allowed.clientId), allowed)
        error = self.assertRaises(OAuthError, self.clients.register, metadata(3))
        self.assertEqual(
            (error.code, error.description),
            ("invalid_client_metadata", "The client metadata is too large."),
        )

    def test_oldIds(self) -> None:
        """
        An id that was given out long ago is read as it was meant.
        """
        self.assertEqual(
            self.find(OLD_ID),
            Client(
                OLD_ID,
                "Thunderbird",
                ("http://127.0.0.1/callback",),
                scope=frozenset({MAIL_SCOPE, "offline_access"}),
                created=NOW,
                softwareId=THUNDERBIRD["software_id"],
                address=THUNDERBIRD["client_uri"],
            ),
        )

    def test_expires(self) -> None:
        """
        An id is good for five years, which nobody has to clean up (O 84).
        """
        clientId = self.clients.register(THUNDERBIRD).clientId
        self.clock.advance(365 * DAY)
        self.find(clientId)
        self.clock.advance(LIFETIME - 365 * DAY - 1)
        self.find(clientId)

        self.clock.advance(1)

        self.assertUnknown(clientId)
        self.assertUnknown(clientId, self.makeClients())

    def test_unverified(self) -> None:
        """
        Nothing that a client says makes it a verified one, or one with more rights, whatever id or
        software_id it borrows (O 85).
        """
        self.successResultOf(
            self.stores.clients.add(attrs.evolve(ROUNDCUBE, softwareId="roundcube"))
        )

        client = self.clients.register(
            {
                **THUNDERBIRD,
                "client_id": "roundcube",
                "client_name": "Roundcube",
                "software_id": "roundcube",
                "software_statement": "eyJhbGciOiJub25lIn0.e30.",
                "verified": True,
                "resourceServer": True,
                "resource_server": True,
                "insecureWithoutPKCE": True,
                "client_secret": "chosen",
                "registration_access_token": "chosen",
            }
        )

        found = self.find(client.clientId)
        self.assertNotEqual(found.clientId, "roundcube")
        self.assertFalse(found.verified or found.resourceServer or found.insecureWithoutPKCE)
        self.assertEqual((found.public, found.secretDigest), (True, None))

    def test_grantTypes(self) -> None:
        """
        Who registers itself gets codes and refresh tokens: no client credentials, no device codes
        and nothing unknown (O 67, O 78, O 81).
        """
        for grantType in ("client_credentials", "password", "implicit", DEVICE_GRANT, "unknown"):
            self.assertEqual(
                self.refused(grant_types=["authorization_code", grantType]),
                "invalid_client_metadata",
            )

    def test_metadata(self) -> None:
        """
        Keys in two places are refused; redirect URIs follow the rules of the authorization
        endpoint; what would have to be fetched is not (O 81).
        """
        self.assertEqual(
            self.refused(jwks={"keys": []}, jwks_uri="https://a.example/"),
            "invalid_client_metadata",
        )
        for uri in (
            *("http://example.com/", "javascript:alert(1)", "https://*.example/", "mailprogram:/"),
            *("https://user@example.com/", "https://example.com/#here", "https://example.com/.."),
        ):
            self.assertEqual(self.refused(redirect_uris=[uri]), "invalid_redirect_uri", uri)
        client = self.clients.register(
            {
                **THUNDERBIRD,
                "logo_uri": "http://169.254.169.254/latest",
                "tos_uri": "file:///etc/passwd",
                "jwks_uri": "http://127.0.0.1/",
                "sector_identifier_uri": "http://10.0.0.1/",
            }
        )
        self.assertNotIn("://1", repr(attrs.evolve(client, clientId="", redirectURIs=())))

    def test_closed(self) -> None:
        """
        Where clients may not register themselves, those that did before are unknown.
        """
        clientId = self.clients.register(THUNDERBIRD).clientId
        stores, sealer = self.stores, SECRET.sealer("client-ids")
        closed = Clients(stores.clients, stores.revocations, ISSUER, sealer, openRegistration=False)

        self.assertUnknown(clientId, closed)

    def test_forged(self) -> None:
        """
        An id that was not sealed here, for this, is no id (OA11; O 80).
        """
        clientId = self.clients.register(THUNDERBIRD).clientId
        self.assertUnknown(clientId, self.makeClients(ServerSecret(b"\2" * KEY_OCTETS)))
        self.assertUnknown(clientId, self.makeClients(purpose="sign-ins"))
        for at in (0, 20, 60, len(clientId) - 2):
            other = "A" if clientId[at] != "A" else "B"
            self.assertUnknown(clientId[:at] + other + clientId[at + 1 :])

    def test_oneSpelling(self) -> None:
        """
        There is one id for each client, and no other way to write it: else one that is denied had
        others left (TK7).
        """
        clientId = self.clients.register({**THUNDERBIRD, "software_id": "x"}).clientId
        last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        at = last.index(clientId[-1])
        for other in (
            f"{clientId}=",
            f"{clientId}==",
            f"{clientId}\n",
            f" {clientId}",
            f"{clientId[:7]}*{clientId[7:]}",
            clientId[:-1] + last[at ^ 1],
            clientId[:-1] + last[at ^ 2],
        ):
            self.assertUnknown(other)

    @given(
        st.text() | st.binary(max_size=80).map(lambda sealed: urlsafe_b64encode(sealed).decode())
    )
    @example("")
    @example("a")
    @example("\ud800")
    @example("A" * 100_000)
    def test_anything(self, clientId: str) -> None:
        """
        Whatever is said for an id, it is one or it is none (W13).
        """
        self.assertUnknown(clientId)


class RecordTests(ClientsCase):
    """
    Clients of the administrator.
    """

    def test_atOnce(self) -> None:
        """
        A client is there as soon as it is added, and gone as soon as it is removed, whoever does
        that.
        """
        self.assertUnknown("roundcube")
        self.successResultOf(self.stores.clients.add(ROUNDCUBE))
        self.assertEqual(self.find("roundcube"), ROUNDCUBE)
        self.successResultOf(self.stores.clients.remove("roundcube"))
        self.assertUnknown("roundcube")

    def test_never(self) -> None:
        """
        An administrator's client does not expire (O 84).
        """
        emailproxy = Client("emailproxy", redirectURIs=("http://localhost:8765",), created=NOW)
        self.successResultOf(self.stores.clients.add(emailproxy))
        self.clock.advance(2 * LIFETIME)

        self.assertEqual(self.find("emailproxy"), emailproxy)

    def test_denied(self) -> None:
        """
        A record denies a client that registered itself, for as long as the record is there; others
        of the same software are not denied.
        """
        client, other = self.clients.register(THUNDERBIRD), self.clients.register(THUNDERBIRD)
        self.find(client.clientId)

        self.successResultOf(self.stores.clients.add(deniedClient(client.clientId, NOW)))

        self.assertUnknown(client.clientId)
        self.find(other.clientId)
        self.clock.advance(365 * DAY)
        self.assertUnknown(client.clientId)
        self.successResultOf(self.stores.clients.remove(client.clientId))
        self.find(client.clientId)

    def test_resourceServer(self) -> None:
        """
        A client without grant types that proves who it is is not denied: it introspects.
        """
        dovecot = attrs.evolve(
            ROUNDCUBE, clientId="dovecot", grantTypes=frozenset(), resourceServer=True
        )
        self.successResultOf(self.stores.clients.add(dovecot))

        self.assertEqual(self.find("dovecot"), dovecot)

    def test_fewQuestions(self) -> None:
        """
        The store is asked when something changed, and not for each id that somebody makes up
        (DS8; O 64).
        """
        store: Any = CountingStore(self.stores.clients)
        self.clients = Clients(store, self.stores.revocations, ISSUER, SECRET.sealer("client-ids"))
        for number in range(100):
            self.assertUnknown(f"made up {number}")
        self.assertEqual(store.asked, 1)
        self.successResultOf(self.stores.revocations.revoke([clientTag("other", "x")], "gone"))
        self.assertUnknown("made up")
        self.assertEqual(store.asked, 1)

        self.successResultOf(self.stores.clients.add(ROUNDCUBE))

        self.assertEqual([self.find("roundcube").name for _ in range(9)], ["Roundcube"] * 9)
        self.assertEqual(store.asked, 2)

    def test_changedMeanwhile(self) -> None:
        """
        What changes while the store is read is not missed.
        """
        store: Any = CountingStore(self.stores.clients)
        store.slow = True
        self.clients = Clients(store, self.stores.revocations, ISSUER, SECRET.sealer("client-ids"))
        finding = Deferred.fromCoroutine(self.clients.find("roundcube"))
        self.successResultOf(self.stores.clients.add(ROUNDCUBE))

        store.answer()

        self.failureResultOf(finding, OAuthError)
        self.assertEqual(self.find("roundcube"), ROUNDCUBE)

    def test_outage(self) -> None:
        """
        A store that cannot be read is an outage, and not the lack of a client (CS9).
        """
        store: Any = CountingStore(self.stores.clients)
        store.down = True
        self.successResultOf(self.stores.clients.add(ROUNDCUBE))
        self.clients = Clients(store, self.stores.revocations, ISSUER, SECRET.sealer("client-ids"))
        for clientId in ("roundcube", "other"):
            self.failureResultOf(Deferred.fromCoroutine(self.clients.find(clientId)), Outage)

        store.down = False

        self.assertEqual(self.find("roundcube"), ROUNDCUBE)


class CountingStore:
    """
    A store that counts how often it is listed.

    @ivar slow: answer when told to.
    @ivar down: do not answer.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self._waiting: list[tuple[Deferred[Any], Any]] = []
        self.asked = 0
        self.slow = self.down = False

    def list(self) -> Deferred[tuple[Client, ...]]:
        """
        See L{IClients<mailauth.oauth.interfaces.IClients>}.
        """
        self.asked += 1
        if self.down:
            return fail(Outage("down"))
        if not self.slow:
            listed: Deferred[tuple[Client, ...]] = self._store.list()
            return listed
        waiting: Deferred[tuple[Client, ...]] = Deferred()
        self._store.list().addCallback(lambda found: self._waiting.append((waiting, found)))
        return waiting

    def answer(self) -> None:
        """
        Answer what it was asked, as it was then.
        """
        self.slow = False
        for waiting, found in self._waiting:
            waiting.callback(found)


class DocumentTests(ClientsCase):
    """
    Clients that are named by an address.
    """

    address = "https://app.example/client.json"

    def setUp(self) -> None:
        """
        Count what is fetched.
        """
        super().setUp()
        self.fetched: list[str] = []

    def get(self, address: str, headers: Any) -> Deferred[Fetched]:
        """
        Fetch a document of a client that is a good one.
        """
        self.fetched.append(address)
        content = b'{"client_id": "%s", "redirect_uris": ["https://app.example/cb"]}'
        fetched: Deferred[Fetched] = Deferred()
        fetched.callback(
            Fetched(
                200,
                Headers({"Content-Type": ["application/json"]}),
                content % address.encode(),
            )
        )
        return fetched

    def withDocuments(self) -> None:
        """
        Switch it on.
        """
        self.clients = Clients(
            self.stores.clients,
            self.stores.revocations,
            ISSUER,
            SECRET.sealer("client-ids"),
            ClientDocuments(self.get, self.clock.seconds),
        )

    def test_off(self) -> None:
        """
        If nobody switches it on, an address is no id, and nothing is fetched (O 86).
        """
        self.assertUnknown(self.address)
        self.assertEqual(self.fetched, [])

    def test_on(self) -> None:
        """
        Switched on, an address is an id, and nothing else is fetched than what is one (O 86).
        """
        self.withDocuments()

        self.assertEqual(self.find(self.address).redirectURIs, ("https://app.example/cb",))
        for other in ("http://app.example/client.json", "https://app.example", "mailproxy", ""):
            self.assertUnknown(other)
        self.assertEqual(self.fetched, [self.address])

    def test_record(self) -> None:
        """
        An administrator's record of that address decides, and nothing is fetched.
        """
        self.withDocuments()
        registered = attrs.evolve(ROUNDCUBE, clientId=self.address)
        self.successResultOf(self.stores.clients.add(registered))
        self.successResultOf(
            self.stores.clients.add(deniedClient("https://denied.example/client", NOW))
        )

        self.assertEqual(self.find(self.address), registered)
        self.assertUnknown("https://denied.example/client")
        self.assertEqual(self.fetched, [])
