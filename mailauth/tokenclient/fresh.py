"""
A fresh access token. Owns when one is too old, and that no refresh token is used twice, lost, or
taken for dead because a server was.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

import attrs

from .failures import OAuthRefusal, Outage, Refusal
from .signins import SignIn, SignIns

MARGIN = 60.0
"""
How many seconds before its end a token is too old to begin something with.
"""

_OVER = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})
"""
Error codes after which a refresh token is good for nothing any more.
"""


def freshToken(signIns: SignIns, address: str, now: Callable[[], float] = time) -> str:
    """
    @param now: the wall clock, in seconds since the epoch.
    @raise Refusal: somebody has to sign in.
    @raise Outage: it cannot be had now.
    """
    token = _goodToken(_signedIn(signIns, address), now(), MARGIN)
    if token is not None:
        return token
    with signIns.lock(address):
        # Somebody else may have done it while we waited.
        signIn = _signedIn(signIns, address)
        token = _goodToken(signIn, now(), MARGIN)
        if token is not None:
            return token
        try:
            return _refresh(signIns, signIn, now())
        except Outage:
            token = _goodToken(signIn, now(), 0.0)
            if token is None:
                raise
            return token


def _signedIn(signIns: SignIns, address: str) -> SignIn:
    signIn = signIns.get(address)
    if signIn is None:
        raise Refusal(f"You are not signed in as {address}. {signInFirst(address)}")
    if signIn.over:
        raise Refusal(f"Your sign-in as {address} has ended. {signInFirst(address)}")
    return signIn


def signInFirst(address: str) -> str:
    """
    What to do.
    """
    return f"Sign in with: mailauth-token login {address}"


def _goodToken(signIn: SignIn, now: float, margin: float) -> str | None:
    """
    @param margin: how many seconds before its end it is good no more.
    """
    end = signIn.issued + signIn.lifetime - min(margin, signIn.lifetime / 2)
    # If the clock was set back, there is no telling.
    return signIn.accessToken if signIn.issued <= now < end else None


def _refresh(signIns: SignIns, signIn: SignIn, now: float) -> str:
    """
    Use the refresh token. The caller holds the lock.
    """
    from . import keyrings
    from .tokens import refresh
    from .web import Web

    address = signIn.address
    refreshToken = signIn.refreshToken or keyrings.find(address)
    # A disk that is full, or was made read-only, says so before the token is spent.
    signIns.save(signIn)
    try:
        tokens = refresh(Web(signIn.authority), signIn.tokenEndpoint, signIn.clientId, refreshToken)
    except OAuthRefusal as error:
        if error.code not in _OVER:
            raise
        signIns.save(attrs.evolve(signIn, refreshToken=None, keyring=False, accessToken=None))
        raise Refusal(
            f"Your sign-in as {address} has ended: {error}. {signInFirst(address)}"
        ) from None
    keepTokens(
        signIns,
        attrs.evolve(
            signIn,
            refreshToken=tokens.refreshToken or refreshToken,
            accessToken=tokens.accessToken,
            issued=now,
            lifetime=tokens.lifetime,
        ),
    )
    return tokens.accessToken


def keepTokens(signIns: SignIns, signIn: SignIn) -> SignIn:
    """
    Keep it, the refresh token in the keyring if it is said that it is there. The caller holds the
    lock.

    @return: as it is kept: where the keyring does not take it, the file does.
    """
    from . import keyrings

    if signIn.keyring and signIn.refreshToken is not None:
        if keyrings.keep(signIn.address, signIn.refreshToken):
            signIn = attrs.evolve(signIn, refreshToken=None)
        else:
            signIn = attrs.evolve(signIn, keyring=False)
    signIns.save(signIn)
    return signIn
