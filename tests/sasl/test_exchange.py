"""
The loop that drives any mechanism.
"""

from __future__ import annotations

import json
from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st
from twisted.cred.credentials import ICredentials
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailauth.credentials import BearerToken, UsernamePassword
from mailauth.errors import (
    Cancelled,
    ExpiredToken,
    InsufficientScope,
    InvalidRequest,
    InvalidResponse,
    InvalidToken,
    LoginError,
    Outage,
    Refusal,
)
from mailauth.interfaces import IMechanism
from mailauth.sasl.exchange import MAX_RESPONSES, Exchange
from mailauth.sasl.mechanism import Challenge
from mailauth.sasl.oauthbearer import OAUTHBEARER, XOAUTH2
from mailauth.sasl.plain import LOGIN, PLAIN

GOOD = b64encode(b"n,a=alice,\x01auth=Bearer t\x01\x01")


@implementer(IMechanism)
class Endless:
    """
    A mechanism that has always another question.
    """

    name = b"ENDLESS"
    revealing = False

    def step(self, transcript: tuple[bytes, ...]) -> Challenge | ICredentials:
        """
        Ask again.
        """
        return Challenge(b"and then?")

    def refusal(self, error: Refusal, service: str) -> bytes | None:
        """
        Never comes to that.
        """


