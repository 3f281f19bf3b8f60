"""
Tests of the code that somebody copies from a device.
"""

from __future__ import annotations

from typing import Any

import attrs
from twisted.internet.defer import Deferred, fail

from mailauth.coroutines import promptly
from mailauth.errors import Outage, TooManyFailures
from mailauth.oauth.records import WAITING_LIMIT, Client, DeviceCode
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.devices import GUESSES, LETTERS, LIFETIME, STARTS, formatUserCode, readUserCode
from mailauth.stores.memorydevicecodes import MemoryDeviceCodes
from mailauth.stores.records import AlreadyExists

from .issuance import (
    ALICE,
    DEVICE,
    DIGEST,
    ISSUER,
    NOW,
    PHONE,
    TELEVISION,
    IssuanceCase,
    Unreachable,
    basic,
)


class Taken:
    """
    A store in which the first user codes that are tried are somebody's.
    """

    def __init__(self, store: MemoryDeviceCodes, number: int) -> None:
        self._store = store
        self._number = number

    def add(self, code: DeviceCode) -> Deferred[None]:
        """
        See L{IDeviceCodes<mailauth.oauth.interfaces.IDeviceCodes>}.
        """
        self._number -= 1
        return fail(AlreadyExists("taken")) if self._number >= 0 else self._store.add(code)


class DevicesCase(IssuanceCase):
    """
    Devices that begin to wait.
    """

    def begin(self, *, address: str | None = "198.51.100.7", **form: Any) -> Any:
        """
        What a device asks.
        """
        authorization = form.pop("authorization", None)
        sent = self.formOf(**{"client_id": "tv", **form})
        return self.devices.answer(sent, authorization, address)


