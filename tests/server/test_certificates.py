"""
Tests of the demo's certificate authority.
"""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.certificates import DAYS, makeCertificates
from mailauth.server.tls import ReloadableContext

from .deployment import NAMES, makeDirectory
from .test_tls import Conversation


class MakeCertificatesTests(SynchronousTestCase):
    """
    An authority for one certificate.
    """

    def setUp(self) -> None:
        """
        Make them.
        """
        self.directory = makeDirectory(self)
        self.now = datetime.now(UTC).replace(microsecond=0)
        makeCertificates(self.directory, NAMES, self.now)

    def certificate(self, name: str) -> x509.Certificate:
        """
        Read one of the two.
        """
        return x509.load_pem_x509_certificate((self.directory / name).read_bytes())

    def test_names(self) -> None:
        """
        A client that trusts the authority and verifies as strictly as it can takes the server for
        each of its names, and for no other.
        """
        context = ReloadableContext(self.directory / "server.pem", self.directory / "server.key")
        client = ssl.create_default_context(cafile=str(self.directory / "ca.pem"))
        client.verify_flags |= ssl.VERIFY_X509_STRICT

        for name in NAMES:
            Conversation(context, client, name=name)

        for name in ("example.test", "imap.localhost", "127.0.0.2", "::2"):
            error = self.assertRaises(
                ssl.SSLCertVerificationError, Conversation, context, client, name=name
            )
            self.assertIn("mismatch", str(error))

    def test_strangers(self) -> None:
        """
        Nobody else trusts it.
        """
        context = ReloadableContext(self.directory / "server.pem", self.directory / "server.key")

        self.assertRaises(
            ssl.SSLCertVerificationError, Conversation, context, ssl.create_default_context()
        )

    def test_secrets(self) -> None:
        """
        The server's key is readable for its owner alone (OA17), and the authority's own key is
        kept nowhere.
        """
        self.assertEqual(
            sorted(path.name for path in self.directory.iterdir()),
            ["ca.pem", "server.key", "server.pem"],
        )
        mode = (self.directory / "server.key").stat().st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        key = load_pem_private_key((self.directory / "server.key").read_bytes(), None)
        server, authority = self.certificate("server.pem"), self.certificate("ca.pem")
        self.assertEqual(key.public_key(), server.public_key())
        self.assertNotEqual(key.public_key(), authority.public_key())

    def test_purpose(self) -> None:
        """
        The server's certificate signs no others, and the authority only ones that do not.
        """
        server, authority = (
            self.certificate(name).extensions.get_extension_for_class(x509.BasicConstraints).value
            for name in ("server.pem", "ca.pem")
        )

        self.assertFalse(server.ca)
        self.assertEqual((authority.ca, authority.path_length), (True, 0))

    def test_time(self) -> None:
        """
        They are good from an hour ago, for clocks that differ, and for no longer than mail
        programs accept.
        """
        for name in ("server.pem", "ca.pem"):
            certificate = self.certificate(name)
            begin = self.now - timedelta(hours=1)
            self.assertEqual(certificate.not_valid_before_utc, begin)
            self.assertEqual(certificate.not_valid_after_utc, begin + timedelta(days=DAYS))
