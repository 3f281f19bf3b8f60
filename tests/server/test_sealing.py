"""
Tests of what the server seals, and of its key file.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.sealing import (
    KEY_OCTETS,
    CannotUnseal,
    ServerSecret,
    UnusableKeyFile,
    digestOf,
    readKeyFile,
)

from .deployment import makeDirectory

SECRET = ServerSecret(b"\1" * KEY_OCTETS)
SEALER = SECRET.sealer("this")
NOW = 1_800_000_000.0


class SealerTests(SynchronousTestCase):
    """
    Sealing.
    """

    @given(st.binary(max_size=100), st.binary(max_size=20))
    def test_undone(self, octets: bytes, context: bytes) -> None:
        """
        What is sealed comes back, and never looks the same twice.
        """
        sealed = SEALER.seal(octets, context)

        self.assertEqual(SEALER.unseal(sealed, context), octets)
        self.assertNotEqual(SEALER.seal(octets, context), sealed)

    @given(st.binary(max_size=80))
    def test_noise(self, octets: bytes) -> None:
        """
        No octets raise anything but L{CannotUnseal}.
        """
        self.assertRaises(CannotUnseal, SEALER.unseal, octets)

    @given(st.text(max_size=80))
    def test_noiseAsText(self, text: str) -> None:
        """
        Nor does any text.
        """
        self.assertRaises(CannotUnseal, SEALER.unsealMembers, text, NOW)

    def test_changed(self) -> None:
        """
        One bit of it changed, another context, another purpose or another key file: not opened.
        """
        sealed = SEALER.seal(b"secret", b"browser 1")
        tampered = bytes((*sealed[:-1], sealed[-1] ^ 1))

        self.assertRaises(CannotUnseal, SEALER.unseal, tampered, b"browser 1")
        self.assertRaises(CannotUnseal, SEALER.unseal, sealed, b"browser 2")
        self.assertRaises(CannotUnseal, SECRET.sealer("that").unseal, sealed, b"browser 1")
        other = ServerSecret(b"\2" * KEY_OCTETS).sealer("this")
        self.assertRaises(CannotUnseal, other.unseal, sealed, b"browser 1")

    def test_members(self) -> None:
        """
        Members are opened until they expire, and are text for an address.
        """
        sealed = SEALER.sealMembers({"account": "älice"}, NOW + 60, b"b")

        self.assertRegex(sealed, r"\A[A-Za-z0-9_-]+\Z")
        self.assertEqual(SEALER.unsealMembers(sealed, NOW + 59, b"b"), {"account": "älice"})
        self.assertRaises(CannotUnseal, SEALER.unsealMembers, sealed, NOW + 60, b"b")
        self.assertRaises(CannotUnseal, SEALER.unsealMembers, sealed, NOW, b"c")

    def test_secrets(self) -> None:
        """
        No key is in a repr.
        """
        for shown in (repr(SECRET), repr(SEALER)):
            self.assertNotIn("x01", shown)

    def test_digest(self) -> None:
        """
        A digest of two parts is not that of the same letters cut elsewhere.
        """
        self.assertNotEqual(digestOf("ab", "c"), digestOf("a", "bc"))
        self.assertEqual(len(digestOf("a")), 32)


class KeyFileTests(SynchronousTestCase):
    """
    The key file.
    """

    def setUp(self) -> None:
        """
        A directory for it.
        """
        self.directory = makeDirectory(self)
        self.path = self.directory / "key"

    def test_made(self) -> None:
        """
        It is made once, for its owner alone, and leaves nothing else behind.
        """
        first = readKeyFile(self.path)

        self.assertEqual(readKeyFile(self.path), first)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertEqual([each.name for each in self.directory.iterdir()], ["key"])
        self.assertNotEqual(readKeyFile(self.directory / "other"), first)

    def test_open(self) -> None:
        """
        One that others may read is not used; the error says what to do.
        """
        readKeyFile(self.path)
        self.path.chmod(0o640)

        error = self.assertRaises(UnusableKeyFile, readKeyFile, self.path)

        self.assertIn("chmod 600", str(error))

    def test_damaged(self) -> None:
        """
        Neither is one that holds something else, whose content is not shown.
        """
        for content in (b"", b"ab" * 31, b"ab" * 33, b"secret" * 10, b"\xff" * 64):
            self.path.write_bytes(content)
            self.path.chmod(0o600)

            error = self.assertRaises(UnusableKeyFile, readKeyFile, self.path)

            self.assertIn("backup", str(error))
            self.assertNotIn("secret", str(error))

    def test_elsewhere(self) -> None:
        """
        A link is not followed, and where none can be made the error says so.
        """
        real = self.directory / "real"
        readKeyFile(real)
        self.path.symlink_to(real)

        self.assertRaises(UnusableKeyFile, readKeyFile, self.path)
        error = self.assertRaises(UnusableKeyFile, readKeyFile, self.directory / "no" / "key")
        self.assertIn("cannot be made", str(error))
