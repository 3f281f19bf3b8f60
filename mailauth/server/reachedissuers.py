"""
External issuers, and how each is reached: from the configuration to whoever says what a token of
its is. Owns that they share nothing: one that is slow keeps nobody waiting who asks another.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import attrs

from ..interfaces import IKeySource, ITokenValidator
from ..oauth.jwt import Signer
from ..validators._http import ISSUER_LIMITS, BoundedFetcher, anywhere
from ..validators.claims import TrustedIssuer
from ..validators.clientauthentication import ClientAuthentication, ClientKey, ClientSecret
from ..validators.discovery import Discovery, Locate
from ..validators.introspection import IntrospectionValidator
from ..validators.keys import FetchedKeys, StaticKeys
from ..validators.userinfo import UserinfoValidator
from .externalissuers import ExternalIssuer
from .tls import trustRootOf


@attrs.frozen(eq=False)
class ReachedIssuer:
    """
    One of them.

    @ivar settings: what the configuration says.
    @ivar fetcher: fetches from it, and keeps no others from fetching.
    @ivar discovery: knows where its endpoints are.
    @ivar trusted: how its tokens are read, and its keys.
    @ivar authentication: who we are to it, or C{None} if nobody.
    """

    settings: ExternalIssuer
    fetcher: BoundedFetcher
    discovery: Discovery
    trusted: TrustedIssuer
    authentication: ClientAuthentication | None

    def locate(self, name: str) -> Locate:
        """
        Who says where an endpoint is.
        """
        return partial(self.discovery.locate, name)

    def asking(self) -> ITokenValidator | None:
        """
        Who asks it about tokens, or C{None} if they are verified by its keys.
        """
        if self.settings.validation == "introspection":
            assert self.authentication is not None
            return IntrospectionValidator(
                self.trusted,
                self.locate("introspection_endpoint"),
                self.fetcher.post,
                self.authentication,
                self.settings.signedIntrospection,
            )
        if self.settings.validation == "userinfo":
            return UserinfoValidator(
                self.trusted,
                self.locate("tokeninfo_endpoint"),
                self.locate("userinfo_endpoint"),
                self.fetcher.post,
                self.fetcher.get,
            )
        return None


def reach(
    settings: ExternalIssuer,
    reactor: Any,
    seconds: Callable[[], float],
    signer: Callable[[], Awaitable[Signer]],
) -> ReachedIssuer:
    """
    Put together what reaches an issuer. Nobody is asked anything yet.

    @param reactor: for the network.
    @param seconds: a clock that only runs forward.
    @param signer: says with which key we prove who we are, where we have no secret.
    """
    # The administrator named it, so it may be in the private network.
    fetcher = BoundedFetcher(reactor, ISSUER_LIMITS, _trustRoot(settings), anywhere)
    return reachBy(settings, fetcher, seconds, signer)


def reachBy(
    settings: ExternalIssuer,
    fetcher: BoundedFetcher,
    seconds: Callable[[], float],
    signer: Callable[[], Awaitable[Signer]],
) -> ReachedIssuer:
    """
    The same, by somebody who fetches.

    @param seconds: a clock that only runs forward.
    """
    discovery = Discovery(
        settings.url, fetcher.get, seconds, settings.discovery, settings.endpoints
    )
    keys: IKeySource
    if settings.keys is None:
        locate = partial(discovery.locate, "jwks_uri")
        keys = FetchedKeys(settings.url, locate, fetcher.get, seconds)
    else:
        keys = StaticKeys(settings.keys)
    trusted = TrustedIssuer(
        issuer=settings.url,
        keys=keys,
        audience=settings.audience,
        usernameClaim=settings.usernameClaim,
        types=settings.types,
        algorithms=settings.algorithms,
        clients=settings.clients,
        discovery=settings.discovery,
        external=True,
        subjectClaim=settings.subjectClaim,
        defaultScope=settings.defaultScope,
    )
    return ReachedIssuer(settings, fetcher, discovery, trusted, _authentication(settings, signer))


def _authentication(
    settings: ExternalIssuer, signer: Callable[[], Awaitable[Signer]]
) -> ClientAuthentication | None:
    if settings.clientId is None:
        return None
    if settings.clientSecret is not None:
        return ClientSecret(settings.clientId, settings.clientSecret)
    return ClientKey(settings.clientId, settings.url, signer)


def _trustRoot(settings: ExternalIssuer) -> Any:
    """
    Whom to believe that a server is the issuer's; C{None} for those whom the platform does.
    """
    if settings.certificateAuthority is None:
        return None
    return trustRootOf(settings.certificateAuthority)
