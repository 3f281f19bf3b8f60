"""
Tests of the certificate and its context.
"""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.protocols.wire import Echo
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.server.certificates import makeCertificates
from mailauth.server.tls import ReloadableContext, UnusableCertificate

from .deployment import makeDirectory

T = TypeVar("T")


class Conversation:
    """
    A TLS client and a server with nothing but memory between them.
    """

    def __init__(
        self,
        context: ReloadableContext,
        client: ssl.SSLContext,
        session: ssl.SSLSession | None = None,
        name: str = "localhost",
    ) -> None:
        factory = ServerFactory()
        factory.noisy = False
        factory.protocol = Echo
        self._clock = Clock()
        wrapped = TLSMemoryBIOFactory(context, False, factory, self._clock)
        self._server = wrapped.buildProtocol(None)
        self._transport = StringTransport()
        self._server.makeConnection(self._transport)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(
            self._incoming, self._outgoing, server_hostname=name, session=session
        )
        self._until(self.client.do_handshake)

    def echo(self, octets: bytes) -> bytes:
        """
        Send something, and read what comes back.
        """
        self.client.write(octets)
        return self._until(self.client.read)

    def certificate(self) -> bytes:
        """
        What the server showed.
        """
        certificate = self.client.getpeercert(binary_form=True)
        assert certificate is not None
        return certificate

    def _until(self, step: Callable[[], T]) -> T:
        """
        Carry octets to and fro until the client has what it needs.
        """
        for _ in range(10):
            try:
                return step()
            except ssl.SSLWantReadError:
                if self._outgoing.pending:
                    self._server.dataReceived(self._outgoing.read())
                self._clock.advance(1)
                self._incoming.write(self._transport.value())
                self._transport.clear()
        raise AssertionError("the handshake does not end")


