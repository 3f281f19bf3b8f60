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
        @param certificate: the chain in PEM, the server's own first.
        @param privateKey: its key in PEM.
        @raise UnusableCertificate: they do not fit, or cannot be read.
        """
        self._certificate = certificate
        self._privateKey = privateKey
        self._context = self._load()

    def reload(self) -> None:
        """
        Use what the files hold now. Connections that are open keep what they have.

        @raise UnusableCertificate: it is not usable, and what was loaded before stays.
        """
        self._context = self._load()

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """
        See L{IOpenSSLServerConnectionCreator}.
        """
        return SSL.Connection(self._context, None)

    def _load(self) -> SSL.Context:
        try:
            chain = [
                crypto.load_certificate(crypto.FILETYPE_PEM, certificate)
                for certificate in _split(self._certificate.read_bytes())
            ]
            key = crypto.load_privatekey(crypto.FILETYPE_PEM, self._privateKey.read_bytes())
            if not chain:
                raise UnusableCertificate(f"{self._certificate} has no certificate in PEM")
            options = CertificateOptions(
                privateKey=key,
                certificate=chain[0],
                extraCertChain=chain[1:],
                raiseMinimumTo=TLSVersion.TLSv1_2,
                enableSessions=True,
                enableSessionTickets=True,
            )
            context: SSL.Context = options.getContext()
            context.check_privatekey()
        except OSError as error:
            raise UnusableCertificate(f"cannot read {error.filename}: {error.strerror}") from None
        except (crypto.Error, SSL.Error, ValueError):
            raise UnusableCertificate(
                f"{self._certificate} and {self._privateKey} are not a certificate and its key"
            ) from None
        return context


_BEGIN = b"-----BEGIN CERTIFICATE-----"


def _split(pem: bytes) -> list[bytes]:
    return [_BEGIN + part for part in pem.split(_BEGIN)[1:]]
