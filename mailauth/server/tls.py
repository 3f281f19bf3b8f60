"""
TLS: one context for every listener, which can be replaced while they run. Owns the certificate.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.ssl import CertificateOptions, TLSVersion
from zope.interface import implementer


class UnusableCertificate(Exception):
    """
    A certificate and a key that TLS cannot be offered with. The message says why.
    """


@implementer(IOpenSSLServerConnectionCreator)
class ReloadableContext:
    """
    The server's side of TLS 1.2 and 1.3, for implicit TLS and for STARTTLS alike.
    """

    def __init__(self, certificate: Path, privateKey: Path) -> None:
        """
        See L{load}.
        """
        self.load(certificate, privateKey)

    def load(self, certificate: Path, privateKey: Path) -> None:
        """
        Use what the files hold now. Connections that are open keep what they have.

        @param certificate: the chain in PEM, the server's own first.
        @param privateKey: its key in PEM.
        @raise UnusableCertificate: they do not fit, or cannot be read, and what was loaded before
            stays.
        """
        self._context = _makeContext(certificate, privateKey)

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """
        See L{IOpenSSLServerConnectionCreator}.
        """
        return SSL.Connection(self._context, None)


def _makeContext(certificate: Path, privateKey: Path) -> SSL.Context:
    try:
        chain = [
            crypto.load_certificate(crypto.FILETYPE_PEM, each)
            for each in _split(certificate.read_bytes())
        ]
        if not chain:
            raise UnusableCertificate(f"{certificate} has no certificate in PEM")
        # With a passphrase in hand OpenSSL does not ask for one at the terminal.
        key = crypto.load_privatekey(crypto.FILETYPE_PEM, privateKey.read_bytes(), b"")
        context: SSL.Context = CertificateOptions(
            privateKey=key,
            certificate=chain[0],
            extraCertChain=chain[1:],
            raiseMinimumTo=TLSVersion.TLSv1_2,
            enableSessions=True,
            enableSessionTickets=True,
        ).getContext()
        context.check_privatekey()
    except OSError as error:
        raise UnusableCertificate(f"cannot read {error.filename}: {error.strerror}") from None
    except (crypto.Error, SSL.Error, ValueError, TypeError):
        raise UnusableCertificate(
            f"{certificate} and {privateKey} are not a certificate and its key"
        ) from None
    return context


_BEGIN = b"-----BEGIN CERTIFICATE-----"


def _split(pem: bytes) -> list[bytes]:
    return [_BEGIN + part for part in pem.split(_BEGIN)[1:]]
