"""
What an account signs in with besides its password: an authenticator with its recovery codes, and
passkeys.
"""

from __future__ import annotations

from hashlib import sha256

import attrs

from ...interfaces import IAccounts
from ...oauth.interfaces import IFactors
from ...oauth.records import Passkey
from ...stores.events import Actor, Kind
from ...stores.records import NotFound
from ..factors import Enrolment, Proposal, SecondFactors
from ..notices import Notices
from ..passkeys import MAX_NAME, Passkeys
from .recording import Recorder


@attrs.frozen
class AccountFactors:
    """
    Those of one account.

    @ivar totp: since when it has an authenticator, in seconds since the epoch, or C{None}.
    @ivar recoveryCodes: how many of them are left.
    @ivar passkeys: the oldest first.
    """

    totp: float | None
    recoveryCodes: int
    passkeys: tuple[Passkey, ...]


def passkeyId(passkey: Passkey) -> str:
    """
    Something short for its id, which an authenticator may make a thousand octets long.
    """
    return sha256(passkey.credentialId).hexdigest()[:8]


@attrs.frozen(eq=False)
class FactorActions:
    """
    What can be done with them. Names of accounts are in canonical form.

    @ivar hostname: what an authenticator shows beside the account.
    """

    accounts: IAccounts
    store: IFactors
    secondFactors: SecondFactors
    passkeys: Passkeys
    hostname: str
    recorder: Recorder
    notices: Notices

    async def list(self, account: str) -> AccountFactors:
        """
        Those of an account.

        @raise NotFound: there is no such account.
        """
        if await self.accounts.get(account) is None:
            raise NotFound(f"There is no account {account}.")
        totp = await self.store.getTOTP(account)
        return AccountFactors(
            None if totp is None else totp.created,
            await self.store.countRecoveryCodes(account),
            await self.store.listPasskeys(account),
        )

    # Authenticator

    async def enrolTOTP(self, actor: Actor, account: str) -> Enrolment:
        """
        Give an account a new authenticator and new recovery codes, in the place of what it had.

        @return: what its owner is shown now, and never again.
        @raise NotFound: there is no such account.
        """
        enrolment = await self.secondFactors.enrol(account, self.hostname)
        await self._added(actor, account, Kind.TOTP_SET, "An authenticator")
        return enrolment

    def proposeTOTP(self, account: str, browser: str) -> Proposal:
        """
        A new authenticator that does not count yet: see L{SecondFactors.propose}.
        """
        return self.secondFactors.propose(account, self.hostname, browser)

    def proposedTOTP(self, account: str, sealed: str, browser: str) -> Proposal:
        """
        The same once more: see L{SecondFactors.proposed}.
        """
        return self.secondFactors.proposed(account, self.hostname, sealed, browser)

    async def confirmTOTP(
        self, actor: Actor, account: str, sealed: str, code: str, browser: str
    ) -> tuple[str, ...]:
        """
        Have it count: see L{SecondFactors.confirm}.

        @return: recovery codes, which its owner is shown now and never again.
        """
        codes = await self.secondFactors.confirm(account, sealed, code, browser)
        await self._added(actor, account, Kind.TOTP_SET, "An authenticator")
        return codes

    async def removeTOTP(self, actor: Actor, account: str) -> None:
        """
        Ask the account for its password alone. Its recovery codes go, too.

        @raise NotFound: it has no authenticator.
        """
        await self.secondFactors.remove(account)
        await self._removed(actor, account, Kind.TOTP_REMOVED, "The authenticator")

    async def renewRecoveryCodes(self, actor: Actor, account: str) -> tuple[str, ...]:
        """
        Give an account new recovery codes, in the place of those that are left.

        @return: what its owner is shown now, and never again.
        @raise NotFound: it has no authenticator.
        """
        codes = await self.secondFactors.renewRecoveryCodes(account)
        await self._added(actor, account, Kind.RECOVERY_CODES_MADE, "New recovery codes")
        return codes

    # Passkeys

    async def findPasskey(self, account: str, identifier: str) -> Passkey:
        """
        @param identifier: as L{passkeyId} makes it.
        @raise NotFound: the account has no such passkey.
        """
        for passkey in await self.store.listPasskeys(account):
            if passkeyId(passkey) == identifier:
                return passkey
        raise NotFound(f"{account} has no passkey {identifier}.")

    async def proposePasskey(self, account: str, browser: str) -> tuple[str, str]:
        """
        What a browser needs to make one: see L{Passkeys.registrationOptions}.
        """
        return await self.passkeys.registrationOptions(account, browser)

    async def addPasskey(
        self,
        actor: Actor,
        account: str,
        sealedChallenge: str,
        response: str,
        name: str,
        browser: str,
    ) -> Passkey:
        """
        Add a passkey: see L{Passkeys.register}.

        @raise CannotRegister: it cannot be added.
        """
        passkey = await self.passkeys.register(account, sealedChallenge, response, name, browser)
        what = f"The passkey '{passkey.name}'"
        await self._added(actor, account, Kind.PASSKEY_ADDED, what, passkeyId(passkey))
        return passkey

    async def renamePasskey(self, actor: Actor, account: str, identifier: str, name: str) -> None:
        """
        @param identifier: as L{passkeyId} makes it.
        @param name: what its owner calls it from now on.
        @raise NotFound: the account has no such passkey.
        """
        passkey = await self.findPasskey(account, identifier)
        await self.store.renamePasskey(account, passkey.credentialId, name[:MAX_NAME])
        await self.recorder.record(Kind.PASSKEY_RENAMED, actor, account, identifier)

    async def removePasskey(self, actor: Actor, account: str, identifier: str) -> None:
        """
        @param identifier: as L{passkeyId} makes it.
        @raise NotFound: the account has no such passkey.
        """
        passkey = await self.findPasskey(account, identifier)
        await self.store.removePasskey(account, passkey.credentialId)
        what = f"The passkey '{passkey.name}'"
        await self._removed(actor, account, Kind.PASSKEY_REMOVED, what, identifier)

    async def _added(
        self, actor: Actor, account: str, kind: Kind, what: str, text: str = ""
    ) -> None:
        await self.recorder.record(kind, actor, account, text)
        await self.notices.send(
            account,
            actor,
            "A new way to sign in to your account",
            f"{what} can be used to sign in to your account from now on.",
        )

    async def _removed(
        self, actor: Actor, account: str, kind: Kind, what: str, text: str = ""
    ) -> None:
        await self.recorder.record(kind, actor, account, text)
        await self.notices.send(
            account,
            actor,
            "A way to sign in to your account was removed",
            f"{what} of your account was removed.",
        )