class ReloadableContextTests(SynchronousTestCase):
    """
    One context, which can be replaced while it is used.
    """

    def setUp(self) -> None:
        """
        A certificate.
        """
        self.directory = makeDirectory(self)
        self.certificate = self.directory / "server.pem"
        self.key = self.directory / "server.key"
        makeCertificates(self.directory, ["localhost"])
        self.context = ReloadableContext(self.certificate, self.key)

    def talk(self) -> Conversation:
        """
        Connect, trusting the authority that is there now.
        """
        trusting = ssl.create_default_context(cafile=str(self.directory / "ca.pem"))
        return Conversation(self.context, trusting)

    def shown(self) -> bytes:
        """
        The certificate that a new connection is shown, whoever vouches for it.
        """
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        return Conversation(self.context, trusting).certificate()

    def load(self) -> None:
        """
        Use what the files hold.
        """
        self.context.load(self.certificate, self.key)

    def refuses(self, says: str) -> None:
        """
        What the files hold cannot be used, and what was there before stays.
        """
        before = self.shown()

        error = self.assertRaises(UnusableCertificate, self.load)

        self.assertEqual(str(error), says)
        self.assertEqual(self.shown(), before)

    def test_interface(self) -> None:
        """
        Twisted takes it for implicit TLS and for STARTTLS.
        """
        self.assertTrue(verifyObject(IOpenSSLServerConnectionCreator, self.context))

    def test_handshake(self) -> None:
        """
        A client that verifies is let in, by TLS 1.3 if it speaks that.
        """
        conversation = self.talk()

        self.assertEqual(conversation.client.version(), "TLSv1.3")
        self.assertEqual(conversation.echo(b"hello"), b"hello")

    def test_oldVersions(self) -> None:
        """
        TLS 1.2 is spoken, and nothing older.
        """
        for version, refused in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_1, True)):
            client = ssl.create_default_context(cafile=str(self.directory / "ca.pem"))
            # Otherwise it is this client that refuses.
            client.set_ciphers("DEFAULT:@SECLEVEL=0")
            client.minimum_version = ssl.TLSVersion.TLSv1
            client.maximum_version = version
            if refused:
                self.assertRaises(ssl.SSLError, Conversation, self.context, client)
            else:
                self.assertEqual(Conversation(self.context, client).client.version(), "TLSv1.2")

    def test_resumption(self) -> None:
        """
        A client that comes back needs no whole handshake.
        """
        client = ssl.create_default_context(cafile=str(self.directory / "ca.pem"))
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        first = Conversation(self.context, client)
        session = first.client.session

        again = Conversation(self.context, client, session)

        self.assertTrue(again.client.session_reused)

    def test_chain(self) -> None:
        """
        The certificates behind the server's own are sent along.
        """
        authority = (self.directory / "ca.pem").read_bytes()
        self.certificate.write_bytes(self.certificate.read_bytes() + authority)
        self.load()

        chain = self.talk().client._sslobj.get_unverified_chain()  # type: ignore[attr-defined]

        self.assertEqual(len(chain), 2)

    def test_reload(self) -> None:
        """
        New connections get the new certificate, and open ones go on with theirs.
        """
        before = self.talk()
        makeCertificates(self.directory, ["localhost"])
        self.load()

        after = self.talk()

        self.assertNotEqual(after.certificate(), before.certificate())
        self.assertEqual(before.echo(b"still here"), b"still here")

    def test_elsewhere(self) -> None:
        """
        The new files may have other names.
        """
        other = makeDirectory(self)
        makeCertificates(other, ["localhost"])
        before = self.shown()

        self.context.load(other / "server.pem", other / "server.key")

        self.assertNotEqual(self.shown(), before)

    def verified(self, signed: bytes) -> tuple[int, bytes]:
        """
        What OpenSSL finds inside a signature that the authority of now vouches for, and its status.
        """
        finished = subprocess.run(
            (
                *("openssl", "smime", "-verify", "-inform", "DER", "-binary", "-purpose", "any"),
                *("-CAfile", str(self.directory / "ca.pem")),
            ),
            input=signed,
            capture_output=True,
            check=False,
        )
        return finished.returncode, finished.stdout

    def test_sign(self) -> None:
        """
        What is signed is whole, and verified by OpenSSL with the authority of the certificate
        alone, for its chain comes along; once another certificate is loaded, by that one's.
        """
        for _ in range(2):
            signed = self.context.sign(b"a\r\nprofile\n")
            self.assertEqual((0, b"a\r\nprofile\n"), self.verified(signed))
            self.assertNotEqual(0, self.verified(signed.replace(b"profile", b"pr0file"))[0])
            makeCertificates(self.directory, ["localhost"])
            self.load()
            self.assertNotEqual(0, self.verified(signed)[0])

    def test_signWithout(self) -> None:
        """
        With a key that cannot sign there, things stay as they are.
        """
        key = ed25519.Ed25519PrivateKey.generate()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        begin = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=1))
            .sign(key, None)
        )
        self.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        self.key.write_bytes(pem(key))
        self.load()

        self.assertEqual(b"a profile", self.context.sign(b"a profile"))

    def test_mismatched(self) -> None:
        """
        A key that is not the certificate's: somebody is in the middle of renewing them.
        """
        self.key.write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))

        self.refuses(f"{self.certificate} and {self.key} are not a certificate and its key")

    def test_broken(self) -> None:
        """
        Files that hold something else, or half of it.
        """
        good = {self.certificate: self.certificate.read_bytes(), self.key: self.key.read_bytes()}
        for path in good:
            for content in (b"", b"\x00\xff", good[path][:100], good[path].replace(b"M", b"!")):
                path.write_bytes(content)
                self.refuses(f"{self.certificate} and {self.key} are not a certificate and its key")
            path.write_bytes(good[path])
        self.load()

    def test_swapped(self) -> None:
        """
        The two files, each in place of the other.
        """
        self.certificate, self.key = self.key, self.certificate

        self.refuses(f"{self.certificate} and {self.key} are not a certificate and its key")

    def test_passphrase(self) -> None:
        """
        A key with a passphrase is refused: nobody is there to be asked for it.
        """
        key = load_pem_private_key(self.key.read_bytes(), None)
        self.key.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
        )

        self.refuses(f"{self.certificate} and {self.key} are not a certificate and its key")

    def test_unsuitable(self) -> None:
        """
        A key of a kind that cannot sign.
        """
        self.key.write_bytes(pem(x25519.X25519PrivateKey.generate()))

        self.refuses(f"{self.certificate} and {self.key} are not a certificate and its key")

    def test_missing(self) -> None:
        """
        Files that are not there.
        """
        for path in (self.certificate, self.key):
            content = path.read_bytes()
            path.unlink()
            self.refuses(f"cannot read {path}: No such file or directory")
            path.write_bytes(content)

    def test_first(self) -> None:
        """
        Without a usable certificate there is no context.
        """
        gone = Path("/nowhere/server.pem")

        error = self.assertRaises(UnusableCertificate, ReloadableContext, gone, self.key)

        self.assertEqual(str(error), "cannot read /nowhere/server.pem: No such file or directory")


def pem(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey,
) -> bytes:
    """
    A key as files hold it.
    """
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
