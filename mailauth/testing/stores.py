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
from .conformance.apppasswords import AppPasswordsConformance
from .conformance.revocations import RevocationsConformance
from .conformance.sharing import SharingConformance
from .conformance.suite import (
    ALICE,
    BOB,
    ISSUER,
    Conformance,
    Heard,
    Stores,
    makeAppPassword,
    makeImported,
)

__all__ = [
    "ALICE",
    "BOB",
    "ISSUER",
    "AccountsConformance",
    "AppPasswordsConformance",
    "Conformance",
    "Heard",
    "RevocationsConformance",
    "SharingConformance",
    "SigningKeysConformance",
    "Stores",
    "makeAppPassword",
    "makeImported",
]
