"""
Which address is which page of the administration site.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from twisted.web.resource import IResource

from ...sites import Site
from ..pages import OnwardPage
from ..sitepage import SignedInPage
from ..visit import Pages
from .overview import OverviewPage


def adminByAddress(
    pages: Pages, site: Site, administrators: Callable[[], Collection[str]]
) -> dict[str, IResource]:
    """
    Its pages, by their paths below the issuer.

    @param administrators: who may see them.
    """
    shared = pages, site, administrators
    return {
        "admin": OnwardPage(pages, "admin/"),
        "admin/": OverviewPage(*shared),
        "admin/signedin": SignedInPage(pages, site),
    }
