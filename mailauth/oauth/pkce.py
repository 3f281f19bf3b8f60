"""
Proof Key for Code Exchange (RFC 7636): owns what a code challenge and a code verifier look like.

There is C{S256} alone. C{plain} shows the verifier to whoever sees the authorization request, and
is what a client without C{code_challenge_method} asks for.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest

from .responses import OAuthError

# RFC 7636 section 4.1 and 4.2:
#
#   code-verifier = 43*128unreserved
#   unreserved    = ALPHA / DIGIT / "-" / "." / "_" / "~"
#
# A code challenge of S256 is a SHA-256 in base64url.
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")


def checkChallenge(challenge: str | None, method: str | None) -> str:
    """
    Whether an authorization request may go on with this code challenge.

    @return: the challenge.
    @raise OAuthError: it is missing or malformed, or the method is not C{S256}.
    """
    if challenge is None:
        raise OAuthError("invalid_request", "The parameter code_challenge is missing.")
    if method != "S256":
        raise OAuthError("invalid_request", "The code_challenge_method has to be S256.")
    if _CHALLENGE.fullmatch(challenge) is None:
        raise OAuthError("invalid_request", "The code_challenge is not one of S256.")
    return challenge


def challengeOf(codeVerifier: str) -> str:
    """
    The code challenge of a verifier (RFC 7636 section 4.2).

    @param codeVerifier: of ASCII.
    """
    made = urlsafe_b64encode(sha256(codeVerifier.encode("ascii")).digest())
    return made.rstrip(b"=").decode("ascii")


def verifyChallenge(codeChallenge: str | None, codeVerifier: str | None) -> None:
    """
    Return if whoever redeems the code is who asked for it (RFC 7636 section 4.6).

    @param codeChallenge: of the authorization request, C{None} where the client need not use PKCE.
    @raise OAuthError: he is not, or only one of the two is there: a verifier without a challenge
        tells that somebody took it out of the request (RFC 9700 section 2.1.1).
    """
    if codeChallenge is None and codeVerifier is None:
        return
    if codeChallenge is None or codeVerifier is None:
        raise OAuthError("invalid_grant", "The code needs code_challenge and code_verifier.")
    if _VERIFIER.fullmatch(codeVerifier) is None:
        raise OAuthError("invalid_grant", "The code_verifier is malformed.")
    if not compare_digest(challengeOf(codeVerifier), codeChallenge):
        raise OAuthError("invalid_grant", "The code_verifier is not that of the code_challenge.")
