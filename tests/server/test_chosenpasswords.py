"""
Tests for L{mailauth.server.chosenpasswords}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.passwords import UnusablePassword
from mailauth.server.chosenpasswords import TooCommon, TooShort, checkOwnChoice

ACCOUNT, HOST = "bob.meyer@mail.example.test", "mail.example.test"


class OwnChoiceTests(SynchronousTestCase):
    """
    L{checkOwnChoice}.
    """

    def refused(self, error: type[UnusablePassword], password: str) -> None:
        """
        A password may not be chosen.
        """
        with self.subTest(password):
            raised = self.assertRaises(error, checkOwnChoice, password, ACCOUNT, HOST)
            self.assertIs(error, type(raised))

    def test_good(self) -> None:
        """
        Anything else may, of any characters, and nobody is made to add a digit.
        """
        for password in (
            "abandoned",
            "three words more",
            "длинный пароль",
            "sunshine on my desk",
            "12 monkeys and a dragon",
            "kx8#mq2!",
            "q" * 35 + "ab" + "z" * 35,
            "🐢🐇🐢🐇 and so on",
        ):
            checkOwnChoice(password, ACCOUNT, HOST)

    def test_unusable(self) -> None:
        """
        What cannot be set at all is not set here, either (PW1, PW3).
        """
        for password in ("", "é" * 37, "a good one\0not looked at"):
            self.refused(UnusablePassword, password)

    def test_short(self) -> None:
        """
        Eight characters are the fewest, however many octets they have.
        """
        for password in ("kx8#mq2", "длинный"):
            self.refused(TooShort, password)

    def test_common(self) -> None:
        """
        What everybody tries first is refused, in capitals and with digits and signs around it, too.
        """
        for password in (
            "password",
            "Passw0rd",
            "12345678",
            "QWERTYUIOP",
            "!!Dragon2027",
            "sunshine1",
            "aaaaaaaa",
            "1212121212",
        ):
            self.refused(TooCommon, password)

    def test_names(self) -> None:
        """
        So are the names that anybody knows.
        """
        for password in (ACCOUNT, "Bob.Meyer", "bob.meyer1", HOST, "mail.example.test!"):
            self.refused(TooCommon, password)
