"""
Tests of refresh tokens as text.
"""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.refreshtokens import PURPOSE, RefreshTokens, newGrantId
from mailauth.server.sealing import ServerSecret

SECRET = ServerSecret(b"k" * 32)
TOKENS = RefreshTokens(SECRET.sealer(PURPOSE))


class RefreshTokensTests(SynchronousTestCase):
    """
    L{RefreshTokens}.
    """

    def test_grantId(self) -> None:
        """
        A token says which grant it is of.
        """
        grantId = newGrantId()

        self.assertEqual(TOKENS.grantIdOf(TOKENS.first(grantId)), grantId)

    def test_unique(self) -> None:
        """
        No two families begin alike, and no two tokens of one are the same.
        """
        grantId = newGrantId()
        family = [TOKENS.first(grantId), TOKENS.first(grantId)]
        for _ in range(100):
            family.append(TOKENS.successor(family[-1]))

        self.assertEqual(len(set(family)), len(family))
        self.assertEqual({TOKENS.grantIdOf(token) for token in family}, {grantId})

    def test_successor(self) -> None:
        """
        Whoever asks twice for what follows a token is given the same (O 66).
        """
        token = TOKENS.first(newGrantId())

        self.assertEqual(TOKENS.successor(token), TOKENS.successor(token))

    def test_characters(self) -> None:
        """
        It needs no quoting in a form, a header or a file.
        """
        token = TOKENS.first(newGrantId())

        self.assertEqual(len(token), 64)
        self.assertLessEqual(set(token), set(string.ascii_letters + string.digits + "-_"))

    def test_otherKey(self) -> None:
        """
        What was made under another key is not ours.
        """
        others = RefreshTokens(ServerSecret(b"x" * 32).sealer(PURPOSE))

        self.assertIsNone(TOKENS.grantIdOf(others.first(newGrantId())))

    @given(st.integers(0, 63), st.sampled_from(string.ascii_letters + string.digits + "-_"))
    def test_changed(self, at: int, character: str) -> None:
        """
        There is one text for each token, and no other is ours.
        """
        token = TOKENS.first(newGrantId())
        changed = token[:at] + character + token[at + 1 :]

        self.assertEqual(TOKENS.grantIdOf(changed) is None, changed != token)

    @given(st.text())
    def test_garbage(self, text: str) -> None:
        """
        Whatever else somebody sends is none.
        """
        self.assertIsNone(TOKENS.grantIdOf(text))

    def test_secret(self) -> None:
        """
        The key is in no repr (LG1).
        """
        self.assertNotIn("key", repr(TOKENS))
