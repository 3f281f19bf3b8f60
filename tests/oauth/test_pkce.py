"""
Tests for L{mailauth.oauth.pkce}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.pkce import checkChallenge, verifyChallenge
from mailauth.oauth.responses import OAuthError

# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

# The SHA-256 of 128 letters a.
LONGEST = "a" * 128
OF_LONGEST = "aDbPE7rEAOkQUHHNavRwhN-srU5eMCyUv-0k4BOvtz4"


class ChallengeTests(SynchronousTestCase):
    """
    The authorization request.
    """

    def test_accepted(self) -> None:
        """
        A challenge of S256 is taken, and given back (O 38).
        """
        self.assertEqual(CHALLENGE, checkChallenge(CHALLENGE, "S256"))

    def test_refused(self) -> None:
        """
        One that is missing, plain, short, long or of other characters is not; nor is one without
        a method, which would mean C{plain} (OA2; O 38).
        """
        cases = [
            (None, None),
            (None, "S256"),
            (CHALLENGE, None),
            (CHALLENGE, "plain"),
            (CHALLENGE, "s256"),
            (CHALLENGE, "S256 "),
            (VERIFIER, "plain"),
            (CHALLENGE[:-1], "S256"),
            (CHALLENGE + "A", "S256"),
            (CHALLENGE + "=", "S256"),
            (CHALLENGE + "\n", "S256"),
            (CHALLENGE[:-1] + "+", "S256"),
            (CHALLENGE[:-1] + "~", "S256"),
            (CHALLENGE[:-1] + "\u0663", "S256"),
        ]
        for challenge, method in cases:
            with self.subTest(challenge=challenge, method=method):
                error = self.assertRaises(OAuthError, checkChallenge, challenge, method)
                self.assertEqual("invalid_request", error.code)


class VerifierTests(SynchronousTestCase):
    """
    The token request.
    """

    def test_vector(self) -> None:
        """
        The example of RFC 7636 appendix B (O 38).
        """
        verifyChallenge(CHALLENGE, VERIFIER)

    def test_longest(self) -> None:
        """
        A verifier may have 128 characters, and any of the unreserved ones.
        """
        verifyChallenge(OF_LONGEST, LONGEST)
        verifyChallenge("lK2NFO4fUsSGSxx7eD9ozetZRvfDEp9wtnPrjHKcyXE", "-._~" * 11)

    def test_notUsed(self) -> None:
        """
        A client that need not use PKCE, and did not, may go on.
        """
        verifyChallenge(None, None)

    def test_refused(self) -> None:
        """
        Another verifier is refused, as are none, a challenge that was taken out of the request or
        swapped, and whatever is not written as RFC 7636 says, with a line feed at its end for
        instance (OA2; O 38).
        """
        cases = [
            (CHALLENGE, None),
            (CHALLENGE, ""),
            (None, VERIFIER),
            (CHALLENGE, CHALLENGE),
            (VERIFIER, VERIFIER),
            (OF_LONGEST, VERIFIER),
            (CHALLENGE, VERIFIER[:-1]),
            (CHALLENGE, VERIFIER[:42]),
            (CHALLENGE, VERIFIER + "\n"),
            (CHALLENGE, VERIFIER + "="),
            (CHALLENGE, " " + VERIFIER),
            (OF_LONGEST, LONGEST + "a"),
            (CHALLENGE, VERIFIER[:-1] + "\u00e4"),
        ]
        for challenge, verifier in cases:
            with self.subTest(challenge=challenge, verifier=verifier):
                error = self.assertRaises(OAuthError, verifyChallenge, challenge, verifier)
                self.assertEqual("invalid_grant", error.code)

    @given(st.text())
    def test_anyText(self, text: str) -> None:
        """
        Whatever comes, it is refused in the same way.
        """
        error = self.assertRaises(OAuthError, verifyChallenge, CHALLENGE, text)
        self.assertEqual("invalid_grant", error.code)
