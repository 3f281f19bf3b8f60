"""
Which address is which page, and which is which endpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.web.resource import IResource

from ..authorization import Authorization
from ..authorizationserver import AuthorizationServer
from ..devices import Devices
from ..federation import Federation
from ..logout import Logout
from ..signin import SignIn
from .authorize import AuthorizePage
from .backchannellogout import BackchannelLogoutResource
from .consent import ConsentPage
from .describing import Lifetimes
from .device import DevicePage
from .deviceauthorization import DeviceAuthorizationResource
from .endsession import EndSessionPage, SignOutPage
from .introspect import IntrospectionResource
from .onward import Onward
from .pages import FrontPage, OnwardPage
from .par import PushedRequestResource
from .register import RegistrationResource
from .revoke import RevocationResource
from .signin import LeavingPage, PasskeyPage, ReturningPage, SecondFactorPage, SignInPage
from .token import TokenResource
from .userinfo import UserInfoResource
from .visit import Pages


def endpointsByAddress(
    server: AuthorizationServer, registration: bool, seconds: Callable[[], float]
) -> dict[str, IResource]:
    """
    All endpoints for programs, by their paths below the issuer.

    @param registration: clients may register themselves.
    @param seconds: a clock that only runs forward.
    """
    endpoints: dict[str, IResource] = {
        "token": TokenResource(server.tokens),
        "revoke": RevocationResource(server.revocation),
        "introspect": IntrospectionResource(server.introspection),
        "userinfo": UserInfoResource(server.userInfo),
        "par": PushedRequestResource(server.pushedRequests),
        "device_authorization": DeviceAuthorizationResource(server.devices),
        "backchannel_logout": BackchannelLogoutResource(server.backchannelLogout),
    }
    if registration:
        endpoints["register"] = RegistrationResource(server.clients, seconds)
    return endpoints


def pagesByAddress(
    pages: Pages,
    authorization: Authorization,
    signIn: SignIn,
    devices: Devices,
    logout: Logout,
    tokenLifetime: float,
    federations: Sequence[Federation] = (),
) -> dict[str, IResource]:
    """
    All pages for people, by their paths below the issuer.

    @param tokenLifetime: of access tokens that come without a refresh token, in seconds.
    @param federations: the other issuers that people sign in at.
    """
    onward = Onward(authorization)
    lifetimes = Lifetimes(tokenLifetime, authorization.grantLifetime, authorization.now)
    shared = pages, onward, signIn, federations
    external: dict[str, IResource] = {}
    for federation in federations:
        external[f"{federation.path}/begin"] = LeavingPage(*shared, federation)
        external[federation.path] = ReturningPage(*shared, federation)
    return {
        **external,
        "": FrontPage(pages),
        **pages.assets.resources,
        "authorize": AuthorizePage(pages, onward),
        "signin": SignInPage(*shared),
        "signin/second": SecondFactorPage(*shared),
        "signin/passkey": PasskeyPage(*shared),
        "signin/passkey/new": OnwardPage(pages, "account/security/passkey"),
        "consent": ConsentPage(pages, authorization, lifetimes),
        "device": DevicePage(pages, authorization.clients, devices, lifetimes),
        "signout": SignOutPage(pages, logout),
        "end_session": EndSessionPage(pages, logout),
    }
