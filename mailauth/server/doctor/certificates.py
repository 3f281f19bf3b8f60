"""
The certificate that a server shows. Owns that it is seen whatever it is: what programs would say
of it is found out afterwards.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import attrs
from cryptography import x509
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import (
    verify_certificate_hostname,
    verify_certificate_ip_address,
)
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions
from zope.interface import implementer

from .findings import Finding, doubtful, good, wrong
from .network import isAddress

SOON = timedelta(days=14)
"""
Whoever renews certificates by a program has done it by then.
"""

_EXPIRED, _NOT_YET = 10, 9
_UNVOUCHED = (18, 19, 20, 21)
"""
Of OpenSSL's C{X509_V_ERR_}: it or its authority is self-signed and not trusted here, or nobody has
its issuer's certificate.
"""

_UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""
Why the names of a certificate cannot be read, which may be any octets.
"""


@attrs.frozen
class SeenCertificate:
    """
    What a server showed.

    @ivar own: its own certificate.
    @ivar errors: the numbers of what is wrong with the chain, as OpenSSL has them.
    @ivar length: how many certificates it sent.
    """

    own: x509.Certificate
    errors: tuple[int, ...]
    length: int


@implementer(IOpenSSLClientConnectionCreator)
class CuriousTLS:
    """
    The client's side of one connection, which takes every certificate. Nothing may be said there
    that is secret, and nothing is: there is nothing secret here.
    """

    def __init__(self, host: str, trustRoot: Any) -> None:
        """
        @param host: which server it is to be.
        @param trustRoot: who is believed, as L{CertificateOptions} takes it; not C{None}.
        """
        self._host = host
        self._errors: list[int] = []
        self._context = CertificateOptions(trustRoot=trustRoot).getContext()
        self._context.set_verify(SSL.VERIFY_PEER, self._note)

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        """
        See L{IOpenSSLClientConnectionCreator}.
        """
        connection = SSL.Connection(self._context, None)
        if not isAddress(self._host):
            connection.set_tlsext_host_name(self._host.encode("ascii"))
        self._connection = connection
        return connection

    def seen(self) -> SeenCertificate:
        """
        What was shown, after the handshake.
        """
        own: Any = self._connection.get_peer_certificate()
        chain = self._connection.get_peer_cert_chain() or ()
        return SeenCertificate(own.to_cryptography(), tuple(self._errors), len(chain))

    def _note(self, connection: Any, shown: Any, number: int, depth: int, verified: int) -> bool:
        if not verified:
            self._errors.append(number)
        return True


def judgeCertificate(
    topic: str, host: str, where: str, seen: SeenCertificate, now: datetime
) -> Finding:
    """
    Whether programs accept it.

    @param host: how they call the server.
    @param where: how to call it here.
    """
    own = seen.own
    expires = own.not_valid_after_utc
    names = _namesOf(own)
    if expires <= now or _EXPIRED in seen.errors:
        return wrong(
            topic,
            f"{where}: the certificate expired on {expires:%Y-%m-%d}, or its authority's did.",
            f"Renew the certificate of {where}, and have the server read it again.",
        )
    if _NOT_YET in seen.errors:
        return wrong(
            topic,
            f"{where}: the certificate is not good before {own.not_valid_before_utc:%Y-%m-%d}.",
            f"Set the clock of {where} and of this machine by NTP.",
        )
    if seen.errors:
        return wrong(topic, f"{where}: {_explain(seen)}", _mend(where))
    if not _covers(own, host):
        return wrong(
            topic,
            f"{where}: the certificate is for {', '.join(names) or 'no host'}, and not for {host}.",
            f"Have the certificate name {host}, too.",
        )
    days = (expires - now).days
    says = f"{where}: the certificate is good for {days} more days."
    if expires - now < SOON:
        return doubtful(topic, says, f"See that the certificate of {where} is renewed.")
    return good(topic, says)


def _explain(seen: SeenCertificate) -> str:
    if not set(seen.errors) & set(_UNVOUCHED):
        return f"its certificate is not good (OpenSSL's error {seen.errors[0]})."
    issuer = _commonName(seen.own.issuer)
    if seen.length == 1 and seen.own.issuer != seen.own.subject:
        return (
            f"nobody who is trusted here vouches for its certificate, and it sends no"
            f" certificate of {issuer}, who issued it."
        )
    return f"nobody who is trusted here vouches for its certificate, which {issuer} issued."


def _mend(where: str) -> str:
    return (
        f"Have {where} send the whole chain: its certificate, then that of its issuer. Programs"
        " trust public authorities; for one of your own, '--ca' names it."
    )


def _covers(certificate: x509.Certificate, host: str) -> bool:
    verify = verify_certificate_ip_address if isAddress(host) else verify_certificate_hostname
    try:
        verify(certificate, host)
    except (VerificationError, CertificateError, *_UNREADABLE):
        return False
    return True


def _namesOf(certificate: x509.Certificate) -> list[str]:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return []
    return [*named.get_values_for_type(x509.DNSName)]


def _commonName(name: x509.Name) -> str:
    return name.rfc4514_string() or "an authority without a name"
