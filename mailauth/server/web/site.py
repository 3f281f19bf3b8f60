"""
Which address is which resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from twisted.web.resource import IResource

from ...mail.waiting import WaitingRoom
from .channel import QuietSite


def makeSite(
    issuer: str,
    documents: Mapping[str, IResource],
    resources: Mapping[str, IResource],
    missing: IResource,
    waitingRoom: WaitingRoom,
) -> QuietSite:
    """
    The site of the built-in issuer.

    @param documents: what has a path of its own.
    @param resources: what is below the issuer, by its path from there.
    @param missing: what answers everywhere else.
    @param waitingRoom: where its connections are.
    """
    path = urlsplit(issuer).path.rstrip("/")
    below = {f"{path}/{name}": resource for name, resource in resources.items()}
    addresses = {**below, **documents}
    return QuietSite(
        {address.encode("ascii"): resource for address, resource in addresses.items()},
        missing,
        waitingRoom,
    )