class BeginningTests(DevicesCase):
    """
    What a device hears (RFC 8628 section 3.2).
    """

    def test_answer(self) -> None:
        """
        It hears its code, the one to show, where to type that, for how long and how often to ask.
        """
        answer = self.wait(self.begin())

        secret, shown = answer.pop("device_code"), answer.pop("user_code")
        self.assertEqual(
            answer,
            {
                "verification_uri": f"{ISSUER}/device",
                "verification_uri_complete": f"{ISSUER}/device?user_code={shown}",
                "expires_in": LIFETIME,
                "interval": 5,
            },
        )
        self.assertEqual(len(secret), 43)
        self.assertRegex(shown, rf"\A[{LETTERS}]{{4}}-[{LETTERS}]{{4}}\Z")

    def test_userCode(self) -> None:
        """
        What is shown has eight letters out of twenty, which make no word: 34 bits, and ten minutes
        to guess them (O 76).
        """
        self.assertEqual((len(set(LETTERS)), LIFETIME), (20, 600))
        self.assertFalse(set(LETTERS) & set("AEIOUY"))
        seen = set()
        for number in range(50):
            answer = self.wait(self.begin(address=f"198.51.100.{number}"))
            seen |= set(answer["user_code"])
        self.assertEqual(seen, {*LETTERS, "-"})

    def test_asked(self) -> None:
        """
        What it asks for, when and from where is kept for whoever has to decide; its own code is
        kept as a digest alone (O 78).
        """
        resources = ("imap://mail.example.test",)
        sent = self.formOf(*resources, client_id="tv", scope="imap openid")
        answer = self.wait(self.devices.answer(sent, None, "198.51.100.7"))

        code = self.wait(self.devices.find(answer["user_code"], "browser"))
        assert code is not None
        self.assertEqual((code.scope, code.resources), ({"imap", "openid"}, frozenset(resources)))
        self.assertEqual((code.created, code.address, code.clientId), (NOW, "198.51.100.7", "tv"))
        self.assertNotIn(answer["device_code"], f"{code} {code.digest!r}")

    def test_optIn(self) -> None:
        """
        Only a client whose registration says so may ask, and none that registered itself does: mail
        is for devices that an administrator knows (O 78, OA10).
        """
        self.refused(self.begin(client_id="phone"), "unauthorized_client")
        metadata = {"redirect_uris": ["http://127.0.0.1/"], "grant_types": [DEVICE]}
        error = self.assertRaises(OAuthError, self.clients.register, metadata)
        self.assertEqual(error.code, "invalid_client_metadata")
        del metadata["grant_types"]
        client = self.clients.register(metadata)
        self.refused(self.begin(client_id=client.clientId), "unauthorized_client")

    def test_client(self) -> None:
        """
        A client with a secret proves that it has it, as at the token endpoint.
        """
        printer = attrs.evolve(
            TELEVISION, clientId="printer", authMethod="client_secret_basic", secretDigest=DIGEST
        )
        self.wait(self.stores.clients.add(printer))

        self.refused(self.begin(client_id="printer"), "invalid_client")
        self.refused(self.begin(client_id="nobody"), "invalid_client")
        asking = self.begin(client_id="printer", authorization=basic(printer))
        self.assertIn("user_code", self.wait(asking))

    def test_scope(self) -> None:
        """
        It gets all of what it asks for, or nothing; the mail scope if it says nothing.
        """
        self.refused(self.begin(scope="imap admin"), "invalid_scope")
        answer = self.wait(self.begin())

        code = self.wait(self.devices.find(answer["user_code"], "browser"))
        assert code is not None
        self.assertEqual(code.scope, {MAIL_SCOPE})

    def test_resource(self) -> None:
        """
        A resource that is not ours is refused (O 70).
        """
        sent = self.formOf("https://evil.example", client_id="tv")
        self.refused(self.devices.answer(sent, None, None), "invalid_target")

    def test_network(self) -> None:
        """
        One network begins no more than ten times a minute, and takes no place from others (DS14).
        """
        for _ in range(STARTS):
            self.wait(self.begin())
        self.failureResultOf(self.waiting(self.begin()), Outage)
        self.wait(self.begin(address="203.0.113.1"))

        self.clock.advance(60)

        self.wait(self.begin())

    def test_bounded(self) -> None:
        """
        There is a bound on how many wait; the next one is told to come again (DS14).
        """
        for _ in range(WAITING_LIMIT):
            self.wait(self.begin(address=None))

        self.failureResultOf(self.waiting(self.begin(address=None)), Outage)

        self.clock.advance(LIFETIME)
        self.wait(self.begin(address=None))

    def test_taken(self) -> None:
        """
        A code that another device shows is not given twice; if no other is found, nobody is told
        one.
        """
        for taken, fails in ((2, False), (3, True)):
            store: Any = Taken(self.stores.deviceCodes, taken)
            self.devices = attrs.evolve(self.devices, deviceCodes=store)
            beginning = self.waiting(self.begin())
            if fails:
                self.failureResultOf(beginning, Outage)
            else:
                self.assertIn("user_code", self.successResultOf(beginning))

    def test_outage(self) -> None:
        """
        If the store is out of reach nobody hears a code that is not there.
        """
        store: Any = Unreachable(self.stores.deviceCodes, "add")
        self.devices = attrs.evolve(self.devices, deviceCodes=store)

        self.failureResultOf(self.waiting(self.begin()), Outage)