class ExchangeTests(SynchronousTestCase):
    """
    L{Exchange}.
    """

    def test_interface(self) -> None:
        """
        Every mechanism provides what the loop asks for.
        """
        for mechanism in (OAUTHBEARER, XOAUTH2, PLAIN, LOGIN, Endless()):
            verifyObject(IMechanism, mechanism)

    def test_absentInitialResponse(self) -> None:
        """
        A client that sends no initial response is asked for one by an empty challenge (SA4).
        """
        for mechanism in (OAUTHBEARER, XOAUTH2, PLAIN):
            exchange = Exchange(mechanism, "imap")

            self.assertEqual(Challenge(b""), exchange.begin(None))
            self.assertFalse(exchange.refused)

    def test_emptyInitialResponse(self) -> None:
        """
        One that sends an empty response has spoken, and said nothing that can be read (SA4).
        """
        with self.assertRaises(InvalidResponse):
            Exchange(PLAIN, "imap").begin(b"=")
        with self.assertRaises(InvalidRequest):
            Exchange(XOAUTH2, "imap").begin(b"=")

    def test_initialResponse(self) -> None:
        """
        One that speaks at once is not asked.
        """
        credentials = Exchange(OAUTHBEARER, "imap").begin(GOOD)

        assert isinstance(credentials, BearerToken)
        self.assertEqual((b"t", b"alice", None), (credentials.token, credentials.authzid, None))

    def test_laterResponse(self) -> None:
        """
        The answer to the empty challenge reads as an initial response would.
        """
        exchange = Exchange(OAUTHBEARER, "imap")
        exchange.begin(None)

        credentials = exchange.respond(GOOD)

        assert isinstance(credentials, BearerToken)
        self.assertEqual(b"t", credentials.token)

    def test_cancelEverywhere(self) -> None:
        """
        An asterisk cancels at every point before the verdict (SA4).
        """
        self.assertRaises(Cancelled, Exchange(LOGIN, "smtp").begin, b"*")
        exchange = Exchange(LOGIN, "smtp")
        exchange.begin(None)
        exchange.respond(b64encode(b"alice"))
        self.assertRaises(Cancelled, exchange.respond, b"*")

    def test_endless(self) -> None:
        """
        A mechanism that goes round in circles is stopped.
        """
        exchange = Exchange(Endless(), "imap")
        exchange.begin(None)
        for _ in range(MAX_RESPONSES):
            exchange.respond(b"")

        self.assertRaises(InvalidResponse, exchange.respond, b"")

    def test_oneRoundAfterRefusal(self) -> None:
        """
        A refused OAUTHBEARER gets the document, and whatever answers it ends the exchange with
        that refusal and no other (RFC 7628 section 3.2.3).
        """
        for answer in (b"AQ==", b"", b"*", b"=", GOOD, b"a2 AUTHENTICATE XOAUTH2", b"\x01a2 NOOP"):
            with self.subTest(answer):
                exchange = Exchange(OAUTHBEARER, "imap")
                exchange.begin(GOOD)
                refusal = InvalidToken("revoked")

                challenge = exchange.fail(refusal)

                self.assertEqual("invalid_token", json.loads(challenge.content)["status"])
                self.assertTrue(exchange.refused)
                error = self.assertRaises(InvalidToken, exchange.respond, answer)
                self.assertIs(refusal, error)

    def test_malformedMessageIsRefused(self) -> None:
        """
        A message that does not follow its grammar is refused by a document too.
        """
        challenge = Exchange(OAUTHBEARER, "pop3").begin(b64encode(b"\x01"))

        assert isinstance(challenge, Challenge)
        self.assertEqual("invalid_request", json.loads(challenge.content)["status"])

    def test_outageIsNoRefusal(self) -> None:
        """
        No document is sent for an outage: it would say that the token is bad.
        """
        for mechanism in (OAUTHBEARER, XOAUTH2, PLAIN, LOGIN):
            exchange = Exchange(mechanism, "smtp")

            self.assertRaises(Outage, exchange.fail, Outage("the store is down"))
            self.assertFalse(exchange.refused)

    def test_passwordsAreRefusedAtOnce(self) -> None:
        """
        PLAIN and LOGIN say nothing between the verdict and the failure.
        """
        for mechanism in (PLAIN, LOGIN):
            self.assertRaises(Refusal, Exchange(mechanism, "smtp").fail, Refusal())

    def test_xoauth2ByService(self) -> None:
        """
        A refused XOAUTH2 gets the document on SMTP, and is refused at once on IMAP and POP3,
        where some clients would hang on it.
        """
        for service in ("imap", "pop3"):
            self.assertRaises(InvalidToken, Exchange(XOAUTH2, service).fail, InvalidToken())
        challenge = Exchange(XOAUTH2, "smtp").fail(InvalidToken())
        self.assertEqual("400", json.loads(challenge.content)["status"])

    def test_noStateIsShared(self) -> None:
        """
        Two exchanges of one mechanism know nothing of each other (SA3, SA5).
        """
        first, second = Exchange(LOGIN, "imap"), Exchange(LOGIN, "imap")
        first.begin(b64encode(b"alice"))
        second.begin(b64encode(b"bob"))

        alice, bob = first.respond(b64encode(b"a")), second.respond(b64encode(b"b"))

        assert isinstance(alice, UsernamePassword)
        assert isinstance(bob, UsernamePassword)
        self.assertEqual((b"alice", b"a"), (alice.username, alice.password))
        self.assertEqual((b"bob", b"b"), (bob.username, bob.password))

    @given(
        st.sampled_from([OAUTHBEARER, XOAUTH2, PLAIN, LOGIN]),
        st.lists(
            st.one_of(
                st.binary(max_size=60),
                st.binary(max_size=60).map(b64encode),
                st.sampled_from([b"*", b"=", b"", GOOD, b64encode(b"\0a\0b")]),
            ),
            max_size=6,
        ),
    )
    def test_anything(self, mechanism: IMechanism, lines: list[bytes]) -> None:
        """
        Whatever a client says, the exchange challenges, gives credentials or ends by one of the
        documented errors (W13).
        """
        exchange = Exchange(mechanism, "smtp")
        try:
            step = exchange.begin(None)
            for line in lines:
                if not isinstance(step, Challenge):
                    self.assertTrue(ICredentials.providedBy(step))
                    break
                step = exchange.respond(line)
        except LoginError as error:
            self.assertIsInstance(
                error, InvalidResponse | InvalidRequest | InvalidToken | Cancelled
            )


class DocumentTests(SynchronousTestCase):
    """
    The members of the error document (RFC 7628 section 3.2.2), through the loop.
    """

    def test_statusOfEachRefusal(self) -> None:
        """
        Every refusal has its status in both dialects.
        """
        table: list[tuple[Refusal, str, str]] = [
            (InvalidToken(), "invalid_token", "400"),
            (ExpiredToken(), "invalid_token", "400"),
            (InvalidRequest(), "invalid_request", "400"),
            (InsufficientScope(), "insufficient_scope", "403"),
        ]
        for error, oauthbearer, xoauth2 in table:
            for mechanism, status in ((OAUTHBEARER, oauthbearer), (XOAUTH2, xoauth2)):
                with self.subTest(mechanism.name, error=error):
                    document = json.loads(Exchange(mechanism, "smtp").fail(error).content)

                    self.assertEqual(status, document["status"])
