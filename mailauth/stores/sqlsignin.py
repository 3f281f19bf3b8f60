"""
Browser sessions, second factors and what may be used once, in SQL. Owns the conditions under
which each is taken.
"""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..oauth.interfaces import IBrowserSessions, IFactors, ISpent
from ..oauth.records import BrowserSession, Passkey, TOTPSecret
from . import oauthrows, schema
from .records import AlreadyExists, NotFound
from .statements import batchOf, forgetAll, requireAccount
from .transactions import Transactions
from .uses import Uses

_SESSION = select(schema.browserSessions).where(
    schema.browserSessions.c.digest == bindparam("secret")
)
_SPEND = sqlite.insert(schema.spent).on_conflict_do_nothing()
_SPENT_LONG_AGO = batchOf(schema.spent, schema.spent.c.expires <= bindparam("now"))


@implementer(IBrowserSessions)
class SQLBrowserSessions:
    """
    Browser sessions in a database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._uses = Uses(transactions)

    def add(self, session: BrowserSession) -> Deferred[None]:
        """
        See L{IBrowserSessions.add}.
        """

        def work(connection: Connection) -> None:
            requireAccount(connection, session.authentication.account)
            connection.execute(
                insert(schema.browserSessions).values(oauthrows.browserSessionRow(session))
            )

        return self._transactions.write(work)

    def find(self, digest: bytes) -> Deferred[BrowserSession | None]:
        """
        See L{IBrowserSessions.find}.
        """
        return self._transactions.findOne(_SESSION, oauthrows.browserSession, secret=digest)

    def get(self, identifier: str) -> Deferred[BrowserSession | None]:
        """
        See L{IBrowserSessions.get}.
        """
        sessions = schema.browserSessions
        asked = select(sessions).where(sessions.c.identifier == identifier)
        return self._transactions.findOne(asked, oauthrows.browserSession)

    def touch(self, digest: bytes, now: float) -> Deferred[None]:
        """
        See L{IBrowserSessions.touch} and L{Uses.note}.
        """
        sessions = schema.browserSessions
        used = update(sessions).where(sessions.c.digest == digest).values(last_use=now)
        return self._uses.note(digest, now, used)

    def list(self, account: str) -> Deferred[tuple[BrowserSession, ...]]:
        """
        See L{IBrowserSessions.list}.
        """
        columns = schema.browserSessions.c
        asked = (
            select(schema.browserSessions)
            .where(columns.account == account)
            .order_by(columns.created.desc(), columns.identifier)
        )
        return self._transactions.findAll(asked, oauthrows.browserSession)

    def end(self, identifier: str) -> Deferred[BrowserSession | None]:
        """
        See L{IBrowserSessions.end}.
        """
        sessions = schema.browserSessions
        ending = delete(sessions).where(sessions.c.identifier == identifier).returning(sessions)

        def work(connection: Connection) -> BrowserSession | None:
            row = connection.execute(ending).one_or_none()
            return None if row is None else oauthrows.browserSession(row)

        return self._transactions.write(work)

    def purge(self, now: float) -> Deferred[None]:
        """
        See L{IBrowserSessions.purge}.
        """
        sessions = schema.browserSessions
        return Deferred.fromCoroutine(
            forgetAll(self._transactions, sessions, sessions.c.expires <= now)
        )


@implementer(IFactors)
class SQLFactors:
    """
    Second factors in a database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def setTOTP(self, secret: TOTPSecret, recoveryCodes: tuple[bytes, ...]) -> Deferred[None]:
        """
        See L{IFactors.setTOTP}.
        """
        secrets, account = schema.totpSecrets, secret.account
        asked = select(secrets.c.sealed).where(secrets.c.account == account)

        def work(connection: Connection) -> None:
            requireAccount(connection, account)
            if connection.scalars(asked).one_or_none() == secret.sealed:
                raise AlreadyExists(f"{account} has this authenticator already.")
            connection.execute(delete(secrets).where(secrets.c.account == account))
            connection.execute(insert(secrets).values(oauthrows.totpSecretRow(secret)))
            _setRecoveryCodes(connection, account, recoveryCodes)

        return self._transactions.write(work)

    def getTOTP(self, account: str) -> Deferred[TOTPSecret | None]:
        """
        See L{IFactors.getTOTP}.
        """
        asked = select(schema.totpSecrets).where(schema.totpSecrets.c.account == account)
        return self._transactions.findOne(asked, oauthrows.totpSecret)

    def useTOTP(self, account: str, step: int) -> Deferred[bool]:
        """
        See L{IFactors.useTOTP}.
        """
        columns = schema.totpSecrets.c
        using = (
            update(schema.totpSecrets)
            .where(columns.account == account, columns.last_step < step)
            .values(last_step=step)
        )
        return self._transactions.change(using)

    def removeTOTP(self, account: str) -> Deferred[None]:
        """
        See L{IFactors.removeTOTP}.
        """
        removing = delete(schema.totpSecrets).where(schema.totpSecrets.c.account == account)

        def work(connection: Connection) -> None:
            if not connection.execute(removing).rowcount:
                raise NotFound(f"{account} has no authenticator.")
            _setRecoveryCodes(connection, account, ())

        return self._transactions.write(work)

    def addPasskey(self, passkey: Passkey) -> Deferred[None]:
        """
        See L{IFactors.addPasskey}.
        """

        def work(connection: Connection) -> None:
            requireAccount(connection, passkey.account)
            try:
                connection.execute(insert(schema.passkeys).values(oauthrows.passkeyRow(passkey)))
            except IntegrityError:
                raise AlreadyExists("there is such a passkey already") from None

        return self._transactions.write(work)

    def findPasskey(self, credentialId: bytes) -> Deferred[Passkey | None]:
        """
        See L{IFactors.findPasskey}.
        """
        asked = select(schema.passkeys).where(schema.passkeys.c.credential_id == credentialId)
        return self._transactions.findOne(asked, oauthrows.passkey)

    def listPasskeys(self, account: str) -> Deferred[tuple[Passkey, ...]]:
        """
        See L{IFactors.listPasskeys}.
        """
        columns = schema.passkeys.c
        asked = (
            select(schema.passkeys)
            .where(columns.account == account)
            .order_by(columns.created, columns.credential_id)
        )
        return self._transactions.findAll(asked, oauthrows.passkey)

    def usePasskey(self, credentialId: bytes, signCount: int, now: float) -> Deferred[bool]:
        """
        See L{IFactors.usePasskey}.
        """
        columns = schema.passkeys.c
        counted: ColumnElement[bool] = columns.sign_count < signCount
        if not signCount:
            counted = columns.sign_count == 0
        using = (
            update(schema.passkeys)
            .where(columns.credential_id == credentialId, counted)
            .values(sign_count=signCount, last_use=now)
        )
        return self._transactions.change(using)

    def renamePasskey(self, account: str, credentialId: bytes, name: str) -> Deferred[None]:
        """
        See L{IFactors.renamePasskey}.
        """
        return self._changePasskey(update(schema.passkeys).values(name=name), account, credentialId)

    def removePasskey(self, account: str, credentialId: bytes) -> Deferred[None]:
        """
        See L{IFactors.removePasskey}.
        """
        return self._changePasskey(delete(schema.passkeys), account, credentialId)

    def _changePasskey(
        self, change: Update | Delete, account: str, credentialId: bytes
    ) -> Deferred[None]:
        columns = schema.passkeys.c
        changing = change.where(columns.account == account, columns.credential_id == credentialId)

        def work(connection: Connection) -> None:
            if not connection.execute(changing).rowcount:
                raise NotFound(f"{account} has no such passkey.")

        return self._transactions.write(work)

    def setRecoveryCodes(self, account: str, digests: tuple[bytes, ...]) -> Deferred[None]:
        """
        See L{IFactors.setRecoveryCodes}.
        """

        def work(connection: Connection) -> None:
            requireAccount(connection, account)
            _setRecoveryCodes(connection, account, digests)

        return self._transactions.write(work)

    def useRecoveryCode(self, account: str, digest: bytes) -> Deferred[bool]:
        """
        See L{IFactors.useRecoveryCode}.
        """
        columns = schema.recoveryCodes.c
        using = delete(schema.recoveryCodes).where(
            columns.account == account, columns.digest == digest
        )
        return self._transactions.change(using)

    def countRecoveryCodes(self, account: str) -> Deferred[int]:
        """
        See L{IFactors.countRecoveryCodes}.
        """
        counted = select(func.count()).where(schema.recoveryCodes.c.account == account)
        return self._transactions.read(lambda connection: connection.scalars(counted).one())


def _setRecoveryCodes(connection: Connection, account: str, digests: tuple[bytes, ...]) -> None:
    codes = schema.recoveryCodes
    rows = [{"account": account, "digest": digest} for digest in digests]
    connection.execute(delete(codes).where(codes.c.account == account))
    if rows:
        connection.execute(insert(codes), rows)


@implementer(ISpent)
class SQLSpent:
    """
    What was used once, in a database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def spend(self, digest: bytes, expires: float, now: float) -> Deferred[bool]:
        """
        See L{ISpent.spend}. What may be forgotten is, on this occasion.
        """

        def work(connection: Connection) -> bool:
            connection.execute(_SPENT_LONG_AGO, {"now": now})
            return connection.execute(_SPEND, {"digest": digest, "expires": expires}).rowcount == 1

        return self._transactions.write(work)
