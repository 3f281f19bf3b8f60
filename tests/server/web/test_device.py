"""
Tests of the page for devices without a browser.
"""

from __future__ import annotations

from hashlib import sha256

from mailauth.oauth.records import DeviceCode

from .shown import Shown
from .world import ALICE, BOB, Browser, PagesCase


class DeviceTests(PagesCase):
    """
    A television shows a code.
    """

    def setUp(self) -> None:
        """
        It asked two minutes ago.
        """
        super().setUp()
        self.answer = self.wait(self.world.deviceAnswer())
        self.clock.advance(125)
        self.userCode = self.answer["user_code"]

    def device(self) -> DeviceCode:
        """
        What is known of it.
        """
        digest = sha256(self.answer["device_code"].encode("ascii")).digest()
        code = self.wait(self.world.stores.deviceCodes.find(digest))
        assert isinstance(code, DeviceCode)
        return code

    def enterCode(self, typed: str | None = None, account: str = ALICE) -> Shown:
        """
        Sign in, and type the code.
        """
        shown = self.browser.get("device")
        if shown.heading == "Sign in":
            shown = self.enter(shown, account)
        return self.browser.submit(shown, user_code=typed or self.userCode)

    def test_says(self) -> None:
        """
        Before anything is allowed the page says who asks, for what, from where, when, and as whom;
        and warns of whoever sent a code or a link (OA10; O 78).
        """
        shown = self.enterCode()

        self.assertEqual((200, "Is this your device?"), (shown.status, shown.heading))
        words = " ".join(shown.page.text.split())
        for said in (
            "If somebody sent you the code or a link, cancel.",
            "Television",
            "Not verified",
            "read, organize and delete your mail, and send mail as you",
            self.userCode,
            "198.51.100.7; you are at 192.168.1.1",
            "08:00 UTC, 2 min ago",
            ALICE,
            "when you take it away",
        ):
            self.assertIn(said, words)
        self.assertIsNone(self.device().grant)

    def test_here(self) -> None:
        """
        It says if the device is where its owner is.
        """
        self.answer = self.wait(self.world.deviceAnswer("192.168.1.1"))
        self.assertIn("192.168.1.1, as you are", self.enterCode(self.answer["user_code"]).page.text)

    def test_allow(self) -> None:
        """
        Who allows it is told to go back to the device, which has what it needs now.
        """
        shown = self.browser.submit(self.enterCode(), "allow")

        self.assertEqual((200, "Your device is connected"), (shown.status, shown.heading))
        grant = self.device().grant
        assert grant is not None
        self.assertEqual((ALICE, "television"), (grant.account, grant.clientId))

    def test_deny(self) -> None:
        """
        Who does not is told that nothing was.
        """
        shown = self.browser.submit(self.enterCode(), "deny")

        self.assertEqual((200, "Nothing was allowed"), (shown.status, shown.heading))
        self.assertTrue(self.device().denied)

    def test_complete(self) -> None:
        """
        An address that brings the code along saves typing it and nothing else: it is asked for,
        and then shown whose it is, all the same (RFC 8628 section 3.3.1; OA10; O 78).
        """
        address = self.answer["verification_uri_complete"].removeprefix(f"{self.issuer}/")
        shown = self.enter(self.browser.get(address))

        self.assertEqual("Connect a device", shown.heading)
        self.assertEqual(self.userCode, shown.page.forms[0].fields["user_code"])
        self.assertEqual("Connect a device", self.browser.get(address).heading)
        shown = self.browser.submit(shown)
        self.assertEqual("Is this your device?", shown.heading)
        self.assertIsNone(self.device().grant)

    def test_odd(self) -> None:
        """
        An address that brings along what is no code brings nothing along.
        """
        for odd in ("x", "AAAA-AAAA", "//evil.example", "%22%3E", "x" * 2000):
            self.setUp()
            shown = self.enter(self.browser.get(f"device?user_code={odd}"))

            self.assertEqual("Connect a device", shown.heading)
            self.assertEqual("", shown.page.forms[0].fields["user_code"])

    def test_unseen(self) -> None:
        """
        Nobody decides about a code whose device he was not shown: not with the form that asks for
        the code, not with the one that shows another device (OA10; O 78, O 49).
        """
        other = self.wait(self.world.deviceAnswer())["user_code"]
        asking = self.enter(self.browser.get("device"))
        showing = self.browser.submit(asking, user_code=other)

        for shown in (asking, showing):
            fields = shown.page.forms[0].fields
            posted = {**fields, "user_code": self.userCode, "decision": "allow"}
            answer = self.browser.post("device", posted)
            self.assertEqual(
                (403, "This form was not sent from here"), (answer.status, answer.heading)
            )
        self.assertIsNone(self.device().grant)

    def test_wrong(self) -> None:
        """
        A code that no device shows is said to be wrong, and another can be typed.
        """
        shown = self.enterCode("BBBB-BBBB")

        self.assertEqual((403, "Connect a device"), (shown.status, shown.heading))
        self.assertIn("No device waits with this code.", shown.page.text)
        self.assertEqual("BBBB-BBBB", shown.page.forms[0].fields["user_code"])
        shown = self.browser.submit(shown, user_code=self.userCode.replace("-", "").lower())
        self.assertEqual("Is this your device?", shown.heading)

    def test_guessing(self) -> None:
        """
        Who guesses has to wait (O 76).
        """
        shown = self.enterCode("BBBB-BBBB")
        for _ in range(5):
            shown = self.browser.submit(shown, user_code="BBBB-BBBC")

        self.assertEqual((429, "Connect a device"), (shown.status, shown.heading))
        self.assertIn("Wait a minute", shown.page.text)
        self.clock.advance(61)
        self.assertEqual("Is this your device?", self.enterCode().heading)

    def test_guessingElsewhere(self) -> None:
        """
        And who signs in anew guesses no more: he would use up what all may guess (O 76, PW8).
        """
        shown = self.enterCode("BBBB-BBBB")
        for _ in range(5):
            shown = self.browser.submit(shown, user_code="BBBB-BBBC")
        self.browser = Browser(self.world)

        self.assertEqual(429, self.enterCode().status)
        self.browser = Browser(self.world)
        self.assertEqual("Is this your device?", self.enterCode(account=BOB).heading)

    def test_late(self) -> None:
        """
        What somebody else decided first, or nobody in time, is decided.
        """
        first, second = self.enterCode(), self.enterCode()
        self.browser.submit(first, "deny")
        self.assertEqual(403, self.browser.submit(second, "allow").status)
        self.assertTrue(self.device().denied)

    def test_otherPerson(self) -> None:
        """
        The form that one person was shown decides nothing for another (O 49, O 51).
        """
        shown = self.enterCode()
        self.enter(self.browser.get("signin"), BOB)

        self.assertEqual(403, self.browser.submit(shown, "allow").status)
        self.assertIsNone(self.device().grant)

    def test_nobody(self) -> None:
        """
        Whoever is not signed in any more signs in again, and decides then.
        """
        shown = self.enterCode()
        self.browser.submit(self.browser.get("signout"), "out")

        shown = self.enter(self.browser.submit(shown, "allow"))
        self.assertEqual("Connect a device", shown.heading)
        self.assertEqual(self.userCode, shown.page.forms[0].fields["user_code"])
        self.assertIsNone(self.device().grant)
