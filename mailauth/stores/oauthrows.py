"""
A record of the authorization server as a row, and back. Owns which of its attributes have columns;
the others are in its document.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from ..oauth.records import (
    AuthorizationCode,
    BrowserSession,
    Client,
    DeviceCode,
    Grant,
    OpaqueToken,
    Passkey,
    TOTPSecret,
)
from .documents import fromDocument, toDocument


def client(row: Row[Any]) -> Client:
    """
    The client of a row.
    """
    return fromDocument(
        Client,
        row.document,
        clientId=row.client_id,
        secretDigest=row.secret_digest,
        created=row.created,
    )


def clientRow(client: Client) -> dict[str, Any]:
    """
    The row of a client.
    """
    return {
        "client_id": client.clientId,
        "secret_digest": client.secretDigest,
        "created": client.created,
        "document": toDocument(client, ("clientId", "secretDigest", "created")),
    }


def code(row: Row[Any]) -> AuthorizationCode:
    """
    The authorization code of a row.
    """
    return fromDocument(
        AuthorizationCode, row.document, digest=row.digest, expires=row.expires, used=row.used
    )


def codeRow(code: AuthorizationCode) -> dict[str, Any]:
    """
    The row of an authorization code.
    """
    return {
        "digest": code.digest,
        "account": code.grant.account,
        "expires": code.expires,
        "used": code.used,
        "document": toDocument(code, ("digest", "expires", "used")),
    }


def grant(row: Row[Any]) -> Grant:
    """
    The grant of a row.
    """
    return fromDocument(
        Grant,
        row.document,
        grantId=row.grant_id,
        clientId=row.client_id,
        created=row.created,
        expires=row.expires,
        refreshDigest=row.refresh_digest,
        previousDigest=row.previous_digest,
        rotated=row.rotated,
        refreshExpires=row.refresh_expires,
        lastUse=row.last_use,
        address=row.address,
    )


def grantRow(grant: Grant) -> dict[str, Any]:
    """
    The row of a grant.
    """
    return {
        "grant_id": grant.grantId,
        "account": grant.account,
        "client_id": grant.clientId,
        "created": grant.created,
        "expires": grant.expires,
        "refresh_digest": grant.refreshDigest,
        "previous_digest": grant.previousDigest,
        "rotated": grant.rotated,
        "refresh_expires": grant.refreshExpires,
        "last_use": grant.lastUse,
        "address": grant.address,
        "document": toDocument(grant, _GRANT_COLUMNS),
    }


_GRANT_COLUMNS = (
    "grantId",
    "clientId",
    "created",
    "expires",
    "refreshDigest",
    "previousDigest",
    "rotated",
    "refreshExpires",
    "lastUse",
    "address",
)


def opaqueToken(row: Row[Any]) -> OpaqueToken:
    """
    The opaque token of a row.
    """
    return fromDocument(OpaqueToken, row.document, digest=row.digest)


def opaqueTokenRow(opaque: OpaqueToken) -> dict[str, Any]:
    """
    The row of an opaque token.
    """
    return {
        "digest": opaque.digest,
        "grant_id": opaque.token.grantId,
        "expires": opaque.token.expires,
        "document": toDocument(opaque, ("digest",)),
    }


def deviceCode(row: Row[Any]) -> DeviceCode:
    """
    The device code of a row.
    """
    return fromDocument(
        DeviceCode,
        row.document,
        digest=row.digest,
        userCode=row.user_code,
        expires=row.expires,
        interval=row.poll_interval,
        polled=row.polled,
        denied=row.decided is not None and row.granted is None,
        grant=None if row.granted is None else fromDocument(Grant, row.granted),
        used=row.used,
    )


def waitingRow(code: DeviceCode) -> dict[str, Any]:
    """
    The row of a device that waits.
    """
    return {
        "digest": code.digest,
        "user_code": code.userCode,
        "expires": code.expires,
        "poll_interval": code.interval,
        "polled": code.polled,
        "document": toDocument(code, _DEVICE_CODE_COLUMNS),
    }


_DEVICE_CODE_COLUMNS = (
    "digest",
    "userCode",
    "expires",
    "interval",
    "polled",
    "denied",
    "grant",
    "used",
)


def browserSession(row: Row[Any]) -> BrowserSession:
    """
    The browser session of a row.
    """
    return fromDocument(
        BrowserSession,
        row.document,
        digest=row.digest,
        created=row.created,
        expires=row.expires,
        lastUse=row.last_use,
    )


def browserSessionRow(session: BrowserSession) -> dict[str, Any]:
    """
    The row of a browser session.
    """
    return {
        "digest": session.digest,
        "identifier": session.identifier,
        "account": session.authentication.account,
        "created": session.created,
        "expires": session.expires,
        "last_use": session.lastUse,
        "document": toDocument(session, ("digest", "created", "expires", "lastUse")),
    }


def totpSecret(row: Row[Any]) -> TOTPSecret:
    """
    The TOTP secret of a row.
    """
    return TOTPSecret(row.account, row.sealed, row.created, row.last_step)


def totpSecretRow(secret: TOTPSecret) -> dict[str, Any]:
    """
    The row of a TOTP secret.
    """
    return {
        "account": secret.account,
        "sealed": secret.sealed,
        "created": secret.created,
        "last_step": secret.lastStep,
    }


def passkey(row: Row[Any]) -> Passkey:
    """
    The passkey of a row.
    """
    return Passkey(
        credentialId=row.credential_id,
        account=row.account,
        name=row.name,
        publicKey=row.public_key,
        signCount=row.sign_count,
        created=row.created,
        lastUse=row.last_use,
    )


def passkeyRow(passkey: Passkey) -> dict[str, Any]:
    """
    The row of a passkey.
    """
    return {
        "credential_id": passkey.credentialId,
        "account": passkey.account,
        "name": passkey.name,
        "public_key": passkey.publicKey,
        "sign_count": passkey.signCount,
        "created": passkey.created,
        "last_use": passkey.lastUse,
    }
