"""
Which address is which page.
"""

from __future__ import annotations

from twisted.web.resource import IResource

from ..authorization import Authorization
from ..devices import Devices
from ..logout import Logout
from ..passkeys import Passkeys
from ..signin import SignIn
from .authorize import AuthorizePage
from .consent import ConsentPage
from .device import DevicePage
from .endsession import EndSessionPage, SignOutPage
from .newpasskey import NewPasskeyPage
from .onward import Onward
from .page import Pages
from .pages import AccountPage, FrontPage
from .signin import PasskeyPage, SecondFactorPage, SignInPage


def pagesByAddress(
    pages: Pages,
    authorization: Authorization,
    signIn: SignIn,
    passkeys: Passkeys,
    devices: Devices,
    logout: Logout,
) -> dict[str, IResource]:
    """
    All pages for people, by their paths below the issuer.
    """
    onward = Onward(authorization)
    return {
        "": FrontPage(pages),
        **pages.assets.resources,
        "account": AccountPage(pages),
        "account/": AccountPage(pages),
        "authorize": AuthorizePage(pages, onward),
        "signin": SignInPage(pages, onward, signIn),
        "signin/second": SecondFactorPage(pages, onward, signIn),
        "signin/passkey": PasskeyPage(pages, onward, signIn),
        "signin/passkey/new": NewPasskeyPage(pages, passkeys, authorization.now),
        "consent": ConsentPage(pages, onward),
        "device": DevicePage(pages, authorization.clients, devices),
        "signout": SignOutPage(pages, logout),
        "end_session": EndSessionPage(pages, logout),
    }
