"""
Tests of how a token is printed.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.credentials import BearerToken
from mailauth.sasl.oauthbearer import OAUTHBEARER, XOAUTH2
from mailauth.tokenclient.command import mailAddress
from mailauth.tokenclient.formats import FORMATS

NAME = "alice@example.test"


class FormatsTests(SynchronousTestCase):
    """
    Each format.
    """

    def test_printed(self) -> None:
        """
        They are what the mechanisms and the programs want.
        """
        self.assertEqual("t0k.en", FORMATS["plain"](NAME, "t0k.en"))
        self.assertEqual(
            b"user=alice@example.test\x01auth=Bearer t0k.en\x01\x01",
            b64decode(FORMATS["xoauth2"](NAME, "t0k.en"), validate=True),
        )
        self.assertEqual(
            b"n,a=alice@example.test,\x01auth=Bearer t0k.en\x01\x01",
            b64decode(FORMATS["oauthbearer"](NAME, "t0k.en"), validate=True),
        )
        self.assertEqual(
            'user = "al\\\\i\\"ce@example.test"\noauth2-bearer = "t0k.en"',
            FORMATS["curl"]('al\\i"ce@example.test', "t0k.en"),
        )

    @given(st.emails(), st.from_regex(r"[A-Za-z0-9._~+/-]{1,50}=*", fullmatch=True))
    def test_understood(self, address: str, token: str) -> None:
        """
        Our own mechanisms read out of it what was put into it.
        """
        for name, mechanism in (("xoauth2", XOAUTH2), ("oauthbearer", OAUTHBEARER)):
            credentials = mechanism.step((b64decode(FORMATS[name](address, token)),))

            assert isinstance(credentials, BearerToken)
            self.assertEqual(address.encode(), credentials.authzid)
            self.assertEqual(token.encode(), credentials.token)

    def test_mailAddress(self) -> None:
        """
        An address is one line of one word.
        """
        for good in ("alice@example.test", "a+b=c@d", "ä@grün.example", "a,b@c"):
            self.assertEqual(good, mailAddress(good))
        for bad in ("", "alice", "@a", "a@", "a@b@c", "a b@c", "a@b\n", "a\x01@b", "a@b/c", 'a"@b'):
            self.assertRaises(ArgumentTypeError, mailAddress, bad)
