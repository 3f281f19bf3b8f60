"""
Devices without a browser (RFC 8628). Owns the code that a person copies from one screen to another:
what it looks like, how long it is good, and how often somebody may guess.

Phishing lives on this flow (RFC 10027): a stranger asks for a code, and somebody else types it in.
So only a client whose registration says so may start it, which no client gets by registering
itself; somebody is shown who asks, for what, when and from where; and nothing is ever approved by
the code alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from hashlib import sha256
from time import time
from typing import Any
from urllib.parse import quote

import attrs

from ..errors import Outage, TooManyFailures
from ..networks import networkOf
from ..oauth.interfaces import IDeviceCodes
from ..oauth.records import BrowserSession, Client, DeviceCode, Grant
from ..oauth.requests import Form
from ..oauth.responses import OAuthError
from ..stores.records import AlreadyExists, LimitReached
from ..throttle import RateLimit
from .clientauthentication import ClientAuthenticator
from .grants.devicecode import DeviceCodeGrant
from .offer import Offer, endOfGrant
from .refreshtokens import newGrantId

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""
No vowels, so that no code is a word, and nothing that is taken for a digit (RFC 8628 section 6.1).
"""

LENGTH = 8
LIFETIME = 600
INTERVAL = 5

GUESSES = 5
"""
How many codes one person may type in a minute.
"""

ALL_GUESSES = 30
"""
How many all may. Where ten devices wait at any time, whoever guesses for a year meets one with a
chance of 1 in 160.
"""

STARTS = 10
"""
How many devices of one network may begin to wait in a minute.
"""

_ATTEMPTS = 3


@attrs.frozen
class DeviceLimits:
    """
    Who may do it how often.

    @ivar starts: by network.
    @ivar guesses: by person.
    @ivar allGuesses: of everybody.
    """

    starts: RateLimit
    guesses: RateLimit
    allGuesses: RateLimit

    @classmethod
    def of(cls, seconds: Callable[[], float]) -> DeviceLimits:
        """
        @param seconds: a clock that only runs forward, such as C{IReactorTime.seconds}.
        """
        return cls(
            RateLimit(seconds, STARTS), RateLimit(seconds, GUESSES), RateLimit(seconds, ALL_GUESSES)
        )


@attrs.frozen(eq=False)
class Devices:
    """
    Lets devices wait, and somebody decide about one.

    @ivar page: the address where a person types the code.
    @ivar grantLifetime: after how many seconds a grant ends whatever happens, or C{None}.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    page: str
    authenticator: ClientAuthenticator
    offer: Offer
    deviceCodes: IDeviceCodes
    limits: DeviceLimits
    grantLifetime: float | None = None
    now: Callable[[], float] = time

    # What the device hears

    async def answer(
        self, form: Form, authorization: bytes | None, address: str | None
    ) -> Mapping[str, Any]:
        """
        @param authorization: the header of this name.
        @param address: from where the device asks.
        @return: the members of the answer (RFC 8628 section 3.2).
        @raise OAuthError: it may not ask.
        @raise Outage: nobody can tell, or too many wait already.
        """
        client = await self.authenticator.check(form, authorization)
        if DeviceCodeGrant.name not in client.grantTypes:
            raise OAuthError("unauthorized_client", "The client may not use this grant_type.")
        if not self.limits.starts.allows(networkOf(address)):
            raise Outage("too many devices of one network")
        code, secret = await self._add(form, client, address)
        userCode = formatUserCode(code.userCode)
        return {
            "device_code": secret,
            "user_code": userCode,
            "verification_uri": self.page,
            "verification_uri_complete": f"{self.page}?user_code={quote(userCode)}",
            "expires_in": LIFETIME,
            "interval": INTERVAL,
        }

    async def _add(self, form: Form, client: Client, address: str | None) -> tuple[DeviceCode, str]:
        scope = self.offer.scope(form.get("scope"), client)
        resources = self.offer.resources(form.resources)
        now = self.now()
        for _ in range(_ATTEMPTS):
            secret = secrets.token_urlsafe(32)
            code = DeviceCode(
                digest=sha256(secret.encode("ascii")).digest(),
                userCode="".join(secrets.choice(LETTERS) for _ in range(LENGTH)),
                clientId=client.clientId,
                scope=scope,
                resources=resources,
                created=now,
                expires=now + LIFETIME,
                interval=INTERVAL,
                address=address,
            )
            try:
                await self.deviceCodes.add(code)
            except AlreadyExists:
                continue
            except LimitReached as error:
                raise Outage(str(error)) from None
            return code, secret
        raise Outage("no user code was free")

    # What the person does

    async def find(self, typed: str, person: str) -> DeviceCode | None:
        """
        The device that shows a code.

        @param typed: the code: case, spaces and dashes do not matter.
        @param person: who types, as his account: he signs in as often as he likes.
        @return: C{None} if nothing waits that shows it.
        @raise TooManyFailures: somebody has to wait before he types another.
        @raise Outage: nobody can tell.
        """
        limits = self.limits
        if not limits.guesses.allows(person) or not limits.allGuesses.allows("all"):
            raise TooManyFailures("too many user codes")
        userCode = readUserCode(typed)
        code = None if userCode is None else await self.deviceCodes.findUserCode(userCode)
        return None if code is None or code.expires <= self.now() else code

    async def approve(self, code: DeviceCode, session: BrowserSession) -> bool:
        """
        Somebody saw what is asked for, and allowed it.

        @return: whether nobody else had decided, and it was in time.
        @raise OAuthError: there is no such client any more.
        @raise Outage: it is not allowed.
        """
        client = await self.authenticator.clients.find(code.clientId)
        now = self.now()
        grant = Grant(
            grantId=newGrantId(),
            authentication=session.authentication,
            clientId=code.clientId,
            scope=code.scope,
            resources=code.resources,
            created=now,
            expires=endOfGrant(client, code.scope, session, self.grantLifetime, now),
            lastUse=now,
            address=code.address,
        )
        return await self.deviceCodes.decide(code.digest, grant, now)

    async def deny(self, code: DeviceCode) -> bool:
        """
        Somebody said no.

        @return: whether nobody else had decided, and it was in time.
        @raise Outage: it is not denied.
        """
        return await self.deviceCodes.decide(code.digest, None, self.now())


def formatUserCode(userCode: str) -> str:
    """
    A user code as a device shows it.
    """
    return f"{userCode[: LENGTH // 2]}-{userCode[LENGTH // 2 :]}"


def readUserCode(typed: str) -> str | None:
    """
    A user code, however somebody wrote it; C{None} if it cannot be one.
    """
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return letters if len(letters) == LENGTH and set(letters) <= set(LETTERS) else None
