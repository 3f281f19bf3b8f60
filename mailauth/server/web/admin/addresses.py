"""
Which address is which page of the administration site.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.web.resource import IResource

from ....oauth.interfaces import ISpent
from ...administration import Administration
from ...pastlogins import PastLogins
from ...sites import Site
from ..onetimeforms import OneTimeForms
from ..pages import OnwardPage
from ..sitepage import SignedInPage
from ..visit import Pages
from .account import AccountPage
from .accounts import AccountsPage, NewAccountPage
from .adminpage import AdminRules
from .applications import ApplicationPage, ApplicationsPage, NewApplicationPage
from .audit import AuditPage, LoginsPage
from .confirm import ConfirmPage
from .connections import ConnectionsPage
from .credentials import AppPasswordPage, IdentityPage, ImportPage, PasswordPage
from .endings import OF_ACCOUNT, OF_APPLICATIONS, OF_KEYS
from .issuers import IssuersPage
from .keys import KeysPage, RotatePage
from .overview import OverviewPage


def adminByAddress(
    pages: Pages,
    site: Site,
    administration: Administration,
    rules: Callable[[], AdminRules],
    pastLogins: PastLogins,
    spent: ISpent,
) -> dict[str, IResource]:
    """
    Its pages, by their paths below the issuer.

    @param administration: what they do.
    @param rules: who may see them.
    @param pastLogins: finds logins.
    @param spent: the forms that were sent.
    """
    shared = pages, site, administration, rules
    forms = OneTimeForms(spent, administration.recorder.now)
    return {
        "admin": OnwardPage(pages, "admin/"),
        "admin/": OverviewPage(*shared),
        "admin/accounts": AccountsPage(*shared),
        "admin/accounts/new": NewAccountPage(*shared),
        "admin/accounts/view": AccountPage(*shared),
        "admin/accounts/password": PasswordPage(*shared),
        "admin/accounts/app-password": AppPasswordPage(*shared, forms=forms),
        "admin/accounts/import": ImportPage(*shared),
        "admin/accounts/identity": IdentityPage(*shared),
        "admin/accounts/end": ConfirmPage(*shared, endings=OF_ACCOUNT),
        "admin/applications": ApplicationsPage(*shared),
        "admin/applications/new": NewApplicationPage(*shared, forms=forms),
        "admin/applications/view": ApplicationPage(*shared),
        "admin/applications/end": ConfirmPage(*shared, endings=OF_APPLICATIONS),
        "admin/connections": ConnectionsPage(*shared),
        "admin/issuers": IssuersPage(*shared),
        "admin/keys": KeysPage(*shared),
        "admin/keys/rotate": RotatePage(*shared),
        "admin/keys/end": ConfirmPage(*shared, endings=OF_KEYS),
        "admin/audit": AuditPage(*shared),
        "admin/audit/logins": LoginsPage(*shared, pastLogins),
        "admin/signedin": SignedInPage(pages, site),
    }
