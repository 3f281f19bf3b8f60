"""
A device without a browser, and somebody with one.
"""

from __future__ import annotations

from typing import Any

from ..interop import ALICE
from ..interop.attempts import Outcome, python
from .visiting import BrowserTestCase

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class DeviceTestCase(BrowserTestCase):
    """
    There is a television.
    """

    def setUp(self) -> None:
        """
        An administrator lets it.
        """
        super().setUp()
        self.clientId = "television"
        self.demo.command(
            *("client", "add", "--id", self.clientId, "--name", "Television"),
            *("--grant", "device_code", "--grant", "refresh_token"),
        )

    def begin(self) -> dict[str, Any]:
        """
        What the television is told.
        """
        return self.program.post("device_authorization", client_id=self.clientId)

    def collect(self, told: dict[str, Any]) -> dict[str, Any]:
        """
        What the television gets, once somebody has allowed it.
        """
        return self.program.post(
            "token",
            grant_type=DEVICE_GRANT,
            device_code=told["device_code"],
            client_id=self.clientId,
        )


class DeviceTests(DeviceTestCase):
    """
    It shows a code.
    """

    def test_allow(self) -> None:
        """
        Somebody types the code, sees whose it is, allows it, and the television reads mail (OA10;
        O 78).
        """
        told = self.begin()
        self.tab.visit(told["verification_uri"])
        self.signIn()
        self.assertEqual("Connect a device", self.tab.heading)
        self.look("device")
        self.tab.fill("#user_code", "bbbbbbbb")
        self.tab.press("Enter")
        self.assertIn("No device waits with this code.", self.tab.text)
        self.look("device-wrong")
        self.tab.fill("#user_code", told["user_code"].lower())
        self.tab.press("Enter")
        self.assertEqual("Is this your device?", self.tab.heading)
        self.assertIn("Television\n\nVerified by your administrator", self.tab.text)
        self.look("device-confirm")
        self.tab.click("button[value=allow]")
        self.assertEqual("Your device is connected", self.tab.heading)
        self.look("device-allowed")

        token = self.collect(told)["access_token"]
        [welcome] = self.inbox(ALICE)
        outcome = python(self.attempt("imaps", "OAUTHBEARER", token))
        self.assertEqual(Outcome(welcome), outcome)
        self.assertQuiet()

    def test_deny(self) -> None:
        """
        A link that brings the code along saves the typing, and nothing else (OA10; O 78).
        """
        told = self.begin()
        self.tab.visit(told["verification_uri_complete"])
        self.signIn()
        self.assertEqual("Connect a device", self.tab.heading)
        self.assertEqual(told["user_code"], self.fields()["user_code"])
        self.tab.press("Enter")
        self.assertEqual("Is this your device?", self.tab.heading)
        self.tab.click("button[value=deny]")
        self.assertEqual("Nothing was allowed", self.tab.heading)
        self.look("device-denied")
        self.assertQuiet()