class TypingTests(DevicesCase):
    """
    What somebody types.
    """

    def setUp(self) -> None:
        """
        A device waits.
        """
        super().setUp()
        self.shown = self.wait(self.begin())["user_code"]

    def type(self, typed: str, person: str = "browser") -> bool:
        """
        Type something.

        @return: whether it is the device's.
        """
        code = self.wait(self.devices.find(typed, person))
        return code is not None and formatUserCode(code.userCode) == self.shown

    def test_spelling(self) -> None:
        """
        Case, dashes and spaces do not matter (O 76).
        """
        plain = self.shown.replace("-", "")
        for typed in (
            self.shown,
            plain,
            plain.lower(),
            f" {plain[:3]} {plain[3:]}\u2013",
            "-".join(plain),
        ):
            self.assertTrue(self.type(typed, typed))

    def test_wrong(self) -> None:
        """
        Another code is none.
        """
        for typed in ("", "BCDF-GHJK", "AEIOUAEI", self.shown[:-1], self.shown + "B", "ß" * 8):
            self.assertFalse(self.type(typed, typed))

    def test_guesses(self) -> None:
        """
        One person may try five times a minute, right or wrong (O 76).
        """
        for _ in range(GUESSES):
            self.assertFalse(self.type("BCDF-GHJK"))
        self.failureResultOf(
            self.waiting(self.devices.find(self.shown, "browser")), TooManyFailures
        )
        self.assertTrue(self.type(self.shown, "another"))

        self.clock.advance(60)

        self.assertTrue(self.type(self.shown))

    def test_allGuesses(self) -> None:
        """
        Many persons together may try thirty times a minute (O 76).
        """
        for number in range(30):
            self.assertFalse(self.type("BCDF-GHJK", str(number)))

        self.failureResultOf(self.waiting(self.devices.find(self.shown, "owner")), TooManyFailures)

    def test_codeAloneDoesNothing(self) -> None:
        """
        To find what a code is for decides nothing: the device still waits (O 78).
        """
        for person in ("one", "two"):
            self.assertTrue(self.type(self.shown, person))
        code = self.wait(self.devices.find(self.shown, "three"))
        assert code is not None

        self.assertIsNone(code.grant)
        self.assertFalse(code.denied)


class ApprovalTests(DevicesCase):
    """
    What somebody allows.
    """

    grantLifetime = 1000.0

    def test_grant(self) -> None:
        """
        What is allowed is what was asked for, by how somebody signed in, and ends when the
        configuration says (O 58).
        """
        answer = self.wait(self.begin(scope="imap"))
        code = self.wait(self.devices.find(answer["user_code"], "browser"))
        assert code is not None

        self.assertTrue(self.wait(self.devices.approve(code, self.session())))

        decided = self.wait(self.stores.deviceCodes.find(code.digest))
        assert decided is not None
        grant = decided.grant
        assert grant is not None
        self.assertEqual((grant.account, grant.clientId, grant.scope), (ALICE, "tv", {"imap"}))
        self.assertEqual(grant.authentication, self.authentication())
        self.assertEqual((grant.created, grant.expires), (NOW, NOW + 1000))
        self.assertEqual(grant.address, "198.51.100.7")

    def test_withoutRefreshToken(self) -> None:
        """
        What yields one access token and no more ends with the browser session in which it was
        allowed at the latest, and is forgotten (DS14).
        """
        once = Client("once", "Once", grantTypes=frozenset({DEVICE}), created=NOW)
        self.wait(self.stores.clients.add(once))
        session = self.session()
        for lifetime, expires in ((None, session.expires), (1000.0, NOW + 1000)):
            devices = attrs.evolve(self.devices, grantLifetime=lifetime)
            answer = self.wait(self.begin(client_id="once"))
            code = self.wait(devices.find(answer["user_code"], "browser"))
            assert code is not None

            self.assertTrue(self.wait(devices.approve(code, session)))

            decided = self.wait(self.stores.deviceCodes.find(code.digest))
            assert decided is not None and decided.grant is not None
            self.assertEqual(decided.grant.expires, expires)

    def test_clientGone(self) -> None:
        """
        A client that was denied or removed meanwhile is allowed nothing.
        """
        answer = self.wait(self.begin())
        code = self.wait(self.devices.find(answer["user_code"], "browser"))
        assert code is not None
        self.wait(self.stores.clients.remove("tv"))

        self.failureResultOf(promptly(self.devices.approve(code, self.session())), OAuthError)

    def test_accountGone(self) -> None:
        """
        An account that was removed meanwhile allows nothing.
        """
        answer = self.wait(self.begin())
        code = self.wait(self.devices.find(answer["user_code"], "browser"))
        assert code is not None
        self.wait(self.stores.accounts.remove(ALICE))

        self.assertFalse(self.wait(self.devices.approve(code, self.session())))


class UserCodeTests(IssuanceCase):
    """
    L{readUserCode}.
    """

    def test_roundTrip(self) -> None:
        """
        What is shown is read as what it is.
        """
        self.assertEqual(readUserCode(formatUserCode("BCDFGHJK")), "BCDFGHJK")
        self.assertIsNone(readUserCode(PHONE.clientId))
