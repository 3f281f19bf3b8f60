"""
What every store must do, as tests that a backend of your own inherits. They own the meaning of
L{mailauth.interfaces} and L{mailauth.oauth.interfaces}: a store that passes can stand behind the
checkers and the authorization server.

A backend's own test is three lines for each interface::

    class MyAccountsTests(AccountsConformance, TestCase):
        def makeStores(self, now):
            return succeed(MyStores(now))

C{TestCase} is trial's. For stores that several processes may share there is L{SharingConformance}.
"""

from __future__ import annotations

from .conformance.accounts import AccountsConformance, SigningKeysConformance
from .conformance.aliases import AliasesConformance
from .conformance.apppasswords import AppPasswordsConformance
from .conformance.browsersessions import BrowserSessionsConformance
from .conformance.clients import ClientsConformance
from .conformance.devicecodes import DeviceCodesConformance
from .conformance.events import EventsConformance
from .conformance.factors import FactorsConformance, SpentConformance
from .conformance.grants import GrantsConformance
from .conformance.identities import IdentitiesConformance
from .conformance.opaquetokens import OpaqueTokensConformance
from .conformance.records import (
    ALICE,
    BOB,
    CLIENT,
    ISSUER,
    NOW,
    digestOf,
    makeAppPassword,
    makeBrowserSession,
    makeCode,
    makeDeviceCode,
    makeGrant,
    makeImported,
    makeOpaqueToken,
    makePasskey,
)
from .conformance.revocations import RevocationsConformance
from .conformance.sharing import SharingConformance
from .conformance.suite import Conformance, Heard, Stores

__all__ = [
    "ALICE",
    "BOB",
    "CLIENT",
    "ISSUER",
    "NOW",
    "AccountsConformance",
    "AliasesConformance",
    "AppPasswordsConformance",
    "BrowserSessionsConformance",
    "ClientsConformance",
    "Conformance",
    "DeviceCodesConformance",
    "EventsConformance",
    "FactorsConformance",
    "GrantsConformance",
    "Heard",
    "IdentitiesConformance",
    "OpaqueTokensConformance",
    "RevocationsConformance",
    "SharingConformance",
    "SigningKeysConformance",
    "SpentConformance",
    "Stores",
    "digestOf",
    "makeAppPassword",
    "makeBrowserSession",
    "makeCode",
    "makeDeviceCode",
    "makeGrant",
    "makeImported",
    "makeOpaqueToken",
    "makePasskey",
]
