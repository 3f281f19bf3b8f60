"""
Which address is which page of the account site.
"""

from __future__ import annotations

from twisted.web.resource import IResource

from ...sites import Site
from ..pages import OnwardPage
from ..sitepage import SignedInPage
from ..visit import Pages
from .overview import OverviewPage


def accountByAddress(pages: Pages, site: Site) -> dict[str, IResource]:
    """
    Its pages, by their paths below the issuer.
    """
    return {
        "account": OnwardPage(pages, "account/"),
        "account/": OverviewPage(pages, site),
        "account/signedin": SignedInPage(pages, site),
    }
