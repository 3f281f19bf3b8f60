"""
A certificate authority for one demonstration: its own, in a directory of its own. Nothing but the
demo uses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 825
"""
How long the certificates are good for: the longest that Apple's programs accept.
"""


def makeCertificates(directory: Path, names: Iterable[str], now: datetime | None = None) -> None:
    """
    Write C{ca.pem}, C{server.pem} and C{server.key}, with keys on P-256. The authority's own key is
    not kept: nobody can make another certificate that its users would trust.

    @param names: the host names and IP addresses that the server's certificate covers.
    @param now: when they begin, less an hour for clocks that differ.
    """
    begin = (now or datetime.now(UTC)) - timedelta(hours=1)
    authorityKey = ec.generate_private_key(ec.SECP256R1())
    serverKey = ec.generate_private_key(ec.SECP256R1())
    authorityName = _name("mailauth demo CA")
    authority = (
        _builder(authorityName, authorityName, authorityKey, begin)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signsCertificates=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authorityKey.public_key()), critical=False
        )
        .sign(authorityKey, SHA256())
    )
    server = (
        _builder(_name("mailauth demo"), authorityName, serverKey, begin)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signsCertificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authorityKey.public_key()), False
        )
        .sign(authorityKey, SHA256())
    )
    (directory / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    key = directory / "server.key"
    key.touch(mode=0o600)
    key.write_bytes(serverKey.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (directory / "server.pem").write_bytes(server.public_bytes(Encoding.PEM))


def _name(commonName: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, commonName)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(signsCertificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signsCertificates,
        key_cert_sign=signsCertificates,
        crl_sign=signsCertificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begin: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=DAYS))
    )
