"""
Secrets that the server needs and nobody else: one key file, and a key for each purpose from it.

What is sealed can be given to a browser or to the database, and comes back unread and unchanged or
not at all. So a sign-in that is under way needs no row of a table, and a copy of the database
alone opens nothing.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..stores.records import CannotOpen

KEY_OCTETS = 32
_NONCE = 12


class CannotUnseal(Exception):
    """
    It was not sealed here, or not for this, or it has expired. The message quotes nothing of it.
    """


class UnusableKeyFile(CannotOpen):
    """
    The key file cannot be used. The message says why and what to do.
    """


@attrs.frozen
class Sealer:
    """
    Seals, for one purpose.
    """

    _key: bytes = attrs.field(repr=False)

    def seal(self, octets: bytes, context: bytes = b"") -> bytes:
        """
        Encrypt (AES-256-GCM, NIST SP 800-38D).

        @param context: what has to be the same when it is opened, such as whose it is.
        """
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, octets, context)

    def unseal(self, sealed: bytes, context: bytes = b"") -> bytes:
        """
        @raise CannotUnseal: it is not what L{seal} made with this key in this context.
        """
        try:
            return AESGCM(self._key).decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
        except (InvalidTag, ValueError):
            raise CannotUnseal("not sealed here") from None

    def sealMembers(self, members: Mapping[str, Any], expires: float, context: bytes = b"") -> str:
        """
        Seal what JSON can write, as text for a form or an address.

        @param expires: until when it can be opened, in seconds since the epoch.
        """
        text = json.dumps([expires, members], separators=(",", ":"))
        return urlsafe_b64encode(self.seal(text.encode("utf-8"), context)).decode().rstrip("=")

    def unsealMembers(self, sealed: str, now: float, context: bytes = b"") -> dict[str, Any]:
        """
        @raise CannotUnseal: see L{unseal}; or it has expired.
        """
        try:
            octets = urlsafe_b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4))
        except ValueError:
            raise CannotUnseal("not base64url") from None
        expires, members = json.loads(self.unseal(octets, context))
        if now >= expires:
            raise CannotUnseal("expired")
        return dict(members)

    def mac(self, octets: bytes) -> bytes:
        """
        A keyed digest, of 32 octets (RFC 2104).
        """
        return hmac.digest(self._key, octets, "sha256")


@attrs.frozen
class ServerSecret:
    """
    What the key file holds.
    """

    _secret: bytes = attrs.field(repr=False)

    def sealer(self, purpose: str) -> Sealer:
        """
        A key of its own for a purpose (RFC 5869).
        """
        derived = HKDF(SHA256(), KEY_OCTETS, None, b"mailauth " + purpose.encode("ascii"))
        return Sealer(derived.derive(self._secret))


def readKeyFile(path: Path) -> ServerSecret:
    """
    Read the key file. If there is none it is made, for its owner alone.

    @raise UnusableKeyFile: it is not one, or others may read it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return _makeKeyFile(path)
    except OSError as error:
        raise UnusableKeyFile(f"{path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & 0o077:
            raise UnusableKeyFile(f"others may read {path}: make it private with 'chmod 600'")
        text = file.read(4 * KEY_OCTETS)
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != KEY_OCTETS:
        raise UnusableKeyFile(
            f"{path} does not hold {KEY_OCTETS} octets in hexadecimal: restore it from a backup;"
            " without it the signing keys in the database are lost"
        )
    return ServerSecret(secret)


def _makeKeyFile(path: Path) -> ServerSecret:
    """
    Two processes may do this at once: one of them wins, and both read what it wrote.
    """
    made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            # An administrator's command may be the first to come, as root.
            os.fchown(descriptor, path.parent.stat().st_uid, -1)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(KEY_OCTETS).encode("ascii") + b"\n")
                file.flush()
                os.fsync(descriptor)
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    except OSError as error:
        raise UnusableKeyFile(f"{path} cannot be made: {error.strerror}") from None
    return readKeyFile(path)


def digestOf(*parts: str) -> bytes:
    """
    The SHA-256 under which a secret, or what may be used once, is known to the store.
    """
    return sha256("\0".join(parts).encode("utf-8")).digest()
