"""
A record as a row, and back. Owns the way what is no single value is written in one column.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from .events import Actor, Event, Kind
from .records import Account, Alias, AppPassword, AppPasswordUse, Identity, SigningKey


def account(row: Row[Any]) -> Account:
    """
    The account of a row.
    """
    return Account(
        name=row.name,
        passwordHash=row.password_hash,
        enabled=row.enabled,
        passwordRule=row.password_rule,
        created=row.created,
    )


def accountRow(account: Account) -> dict[str, Any]:
    """
    The row of an account.
    """
    return {
        "name": account.name,
        "password_hash": account.passwordHash,
        "enabled": account.enabled,
        "password_rule": account.passwordRule,
        "created": account.created,
    }


def alias(row: Row[Any]) -> Alias:
    """
    The alias of a row.
    """
    return Alias(row.address, row.account, row.created)


def aliasRow(alias: Alias) -> dict[str, Any]:
    """
    The row of an alias.
    """
    return {"address": alias.address, "account": alias.account, "created": alias.created}


def event(row: Row[Any]) -> Event:
    """
    The event of a row.
    """
    actor = Actor(row.who, row.via, row.address)
    return Event(Kind(row.kind), actor, row.time, row.account, row.text, row.number)


def eventRow(event: Event) -> dict[str, Any]:
    """
    The row of an event that has no number yet.
    """
    return {
        "time": event.time,
        "kind": event.kind,
        "who": event.actor.who,
        "via": event.actor.via,
        "address": event.actor.address,
        "account": event.account,
        "text": event.text,
    }


def appPassword(row: Row[Any]) -> AppPassword:
    """
    The app password of a row.
    """
    lastUse = None
    if row.last_used is not None:
        lastUse = AppPasswordUse(
            row.last_used, row.last_service, row.last_address, row.last_mail_client
        )
    return AppPassword(
        identifier=row.identifier,
        account=row.account,
        name=row.name,
        digest=row.digest,
        imported=row.imported,
        services=frozenset(_split(row.services)),
        readOnly=row.read_only,
        created=row.created,
        expires=row.expires,
        networks=_split(row.networks),
        lastUse=lastUse,
    )


def appPasswordRow(appPassword: AppPassword) -> dict[str, Any]:
    """
    The row of an app password.
    """
    row = {
        "identifier": appPassword.identifier,
        "account": appPassword.account,
        "name": appPassword.name,
        "digest": appPassword.digest,
        "imported": appPassword.imported,
        "services": ",".join(sorted(appPassword.services)),
        "read_only": appPassword.readOnly,
        "created": appPassword.created,
        "expires": appPassword.expires,
        "networks": ",".join(appPassword.networks),
    }
    if appPassword.lastUse is not None:
        row.update(useColumns(appPassword.lastUse))
    return row


def useColumns(use: AppPasswordUse) -> dict[str, Any]:
    """
    The columns of the last use.
    """
    return {
        "last_used": use.time,
        "last_service": use.service,
        "last_address": use.address,
        "last_mail_client": use.mailClient,
    }


def identity(row: Row[Any]) -> Identity:
    """
    The identity of a row.
    """
    return Identity(row.issuer, row.subject, row.account, row.created)


def identityRow(identity: Identity) -> dict[str, Any]:
    """
    The row of an identity.
    """
    return {
        "issuer": identity.issuer,
        "subject": identity.subject,
        "account": identity.account,
        "created": identity.created,
    }


def signingKey(row: Row[Any]) -> SigningKey:
    """
    The signing key of a row.
    """
    return SigningKey(row.kid, row.algorithm, row.sealed, row.created, row.retired)


def signingKeyRow(key: SigningKey) -> dict[str, Any]:
    """
    The row of a signing key.
    """
    return {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "sealed": key.sealed,
        "created": key.created,
        "retired": key.retired,
    }


def _split(joined: str) -> tuple[str, ...]:
    """
    Empty is none, not one that is empty.
    """
    return tuple(joined.split(",")) if joined else ()
