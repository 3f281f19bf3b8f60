"""
The RFCs' own examples, played against the mechanisms.
"""

from __future__ import annotations

from base64 import b64decode

from twisted.trial.unittest import SynchronousTestCase

from mailauth.credentials import BearerToken, DelegatedPassword, UsernamePassword
from mailauth.errors import InvalidToken, LoginError
from mailauth.sasl.exchange import Exchange
from mailauth.sasl.mechanism import Challenge
from mailauth.sasl.oauthbearer import XOAUTH2, OAuthBearer
from mailauth.sasl.plain import PLAIN
from mailauth.sasl.wire import encodeChallenge

from ..vectors import Transcript, transcripts

OAUTHBEARER = OAuthBearer(
    scope="example_scope",
    openidConfiguration="https://example.com/.well-known/openid-configuration",
)
MECHANISMS = {mechanism.name: mechanism for mechanism in (PLAIN, OAUTHBEARER, XOAUTH2)}


def play(transcript: Transcript) -> tuple[list[bytes], object]:
    """
    Run the exchange of an example.

    @return: the challenges, and what it ended with.
    """
    exchange = Exchange(MECHANISMS[transcript.mechanism], transcript.wire)
    responses = [encodeChallenge(response) for response in transcript.responses]
    challenges = []
    # An example whose first challenge is empty is one without an initial response.
    initial = None if transcript.challenges[:1] == (b"",) else responses.pop(0)
    try:
        step = exchange.begin(initial)
        while isinstance(step, Challenge):
            challenges.append(step.content)
            step = exchange.respond(responses.pop(0))
    except LoginError as error:
        return challenges, error
    return challenges, step


class VectorsTests(SynchronousTestCase):
    """
    Every transcript in C{tests/vectors}.
    """

    def test_thereAreSome(self) -> None:
        """
        Each of the sources that have transcripts is read.
        """
        sources = {transcript.source.partition(" section")[0] for transcript in transcripts()}

        self.assertEqual(
            {"RFC 4616", "RFC 4954", "RFC 4959", "RFC 5034", "RFC 7628"},
            {source for source in sources if source.startswith("RFC")},
        )

    def test_challenges(self) -> None:
        """
        The server says what the example's server says, octet for octet.
        """
        for transcript in transcripts():
            with self.subTest(transcript.source):
                challenges, _ = play(transcript)

                self.assertEqual(list(transcript.challenges), challenges)

    def test_passwords(self) -> None:
        """
        PLAIN's examples give the name, the password and the other account asked for.
        """
        for transcript in transcripts(mechanism=b"PLAIN"):
            with self.subTest(transcript.source):
                _, credentials = play(transcript)

                assert isinstance(credentials, UsernamePassword | DelegatedPassword)
                self.assertEqual(transcript.authcid, credentials.username)
                self.assertEqual(transcript.secret, credentials.password)
                self.assertEqual(transcript.authzid, getattr(credentials, "authzid", None))

    def test_tokens(self) -> None:
        """
        The bearer examples give the token and the account, or the verdict that the example has.
        """
        for transcript in transcripts(mechanism=b"OAUTHBEARER") + transcripts(mechanism=b"XOAUTH2"):
            with self.subTest(transcript.source):
                _, ending = play(transcript)

                if transcript.outcome == "refused":
                    self.assertIsInstance(ending, InvalidToken)
                else:
                    assert isinstance(ending, BearerToken)
                    self.assertEqual(transcript.secret, ending.token)
                    self.assertEqual(transcript.authzid, ending.authzid)

    def test_base64(self) -> None:
        """
        The base64 that an example prints decodes to what it says it does.
        """
        compared = 0
        for transcript in transcripts():
            for line in transcript.clientLines:
                encoded = line.rpartition(b" ")[2]
                if len(encoded) > 12:
                    self.assertIn(b64decode(encoded, validate=True), transcript.responses)
                    compared += 1

        self.assertEqual(10, compared)
