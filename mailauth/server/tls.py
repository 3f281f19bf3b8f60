"""
TLS: one context for every listener, which can be replaced while they run. Owns the certificate.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from twisted.internet.interfaces import (
    IOpenSSLServerConnectionCreator,
    IProtocolNegotiationFactory,
)
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    TLSVersion,
    trustRootFromCertificates,
)
from zope.interface import implementer


class UnusableCertificate(Exception):
    """
    A certificate and a key that TLS cannot be offered with. The message says why.
    """


@attrs.frozen
class _Loaded:
    """
    What was in the files.
    """

    chain: Any
    key: Any = attrs.field(repr=False)
    context: SSL.Context = attrs.field(repr=False)


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
        self._loaded = _load(certificate, privateKey)

    @property
    def ends(self) -> float:
        """
        When the server's own certificate expires, in seconds since the epoch.
        """
        ends: datetime = self._loaded.chain[0].not_valid_after_utc
        return ends.timestamp()

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """
        See L{IOpenSSLServerConnectionCreator}.
        """
        return SSL.Connection(self._loaded.context, None)

    def sign(self, octets: bytes) -> bytes:
        """
        Sign what somebody takes home (CMS, RFC 5652 section 5), so that it is seen to come from
        here.

        @return: the octets inside their signature, or as they are if the key is of a kind that
            nobody signs with there.
        """
        own, *others = self._loaded.chain
        key = self._loaded.key
        if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
            return octets
        builder = PKCS7SignatureBuilder().set_data(octets).add_signer(own, key, SHA256())
        for other in others:
            builder = builder.add_certificate(other)
        return builder.sign(Encoding.DER, [PKCS7Options.Binary])


def trustRootOf(authorities: bytes) -> Any:
    """
    Whom to believe, as L{CertificateOptions} takes it.

    @param authorities: their certificates in PEM.
    @raise ValueError: there is none.
    """
    return trustRootFromCertificates(
        [
            Certificate.loadPEM(each.public_bytes(Encoding.PEM))
            for each in load_pem_x509_certificates(authorities)
        ]
    )


def _selectProtocol(connection: SSL.Connection, offered: list[bytes]) -> bytes:
    """
    ALPN (RFC 7301 section 3.2). A client that takes us for something else was led here by
    somebody: what it sends is not to be read as commands (W6).
    """
    # Under STARTTLS only the protocol inside knows what it is.
    protocol = connection.get_app_data().wrappedProtocol
    factory = IProtocolNegotiationFactory(protocol.factory, None)
    if factory is not None:
        for name in factory.acceptableProtocols():
            if name in offered:
                return bytes(name)
    # pyOpenSSL sends the alert no_application_protocol for what is raised here.
    raise SSL.Error([("", "", "no application protocol in common")])


def _load(certificate: Path, privateKey: Path) -> _Loaded:
    # pyOpenSSL deprecates its own classes, and Twisted's annotations know no others.
    chain: Any
    key: Any
    try:
        chain = load_pem_x509_certificates(certificate.read_bytes())
        key = load_pem_private_key(privateKey.read_bytes(), None)
        context: SSL.Context = CertificateOptions(
            privateKey=key,
            certificate=chain[0],
            extraCertChain=chain[1:],
            raiseMinimumTo=TLSVersion.TLSv1_2,
            enableSessions=True,
            enableSessionTickets=True,
        ).getContext()
        context.check_privatekey()
        # Twisted's own knows nothing of STARTTLS, nor of an alert.
        context.set_alpn_select_callback(_selectProtocol)
    except OSError as error:
        raise UnusableCertificate(f"cannot read {error.filename}: {error.strerror}") from None
    except (SSL.Error, TypeError, UnsupportedAlgorithm, ValueError):
        # A TypeError is a key that needs a passphrase.
        raise UnusableCertificate(
            f"{certificate} and {privateKey} are not a certificate and its key"
        ) from None
    return _Loaded(chain, key, context)
