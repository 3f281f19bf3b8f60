"""
Tests for L{mailauth.oauth.tokens}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.tokens import AccessToken

ISSUER = "https://issuer.example"


def makeToken(issuer: str = ISSUER, **values: str | bool) -> AccessToken:
    """
    A token that says as little as it can.
    """
    return AccessToken(
        issuer=issuer,
        subject="1",
        owner="alice",
        scope=frozenset(),
        audience=frozenset(),
        expires=1.0,
        issued=0.0,
        **values,  # type: ignore[arg-type]  # the strings among them and the truth
    )


class AccessTokenTests(SynchronousTestCase):
    """
    What a revocation can name.
    """

    def test_tags(self) -> None:
        """
        A token dies with itself, its grant and its client.
        """
        token = makeToken(tokenId="t", grantId="g", clientId="c")

        self.assertEqual(
            token.tags, {f"token:{ISSUER}#t", f"grant:{ISSUER}#g", f"client:{ISSUER}#c"}
        )

    def test_external(self) -> None:
        """
        One of somebody else's issuer dies with whom it is about, too; one of our own is about an
        account, which has a tag of its own.
        """
        self.assertEqual(makeToken(external=True).tags, {f"subject:{ISSUER}#1"})
        other = makeToken("https://other.example", external=True)
        self.assertFalse(other.tags & makeToken(external=True).tags)

    def test_nothingToName(self) -> None:
        """
        A token that says none of these has no tags.
        """
        self.assertEqual(makeToken().tags, frozenset())

    def test_otherIssuer(self) -> None:
        """
        Two issuers may choose the same ids, and neither kills the other's tokens (TK14; O 31).
        """
        token = makeToken(tokenId="1", grantId="1", clientId="1")
        other = makeToken("https://other.example", tokenId="1", grantId="1", clientId="1")

        self.assertFalse(token.tags & other.tags)
