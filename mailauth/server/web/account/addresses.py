"""
Which address is which page of the account site.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.web.resource import IResource

from ....oauth.interfaces import ISpent
from ...administration import Administration
from ...mailhosts import MailHosts
from ...signin import SignIn
from ...sites import Site
from ..onetimeforms import OneTimeForms
from ..pages import OnwardPage
from ..sitepage import SignedInPage
from ..visit import Pages
from .activity import ActivityPage
from .apple import ApplePage
from .authenticator import AuthenticatorPage, RecoveryCodesPage, RemoveAuthenticatorPage
from .ending import EndEverythingPage, EndPage
from .newapppassword import NewAppPasswordPage
from .overview import OverviewPage
from .passkeys import NewPasskeyPage, RemovePasskeyPage, RenamePasskeyPage
from .password import PasswordPage
from .security import SecurityPage


def accountByAddress(
    pages: Pages,
    site: Site,
    administration: Administration,
    signIn: SignIn,
    hosts: MailHosts,
    spent: ISpent,
    sign: Callable[[bytes], bytes],
) -> dict[str, IResource]:
    """
    Its pages, by their paths below the issuer.

    @param administration: what they do.
    @param signIn: looks at passwords.
    @param hosts: what people enter into their mail programs.
    @param spent: the forms that were sent.
    @param sign: puts a file into our signature.
    """
    shared = pages, site, administration
    forms = OneTimeForms(spent, administration.recorder.now)
    return {
        "account": OnwardPage(pages, "account/"),
        "account/": OverviewPage(*shared),
        "account/end": EndPage(*shared),
        "account/end-everything": EndEverythingPage(*shared),
        "account/app-passwords/new": NewAppPasswordPage(*shared, hosts, forms),
        "account/apple": ApplePage(*shared, hosts, forms, sign),
        "account/security": SecurityPage(*shared),
        "account/security/password": PasswordPage(*shared, signIn),
        "account/security/passkey": NewPasskeyPage(*shared),
        "account/security/passkey/rename": RenamePasskeyPage(*shared),
        "account/security/passkey/remove": RemovePasskeyPage(*shared),
        "account/security/totp": AuthenticatorPage(*shared),
        "account/security/totp/remove": RemoveAuthenticatorPage(*shared),
        "account/security/recovery": RecoveryCodesPage(*shared, forms),
        "account/activity": ActivityPage(*shared),
        "account/signedin": SignedInPage(pages, site),
    }
