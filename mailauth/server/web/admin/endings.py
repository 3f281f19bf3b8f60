"""
What ends something, with what is said before: what it is, and what ends with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import attrs

from ....stores.events import Actor
from ....stores.records import NotFound
from ...actions.factors import passkeyId
from ...administration import Administration
from ...clientdocuments import isDocumentAddress
from ...clients import isDenied


@attrs.frozen
class Ending:
    """
    One way to end something.

    @ivar words: the key of what is said about it before.
    @ivar button: the key of what the button says.
    @ivar done: the word of L{DONE<mailauth.server.web.admin.adminpage.DONE>} for afterwards.
    @ivar find: says what it is that has this account and this id, for people. It fails with
        L{NotFound} if there is nothing.
    @ivar end: ends it.
    @ivar back: the page to go on to.
    @ivar typed: whoever does it has to type the name of the account first, and it is gone then.
    @ivar locksOut: whoever does it to himself is out.
    """

    words: str
    button: str
    done: str
    find: Callable[[Administration, str, str], Awaitable[str]]
    end: Callable[[Administration, Actor, str, str], Awaitable[object]]
    back: str = "admin/accounts/view"
    typed: bool = False
    locksOut: bool = False


def _only(names: Iterable[str]) -> str:
    for name in names:
        return name
    raise NotFound("There is nothing of this id.")


async def _account(administration: Administration, account: str, identifier: str) -> str:
    return (await administration.accounts.get(account)).name


async def _alias(administration: Administration, account: str, identifier: str) -> str:
    aliases = await administration.accounts.listAliases(account)
    return _only(each.address for each in aliases if each.address == identifier)


async def _appPassword(administration: Administration, account: str, identifier: str) -> str:
    appPasswords = await administration.appPasswords.list(account)
    return _only(each.name for each in appPasswords if each.identifier == identifier)


async def _application(administration: Administration, account: str, identifier: str) -> str:
    applications = await administration.access.listApplications(account)
    return _only(
        each.name or each.clientId for each in applications if each.identifier == identifier
    )


async def _browser(administration: Administration, account: str, identifier: str) -> str:
    browsers = await administration.access.listBrowsers(account)
    return _only(each.address or "-" for each in browsers if each.identifier == identifier)


async def _connection(administration: Administration, account: str, identifier: str) -> str:
    connections = administration.access.listConnections(account)
    return _only(
        f"{each.service.upper()}, {each.address or '-'}"
        for each in connections
        if each.identifier == identifier
    )


async def _authenticator(administration: Administration, account: str, identifier: str) -> str:
    factors = await administration.factors.list(account)
    return _only([account] if factors.totp is not None else [])


async def _passkey(administration: Administration, account: str, identifier: str) -> str:
    passkeys = (await administration.factors.list(account)).passkeys
    return _only(each.name for each in passkeys if passkeyId(each) == identifier)


async def _identity(administration: Administration, account: str, identifier: str) -> str:
    identities = await administration.identities.list(account)
    return _only(
        each.subject for each in identities if identityId(each.issuer, each.subject) == identifier
    )


async def _unlink(
    administration: Administration, actor: Actor, account: str, identifier: str
) -> None:
    issuer, _, subject = identifier.partition(" ")
    await administration.identities.unlink(actor, account, issuer, subject)


def identityId(issuer: str, subject: str) -> str:
    """
    One id for both. No issuer has a space in it.
    """
    return f"{issuer} {subject}"


OF_ACCOUNT: Mapping[str, Ending] = {
    "disable": Ending(
        "ending.disable",
        "ending.button.disable",
        "disabled",
        _account,
        lambda can, actor, account, _: can.accounts.disable(actor, account),
        locksOut=True,
    ),
    "remove": Ending(
        "ending.remove",
        "ending.button.remove",
        "removed",
        _account,
        lambda can, actor, account, _: can.accounts.remove(actor, account),
        "admin/accounts",
        typed=True,
        locksOut=True,
    ),
    "password": Ending(
        "ending.password",
        "ending.button.remove",
        "removed",
        _account,
        lambda can, actor, account, _: can.accounts.clearPassword(actor, account),
        locksOut=True,
    ),
    "everything": Ending(
        "ending.everything",
        "ending.button.end",
        "ended",
        _account,
        lambda can, actor, account, _: can.access.endAll(actor, account),
        "admin/connections",
        locksOut=True,
    ),
    "alias": Ending(
        "ending.alias",
        "ending.button.remove",
        "removed",
        _alias,
        lambda can, *whom: can.accounts.removeAlias(*whom),
    ),
    "apppassword": Ending(
        "ending.apppassword",
        "ending.button.revoke",
        "revoked",
        _appPassword,
        lambda can, *whom: can.appPasswords.revoke(*whom),
    ),
    "application": Ending(
        "ending.application",
        "ending.button.end",
        "ended",
        _application,
        lambda can, *whom: can.access.endApplication(*whom),
    ),
    "browser": Ending(
        "ending.browser",
        "ending.button.browser",
        "ended",
        _browser,
        lambda can, *whom: can.access.endBrowser(*whom),
    ),
    "connection": Ending(
        "ending.connection",
        "ending.button.end",
        "ended",
        _connection,
        lambda can, *whom: can.access.endConnection(*whom),
        "admin/connections",
    ),
    "authenticator": Ending(
        "ending.authenticator",
        "ending.button.remove",
        "removed",
        _authenticator,
        lambda can, actor, account, _: can.factors.removeTOTP(actor, account),
    ),
    "passkey": Ending(
        "ending.passkey",
        "ending.button.remove",
        "removed",
        _passkey,
        lambda can, *whom: can.factors.removePasskey(*whom),
    ),
    "identity": Ending("ending.identity", "ending.button.unlink", "removed", _identity, _unlink),
}
"""
Those of what belongs to an account, by their names in an address.
"""


async def _client(administration: Administration, account: str, identifier: str) -> str:
    client = await administration.clients.get(identifier)
    return client.name or client.clientId


async def _deniable(administration: Administration, account: str, identifier: str) -> str:
    # Its document is not fetched for that.
    if isDocumentAddress(identifier):
        return identifier
    return await _client(administration, account, identifier)


async def _denied(administration: Administration, account: str, identifier: str) -> str:
    clients = await administration.clients.list()
    return _only(
        each.clientId for each in clients if each.clientId == identifier and isDenied(each)
    )


async def _key(administration: Administration, account: str, identifier: str) -> str:
    keys = await administration.keys.list()
    return _only(each.key.kid for each in keys if each.key.kid == identifier)


OF_APPLICATIONS: Mapping[str, Ending] = {
    "remove": Ending(
        "ending.client",
        "ending.button.remove",
        "removed",
        _client,
        lambda can, actor, _, identifier: can.clients.remove(actor, identifier),
        "admin/applications",
    ),
    "deny": Ending(
        "ending.deny",
        "ending.button.deny",
        "denied",
        _deniable,
        lambda can, actor, _, identifier: can.clients.deny(actor, identifier),
        "admin/applications",
    ),
    "allow": Ending(
        "ending.allow",
        "ending.button.allow",
        "allowed",
        _denied,
        lambda can, actor, _, identifier: can.clients.remove(actor, identifier),
        "admin/applications",
    ),
}
"""
Those of applications. That one is denied can end, too.
"""

OF_KEYS: Mapping[str, Ending] = {
    "revoke": Ending(
        "ending.key",
        "ending.button.revoke",
        "revoked",
        _key,
        lambda can, actor, _, identifier: can.keys.revoke(actor, identifier),
        "admin/keys",
    ),
}
"""
Those of signing keys.
"""
