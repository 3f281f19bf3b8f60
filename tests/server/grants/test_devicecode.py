"""
Tests of a device that polls.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailauth.oauth.records import Client, DeviceCode
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.devices import INTERVAL, LIFETIME
from mailauth.server.grants.devicecode import SLOWER, DeviceCodeGrant

from ..issuance import ALICE, BOB, DEVICE, PHONE, TELEVISION, Held, IssuanceCase


class DeviceCase(IssuanceCase):
    """
    A television that waits.
    """

    def setUp(self) -> None:
        """
        It asks.
        """
        super().setUp()
        self.secret, self.typed = self.begin()

    def begin(self, client: Client = TELEVISION) -> tuple[str, str]:
        """
        @return: what the device keeps, and what it shows.
        """
        answer = self.wait(
            self.devices.answer(self.formOf(client_id=client.clientId), None, "198.51.100.7")
        )
        return answer["device_code"], answer["user_code"]

    def find(self, typed: str | None = None) -> DeviceCode:
        """
        Somebody types the code.
        """
        code = self.wait(self.devices.find(typed or self.typed, "browser"))
        assert code is not None
        return code

    def approve(self, account: str = ALICE) -> bool:
        """
        Somebody says yes.
        """
        return self.wait(self.devices.approve(self.find(), self.session(account)))

    def polling(self, code: str | None = None, client: Client = TELEVISION) -> dict[str, Any]:
        """
        What the device sends.
        """
        form = {"grant_type": DEVICE, "device_code": code or self.secret}
        return {**form, "client_id": client.clientId}

    def poll(self, **changes: Any) -> Any:
        """
        Ask, in time.
        """
        self.clock.advance(INTERVAL)
        return self.ask(**{**self.polling(), **changes})


class PollingTests(DeviceCase):
    """
    Until somebody decides (RFC 8628 section 3.5).
    """

    def test_pending(self) -> None:
        """
        Whoever asks as seldom as he was told hears that nobody has decided (O 75).
        """
        for _ in range(5):
            self.refused(self.poll(), "authorization_pending")

    def test_slowDown(self) -> None:
        """
        Whoever asks more often has to wait five seconds longer each time, for good (O 75).
        """
        self.refused(self.ask(**self.polling()), "authorization_pending")
        interval: float = INTERVAL
        for _ in range(3):
            self.clock.advance(interval - 1)
            self.refused(self.ask(**self.polling()), "slow_down")
            interval += SLOWER
            self.assertEqual(self.find().interval, interval)
        self.clock.advance(interval)
        self.refused(self.ask(**self.polling()), "authorization_pending")
        self.clock.advance(INTERVAL)
        self.refused(self.ask(**self.polling()), "slow_down")

    def test_allowed(self) -> None:
        """
        Once somebody has allowed it, the device gets what he allowed.
        """
        self.assertTrue(self.approve())

        answer = self.wait(self.poll())

        self.assertEqual(answer["scope"], MAIL_SCOPE)
        token = self.wait(self.validator.validate(answer["access_token"].encode()))
        self.assertEqual((token.owner, token.clientId), (ALICE, "tv"))
        self.assertIn("access_token", self.refresh(answer["refresh_token"], TELEVISION))

    def test_denied(self) -> None:
        """
        Once somebody has said no it stays a no, whatever anybody says afterwards (O 77).
        """
        code = self.find()
        self.assertTrue(self.wait(self.devices.deny(code)))

        self.assertFalse(self.wait(self.devices.approve(code, self.session())))

        for _ in range(2):
            self.refused(self.poll(), "access_denied")
        self.assertIsNone(self.wait(self.devices.find(self.typed, "browser")))

    def test_expired(self) -> None:
        """
        Ten minutes later it is over: for the device and for whoever types the code (O 76).
        """
        code = self.find()
        self.clock.advance(LIFETIME)

        self.refused(self.ask(**self.polling()), "expired_token")
        self.assertIsNone(self.wait(self.devices.find(self.typed, "browser")))
        self.assertFalse(self.wait(self.devices.approve(code, self.session())))
        self.refused(self.ask(**self.polling()), "expired_token")

    def test_allowedTooLate(self) -> None:
        """
        What was allowed in time has to be fetched in time.
        """
        self.approve()
        self.clock.advance(LIFETIME)

        self.refused(self.ask(**self.polling()), "expired_token")

    def test_accountDisabled(self) -> None:
        """
        Nothing is given for an account that may not log in any more (OA14).
        """
        self.approve()
        self.wait(self.stores.accounts.disable(ALICE))

        self.refused(self.poll(), "invalid_grant")


class RedemptionTests(DeviceCase):
    """
    Who gets what was allowed.
    """

    def test_once(self) -> None:
        """
        It is given once; who asks again ends it (O 77, OA10).
        """
        self.approve()
        answer = self.wait(self.poll())

        self.refused(self.poll(), "invalid_grant")

        refreshing = self.refreshing(answer["refresh_token"], TELEVISION)
        self.refused(self.ask(**refreshing), "invalid_grant")

    def test_race(self) -> None:
        """
        Of eight who ask at the same time one gets it, and keeps it (O 77, OA10).
        """
        self.approve()
        store = Held(self.stores.deviceCodes, "find")
        grantType = DeviceCodeGrant(store, self.stores.grants, self.families)  # type: ignore[arg-type]  # it is one

        (answer,) = self.race(grantType, store, 8, **self.polling())

        self.assertIn("access_token", self.refresh(answer["refresh_token"], TELEVISION))

    def test_otherClient(self) -> None:
        """
        Only the client that asked gets it (O 77).
        """
        radio = attrs.evolve(TELEVISION, clientId="radio")
        self.wait(self.stores.clients.add(radio))
        self.approve()

        self.refused(self.poll(client_id="radio"), "invalid_grant")

        self.assertIn("access_token", self.wait(self.poll()))

    def test_clientWithoutTheGrant(self) -> None:
        """
        A client whose registration does not say so gets none (O 77, O 78).
        """
        self.refused(self.poll(client_id=PHONE.clientId), "unauthorized_client")

    def test_madeUp(self) -> None:
        """
        There is no token for a device code that nobody was given (OA10).
        """
        for code in ("nonsense", "x" * 43, self.typed, self.secret[:-1]):
            self.refused(self.poll(device_code=code), "invalid_grant")
        self.refused(
            self.ask(grant_type=DEVICE, client_id="tv"),
            "invalid_request",
        )

    def test_secondUser(self) -> None:
        """
        Whoever comes after somebody has allowed it takes nothing over (O 79).
        """
        code = self.find()
        self.assertTrue(self.approve(ALICE))

        self.assertIsNone(self.wait(self.devices.find(self.typed, "another browser")))
        self.assertFalse(self.wait(self.devices.approve(code, self.session(BOB))))
        self.assertFalse(self.wait(self.devices.deny(code)))

        answer = self.wait(self.poll())
        token = self.wait(self.validator.validate(answer["access_token"].encode()))
        self.assertEqual(token.owner, ALICE)
