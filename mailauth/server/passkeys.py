"""
Passkeys (W3C Web Authentication Level 3): owns which options a browser is given, and which of its
responses are believed.

Every passkey is discoverable and verifies its holder, so that it is both factors, and signs in with
nothing typed. Nobody is told which passkeys an account has.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from time import time
from typing import Any, TypeVar
from urllib.parse import urlsplit

import attrs
from twisted.cred.credentials import ICredentials
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from zope.interface import implementer

from ..credentials import LoginContext
from ..errors import InvalidCredentials, Refusal
from ..oauth.interfaces import IFactors, ISpent
from ..oauth.records import Passkey
from ..stores.records import AlreadyExists
from .sealing import CannotUnseal, Sealer, digestOf

CHALLENGE_LIFETIME = 600.0
"""
For how many seconds a browser may take to answer.
"""

MAX_PASSKEYS = 20
MAX_NAME = 64

_TIMEOUT = int(CHALLENGE_LIFETIME * 1000)

_T = TypeVar("_T")


@implementer(ICredentials)
@attrs.define(eq=False)
class PasskeyResponse:
    """
    What a browser answers for a passkey. It names nobody: its C{username} is found out.
    """

    context: LoginContext
    username: bytes | None = None


class InvalidPasskey(InvalidCredentials):
    """
    The response of a passkey is not one that we believe.
    """

    sentence = "This passkey was not accepted. Try again, or sign in another way."


class CannotRegister(Refusal):
    """
    A passkey cannot be added.
    """

    sentence = "This passkey could not be added. Try again."
    counts = False


class Passkeys:
    """
    Registers passkeys and verifies what they sign.
    """

    def __init__(
        self,
        issuer: str,
        factors: IFactors,
        spent: ISpent,
        sealer: Sealer,
        handles: Sealer,
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param issuer: of whose origin the pages are, and whose host is the relying party's id.
        @param sealer: that for C{"passkey-challenges"}.
        @param handles: that for C{"user-handles"}.
        @param now: the wall clock, in seconds since the epoch.
        """
        parts = urlsplit(issuer)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._rpId = parts.hostname or ""
        self._factors = factors
        self._spent = spent
        self._sealer = sealer
        self._handles = handles
        self._now = now

    # Signing in

    def authenticationOptions(self, browser: str) -> tuple[str, str]:
        """
        @param browser: the cookie that marks the browser, which has to bring the answer.
        @return: the options for C{navigator.credentials.get()}, as JSON, and the sealed challenge,
            which has to come back beside the response.
        """
        challenge = secrets.token_bytes(32)
        options = generate_authentication_options(
            rp_id=self._rpId,
            challenge=challenge,
            timeout=_TIMEOUT,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options), self._seal(challenge, "authentication", browser)

    async def verify(self, sealedChallenge: str, response: str, browser: str) -> Passkey:
        """
        Whose passkey signed the challenge. Its account is not looked at.

        @param response: what the browser's C{PublicKeyCredential.toJSON()} says.
        @raise InvalidPasskey: none of ours did, or the challenge was answered before.
        @raise Outage: nobody can tell.
        """
        challenge = self._unseal(sealedChallenge, InvalidPasskey, "authentication", browser)
        credential = _believed(InvalidPasskey, parse_authentication_credential_json, response)
        passkey = await self._factors.findPasskey(credential.raw_id)
        if passkey is None:
            raise InvalidPasskey("no such passkey")
        if credential.response.user_handle != self._handleOf(passkey.account):
            raise InvalidPasskey("the passkey is for somebody else")
        verified = _believed(
            InvalidPasskey,
            verify_authentication_response,
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=self._rpId,
            expected_origin=self._origin,
            credential_public_key=passkey.publicKey,
            credential_current_sign_count=passkey.signCount,
            require_user_verification=True,
        )
        # Not before: whoever has no passkey makes us write nothing.
        await self._spend(challenge, InvalidPasskey)
        now = self._now()
        if not await self._factors.usePasskey(passkey.credentialId, verified.new_sign_count, now):
            raise InvalidPasskey("its counter went back: there may be a copy of it")
        return passkey

    # Registering

    async def registrationOptions(self, account: str, browser: str) -> tuple[str, str]:
        """
        @param account: who is signed in.
        @return: the options for C{navigator.credentials.create()}, as JSON, and the sealed
            challenge.
        @raise CannotRegister: the account has as many as it may.
        @raise Outage: the store cannot be reached.
        """
        known = await self._known(account)
        challenge = secrets.token_bytes(32)
        options = generate_registration_options(
            rp_id=self._rpId,
            rp_name=self._rpId,
            user_name=account,
            user_id=self._handleOf(account),
            challenge=challenge,
            timeout=_TIMEOUT,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(each.credentialId) for each in known
            ],
        )
        return options_to_json(options), self._seal(challenge, "registration", browser, account)

    async def register(
        self, account: str, sealedChallenge: str, response: str, name: str, browser: str
    ) -> Passkey:
        """
        Add a passkey to the account of whoever is signed in.

        @param response: what the browser's C{PublicKeyCredential.toJSON()} says.
        @param name: what its owner calls it.
        @raise CannotRegister: the response is not one that we believe, the passkey is known, or the
            account has as many as it may.
        @raise Outage: it was not added.
        """
        challenge = self._unseal(sealedChallenge, CannotRegister, "registration", browser, account)
        verified = _believed(
            CannotRegister,
            verify_registration_response,
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=self._rpId,
            expected_origin=self._origin,
            require_user_verification=True,
        )
        await self._spend(challenge, CannotRegister)
        await self._known(account)
        passkey = Passkey(
            credentialId=verified.credential_id,
            account=account,
            name=name[:MAX_NAME],
            publicKey=verified.credential_public_key,
            signCount=verified.sign_count,
            created=self._now(),
        )
        try:
            await self._factors.addPasskey(passkey)
        except AlreadyExists:
            raise CannotRegister("the passkey is known already") from None
        return passkey

    async def _known(self, account: str) -> tuple[Passkey, ...]:
        """
        The passkeys of an account that can have one more.

        @raise CannotRegister: it cannot.
        """
        known = await self._factors.listPasskeys(account)
        if len(known) >= MAX_PASSKEYS:
            raise CannotRegister("there are too many", f"Remove one of your {MAX_PASSKEYS} first.")
        return known

    # Both

    def _handleOf(self, account: str) -> bytes:
        """
        What an authenticator knows the account by: it is to say nothing about its owner (section
        14.6.1).
        """
        return self._handles.mac(account.encode("utf-8"))

    def _seal(self, challenge: bytes, *context: str) -> str:
        expires = self._now() + CHALLENGE_LIFETIME
        return self._sealer.sealMembers({"challenge": challenge.hex()}, expires, _joined(context))

    def _unseal(self, sealed: str, refusal: type[Refusal], *context: str) -> bytes:
        try:
            members = self._sealer.unsealMembers(sealed, self._now(), _joined(context))
        except CannotUnseal as error:
            raise refusal(f"the challenge: {error}") from None
        return bytes.fromhex(members["challenge"])

    async def _spend(self, challenge: bytes, refusal: type[Refusal]) -> None:
        now = self._now()
        digest = digestOf("passkey", challenge.hex())
        if not await self._spent.spend(digest, now + CHALLENGE_LIFETIME, now):
            raise refusal("the challenge was answered before")


def _joined(context: tuple[str, ...]) -> bytes:
    return "\0".join(context).encode("utf-8")


def _believed(refusal: type[Refusal], check: Callable[..., _T], *sent: Any, **named: Any) -> _T:
    """
    Ask the library about what a browser sent. It raises many things, and whatever it was, the
    response is no good.
    """
    try:
        return check(*sent, **named)
    except Exception as error:
        raise refusal(f"{type(error).__name__}: {error}") from None
