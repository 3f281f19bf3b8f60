"""
PLAIN and LOGIN.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.cred.credentials import IUsernamePassword
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.credentials import DelegatedPassword, UsernamePassword
from mailauth.errors import InvalidResponse, Refusal
from mailauth.interfaces import IDelegatedPassword, IMechanism
from mailauth.sasl.mechanism import Challenge
from mailauth.sasl.plain import LOGIN, PLAIN

WORDS = st.binary(min_size=1, max_size=40).filter(lambda word: b"\x00" not in word)


class PlainTests(SynchronousTestCase):
    """
    RFC 4616.
    """

    def test_ownAccount(self) -> None:
        """
        No authorization identity, or the holder's own, is an ordinary password login.
        """
        for message in (b"\x00alice\x00secret", b"alice\x00alice\x00secret"):
            credentials = PLAIN.step((message,))

            verifyObject(IUsernamePassword, credentials)
            assert isinstance(credentials, UsernamePassword)
            self.assertEqual((b"alice", b"secret"), (credentials.username, credentials.password))

    def test_otherAccount(self) -> None:
        """
        Another authorization identity is not dropped, and no checker that knows nothing of such
        identities is asked (SA1).
        """
        credentials = PLAIN.step((b"bob\x00alice\x00secret",))

        verifyObject(IDelegatedPassword, credentials)
        self.assertFalse(IUsernamePassword.providedBy(credentials))
        assert isinstance(credentials, DelegatedPassword)
        self.assertEqual(b"bob", credentials.authzid)

    def test_malformed(self) -> None:
        """
        No name, no password, too few parts or too many (PW3: a NUL ends nothing).
        """
        for message in (
            b"",
            b"\x00",
            b"alice",
            b"\x00alice",
            b"\x00alice\x00",
            b"\x00\x00secret",
            b"bob\x00\x00secret",
            b"\x00alice\x00sec\x00ret",
            b"\x00alice\x00secret\x00",
        ):
            with self.subTest(message):
                self.assertRaises(InvalidResponse, PLAIN.step, (message,))

    @given(st.one_of(st.just(b""), WORDS), WORDS, WORDS)
    def test_stepUndoesBuild(self, authzid: bytes, authcid: bytes, password: bytes) -> None:
        """
        Three parts without a NUL come out as they went in.
        """
        credentials = PLAIN.step((b"\x00".join((authzid, authcid, password)),))

        assert isinstance(credentials, UsernamePassword | DelegatedPassword)
        self.assertEqual((authcid, password), (credentials.username, credentials.password))
        if authzid not in (b"", authcid):
            assert isinstance(credentials, DelegatedPassword)
            self.assertEqual(authzid, credentials.authzid)

    @given(st.binary(max_size=60))
    def test_anyOctets(self, message: bytes) -> None:
        """
        No octets raise anything but L{InvalidResponse} (W13).
        """
        try:
            PLAIN.step((message,))
        except InvalidResponse:
            pass

    def test_silentAfterVerdict(self) -> None:
        """
        Neither PLAIN nor LOGIN has a word to say between the verdict and the failure.
        """
        for mechanism in (IMechanism(PLAIN), IMechanism(LOGIN)):
            self.assertIs(None, mechanism.refusal(Refusal(), "smtp"))

    def test_noPasswordInRepr(self) -> None:
        """
        The password is left out of C{repr} (LG1).
        """
        for message in (b"\x00alice\x00planted", b"bob\x00alice\x00planted"):
            self.assertNotIn("planted", repr(PLAIN.step((message,))))


class LoginTests(SynchronousTestCase):
    """
    The obsolete one that everybody speaks.
    """

    def test_prompts(self) -> None:
        """
        The prompts are those that clients compare.
        """
        self.assertEqual(Challenge(b"Username:"), LOGIN.step(()))
        self.assertEqual(Challenge(b"Password:"), LOGIN.step((b"alice",)))

    def test_credentials(self) -> None:
        """
        Name, then password.
        """
        credentials = LOGIN.step((b"alice", b"secret"))

        assert isinstance(credentials, UsernamePassword)
        self.assertEqual((b"alice", b"secret"), (credentials.username, credentials.password))

    def test_malformed(self) -> None:
        """
        Neither may be empty or hold a NUL (PW3).
        """
        for transcript in ((b"",), (b"al\x00ice",), (b"alice", b""), (b"alice", b"sec\x00ret")):
            with self.subTest(transcript):
                self.assertRaises(InvalidResponse, LOGIN.step, transcript)
